"""What becomes of a value in a column: the kernel's action for a type tag."""

from __future__ import annotations

from typing import Final

from converter.decode import tables
from converter.option_values import Nul
from converter.schema import tags
from converter.schema.types import Column, Origin

NUL_POLICIES: Final[dict[Nul, int]] = {
    "keep": tables.NUL_KEPT,
    "drop": tables.NUL_DROPPED,
    "replace": tables.NUL_REPLACED,
    "fail": tables.NUL_REFUSED,
}
BY_TAG: Final = {
    tags.S: tables.TEXT,
    tags.N: tables.NUMBER_TEXT,
    tags.B: tables.BASE64_TEXT,
    tags.BOOL: tables.BOOL_TEXT,
}


def choose_action(column: Column, tag: int, *, text: bool) -> int | None:
    """What becomes of a value of `tag` in `column`; None if the column can't hold it. text: CSV."""
    if column.origin is Origin.OVERFLOW:
        return tables.OVERFLOW
    if column.origin is Origin.CHANGE:
        return tables.TIMESTAMP if column.type == "timestamp" else BY_TAG.get(tag, tables.DOCUMENT)
    if column.origin is Origin.MIXED_JSON:
        return tables.TYPED
    if tag == tags.NULL:
        return tables.SKIP_NULL
    if column.origin is Origin.TIME:
        return tables.TIMESTAMP if column.type == "timestamp" else tables.UNIX_TIME
    if column.origin is Origin.MIXED_TEXT:
        return BY_TAG.get(tag, tables.DOCUMENT)
    if column.origin is Origin.JSON:
        return tables.DOCUMENT if tag in tags.DOCUMENT_TAGS else None
    fitting = {
        Origin.TEXT: tags.S,
        Origin.NUMBER: tags.N,
        Origin.NUMBER_TEXT: tags.N,
        Origin.BINARY: tags.B,
        Origin.BOOL: tags.BOOL,
    }[column.origin]
    if tag != fitting:
        return None
    if not text:
        if column.type == "int64":
            return tables.INT64
        if column.type.startswith("decimal128"):
            return tables.DECIMAL
        if column.type == "binary":
            return tables.BINARY
        if column.type == "bool":
            return tables.BOOL
    return BY_TAG[tag]
