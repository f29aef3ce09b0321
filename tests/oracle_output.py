"""The oracle's reading of what was written: Parquet rows, CSV by a reader of its own, JSON compared by meaning."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet

Row = tuple[object, ...]


class JsonText(str):
    """A cell that holds a JSON text: equal to another if `same_json` says so."""

    __slots__ = ()


def same_json(a: str, b: str) -> bool:
    """Whether two JSON texts say the same: order of members counts, numbers digit for digit, escapes don't."""
    return a == b or _COMPARABLE.decode(a) == _COMPARABLE.decode(b)


# Tuples with a mark, because in Python "5" == "5" for a number's text and an object would equal a list of pairs.
_COMPARABLE = json.JSONDecoder(
    object_pairs_hook=lambda pairs: ("object", tuple(pairs)),
    parse_int=lambda text: ("number", text),
    parse_float=lambda text: ("number", text),
)


def read_parquet_rows(paths: Iterable[str | Path]) -> tuple[list[tuple[str, str]], list[Row]]:
    """Columns (name, type) and rows of Parquet parts, which must agree on their columns."""
    columns: list[tuple[str, str]] | None = None
    rows: list[Row] = []
    for path in paths:
        # As a file, not as a data set: that would add a column `dt` from the path.
        table = pyarrow.parquet.ParquetFile(path).read()
        names = {"large_string": "string", "large_binary": "binary", "boolean": "bool", "date32[day]": "date"}
        found = [(f.name, names.get(str(f.type), str(f.type))) for f in table.schema]
        if columns is not None and found != columns:
            raise AssertionError(f"{path} has other columns than the parts before it: {found} != {columns}")
        columns = found
        if table.num_columns:
            rows.extend(zip(*(column.to_pylist() for column in table.columns), strict=True))
        else:
            rows.extend([()] * table.num_rows)
    return columns or [], rows


def read_csv_rows(paths: Iterable[str | Path]) -> tuple[list[str], list[tuple[str | None, ...]]]:
    """Header and rows of CSV parts (`.gz` too); an unquoted empty cell is None, a quoted one is an empty text."""
    header: list[str] | None = None
    rows: list[tuple[str | None, ...]] = []
    for path in paths:
        data = Path(path).read_bytes()
        lines = parse_csv((gzip.decompress(data) if str(path).endswith(".gz") else data).decode("utf-8"))
        if not lines or None in lines[0]:
            raise AssertionError(f"{path} has no header")
        found = [name for name in lines[0] if name is not None]
        if header is not None and found != header:
            raise AssertionError(f"{path} has another header than the parts before it: {found} != {header}")
        header = found
        for number, row in enumerate(lines[1:], 2):
            if len(row) != len(header):
                raise AssertionError(f"{path} record {number} has {len(row)} cells, the header {len(header)}: {row}")
            rows.append(row)
    return header or [], rows


_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"([,\n])')
_UNQUOTED = re.compile(r'([^",\r\n]*)([,\n])')


_WORDS = r"null|nil|none|nan|na|n/a|-nan|-?1\.#(?:ind|qnan)"
_MISREAD = re.compile(rf"(?:[\0- ].*|.*[\0- ]|[\\'#].*|(?i:{_WORDS}))\Z", re.DOTALL)


def misread_unquoted(cell: str) -> bool:
    """Is there a reader that trims the cell, or takes it for null, a comment or a quote, unless it is quoted?"""
    return _MISREAD.match(cell) is not None


def parse_csv(text: str) -> list[tuple[str | None, ...]]:
    """RFC 4180 with LF only: quotes in a cell are doubled, a cell with a quote, comma, CR or LF is quoted.

    So is one that some reader would change; see csv_rows.py.
    """
    records: list[tuple[str | None, ...]] = []
    record: list[str | None] = []
    position = 0
    while position < len(text):
        quoted = text[position] == '"'
        match = (_QUOTED if quoted else _UNQUOTED).match(text, position)
        if match is None:
            raise AssertionError(f"no CSV cell at character {position}: {text[position : position + 60]!r}")
        cell, end = match.groups()
        if not quoted and misread_unquoted(cell):
            raise AssertionError(f"a cell that readers change unless it is quoted, at character {position}: {cell!r}")
        record.append(cell.replace('""', '"') if quoted else cell or None)
        position = match.end()
        if end == "\n":
            if record == [None]:
                raise AssertionError(f"an empty line before character {position}")
            records.append(tuple(record))
            record = []
    if record:
        raise AssertionError("the last line has no newline")
    return records


_SPACED = re.compile(r'"(?:[^"\\]|\\.)*"|([ \t\r\n])')


def is_compact_json(text: str) -> bool:
    """Whether no space stands between the tokens of a JSON text."""
    return not any(match.group(1) for match in _SPACED.finditer(text))
