"""What becomes of a value in a column: the kernel's action for a type tag."""

from __future__ import annotations

from typing import Final

from converter.kernels import layout
from converter.option_values import Nul
from converter.schema import tags
from converter.schema.types import Column, Origin

NUL_POLICIES: Final[dict[Nul, int]] = {
    "keep": layout.NUL_KEPT,
    "drop": layout.NUL_DROPPED,
    "replace": layout.NUL_REPLACED,
    "fail": layout.NUL_REFUSED,
}
BY_TAG: Final = {
    tags.S: layout.TEXT,
    tags.N: layout.NUMBER_TEXT,
    tags.B: layout.BASE64_TEXT,
    tags.BOOL: layout.BOOL_TEXT,
}


def choose_action(column: Column, tag: int, *, text: bool) -> int | None:
    """What becomes of a value of `tag` in `column`; None if the column can't hold it. text: CSV."""
    if column.origin is Origin.OVERFLOW:
        return layout.OVERFLOW
    if column.origin is Origin.CHANGE:
        return layout.TIMESTAMP if column.type == "timestamp" else BY_TAG.get(tag, layout.DOCUMENT)
    if column.origin is Origin.MIXED_JSON:
        return layout.TYPED
    if tag == tags.NULL:
        return layout.SKIP_NULL
    if column.origin is Origin.TIME:
        return layout.TIMESTAMP if column.type == "timestamp" else layout.UNIX_TIME
    if column.origin is Origin.MIXED_TEXT:
        return BY_TAG.get(tag, layout.DOCUMENT)
    if column.origin is Origin.JSON:
        return layout.DOCUMENT if tag in tags.DOCUMENT_TAGS else None
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
            return layout.INT64
        if column.type.startswith("decimal128"):
            return layout.DECIMAL
        if column.type == "binary":
            return layout.BINARY
        if column.type == "bool":
            return layout.BOOL
    return BY_TAG[tag]
