"""The schema file: columns as a person wants them, read with line numbers and written so that it can be edited.

    {
     "version": 1,
     "columns": [
      {"attribute": "order_id", "name": "order_id", "type": "string", "origin": "text"},
      {"attribute": "price", "name": "price", "type": "decimal128(38, 2)"},
      {"attribute": "weight", "numbers": "double"},
      {"attribute": "secret", "drop": true}
     ]
    }

The columns come in this order. Only `attribute` is needed. Without `name`, `--names` and `--rename` decide. Without
`type` the data decides, and `numbers` is `--numbers` for this attribute. A `string` without an origin takes values of
every type as text. The unit of numbers is in `timestamp(ms)`, and in `"unit": "ms"` for the column `time`, which is an
int64 of origin time; without a unit all numbers together show it. A dropped attribute has no column; an attribute that
is not listed gets one after all others.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, cast, get_args

from converter.errors import UsageError, json_reason
from converter.name_policies import NAME_POLICIES
from converter.options import RESERVED_COLUMNS, TIME_COLUMN, ConvertOptions, Numbers, SchemaText
from converter.schema.column_types import DECIMAL_DIGITS, DECIMALS, FILE_TYPES, INT64, Cast, Origin
from converter.schema.columns import Column
from converter.schema.contract import Contract, Promise
from converter.time_options import UNITS, Unit, parse_unit

_VERSION = 1
_MEMBERS: Final = ("attribute", "name", "type", "origin", "unit", "numbers", "drop")
_DECIMAL = re.compile(r"decimal(?:128)?\(\s*38\s*,\s*([0-9]{1,2})\s*\)")
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """A schema file's promises, and the attributes that it drops."""

    contract: Contract
    dropped: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All attributes that the file names."""
        return (*(str(promise.attribute) for promise in self.contract.promises), *self.dropped)


@dataclass(frozen=True, slots=True)
class _Node:
    """A JSON value and the line that it begins in. A list's and an object's members are nodes themselves."""

    value: object
    line: int


def read_schema_file(text: SchemaText, options: ConvertOptions) -> SchemaFile:
    """Raises UsageError that names the line of what is wrong."""
    reader = _Reader(text)
    top = reader.members(reader.parse())
    version = top.get("version")
    if version is None or version.value != _VERSION:
        raise reader.error(version or _Node(None, 1), f'"version" must be {_VERSION}')
    for name in top.keys() - {"version", "columns"}:
        raise reader.error(top[name], f"there is no member {name!r}, only version and columns")
    if "columns" not in top or not isinstance(top["columns"].value, list):
        raise reader.error(top.get("columns", _Node(None, 1)), '"columns" must be a list')
    promises, dropped = [], []
    lines: dict[str, int] = {}
    taken: dict[str, int] = {}
    for node in cast(list[_Node], top["columns"].value):
        members = reader.members(node)
        promise, drop = _column(reader, node, members)
        attribute = cast(str, promise.attribute)
        if attribute in lines:
            raise reader.error(node, f"attribute {attribute!r} is in line {lines[attribute]} too")
        lines[attribute] = node.line
        if drop:
            dropped.append(attribute)
            continue
        if promise.name is not None:
            _check_name(reader, members["name"], promise.name, options)
            if promise.name in taken:
                raise reader.error(node, f"the column of line {taken[promise.name]} is called {promise.name!r} too")
            taken[promise.name] = node.line
        if promise.origin is Origin.TIME and (promise.type == INT64) != (promise.name == TIME_COLUMN):
            raise reader.error(node, f"only the column {TIME_COLUMN!r} is an int64 of times, and it is nothing else")
        promises.append(promise)
    return SchemaFile(Contract(tuple(promises), text.where), tuple(dropped))


def render_schema_file(columns: Iterable[Column]) -> str:
    """A schema file for these columns, one per line, without columns of no attribute."""
    lines = [json.dumps(_members_of(c), ensure_ascii=False) for c in columns if c.attribute is not None]
    body = ",\n".join(f"  {line}" for line in lines)
    return f'{{\n "version": {_VERSION},\n "columns": [\n{body}\n ]\n}}\n'


def _members_of(column: Column) -> dict[str, object]:
    """A column as the file writes it."""
    members: dict[str, object] = {"attribute": column.attribute, "name": column.name}
    in_type = column.unit if column.type.has_units else None
    members |= {"type": str(Cast(column.type, in_type)), "origin": column.origin}
    return members if column.unit == in_type else {**members, "unit": column.unit}


def _check_name(reader: _Reader, node: _Node, name: str, options: ConvertOptions) -> None:
    if name.casefold() in {reserved.casefold() for reserved in (*options.layout_keys(), *RESERVED_COLUMNS)}:
        raise reader.error(node, f"{name!r} is the name of a folder key or a reserved column")
    if objection := NAME_POLICIES[options.names].objection(name, reserved=name == TIME_COLUMN):
        raise reader.error(node, f"a column can't be called {name!r} with --names {options.names}: {objection}")


def _column(reader: _Reader, node: _Node, members: dict[str, _Node]) -> tuple[Promise, bool]:
    """(the promise, is the attribute dropped?) of one member of "columns"."""
    for unknown in members.keys() - set(_MEMBERS):
        near = difflib.get_close_matches(unknown, _MEMBERS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"members are {', '.join(_MEMBERS)}"
        raise reader.error(members[unknown], f"a column has no member {unknown!r}: {hint}")
    attribute = reader.text(members, "attribute")
    if attribute is None:
        raise reader.error(node, 'the column has no "attribute"')
    name = reader.text(members, "name")
    numbers = reader.text(members, "numbers")
    drop = members.get("drop", _Node(False, node.line)).value
    if not isinstance(drop, bool):
        raise reader.error(members["drop"], '"drop" must be true or false')
    if drop and members.keys() - {"attribute", "drop"}:
        raise reader.error(node, "an attribute that is dropped has nothing else")
    if name == "":
        raise reader.error(members["name"], "a column needs a name")
    if numbers is not None and numbers not in get_args(Numbers):
        raise reader.error(members["numbers"], f'"numbers" must be one of {", ".join(get_args(Numbers))}')
    if numbers is not None and "type" in members:
        raise reader.error(members["numbers"], '"type" has decided what "numbers" would')
    type_, origin = _type(reader, members)
    unit = _unit(reader, members, type_, origin)
    column_type = type_.type if type_ is not None else None
    promise = Promise(attribute, name, column_type, origin, cast(Numbers, numbers), unit=unit)
    return replace(promise, is_unit_given=unit is not None), drop


def _unit(reader: _Reader, members: dict[str, _Node], type_: Cast | None, origin: Origin | None) -> Unit | None:
    """The unit of the numbers of a column of times, None if the file has none."""
    given = reader.text(members, "unit")
    if given is None:
        return type_.unit if type_ else None
    if origin is not Origin.TIME or type_ != Cast(INT64):
        raise reader.error(members["unit"], 'only an int64 of origin time has a "unit"; others are timestamp(UNIT)')
    if given not in UNITS:
        raise reader.error(members["unit"], f'"unit" must be one of {", ".join(UNITS)}')
    return parse_unit(given)


def _type(reader: _Reader, members: dict[str, _Node]) -> tuple[Cast | None, Origin | None]:
    given = reader.text(members, "type")
    origin = reader.text(members, "origin")
    if given is None:
        if origin is not None:
            raise reader.error(members["origin"], '"origin" needs a "type"')
        return None, None
    decimal = _DECIMAL.fullmatch(given)
    if decimal and int(decimal[1]) <= DECIMAL_DIGITS:
        type_ = Cast(DECIMALS[int(decimal[1])])
    elif given in FILE_TYPES:
        type_ = FILE_TYPES[given]
    else:
        known = f"{', '.join(FILE_TYPES)}, decimal128({DECIMAL_DIGITS}, 0 to {DECIMAL_DIGITS})"
        raise reader.error(members["type"], f"{given!r} is not a type: types are {known}")
    allowed = type_.type.origins
    if origin is None:
        return type_, allowed[0]
    if origin not in allowed:
        listed = ", ".join(repr(str(one)) for one in allowed)
        raise reader.error(members["origin"], f"a column of type {type_} can't have origin {origin!r}, only {listed}")
    return type_, Origin(origin)


class _Reader:
    """Reads JSON and keeps the lines of all values."""

    def __init__(self, text: SchemaText) -> None:
        self._text = text.content.removeprefix("\ufeff")
        self._where = text.where

    def error(self, node: _Node, problem: str) -> UsageError:
        return UsageError(problem, f"{self._where} line {node.line}", "see `ddb-convert inspect --help` for a new file")

    def members(self, node: _Node) -> dict[str, _Node]:
        """The members of an object."""
        if not isinstance(node.value, dict):
            raise self.error(node, "expected an object { … }")
        return cast(dict[str, _Node], node.value)

    def text(self, members: dict[str, _Node], name: str) -> str | None:
        """A member that is text, None if it is not there."""
        if name not in members:
            return None
        value = members[name].value
        if not isinstance(value, str):
            raise self.error(members[name], f'"{name}" must be text')
        return value

    def parse(self) -> _Node:
        """The whole file."""
        try:
            _DECODER.decode(self._text)
            return self._value(self._skip(0))[0]
        except RecursionError:
            raise self.error(_Node(None, 1), "it is nested too deep") from None
        except json.JSONDecodeError as error:
            raise self.error(_Node(None, error.lineno), f"not JSON: {json_reason(error)}") from None

    def _value(self, at: int) -> tuple[_Node, int]:
        """The value at a position, and the position after it. The text is known to be JSON."""
        line = self._text.count("\n", 0, at) + 1
        if self._text[at] == "[":
            items: list[_Node] = []
            at = self._skip(at + 1)
            while self._text[at] != "]":
                item, at = self._value(at)
                items.append(item)
                at = self._after_comma(at)
            return _Node(items, line), at + 1
        if self._text[at] == "{":
            members: dict[str, _Node] = {}
            at = self._skip(at + 1)
            while self._text[at] != "}":
                name, at = _DECODER.raw_decode(self._text, at)
                member, at = self._value(self._skip(self._skip(at) + 1))
                if name in members:
                    raise self.error(member, f"the member {name!r} is there twice")
                members[name] = member
                at = self._after_comma(at)
            return _Node(members, line), at + 1
        value, at = _DECODER.raw_decode(self._text, at)
        return _Node(value, line), at

    def _after_comma(self, at: int) -> int:
        at = self._skip(at)
        return self._skip(at + 1) if self._text[at] == "," else at

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at
