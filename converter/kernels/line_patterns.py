"""Patterns that kernels search lines for: of changes (parse/changes.py), and of members (parse/unknown_members.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from converter.kernels.layout import Bytes, Table

_ALL_64_BYTES = -1

# Facts of a pattern.
PATTERN_START: Final = 0
"""Where its spelling begins."""
PATTERN_SIZE: Final = 1
"""Bytes of its spelling."""
PATTERN_MASK: Final = 2
"""A bit for each of its first 64 bytes."""
PATTERN_TAG: Final = 3
"""The type tag of a key, or the role of a member (MEMBER_…)."""
PATTERN_FACTS: Final = 4


class Patterns(NamedTuple):
    """spellings: the bytes of all patterns, each with 64 bytes of padding after it; facts: PATTERN_… of each."""

    spellings: Bytes
    facts: Table


def new_patterns(texts: Mapping[int, str], count: int) -> Patterns:
    """`count` patterns, the texts by their numbers. Numbers without a text are empty and must not be searched for."""
    facts = np.zeros((count, PATTERN_FACTS), np.int64)
    spellings = b""
    for number, text in sorted(texts.items()):
        spelling = text.encode(errors="surrogateescape")
        size = len(spelling)
        mask = (1 << size) - 1 if size < 64 else _ALL_64_BYTES
        facts[number, :PATTERN_TAG] = (len(spellings), size, mask)
        spellings += spelling + bytes(64)
    return Patterns(np.frombuffer(spellings, np.uint8).copy(), facts)


# Patterns of changes: what lines have.
METADATA_PATTERN: Final = 0
KEYS_PATTERN: Final = 1
OLD_IMAGE_PATTERN: Final = 2
NEW_IMAGE_PATTERN: Final = 3
ITEM_PATTERN: Final = 9
KEY_PATTERN: Final = 10
"""The spelling of the first key, `"id":{"S":"`. The next pattern is that of the second key."""

# And what item lines are made of.
OLD_IMAGE_TEXT: Final = 4
INSERT_TEXT: Final = 5
UPDATE_TEXT: Final = 6
DELETE_TEXT: Final = 7
PUT_TEXT: Final = 8

# State of parse/changes.py.
CHANGE_POSITION: Final = 0
"""Where the next line of the block begins."""
CHANGE_SIZE: Final = 1
"""Bytes of the block."""
CHANGE_WRITTEN: Final = 2
"""Bytes of item lines in the output."""
CHANGE_KEYS: Final = 3
"""The number of key attributes: 1 or 2."""
CHANGE_OLD_IMAGES: Final = 4
"""1 if the export's view has old images."""
CHANGE_STATE_SIZE: Final = 5

CHANGE_ROOM: Final = 256
"""Bytes by which an item line may be longer than the line of its change, padding included."""

# State of parse/unknown_members.py.
MEMBERS_SIZE: Final = 0
"""Bytes of the lines."""
MEMBERS_COUNT: Final = 1
"""The number of patterns; the key attributes are among the first."""
MEMBERS_KEYS: Final = 2
"""The number of key attributes; 0 if unknown members are not searched for images."""
MEMBERS_NEED_IMAGE: Final = 3
"""1 if a change without an image must not have unknown members."""
MEMBERS_STATE_SIZE: Final = 4

# Roles of members, in PATTERN_TAG. 0 is a key attribute, which is not a member.
MEMBER_KNOWN: Final = 1
MEMBER_IMAGE: Final = 2
MEMBER_METADATA: Final = 3
MEMBER_UNKNOWN: Final = 4
MEMBER_OF_METADATA: Final = 5
MEMBER_UNKNOWN_OF_METADATA: Final = 6

MEMBER_FIRST_KEY: Final = 0
"""The pattern of the first key attribute, `"id":{"S":`; two numbers are reserved for keys."""
MOST_MEMBERS: Final = 64
"""The most patterns of members: the kernel has a bit for each in one word."""
