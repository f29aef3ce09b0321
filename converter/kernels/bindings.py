"""The kernels as functions for Python: they take arrays, and run outside of the GIL.

A caller that calls a kernel often with the same arrays gets one for itself by `bind_…`: see Kernel in library.py.

Bounds-checked runs call the same kernels through Numba, which raises IndexError for an access outside of an array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from converter.kernels.condition_tests import ConditionTests
from converter.kernels.form import BOUNDS_CHECKED
from converter.kernels.layout import Bytes, Columns, Fields, PageScratch, Scratch, State, Table, Words
from converter.kernels.library import Kernel
from converter.kernels.line_patterns import Patterns
from converter.kernels.merge.key_table import KeyTable


def bind_decode_items() -> Callable[[Bytes, Fields, Columns, State, Scratch], int]:
    """decode_items(block, fields, columns, state, scratch), for one decoder; see parse/items.py."""
    return _find("decode_items")


def bind_translate_changes() -> Callable[[Bytes, Patterns, Bytes, State], int]:
    """translate_changes(block, patterns, out, state), for one decoder; see parse/changes.py."""
    return _find("translate_changes")


def bind_translate_ion() -> Callable[[Bytes, Bytes, State, Scratch], int]:
    """translate_ion(block, out, state, scratch), for one reader; see parse/ion_lines.py."""
    return _find("translate_ion")


def bind_merge_lines() -> Callable[[Bytes, Patterns, KeyTable, State, Bytes, Scratch], int]:
    """merge_lines(block, patterns, changed, state, copy, scratch), for one reader; see merge/superseded_lines.py."""
    return _find("merge_lines")


def bind_remove_unknown_members() -> Callable[[Bytes, Patterns, Bytes, State, Scratch], int]:
    """remove_unknown_members(block, patterns, out, state, scratch), for one reader; see parse/unknown_members.py."""
    return _find("remove_unknown_members")


def bind_filter_items() -> Callable[[Bytes, ConditionTests, State, Bytes, Scratch], int]:
    """filter_items(block, tests, state, copy, scratch), for one reader; see parse/conditions.py."""
    return _find("filter_items")


def record_key(key: Bytes, first_size: int, size: int, changed: KeyTable, state: State) -> int:
    """Record one change of a key, or look it up; see merge/changed_keys.py."""
    return _call("record_key", key, first_size, size, changed, state)


def find_key(key: Bytes, first_size: int, size: int, changed: KeyTable) -> int:
    """Return the number of a changed key, or 0; see merge/changed_keys.py."""
    return _call("find_key", key, first_size, size, changed)


def find_rows(data: Bytes, firsts: State, seconds: State, changed: KeyTable, unchanged: Bytes) -> int:
    """Count the rows that have a changed key, and mark the others; see merge/changed_keys.py."""
    return _call("find_rows", data, firsts, seconds, changed, unchanged)


def index_keys(changed: KeyTable, state: State) -> None:
    """Fill empty slots with the keys of the table; see merge/changed_keys.py."""
    _call("index_keys", changed, state)


def rollback_item(fields: Fields, columns: Columns, state: State) -> None:
    """Undo what the item at hand has written, so that its line can be read again; see parse/items.py."""
    _call("rollback_item", fields, columns, state)


def bind_find_slot() -> Callable[[Bytes, int, int, Fields], int]:
    """find_slot(data, at, size, fields), for one registry: the slot that has a spelling, or the empty one for it."""
    return _find("find_slot")


def index_fields(fields: Fields, count: int) -> None:
    """Fill empty slots with the fields 1 to `count`, not included; see parse/items.py."""
    _call("index_fields", fields, count)


def line_end(data: Bytes, at: int) -> int:
    """Return the position of the next newline, which every line of a block has."""
    return _call("line_end", data, at)


def write_rows(columns: Columns, rows: int, enough: int, present: State, out: Bytes, state: State) -> None:
    """Write rows from state[CSV_ROW] on to `out`, until there are enough bytes; see encode/csv_rows.py."""
    _call("write_rows", columns, rows, enough, present, out, state)


def move_values(old: Columns, new: Columns) -> None:
    """Copy the values of all columns to their places in other buffers; see parse/moves.py."""
    _call("move_values", old, new)


def bind_encode_chunks() -> Callable[[Columns, int, int, PageScratch, Bytes, Table, Table, State], int]:
    """encode_chunks(columns, last, rows, scratch, out, pages, chunks, state); see encode/column_chunks.py."""
    return _find("encode_chunks")


def bind_put_page_headers() -> Callable[[Table, Table, Bytes, State], int]:
    """put_page_headers(pages, chunks, out, state); see encode/column_chunks.py."""
    return _find("put_page_headers")


def bind_put_chunk_metadata() -> Callable[[Columns, int, int, Bytes, State, Table, Bytes, State], int]:
    """put_chunk_metadata(columns, last, rows, names, name_ends, chunks, out, state); see the same."""
    return _find("put_chunk_metadata")


def bind_encode_page() -> Callable[[Columns, int, int, int, Words, Bytes, int, State], int]:
    """encode_page(columns, column, rows, limit, numbers, out, begin, state); see encode/parquet_pages.py."""
    return _find("encode_page")


def bind_encode_dictionary() -> Callable[[Columns, int, PageScratch, Bytes, int, int, State], int]:
    """encode_dictionary(columns, column, scratch, out, begin, limit, state); see the same."""
    return _find("encode_dictionary")


def bind_encode_indices() -> Callable[[Columns, int, int, int, PageScratch, Bytes, int, State], int]:
    """encode_indices(columns, column, rows, entries, scratch, out, begin, state); see the same."""
    return _find("encode_indices")


def _call(name: str, *arguments: object) -> int:
    return _find(name)(*arguments)


def _find(name: str) -> Callable[..., int]:
    if BOUNDS_CHECKED:
        from converter.kernels.encode import column_chunks, csv_rows, parquet_pages
        from converter.kernels.merge import changed_keys, superseded_lines
        from converter.kernels.parse import changes, conditions, ion_lines, items, moves, unknown_members

        modules = (items, changes, ion_lines, moves, changed_keys, superseded_lines, unknown_members, conditions)
        owners = [module for module in (*modules, column_chunks, parquet_pages, csv_rows) if hasattr(module, name)]
        return cast(Callable[..., int], getattr(owners[0], name))
    return Kernel(name)
