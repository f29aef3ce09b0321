"""What an export must become, worked out the slow and obvious way, from the rules alone.

Nothing here imports the converter: `oracle_input` reads exports and `oracle_output` what was written, each in its own
way, and here every type rule is written down a second time. Numbers are text until the end.

    table = expected_table(folder, mixed="json")    # columns, and rows of Python values as Parquet holds them
    cells = expected_csv_cells(table)               # the same rows as text, None for null
    assert_equal_to_oracle(folder, parts, "csv", mixed="json")

A cell that holds JSON is a `JsonText`: compare it with `same_json`, as its spelling (escapes) is free.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

from tests.oracle_input import MOST_DIGITS, BadLineError, manifest_files, plain_number, read_items, read_lines
from tests.oracle_output import JsonText, Row, is_compact_json, read_csv_rows, read_parquet_rows, same_json

__all__ = [
    "BadLineError",
    "ExpectedColumn",
    "ExpectedTable",
    "JsonText",
    "MixedTypesError",
    "Options",
    "Row",
    "TooManyColumnsError",
    "assert_equal_to_oracle",
    "assert_equal_to_table",
    "column_names",
    "expected_csv_cells",
    "expected_table",
    "expected_table_of",
    "manifest_files",
    "number_type",
    "plain_json",
    "plain_number",
    "read_csv_rows",
    "read_items",
    "read_lines",
    "read_parquet_rows",
    "same_json",
    "typed_json",
]

DECIMAL_STEPS = (0, 2, 4, 6, 9, 18, 28)
OUR_NAMES = ("_op", "_write_ts", "_old")
NESTED = ("M", "L", "SS", "NS", "BS")


class MixedTypesError(ValueError):
    """An attribute of several types, with mixed="fail"."""


class TooManyColumnsError(ValueError):
    """More attributes than max_columns, without an overflow column."""


def number_shape(plain: str) -> tuple[int, int]:
    """Integer digits and decimals of a plain number; a number below 1 has no integer digits."""
    whole, _, decimals = plain.lstrip("-").partition(".")
    return len(whole.lstrip("0")), len(decimals)


@dataclass
class _Numbers:
    """What a column's numbers need."""

    int64: bool = True
    integer_digits: int = 0
    decimals: int = 0

    def see(self, plain: str) -> None:
        if self.int64 and ("." in plain or len(plain) > 20 or not -(2**63) <= int(plain) < 2**63):
            self.int64 = False
        integer_digits, decimals = number_shape(plain)
        self.integer_digits = max(self.integer_digits, integer_digits)
        self.decimals = max(self.decimals, decimals)


def number_type(numbers: _Numbers) -> str:
    """The Parquet type for all the numbers of a column."""
    if numbers.int64:
        return "int64"
    step = next((step for step in DECIMAL_STEPS if step >= numbers.decimals), MOST_DIGITS + 1)
    for scale in (step, numbers.decimals):
        if numbers.integer_digits + scale <= MOST_DIGITS:
            return f"decimal128(38, {scale})"
    return "string"


def plain_json(value: dict[str, Any]) -> str:
    """A checked value as plain JSON: types gone, numbers digit for digit, sets as arrays, binaries as base64."""
    ((tag, content),) = value.items()
    if tag in ("S", "B"):
        return str(encode_basestring(content))
    if tag == "M":
        return "{" + ",".join([encode_basestring(name) + ":" + plain_json(v) for name, v in content.items()]) + "}"
    if tag == "L":
        return "[" + ",".join([plain_json(member) for member in content]) + "]"
    if tag == "N":
        return str(content)
    if tag == "BOOL":
        return "true" if content else "false"
    if tag == "NULL":
        return "null"
    if tag == "NS":
        return "[" + ",".join(content) + "]"
    return "[" + ",".join([encode_basestring(member) for member in content]) + "]"


def typed_json(value: dict[str, Any]) -> str:
    """A checked value as compact DynamoDB JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _scalar_text(tag: str, content: Any) -> str:
    """A scalar as CSV shows it."""
    if tag == "BOOL":
        return "true" if content else "false"
    return str(content)


class Options(TypedDict, total=False):
    """The options of a conversion that decide what a table holds; the defaults are the program's."""

    numbers: str
    mixed: str
    key: Sequence[str]
    select: Sequence[str]
    exclude: Sequence[str]
    max_columns: int
    overflow: str | None
    layout: str
    old_image: bool


class ExpectedColumn(NamedTuple):
    """A column: its name, its attribute (None for the overflow column), its Parquet type, and what its values were."""

    name: str
    attribute: str | None
    type: str
    origin: str


@dataclass(frozen=True)
class ExpectedTable:
    """columns and rows; a row holds Python values as Parquet gives them. `texts` are the same rows as CSV cells."""

    columns: list[ExpectedColumn]
    rows: list[Row]
    texts: list[tuple[str | None, ...]]


@dataclass
class _Attribute:
    """All that was seen of an attribute."""

    families: set[str] = field(default_factory=set)
    numbers: _Numbers = field(default_factory=_Numbers)
    values: int = 0

    def see(self, tag: str, content: Any) -> None:
        if tag == "NULL":
            return
        self.values += 1
        self.families.add("JSON" if tag in NESTED else tag)
        if tag == "N":
            self.numbers.see(content)


class _Cell(NamedTuple):
    """A value, with its texts in place of nested documents: thousands of small dicts would fill the memory."""

    tag: str
    text: str
    typed: str


def expected_table(export_folder: str | Path, **options: Unpack[Options]) -> ExpectedTable:
    """The table that an export must become with these options."""
    return expected_table_of(read_items(export_folder), **options)


def expected_table_of(items: Iterable[dict[str, Any]], **options: Unpack[Options]) -> ExpectedTable:
    """The table that these items (as `read_items` gives them) must become."""
    select, exclude = set(options.get("select", ())), set(options.get("exclude", ()))
    mixed = options.get("mixed", "text")
    attributes: dict[str, _Attribute] = {}
    kept: list[dict[str, _Cell]] = []
    for item in items:
        cells: dict[str, _Cell] = {}
        for name, value in item.items():
            if name in exclude or (select and name not in select):
                continue
            ((tag, content),) = value.items()
            attributes.setdefault(name, _Attribute()).see(tag, content)
            text = plain_json(value) if tag in NESTED else _scalar_text(tag, content)
            cells[name] = _Cell(tag, text, typed_json(value) if mixed == "json" else "")
        kept.append(cells)
    named = {name: seen for name, seen in attributes.items() if seen.families}
    columns = _columns(named, options)
    # An attribute that is only ever NULL has no column, but nothing keeps its NULLs out of the overflow.
    overflowed = set(attributes) - {column.attribute for column in columns}
    rows: list[Row] = []
    texts: list[tuple[str | None, ...]] = []
    for cells in kept:
        pairs = [
            _overflow_cell(cells, overflowed) if c.attribute is None else _cell(cells.get(c.attribute), c)
            for c in columns
        ]
        rows.append(tuple(pair[0] for pair in pairs))
        texts.append(tuple(pair[1] for pair in pairs))
    return ExpectedTable(columns, rows, texts)


def expected_csv_cells(table: ExpectedTable) -> list[tuple[str | None, ...]]:
    """The rows of a table as the cells of a CSV file: None for null."""
    return table.texts


def _columns(attributes: dict[str, _Attribute], options: Options) -> list[ExpectedColumn]:
    for name, seen in attributes.items():
        # One that goes into the overflow column must not be mixed either.
        _type(name, seen, options)
    keys = [name for name in options.get("key", ()) if name in attributes]
    limit, overflow = options.get("max_columns", 2000), options.get("overflow")
    # Python compares str by code points, the order that the rule asks for.
    rest = sorted(set(attributes) - set(keys))
    overflowing = len(attributes) > limit
    if overflowing:
        if overflow is None:
            raise TooManyColumnsError(f"{len(attributes)} attributes")
        frequent = sorted(rest, key=lambda name: (-attributes[name].values, name))
        rest = sorted(frequent[: max(limit - 1 - len(keys), 0)])
        # The keys alone may be more than the limit, and all that there is.
        overflowing = len(keys) + len(rest) < len(attributes)
    order = keys + rest
    names = column_names(order, overflow, options.get("layout", "dt={date}"))
    columns = [ExpectedColumn(names[name], name, *_type(name, attributes[name], options)) for name in order]
    if overflowing and overflow is not None:
        columns.append(ExpectedColumn(overflow, None, "string", "overflow"))
    return columns


def column_names(attributes: Sequence[str], overflow: str | None = None, layout: str = "dt={date}") -> dict[str, str]:
    """The column name of each attribute: its own, or with a number if that name is one of ours (case folded)."""
    ours = [*OUR_NAMES, *re.findall(r"(?:^|/)([^/={]+)=", layout), *([overflow] if overflow else [])]
    reserved = {name.casefold() for name in ours}
    taken = reserved | {name.casefold() for name in attributes}
    names: dict[str, str] = {}
    for name in sorted(attributes):
        candidate, number = name, 0
        while candidate.casefold() in (reserved if number == 0 else taken):
            number += 1
            candidate = f"{name}_{number}"
        names[name] = candidate
        taken.add(candidate.casefold())
    return names


def _type(name: str, seen: _Attribute, options: Options) -> tuple[str, str]:
    """The Parquet type of an attribute's column, and what its values were."""
    if len(seen.families) > 1:
        mixed = options.get("mixed", "text")
        if mixed == "fail":
            raise MixedTypesError(f"{name!r} is {sorted(seen.families)}")
        return "string", f"mixed as {mixed}"
    (family,) = seen.families
    if family == "N":
        numbers = options.get("numbers", "exact")
        type_ = {"double": "double", "text": "string"}.get(numbers) or number_type(seen.numbers)
        return type_, "number as text" if type_ == "string" else "number"
    return {
        "S": ("string", "text"),
        "B": ("binary", "binary"),
        "BOOL": ("bool", "bool"),
        "JSON": ("string", "json"),
    }[family]


def _cell(cell: _Cell | None, column: ExpectedColumn) -> tuple[object, str | None]:
    """A cell's Parquet value and CSV text."""
    if cell is None:
        return None, None
    if column.origin == "mixed as json":
        return JsonText(cell.typed), JsonText(cell.typed)
    if cell.tag == "NULL":
        return None, None
    text = JsonText(cell.text) if cell.tag in NESTED else cell.text
    if column.type == "int64":
        return int(text), text
    if column.type == "double":
        return float(text), repr(float(text))
    if column.type.startswith("decimal"):
        return Decimal(text), text
    if column.type == "binary":
        return b64decode(text), text
    if column.type == "bool":
        return text == "true", text
    return text, text


def _overflow_cell(cells: dict[str, _Cell], overflowed: set[str]) -> tuple[object, str | None]:
    members = [
        encode_basestring(name) + ":" + _overflow_value(cell) for name, cell in cells.items() if name in overflowed
    ]
    text = JsonText("{" + ",".join(members) + "}") if members else None
    return text, text


def _overflow_value(cell: _Cell) -> str:
    if cell.tag in ("S", "B"):
        return str(encode_basestring(cell.text))
    return "null" if cell.tag == "NULL" else cell.text


def assert_equal_to_oracle(
    export_folder: str | Path, parts: Iterable[str | Path], format: str, **options: Unpack[Options]
) -> None:
    """Fail unless the parts, in this order, hold exactly the table that the export must become."""
    assert_equal_to_table(expected_table(export_folder, **options), parts, format)


def assert_equal_to_table(
    table: ExpectedTable, parts: Iterable[str | Path], format: str, *, key: str | None = None
) -> None:
    """Fail, with the first difference, unless the parts hold exactly this table.

    key: a column of text that no two rows have the same value in; given, rows may come in any order.
    """
    columns: Sequence[object]
    expected_columns: Sequence[object]
    actual_rows: Sequence[Row]
    expected_rows: Sequence[Row]
    if format == "parquet":
        columns, actual_rows = read_parquet_rows(parts)
        expected_columns, expected_rows = [(c.name, c.type) for c in table.columns], table.rows
    else:
        columns, actual_rows = read_csv_rows(parts)
        expected_columns, expected_rows = [c.name for c in table.columns], table.texts
    if list(columns) != list(expected_columns):
        raise AssertionError(_first_difference("columns", list(columns), list(expected_columns)))
    if key is not None:
        place = [c.name for c in table.columns].index(key)

        def by_key(row: Row) -> str:
            return str(row[place])

        actual_rows, expected_rows = sorted(actual_rows, key=by_key), sorted(expected_rows, key=by_key)
    doubles = [c.type == "double" and format == "csv" for c in table.columns]
    for number, (actual, expected) in enumerate(zip(actual_rows, expected_rows, strict=False)):
        if actual == expected:
            continue
        for column, one, other, double in zip(table.columns, actual, expected, doubles, strict=True):
            if not _same_cell(one, other, double):
                raise AssertionError(
                    f"row {number} of {len(expected_rows)}, column {column.name!r} ({column.type}, {column.origin}):\n"
                    f"  written:  {one!r}\n  expected: {other!r}"
                )
    if len(actual_rows) != len(expected_rows):
        raise AssertionError(f"{len(actual_rows)} rows were written, {len(expected_rows)} expected")


def _same_cell(actual: object, expected: object, double_text: bool) -> bool:
    if expected is None or actual is None:
        return actual is expected
    if isinstance(expected, JsonText):
        try:
            return isinstance(actual, str) and is_compact_json(actual) and same_json(actual, expected)
        except ValueError:
            return False
    if double_text:
        return float(str(actual)) == float(str(expected))
    return type(actual) is type(expected) and actual == expected


def _first_difference(what: str, actual: list[object], expected: list[object]) -> str:
    place = next(
        (i for i, (one, other) in enumerate(zip(actual, expected, strict=False)) if one != other),
        min(len(actual), len(expected)),
    )
    return (
        f"{what} differ at {place} ({len(actual)} written, {len(expected)} expected):\n"
        f"  written:  {actual[place : place + 3]}\n  expected: {expected[place : place + 3]}"
    )
