"""The kernel for lines in a merge: it records which keys the changes have, and blanks the lines that are superseded.

A line is superseded if a later change has its key. It is overwritten with newlines: blank lines are not items, and
every other line stays where it is in the file, so that errors name its place. A line is checked in full before it is
blanked: the decoder will not read it, and a damaged line must not delete an item. The decoder checks the lines that
stay.

Lines in another form than the service's are irregular, and so are keys with numbers that are not plain.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import CLOSE_MAP, DIGIT_0, NEWLINE
from converter.kernels.layout import DONE, IRREGULAR, SUPERSEDED, Scratch, State
from converter.kernels.line_patterns import (
    ITEM_PATTERN,
    KEY_PATTERN,
    NEW_IMAGE_PATTERN,
    OLD_IMAGE_PATTERN,
    PATTERN_SIZE,
    PATTERN_START,
    Patterns,
)
from converter.kernels.merge.changed_keys import is_in_force, look_up_key, record_change
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
    Key,
    KeyTable,
)
from converter.kernels.parse.changes import find_map_end, holds_keys, key_value_end, map_end, matches, read_head
from converter.kernels.parse.documents import copy_document
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.parse.strings import copy_string, token_end
from converter.kernels.simd.words import Bytes, byte, byte_mask, count_bits, find_newline, lowest_bit, put, structure
from converter.kernels.toolchain.decorators import inlined, inner, kernel
from converter.schema import tags

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_IN_ITEM = 2
"""Braces that are open where an item has its attributes."""


@inlined
def _blank(block: Bytes, at: int, end: int) -> None:
    """Overwrite block[at:end] with newlines."""
    for k in range(at, end):
        put(block, k, NEWLINE)


@inner
def _image_end(block: Bytes, at: int, copy: Bytes, scratch: Scratch) -> int:
    """Return the position after the map of typed values that opens at `at`, or IRREGULAR if a value is not valid.

    The values are written to `copy`, and not used. A map that needs more room is irregular.
    """
    end, _ = copy_document(block, at, tags.M, copy, 0, copy.size, (False, False, True), scratch)
    return end if end >= 0 else IRREGULAR


@inner
def _is_image(block: Bytes, at: int, end: int, keys: tuple[int, int, int], copy: Bytes, scratch: Scratch) -> bool:
    """Return whether block[at:end] is an image of an item with these keys. keys: positions as for `holds_keys`."""
    if _image_end(block, at, copy, scratch) != end:
        return False
    first, first_end, last_end = keys
    return holds_keys(block, at + 1, end - 1, first, first_end, last_end)


@inner
def _unescaped(key: Key, copy: Bytes) -> Key:
    """Return the key without escapes: written to `copy` if one of its values has an escape.

    The size is IRREGULAR if `copy` has no room.
    """
    if token_end(key.data, key.first) >= 0 and token_end(key.data, key.second) >= 0:
        return key
    end, first_end = copy_string(key.data, key.first, copy, 0, copy.size, False)
    last_end = first_end
    if key.size > key.first_size and end >= 0:
        end, last_end = copy_string(key.data, key.second, copy, first_end, copy.size, False)
    return Key(copy, 0, first_end, first_end, IRREGULAR if end < 0 else last_end)


@inner
def _merge_change(
    block: Bytes, at: int, patterns: Patterns, changed: KeyTable, state: State, copy: Bytes, scratch: Scratch
) -> int:
    """Record the change at `at`, or blank it; gives the next line, IRREGULAR, GROW or DUPLICATE_CHANGE."""
    digits, count, keys, first_end, last_end = read_head(block, at, patterns, state[MERGE_KEYS])
    if last_end < 0:
        return IRREGULAR
    # A quote and a brace follow the value of a key.
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
    if byte(block, end) != CLOSE_MAP or byte(block, end + 1) != NEWLINE:
        return IRREGULAR
    time = np.int64(0)
    for k in range(digits, digits + count):
        time = time * 10 + byte(block, k) - DIGIT_0
    state[MERGE_TIME] = time
    key = _unescaped(Key(block, first, first_size, second, size), copy)
    if key.size < 0:
        return IRREGULAR
    if state[MERGE_RECORDS] != 0:
        status = record_change(key, changed, state)
        if status < 0:
            return status
    elif not is_in_force(key, changed, state):
        places = (keys, first_end, last_end)
        if old >= 0 and not _is_image(block, old, old_end, places, copy, scratch):
            return IRREGULAR
        if new >= 0 and not _is_image(block, new, end, places, copy, scratch):
            return IRREGULAR
        _blank(block, at, end + 1)
        state[MERGE_DROPPED] += 1
    return end + 2


@inner
def _keys_in_item(block: Bytes, at: int, patterns: Patterns, count: int) -> tuple[int, int]:
    """Return where the values of the `count` keys begin in the item line at `at`; -1 if one is missing.

    The second is 0 if there is one key. Keys are members of the item itself: two braces are open in front of them, and
    the item has not ended: members that are not known may follow it, and may have what looks like keys. A pattern is
    searched for by its quote and the letter after it, 64 positions at a time.
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
        item_end = find_map_end(block, at, quotes, opened, closed, depth - 1)
        if item_end < 64:
            found &= (_ONE << np.uint64(item_end)) - _ONE
        newlines = byte_mask(block, at, NEWLINE)
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
        if item_end < 64 or newlines != _NOTHING:
            return -1, -1
        depth += count_bits(opened) - count_bits(closed)
        at += 64


@inner
def _merge_item(
    block: Bytes, at: int, patterns: Patterns, changed: KeyTable, state: State, copy: Bytes, scratch: Scratch
) -> int:
    """Blank the item at `at` if its key has changed; gives the next line, IRREGULAR or SUPERSEDED."""
    if not matches(block, at, patterns, ITEM_PATTERN):
        return IRREGULAR
    first, second = _keys_in_item(block, at, patterns, state[MERGE_KEYS])
    if first < 0:
        return IRREGULAR
    first_end = key_value_end(block, first, patterns, KEY_PATTERN)
    first_size = first_end - first
    size = first_size
    last_end = first_end
    if second > 0:
        last_end = key_value_end(block, second, patterns, KEY_PATTERN + 1)
        size += last_end - second
    else:
        second = first
    if first_end < 0 or last_end < 0:
        return IRREGULAR
    end = find_newline(block, max(first_end, last_end))
    # The slow path reports what is wrong with a line that ends in another way.
    if byte(block, end - 1) != CLOSE_MAP or byte(block, end - 2) != CLOSE_MAP:
        return IRREGULAR
    key = _unescaped(Key(block, first, first_size, second, size), copy)
    if key.size < 0:
        return IRREGULAR
    number = look_up_key(key, changed)
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
    """Record the changes in the lines from state[MERGE_POSITION] on, or blank the lines that are superseded.

    state[MERGE_ORDER] is the number of the increment that the lines are from. With state[MERGE_RECORDS], its changes
    are recorded; otherwise a change is blanked unless it is the last of its key and leaves an item. If it is negative,
    the lines are items of the base, and those with a changed key are blanked.

    copy: room for the values of lines that are blanked, and for keys with escapes.

    DONE at the end of the block. At IRREGULAR, GROW, DUPLICATE_CHANGE and SUPERSEDED, the position is that of the line.
    """
    at = state[MERGE_POSITION]
    while at < state[MERGE_SIZE]:
        state[MERGE_POSITION] = at
        after, _ = empty_line(block, at)
        if after > 0:
            at = after
            continue
        if state[MERGE_ORDER] < 0:
            at = _merge_item(block, at, patterns, changed, state, copy, scratch)
        else:
            at = _merge_change(block, at, patterns, changed, state, copy, scratch)
        if at < 0:
            return at
    state[MERGE_POSITION] = at
    return DONE
