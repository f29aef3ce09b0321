"""The memory that the kernels and Python share: tables, statuses, actions, and the members of the state.

Buffers of the columns (`Columns`), c being a column and r a row. Like the pages of a Parquet file they hold values only
where there are any: value v of a column is that of the v-th row whose bit is set.

    arena     | sink | column 1: text | column 2: 8 or 16 bytes a value | column 3: bits | ...
                ^ COLUMN_START   ^ COLUMN_START + COLUMN_USED   ^ COLUMN_LIMIT
    lengths   | column 1: bytes of each value | column 4 ... (text columns only)
              ^ COLUMN_LENGTHS                ^ COLUMN_LENGTHS + COLUMN_ROOM
    validity  [c]     one bit a row, 1 where the row has a value

The facts of kinds and columns lie in one table each, a row for each kind or column: Numba compiles functions that
take two arrays several times faster than functions that take twenty.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

# Statuses. The negative ones may also stand where a kernel gives a position.
IRREGULAR: Final = -1
"""The text is not in the form that the kernels read: the line must be looked at by `strict_lines.py`."""
GROW: Final = -2
"""The target has no room for the value."""
HAS_NUL: Final = -5
"""A text with a NUL where none may be; the item has been taken back."""
DONE: Final = 0
"""Every line of the block has been read."""
FULL: Final = 1
"""The batch has as many rows as it has room for."""
NEW_KIND: Final = 2
"""An attribute with a tag, or a spelling of it, that has no kind yet; state says where it stands."""
SURPRISE: Final = 3
"""A number that its column can't hold; the item has been taken back."""
TWICE: Final = -3
"""Two changes of an increment are of the same item and moment: no one can say which is the last."""
FOUND: Final = -4
"""An item of the base that a change touches."""
NOT_A_TIME: Final = 4
"""A value that must be a timestamp and is not; the item has been taken back, and state says why."""
ODD_TIME: Final = 5
"""The same, or a timestamp that will be cut, where the run goes on: one of the first, whose place is to be noted."""

ROOM: Final = 96
"""Bytes that a target must have free for one step of any copy."""
NUMBER_ROOM: Final = 512
"""Bytes that the plain form of any number fits in, padding included."""

# Actions: what becomes of a value.
SKIP_NULL: Final = 0
TEXT: Final = 1
INT64: Final = 2
DECIMAL: Final = 3
NUMBER_TEXT: Final = 4
BINARY: Final = 5
BASE64_TEXT: Final = 6
BOOL: Final = 7
BOOL_TEXT: Final = 8
DOCUMENT: Final = 9
TYPED: Final = 10
OVERFLOW: Final = 11
TIMESTAMP: Final = 12
"""A moment, in microseconds. This action and those behind it take values of every tag, and refuse most."""
UNIX_TIME: Final = 13
"""A moment, cut to the second below."""

# Members of the state.
POSITION: Final = 0
ROW: Final = 1
CAPACITY: Final = 2
"""Rows that every column has room for a value in."""
SIZE: Final = 3
"""Bytes of the block."""
ITEMS: Final = 4
EMPTY_OBJECTS: Final = 5
"""Lines that are `{}`: the service may or may not count them."""
TRUSTED: Final = 6
"""1 when strict_lines.py has checked the line."""
IN_ITEM: Final = 7
"""1 when the kernel stopped inside an item and will go on there."""
PREVIOUS: Final = 8
LINE_START: Final = 9
LINE_KINDS: Final = 10
"""Kinds read in this line so far."""
SERIAL: Final = 11
"""Number of the item, ever growing: tells whether an attribute was seen in this item."""
COLUMN: Final = 12
"""At GROW: the column; at SURPRISE, NOT_A_TIME, ODD_TIME and HAS_NUL: the kind."""
NAME_START: Final = 13
NAME_END: Final = 14
TAG_END: Final = 15
SPELLING_END: Final = 16
OVERFLOW_BEGIN: Final = 17
"""Where in the overflow column the item's object begins, relative to the column; -1 while the item has none."""
OVERFLOW_COLUMN: Final = 18
REASON: Final = 19
"""At NOT_A_TIME and ODD_TIME: why."""
CUT: Final = 20
"""1 when the item at hand has a time of which a part of a second was cut."""
CUTS: Final = 21
"""Items of which that was so."""
NUL_SERIAL: Final = 22
"""Number of the last item with a NUL in a text."""
NULLS_BAD_TIMES: Final = 23
"""1 when a value that is not a timestamp becomes null."""
CUTS_FINE_TIMES: Final = 24
"""1 when a timestamp is cut to the microsecond below."""
ODD_TIMES: Final = 25
"""1 when the item at hand has a value of which one of the two is so."""
WANTS_TIME: Final = 26
"""1 when each item should have a value for the column `time`."""
TIMED: Final = 27
"""Serial of the last item that has one."""
UNTIMED: Final = 28
"""Items without one, deletes apart."""
UNTIMED_DELETES: Final = 29
FIRST_UNTIMED: Final = 30
"""Where the line of the first of those items begins, in its block; -1 while there is none."""
DELETE_ATTRIBUTE: Final = 31
"""The number of the fact that a change is a delete; -1 while there was none."""
STATE_SIZE: Final = 32

# Facts of a kind; kind 0 is none and never matches.
KIND_START: Final = 0
"""Where its spelling begins."""
KIND_SIZE: Final = 1
"""Bytes of its spelling, `"price":{"N":"`."""
KIND_NAME_SIZE: Final = 2
"""Bytes of `"price":` in it."""
KIND_MASK: Final = 3
"""Which of its first 64 bytes must match, a bit each."""
KIND_NEXT: Final = 4
"""The kind that followed last."""
KIND_NEXT_BUT_ONE: Final = 5
"""The kind that followed before."""
KIND_ATTRIBUTE: Final = 6
KIND_TAG: Final = 7
KIND_ACTION: Final = 8
KIND_COLUMN: Final = 9
KIND_SCALE: Final = 10
KIND_SEEN: Final = 11
"""In the row of an *attribute*'s number: serial of the last item that has it."""
KIND_COUNT: Final = 12
KIND_INTEGER_DIGITS: Final = 13
KIND_DECIMALS: Final = 14
KIND_BEYOND_INT64: Final = 15
KIND_LONGEST: Final = 16
KIND_BINARY_INSIDE: Final = 17
"""1 when a B stood inside a map or a list, or a BS anywhere: as JSON it becomes base64 text."""
KIND_NULS: Final = 18
"""Texts with a NUL."""
KIND_MAGNITUDES: Final = 19
"""Of numbers that are times: a bit for each magnitude that occurs (unix_times.py)."""
KIND_BAD_TIMES: Final = 20
"""Values that became null because they are not times."""
KIND_FINE_TIMES: Final = 21
"""Times that were cut to the microsecond below."""
KIND_NUL_SERIAL: Final = 22
"""Number of the last item that has a text with a NUL in this kind."""
KIND_NUL_POLICY: Final = 23
"""What becomes of the NUL: NUL_KEPT, NUL_DROPPED, NUL_REPLACED or NUL_REFUSED."""
KIND_UNIT: Final = 24
"""Of numbers that are times: 0 while the unit is open; 1 to 4 for s, ms, us, ns, found in the data; 5 to 8, given."""
KIND_BAD_NOTED: Final = 25
"""How many bad times have been noted."""
KIND_FINE_NOTED: Final = 26
KIND_BAD_SERIAL: Final = 27
"""Serial of the last item with a bad time."""
KIND_FINE_SERIAL: Final = 28
KIND_FACTS: Final = 29

NUL_KEPT: Final = 0
NUL_DROPPED: Final = 1
NUL_REPLACED: Final = 2
NUL_REFUSED: Final = 3


# Facts of a column; column 0 is the sink.
COLUMN_START: Final = 0
COLUMN_LIMIT: Final = 1
"""Where its slice of the arena ends."""
COLUMN_USED: Final = 2
"""Bytes in use, of a text column."""
COLUMN_PRESENT: Final = 3
"""Rows with a value."""
COLUMN_ROOM: Final = 4
"""Values that there is room for. A row has one at most, so the kernel looks at CAPACITY only, once a row."""
COLUMN_LENGTHS: Final = 5
"""Where its lengths begin, of a text column."""
COLUMN_BITS: Final = 6
"""Bits that a value takes; 0 for text."""
COLUMN_NEXT: Final = 7
"""Value that the CSV kernel writes next."""
COLUMN_NEXT_BYTE: Final = 8
"""Where in the arena that value begins, relative to COLUMN_START."""
COLUMN_PLAIN: Final = 9
"""1 for a column whose values go into Parquet pages as they are: doubles."""
COLUMN_STEP: Final = 10
"""1; 0 for a text column whose one value is that of every row (CSV)."""
COLUMN_SCALE: Final = 11
"""Decimals of a decimal."""
COLUMN_FORM: Final = 12
"""How CSV has a value that is neither text nor a number: AS_BASE64, AS_TIME; else 0."""
COLUMN_LINK: Final = 13
"""The next column that has a value in the eight rows that the CSV kernel is at, or the number of columns."""
COLUMN_FACTS: Final = 14

AS_BASE64: Final = 1
AS_TIME: Final = 2

# Members of the state of the CSV kernel.
NEXT_ROW: Final = 0
"""The row to go on with."""
WRITTEN: Final = 1
"""Bytes in the output."""
NEEDED: Final = 2
"""Bytes that the next row may take, when the output had no room for it; else 0."""
EMPTY_LINE: Final = 3
"""1 when the next row would be an empty line."""
ROWS_STATE_SIZE: Final = 4

NULL_WORDS: Final = ("na", "n/a", "nan", "nil", "null", "none", "-nan", "1.#ind", "1.#qnan", "-1.#ind", "-1.#qnan")
"""Texts, in any case, that some readers of CSV take for null unless they are quoted; of 8 bytes at most."""

# Members of the state of the kernels for Parquet pages.
PAGE_ROW: Final = 0
"""The row that the next page begins with."""
PAGE_VALUE: Final = 1
"""Its first value."""
PAGE_BYTE: Final = 2
"""Where that value begins, relative to COLUMN_START."""
PAGE_WRITTEN: Final = 3
"""Bytes of the page; 0 when the output had no room."""
PAGE_NEEDED: Final = 4
"""Bytes that the output must hold."""
LEAST_AT: Final = 5
"""Where the least value begins, relative to COLUMN_START, or NONE."""
LEAST_SIZE: Final = 6
GREATEST_AT: Final = 7
GREATEST_SIZE: Final = 8
PAGE_COMPATIBLE: Final = 9
"""1 when int64 and text are written PLAIN, which every reader of Parquet knows."""
PAGE_JUDGED: Final = 10
"""For a dictionary: how many values decide whether it is worth it."""
PAGES_STATE_SIZE: Final = 11
NONE: Final = -1


# Members of the state of the kernel for changes.
CHANGE_POSITION: Final = 0
"""Of the line to go on with."""
CHANGE_SIZE: Final = 1
"""Bytes of the block."""
CHANGE_WRITTEN: Final = 2
"""Bytes of item lines in the output."""
CHANGE_KEYS: Final = 3
"""How many key attributes items have."""
CHANGE_OLD_IMAGES: Final = 4
"""1 when the export's view has old images."""
CHANGE_STATE_SIZE: Final = 5

# The phrases of that kernel: what it expects in lines, and what it writes.
HEAD: Final = 0
KEYS: Final = 1
OLD_IMAGE: Final = 2
NEW_IMAGE: Final = 3
OLD_OPEN: Final = 4
INSERT_OPEN: Final = 5
UPDATE_OPEN: Final = 6
DELETE_OPEN: Final = 7
PUT_OPEN: Final = 8
ITEM_OPEN: Final = 9
KEY: Final = 10
"""The spelling of the first key, `"id":{"S":"`; that of the second is the next."""

# Facts of a phrase.
PHRASE_START: Final = 0
PHRASE_SIZE: Final = 1
PHRASE_MASK: Final = 2
"""Which of its first 64 bytes must match, a bit each."""
PHRASE_TAG: Final = 3
"""Of a key: its type."""
PHRASE_FACTS: Final = 4

CHANGE_ROOM: Final = 256
"""Bytes by which an item line may be longer than the line of its change, padding included."""


# Members of the state of the kernels for touched keys; the first two are as for changes.
TOUCH_POSITION: Final = 0
TOUCH_SIZE: Final = 1
TOUCH_KEYS: Final = 2
"""How many key attributes items have."""
TOUCH_NOTES: Final = 3
"""1 when changes are to be noted, 0 when they are only asked about."""
TOUCH_ORDER: Final = 4
"""The number of the increment that is read: a later one has a higher number."""
TOUCH_TIME: Final = 5
"""When the change was written, in microseconds."""
TOUCH_DELETES: Final = 6
"""1 when the change deletes its item."""
TOUCH_COUNT: Final = 7
"""Keys that are noted."""
TOUCH_BYTES: Final = 8
"""Bytes of their values."""
TOUCH_DROPPED: Final = 9
"""Lines that were blanked."""
TOUCH_STOPS: Final = 10
"""1 to give FOUND for each item of the base that is touched."""
TOUCH_OLD_IMAGES: Final = 11
"""1 when the view of the increment that is read has old images."""
TOUCH_STATE_SIZE: Final = 12

# Facts of a touched key.
KEY_START: Final = 0
KEY_FIRST_SIZE: Final = 1
"""Bytes of the first of its values."""
KEY_SIZE: Final = 2
"""Bytes of all."""
KEY_HASH: Final = 3
KEY_ORDER: Final = 4
"""Of the last change: its increment."""
KEY_TIME: Final = 5
KEY_DELETED: Final = 6
KEY_SEEN: Final = 7
"""1 when the base has an item with this key."""
KEY_FACTS: Final = 8


class Touched(NamedTuple):
    """The keys that changes name.

    slots: their numbers, from 1 on, by hash; values: one after the other; facts: KEY_…; secret: of the hash.
    """

    slots: NDArray[np.int64]
    values: Bytes
    facts: NDArray[np.int64]
    secret: Words


class Phrases(NamedTuple):
    """spellings: their bytes, one behind the other with 64 bytes of padding; facts: PHRASE_… of each."""

    spellings: Bytes
    facts: NDArray[np.int64]


class Kinds(NamedTuple):
    """What is known of each kind.

    spellings: their bytes, one behind the other with 64 bytes of padding; table: hash of a spelling to its kind;
    line: the kinds of the item at hand; facts: KIND_… of each; secret: of the hash.
    """

    spellings: Bytes
    table: NDArray[np.int64]
    line: NDArray[np.int64]
    facts: NDArray[np.int64]
    secret: Words


class Columns(NamedTuple):
    """The buffers of a batch; see the module's docstring. facts: COLUMN_… of each."""

    arena: Bytes
    lengths: NDArray[np.int32]
    validity: Bytes
    facts: NDArray[np.int64]


class Scratch(NamedTuple):
    """Working memory of one decoder.

    number: the plain form of a number that was written otherwise. closers: per open map or list its closing
    byte. names: hashes of the names in all open maps, innermost last; marks: per open map where its names begin.
    binary: its one member is 1 when the document at hand has binary inside. secret: of the hashes.
    """

    number: Bytes
    closers: Bytes
    names: NDArray[np.uint64]
    marks: NDArray[np.int64]
    binary: Bytes
    secret: Words
