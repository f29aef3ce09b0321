"""The kernels for the keys that changes touch: a hash table of them, with the last change of each.

A key is the text of its values, as lines have it, that of the first attribute first: texts without escapes, numbers in
plain form, base64. So equal keys are equal bytes.
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
    KeyTable,
)
from converter.kernels.simd.words import Bytes, copy_range, equal_mask, lowest_bit, put
from converter.kernels.toolchain.decorators import inlined, inner, kernel

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)


@inlined
def hash_key(data: Bytes, first: int, first_size: int, second: int, size: int, secret: Words) -> np.uint64:
    """Of the key data[first:] and data[second:], which has `size` bytes, `first_size` of them in the first."""
    value = hash_more(data, first, first_size, secret[1], secret)
    if size > first_size:
        value = hash_more(data, second, size - first_size, value, secret)
    return finish_hash(value, secret)


@inlined
def _is_equal(data: Bytes, at: int, other: Bytes, place: int, size: int) -> bool:
    """data[at : at + size] == other[place : place + size]; both have 64 bytes and more behind that."""
    k = 0
    while k < size:
        differs = ~equal_mask(data, at + k, other, place + k)
        if differs != _NOTHING:
            return k + lowest_bit(differs) >= size
        k += 64
    return True


@inner
def find_key_slot(
    data: Bytes, first: int, first_size: int, second: int, size: int, hashed: np.uint64, changed: KeyTable
) -> int:
    """The slot that has the key, or the empty one that may take it."""
    last = np.uint64(changed.slots.size - 1)
    slot = hashed & last
    while True:
        number = changed.slots[slot]
        if number == 0:
            return np.int64(slot)
        entry = np.uint64(number - 1)
        if (
            changed.facts[entry, KEY_HASH] == np.int64(hashed)
            and changed.facts[entry, KEY_SIZE] == size
            and changed.facts[entry, KEY_FIRST_SIZE] == first_size
        ):
            start = changed.facts[entry, KEY_START]
            if _is_equal(data, first, changed.values, start, first_size) and _is_equal(
                data, second, changed.values, start + first_size, size - first_size
            ):
                return np.int64(slot)
        slot = (slot + _ONE) & last


@inner
def record_change(
    data: Bytes, first: int, first_size: int, second: int, size: int, changed: KeyTable, state: State
) -> int:
    """Note the change that the state describes; or say if it is the last one of its key and leaves an item: 1 or 0.

    GROW if there is no room to note it, DUPLICATE_CHANGE for a change of the same increment and time as one before.
    """
    hashed = hash_key(data, first, first_size, second, size, changed.secret)
    slot = np.uint64(find_key_slot(data, first, first_size, second, size, hashed, changed))
    number = changed.slots[slot]
    if state[MERGE_RECORDS] == 0:
        if number == 0:
            return 0
        known = np.uint64(number - 1)
        if changed.facts[known, KEY_ORDER] != state[MERGE_ORDER] or changed.facts[known, KEY_TIME] != state[MERGE_TIME]:
            return 0
        return 1 - state[MERGE_DELETES]
    if number == 0:
        count = state[MERGE_COUNT]
        start = state[MERGE_BYTES]
        if 2 * (count + 1) > changed.slots.size or count >= changed.facts.shape[0]:
            return GROW
        if start + size + 2 * ROOM > changed.values.size:
            return GROW
        copy_range(changed.values, start, data, first, first + first_size)
        copy_range(changed.values, start + first_size, data, second, second + size - first_size)
        number = count + 1
        changed.slots[slot] = number
        fresh = np.uint64(count)
        changed.facts[fresh, KEY_START] = start
        changed.facts[fresh, KEY_FIRST_SIZE] = first_size
        changed.facts[fresh, KEY_SIZE] = size
        changed.facts[fresh, KEY_HASH] = np.int64(hashed)
        changed.facts[fresh, KEY_ORDER] = -1
        state[MERGE_COUNT] = number
        state[MERGE_BYTES] = start + size
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
def find_key(key: Bytes, first_size: int, size: int, changed: KeyTable) -> int:
    """The number of a touched key, from 1 on, or 0; if there is one, the base is known to have it from now on."""
    hashed = hash_key(key, 0, first_size, first_size, size, changed.secret)
    number = changed.slots[np.uint64(find_key_slot(key, 0, first_size, first_size, size, hashed, changed))]
    if number > 0:
        changed.facts[np.uint64(number - 1), KEY_SEEN] = 1
    return np.int64(number)


@kernel
def find_rows(data: Bytes, firsts: State, seconds: State, changed: KeyTable, unchanged: Bytes) -> int:
    """Set unchanged[row] to 0 for each row whose key is changed, to 1 for the others; gives how many are changed.

    firsts, seconds: where in `data` the values of each row begin, and behind the last row the end; seconds is empty
    where items have one key attribute. The values have 64 zeros and more behind them.
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
        hashed = hash_key(data, first, first_size, second, size, changed.secret)
        number = changed.slots[np.uint64(find_key_slot(data, first, first_size, second, size, hashed, changed))]
        put(unchanged, row, 0 if number > 0 else 1)
        if number > 0:
            changed.facts[np.uint64(number - 1), KEY_SEEN] = 1
            found += 1
    return found


@kernel
def record_key(key: Bytes, first_size: int, size: int, changed: KeyTable, state: State) -> int:
    """Note the change of a key that Python has spelled out, or answer as `record_change` does."""
    return record_change(key, 0, first_size, first_size, size, changed, state)


@kernel
def index_keys(changed: KeyTable, state: State) -> int:
    """Put all keys into the empty slots."""
    last = np.uint64(changed.slots.size - 1)
    for number in range(1, state[MERGE_COUNT] + 1):
        slot = np.uint64(changed.facts[np.uint64(number - 1), KEY_HASH]) & last
        while changed.slots[slot] != 0:
            slot = (slot + _ONE) & last
        changed.slots[slot] = number
    return DONE
