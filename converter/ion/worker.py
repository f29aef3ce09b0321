"""Process that translates Ion: it reads blocks of Ion lines from one pipe, and writes DynamoDB JSON lines to another.

The translation creates Python objects and so holds the GIL, which all threads of a process share. A frame has a header
with lengths, and content:

    in      lines of Ion
    out     lines of JSON, and the problem of the first bad line as JSON: empty, or its path, reason and value

The process ends at the end of its input. It also ends when its parent process dies, and when a block takes much more
CPU time than any block should.
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
"""Exit code for a MemoryError; usually the system kills the process first."""
OUT_OF_TIME = signal.SIGPROF
"""Signal that ends the process if a block takes too long."""
_PR_SET_PDEATHSIG = 1
_PARENT_SECONDS = 0.5
_LEAST_SECONDS = 60.0
_SECONDS_PER_BYTE = 20e-6
"""A hundred times the CPU time of a slow machine."""


def main() -> None:
    """Serve standard input until its end. Only this function writes to standard output. argv: the parent process."""
    _end_with(int(sys.argv[1]))
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except MemoryError:
        sys.exit(NO_MEMORY)
    except BrokenPipeError:
        # No process waits for the reply. Without this, Python would write the buffer again at exit.
        sys.stdout = None


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Reply to each frame until the end of the input."""
    from converter.ion.lines import json_lines

    while header := requests.read(REQUEST.size):
        (size,) = REQUEST.unpack(header)
        ion = requests.read(size)
        _limit_cpu(cpu_seconds(size))
        lines, problem = json_lines(ion)
        _limit_cpu(0)
        report = json.dumps([problem.path, problem.reason, problem.value]).encode() if problem else b""
        replies.write(REPLY.pack(len(lines), len(report)))
        replies.write(lines)
        replies.write(report)
        replies.flush()


def cpu_seconds(size: int) -> float:
    """Return the limit of CPU time for a block of this many bytes."""
    return _LEAST_SECONDS + size * _SECONDS_PER_BYTE


def _limit_cpu(seconds: float) -> None:
    """End this process after this much CPU time. 0 removes the limit."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _end_with(parent: int) -> None:
    """End this process when its parent dies, with a death signal or, if there is none, a thread that polls."""
    if not _request_death_signal():
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    # The parent may have died before the request.
    if os.getppid() != parent:
        os._exit(0)


def _request_death_signal() -> bool:
    """Request that Linux kills this process when the thread that started it ends. Return False on other systems.

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
