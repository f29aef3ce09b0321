"""The kernels of merges for lines: they note which keys the changes touch, and blank the lines that are over.

What is not in force any more is overwritten with newlines in its place. Blank lines are not items, and every other
line keeps its place in the file, so that errors name it. A line is checked wholly before it is blanked: no decoder will
see it, and a damaged line must not delete an item. Lines that stay are left to the decoder.

Lines in another form than the service's are left to Python, like numbers that are not plain.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.layout import DONE, IRREGULAR, SUPERSEDED, Scratch, State
from converter.kernels.line_patterns import (
    ITEM_PATTERN,
    KEY_PATTERN,
    KEYS_PATTERN,
    METADATA_PATTERN,
    NEW_IMAGE_PATTERN,
    OLD_IMAGE_PATTERN,
    PATTERN_SIZE,
    PATTERN_START,
    PATTERN_TAG,
    Patterns,
)
from converter.kernels.merge.changed_keys import find_key_slot, hash_key, record_change
from converter.kernels.merge.key_table import (
    KEY_SEEN,
    MERGE_DELETES,
    MERGE_DROPPED,
    MERGE_KEYS,
    MERGE_OLD_IMAGES,
    MERGE_ORDER,
    MERGE_POSITION,
    MERGE_RECORDS,
    MERGE_SIZE,
    MERGE_STOPS,
    MERGE_TIME,
    KeyTable,
)
from converter.kernels.parse.changes import digits_at, find_keys_end, holds_keys, map_end, matches
from converter.kernels.parse.documents import copy_document
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.parse.numbers import plain_number
from converter.kernels.parse.strings import base64_size, copy_string, string_end, token_end
from converter.kernels.simd.words import Bytes, byte, byte_mask, count_bits, find_newline, lowest_bit, put, structure
from converter.kernels.toolchain.decorators import inlined, inner, kernel
from converter.schema import tags

_CLOSE_MAP = 0x7D
_NEWLINE = 0x0A
_ZERO = 0x30
_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_IN_ITEM = 2
"""Braces that are open where an item has its attributes."""


@inlined
def _blank(block: Bytes, at: int, end: int) -> None:
    for k in range(at, end):
        put(block, k, _NEWLINE)


@inner
def _image_end(block: Bytes, at: int, copy: Bytes, scratch: Scratch) -> int:
    """Position after the map of typed values that opens at `at`, all of which are checked; IRREGULAR if one is not.

    copy: room for the values, which are written there. A map that needs more is left to Python.
    """
    end, _ = copy_document(block, at, tags.M, copy, 0, copy.size, (False, False, True), scratch)
    return end if end >= 0 else IRREGULAR


@inner
def _is_image(block: Bytes, at: int, end: int, keys: tuple[int, int, int], copy: Bytes, scratch: Scratch) -> bool:
    """Is block[at:end] an image of an item with these keys? keys: as holds_keys has their positions."""
    if _image_end(block, at, copy, scratch) != end:
        return False
    first, first_end, last_end = keys
    return holds_keys(block, at + 1, end - 1, first, first_end, last_end)


@inner
def _merge_change(
    block: Bytes, at: int, patterns: Patterns, changed: KeyTable, state: State, copy: Bytes, scratch: Scratch
) -> int:
    """Judge the change at `at`; the end of its line, or IRREGULAR, GROW or DUPLICATE_CHANGE."""
    if not matches(block, at, patterns, METADATA_PATTERN):
        return IRREGULAR
    digits, count, behind = digits_at(block, at + patterns.facts[np.uint64(METADATA_PATTERN), PATTERN_SIZE])
    if count < 0 or not matches(block, behind, patterns, KEYS_PATTERN):
        return IRREGULAR
    keys = behind + patterns.facts[np.uint64(KEYS_PATTERN), PATTERN_SIZE]
    first_end, last_end = find_keys_end(block, keys, patterns, state[MERGE_KEYS])
    if last_end < 0 or byte(block, last_end) != _CLOSE_MAP:
        return IRREGULAR
    # Behind a key's value there are a quote and a brace.
    first = keys + patterns.facts[np.uint64(KEY_PATTERN), PATTERN_SIZE]
    first_size = first_end - 2 - first
    second = first
    size = first_size
    if state[MERGE_KEYS] > 1:
        if matches(block, keys, patterns, KEY_PATTERN):
            second = first_end + 1 + patterns.facts[np.uint64(KEY_PATTERN + 1), PATTERN_SIZE]
            size += last_end - 2 - second
        else:
            second = keys + patterns.facts[np.uint64(KEY_PATTERN + 1), PATTERN_SIZE]
            first = first_end + 1 + patterns.facts[np.uint64(KEY_PATTERN), PATTERN_SIZE]
            first_size = last_end - 2 - first
            size = first_size + first_end - 2 - second
    end = last_end + 1
    old = -1
    if matches(block, end, patterns, OLD_IMAGE_PATTERN):
        if state[MERGE_OLD_IMAGES] == 0:
            return IRREGULAR
        old = end + patterns.facts[np.uint64(OLD_IMAGE_PATTERN), PATTERN_SIZE] - 1
        end = map_end(block, old)
        if end < 0:
            return IRREGULAR
    old_end = end
    new = -1
    if matches(block, end, patterns, NEW_IMAGE_PATTERN):
        new = end + patterns.facts[np.uint64(NEW_IMAGE_PATTERN), PATTERN_SIZE] - 1
        end = map_end(block, new)
        if end < 0:
            return IRREGULAR
    state[MERGE_DELETES] = 1 if new < 0 else 0
    if byte(block, end) != _CLOSE_MAP or byte(block, end + 1) != _NEWLINE:
        return IRREGULAR
    time = np.int64(0)
    for k in range(digits, digits + count):
        time = time * 10 + byte(block, k) - _ZERO
    state[MERGE_TIME] = time
    keyed = block
    if token_end(block, first) < 0 or token_end(block, second) < 0:
        keyed = copy
        first_size, size = _resolve_keys(block, first, second, size > first_size, copy)
        first, second = 0, first_size
        if size < 0:
            return IRREGULAR
    status = record_change(keyed, first, first_size, second, size, changed, state)
    if status < 0:
        return status
    if state[MERGE_RECORDS] == 0 and status == 0:
        places = (keys, first_end, last_end)
        if old >= 0 and not _is_image(block, old, old_end, places, copy, scratch):
            return IRREGULAR
        if new >= 0 and not _is_image(block, new, end, places, copy, scratch):
            return IRREGULAR
        _blank(block, at, end + 1)
        state[MERGE_DROPPED] += 1
    return end + 2


@inner
def _resolve_keys(block: Bytes, first: int, second: int, two: bool, copy: Bytes) -> tuple[int, int]:
    """Write the texts that are spelled at `first` and, if there are two, at `second` to copy[0:], without escapes.

    Gives the bytes of the first and of both; IRREGULAR for the latter if there is no room.
    """
    end, first_size = copy_string(block, first, copy, 0, copy.size, False)
    size = first_size
    if two and end >= 0:
        end, size = copy_string(block, second, copy, first_size, copy.size, False)
    if end < 0:
        return first_size, np.int64(IRREGULAR)
    return first_size, size


@inlined
def _value_size(block: Bytes, start: int, patterns: Patterns, pattern: int) -> int:
    """Bytes of the key's value that begins at `start`, or IRREGULAR."""
    tag = patterns.facts[np.uint64(pattern), PATTERN_TAG]
    end = string_end(block, start) if tag == tags.S else token_end(block, start)
    if end < 0 or byte(block, end + 1) != _CLOSE_MAP:
        return IRREGULAR
    if tag == tags.N:
        integers, _ = plain_number(block, start, end)
        if integers < 0:
            return IRREGULAR
    if tag == tags.B and base64_size(block, start, end) < 0:
        return IRREGULAR
    return end - start


@inner
def _keys_in_item(block: Bytes, at: int, patterns: Patterns, count: int) -> tuple[int, int]:
    """Where the values of both keys begin in the item line at `at`, 0 for a second one that there is none of; or -1.

    The keys are members of the item itself: two braces are open before them.
    """
    first = -1
    second = 0 if count == 1 else -1
    depth = 0
    inside = _NOTHING
    escaped = _NOTHING
    letter = byte(patterns.spellings, patterns.facts[np.uint64(KEY_PATTERN), PATTERN_START] + 1)
    other = byte(patterns.spellings, patterns.facts[np.uint64(KEY_PATTERN + count - 1), PATTERN_START] + 1)
    while True:
        quotes, strings, opened, closed, inside, escaped = structure(block, at, inside, escaped)
        found = quotes & strings & (byte_mask(block, at + 1, letter) | byte_mask(block, at + 1, other))
        newlines = byte_mask(block, at, _NEWLINE)
        if newlines != _NOTHING:
            found &= (_ONE << np.uint64(lowest_bit(newlines))) - _ONE
        while found != _NOTHING:
            k = lowest_bit(found)
            found &= found - _ONE
            before = (_ONE << np.uint64(k)) - _ONE
            if depth + count_bits(opened & before) - count_bits(closed & before) != _IN_ITEM:
                continue
            if first < 0 and matches(block, at + k, patterns, KEY_PATTERN):
                first = at + k + patterns.facts[np.uint64(KEY_PATTERN), PATTERN_SIZE]
            elif second < 0 and matches(block, at + k, patterns, KEY_PATTERN + 1):
                second = at + k + patterns.facts[np.uint64(KEY_PATTERN + 1), PATTERN_SIZE]
            if first >= 0 and second >= 0:
                return first, second
        if newlines != _NOTHING:
            return -1, -1
        depth += count_bits(opened) - count_bits(closed)
        at += 64


@inner
def _merge_item(
    block: Bytes, at: int, patterns: Patterns, changed: KeyTable, state: State, copy: Bytes, scratch: Scratch
) -> int:
    """Blank the item at `at` if its key is touched; the end of its line, IRREGULAR or SUPERSEDED."""
    if not matches(block, at, patterns, ITEM_PATTERN):
        return IRREGULAR
    first, second = _keys_in_item(block, at, patterns, state[MERGE_KEYS])
    if first < 0:
        return IRREGULAR
    first_size = _value_size(block, first, patterns, KEY_PATTERN)
    more = _value_size(block, second, patterns, KEY_PATTERN + 1) if second > 0 else 0
    if first_size < 0 or more < 0:
        return IRREGULAR
    if second == 0:
        second = first
    size = first_size + more
    end = find_newline(block, max(first + first_size, second))
    # What is wrong with a line that ends otherwise is for the decoder to say.
    if byte(block, end - 1) != _CLOSE_MAP or byte(block, end - 2) != _CLOSE_MAP:
        return IRREGULAR
    keyed = block
    if token_end(block, first) < 0 or token_end(block, second) < 0:
        keyed = copy
        first_size, size = _resolve_keys(block, first, second, size > first_size, copy)
        first, second = 0, first_size
        if size < 0:
            return IRREGULAR
    hashed = hash_key(keyed, first, first_size, second, size, changed.secret)
    number = changed.slots[np.uint64(find_key_slot(keyed, first, first_size, second, size, hashed, changed))]
    if number > 0:
        item = at + patterns.facts[np.uint64(ITEM_PATTERN), PATTERN_SIZE] - 1
        if _image_end(block, item, copy, scratch) != end - 1:
            return IRREGULAR
        changed.facts[np.uint64(number - 1), KEY_SEEN] = 1
        if state[MERGE_STOPS] == 1:
            return SUPERSEDED
        _blank(block, at, end)
        state[MERGE_DROPPED] += 1
    return end + 1


@kernel
def merge_lines(
    block: Bytes, patterns: Patterns, changed: KeyTable, state: State, copy: Bytes, scratch: Scratch
) -> int:
    """Go through the lines from state[MERGE_POSITION] on.

    Changes, where state[MERGE_ORDER] is the number of their increment, are noted, or blanked if they are not the last
    of their key, or delete it. Items, where it is negative, are blanked if their keys are changed.

    copy: room for the values of lines that are blanked.

    DONE at the end of the block. At IRREGULAR, GROW, DUPLICATE_CHANGE and SUPERSEDED, the position is that of the line.
    """
    at = state[MERGE_POSITION]
    while at < state[MERGE_SIZE]:
        state[MERGE_POSITION] = at
        behind, _ = empty_line(block, at)
        if behind > 0:
            at = behind
            continue
        if state[MERGE_ORDER] < 0:
            at = _merge_item(block, at, patterns, changed, state, copy, scratch)
        else:
            at = _merge_change(block, at, patterns, changed, state, copy, scratch)
        if at < 0:
            return at
    state[MERGE_POSITION] = at
    return DONE
