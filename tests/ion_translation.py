"""Lines of Ion as lines of DynamoDB JSON, on both of the paths that the program has for them."""

from __future__ import annotations

import numpy as np

from converter.decode.strict_lines import LineProblem
from converter.export.blocks import PADDING
from converter.export.line_limits import MAX_LINE_COMMAS
from converter.ion.lines import json_line
from converter.kernels import layout
from converter.kernels.bindings import bind_translate_ion
from converter.kernels.scratch import new_scratch


def json_lines(lines: bytes) -> tuple[bytes, LineProblem | None]:
    """The lines up to the first bad one, as Python translates them, and what is wrong with that one.

    Fails if the kernel makes anything else of a line, or accepts the bad one.
    """
    found = []
    for line in lines.split(b"\n")[:-1]:
        compiled = kernel_line(line + b"\n")
        try:
            found.append(json_line(line + b"\n"))
        except LineProblem as problem:
            assert compiled is None, line
            return b"".join(found), problem
        assert compiled in (None, found[-1]), line
    return b"".join(found), None


def kernel_line(line: bytes) -> bytes | None:
    """The line as the kernel translates it; None if it leaves the line to Python."""
    room = len(line) + 4096
    while True:
        status, found = run_kernel(line, room)
        if status != layout.GROW:
            return found if status == layout.DONE else None
        assert not found
        room *= 4


def run_kernel(lines: bytes, room: int, longest: int = MAX_LINE_COMMAS) -> tuple[int, bytes]:
    """The kernel's status for a block in memory of exactly its size, and the lines that it has written."""
    block = np.frombuffer(lines + bytes(PADDING), np.uint8)
    state = np.zeros(layout.ION_STATE_SIZE, np.int64)
    state[layout.ION_SIZE] = len(lines)
    state[layout.ION_LONGEST] = longest
    out = np.zeros(room, np.uint8)
    status = bind_translate_ion()(block, out, state, new_scratch())
    return status, out[: state[layout.ION_WRITTEN]].tobytes()
