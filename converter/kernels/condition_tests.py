"""The memory that the kernel for conditions and Python share; see parse/conditions.py."""

from __future__ import annotations

from typing import Final, NamedTuple

from converter.kernels.layout import Bytes, Table

ABSENT: Final = 0
"""In place of the position of a value that an item does not have: no value is at the beginning of a block."""

# Ends of the graph of tests, in place of the number of another. -1 is IRREGULAR.
KEEP: Final = -2
DROP: Final = -3

# State of the kernel.
FILTER_POSITION: Final = 0
"""Where the next line of the block begins."""
FILTER_SIZE: Final = 1
"""Bytes of the block."""
FILTER_ENTRY: Final = 2
"""The first test."""
FILTER_DROPPED: Final = 3
"""Lines dropped so far."""
FILTER_SERIAL: Final = 4
"""The number of the item at hand, which always grows. A place with this number is of this item."""
FILTER_DELETES: Final = 5
"""Those of the dropped lines that are deletes, which have only keys."""
FILTER_STATE_SIZE: Final = 6

# Facts of a step of a path.
STEP_START: Final = 0
"""Where the spelling of the name begins, `"name":`; or the position in a list."""
STEP_SIZE: Final = 1
"""Bytes of the spelling; 0 for a position in a list."""
STEP_MASK: Final = 2
"""A bit for each of the first 64 bytes of the spelling."""
STEP_FACTS: Final = 3

# Facts of a test.
TEST_KIND: Final = 0
TEST_PATH: Final = 1
"""The number of its path: tests with the same one find the value once."""
TEST_STEP: Final = 2
"""The first step of its path."""
TEST_STEPS: Final = 3
"""The number of steps."""
TEST_TAG: Final = 4
"""The type tag of its literal, by schema/tags.py."""
TEST_START: Final = 5
"""Where the text of its literal begins: characters, or a number in plain form."""
TEST_SIZE: Final = 6
"""Bytes of that text; of BOOL, 1 for true and 0 for false."""
TEST_THEN: Final = 7
"""The next test if it is true, or KEEP or DROP."""
TEST_ELSE: Final = 8
TEST_FACTS: Final = 9

# Kinds of tests. The first one does not look at the value.
TEST_EXISTS: Final = 0
TEST_TYPE: Final = 1
TEST_EQUAL: Final = 2
TEST_LESS: Final = 3
TEST_NOT_ABOVE: Final = 4
TEST_BEGINS: Final = 5
TEST_CONTAINS: Final = 6
TEST_PYTHON: Final = 7
"""A test that only Python knows: each line that comes to it is irregular."""

# Facts of the place of a path's value in the item at hand.
PLACE_SERIAL: Final = 0
PLACE_POSITION: Final = 1
PLACE_SEEN: Final = 2
"""1 if an item has had the attribute that the path begins with."""
PLACE_FACTS: Final = 3


class ConditionTests(NamedTuple):
    """A condition. texts: spellings of names and literals, each with 64 bytes of padding after it.

    steps: STEP_… of each step. tests: TEST_… of each test. places: PLACE_… of each path.
    """

    texts: Bytes
    steps: Table
    tests: Table
    places: Table
