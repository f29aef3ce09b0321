"""The oracle's reading of an export in ION: amazon.ion in its exact model, line by line, and nothing of the converter.

items = list(read_ion_items(folder))        # as oracle.read_items gives them for DynamoDB JSON
oracle.expected_table_of(items)
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from amazon.ion import simpleion
from amazon.ion.core import IonType
from amazon.ion.exceptions import IonException
from amazon.ion.simple_types import IonPyNull

from tests.oracle_changes import ReadChange, change_files, change_of
from tests.oracle_input import BadLineError, manifest_files, plain_number

_SETS = {"$dynamodb_SS": IonType.STRING, "$dynamodb_NS": IonType.DECIMAL, "$dynamodb_BS": IonType.BLOB}


def read_ion_items(export_folder: str | Path) -> Iterator[dict[str, Any]]:
    """Every item of an export in order, each a dict of typed values; raises BadLineError for the first bad line."""
    for path in manifest_files(export_folder):
        yield from read_ion_lines(gzip.decompress(path.read_bytes()), path.name)


def read_ion_lines(data: bytes, name: str = "lines") -> Iterator[dict[str, Any]]:
    """The items of inflated data; blank lines and `{}` hold none."""
    yield from _structs(data, name, "Item")


def read_ion_changes(export_folder: str | Path) -> list[ReadChange]:
    """Every change of an incremental export in order, as `oracle_changes.read_changes` gives them."""
    folder = Path(export_folder)
    view = json.loads((folder / "manifest-summary.json").read_bytes())["outputView"]
    return [
        # A struct within a line reads as a map.
        change_of({name: image["M"] for name, image in record.items()}, view)
        for path in change_files(folder)
        for record in _structs(gzip.decompress(path.read_bytes()), path.name, "Record")
    ]


def _structs(data: bytes, name: str, member: str) -> Iterator[dict[str, Any]]:
    """What is in the one member that each line has."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            line.decode()
            if b"\0" in line:
                raise ValueError("NUL")
            if re.fullmatch(rb"[ \t\r\v\f]*[$]ion_1_0([^a-zA-Z0-9_$:].*)?", line, re.DOTALL) is None:
                raise ValueError("no version marker")
            if _numbered(line.decode()):
                raise ValueError("a symbol by its number")
            (document,) = simpleion.loads(line, single_value=False, text_buffer_size_limit=len(line) + 4096)
            members = _members(document)
            if not members:
                continue
            if list(members) != [member]:
                raise ValueError(f"the line is not a struct with one member, {member}")
            yield {name: _typed(value) for name, value in _members(members[member]).items()}
        except (ValueError, IonException, RecursionError) as error:
            raise BadLineError(name, number, str(error)) from error


def _numbered(line: str) -> bool:
    """Whether a symbol is given by its number: `$10`, where no text, quoted symbol, blob or comment is open."""
    at = 0
    while at < len(line):
        for opening, closing in (("'''", "'''"), ('"', '"'), ("'", "'"), ("/*", "*/"), ("//", "\n")):
            if line.startswith(opening, at):
                at += len(opening)
                while at < len(line) and not line.startswith(closing, at):
                    at += 2 if line[at] == "\\" and opening[0] != "/" else 1
                at += len(closing)
                break
        else:
            blob = re.compile(r"\{\{[A-Za-z0-9+/=\s]*\}\}").match(line, at)
            word = re.compile(r"[A-Za-z0-9_$]+", re.ASCII).match(line, at)
            if word and re.fullmatch(r"[$][0-9]+", word[0]):
                return True
            at = max(match.end() if match else at + 1 for match in (blob, word))
    return False


def _members(value: Any) -> dict[str, Any]:
    if value.ion_type is not IonType.STRUCT or isinstance(value, IonPyNull) or value.ion_annotations:
        raise ValueError("no struct")
    names = list(value)
    if len(names) != len(value) or None in names:
        raise ValueError("names that are there twice, or have no text")
    return {name: value[name] for name in names}


def _typed(value: Any) -> dict[str, Any]:
    kind, annotations = value.ion_type, [annotation.text for annotation in value.ion_annotations]
    if isinstance(value, IonPyNull):
        if kind is not IonType.NULL or annotations:
            raise ValueError("a typed null")
        return {"NULL": True}
    if annotations:
        (annotation,) = annotations
        if kind is not IonType.LIST or annotation not in _SETS or not value:
            raise ValueError("no set")
        if any(element.ion_type is not _SETS[annotation] for element in value):
            raise ValueError("another type in a set")
        return {annotation[-2:]: [next(iter(_typed(element).values())) for element in value]}
    match kind:
        case IonType.STRING:
            return {"S": str(value)}
        case IonType.DECIMAL:
            return {"N": plain_number(str(Decimal(value)))}
        case IonType.BLOB:
            return {"B": b64encode(value).decode()}
        case IonType.BOOL:
            return {"BOOL": bool(value)}
        case IonType.LIST:
            return {"L": [_typed(element) for element in value]}
        case IonType.STRUCT:
            return {"M": {name: _typed(member) for name, member in _members(value).items()}}
    raise ValueError(f"{kind} is no type of DynamoDB's")
