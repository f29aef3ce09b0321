"""The kernel for conditions: it blanks the lines of the items that do not satisfy one.

A condition is a graph of tests. Each test looks at one value, and names the test that follows if it is true, and the
one that follows if it is false. The graph ends with KEEP or DROP.

A line that is dropped is overwritten with spaces up to its newline, so that every other line stays where it is and
errors name its place. It is checked in full before that: the decoder will not read it, and a damaged line must not
disappear. Lines in another form than the service's, and tests that only Python knows, are irregular.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import (
    BACKSLASH,
    CLOSE_LIST,
    CLOSE_MAP,
    COMMA,
    MINUS,
    NEWLINE,
    NOT_UTF8,
    OPEN_LIST,
    OPEN_MAP,
    POINT,
    QUOTE,
    SPACE,
)
from converter.kernels.condition_tests import (
    ABSENT,
    DROP,
    FILTER_DROPPED,
    FILTER_ENTRY,
    FILTER_POSITION,
    FILTER_SERIAL,
    FILTER_SIZE,
    PLACE_POSITION,
    PLACE_SERIAL,
    STEP_MASK,
    STEP_SIZE,
    STEP_START,
    TEST_BEGINS,
    TEST_CONTAINS,
    TEST_ELSE,
    TEST_EQUAL,
    TEST_EXISTS,
    TEST_KIND,
    TEST_LESS,
    TEST_NOT_ABOVE,
    TEST_PATH,
    TEST_PYTHON,
    TEST_SIZE,
    TEST_START,
    TEST_STEP,
    TEST_STEPS,
    TEST_TAG,
    TEST_THEN,
    TEST_TYPE,
    ConditionTests,
)
from converter.kernels.layout import DONE, IRREGULAR, Scratch, State
from converter.kernels.parse.changes import find_map_end
from converter.kernels.parse.documents import bool_size, copy_document, read_tag
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.parse.numbers import normalize_number, plain_number
from converter.kernels.parse.strings import copy_string, token_end
from converter.kernels.simd.words import (
    Bytes,
    byte,
    byte_mask,
    count_bits,
    equal_mask,
    equal_range,
    find_newline,
    lowest_bit,
    put,
    starts_with,
    structure,
    word,
)
from converter.kernels.toolchain.decorators import inlined, inner, kernel
from converter.schema import tags

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_ITEM = np.uint64(int.from_bytes(b'{"Item":', "little"))


@inlined
def _below(k: int) -> np.uint64:
    """Return the bits below bit k; all bits for 64."""
    return (_ONE << np.uint64(k)) - _ONE if k < 64 else ~_NOTHING


@inner
def _find_member(block: Bytes, at: int, tests: ConditionTests, step: int) -> int:
    """Return where the value of a member of the map that opens at `at` begins; ABSENT, or IRREGULAR.

    Only names are compared: strings that open while one brace is open. Names with escapes are irregular, unless the
    member was found in front of them: they may spell the same name.
    """
    start = tests.steps[np.uint64(step), STEP_START]
    size = tests.steps[np.uint64(step), STEP_SIZE]
    mask = np.uint64(tests.steps[np.uint64(step), STEP_MASK])
    letter = byte(tests.texts, start + 1)
    depth = 0
    inside = _NOTHING
    escaped = _NOTHING
    while True:
        quotes, strings, opened, closed, inside, escaped = structure(block, at, inside, escaped)
        end = find_map_end(block, at, quotes, opened, closed, depth)
        within = _below(end)
        slashes = byte_mask(block, at, BACKSLASH) & within
        found = quotes & strings & byte_mask(block, at + 1, letter) & within
        while found | slashes != _NOTHING:
            k = lowest_bit(found | slashes)
            bit = _ONE << np.uint64(k)
            before = bit - _ONE
            if depth + count_bits(opened & before) - count_bits(closed & before) == 1:
                if slashes & bit != _NOTHING:
                    return IRREGULAR
                if starts_with(block, at + k, tests.texts, start, size, mask):
                    return at + k + size
            found &= ~bit
            slashes &= ~bit
        newlines = byte_mask(block, at, NEWLINE) & within
        if newlines != _NOTHING:
            return IRREGULAR
        if end < 64:
            return ABSENT
        depth += count_bits(opened) - count_bits(closed)
        at += 64


@inner
def _compare_bytes(left: Bytes, i: int, i_end: int, right: Bytes, j: int, j_end: int) -> int:
    """Return -1, 0 or 1 as left[i:i_end] is less than, equal to, or greater than right[j:j_end], byte by byte."""
    shorter = min(i_end - i, j_end - j)
    k = 0
    while k < shorter:
        differs = ~equal_mask(left, i + k, right, j + k)
        if differs != _NOTHING:
            k += lowest_bit(differs)
            break
        k += 64
    if k < shorter:
        return -1 if byte(left, i + k) < byte(right, j + k) else 1
    if i_end - i == j_end - j:
        return 0
    return -1 if i_end - i < j_end - j else 1


@inner
def _point(data: Bytes, at: int, end: int) -> int:
    """Return the position of the decimal point in data[at:end], or `end`."""
    while at < end and byte(data, at) != POINT:
        at += 1
    return at


@inner
def _compare_numbers(left: Bytes, i: int, i_end: int, right: Bytes, j: int, j_end: int) -> int:
    """The same for two numbers in plain form, by their values.

    Of two positive numbers the one with more integer digits is greater. With equally many, the texts compare as the
    numbers do: a decimal point is in the same place or at the end, and decimals never end with zeros.
    """
    sign = 1
    if byte(left, i) == MINUS:
        if byte(right, j) != MINUS:
            return -1
        sign = -1
        i += 1
        j += 1
    elif byte(right, j) == MINUS:
        return 1
    digits = _point(left, i, i_end) - i
    other = _point(right, j, j_end) - j
    if digits != other:
        return -sign if digits < other else sign
    return sign * _compare_bytes(left, i, i_end, right, j, j_end)


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
        return end + 1, _compare_numbers(block, at + 1, end, tests.texts, start, start + size)
    written = normalize_number(block, at + 1, end, scratch.number)
    if written < 0:
        return IRREGULAR, 0
    return end + 1, _compare_numbers(scratch.number, 0, written, tests.texts, start, start + size)


@inner
def _search(data: Bytes, at: int, end: int, texts: Bytes, start: int, size: int) -> bool:
    """Return whether data[at:end] contains texts[start : start + size]."""
    if size == 0:
        return True
    first = byte(texts, start)
    while at + size <= end:
        found = byte_mask(data, at, first)
        while found != _NOTHING:
            k = lowest_bit(found)
            found &= found - _ONE
            if at + k + size > end:
                return False
            if equal_range(data, at + k, texts, start, size):
                return True
        at += 64
    return False


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
        return after, 0 if _search(data, first, last, tests.texts, start, size) else 1
    if kind == TEST_BEGINS:
        last = min(last, first + size)
    return after, _compare_bytes(data, first, last, tests.texts, start, start + size)


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
def _find_element(
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
        braces = (opened | closed) & _below(newline)
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
        found = _find_element(block, at, -1, tests, test, copy, scratch)
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
def _test_value(block: Bytes, at: int, tests: ConditionTests, test: int, copy: Bytes, scratch: Scratch) -> int:
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


@inner
def _find_value(block: Bytes, item: int, tests: ConditionTests, test: int, copy: Bytes, scratch: Scratch) -> int:
    """Return where the typed value at the path of a test begins; ABSENT, or IRREGULAR. item: its opening brace."""
    step = tests.tests[np.uint64(test), TEST_STEP]
    last = step + tests.tests[np.uint64(test), TEST_STEPS]
    at = _find_member(block, item, tests, step)
    step += 1
    while step < last and at > ABSENT:
        tag, content = read_tag(block, at)
        if tag < 0:
            return IRREGULAR
        size = tests.steps[np.uint64(step), STEP_SIZE]
        if size > 0:
            at = _find_member(block, content, tests, step) if tag == tags.M else ABSENT
        else:
            number = tests.steps[np.uint64(step), STEP_START]
            at = _find_element(block, content, number, tests, test, copy, scratch) if tag == tags.L else ABSENT
        step += 1
    return at


@inner
def _is_kept(block: Bytes, item: int, tests: ConditionTests, state: State, copy: Bytes, scratch: Scratch) -> int:
    """Return KEEP or DROP for the item whose attributes open at `item`; or IRREGULAR."""
    state[FILTER_SERIAL] += 1
    test = state[FILTER_ENTRY]
    while test >= 0:
        if tests.tests[np.uint64(test), TEST_KIND] == TEST_PYTHON:
            return IRREGULAR
        path = np.uint64(tests.tests[np.uint64(test), TEST_PATH])
        if tests.places[path, PLACE_SERIAL] != state[FILTER_SERIAL]:
            found = _find_value(block, item, tests, test, copy, scratch)
            if found < 0:
                return IRREGULAR
            tests.places[path, PLACE_SERIAL] = state[FILTER_SERIAL]
            tests.places[path, PLACE_POSITION] = found
        at = tests.places[path, PLACE_POSITION]
        passed = np.int64(at != ABSENT)
        if at != ABSENT and tests.tests[np.uint64(test), TEST_KIND] != TEST_EXISTS:
            passed = _test_value(block, at, tests, test, copy, scratch)
            if passed < 0:
                return IRREGULAR
        test = tests.tests[np.uint64(test), TEST_THEN if passed == 1 else TEST_ELSE]
    return test


@inner
def _is_whole(block: Bytes, item: int, end: int, copy: Bytes, scratch: Scratch) -> bool:
    """Return whether block[item:end] is a map of valid typed values and the brace that closes the line's object.

    The facts of a change are in front of the attributes, under names that are not UTF-8: the old image is checked
    apart, and the others are our own.
    """
    form = (False, False, True)
    at = item + 1
    while byte(block, at) == QUOTE and byte(block, at + 1) == NOT_UTF8:
        name = token_end(block, at + 2)
        tag, content = read_tag(block, name + 2)
        if name < 0 or tag < 0:
            return False
        at, _ = copy_document(block, content, tag, copy, 0, copy.size, form, scratch)
        if at < 0 or byte(block, at) != CLOSE_MAP or byte(block, at + 1) != COMMA:
            return False
        at += 2
    if at == item + 1:
        at = item
    else:
        # The comma in front of the first attribute becomes the brace that opens them, as long as they are checked.
        at -= 1
        put(block, at, OPEN_MAP)
    stop, _ = copy_document(block, at, tags.M, copy, 0, copy.size, form, scratch)
    if at != item:
        put(block, at, COMMA)
    return stop == end - 1 and byte(block, stop) == CLOSE_MAP


@kernel
def filter_items(block: Bytes, tests: ConditionTests, state: State, copy: Bytes, scratch: Scratch) -> int:
    """Blank the lines from state[FILTER_POSITION] on whose items do not satisfy the condition.

    copy: room for the values of a line. DONE at the end of the block. At IRREGULAR, the position is that of the line.
    """
    at = state[FILTER_POSITION]
    while at < state[FILTER_SIZE]:
        state[FILTER_POSITION] = at
        after, _ = empty_line(block, at)
        if after > 0:
            at = after
            continue
        if word(block, at) != _ITEM or byte(block, at + 8) != OPEN_MAP:
            return IRREGULAR
        kept = _is_kept(block, at + 8, tests, state, copy, scratch)
        if kept == IRREGULAR:
            return IRREGULAR
        end = find_newline(block, at)
        if kept == DROP:
            if not _is_whole(block, at + 8, end, copy, scratch):
                return IRREGULAR
            for k in range(at, end):
                put(block, k, SPACE)
            state[FILTER_DROPPED] += 1
        at = end + 1
    state[FILTER_POSITION] = at
    return DONE
