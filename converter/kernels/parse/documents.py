"""Kernel for values as JSON text: plain (`{"a":5}`) or as DynamoDB JSON (`{"a":{"N":"5"}}`).

Plain JSON keeps the digits of numbers, the order of members, the spelling of escapes, and base64 as text; sets become
arrays. The checks are those of `strict_lines.py`: tags, numbers, base64, strings, and names that occur twice in a map.

Nothing here is recursive: `closers` in the scratch is the stack of open maps and lists, and `names` with `marks` that
of the names in them.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import BACKSLASH, CLOSE_LIST, CLOSE_MAP, COLON, COMMA, OPEN_LIST, OPEN_MAP, QUOTE
from converter.kernels.hashes import has_duplicates, hash_bytes
from converter.kernels.layout import DONE, GROW, IRREGULAR, NUMBER_ROOM, ROOM, Scratch
from converter.kernels.parse.numbers import normalize_number, plain_number
from converter.kernels.parse.strings import base64_size, copy_bytes, copy_string, token_end
from converter.kernels.simd.words import Bytes, byte, byte_mask, put, word
from converter.kernels.toolchain.decorators import inner
from converter.kernels.value_limits import DEPTH
from converter.schema import tags

_TRUE = np.uint64(int.from_bytes(b"true", "little"))
_FALSE = np.uint64(int.from_bytes(b"false", "little"))
_ONE = np.uint64(1)
_FOUR_BYTES = np.uint64(0xFFFFFFFF)
_FIVE_BYTES = np.uint64(0xFFFFFFFFFF)
_BOOL_OPEN = np.uint64(int.from_bytes(b'{"BOOL":', "little"))
_NULL_OPEN = np.uint64(int.from_bytes(b'{"NULL":', "little"))

_TAG_LETTERS = np.zeros((len(tags.TAGS), 4), np.uint8)
_TAG_SIZES = np.zeros(len(tags.TAGS), np.int64)
for _number, _text in enumerate(tags.TAGS):
    _TAG_SIZES[_number] = len(_text)
    _TAG_LETTERS[_number, : len(_text)] = np.frombuffer(_text.encode(), np.uint8)


@inner
def read_tag(data: Bytes, at: int) -> tuple[int, int]:
    """Return (tag, position of its value) of the typed value that opens at `at`, or (IRREGULAR, at)."""
    if byte(data, at) != OPEN_MAP or byte(data, at + 1) != QUOTE:
        return IRREGULAR, at
    a = byte(data, at + 2)
    if byte(data, at + 3) == QUOTE and byte(data, at + 4) == COLON:
        tag = IRREGULAR
        if a == 0x53:
            tag = tags.S
        elif a == 0x4E:
            tag = tags.N
        elif a == 0x4D:
            tag = tags.M
        elif a == 0x4C:
            tag = tags.L
        elif a == 0x42:
            tag = tags.B
        return tag, at + 5
    if byte(data, at + 3) == 0x53 and byte(data, at + 4) == QUOTE and byte(data, at + 5) == COLON:
        tag = IRREGULAR
        if a == 0x53:
            tag = tags.SS
        elif a == 0x4E:
            tag = tags.NS
        elif a == 0x42:
            tag = tags.BS
        return tag, at + 6
    opening = word(data, at)
    if opening == _BOOL_OPEN:
        return tags.BOOL, at + 8
    if opening == _NULL_OPEN:
        return tags.NULL, at + 8
    return IRREGULAR, at


@inner
def bool_size(data: Bytes, at: int) -> int:
    """Return 4 at `true`, 5 at `false`, and otherwise IRREGULAR."""
    bits = word(data, at)
    if bits & _FOUR_BYTES == _TRUE:
        return 4
    if bits & _FIVE_BYTES == _FALSE:
        return 5
    return IRREGULAR


@inner
def put_tag(target: Bytes, o: int, tag: int) -> int:
    """Write `{"TAG":` to target[o:]; gives the end."""
    put(target, o, OPEN_MAP)
    put(target, o + 1, QUOTE)
    o += 2
    for k in range(_TAG_SIZES[np.uint64(tag)]):
        put(target, o, np.int64(_TAG_LETTERS[np.uint64(tag), np.uint64(k)]))
        o += 1
    put(target, o, QUOTE)
    put(target, o + 1, COLON)
    return o + 2


@inner
def copy_number(
    data: Bytes, at: int, target: Bytes, o: int, limit: int, quoted: bool, scratch: Scratch
) -> tuple[int, int]:
    """Copy the number in the JSON string that opens at `at`, in plain form; (position after it, end in the target)."""
    if byte(data, at) != QUOTE:
        return IRREGULAR, o
    at += 1
    end = token_end(data, at)
    if end < 0:
        return IRREGULAR, o
    if o + NUMBER_ROOM > limit:
        return GROW, o
    if quoted:
        put(target, o, QUOTE)
        o += 1
    digits, _ = plain_number(data, at, end)
    if digits >= 0:
        o = copy_bytes(data, at, end, target, o, limit)
    else:
        size = normalize_number(data, at, end, scratch.number)
        if size < 0:
            return IRREGULAR, o
        o = copy_bytes(scratch.number, 0, size, target, o, limit)
    if quoted:
        put(target, o, QUOTE)
        o += 1
    return end + 1, o


@inner
def _copy_quoted(data: Bytes, at: int, tag: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy the JSON string (of an S, a B or a name) that opens at `at`, quotes included."""
    if byte(data, at) != QUOTE:
        return IRREGULAR, o
    if o + ROOM > limit:
        return GROW, o
    put(target, o, QUOTE)
    at += 1
    if tag == tags.B:
        end = token_end(data, at)
        if end < 0 or base64_size(data, at, end) < 0:
            return IRREGULAR, o
        o = copy_bytes(data, at, end, target, o + 1, limit)
        if o < 0:
            return GROW, o
    else:
        end, o = copy_string(data, at, target, o + 1, limit, True)
        if end < 0:
            return end, o
    put(target, o, QUOTE)
    return end + 1, o + 1


@inner
def _copy_set(
    data: Bytes, at: int, tag: int, target: Bytes, o: int, limit: int, typed: bool, scratch: Scratch
) -> tuple[int, int]:
    """Copy the array of a set, which opens at `at` and is not empty; (position after it, end in the target)."""
    if byte(data, at) != OPEN_LIST:
        return IRREGULAR, o
    put(target, o, OPEN_LIST)
    o += 1
    at += 1
    while True:
        if tag == tags.NS:
            at, o = copy_number(data, at, target, o, limit, typed, scratch)
        else:
            at, o = _copy_quoted(data, at, tags.B if tag == tags.BS else tags.S, target, o, limit)
        if at < 0:
            return at, o
        if o + ROOM > limit:
            return GROW, o
        c = byte(data, at)
        if c != COMMA and c != CLOSE_LIST:
            return IRREGULAR, o
        put(target, o, c)
        o += 1
        at += 1
        if c == CLOSE_LIST:
            return at, o


@inner
def _copy_leaf(
    data: Bytes, at: int, tag: int, target: Bytes, o: int, limit: int, typed: bool, scratch: Scratch
) -> tuple[int, int]:
    """Copy a scalar or a set; scratch.binary tells if it was binary."""
    if tag == tags.B or tag == tags.BS:
        scratch.binary[np.uint64(0)] = 1
    if tag == tags.S or tag == tags.B:
        return _copy_quoted(data, at, tag, target, o, limit)
    if tag == tags.N:
        return copy_number(data, at, target, o, limit, typed, scratch)
    if tag == tags.BOOL or tag == tags.NULL:
        size = bool_size(data, at)
        if size < 0 or (tag == tags.NULL and size != 4):
            return IRREGULAR, o
        if tag == tags.NULL and not typed:
            put(target, o, 0x6E)
            put(target, o + 1, 0x75)
            put(target, o + 2, 0x6C)
            put(target, o + 3, 0x6C)
            return at + 4, o + 4
        for k in range(size):
            put(target, o + k, byte(data, at + k))
        return at + size, o + size
    return _copy_set(data, at, tag, target, o, limit, typed, scratch)


@inner
def copy_document(
    data: Bytes, at: int, tag: int, target: Bytes, o: int, limit: int, form: tuple[bool, bool, bool], scratch: Scratch
) -> tuple[int, int]:
    """Copy the value of `tag` that begins at `at` (after the tag's colon) to target[o:] as JSON text.

    form: (typed, trusted, image). `typed` keeps the tags of the values inside. `strict_lines.py` has checked a
    `trusted` line already; in others, two equal names in a map are irregular. An `image` is the map of an item's
    attributes, which may have one level more than an attribute. Gives the position after the value, and the end in the
    target.
    """
    typed, trusted, image = form
    deepest = DEPTH + 1 if image else DEPTH
    depth = 0
    used = 0  # names in all open maps
    while True:
        if o + ROOM > limit:
            return GROW, o
        if tag == tags.M or tag == tags.L:
            opener = OPEN_MAP if tag == tags.M else OPEN_LIST
            if byte(data, at) != opener or depth >= deepest:
                return IRREGULAR, o
            put(target, o, opener)
            o += 1
            at += 1
            scratch.closers[np.uint64(depth)] = opener + 2
            scratch.marks[np.uint64(depth)] = used
            depth += 1
            opened = byte(data, at) != opener + 2
        else:
            at, o = _copy_leaf(data, at, tag, target, o, limit, typed, scratch)
            if at < 0:
                return at, o
            opened = False
        if not opened:
            # After a value, or at the closing byte of an empty map or list: close what ends here.
            closing = tag == tags.M or tag == tags.L
            while True:
                if o + ROOM > limit:
                    return GROW, o
                if not closing:
                    if depth == 0:
                        return at, o
                    if byte(data, at) != CLOSE_MAP:
                        return IRREGULAR, o
                    at += 1
                    if typed:
                        put(target, o, CLOSE_MAP)
                        o += 1
                    if byte(data, at) == COMMA:
                        put(target, o, COMMA)
                        o += 1
                        at += 1
                        break
                closer = np.int64(scratch.closers[np.uint64(depth - 1)])
                if byte(data, at) != closer:
                    return IRREGULAR, o
                put(target, o, closer)
                o += 1
                at += 1
                depth -= 1
                mark = scratch.marks[np.uint64(depth)]
                if not trusted and used - mark > 1 and has_duplicates(scratch.names, mark, used):
                    return IRREGULAR, o
                used = mark
                closing = False
        if scratch.closers[np.uint64(depth - 1)] == CLOSE_MAP:
            start = at
            at, o = _copy_quoted(data, at, tags.S, target, o, limit)
            if at < 0:
                return at, o
            if byte(data, at) != COLON:
                return IRREGULAR, o
            if o + ROOM > limit:
                return GROW, o
            if not trusted:
                status = _add_name(data, start + 1, at - 1, used, target, o, limit, scratch)
                if status < 0:
                    return status, o
                used += 1
            put(target, o, COLON)
            o += 1
            at += 1
        tag, at = read_tag(data, at)
        if tag < 0:
            return IRREGULAR, o
        if typed:
            o = put_tag(target, o, tag)


@inner
def _add_name(data: Bytes, at: int, end: int, used: int, target: Bytes, o: int, limit: int, scratch: Scratch) -> int:
    """Store the hash of the name that data[at:end] spells as number `used`; DONE, GROW, or IRREGULAR for too many.

    Two spellings of one name must have the same hash: escapes are resolved in the free room of the target, from `o` on.
    """
    if used >= scratch.names.size:
        return IRREGULAR
    if _has_backslash(data, at, end):
        at, after = copy_string(data, at, target, o, limit, False)
        if at < 0:
            return GROW
        scratch.names[np.uint64(used)] = hash_bytes(target, o, after - o, scratch.secret)
    else:
        scratch.names[np.uint64(used)] = hash_bytes(data, at, end - at, scratch.secret)
    return DONE


@inner
def _has_backslash(data: Bytes, at: int, end: int) -> bool:
    while at < end:
        found = byte_mask(data, at, BACKSLASH)
        if end - at < 64:
            found &= (_ONE << np.uint64(end - at)) - _ONE
        if found != np.uint64(0):
            return True
        at += 64
    return False
