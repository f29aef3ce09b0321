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
    CLOSE_MAP,
    COMMA,
    NEWLINE,
    NOT_UTF8,
    OPEN_MAP,
    QUOTE,
    SPACE,
)
from converter.kernels.condition_tests import (
    ABSENT,
    DROP,
    FILTER_DELETES,
    FILTER_DROPPED,
    FILTER_ENTRY,
    FILTER_POSITION,
    FILTER_SERIAL,
    FILTER_SIZE,
    PLACE_POSITION,
    PLACE_SEEN,
    PLACE_SERIAL,
    STEP_MASK,
    STEP_SIZE,
    STEP_START,
    TEST_ELSE,
    TEST_EXISTS,
    TEST_KIND,
    TEST_PATH,
    TEST_PYTHON,
    TEST_STEP,
    TEST_STEPS,
    TEST_THEN,
    ConditionTests,
)
from converter.kernels.layout import DONE, IRREGULAR, Scratch, State
from converter.kernels.parse.changes import find_map_end
from converter.kernels.parse.condition_values import bits_below, find_element, test_value
from converter.kernels.parse.documents import copy_document, read_tag
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.parse.strings import token_end
from converter.kernels.simd.words import (
    Bytes,
    byte,
    byte_mask,
    count_bits,
    find_newline,
    lowest_bit,
    put,
    starts_with,
    structure,
    word,
)
from converter.kernels.toolchain.decorators import inner, kernel
from converter.schema import tags

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_DELETE = np.uint64(int.from_bytes(b'"\xffdelete', "little"))
_ITEM = np.uint64(int.from_bytes(b'{"Item":', "little"))


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
        within = bits_below(end)
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
def _find_value(block: Bytes, item: int, tests: ConditionTests, test: int, copy: Bytes, scratch: Scratch) -> int:
    """Return where the typed value at the path of a test begins; ABSENT, or IRREGULAR. item: its opening brace."""
    step = tests.tests[np.uint64(test), TEST_STEP]
    last = step + tests.tests[np.uint64(test), TEST_STEPS]
    at = _find_member(block, item, tests, step)
    if at > ABSENT:
        tests.places[np.uint64(tests.tests[np.uint64(test), TEST_PATH]), PLACE_SEEN] = 1
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
            at = find_element(block, content, number, tests, test, copy, scratch) if tag == tags.L else ABSENT
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
            passed = test_value(block, at, tests, test, copy, scratch)
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
            deletes = np.int64(word(block, at + 9) == _DELETE)
            for k in range(at, end):
                put(block, k, SPACE)
            state[FILTER_DROPPED] += 1
            state[FILTER_DELETES] += deletes
        at = end + 1
    state[FILTER_POSITION] = at
    return DONE
