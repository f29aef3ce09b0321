"""The kernels as Python calls them: with arrays, outside the GIL, in machine code from the cache.

`bind_…` gives the kernel for one caller, which calls it often with the same arrays.

Bounds-checked runs call the same functions through Numba, which turns an access past the end into an IndexError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from converter.kernels.layout import Bytes, Columns, Kinds, Phrases, Scratch, Touched, Words
from converter.kernels.toolchain.cache import BOUNDS_CHECKED
from converter.kernels.toolchain.loader import Kernel

State = NDArray[np.int64]


def bind_decode_items() -> Callable[[Bytes, Kinds, Columns, State, Scratch], int]:
    """decode_items(block, kinds, columns, state, scratch) for one decoder; see items.py."""
    return _find("decode_items")


def bind_translate_changes() -> Callable[[Bytes, Phrases, Bytes, State], int]:
    """translate_changes(block, phrases, out, state) for one decoder; see changes.py."""
    return _find("translate_changes")


def bind_pass_lines() -> Callable[[Bytes, Phrases, Touched, State, Bytes, Scratch], int]:
    """pass_lines(block, phrases, touched, state, copy, scratch) for one reader; see superseded_lines.py."""
    return _find("pass_lines")


def bind_trim_lines() -> Callable[[Bytes, Phrases, Bytes, State, Scratch], int]:
    """trim_lines(block, phrases, out, state, scratch) for one reader; see unknown_members.py."""
    return _find("trim_lines")


def note_key(key: Bytes, first_size: int, size: int, touched: Touched, state: State) -> int:
    """Note one change, or ask about one key; see changed_keys.py."""
    return _call("note_key", key, first_size, size, touched, state)


def find_key(key: Bytes, first_size: int, size: int, touched: Touched) -> int:
    """The number of a touched key, or 0; see changed_keys.py."""
    return _call("find_key", key, first_size, size, touched)


def find_rows(data: Bytes, firsts: State, seconds: State, touched: Touched, untouched: Bytes) -> int:
    """How many of the rows have a touched key; see changed_keys.py."""
    return _call("find_rows", data, firsts, seconds, touched, untouched)


def index_touched(touched: Touched, state: State) -> None:
    """Fill the empty slots anew; see changed_keys.py."""
    _call("index_touched", touched, state)


def take_back(kinds: Kinds, columns: Columns, state: State) -> None:
    """Undo what the item at hand has written so far, so that its line can be read once more; see items.py."""
    _call("take_back", kinds, columns, state)


def bind_find_slot() -> Callable[[Bytes, int, int, Kinds], int]:
    """find_slot(data, at, size, kinds) for one registry: the slot of the table that holds a spelling or may take it."""
    return _find("find_slot")


def line_end(data: Bytes, at: int) -> int:
    """Position of the next newline: every line of a block has one."""
    return _call("line_end", data, at)


def write_rows(columns: Columns, rows: int, enough: int, out: Bytes, state: State) -> None:
    """Write rows from state[NEXT_ROW] on to `out`, until there are enough bytes; see csv_rows.py."""
    _call("write_rows", columns, rows, enough, out, state)


def bind_encode_page() -> Callable[[Columns, int, int, int, Words, Bytes, State], int]:
    """encode_page(columns, column, rows, limit, numbers, out, state) for one part; see parquet_pages.py."""
    return _find("encode_page")


def bind_encode_dictionary() -> Callable[[Columns, int, Words, State, State, State, Bytes, State], int]:
    """encode_dictionary(columns, column, secret, slots, entries, indices, out, state): see parquet_pages.py."""
    return _find("encode_dictionary")


def bind_encode_indices() -> Callable[[Columns, int, int, int, State, Words, Bytes, State], int]:
    """encode_indices(columns, column, rows, entries, indices, numbers, out, state): see parquet_pages.py."""
    return _find("encode_indices")


def _call(name: str, *arguments: object) -> int:
    return _find(name)(*arguments)


def _find(name: str) -> Callable[..., int]:
    if BOUNDS_CHECKED:
        from converter.kernels.encode import csv_rows, parquet_pages
        from converter.kernels.merge import changed_keys, superseded_lines
        from converter.kernels.parse import changes, items, unknown_members

        owners = [
            module
            for module in (items, changes, changed_keys, superseded_lines, unknown_members, parquet_pages, csv_rows)
            if hasattr(module, name)
        ]
        return cast(Callable[..., int], getattr(owners[0], name))
    return Kernel(name)
