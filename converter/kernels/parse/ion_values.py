"""The kernel for a struct of Ion: the attributes of an item as the service writes them, as DynamoDB JSON.

Nothing here is recursive: `closers` in the scratch is the stack of open structs and lists, and `names` with `marks`
that of the names in them, as in documents.py.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import (
    APOSTROPHE,
    CLOSE_LIST,
    CLOSE_MAP,
    COMMA,
    DIGIT_0,
    MINUS,
    OPEN_LIST,
    OPEN_MAP,
    QUOTE,
)
from converter.kernels.hashes import has_duplicates, hash_bytes
from converter.kernels.layout import GROW, IRREGULAR, ROOM, Scratch
from converter.kernels.parse.ion_decimals import copy_decimal
from converter.kernels.parse.ion_texts import begins_long_text, copy_blob, copy_long_text, copy_name, copy_text
from converter.kernels.simd.words import Bytes, byte, copy64, high_mask, lowest_bit, put, put_int64, special_mask, word
from converter.kernels.toolchain.decorators import inlined, inner
from converter.kernels.value_limits import DEPTH

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)


def _text(text: bytes) -> int:
    """Return the word with up to eight bytes of text."""
    return int.from_bytes(text, "little")


_TEXT_OPEN = _text(b'{"S":"')
_NUMBER_OPEN = _text(b'{"N":"')
_BLOB_OPEN = _text(b'{"B":"')
_MAP_OPEN = _text(b'{"M":{')
_LIST_OPEN = _text(b'{"L":[')
_OPEN_SIZE = 6
_NAME_END = 2
"""Bytes of the quote and the colon after a name."""
_TO_CLOSER = 2
"""From a brace or bracket to the one that closes it, in ASCII."""
_BOOL_OPEN = _text(b'{"BOOL":')
_NULL_OPEN = _text(b'{"NULL":')
_TRUE_CLOSE = _text(b"true}")
_FALSE_CLOSE = _text(b"false}")
_CLOSE = _text(b'"}')

_FOUR_BYTES = np.uint64(0xFFFFFFFF)
_FIVE_BYTES = np.uint64(0xFFFFFFFFFF)
_NULL = np.uint64(_text(b"null"))
_TRUE = np.uint64(_text(b"true"))
_FALSE = np.uint64(_text(b"false"))
_ANNOTATION = np.uint64(_text(b"$dynamod"))
_ANNOTATION_REST = np.uint64(_text(b"b_\0S::["))
_NOT_KIND = np.uint64(_text(b"\xff\xff\0\xff\xff\xff\xff"))
_SET_OPEN = _text(b'{"\0S":[')
_LETTER_S, _LETTER_N, _LETTER_B = 0x53, 0x4E, 0x42
_DOLLAR = 0x24


@inlined
def _copy_short_text(data: Bytes, at: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy the body of the text that begins at `at`, after its quote: usually plain ASCII of less than 64 bytes."""
    special = special_mask(data, at)
    copy64(target, o, data, at)
    size = lowest_bit(special)
    high = high_mask(data, at) & ((special - _ONE) & ~special)
    if size < 64 and byte(data, at + size) == QUOTE and high == _NOTHING:
        return at + size, o + size
    return copy_text(data, at, target, o, limit, QUOTE)


@inner
def _copy_content(data: Bytes, at: int, kind: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy a text, a decimal or a blob, without quotes in the target. kind: the letter of its type."""
    if kind == _LETTER_N:
        return copy_decimal(data, at, target, o, limit)
    if kind == _LETTER_B:
        if byte(data, at) != OPEN_MAP or byte(data, at + 1) != OPEN_MAP:
            return IRREGULAR, o
        return copy_blob(data, at, target, o, limit)
    if byte(data, at) == QUOTE:
        at, o = copy_text(data, at + 1, target, o, limit, QUOTE)
        return (at + 1, o) if at >= 0 else (at, o)
    if begins_long_text(data, at):
        return copy_long_text(data, at, target, o, limit)
    return IRREGULAR, o


@inner
def _copy_set(data: Bytes, at: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy the set with the annotation that begins at `at`, and is not empty: `$dynamodb_SS::["a"]`."""
    kind = byte(data, at + 10)
    if word(data, at) != _ANNOTATION or word(data, at + 8) & _NOT_KIND != _ANNOTATION_REST:
        return IRREGULAR, o
    if kind != _LETTER_S and kind != _LETTER_N and kind != _LETTER_B:
        return IRREGULAR, o
    put_int64(target, o, _SET_OPEN)
    put(target, o + 2, kind)
    o += 7
    at += 15
    while True:
        if o + ROOM > limit:
            return GROW, o
        put(target, o, QUOTE)
        at, o = _copy_content(data, at, kind, target, o + 1, limit)
        if at < 0:
            return at, o
        if o + ROOM > limit:
            return GROW, o
        c = byte(data, at)
        put(target, o, QUOTE)
        put(target, o + 1, c)
        at += 1
        o += 2
        if c == CLOSE_LIST:
            put(target, o, CLOSE_MAP)
            return at, o + 1
        if c != COMMA:
            return IRREGULAR, o


@inner
def _copy_word(data: Bytes, at: int, target: Bytes, o: int) -> tuple[int, int]:
    """Copy true, false or null; the caller checks what follows."""
    bits = word(data, at)
    if bits & _FOUR_BYTES == _NULL:
        put_int64(target, o, _NULL_OPEN)
        put_int64(target, o + 8, _TRUE_CLOSE)
        return at + 4, o + 13
    put_int64(target, o, _BOOL_OPEN)
    if bits & _FOUR_BYTES == _TRUE:
        put_int64(target, o + 8, _TRUE_CLOSE)
        return at + 4, o + 13
    if bits & _FIVE_BYTES == _FALSE:
        put_int64(target, o + 8, _FALSE_CLOSE)
        return at + 5, o + 14
    return IRREGULAR, o


@inner
def _copy_other(data: Bytes, at: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy a value that is neither a short text, a decimal, a list nor a struct."""
    c = byte(data, at)
    if c == _DOLLAR:
        return _copy_set(data, at, target, o, limit)
    if c == OPEN_MAP:
        put_int64(target, o, _BLOB_OPEN)
        at, o = copy_blob(data, at, target, o + _OPEN_SIZE, limit)
    elif c == APOSTROPHE and begins_long_text(data, at):
        put_int64(target, o, _TEXT_OPEN)
        at, o = copy_long_text(data, at, target, o + _OPEN_SIZE, limit)
    else:
        return _copy_word(data, at, target, o)
    if at < 0:
        return at, o
    put_int64(target, o, _CLOSE)
    return at, o + 2


@inlined
def _copy_scalar(data: Bytes, at: int, c: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy a value that is neither a list nor a struct, and begins with `c`."""
    if c == QUOTE:
        put_int64(target, o, _TEXT_OPEN)
        at, o = _copy_short_text(data, at + 1, target, o + _OPEN_SIZE, limit)
        if at < 0:
            return at, o
        at += 1
    elif DIGIT_0 <= c <= DIGIT_0 + 9 or c == MINUS:
        put_int64(target, o, _NUMBER_OPEN)
        at, o = copy_decimal(data, at, target, o + _OPEN_SIZE, limit)
        if at < 0:
            return at, o
    else:
        return _copy_other(data, at, target, o, limit)
    put_int64(target, o, _CLOSE)
    return at, o + 2


@inner
def copy_struct(data: Bytes, at: int, target: Bytes, o: int, limit: int, scratch: Scratch) -> tuple[int, int]:
    """Copy the struct of attributes that opens at `at`; gives (position after it, end in the target).

    IRREGULAR for a struct in another form than the service's, and for two equal names; or GROW.
    """
    if o + ROOM > limit:
        return GROW, o
    if byte(data, at) != OPEN_MAP:
        return IRREGULAR, o
    put(target, o, OPEN_MAP)
    o += 1
    at += 1
    if byte(data, at) == CLOSE_MAP:
        put(target, o, CLOSE_MAP)
        return at + 1, o + 1
    closer = np.int64(CLOSE_MAP)
    depth = 1
    used = 0  # names in all open structs
    scratch.closers[np.uint64(0)] = closer
    scratch.marks[np.uint64(0)] = 0
    while True:
        if closer == CLOSE_MAP:
            if used >= scratch.names.size:
                return IRREGULAR, o
            name = o + 1
            at, o = copy_name(data, at, target, o, limit)
            if at < 0:
                return at, o
            scratch.names[np.uint64(used)] = hash_bytes(target, name, o - _NAME_END - name, scratch.secret)
            used += 1
            if o + ROOM > limit:
                return GROW, o
        c = byte(data, at)
        if c == OPEN_LIST or (c == OPEN_MAP and byte(data, at + 1) != OPEN_MAP):
            if depth > DEPTH:
                return IRREGULAR, o
            put_int64(target, o, _LIST_OPEN if c == OPEN_LIST else _MAP_OPEN)
            o += _OPEN_SIZE
            at += 1
            closer = c + _TO_CLOSER
            scratch.closers[np.uint64(depth)] = closer
            scratch.marks[np.uint64(depth)] = used
            depth += 1
            if byte(data, at) != closer:
                if o + ROOM > limit:
                    return GROW, o
                continue
        else:
            at, o = _copy_scalar(data, at, c, target, o, limit)
            if at < 0:
                return at, o
        # After a value, or at the closing byte of an empty list or struct.
        while True:
            if o + ROOM > limit:
                return GROW, o
            c = byte(data, at)
            at += 1
            put(target, o, c)
            o += 1
            if c == COMMA:
                break
            if c != closer:
                return IRREGULAR, o
            depth -= 1
            mark = scratch.marks[np.uint64(depth)]
            if used - mark > 1 and has_duplicates(scratch.names, mark, used):
                return IRREGULAR, o
            used = mark
            if depth == 0:
                return at, o
            put(target, o, CLOSE_MAP)
            o += 1
            closer = np.int64(scratch.closers[np.uint64(depth - 1)])
