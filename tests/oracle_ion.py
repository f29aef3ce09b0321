"""The oracle's reading of an export in ION, line by line, with a strict reader and without the converter.

items = list(read_ion_items(folder))        # as oracle.read_items gives them for DynamoDB JSON
oracle.expected_table_of(items)
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.ion_grammar import NOT_A_NUMBER, read_struct
from tests.oracle_changes import MEMBERS, ReadChange, change_files, change_of
from tests.oracle_input import BadLineError, check_unknown, manifest_files

_MARKER = "$ion_1_0"
T = TypeVar("T")


def read_ion_items(export_folder: str | Path) -> Iterator[dict[str, Any]]:
    """Every item of an export in order, each a dict of typed values; raises BadLineError for the first bad line."""
    for path in manifest_files(export_folder):
        yield from read_ion_lines(gzip.decompress(path.read_bytes()), path.name)


def read_ion_lines(data: bytes, name: str = "lines") -> Iterator[dict[str, Any]]:
    """The items of inflated data; blank lines and `{}` hold none."""
    yield from _structs(data, name, "Item", lambda item: item)


def read_ion_changes(export_folder: str | Path) -> list[ReadChange]:
    """Every change of an incremental export in order, as `oracle_changes.read_changes` gives them."""
    folder = Path(export_folder)
    view = json.loads((folder / "manifest-summary.json").read_bytes())["outputView"]
    files = [gzip.decompress(path.read_bytes()) for path in change_files(folder)]
    return [change for data in files for change in read_ion_change_lines(data, view)]


def read_ion_change_lines(data: bytes, view: str, name: str = "lines") -> Iterator[ReadChange]:
    """The changes of inflated data, each with keys of its own; blank lines and `{}` hold none."""

    def read(record: dict[str, Any]) -> ReadChange:
        # A struct within a line reads as a map.
        images = {member: value.get("M") for member, value in record.items() if member in MEMBERS}
        return change_of(record | images, view)

    yield from _structs(data, name, "Record", read)


def _check_numbers(value: Any) -> None:
    """Raise ValueError for a number beyond the limits of DynamoDB in a typed value, or in a struct of them."""
    if isinstance(value, dict):
        if value.get("N") == NOT_A_NUMBER or NOT_A_NUMBER in value.get("NS", ()):
            raise ValueError(NOT_A_NUMBER)
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        _check_numbers(inner)


def _structs(data: bytes, name: str, member: str, read: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    """Return the results of `read` for the content of the one member that each line has."""
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            text = line.decode().strip(" \t\r")
            if not text:
                continue
            after = text[len(_MARKER) :]
            if not text.startswith(_MARKER) or (after[:1].isascii() and (after[:1].isalnum() or after[:1] in "_$:")):
                raise ValueError("no version marker")
            members = read_struct(after)
            if not members:
                continue
            if member not in members or list(members[member]) != ["M"]:
                raise ValueError(f"the line is not a struct with the member {member}")
            known = members.pop(member)["M"]
            _check_numbers(known)
            for other in members if member == "Item" else ():
                check_unknown(other, members[other])
            if member == "Record" and not MEMBERS.isdisjoint(members):
                raise ValueError("a member of a change beside it")
            yield read(known if member == "Item" else {**members, **known})
        except (ValueError, RecursionError) as error:
            raise BadLineError(name, number, str(error)) from error
