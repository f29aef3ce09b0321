"""Phrases of lines for the kernels, and what unknown_members.py shares with Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from converter.kernels.layout import PHRASE_FACTS, PHRASE_TAG, Phrases

_ALL_64_BYTES = -1

# Members of the state of the kernel that takes unknown members out of lines.
TRIM_SIZE: Final = 0
"""Bytes of the lines."""
TRIM_MEMBERS: Final = 1
"""How many members the phrases are of; the key attributes are among the first."""
TRIM_KEYS: Final = 2
"""How many key attributes items have; 0 where no image has to be looked for."""
TRIM_NEEDS_IMAGE: Final = 3
"""1 if a change without an image must not have unknown members."""
TRIM_STATE_SIZE: Final = 4

# What a member is, in the place of a phrase's tag. 0 is a key attribute, and no member.
MEMBER_KNOWN: Final = 1
MEMBER_IMAGE: Final = 2
MEMBER_METADATA: Final = 3
MEMBER_UNKNOWN: Final = 4
MEMBER_OF_METADATA: Final = 5
MEMBER_UNKNOWN_OF_METADATA: Final = 6

MEMBER_FIRST_KEY: Final = 0
"""Where the phrases of key attributes begin, `"id":{"S":"`: there are two places for them."""
MOST_MEMBERS: Final = 64
"""Members of lines that the kernel can tell from each other, a bit for each."""


def new_phrases(texts: Mapping[int, str], count: int) -> Phrases:
    """Phrases by their numbers, below `count`; the others match nothing that kernels ask for."""
    facts = np.zeros((count, PHRASE_FACTS), np.int64)
    spellings = b""
    for number, text in sorted(texts.items()):
        spelling = text.encode(errors="surrogateescape")
        size = len(spelling)
        mask = (1 << size) - 1 if size < 64 else _ALL_64_BYTES
        facts[number, :PHRASE_TAG] = (len(spellings), size, mask)
        spellings += spelling + bytes(64)
    return Phrases(np.frombuffer(spellings, np.uint8).copy(), facts)
