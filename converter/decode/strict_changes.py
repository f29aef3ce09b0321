"""The slow path of changes: one line, checked strictly and written as the item line that the kernels read.

A line of an incremental export has Metadata with the time of the last write, Keys, and the images that its operation
and the export's view give it:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from converter.decode.strict_lines import (
    METADATA,
    LineProblem,
    Member,
    check_members,
    check_unknown,
    json_type,
    parse_line,
    shorten,
)
from converter.schema.change_columns import MARK, OLD, OPERATIONS, WRITTEN

MEMBERS = ("Metadata", "Keys", "OldImage", "NewImage")
METADATA_MEMBERS = ("WriteTimestampMicros",)
_TIME_PATH = f"{METADATA}.WriteTimestampMicros"
_KEY_TAGS = ("S", "N", "B")
_MICROS = 1_000_000
# At most 17 digits: then the seconds are below 10^11, and no other unit is possible.
_DIGITS = re.compile("0|[1-9][0-9]{0,16}", re.ASCII)
_INSERT, _UPDATE, _DELETE, _PUT = OPERATIONS


@dataclass(frozen=True, slots=True)
class ChangeForm:
    """The form that all lines of an incremental export have in common.

    keys: name and type tag of each key attribute, by code points. old_images: whether the export's view has them.
    """

    keys: tuple[tuple[str, str], ...]
    old_images: bool


def find_keys(line: bytes) -> tuple[tuple[str, str], ...]:
    """Return name and type tag of each key attribute in this line, by code points; none if it is not a change.

    Raises LineProblem.
    """
    document = parse_line(line, "Keys")
    return _key_types(_object(document, "Keys")) if document else ()


def compact_change(line: bytes, form: ChangeForm, unknown: list[Member] | None = None) -> bytes:
    """Return the change of `line` as an item line with its newline; a blank line or `{}` as itself.

    unknown: gets the members that are not known. Raises LineProblem, also for all that `compact_line` refuses in items.
    """
    document = parse_line(line, "Keys")
    if document is None:
        return b"\n"
    if not document:
        return b"{}\n"
    others = check_unknown(document, MEMBERS, "$", form.keys)
    if others and form.old_images and not {"OldImage", "NewImage"} & document.keys():
        what = f"there is a member {shorten(others[0][1])!r}, which is not known, and no image"
        raise LineProblem("$", f"{what}; in this export's view, a delete has its old image")
    others += check_unknown(_object(document, "Metadata"), METADATA_MEMBERS, METADATA, form.keys)
    if unknown is not None:
        unknown += others
    written = _written(document)
    keys = check_members(_object(document, "Keys"), "$.Keys", 1)
    if _key_types(keys) != form.keys:
        expected, found = (", ".join(f"{name!r} ({tag})" for name, tag in k) for k in (form.keys, _key_types(keys)))
        raise LineProblem("$.Keys", f"the keys are {found}, and those of the first change are {expected}")
    old = check_members(_object(document, "OldImage"), "$.OldImage", 1) if "OldImage" in document else None
    new = check_members(_object(document, "NewImage"), "$.NewImage", 1) if "NewImage" in document else None
    if old is not None and not form.old_images:
        raise LineProblem("$", "there is an OldImage, but the export's view is NEW_IMAGE")
    for path, image in (("$.OldImage", old), ("$.NewImage", new)):
        differing = next((name for name in keys if image is not None and image.get(name) != keys[name]), None)
        if differing is not None:
            raise LineProblem(path, f"the key {shorten(differing)!r} differs from its value in Keys")
    operation = _operation(old, new, form)
    item: dict[str, Any] = {f"{MARK}{operation}": {"S": operation}, WRITTEN: {"N": written}}
    if old is not None:
        item[OLD] = {"M": old}
    text = json.dumps({"Item": item | (keys if new is None else new)}, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="surrogateescape") + b"\n"


def image_path(line: bytes) -> str:
    """Return the path to the attributes of the row in the line of a change. The line is not checked."""
    try:
        members = json.loads(line)
    except (ValueError, RecursionError):
        return "$.NewImage" if b'"NewImage"' in line else "$.Keys"
    return "$.NewImage" if "NewImage" in members else "$.Keys"


def _operation(old: object, new: object, form: ChangeForm) -> str:
    if new is None:
        return _DELETE
    if not form.old_images:
        return _PUT
    return _INSERT if old is None else _UPDATE


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    if name not in document:
        found = ", ".join(repr(shorten(member)) for member in list(document)[:5])
        raise LineProblem("$", f"there is no member {name}, but {found}")
    value = document[name]
    if not isinstance(value, dict):
        raise LineProblem(f"$.{name}", f"expected an object, got {json_type(value)}")
    return value


def _key_types(keys: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if not 1 <= len(keys) <= 2:
        raise LineProblem("$.Keys", f"expected one or two key attributes, got {len(keys)}")
    types = []
    for name, value in sorted(keys.items()):
        tag = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else None
        if tag not in _KEY_TAGS:
            raise LineProblem("$.Keys", f"{shorten(name)!r} is not a key: the types of keys are {', '.join(_KEY_TAGS)}")
        types.append((name, str(tag)))
    return tuple(types)


def _written(document: Mapping[str, Any]) -> str:
    """Return the time of the last write in seconds, in plain form. It is `{"N":…}`, a text or a number in the line."""
    metadata = _object(document, "Metadata")
    if "WriteTimestampMicros" not in metadata:
        raise LineProblem(METADATA, "there is no member WriteTimestampMicros")
    value, path = metadata["WriteTimestampMicros"], _TIME_PATH
    if isinstance(value, dict) and list(value) == ["N"]:
        value, path = value["N"], f"{path}.N"
    text = value if isinstance(value, str) else str(value) if type(value) is int else ""
    if not text:
        raise LineProblem(path, f"expected microseconds since 1970, got {json_type(value)}")
    if not _DIGITS.fullmatch(text):
        raise LineProblem(path, "not a whole number of microseconds since 1970", text)
    seconds, micros = divmod(int(text), _MICROS)
    return f"{seconds}.{micros:06}".rstrip("0").rstrip(".")
