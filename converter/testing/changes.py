"""Writes incremental exports: the changes of a window, one line for each item, compacted as DynamoDB does.

The format: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html. The order of
members is that of exports by DynamoDB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path

from converter.testing.ion import in_format
from converter.testing.maker import ExportPaths, Item, deal_lines, typed_item
from converter.testing.manifest import WindowFacts, compact
from converter.utc import EPOCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write to an item.

    keys: the key attributes of the item, one or two. old, new: the item before and after, or None if it did not or does
    not exist. written: the time of the write; aware, in microseconds.
    """

    keys: Item
    old: Item | None = None
    new: Item | None = None
    written: datetime


def write_incremental_export(
    bucket: str | PathLike[str],
    changes: Iterable[Change | bytes],
    *,
    files: int = 1,
    empty_files: int = 0,
    facts: WindowFacts = WindowFacts(),  # noqa: B008 (frozen)
) -> ExportPaths:
    """Write an incremental export of the changes below `bucket` and return its paths; otherwise as `write_export`.

    Changes are given in the order of their times. The changes of an item become one line with the item before the first
    and after the last change, or no line if it exists neither before nor after. So all changes are kept in memory; a
    change given as bytes is written at once, as is.
    Raises TypeError and ValueError for what the service can't write: a change outside of the window, an image without
    its keys, an item that is other than the change before has left it.
    """
    return deal_lines(Path(bucket), _lines(changes, facts), files, empty_files, facts)


def change_line(change: Change, view: str = "NEW_AND_OLD_IMAGES") -> bytes:
    """The line of a change in an export with this view, with its newline."""
    micros = (change.written - EPOCH) // timedelta(microseconds=1)
    members: dict[str, object] = {
        "Metadata": {"WriteTimestampMicros": {"N": str(micros)}},
        "Keys": typed_item(change.keys),
    }
    if change.old is not None and view == "NEW_AND_OLD_IMAGES":
        members["OldImage"] = typed_item(change.old)
    if change.new is not None:
        members["NewImage"] = typed_item(change.new)
    return compact(members) + b"\n"


def _lines(changes: Iterable[Change | bytes], facts: WindowFacts) -> Iterator[bytes]:
    merged: dict[bytes, Change] = {}
    for change in changes:
        if isinstance(change, bytes):
            yield change
            continue
        _check(change, facts)
        key = compact(dict(sorted(typed_item(change.keys).items())))
        before = merged.get(key)
        if before is not None:
            if _typed(before.new) != _typed(change.old) or before.written > change.written:
                raise ValueError(f"the change of {change.keys} does not follow the one before")
            change = replace(change, old=before.old)
        merged[key] = change
    for change in merged.values():
        if change.old is not None or change.new is not None:
            yield in_format(change_line(change, facts.view), facts.output_format)[:-1]


def _check(change: Change, facts: WindowFacts) -> None:
    if not facts.from_time <= change.written < facts.to_time:
        raise ValueError(f"{change.written} is outside of the window")
    if not 1 <= len(change.keys) <= 2:
        raise ValueError(f"an item has one or two key attributes, not {len(change.keys)}")
    keys = typed_item(change.keys)
    for image in (change.old, change.new):
        attributes = _typed(image)
        if attributes is not None and any(attributes.get(name) != value for name, value in keys.items()):
            raise ValueError(f"an image lacks the keys {change.keys}")


def _typed(image: Item | None) -> dict[str, object] | None:
    return None if image is None else typed_item(image)
