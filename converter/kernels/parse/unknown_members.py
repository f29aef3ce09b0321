"""The kernel that removes unknown members from lines, so that the other kernels can read them.

    {"Metadata":{…},"Keys":{…},"UserIdentity":{"type":"Service"},"NewImage":{…}}

becomes, with the same size and in the same place,

    {"Metadata":{…},"Keys":{…},"NewImage":{…}}

with newlines after it, which are blank lines. A member is removed only if Python has seen and accepted its name before,
and if its value is valid JSON. Other lines stay as they are.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import CLOSE_MAP, COMMA, NEWLINE, OPEN_MAP, QUOTE
from converter.kernels.layout import IRREGULAR, Scratch, State
from converter.kernels.line_patterns import (
    MEMBER_FIRST_KEY,
    MEMBER_IMAGE,
    MEMBER_METADATA,
    MEMBER_OF_METADATA,
    MEMBER_UNKNOWN,
    MEMBER_UNKNOWN_OF_METADATA,
    MEMBERS_COUNT,
    MEMBERS_KEYS,
    MEMBERS_NEED_IMAGE,
    MEMBERS_SIZE,
    PATTERN_SIZE,
    PATTERN_START,
    PATTERN_TAG,
    Patterns,
)
from converter.kernels.parse.changes import map_end, matches
from converter.kernels.parse.json_values import json_end
from converter.kernels.simd.words import Bytes, byte, byte_mask, copy_range, find_newline, lowest_bit, put
from converter.kernels.toolchain.decorators import inlined, inner, kernel

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)


@inner
def _pattern_in(block: Bytes, at: int, end: int, patterns: Patterns, pattern: int) -> bool:
    """Return whether the pattern, which begins with a quote, occurs in block[at:end].

    The quote and the letter after it are searched for, 64 positions at a time.
    """
    letter = byte(patterns.spellings, patterns.facts[np.uint64(pattern), PATTERN_START] + 1)
    while at < end:
        found = byte_mask(block, at, QUOTE) & byte_mask(block, at + 1, letter)
        while found != _NOTHING:
            k = lowest_bit(found)
            found &= found - _ONE
            if at + k < end and matches(block, at + k, patterns, pattern):
                return True
        at += 64
    return False


@inner
def _may_be_image(block: Bytes, at: int, end: int, patterns: Patterns, state: State) -> bool:
    """Return whether the value block[at:end] may have the keys of an item, as an image has; Python finds out."""
    for k in range(state[MEMBERS_KEYS]):
        if not _pattern_in(block, at, end, patterns, MEMBER_FIRST_KEY + k):
            return False
    return bool(state[MEMBERS_KEYS] > 0)


@inlined
def _member_at(block: Bytes, at: int, patterns: Patterns, state: State, inside: bool) -> int:
    """Return the number of the member whose name is at `at`, of the line or inside of its Metadata; or IRREGULAR."""
    for k in range(state[MEMBERS_COUNT]):
        role = patterns.facts[np.uint64(k), PATTERN_TAG]
        of_metadata = role == MEMBER_OF_METADATA or role == MEMBER_UNKNOWN_OF_METADATA
        if of_metadata == inside and role != 0 and matches(block, at, patterns, k):
            return k
    return IRREGULAR


@inner
def _put_member(block: Bytes, at: int, end: int, out: Bytes, o: int) -> int:
    """Write a member to out[o:], after a comma unless it is the first of its object; gives the end."""
    if byte(out, o - 1) != OPEN_MAP:
        put(out, o, COMMA)
        o += 1
    return copy_range(out, o, block, at, end)


@inner
def _remove_from_metadata(
    block: Bytes, at: int, patterns: Patterns, out: Bytes, o: int, state: State, scratch: Scratch
) -> tuple[int, int]:
    """Copy the object that opens at `at` without its unknown members; (position after it or IRREGULAR, end in out)."""
    put(out, o, OPEN_MAP)
    o += 1
    seen = _NOTHING
    while True:
        at += 1
        member = _member_at(block, at, patterns, state, True)
        if member < 0 or seen & (_ONE << np.uint64(member)) != _NOTHING:
            return IRREGULAR, o
        seen |= _ONE << np.uint64(member)
        value = at + patterns.facts[np.uint64(member), PATTERN_SIZE]
        end = json_end(block, value, scratch)
        if end < 0 or _may_be_image(block, value, end, patterns, state):
            return IRREGULAR, o
        if patterns.facts[np.uint64(member), PATTERN_TAG] == MEMBER_OF_METADATA:
            o = _put_member(block, at, end, out, o)
        at = end
        if byte(block, at) == CLOSE_MAP:
            put(out, o, CLOSE_MAP)
            return at + 1, o + 1
        if byte(block, at) != COMMA:
            return IRREGULAR, o


@inner
def _remove_from_line(block: Bytes, at: int, patterns: Patterns, out: Bytes, state: State, scratch: Scratch) -> int:
    """Write the line at `at` to out[at:] without its unknown members; the position after its newline, or IRREGULAR."""
    if byte(block, at) != OPEN_MAP:
        return IRREGULAR
    o = at + 1
    put(out, at, OPEN_MAP)
    seen = _NOTHING
    images = 0
    known = 0
    unknown = 0
    while True:
        at += 1
        member = _member_at(block, at, patterns, state, False)
        if member < 0 or seen & (_ONE << np.uint64(member)) != _NOTHING:
            return IRREGULAR
        seen |= _ONE << np.uint64(member)
        role = patterns.facts[np.uint64(member), PATTERN_TAG]
        value = at + patterns.facts[np.uint64(member), PATTERN_SIZE]
        if role == MEMBER_UNKNOWN:
            end = json_end(block, value, scratch)
            if end < 0 or _may_be_image(block, value, end, patterns, state):
                return IRREGULAR
            unknown += 1
            known -= 1
        elif byte(block, value) != OPEN_MAP:
            return IRREGULAR
        elif role == MEMBER_METADATA:
            o = _put_member(block, at, value, out, o)
            end, o = _remove_from_metadata(block, value, patterns, out, o, state, scratch)
        else:
            end = map_end(block, value)
            if end >= 0:
                o = _put_member(block, at, end, out, o)
            if role == MEMBER_IMAGE:
                images += 1
        if end < 0:
            return IRREGULAR
        known += 1
        at = end
        if byte(block, at) == CLOSE_MAP:
            break
        if byte(block, at) != COMMA:
            return IRREGULAR
    # A line of unknown members alone is not an empty object.
    if byte(block, at + 1) != NEWLINE or known == 0:
        return IRREGULAR
    if unknown > 0 and images == 0 and state[MEMBERS_NEED_IMAGE] != 0:
        return IRREGULAR
    put(out, o, CLOSE_MAP)
    for k in range(o + 1, at + 2):
        put(out, k, NEWLINE)
    return at + 2


@kernel
def remove_unknown_members(block: Bytes, patterns: Patterns, out: Bytes, state: State, scratch: Scratch) -> int:
    """Copy whole lines, state[MEMBERS_SIZE] bytes, to `out` without their unknown members; gives how many stay as is.

    patterns: the members that are known, and those to remove, with their roles (MEMBER_…) as tags.
    """
    left = 0
    at = 0
    while at < state[MEMBERS_SIZE]:
        end = _remove_from_line(block, at, patterns, out, state, scratch)
        if end < 0:
            end = find_newline(block, at) + 1
            copy_range(out, at, block, at, end)
            left += 1
        at = end
    return left
