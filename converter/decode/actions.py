"""The kernel's action for a value in a column, by its type tag."""

from __future__ import annotations

from typing import Final

from converter.kernels import layout, value_actions
from converter.option_values import Nul
from converter.schema import tags
from converter.schema.column_types import TAG_OF, Origin
from converter.schema.columns import Column

NUL_POLICIES: Final[dict[Nul, int]] = {
    "keep": layout.NUL_KEPT,
    "drop": layout.NUL_DROPPED,
    "replace": layout.NUL_REPLACED,
    "fail": layout.NUL_REFUSED,
}
BY_TAG: Final = {
    tags.S: value_actions.TEXT,
    tags.N: value_actions.NUMBER_TEXT,
    tags.B: value_actions.BASE64_TEXT,
    tags.BOOL: value_actions.BOOL_TEXT,
}


def choose_action(column: Column, tag: int, *, text: bool) -> int | None:
    """Return the action for a value of `tag` in `column`; None if the column can't hold it. text: CSV."""
    if column.origin is Origin.OVERFLOW:
        return value_actions.OVERFLOW
    if column.origin is Origin.CHANGE:
        return BY_TAG.get(tag, value_actions.DOCUMENT) if column.type.action is None else column.type.action
    if column.origin is Origin.MIXED_JSON:
        return value_actions.TYPED
    if tag == tags.NULL:
        return value_actions.SKIP_NULL
    if column.origin is Origin.TIME:
        return value_actions.UNIX_TIME if column.holds_unix_time else column.type.action
    if column.origin is Origin.MIXED_TEXT:
        return BY_TAG.get(tag, value_actions.DOCUMENT)
    if column.origin is Origin.JSON:
        return value_actions.DOCUMENT if tag in tags.DOCUMENT_TAGS else None
    if tag != TAG_OF[column.origin]:
        return None
    return BY_TAG[tag] if text or column.type.action is None else column.type.action
