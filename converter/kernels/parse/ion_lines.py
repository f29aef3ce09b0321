"""The kernel for exports in Ion: lines as the service writes them to lines of DynamoDB JSON, which other kernels read.

     $ion_1_0 {Item:{id:"a1",price:6d2,tags:$dynamodb_SS::["x","y"]}}

becomes

    {"Item":{"id":{"S":"a1"},"price":{"N":"600"},"tags":{"SS":["x","y"]}}}

and a `Record` becomes a change, with its Metadata in front of its Keys. The language of lines, and the slow path for
those in another form: converter/ion/lines.py. Both paths give the same bytes for the same line.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import CLOSE_MAP, COLON, COMMA, NEWLINE, OPEN_MAP, QUOTE
from converter.kernels.layout import (
    DONE,
    GROW,
    ION_LONGEST,
    ION_POSITION,
    ION_SIZE,
    ION_WRITTEN,
    IRREGULAR,
    ROOM,
    Scratch,
    State,
)
from converter.kernels.parse.ion_texts import skip_blanks
from converter.kernels.parse.ion_values import copy_struct
from converter.kernels.simd.words import Bytes, byte, copy_range, put, put_int64, word
from converter.kernels.toolchain.decorators import inlined, inner, kernel


def _text(text: bytes) -> int:
    """Return the word with up to eight bytes of text."""
    return int.from_bytes(text, "little")


_MARKER = np.uint64(_text(b"$ion_1_0"))
_ITEM = np.uint64(_text(b"Item:"))
_ITEM_OPEN = _text(b'{"Item":')
_RECORD = np.uint64(_text(b"Record:{"))
_KEYS = np.uint64(_text(b"Keys:"))
_METADATA = np.uint64(_text(b"Metadata"))
_OLD_IMAGE = np.uint64(_text(b"OldImage"))
_NEW_IMAGE = np.uint64(_text(b"NewImage"))
_FIVE_BYTES = np.uint64(0xFFFFFFFFFF)

_IN_METADATA, _IN_KEYS, _IN_OLD_IMAGE, _IN_NEW_IMAGE = 0, 1, 2, 3
"""Members of a change, in the order of DynamoDB JSON."""


@inlined
def _read_member(data: Bytes, at: int) -> tuple[int, int]:
    """Return (member, bytes of its name) of the member of a change at `at`, or (IRREGULAR, 0)."""
    bits = word(data, at)
    if bits & _FIVE_BYTES == _KEYS:
        return _IN_KEYS, 4
    member = IRREGULAR
    if byte(data, at + 8) == COLON:
        if bits == _METADATA:
            member = _IN_METADATA
        elif bits == _OLD_IMAGE:
            member = _IN_OLD_IMAGE
        elif bits == _NEW_IMAGE:
            member = _IN_NEW_IMAGE
    return member, 8


@inner
def _swap(target: Bytes, first: int, second: int, end: int) -> None:
    """Exchange the members target[first : second - 1] and target[second:end], with a comma between them.

    The target has room for the first and 128 bytes after the end.
    """
    # No copy forward of 64 bytes at a time overwrites what it has not read yet.
    beside = end + 64
    copy_range(target, beside, target, first, second - 1)
    comma = copy_range(target, first, target, second, end)
    put(target, comma, COMMA)
    copy_range(target, comma + 1, target, beside, beside + second - 1 - first)


@inner
def _copy_record(data: Bytes, at: int, target: Bytes, o: int, limit: int, scratch: Scratch) -> tuple[int, int]:
    """Copy the members of a change from `at` on, with its closing brace. The service writes Keys before Metadata."""
    put(target, o, OPEN_MAP)
    o += 1
    first = o
    last = np.int64(-1)
    count = 0
    while True:
        if o + ROOM > limit:
            return GROW, o
        member, size = _read_member(data, at)
        begin = o
        swapped = member == _IN_METADATA and last == _IN_KEYS and count == 1
        if member < 0 or (member <= last and not swapped):
            return IRREGULAR, o
        put(target, o, QUOTE)
        put_int64(target, o + 1, np.int64(word(data, at)))
        put(target, o + 1 + size, QUOTE)
        put(target, o + 2 + size, COLON)
        at, o = copy_struct(data, at + size + 1, target, o + size + 3, limit, scratch)
        if at < 0:
            return at, o
        if o + ROOM > limit:
            return GROW, o
        if swapped:
            if o + begin - first + ROOM > limit - 64:
                return GROW, o
            _swap(target, first, begin, o)
        else:
            last = member
        count += 1
        c = byte(data, at)
        put(target, o, c)
        o += 1
        at += 1
        if c == CLOSE_MAP:
            return at, o
        if c != COMMA:
            return IRREGULAR, o


@inner
def _copy_line(data: Bytes, at: int, target: Bytes, o: int, longest: int, scratch: Scratch) -> tuple[int, int]:
    """Copy the line at `at`; gives (position of the next line, end in the target), IRREGULAR or GROW.

    longest: bytes of a line that cannot have more values than an item.
    """
    limit = target.size
    if o + ROOM > limit:
        return GROW, o
    start = at
    at = skip_blanks(data, at)
    if byte(data, at) == NEWLINE:
        put(target, o, NEWLINE)
        return at + 1, o + 1
    if word(data, at) != _MARKER:
        return IRREGULAR, o
    at = skip_blanks(data, at + 8)
    if byte(data, at) != OPEN_MAP:
        return IRREGULAR, o
    at += 1
    if word(data, at) & _FIVE_BYTES == _ITEM:
        put_int64(target, o, _ITEM_OPEN)
        at, o = copy_struct(data, at + 5, target, o + 8, limit, scratch)
        if at < 0:
            return at, o
        put(target, o, CLOSE_MAP)
        o += 1
    elif word(data, at) == _RECORD:
        at, o = _copy_record(data, at + 8, target, o, limit, scratch)
        if at < 0:
            return at, o
    else:
        return IRREGULAR, o
    if byte(data, at) != CLOSE_MAP or byte(data, at + 1) != NEWLINE or at - start > longest:
        return IRREGULAR, o
    if o + ROOM > limit:
        return GROW, o
    put(target, o, NEWLINE)
    return at + 2, o + 1


@kernel
def translate_ion(block: Bytes, out: Bytes, state: State, scratch: Scratch) -> int:
    """Translate the lines from state[ION_POSITION] on: DONE at the end of the block, otherwise IRREGULAR or GROW.

    block: whole lines, state[ION_SIZE] bytes, and 64 or more zeros. Each line becomes one line of `out`, after the
    state[ION_WRITTEN] bytes that it has. At IRREGULAR and GROW, the position is that of the line that was not
    translated.
    """
    at = state[ION_POSITION]
    while at < state[ION_SIZE]:
        at, o = _copy_line(block, at, out, state[ION_WRITTEN], state[ION_LONGEST], scratch)
        if at < 0:
            return at
        state[ION_POSITION] = at
        state[ION_WRITTEN] = o
    return DONE
