"""Pool of processes that translate Ion. Each block of lines gives a future of JSON lines.

The processes are separate programs connected by pipes, not multiprocessing children. So programs without a `__main__`
guard, `python -c` and notebooks can start them, and no memory of the program is copied.
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
    """data[:size] are lines of JSON, followed by zeros. problem: of the first bad line, which is not included."""

    data: NDArray[np.uint8]
    size: int
    problem: LineProblem | None


class IonWorkers:
    """Up to `most` processes, each started on first use and ended by close().

    A reader acquires a slot before it prefetches a block, so the memory of waiting blocks depends only on `most`.
    """

    def __init__(self, most: int) -> None:
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="ion")
        self._slots = threading.Semaphore(2 * most)
        self._lock = threading.Lock()
        self._closed = False
        self._all = [_Process() for _ in range(most)]
        # Last in, first out, so that a small export starts only one process.
        self._idle: LifoQueue[_Process] = LifoQueue()
        for process in reversed(self._all):
            self._idle.put(process)

    def __enter__(self) -> IonWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def acquire_slot(self) -> bool:
        """Return whether one more block may wait. The caller must release the slot."""
        return self._slots.acquire(blocking=False)

    def release_slot(self) -> None:
        """Release the slot of a block."""
        self._slots.release()

    def translate(self, lines: bytes, place: str) -> Future[JsonLines]:
        """Translate whole lines of Ion. Raises ConvertError if the process dies. place: of the lines, for errors."""
        return self._threads.submit(self._translate, lines, place)

    def close(self) -> None:
        """Kill all processes. Open requests raise an error. May be called more than once."""
        with self._lock:
            self._closed = True
            for process in self._all:
                process.kill()
        # The threads end because the pipes are closed.
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
    """One process. If it dies, the next start replaces it."""

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, unless it is running."""
        if self._running is not None:
            return
        try:
            self._running = subprocess.Popen(
                python_command("converter.ion.worker", [str(os.getpid())]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=CURRENT_DIRECTORY,
                env=python_environment(),
                # Ctrl-C in a terminal must reach only the main program; this process ends with its input.
                process_group=0,
            )
        except OSError as error:
            raise ConvertError(
                f"can't start a process to read Ion: {error}",
                sys.executable,
                "check the limit of processes, and run the same command again",
            ) from error

    def translate(self, lines: bytes, place: str) -> JsonLines:
        """Send a request and read its reply."""
        process = self._running
        assert process is not None
        try:
            assert process.stdin is not None
            process.stdin.write(REQUEST.pack(len(lines)))
            process.stdin.write(lines)
            process.stdin.flush()
            size, report_size = REPLY.unpack(_read(process, bytearray(REPLY.size)))
            memory = bytearray(size + PADDING)
            _read(process, memory, size)
            problem = LineProblem(*json.loads(_read(process, bytearray(report_size)))) if report_size else None
        except (BrokenPipeError, EOFError):
            process.wait()
            self.forget()
            raise _dead_process_error(process.returncode, len(lines), place) from None
        return JsonLines(np.frombuffer(memory, np.uint8), size, problem)

    def kill(self) -> None:
        """Kill the process, which has no state to lose."""
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
            # Data that the process has not read is dropped.
            with suppress(BrokenPipeError):
                pipe.close()


def _read(process: subprocess.Popen[bytes], into: bytearray, size: int | None = None) -> bytearray:
    """Fill the memory, or its first `size` bytes. Raises EOFError if the process has ended."""
    assert process.stdout is not None
    left = memoryview(into)[:size]
    while left:
        got = process.stdout.readinto(left)  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        left = left[got:]
    return into


def _dead_process_error(code: int, size: int, place: str) -> ConvertError:
    """Return the error for the exit code of a process. size: size of its block."""
    if code == NO_MEMORY or code == -signal.SIGKILL:
        how = "ran out of memory" if code == NO_MEMORY else "was killed"
        return ConvertError(
            f"a process that reads Ion {how}",
            place,
            "the usual cause is too little memory: add memory, or use fewer --workers, and run the same command again",
        )
    if code == -OUT_OF_TIME:
        return ConvertError(
            f"a process that reads Ion used more than {cpu_seconds(size):.0f} s of CPU time for {size} bytes",
            place,
            "this is a bug: report it with these lines",
        )
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return ConvertError(
        f"a process that reads Ion {how}",
        place,
        "run the same command again; if the error repeats, it is a bug: report it with these lines",
    )
