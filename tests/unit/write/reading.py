"""Readers of our own for the tests: Thrift's compact protocol by its specification, and the pages of a column."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Fields = dict[int, Any]


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """(number, position behind it)."""
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return number, at


def read_signed(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag number and the position behind it."""
    number, at = read_varint(data, at)
    return (-(number + 1) // 2 if number & 1 else number // 2), at


def read_struct(data: bytes, at: int = 0) -> tuple[Fields, int]:
    """(value of each field, as (type, value); position behind the struct)."""
    fields: Fields = {}
    number = 0
    while data[at]:
        delta, kind = data[at] >> 4, data[at] & 15
        at += 1
        if delta:
            number += delta
        else:
            number, at = read_signed(data, at)
        assert number not in fields
        if kind in (1, 2):
            fields[number] = (1, kind == 1)
        else:
            value, at = _read_value(data, at, kind)
            fields[number] = (kind, value)
    return fields, at + 1


def values_of(fields: Fields) -> Fields:
    """The values of a struct alone, of the structs in it too."""
    return {number: _value_of(kind, value) for number, (kind, value) in fields.items()}


def read_footer(data: bytes) -> Fields:
    """The metadata of a Parquet file."""
    assert data[:4] == data[-4:] == b"PAR1"
    (size,) = struct.unpack("<i", data[-8:-4])
    fields, end = read_struct(data[-8 - size : -8])
    assert end == size
    return values_of(fields)


@dataclass
class Page:
    """One page: kind 0 holds data, 2 is a dictionary; `values` of a data page counts rows."""

    kind: int
    values: int
    encoding: int
    uncompressed: int
    data: bytes


def pages_of(data: bytes, column: Fields) -> list[Page]:
    """The pages of a column chunk, whose metadata this is."""
    return list(_pages(data, column))


def _pages(data: bytes, column: Fields) -> Iterator[Page]:
    begin: int = column[11] if 11 in column else column[9]
    at = begin
    uncompressed = 0
    while at < begin + column[7]:
        fields, behind = read_struct(data, at)
        header = values_of(fields)
        page = header[7] if header[1] == 2 else header[5]
        if header[1] == 0:
            assert at >= column[9]
        uncompressed += behind - at + header[2]
        at = behind + header[3]
        yield Page(header[1], page[1], page[2], header[2], data[behind:at])
    assert at == begin + column[7]
    assert uncompressed == column[6]


def _read_value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (5, 6):
        return read_signed(data, at)
    if kind == 8:
        size, at = read_varint(data, at)
        assert at + size <= len(data)
        return data[at : at + size], at + size
    if kind == 12:
        return read_struct(data, at)
    assert kind == 9, kind
    size, kind = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = read_varint(data, at)
    items = []
    for _ in range(size):
        item, at = _read_value(data, at, kind)
        items.append((kind, item))
    return items, at


def _value_of(kind: int, value: Any) -> Any:
    if kind == 12:
        return values_of(value)
    if kind == 9:
        return [_value_of(*item) for item in value]
    return value
