"""Kernels for the tests of a condition: whether a value passes one.

Functions return 1 for yes and 0 for no; IRREGULAR if the value is not as the service writes it.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import (
    CLOSE_LIST,
    COMMA,
    NEWLINE,
    OPEN_LIST,
    QUOTE,
)
from converter.kernels.condition_tests import (
    ABSENT,
    TEST_BEGINS,
    TEST_CONTAINS,
    TEST_EQUAL,
    TEST_KIND,
    TEST_LESS,
    TEST_NOT_ABOVE,
    TEST_SIZE,
    TEST_START,
    TEST_TAG,
    TEST_TYPE,
    ConditionTests,
)
from converter.kernels.layout import IRREGULAR, Scratch
from converter.kernels.parse.byte_order import compare_bytes, compare_numbers, contains_bytes
from converter.kernels.parse.documents import bool_size, read_tag
from converter.kernels.parse.numbers import normalize_number, plain_number
from converter.kernels.parse.strings import copy_string, token_end
from converter.kernels.simd.words import (
    Bytes,
    byte,
    byte_mask,
    lowest_bit,
    structure,
)
from converter.kernels.toolchain.decorators import inlined, inner
from converter.schema import tags

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)


@inlined
def bits_below(k: int) -> np.uint64:
    """Return the bits below bit k; all bits for 64."""
    return (_ONE << np.uint64(k)) - _ONE if k < 64 else ~_NOTHING


@inner
def _compare_number(
    block: Bytes, at: int, tests: ConditionTests, start: int, size: int, scratch: Scratch
) -> tuple[int, int]:
    """Compare the number in the JSON string that opens at `at` with a literal: (position after it, -1, 0 or 1)."""
    end = token_end(block, at + 1)
    if byte(block, at) != QUOTE or end < 0:
        return IRREGULAR, 0
    digits, _ = plain_number(block, at + 1, end)
    if digits >= 0:
        return end + 1, compare_numbers(block, at + 1, end, tests.texts, start, start + size)
    written = normalize_number(block, at + 1, end, scratch.number)
    if written < 0:
        return IRREGULAR, 0
    return end + 1, compare_numbers(scratch.number, 0, written, tests.texts, start, start + size)


@inner
def _test_text(block: Bytes, at: int, kind: int, tests: ConditionTests, test: int, copy: Bytes) -> tuple[int, int]:
    """Compare the JSON string that opens at `at` with the literal of a test.

    Gives the position after it, and -1, 0 or 1. At TEST_BEGINS and TEST_CONTAINS, 0 means yes.
    """
    if byte(block, at) != QUOTE:
        return IRREGULAR, 0
    start = tests.tests[np.uint64(test), TEST_START]
    size = tests.tests[np.uint64(test), TEST_SIZE]
    data, first = block, at + 1
    last = token_end(block, first)
    after = last + 1
    if last < 0:
        end, last = copy_string(block, first, copy, 0, copy.size, False)
        if end < 0:
            return IRREGULAR, 0
        data, first, after = copy, np.int64(0), end + 1
    if kind == TEST_CONTAINS:
        return after, 0 if contains_bytes(data, first, last, tests.texts, start, size) else 1
    if kind == TEST_BEGINS:
        last = min(last, first + size)
    return after, compare_bytes(data, first, last, tests.texts, start, start + size)


@inner
def _test_equal(block: Bytes, at: int, tests: ConditionTests, test: int, copy: Bytes, scratch: Scratch) -> int:
    """Return 1 if the typed value at `at` equals the literal of a test; 0, or IRREGULAR."""
    tag, content = read_tag(block, at)
    if tag < 0:
        return IRREGULAR
    if tag != tests.tests[np.uint64(test), TEST_TAG]:
        return 0
    start = tests.tests[np.uint64(test), TEST_START]
    size = tests.tests[np.uint64(test), TEST_SIZE]
    if tag == tags.S:
        after, order = _test_text(block, content, TEST_EQUAL, tests, test, copy)
        return IRREGULAR if after < 0 else np.int64(order == 0)
    if tag == tags.N:
        after, order = _compare_number(block, content, tests, start, size, scratch)
        return IRREGULAR if after < 0 else np.int64(order == 0)
    found = bool_size(block, content)
    # The literal `true` has one byte of text, `false` and `null` have none.
    return IRREGULAR if found < 0 else np.int64(tag == tags.NULL or (found == 4) == (size == 1))


@inner
def find_element(
    block: Bytes, at: int, number: int, tests: ConditionTests, test: int, copy: Bytes, scratch: Scratch
) -> int:
    """Return where element `number` of the list that opens at `at` begins; ABSENT, or IRREGULAR.

    If the number is negative: the first element that equals the literal of a test. Each element is in braces of its
    own. The list ends in front of a brace that closes more than was opened.
    """
    if byte(block, at) != OPEN_LIST:
        return IRREGULAR
    at += 1
    depth = 0
    inside = _NOTHING
    escaped = _NOTHING
    while True:
        _, _, opened, closed, inside, escaped = structure(block, at, inside, escaped)
        newline = lowest_bit(byte_mask(block, at, NEWLINE))
        braces = (opened | closed) & bits_below(newline)
        while braces != _NOTHING:
            k = lowest_bit(braces)
            braces &= braces - _ONE
            if closed >> np.uint64(k) & _ONE != _NOTHING:
                depth -= 1
                if depth < 0:
                    return ABSENT
                continue
            if depth == 0:
                if number == 0:
                    return at + k
                if number < 0:
                    found = _test_equal(block, at + k, tests, test, copy, scratch)
                    if found != 0:
                        return at + k if found > 0 else found
                number -= 1
            depth += 1
        if newline < 64:
            return IRREGULAR
        at += 64


@inner
def _test_members(
    block: Bytes, at: int, tag: int, tests: ConditionTests, test: int, copy: Bytes, scratch: Scratch
) -> int:
    """Return 1 if a member of the set or list that opens at `at` equals the literal; 0, or IRREGULAR."""
    wanted = tests.tests[np.uint64(test), TEST_TAG]
    start = tests.tests[np.uint64(test), TEST_START]
    size = tests.tests[np.uint64(test), TEST_SIZE]
    if tag == tags.L:
        found = find_element(block, at, -1, tests, test, copy, scratch)
        return found if found < 0 else np.int64(found != ABSENT)
    if (tag == tags.SS and wanted != tags.S) or (tag == tags.NS and wanted != tags.N) or tag == tags.BS:
        return 0
    if byte(block, at) != OPEN_LIST:
        return IRREGULAR
    at += 1
    while True:
        if tag == tags.NS:
            at, order = _compare_number(block, at, tests, start, size, scratch)
        else:
            at, order = _test_text(block, at, TEST_EQUAL, tests, test, copy)
        if at < 0:
            return IRREGULAR
        if order == 0:
            return 1
        if byte(block, at) == CLOSE_LIST:
            return 0
        if byte(block, at) != COMMA:
            return IRREGULAR
        at += 1


@inner
def test_value(block: Bytes, at: int, tests: ConditionTests, test: int, copy: Bytes, scratch: Scratch) -> int:
    """Return 1 if the typed value at `at` passes a test; 0, or IRREGULAR."""
    kind = tests.tests[np.uint64(test), TEST_KIND]
    if kind == TEST_EQUAL:
        return _test_equal(block, at, tests, test, copy, scratch)
    tag, content = read_tag(block, at)
    if tag < 0:
        return IRREGULAR
    wanted = tests.tests[np.uint64(test), TEST_TAG]
    if kind == TEST_TYPE:
        return np.int64(tag == wanted)
    if kind == TEST_CONTAINS and (tag == tags.L or tag == tags.SS or tag == tags.NS or tag == tags.BS):
        return _test_members(block, content, tag, tests, test, copy, scratch)
    if tag != wanted or (tag != tags.S and tag != tags.N):
        return 0
    if tag == tags.S:
        after, order = _test_text(block, content, kind, tests, test, copy)
    elif kind == TEST_CONTAINS:
        return 0
    else:
        start = tests.tests[np.uint64(test), TEST_START]
        size = tests.tests[np.uint64(test), TEST_SIZE]
        after, order = _compare_number(block, content, tests, start, size, scratch)
    if after < 0:
        return IRREGULAR
    if kind == TEST_LESS:
        return np.int64(order < 0)
    if kind == TEST_NOT_ABOVE:
        return np.int64(order <= 0)
    return np.int64(order == 0)
