"""Processes that read Ion, side by side: blocks of lines in, and a future of the JSON lines for each.

They are programs of their own at the other end of pipes, and no children of multiprocessing: so a program without a
`__main__` guard, `python -c` and a notebook can start them, and nothing that the program holds is copied.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import LifoQueue

import numpy as np
from numpy.typing import NDArray

from converter.decode.strict_lines import LineProblem
from converter.errors import ConvertError
from converter.export.blocks import PADDING
from converter.ion.worker import NO_MEMORY, OUT_OF_TIME, REPLY, REQUEST, cpu_seconds
from converter.subprocesses import CURRENT_DIRECTORY, python_command, python_environment


@dataclass(frozen=True, slots=True, eq=False)
class JsonLines:
    """data[:size] are lines of JSON, and zeros follow. problem: of the first bad line, which is not among them."""

    data: NDArray[np.uint8]
    size: int
    problem: LineProblem | None


class IonWorkers:
    """Up to `most` processes, each started when it is first needed; all are gone after close().

    Whoever asks for a block ahead of its turn asks for room first: so what waits in memory depends on `most` alone.
    """

    def __init__(self, most: int) -> None:
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="ion")
        self._room = threading.Semaphore(2 * most)
        self._lock = threading.Lock()
        self._closed = False
        self._all = [_Process() for _ in range(most)]
        # Last in, first out: a small export needs one process, and starts no more.
        self._idle: LifoQueue[_Process] = LifoQueue()
        for process in reversed(self._all):
            self._idle.put(process)

    def __enter__(self) -> IonWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take_room(self) -> bool:
        """Whether one more block may wait; who is told so gives the room back."""
        return self._room.acquire(blocking=False)

    def give_room(self) -> None:
        """A block does not wait any more."""
        self._room.release()

    def translate(self, lines: bytes, place: str) -> Future[JsonLines]:
        """The JSON of whole lines of Ion; ConvertError where the process dies. place: of the lines, for errors."""
        return self._threads.submit(self._translate, lines, place)

    def close(self) -> None:
        """End all processes, whatever they are doing; what was not answered becomes an error. Closing twice is fine."""
        with self._lock:
            self._closed = True
            for process in self._all:
                process.kill()
        # The threads see the ends of the pipes.
        self._threads.shutdown(cancel_futures=True)
        for process in self._all:
            process.forget()

    def _translate(self, lines: bytes, place: str) -> JsonLines:
        process = self._idle.get()
        try:
            with self._lock:
                if self._closed:
                    raise ConvertError("the run is over", place)
                process.start()
            return process.translate(lines, place)
        finally:
            self._idle.put(process)


class _Process:
    """One process; where it has died, another one is started in its place."""

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._running is not None:
            return
        try:
            self._running = subprocess.Popen(
                python_command("converter.ion.worker", [str(os.getpid())]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=CURRENT_DIRECTORY,
                env=python_environment(),
                # Ctrl-C in a terminal is for the program alone: this process ends with its input.
                process_group=0,
            )
        except OSError as error:
            raise ConvertError(f"no process that reads Ion can be started: {error}", sys.executable) from error

    def translate(self, lines: bytes, place: str) -> JsonLines:
        """One request and its reply."""
        process = self._running
        assert process is not None
        try:
            assert process.stdin is not None
            process.stdin.write(REQUEST.pack(len(lines)))
            process.stdin.write(lines)
            process.stdin.flush()
            size, told = REPLY.unpack(_read(process, bytearray(REPLY.size)))
            memory = bytearray(size + PADDING)
            _read(process, memory, size)
            problem = LineProblem(*json.loads(_read(process, bytearray(told)))) if told else None
        except (BrokenPipeError, EOFError):
            process.wait()
            self.forget()
            raise _died(process.returncode, len(lines), place) from None
        return JsonLines(np.frombuffer(memory, np.uint8), size, problem)

    def kill(self) -> None:
        """End it at once: there is nothing that it could leave half done."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def forget(self) -> None:
        """Close the pipes to a process that has ended."""
        process, self._running = self._running, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            # What it has not read goes nowhere any more.
            with suppress(BrokenPipeError):
                pipe.close()


def _read(process: subprocess.Popen[bytes], into: bytearray, size: int | None = None) -> bytearray:
    """Fill the memory, or its first `size` bytes; EOFError where the process has ended."""
    assert process.stdout is not None
    left = memoryview(into)[:size]
    while left:
        got = process.stdout.readinto(left)  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        left = left[got:]
    return into


def _died(code: int, size: int, place: str) -> ConvertError:
    """Why the process has ended, of its exit code; size: of the block that it had."""
    if code == NO_MEMORY or code == -signal.SIGKILL:
        how = "has too little memory" if code == NO_MEMORY else "was killed"
        return ConvertError(
            f"a process that reads Ion {how}",
            place,
            "mostly that means too little memory: have more, or fewer --workers, and run the same command again",
        )
    if code == -OUT_OF_TIME:
        return ConvertError(
            f"a process that reads Ion has spent more than {cpu_seconds(size):.0f} s on {size} bytes",
            place,
            "this is a bug: please report it with these lines",
        )
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return ConvertError(
        f"a process that reads Ion {how}",
        place,
        "run the same command again; if it ends the same way, it is a bug: please report it with these lines",
    )
