r"""The kernel for incremental exports: compact lines of changes to lines of items, which items.py decodes.

    {"Metadata":{"WriteTimestampMicros":{"N":"1716791050804459"}},"Keys":{…},"OldImage":{…},"NewImage":{…}}

becomes

    {"Item":{"\xffupdate":{"S":"update"},"\xfftime":{"N":"1716791050.804459"},"\xffold":{"M":{…}},…}}

with the members of the new image, or of Keys if there is no new image. Operation, time and old image have names that no
attribute can have: UTF-8 does not use the byte 0xFF, and a line with it is irregular. Values are copied as they are;
items.py checks them. Keys that are not copied are checked here, and both images must have them.

Lines in another form are irregular, such as lines with spaces, with another order of members, or with a key that an
image spells in another way.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import (
    CLOSE_LIST,
    CLOSE_MAP,
    COMMA,
    DIGIT_0,
    NEWLINE,
    NOT_UTF8,
    OPEN_MAP,
    POINT,
    QUOTE,
)
from converter.kernels.layout import DONE, GROW, IRREGULAR, State
from converter.kernels.line_patterns import (
    CHANGE_KEYS,
    CHANGE_OLD_IMAGES,
    CHANGE_POSITION,
    CHANGE_ROOM,
    CHANGE_SIZE,
    CHANGE_WRITTEN,
    DELETE_TEXT,
    INSERT_TEXT,
    KEY_PATTERN,
    KEYS_PATTERN,
    METADATA_PATTERN,
    NEW_IMAGE_PATTERN,
    OLD_IMAGE_PATTERN,
    OLD_IMAGE_TEXT,
    PATTERN_MASK,
    PATTERN_SIZE,
    PATTERN_START,
    PATTERN_TAG,
    PUT_TEXT,
    UPDATE_TEXT,
    Patterns,
)
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.parse.numbers import plain_number
from converter.kernels.parse.strings import base64_size, string_end, token_end
from converter.kernels.simd.words import (
    Bytes,
    byte,
    byte_mask,
    copy64,
    copy_range,
    count_bits,
    equal_range,
    lowest_bit,
    put,
    starts_with,
    structure,
)
from converter.kernels.toolchain.decorators import inlined, inner, kernel
from converter.schema import tags

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_LAST_OF_TRUE = 0x65

_LEAST_DIGITS = 7
_MOST_DIGITS = 17
_MICROS = 6


@inlined
def find_map_end(data: Bytes, at: int, quotes: np.uint64, opened: np.uint64, closed: np.uint64, depth: int) -> int:
    """Return where the brace that closes a map of typed values is in the 64 bytes at `at`, or 64.

    The masks are from `structure`. depth: braces that are open in front of the bytes, of the map and inside of it.
    """
    # As each value is in braces of its own, a brace after the end of a text, of `true` or of an array closes a value.
    ends = closed & ~(quotes << _ONE)
    if ends != _NOTHING:
        ends &= ~((byte_mask(data, at, CLOSE_LIST) | byte_mask(data, at, _LAST_OF_TRUE)) << _ONE)
    while ends != _NOTHING:
        k = lowest_bit(ends)
        before = (_ONE << np.uint64(k)) - _ONE
        if depth + count_bits(opened & before) - count_bits(closed & before) == 1:
            return k
        ends &= ends - _ONE
    return 64


@inner
def map_end(data: Bytes, at: int) -> int:
    """Return the position after the map of typed values that opens at `at`.

    IRREGULAR if the line ends first, or if the map has the byte 0xFF. Only braces and quotes are looked at.
    """
    depth = 0
    inside = _NOTHING
    escaped = _NOTHING
    while True:
        quotes, _, opened, closed, inside, escaped = structure(data, at, inside, escaped)
        end = find_map_end(data, at, quotes, opened, closed, depth)
        wrong = byte_mask(data, at, NEWLINE) | byte_mask(data, at, NOT_UTF8)
        if end < 64:
            return at + end + 1 if wrong & ((_ONE << np.uint64(end)) - _ONE) == _NOTHING else IRREGULAR
        if wrong != _NOTHING:
            return IRREGULAR
        depth += count_bits(opened) - count_bits(closed)
        at += 64


@inlined
def matches(block: Bytes, at: int, patterns: Patterns, pattern: int) -> bool:
    """Return whether the line has the pattern at `at`."""
    start = patterns.facts[np.uint64(pattern), PATTERN_START]
    size = patterns.facts[np.uint64(pattern), PATTERN_SIZE]
    mask = np.uint64(patterns.facts[np.uint64(pattern), PATTERN_MASK])
    return starts_with(block, at, patterns.spellings, start, size, mask)


@inner
def key_value_end(block: Bytes, start: int, patterns: Patterns, pattern: int) -> int:
    """Return the position of the quote that closes the value of a key, which begins at `start`, or IRREGULAR."""
    tag = patterns.facts[np.uint64(pattern), PATTERN_TAG]
    end = string_end(block, start) if tag == tags.S else token_end(block, start)
    if end < 0 or byte(block, end + 1) != CLOSE_MAP:
        return IRREGULAR
    if tag == tags.N:
        integers, _ = plain_number(block, start, end)
        if integers < 0:
            return IRREGULAR
    elif tag == tags.B and base64_size(block, start, end) < 0:
        return IRREGULAR
    return end


@inner
def _key_end(block: Bytes, at: int, patterns: Patterns, pattern: int) -> int:
    """Return the position after the key with this pattern at `at`, or IRREGULAR."""
    if not matches(block, at, patterns, pattern):
        return IRREGULAR
    end = key_value_end(block, at + patterns.facts[np.uint64(pattern), PATTERN_SIZE], patterns, pattern)
    return end + 2 if end >= 0 else IRREGULAR


@inner
def _keys_end(block: Bytes, at: int, patterns: Patterns, count: int) -> tuple[int, int]:
    """Return the positions after the first and after the last of the `count` keys at `at`; IRREGULAR for the last."""
    if count == 0:
        return at, IRREGULAR
    end = _key_end(block, at, patterns, KEY_PATTERN)
    if count == 1:
        return end, end
    second = KEY_PATTERN + 1
    if end < 0:
        end = _key_end(block, at, patterns, KEY_PATTERN + 1)
        second = KEY_PATTERN
    if end < 0 or byte(block, end) != COMMA:
        return at, IRREGULAR
    return end, _key_end(block, end + 1, patterns, second)


@inlined
def read_head(block: Bytes, at: int, patterns: Patterns, count: int) -> tuple[int, int, int, int, int]:
    """Return what the change at `at` has up to the end of its keys, with their closing brace.

    (position of the digits of its time, their count, position of its keys, position after the first of the `count`
    keys, position after the last); IRREGULAR for the last if one of them is not of the form.
    """
    none = (at, at, at, at, np.int64(IRREGULAR))
    if not matches(block, at, patterns, METADATA_PATTERN):
        return none
    digits, size, after = _find_time(block, at + patterns.facts[np.uint64(METADATA_PATTERN), PATTERN_SIZE])
    if size < 0 or not matches(block, after, patterns, KEYS_PATTERN):
        return none
    keys = after + patterns.facts[np.uint64(KEYS_PATTERN), PATTERN_SIZE]
    first_end, keys_end = _keys_end(block, keys, patterns, count)
    if keys_end < 0 or byte(block, keys_end) != CLOSE_MAP:
        return none
    return digits, size, keys, first_end, keys_end


@inner
def _holds(block: Bytes, at: int, end: int, key: int, key_end: int) -> bool:
    """Return whether the key block[key:key_end], `"id":{"S":"a1"}`, is one of the members block[at:end] themselves.

    Not one inside of a value: as many braces are open there as at `at`.
    """
    first = byte(block, key + 1)
    second = byte(block, key + 2)
    depth = 0
    inside = _NOTHING
    escaped = _NOTHING
    while at < end:
        quotes, strings, opened, closed, inside, escaped = structure(block, at, inside, escaped)
        found = quotes & strings & byte_mask(block, at + 1, first) & byte_mask(block, at + 2, second)
        while found != _NOTHING:
            n = lowest_bit(found)
            found &= found - _ONE
            before = (_ONE << np.uint64(n)) - _ONE
            start = at + n
            if start + key_end - key > end or depth + count_bits(opened & before) != count_bits(closed & before):
                continue
            if equal_range(block, start, block, key, key_end - key):
                return True
        depth += count_bits(opened) - count_bits(closed)
        at += 64
    return False


@inner
def holds_keys(block: Bytes, at: int, end: int, keys: int, first_end: int, keys_end: int) -> bool:
    """Return whether the one or two keys block[keys:keys_end] are among the members block[at:end]."""
    if not _holds(block, at, end, keys, first_end):
        return False
    return first_end == keys_end or _holds(block, at, end, first_end + 1, keys_end)


@inlined
def _find_time(block: Bytes, at: int) -> tuple[int, int, int]:
    """Return (position of the digits of the time at `at`, their count or IRREGULAR, position after the time).

    It has one of three forms: `{"N":"1716791050804459"}`, `"1716791050804459"` or `1716791050804459`.
    """
    start = at
    around = 0
    if byte(block, start) == OPEN_MAP:
        if byte(block, at + 1) != QUOTE or byte(block, at + 2) != 0x4E or byte(block, at + 3) != QUOTE:
            return at, IRREGULAR, at
        if byte(block, at + 4) != 0x3A or byte(block, at + 5) != QUOTE:
            return at, IRREGULAR, at
        start += 6
        around = 2
    elif byte(block, start) == QUOTE:
        start += 1
        around = 1
    end = start
    while end < start + _MOST_DIGITS and DIGIT_0 <= byte(block, end) <= DIGIT_0 + 9:
        end += 1
    if end - start < _LEAST_DIGITS or byte(block, start) == DIGIT_0:
        return at, IRREGULAR, at
    if around > 0 and byte(block, end) != QUOTE:
        return at, IRREGULAR, at
    if around > 1 and byte(block, end + 1) != CLOSE_MAP:
        return at, IRREGULAR, at
    return start, end - start, end + around


@inlined
def _put_pattern(out: Bytes, o: int, patterns: Patterns, pattern: int) -> int:
    """Write a pattern of at most 64 bytes to out[o:]; gives the end."""
    copy64(out, o, patterns.spellings, patterns.facts[np.uint64(pattern), PATTERN_START])
    size: int = patterns.facts[np.uint64(pattern), PATTERN_SIZE]
    return o + size


@inlined
def _put_time(out: Bytes, o: int, block: Bytes, digits: int, count: int) -> int:
    """Write microseconds as seconds in plain form, and the bytes that close the value; gives the end."""
    copy64(out, o, block, digits)
    o += count - _MICROS
    end = o + 1 + _MICROS
    for k in range(_MICROS):
        put(out, o + 1 + k, byte(block, digits + count - _MICROS + k))
    put(out, o, POINT)
    while byte(out, end - 1) == DIGIT_0:
        end -= 1
    if end == o + 1:
        end = o
    put(out, end, QUOTE)
    put(out, end + 1, CLOSE_MAP)
    return end + 2


@inlined
def _translate(block: Bytes, at: int, patterns: Patterns, out: Bytes, state: State) -> int:
    """Append the item line for the change at `at` to the output; gives the next line, IRREGULAR or GROW."""
    digits, count, keys, first_end, keys_end = read_head(block, at, patterns, state[CHANGE_KEYS])
    if keys_end < 0:
        return IRREGULAR
    end = keys_end + 1
    old = -1
    old_end = -1
    if matches(block, end, patterns, OLD_IMAGE_PATTERN):
        old = end + patterns.facts[np.uint64(OLD_IMAGE_PATTERN), PATTERN_SIZE] - 1
        old_end = map_end(block, old)
        if old_end < 0 or state[CHANGE_OLD_IMAGES] == 0:
            return IRREGULAR
        if not holds_keys(block, old + 1, old_end - 1, keys, first_end, keys_end):
            return IRREGULAR
        end = old_end
    first = keys
    last = keys_end
    operation = DELETE_TEXT
    if matches(block, end, patterns, NEW_IMAGE_PATTERN):
        first = end + patterns.facts[np.uint64(NEW_IMAGE_PATTERN), PATTERN_SIZE]
        end = map_end(block, first - 1)
        if end < 0 or byte(block, first) == CLOSE_MAP:
            return IRREGULAR
        last = end - 1
        if not holds_keys(block, first, last, keys, first_end, keys_end):
            return IRREGULAR
        operation = INSERT_TEXT if old < 0 else UPDATE_TEXT
        if state[CHANGE_OLD_IMAGES] == 0:
            operation = PUT_TEXT
    if byte(block, end) != CLOSE_MAP or byte(block, end + 1) != NEWLINE:
        return IRREGULAR
    o = state[CHANGE_WRITTEN]
    if o + (end - at) + CHANGE_ROOM > out.size:
        return GROW
    o = _put_pattern(out, o, patterns, operation)
    o = _put_time(out, o, block, digits, count)
    if old >= 0:
        o = _put_pattern(out, o, patterns, OLD_IMAGE_TEXT)
        o = copy_range(out, o, block, old, old_end)
        put(out, o, CLOSE_MAP)
        o += 1
    put(out, o, COMMA)
    o = copy_range(out, o + 1, block, first, last)
    put(out, o, CLOSE_MAP)
    put(out, o + 1, CLOSE_MAP)
    put(out, o + 2, NEWLINE)
    state[CHANGE_WRITTEN] = o + 3
    return end + 2


@kernel
def translate_changes(block: Bytes, patterns: Patterns, out: Bytes, state: State) -> int:
    """Translate the lines from state[CHANGE_POSITION] on: DONE at the end of the block, otherwise IRREGULAR or GROW.

    block: whole lines, state[CHANGE_SIZE] bytes, and 64 or more zeros. Each line becomes one line of `out`, after the
    state[CHANGE_WRITTEN] bytes that it has; blank lines and `{}` stay, without their blanks. At IRREGULAR and GROW, the
    position is that of the line that was not translated.
    """
    at = state[CHANGE_POSITION]
    while at < state[CHANGE_SIZE]:
        state[CHANGE_POSITION] = at
        after, objects = empty_line(block, at)
        if after > 0:
            o = state[CHANGE_WRITTEN]
            if o + CHANGE_ROOM > out.size:
                return GROW
            if objects > 0:
                put(out, o, OPEN_MAP)
                put(out, o + 1, CLOSE_MAP)
                o += 2
            put(out, o, NEWLINE)
            state[CHANGE_WRITTEN] = o + 1
            at = after
            continue
        at = _translate(block, at, patterns, out, state)
        if at < 0:
            return at
    state[CHANGE_POSITION] = at
    return DONE
