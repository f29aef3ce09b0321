"""A process that reads Ion: blocks of Ion lines come in by one pipe, and DynamoDB JSON lines go out by another.

Reading Ion makes Python objects, and so holds the lock that all threads of a process share. A frame is a header and
what its numbers say the length of:

    in      lines of Ion
    out     lines of JSON, and the problem of the first bad line as JSON: nothing, or its path, reason and value

The process ends when its input does, which is also what happens when the process that started it dies.
"""

from __future__ import annotations

import json
import struct
import sys
from typing import BinaryIO

REQUEST = struct.Struct("<Q")
REPLY = struct.Struct("<QQ")

NO_LIBRARY = 70
"""Exit code where amazon.ion is not installed."""
NO_EXTENSION = 71
"""Exit code where it is, but without the part of it that is compiled."""
NO_MEMORY = 72
"""Exit code where Python has said so; mostly the system kills the process first."""


def main() -> None:
    """Serve standard input until it ends; nothing else may write to standard output."""
    try:
        from amazon.ion import simpleion
    except ImportError:
        sys.exit(NO_LIBRARY)
    if not simpleion.c_ext:
        sys.exit(NO_EXTENSION)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except MemoryError:
        sys.exit(NO_MEMORY)
    except BrokenPipeError:
        # Nobody waits for the answer. What is still in the buffer would be written once more at the end.
        sys.stdout = None


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer each frame with one, until there are no more."""
    from converter.ion.lines import json_lines

    while header := requests.read(REQUEST.size):
        (size,) = REQUEST.unpack(header)
        lines, problem = json_lines(requests.read(size))
        told = json.dumps([problem.path, problem.reason, problem.value]).encode() if problem else b""
        replies.write(REPLY.pack(len(lines), len(told)))
        replies.write(lines)
        replies.write(told)
        replies.flush()
