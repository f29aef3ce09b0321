"""Reads the key of a line in any form, by the strict check: for lines that the kernels leave to Python."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from converter.decode.strict_changes import ChangeForm, compact_change
from converter.decode.strict_lines import ITEM, LineProblem, Member, check_members, parse_line
from converter.export.blocks import PADDING
from converter.kernels.layout import Bytes
from converter.schema.change_columns import MARK, WRITTEN

Key = tuple[bytes, ...]
"""The values of the key attributes as the kernels compare them: texts without escapes, numbers in plain form."""

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class ChangeRead:
    """The key and the time of a change; deletes: whether it leaves no item."""

    key: Key
    micros: int
    deletes: bool


def read_change(line: bytes, form: ChangeForm, unknown: list[Member] | None = None) -> ChangeRead | None:
    """Return the change of a line; None for an empty one. Raises LineProblem. unknown: as for compact_change."""
    compact = compact_change(line, form, unknown)
    if compact in (b"\n", b"{}\n"):
        return None
    item: dict[str, Any] = json.loads(compact.decode(errors="surrogateescape"))["Item"]
    key = tuple(next(iter(item[name].values())).encode() for name, _ in form.keys)
    return ChangeRead(key, int(Decimal(item[WRITTEN]["N"]) * _MICROS), f"{MARK}delete" in item)


def read_key(line: bytes, keys: Sequence[tuple[str, str]]) -> Key | None:
    """Return the key of an item's line; None for an empty line or a bad one, which the decoder reports.

    Raises LineProblem for an item that lacks one of the attributes.
    """
    try:
        document = parse_line(line, "Item")
    except LineProblem:
        return None
    item = document.get("Item") if document else None
    if not isinstance(item, dict):
        return None
    values = []
    for name, tag in keys:
        value = item.get(name)
        if not isinstance(value, dict) or list(value) != [tag]:
            raise LineProblem(ITEM, f"there is no key {name!r} ({tag}), by which the increments know their items")
        values.append(_text_of(check_members({name: value}, ITEM, 1), name, tag))
    return tuple(values)


def _text_of(members: Mapping[str, Any], name: str, tag: str) -> bytes:
    text: str = members[name][tag]
    return text.encode()


def key_bytes(key: Key) -> tuple[Bytes, int, int]:
    """Return the key as kernels take it, the size of its first value, and the size of all."""
    text = b"".join(key)
    data = np.zeros(len(text) + PADDING, np.uint8)
    data[: len(text)] = np.frombuffer(text, np.uint8)
    return data, len(key[0]), len(text)
