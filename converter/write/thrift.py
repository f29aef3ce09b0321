"""Thrift's compact protocol, as far as Parquet's metadata needs it: structs in, bytes out.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

_TRUE: Final = 1
_FALSE: Final = 2
_I32: Final = 5
_I64: Final = 6
_BINARY: Final = 8
_LIST: Final = 9
_STRUCT: Final = 12


class I64(int):
    """A number of type i64 in the definition; a plain int is an i32. Both are written in the same form."""


class Struct(bytes):
    """A struct in its encoded form."""


class Structs(NamedTuple):
    """A list of structs in their encoded form, one after the other."""

    size: int
    data: bytes


ThriftValue = bool | int | I64 | bytes | str | Struct | Structs | Sequence[Any]


def encode_struct(fields: Iterable[tuple[int, ThriftValue | None]]) -> Struct:
    """A struct of (number of the field, value), by ascending number; fields that are None are left out."""
    out = bytearray()
    last = 0
    for number, value in fields:
        if value is None:
            continue
        kind = _kind(value)
        if number - last <= 15:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            _put_number(out, number)
        last = number
        if kind > _FALSE:
            _put(out, value, kind)
    out.append(0)
    return Struct(out)


def _kind(value: ThriftValue) -> int:
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    if value is True or value is False:
        return _TRUE if value else _FALSE
    return _I32 if isinstance(value, int) else _LIST


def _put(out: bytearray, value: Any, kind: int) -> None:
    if kind in (_I32, _I64):
        _put_number(out, value)
    elif kind == _STRUCT:
        out += value
    elif kind == _BINARY:
        data = value.encode() if isinstance(value, str) else value
        _put_varint(out, len(data))
        out += data
    elif isinstance(value, Structs):
        _put_list_header(out, value.size, _STRUCT)
        out += value.data
    else:
        members = _kind(value[0]) if value else _STRUCT
        _put_list_header(out, len(value), members)
        for member in value:
            _put(out, member, members)


def _put_list_header(out: bytearray, count: int, members: int) -> None:
    if count < 15:
        out.append(count << 4 | members)
    else:
        out.append(0xF0 | members)
        _put_varint(out, count)


def _put_number(out: bytearray, value: int) -> None:
    _put_varint(out, value << 1 if value >= 0 else ~(value << 1))


def _put_varint(out: bytearray, value: int) -> None:
    """Append a number that is not negative, as ULEB128."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


_KINDS: Final[dict[type, int]] = {int: _I32, I64: _I64, bytes: _BINARY, str: _BINARY, Struct: _STRUCT}
