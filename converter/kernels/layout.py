"""The memory that kernels and Python share: types, statuses, and the layout of the decoder's tables.

Column buffers (`Columns`), for a column c and a row r. Like a Parquet page, a column stores only the values that are
present: value v belongs to the row of the v-th bit that is set.

    arena     | sink | column 1: text | column 2: 4 to 16 bytes a value | column 3: bits | ...
                ^ COLUMN_START   ^ COLUMN_START + COLUMN_USED   ^ COLUMN_LIMIT
    lengths   | column 1: bytes of each value | column 4 ... (text columns only)
              ^ COLUMN_LENGTHS                ^ COLUMN_LENGTHS + COLUMN_ROOM
    validity  [c]     one bit a row, 1 if the row has a value

Column 0 is the sink: its values are checked and observed, but not kept.

A *field* is an attribute with a type tag, as lines spell them: `"price":{"N":"`. One attribute has a field for each
type, and for each spelling of its name.

Fields, columns and changed keys have their facts in one table each, with a row for each of them: Numba compiles a
function of two arrays several times faster than one of twenty.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
State = NDArray[np.int64]
"""One dimension: members by number, such as state[POSITION]. Or positions, or sizes."""
Table = NDArray[np.int64]
"""Two dimensions: facts by row and number, such as facts[column, COLUMN_START]."""

# Statuses. The negative ones are also given in place of a position.
IRREGULAR: Final = -1
"""The text is not in the form that kernels read: the line takes the slow path (strict_lines.py, strict_changes.py)."""
GROW: Final = -2
"""The target has no room for the value."""
DUPLICATE_CHANGE: Final = -3
"""Two changes of an increment have the same key and time, so neither is the last."""
SUPERSEDED: Final = -4
"""An item of the base has a changed key. Only if MERGE_STOPS is 1."""
HAS_NUL: Final = -5
"""A text has a NUL, and its policy is NUL_REFUSED."""
DONE: Final = 0
"""The kernel has read all lines of the block."""
FULL: Final = 1
"""The batch has as many rows as it has room for."""
NEW_FIELD: Final = 2
"""The field at hand is not in the tables; NAME_START to SPELLING_END tell where its spelling is."""
MISMATCH: Final = 3
"""A number does not fit its column: it is too wide, or in another unit of time."""
NOT_A_TIME: Final = 4
"""A value that must be a timestamp is not; REASON tells why."""
ODD_TIME: Final = 5
"""The same, or a timestamp that must be cut, where the run continues: one of the first, whose place Python reports."""

ROOM: Final = 96
"""Bytes that a target must have free for any one step: a store of 64 bytes, and 32 for marks and escapes around it."""
NUMBER_ROOM: Final = 512
"""Bytes that the plain form of any number fits in, padding included."""

# State of parse/ion_lines.py.
ION_POSITION: Final = 0
"""Where the next line of the block begins."""
ION_SIZE: Final = 1
"""Bytes of the block."""
ION_WRITTEN: Final = 2
"""Bytes of lines in the output."""
ION_LONGEST: Final = 3
"""Bytes of the longest line that is translated."""
ION_STATE_SIZE: Final = 4

# State of parse/items.py.
POSITION: Final = 0
"""Where the next line or value of the block begins."""
ROW: Final = 1
"""The row of the item at hand; before it, the rows of the batch."""
CAPACITY: Final = 2
"""Rows that the batch has room for: each column, for a value in each of them."""
SIZE: Final = 3
"""Bytes of the block."""
ITEMS: Final = 4
"""Items read so far."""
EMPTY_OBJECTS: Final = 5
"""Lines that are `{}`: the service may or may not count them."""
TRUSTED: Final = 6
"""1 if strict_lines.py has checked the line."""
IN_ITEM: Final = 7
"""1 if the kernel stopped inside of an item and continues there."""
PREVIOUS: Final = 8
"""The field before the one at hand; 0 at the first of an item."""
LINE_START: Final = 9
"""Where the line of the item at hand begins."""
LINE_FIELDS: Final = 10
"""Fields read in this line so far."""
SERIAL: Final = 11
"""The number of the item at hand, which always grows. Where a table has this number, the fact is of this item."""
COLUMN: Final = 12
"""At GROW: the column; at MISMATCH, NOT_A_TIME, ODD_TIME and HAS_NUL: the field."""
NAME_START: Final = 13
"""At NEW_FIELD: where the name of the attribute begins, after its quote."""
NAME_END: Final = 14
TAG_END: Final = 15
SPELLING_END: Final = 16
OVERFLOW_BEGIN: Final = 17
"""Where the object of the item at hand begins in the overflow column, relative to COLUMN_START; -1 if it has none."""
OVERFLOW_COLUMN: Final = 18
"""The overflow column; 0 if there is none."""
REASON: Final = 19
"""At NOT_A_TIME and ODD_TIME: why, by time_reasons.py."""
CUT: Final = 20
"""1 if part of a second was cut off a time of the item at hand."""
CUTS: Final = 21
"""Items with such a time."""
NUL_SERIAL: Final = 22
"""SERIAL of the last item with a NUL in a text."""
NULLS_BAD_TIMES: Final = 23
"""1 if a value that is not a timestamp becomes null, 0 if it is refused."""
CUTS_FINE_TIMES: Final = 24
"""1 if a timestamp is cut to the microsecond below, 0 if one that would have to be is refused."""
ODD_TIMES: Final = 25
"""1 if the item at hand has a value that became null or was cut for one of these reasons."""
WANTS_TIME: Final = 26
"""1 if each item should have a value for the column `time`."""
TIMED: Final = 27
"""SERIAL of the last item that has one."""
UNTIMED: Final = 28
"""Items without one, except deletes."""
UNTIMED_DELETES: Final = 29
"""Deletes without one."""
FIRST_UNTIMED: Final = 30
"""Where the line of the first item without one begins in its block; -1 if there is none yet."""
DELETE_ATTRIBUTE: Final = 31
"""The number of the attribute that only deletes have; -1 if there was no delete yet."""
WRONG_GUESSES: Final = 32
"""Fields since the last one that a guess found."""
STATE_SIZE: Final = 33

# Facts of a field. Field 0 is reserved: it matches no text.
FIELD_START: Final = 0
"""Where its spelling begins."""
FIELD_SIZE: Final = 1
"""Bytes of its spelling, `"price":{"N":"`."""
FIELD_NAME_SIZE: Final = 2
"""Bytes of `"price":` in it."""
FIELD_MASK: Final = 3
"""A bit for each of its first 64 bytes: those that must match."""
FIELD_NEXT: Final = 4
"""The field that followed this one last: the first guess for the next field."""
FIELD_NEXT_OLDER: Final = 5
"""The field that followed this one before that: the second guess."""
FIELD_ATTRIBUTE: Final = 6
"""The number of its attribute."""
FIELD_TAG: Final = 7
"""Its type tag, by schema/tags.py."""
FIELD_ACTION: Final = 8
FIELD_COLUMN: Final = 9
"""The column that takes its values; 0 for the sink."""
FIELD_SCALE: Final = 10
"""The scale of a decimal column."""
FIELD_SEEN: Final = 11
"""SERIAL of the last item that has an attribute. In the row of the number of the *attribute*, not of the field."""
FIELD_COUNT: Final = 12
"""Values. This and what follows up to FIELD_FINE_TIMES is observed: see schema/observe.py."""
FIELD_INTEGER_DIGITS: Final = 13
"""The most integer digits of its numbers."""
FIELD_DECIMALS: Final = 14
"""The most decimals of its numbers."""
FIELD_BEYOND_INT64: Final = 15
"""1 if one of its integers is outside int64."""
FIELD_LONGEST: Final = 16
"""Bytes of its longest value."""
FIELD_BINARY_INSIDE: Final = 17
"""1 if there was a B inside a map or a list, or a BS anywhere: in JSON, it is base64 text."""
FIELD_NULS: Final = 18
"""Texts with a NUL."""
FIELD_MAGNITUDES: Final = 19
"""Magnitudes of numbers that are times, a bit for each (unix_times.py)."""
FIELD_BAD_TIMES: Final = 20
"""Values that became null because they are not times."""
FIELD_FINE_TIMES: Final = 21
"""Times that were cut to the microsecond below."""
FIELD_NUL_SERIAL: Final = 22
"""SERIAL of the last item that has a NUL in this field."""
FIELD_NUL_POLICY: Final = 23
"""The rule for a NUL in a text: NUL_KEPT, NUL_DROPPED, NUL_REPLACED or NUL_REFUSED."""
FIELD_UNIT: Final = 24
"""Unit of numbers that are times: 0 if not known; 1 to 4 for s, ms, us, ns, found in the data; 5 to 8 if given."""
FIELD_BAD_REPORTED: Final = 25
"""Values that are not times whose places Python has reported: REPORTED_TIMES at most."""
FIELD_FINE_REPORTED: Final = 26
"""The same for times that were cut."""
FIELD_BAD_SERIAL: Final = 27
"""SERIAL of the last item with a value that is not a time."""
FIELD_FINE_SERIAL: Final = 28
"""SERIAL of the last item with a time that was cut."""
FIELD_FACTS: Final = 29

NUL_KEPT: Final = 0
NUL_DROPPED: Final = 1
NUL_REPLACED: Final = 2
NUL_REFUSED: Final = 3

# Facts of a column. Column 0 is the sink.
COLUMN_START: Final = 0
"""Where its slice of the arena begins."""
COLUMN_LIMIT: Final = 1
"""Where its slice of the arena ends."""
COLUMN_USED: Final = 2
"""Bytes in use, in a text column."""
COLUMN_PRESENT: Final = 3
"""Rows with a value."""
COLUMN_ROOM: Final = 4
"""Values that there is room for. A row has one at most, so the kernel compares ROW with CAPACITY, once a row."""
COLUMN_LENGTHS: Final = 5
"""Where its lengths begin, in a text column."""
COLUMN_BITS: Final = 6
"""Bits that a value takes; 0 for text."""
COLUMN_NEXT: Final = 7
"""The value that the CSV kernel writes next."""
COLUMN_NEXT_BYTE: Final = 8
"""Where in the arena that value begins, relative to COLUMN_START."""
COLUMN_PLAIN: Final = 9
"""1 for a column of doubles, which is always PLAIN in Parquet, without minimum and maximum."""
COLUMN_STEP: Final = 10
"""1; 0 for a text column whose one value is repeated in every row (CSV)."""
COLUMN_SCALE: Final = 11
"""Decimals of a decimal."""
COLUMN_FORM: Final = 12
"""How CSV writes a value that is neither text nor a number: a form of value_actions.py; otherwise 0."""
COLUMN_FACTS: Final = 13


class Fields(NamedTuple):
    """The fields that a decoder knows: a hash table with open addressing, and their facts.

    spellings: the bytes of all fields, each with 64 bytes of padding after it. slots: the number of a field, or 0 for
    an empty slot; a power of two. line: the fields of the item at hand. facts: FIELD_… of each. secret: of the hash.
    """

    spellings: Bytes
    slots: State
    line: State
    facts: Table
    secret: Words


class Columns(NamedTuple):
    """The buffers of a batch; see the module's docstring. facts: COLUMN_… of each."""

    arena: Bytes
    lengths: NDArray[np.int32]
    validity: Bytes
    facts: Table


class PageScratch(NamedTuple):
    """Working memory of one encoder of pages.

    secret: of the hash. slots: of a hash table of dictionary entries, a power of two, at least twice as many as
    entries; few values use the first ones. entries: position << 24 | size of each. indices: the number of the entry of
    each value. numbers: a block of 128 differences.
    """

    secret: Words
    slots: State
    entries: State
    indices: State
    numbers: Words


class Scratch(NamedTuple):
    """Working memory of one decoder.

    number: for the plain form of a number that is spelled otherwise. closers: the closing byte of each open map or
    list. names: hashes of the names in all open maps, the innermost map last. marks: for each open map or list, how
    many names there were before it. binary: its one member is 1 if the document at hand has binary inside. secret: of
    the hashes.
    """

    number: Bytes
    closers: Bytes
    names: Words
    marks: State
    binary: Bytes
    secret: Words
