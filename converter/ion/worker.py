"""A process that reads Ion: blocks of Ion lines come in by one pipe, and DynamoDB JSON lines go out by another.

Reading Ion makes Python objects, and so holds the lock that all threads of a process share. A frame is a header and
content of the lengths that it says:

    in      lines of Ion
    out     lines of JSON, and the problem of the first bad line as JSON: nothing, or its path, reason and value

The process ends when its input does. It also ends, whatever it is doing, when the process that started it has died, and
when a block takes much more CPU time than any block should.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
import threading
import time
from typing import BinaryIO

REQUEST = struct.Struct("<Q")
REPLY = struct.Struct("<QQ")

NO_MEMORY = 72
"""Exit code if Python reports it; usually the system kills the process first."""
OUT_OF_TIME = signal.SIGPROF
"""Ends the process if a block takes too long."""
_PR_SET_PDEATHSIG = 1
_PARENT_SECONDS = 0.5
_LEAST_SECONDS = 60.0
_SECONDS_PER_BYTE = 20e-6
"""A hundred times what a slow machine needs."""


def main() -> None:
    """Serve standard input until it ends; nothing else may write to standard output. The argument is the parent."""
    _end_with(int(sys.argv[1]))
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except MemoryError:
        sys.exit(NO_MEMORY)
    except BrokenPipeError:
        # No process waits for the answer. What is still in the buffer would be written once more at the end.
        sys.stdout = None


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer each frame with one, until there are no more."""
    from converter.ion.lines import json_lines

    while header := requests.read(REQUEST.size):
        (size,) = REQUEST.unpack(header)
        ion = requests.read(size)
        _limit_cpu(cpu_seconds(size))
        lines, problem = json_lines(ion)
        _limit_cpu(0)
        told = json.dumps([problem.path, problem.reason, problem.value]).encode() if problem else b""
        replies.write(REPLY.pack(len(lines), len(told)))
        replies.write(lines)
        replies.write(told)
        replies.flush()


def cpu_seconds(size: int) -> float:
    """The CPU time that a block of this many bytes may take."""
    return _LEAST_SECONDS + size * _SECONDS_PER_BYTE


def _limit_cpu(seconds: float) -> None:
    """Have the system end this process after so much CPU time of its own; 0: not any more."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _end_with(parent: int) -> None:
    """End this process when its parent dies: by the system where it can, otherwise by a thread that looks for it."""
    if not _request_death_signal():
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    # The parent may have died before the request.
    if os.getppid() != parent:
        os._exit(0)


def _request_death_signal() -> bool:
    """Have Linux kill this process when the thread that started it ends; False elsewhere.

    https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(0)
