"""The table of changed keys: it agrees with a dict, for keys of one and two values, while it grows."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.kernels.bindings import find_key, find_rows, index_keys, record_key
from converter.kernels.layout import DONE, DUPLICATE_CHANGE, GROW, ROOM, State
from converter.kernels.merge import key_table
from converter.kernels.merge.key_table import KeyTable
from converter.kernels.scratch import new_secret
from tests.unit.decode.decoding import padded

Key = tuple[bytes, bytes]
# Values that differ in one byte, in their size, or only in where the first one ends.
VALUES = st.sampled_from([b"", b"a", b"b", b"aa", b"ab", b"a" * 64, b"a" * 64 + b"b", b"a" * 63 + b"b", b"x" * 200])
CHANGES = st.lists(
    st.tuples(st.tuples(VALUES, VALUES), st.integers(0, 2), st.integers(0, 4), st.booleans()), max_size=40
)


def new_table(keys: int, size: int = 1 << 14) -> KeyTable:
    facts = np.zeros((keys, key_table.KEY_FACTS), np.int64)
    slots = np.zeros(1 << max(2 * keys - 1, 1).bit_length(), np.int64)
    return KeyTable(slots, np.zeros(size, np.uint8), facts, new_secret())


def new_state(*, records: bool) -> State:
    state = np.zeros(key_table.MERGE_STATE_SIZE, np.int64)
    state[key_table.MERGE_RECORDS] = records
    return state


def call(key: Key, order: int, time: int, deletes: bool, table: KeyTable, state: State) -> int:
    state[[key_table.MERGE_ORDER, key_table.MERGE_TIME, key_table.MERGE_DELETES]] = order, time, deletes
    text = b"".join(key)
    return record_key(padded(text), len(key[0]), len(text), table, state)


def find(key: Key, table: KeyTable) -> int:
    text = b"".join(key)
    return find_key(padded(text), len(key[0]), len(text), table)


@given(CHANGES)
def test_the_last_change_of_each_key_is_kept(changes: list[tuple[Key, int, int, bool]]) -> None:
    table, state = new_table(100), new_state(records=True)
    last: dict[Key, tuple[int, int, bool]] = {}
    for key, order, time, deletes in changes:
        expected = DUPLICATE_CHANGE if last.get(key, (-1, -1))[:2] == (order, time) else DONE
        assert call(key, order, time, deletes, table, state) == expected
        if expected == DONE and (key not in last or (order, time) > last[key][:2]):
            last[key] = order, time, deletes
    assert state[key_table.MERGE_COUNT] == len(last)
    asks = new_state(records=False)
    for number, (key, (order, time, deletes)) in enumerate(last.items(), 1):
        assert find(key, table) == number
        for other_order, other_time in ((order, time), (order, time + 1), (order + 1, time), (order - 1, time)):
            in_force = (other_order, other_time) == (order, time)
            assert call(key, other_order, other_time, deletes, table, asks) == int(in_force and not deletes)
            assert call(key, other_order, other_time, True, table, asks) == 0
    assert find((b"not", b"there"), table) == 0
    assert call((b"not", b"there"), 0, 0, False, table, asks) == 0


def test_a_full_table_is_left_as_it_is_and_found_again_in_more_slots() -> None:
    keys = [(f"k{n}".encode(), b"s") for n in range(50)]
    table, state = new_table(25), new_state(records=True)
    statuses = [call(key, 0, 1, False, table, state) for key in keys]
    assert statuses == [DONE] * 25 + [GROW] * 25
    larger = new_table(50)._replace(values=table.values, secret=table.secret)
    larger.facts[:25] = table.facts
    index_keys(larger, state)
    assert [find(key, larger) for key in keys] == [*range(1, 26), *[0] * 25]
    assert {call(key, 0, 2, False, larger, state) for key in keys} == {DONE}
    assert [find(key, larger) for key in keys] == [*range(1, 51)]


def test_values_are_not_written_where_there_is_no_room() -> None:
    table, state = new_table(10, size=2 * ROOM + 5), new_state(records=True)
    assert call((b"abc", b"de"), 0, 1, False, table, state) == DONE
    assert call((b"f", b""), 0, 1, False, table, state) == GROW
    assert (state[key_table.MERGE_COUNT], state[key_table.MERGE_BYTES]) == (1, 5)


@pytest.mark.parametrize("two", [False, True])
def test_rows_of_the_base_with_a_changed_key_are_marked(two: bool) -> None:
    rows: list[Key] = [(value, value[:2] if two else b"") for value in (b"", b"a", b"b", b"aa", b"x" * 100)]
    table, state = new_table(10), new_state(records=True)
    for key in rows[1:4:2]:
        call(key, 0, 1, False, table, state)
    call((b"absent", b"" if not two else b"ab"), 0, 1, False, table, state)
    firsts = [0, *accumulate(len(first) for first, _ in rows)]
    seconds = [firsts[-1], *(firsts[-1] + end for end in accumulate(len(second) for _, second in rows))]
    data = padded(b"".join(first for first, _ in rows) + b"".join(second for _, second in rows))
    unchanged = np.full(len(rows), 7, np.uint8)
    places = np.array(firsts, np.int64), np.array(seconds if two else [], np.int64)
    assert find_rows(data, *places, table, unchanged) == 2
    assert unchanged.tolist() == [1, 0, 1, 0, 1]
    assert table.facts[:3, key_table.KEY_SEEN].tolist() == [1, 1, 0]
