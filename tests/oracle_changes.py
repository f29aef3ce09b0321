"""What an incremental export must become, worked out the slow and obvious way. Like `oracle`, it knows no converter.

assert_changes_equal_to_oracle(folder, parts, "csv", old_image=True)
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Unpack

from tests.oracle import (
    BadLineError,
    ExpectedColumn,
    ExpectedTable,
    JsonText,
    Options,
    assert_equal_to_table,
    expected_table_of,
    plain_json,
)
from tests.oracle_input import check_unknown, check_value, parse_strictly

MEMBERS = {"Metadata", "Keys", "OldImage", "NewImage"}


@dataclass(frozen=True)
class ReadChange:
    """One line: what was done, when (microseconds since 1970), and the images, None where the line has none."""

    operation: str
    micros: int
    keys: dict[str, Any]
    old: dict[str, Any] | None
    new: dict[str, Any] | None


def read_changes(export_folder: str | Path) -> list[ReadChange]:
    """Every change of an export in the manifest's order; raises BadLineError for the first bad line."""
    folder = Path(export_folder)
    view = json.loads((folder / "manifest-summary.json").read_bytes())["outputView"]
    changes: list[ReadChange] = []
    for path in change_files(folder):
        changes += read_change_lines(gzip.decompress(path.read_bytes()), view, changes[:1], path.name)
    return changes


def change_files(folder: Path) -> list[Path]:
    """The data files of an incremental export, in the manifest's order: in the folder that all such exports share."""
    lines = (folder / "manifest-files.json").read_bytes().split(b"\n")
    keys = [str(json.loads(line)["dataFileS3Key"]) for line in lines if line.strip()]
    return [folder.parent / "data" / key.rpartition("/")[2] for key in keys]


def read_change_lines(
    data: bytes, view: str, before: Iterable[ReadChange] = (), name: str = "lines"
) -> Iterator[ReadChange]:
    """The changes of inflated data; blank lines and `{}` hold none. The keys are those of the first change."""
    types = next((key_types(change.keys) for change in before), None)
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip(b" \t\r"):
            continue
        try:
            record = parse_strictly(line)
            if record == {} and isinstance(record, dict):
                continue
            change = change_of(record, view)
            types = types or key_types(change.keys)
            if key_types(change.keys) != types:
                raise ValueError("other keys than those of the first change")
        except (ValueError, RecursionError) as error:
            raise BadLineError(name, number, str(error)) from error
        yield change


def key_types(keys: dict[str, Any]) -> dict[str, str]:
    """The type of each key."""
    return {name: next(iter(value)) for name, value in keys.items()}


def change_of(record: Any, view: str) -> ReadChange:
    """The change of a parsed line; raises ValueError for what is none."""
    if not isinstance(record, dict) or not {"Metadata", "Keys"} <= set(record):
        raise ValueError("not the members of a change")
    if not isinstance(record["Metadata"], dict) or "WriteTimestampMicros" not in record["Metadata"]:
        raise ValueError("not the members of Metadata")
    written = record["Metadata"]["WriteTimestampMicros"]
    if isinstance(written, dict) and set(written) == {"N"}:
        written = written["N"]
    elif type(written) is int:
        written = str(written)
    if type(written) is not str or not re.fullmatch("0|[1-9][0-9]{0,16}", written, re.ASCII):
        raise ValueError("no time")
    images = [record.get(name) for name in ("Keys", "OldImage", "NewImage")]
    for name, image in zip(("Keys", "OldImage", "NewImage"), images, strict=True):
        if name not in record:
            continue
        if not isinstance(image, dict):
            raise ValueError("an image that is no object")
        for value in image.values():
            check_value(value)
    keys, old, new = images
    assert keys is not None
    if not 1 <= len(keys) <= 2 or not set(key_types(keys).values()) <= {"S", "N", "B"}:
        raise ValueError("not what keys can be")
    if any(image is not None and image.get(name) != value for image in (old, new) for name, value in keys.items()):
        raise ValueError("other keys in the image")
    beside = {name: record[name] for name in record.keys() - MEMBERS}
    inside = {name: value for name, value in record["Metadata"].items() if name != "WriteTimestampMicros"}
    for name, value in [*beside.items(), *inside.items()]:
        check_unknown(name, value)
        if _has_keys(value, key_types(keys)):
            raise ValueError("an image under another name")
    if beside and old is None and new is None and view != "NEW_IMAGE":
        raise ValueError("an unknown member, and no image")
    if old is not None and view == "NEW_IMAGE":
        raise ValueError("an old image that can't be there")
    operation = "delete" if new is None else "put" if view == "NEW_IMAGE" else "insert" if old is None else "update"
    return ReadChange(operation, int(written), keys, old, new)


def _has_keys(value: Any, types: dict[str, str]) -> bool:
    """Is there an object, however deep, that has the keys of the item, with their types?"""
    if isinstance(value, list):
        return any(_has_keys(member, types) for member in value)
    if not isinstance(value, dict):
        return False
    own = {name: list(member) for name, member in value.items() if isinstance(member, dict)}
    return all(own.get(name) == [tag] for name, tag in types.items()) or _has_keys(list(value.values()), types)


def expected_changes(changes: list[ReadChange], **options: Unpack[Options]) -> ExpectedTable:
    """The table that these changes must become."""
    old_image = options.get("old_image", False)
    select, exclude = set(options.get("select", ())), set(options.get("exclude", ()))
    keys = [k for k in sorted(changes[0].keys) if k not in exclude and (not select or k in select)] if changes else []
    options["key"] = tuple(dict.fromkeys((*options.get("key", ()), *keys)))
    table = expected_table_of([c.keys if c.new is None else c.new for c in changes], **options)
    columns = [
        ExpectedColumn("_op", None, "string", "change"),
        ExpectedColumn("_write_ts", None, "timestamp[us, tz=UTC]", "change"),
        *table.columns,
        *([ExpectedColumn("_old", None, "string", "change")] if old_image else []),
    ]
    rows, texts = [], []
    for change, row, cells in zip(changes, table.rows, table.texts, strict=True):
        time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=change.micros)
        old = JsonText(plain_json({"M": change.old})) if change.old is not None else None
        tail = (old,) if old_image else ()
        rows.append((change.operation, time, *row, *tail))
        texts.append((change.operation, time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), *cells, *tail))
    return ExpectedTable(columns, rows, texts)


def assert_changes_equal_to_oracle(
    export_folder: str | Path, parts: Iterable[str | Path], format: str, **options: Unpack[Options]
) -> None:
    """Fail unless the parts, in this order, hold exactly the table that the export must become."""
    assert_equal_to_table(expected_changes(read_changes(export_folder), **options), parts, format)
