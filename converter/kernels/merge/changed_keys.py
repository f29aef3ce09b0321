"""The kernels for changed keys: a hash table of them, with the last change of each.

A key is the text of its values, one after the other: texts without escapes, numbers in plain form, base64. So equal
keys are equal bytes, if their first values have the same size. The table has open addressing with linear probing: the
search for a key begins at the slot of its hash, and ends at the key or at an empty slot.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.hashes import finish_hash, hash_more
from converter.kernels.layout import DONE, DUPLICATE_CHANGE, GROW, ROOM, State, Words
from converter.kernels.merge.key_table import (
    KEY_DELETED,
    KEY_FIRST_SIZE,
    KEY_HASH,
    KEY_ORDER,
    KEY_SEEN,
    KEY_SIZE,
    KEY_START,
    KEY_TIME,
    MERGE_BYTES,
    MERGE_COUNT,
    MERGE_DELETES,
    MERGE_ORDER,
    MERGE_RECORDS,
    MERGE_TIME,
    Key,
    KeyTable,
)
from converter.kernels.simd.words import Bytes, copy_range, equal_range, put
from converter.kernels.toolchain.decorators import inlined, inner, kernel

_ONE = np.uint64(1)


@inlined
def hash_key(key: Key, secret: Words) -> np.uint64:
    """Return the hash of a key."""
    value = hash_more(key.data, key.first, key.first_size, secret[1], secret)
    if key.size > key.first_size:
        value = hash_more(key.data, key.second, key.size - key.first_size, value, secret)
    return finish_hash(value, secret)


@inner
def find_key_slot(key: Key, hashed: np.uint64, changed: KeyTable) -> int:
    """Return the slot that has the key, or the empty one for it."""
    last = np.uint64(changed.slots.size - 1)
    slot = hashed & last
    while True:
        number = changed.slots[slot]
        if number == 0:
            return np.int64(slot)
        entry = np.uint64(number - 1)
        if (
            changed.facts[entry, KEY_HASH] == np.int64(hashed)
            and changed.facts[entry, KEY_SIZE] == key.size
            and changed.facts[entry, KEY_FIRST_SIZE] == key.first_size
        ):
            start = changed.facts[entry, KEY_START]
            second, second_size = start + key.first_size, key.size - key.first_size
            if equal_range(key.data, key.first, changed.values, start, key.first_size) and equal_range(
                key.data, key.second, changed.values, second, second_size
            ):
                return np.int64(slot)
        slot = (slot + _ONE) & last


@inner
def look_up_key(key: Key, changed: KeyTable) -> int:
    """Return the number of a key, from 1 on, or 0 if no change has it."""
    return np.int64(changed.slots[np.uint64(find_key_slot(key, hash_key(key, changed.secret), changed))])


@inner
def is_in_force(key: Key, changed: KeyTable, state: State) -> bool:
    """Return whether the change at hand, which the state describes, is the last one of its key and leaves an item."""
    number = look_up_key(key, changed)
    if number == 0:
        return False
    entry = np.uint64(number - 1)
    is_last = (
        changed.facts[entry, KEY_ORDER] == state[MERGE_ORDER] and changed.facts[entry, KEY_TIME] == state[MERGE_TIME]
    )
    return is_last and state[MERGE_DELETES] == 0


@inner
def record_change(key: Key, changed: KeyTable, state: State) -> int:
    """Record the change at hand, which the state describes, if it is the last one of its key so far; gives DONE.

    GROW if the table has no room. DUPLICATE_CHANGE if the last change is of the same increment and time.
    """
    hashed = hash_key(key, changed.secret)
    slot = np.uint64(find_key_slot(key, hashed, changed))
    number = changed.slots[slot]
    if number == 0:
        count = state[MERGE_COUNT]
        start = state[MERGE_BYTES]
        if 2 * (count + 1) > changed.slots.size or count >= changed.facts.shape[0]:
            return GROW
        if start + key.size + 2 * ROOM > changed.values.size:
            return GROW
        end = copy_range(changed.values, start, key.data, key.first, key.first + key.first_size)
        copy_range(changed.values, end, key.data, key.second, key.second + key.size - key.first_size)
        number = count + 1
        changed.slots[slot] = number
        new = np.uint64(count)
        changed.facts[new, KEY_START] = start
        changed.facts[new, KEY_FIRST_SIZE] = key.first_size
        changed.facts[new, KEY_SIZE] = key.size
        changed.facts[new, KEY_HASH] = np.int64(hashed)
        changed.facts[new, KEY_ORDER] = -1
        state[MERGE_COUNT] = number
        state[MERGE_BYTES] = start + key.size
    entry = np.uint64(number - 1)
    if changed.facts[entry, KEY_ORDER] == state[MERGE_ORDER]:
        if changed.facts[entry, KEY_TIME] == state[MERGE_TIME]:
            return DUPLICATE_CHANGE
        if changed.facts[entry, KEY_TIME] > state[MERGE_TIME]:
            return DONE
    elif changed.facts[entry, KEY_ORDER] > state[MERGE_ORDER]:
        return DONE
    changed.facts[entry, KEY_ORDER] = state[MERGE_ORDER]
    changed.facts[entry, KEY_TIME] = state[MERGE_TIME]
    changed.facts[entry, KEY_DELETED] = state[MERGE_DELETES]
    return DONE


@kernel
def find_key(data: Bytes, first_size: int, size: int, changed: KeyTable) -> int:
    """Return the number of the key of an item in the base, from 1 on, or 0. Marks a changed key as seen there."""
    number = look_up_key(Key(data, 0, first_size, first_size, size), changed)
    if number > 0:
        changed.facts[np.uint64(number - 1), KEY_SEEN] = 1
    return number


@kernel
def find_rows(data: Bytes, firsts: State, seconds: State, changed: KeyTable, unchanged: Bytes) -> int:
    """Set unchanged[row] to 0 for each row of the base with a changed key, to 1 for others; gives how many have one.

    firsts, seconds: where the values of each row begin in `data`, and the end after the last row; seconds is empty if
    items have one key attribute. 64 or more zeros follow the values.
    """
    found = 0
    for row in range(firsts.size - 1):
        first = firsts[np.uint64(row)]
        first_size = firsts[np.uint64(row + 1)] - first
        second = first
        size = first_size
        if seconds.size > 0:
            second = seconds[np.uint64(row)]
            size += seconds[np.uint64(row + 1)] - second
        number = look_up_key(Key(data, first, first_size, second, size), changed)
        put(unchanged, row, 0 if number > 0 else 1)
        if number > 0:
            changed.facts[np.uint64(number - 1), KEY_SEEN] = 1
            found += 1
    return found


@kernel
def record_key(data: Bytes, first_size: int, size: int, changed: KeyTable, state: State) -> int:
    """Record the change at hand of a key that Python has read; or give 1 if it is in force, otherwise 0."""
    key = Key(data, 0, first_size, first_size, size)
    if state[MERGE_RECORDS] != 0:
        return record_change(key, changed, state)
    return 1 if is_in_force(key, changed, state) else 0


@kernel
def index_keys(changed: KeyTable, state: State) -> int:
    """Fill empty slots with all keys of the table."""
    last = np.uint64(changed.slots.size - 1)
    for number in range(1, state[MERGE_COUNT] + 1):
        slot = np.uint64(changed.facts[np.uint64(number - 1), KEY_HASH]) & last
        while changed.slots[slot] != 0:
            slot = (slot + _ONE) & last
        changed.slots[slot] = number
    return DONE
