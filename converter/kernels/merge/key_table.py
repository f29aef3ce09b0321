"""The table of changed keys that the kernels for merges fill and search, and the members of their state."""

from __future__ import annotations

from typing import Final, NamedTuple

from converter.kernels.layout import Bytes, State, Table, Words

# State of superseded_lines.py and changed_keys.py.
MERGE_POSITION: Final = 0
"""Where the next line of the block begins."""
MERGE_SIZE: Final = 1
"""Bytes of the block."""
MERGE_KEYS: Final = 2
"""The number of key attributes: 1 or 2."""
MERGE_RECORDS: Final = 3
"""1 to record changes in the table, 0 to look them up."""
MERGE_ORDER: Final = 4
"""The number of the increment that the block is from, higher for a later one; -1 for the base."""
MERGE_TIME: Final = 5
"""When the change at hand was written, in microseconds."""
MERGE_DELETES: Final = 6
"""1 if the change at hand deletes its item."""
MERGE_COUNT: Final = 7
"""Keys in the table."""
MERGE_BYTES: Final = 8
"""Bytes of their values."""
MERGE_DROPPED: Final = 9
"""Lines that were blanked."""
MERGE_STOPS: Final = 10
"""1 to stop with SUPERSEDED at each item of the base that has a changed key."""
MERGE_OLD_IMAGES: Final = 11
"""1 if the view of the increment that the block is from has old images."""
MERGE_STATE_SIZE: Final = 12

# Facts of a changed key.
KEY_START: Final = 0
"""Where its values begin."""
KEY_FIRST_SIZE: Final = 1
"""Bytes of its first value."""
KEY_SIZE: Final = 2
"""Bytes of all its values."""
KEY_HASH: Final = 3
KEY_ORDER: Final = 4
"""The increment of its last change."""
KEY_TIME: Final = 5
"""The time of its last change."""
KEY_DELETED: Final = 6
"""1 if its last change deletes the item."""
KEY_SEEN: Final = 7
"""1 if the base has an item with this key."""
KEY_FACTS: Final = 8


class Key(NamedTuple):
    """A key: its values are at data[first:], with `first_size` bytes, and at data[second:], `size` bytes together.

    An item with one key attribute has no second value. `data` has 64 bytes and more after the values.
    """

    data: Bytes
    first: int
    first_size: int
    second: int
    size: int


class KeyTable(NamedTuple):
    """A hash table of changed keys, with open addressing.

    slots: number of a key, from 1 on, or 0 for an empty slot; a power of two, at least twice as many as keys. values:
    of all keys, one after the other. facts: KEY_… of each key, key n in row n - 1. secret: of the hash.
    """

    slots: State
    values: Bytes
    facts: Table
    secret: Words
