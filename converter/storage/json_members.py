"""Members of the JSON files at a destination: written from dataclasses, and read with their types checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar, cast

from converter.errors import ConvertError, StorageError, UsageError
from converter.utc import format_utc

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Value = TypeVar("_Value")

MOST_BYTES = 256 << 20
"""The most bytes of such a file: more than ten thousand parts and columns take."""
LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,512}")
"""A text that stays on one line."""

_MOST_COUNT = 2**63 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Messages show this many characters of a value, and of a problem.
_SHOWN = 80
_LONGEST = 300


def members_of(value: DataclassInstance) -> dict[str, object]:
    """Return the fields of a dataclass in JSON types, in their order, named as the service's manifests name members.

    A value that has a method `to_json` is what that returns.
    """
    return {_member(field.name): _json_value(getattr(value, field.name)) for field in fields(value)}


def read_members(content: bytes, place: str, version: int) -> Members:
    """Read a file that contains one JSON object, whose member `version` decides how it is read.

    Raises StorageError if the file is damaged, UsageError if a newer version of the program wrote it.
    """
    try:
        value = json.loads(content, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise damaged_file_error(place, f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise damaged_file_error(place, "not a JSON object")
    members = Members(value, place)
    written = members.count("version")
    if written > version:
        raise UsageError(
            f"it has version {written}, and this program reads versions up to {version}",
            place,
            "a newer ddb-convert wrote here: use that one",
        )
    return members


def damaged_file_error(place: str, problem: str) -> StorageError:
    """The error for one of our files that can't be understood."""
    return StorageError(f"the file is damaged: {problem}", place, "put the file back as ddb-convert wrote it")


class Members:
    """Typed access to the members of a JSON object, which anyone may have written; unknown ones are left alone.

    Raises StorageError that names the file and the member.
    """

    def __init__(self, members: dict[str, object], place: str, path: str = "$") -> None:
        self._members = members
        self._place = place
        self._path = path

    def error(self, name: str, problem: str) -> ConvertError:
        """The error for a member whose value can't be right."""
        return damaged_file_error(self._place, f"{self._path}.{name}: {problem[:_LONGEST]}")

    def has(self, name: str) -> bool:
        """Return whether there is such a member."""
        return name in self._members

    def text(self, name: str) -> str:
        """A text."""
        value = self._get(name)
        if isinstance(value, str):
            return value
        raise self._unexpected_error(name, "text", value)

    def utf8_text(self, name: str) -> str:
        """A text that UTF-8 can encode, as the names of attributes and columns are."""
        return self.parsed(name, _encodable)

    def matching(self, name: str, pattern: re.Pattern[str], meaning: str) -> str:
        """A text that the pattern matches as a whole; meaning: what such a text is."""
        text = self.text(name)
        if pattern.fullmatch(text) is None:
            raise self._unexpected_error(name, meaning, text)
        return text

    def sha256(self, name: str) -> str:
        """A digest in hex."""
        return self.matching(name, _SHA256, "a sha256 in hex")

    def text_or_none(self, name: str) -> str | None:
        """A text or null."""
        return None if self._get(name) is None else self.text(name)

    def count(self, name: str) -> int:
        """An integer from 0 that 64 bits can hold."""
        value = self._get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_COUNT:
            return value
        raise self._unexpected_error(name, "a count", value)

    def number(self, name: str) -> float:
        """Any finite number from 0."""
        value = self._get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MOST_COUNT:
            return float(value)
        raise self._unexpected_error(name, "a number", value)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._get(name)
        if isinstance(value, bool):
            return value
        raise self._unexpected_error(name, "true or false", value)

    def time(self, name: str) -> datetime:
        """An instant with its time zone."""
        return self.parsed(name, _instant)

    def parsed(self, name: str, parse: Callable[[str], _Value]) -> _Value:
        """A text that `parse` turns into a value, or refuses with a ValueError."""
        text = self.text(name)
        try:
            return parse(text)
        except (ValueError, OverflowError) as error:
            raise self.error(name, str(error)) from None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self._list(name)
        if set(map(type, values)) - {str}:
            index = next(index for index, value in enumerate(values) if not isinstance(value, str))
            raise self._unexpected_error(f"{name}[{index}]", "text", values[index])
        return tuple(cast(list[str], values))

    def integers(self, name: str) -> list[int]:
        """A list of integers, which may be long."""
        values = self._list(name)
        if set(map(type, values)) - {int}:
            raise self.error(name, "expected integers")
        return cast(list[int], values)

    def lists(self, name: str) -> tuple[list[object], ...]:
        """A list of lists."""
        values = self._list(name)
        for index, value in enumerate(values):
            if not isinstance(value, list):
                raise self._unexpected_error(f"{name}[{index}]", "a list", value)
        return tuple(value for value in values if isinstance(value, list))

    def counts(self, name: str) -> dict[str, int]:
        """An object whose members are all counts."""
        inner = self.inner(name)
        return {key: inner.count(key) for key in inner._members}

    def inner(self, name: str) -> Members:
        """An object."""
        return self._nested(name, self._get(name))

    def inners(self, name: str) -> Iterator[Members]:
        """A list of objects."""
        for index, value in enumerate(self._list(name)):
            yield self._nested(f"{name}[{index}]", value)

    def values(self) -> dict[str, object]:
        """All members as they are."""
        return dict(self._members)

    def _list(self, name: str) -> list[object]:
        value = self._get(name)
        if isinstance(value, list):
            return value
        raise self._unexpected_error(name, "a list", value)

    def _nested(self, name: str, value: object) -> Members:
        if isinstance(value, dict):
            return Members(value, self._place, f"{self._path}.{name}")
        raise self._unexpected_error(name, "an object", value)

    def _get(self, name: str) -> object:
        if name not in self._members:
            raise self.error(name, "missing")
        return self._members[name]

    def _unexpected_error(self, name: str, expected: str, value: object) -> ConvertError:
        return self.error(name, f"expected {expected}, got {json.dumps(value)[:_SHOWN]}")


def _member(name: str) -> str:
    """export_id → exportId."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _json_value(value: object) -> object:
    if hasattr(value, "to_json"):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return members_of(value)
    if isinstance(value, tuple | list):
        return [_json_value(each) for each in value]
    return format_utc(value) if isinstance(value, datetime) else value


def refuse_constant(constant: str) -> object:
    """Raise ValueError for NaN and Infinity, which are not JSON."""
    raise ValueError(f"{constant} is not a number")


def _encodable(text: str) -> str:
    # Raises a ValueError of its own.
    text.encode()
    return text


def _instant(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    # At the ends of the calendar there are moments that other zones can't say.
    time.astimezone(UTC)
    return time
