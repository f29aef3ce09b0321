"""The oracle's reading of an export: every item of its data files, strictly, from gzip and json alone.

Numbers are handled as text, so that no context of `decimal` can round them.
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_DIGITS = 38
MOST_LEVELS = 64


class BadLineError(ValueError):
    """A line that is no item in DynamoDB JSON; `file`, `line` (from 1) and `reason` say which and why."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file} line {line}: {reason}")
        self.file, self.line, self.reason = file, line, reason


def manifest_files(export_folder: str | Path) -> list[Path]:
    """The data files of an export in the manifest's order, found by the tails of their keys."""
    folder = Path(export_folder)
    names = [
        json.loads(line)["dataFileS3Key"].rpartition("/")[2]
        for line in (folder / "manifest-files.json").read_bytes().split(b"\n")
        if line.strip()
    ]
    return [folder / "data" / name for name in names]


def read_items(export_folder: str | Path) -> Iterator[dict[str, Any]]:
    """Every item of an export in order, each a dict of typed values; raises BadLineError for the first bad line."""
    for path in manifest_files(export_folder):
        yield from read_lines(gzip.decompress(path.read_bytes()), path.name)


def read_lines(data: bytes, name: str = "lines") -> Iterator[dict[str, Any]]:
    """The items of inflated data; blank lines and `{}` hold none."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip(b" \t\r"):
            continue
        try:
            record = parse_strictly(line)
            if record == {} and isinstance(record, dict):
                continue
            if not isinstance(record, dict) or not isinstance(record.get("Item"), dict):
                raise ValueError("the line is not an object with the member Item")
            for other in record.keys() - {"Item"}:
                check_unknown(other, record[other])
            for value in record["Item"].values():
                check_value(value)
        except (ValueError, RecursionError) as error:
            raise BadLineError(name, number, str(error)) from error
        yield record["Item"]


def parse_strictly(line: bytes) -> Any:
    """JSON with nothing let pass: valid UTF-8, no duplicate names, no NaN, no lone surrogates."""
    text = line.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("a byte order mark")
    value = _STRICT.decode(text)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # Raises for lone surrogates.
    return value


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a duplicate name")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# Integers of thousands of digits are JSON, and Python does not read them.
_STRICT = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicates,
    parse_constant=_refuse_constant,
    parse_int=lambda text: int(text) if len(text) < 100 else 1e999,
)

_KNOWN = ("metadata", "keys", "oldimage", "newimage", "item", "record", "writetimestampmicros")


def check_unknown(name: str, value: Any) -> None:
    """Raise ValueError for an unknown member that a line must not have: one that may be a known one, or too deep."""
    plain = "".join(letter for letter in name.casefold() if letter.isalnum())
    if "image" in plain:
        raise ValueError("a member that may be an image")
    for known in _KNOWN:
        faults = max(1, len(known) // 4)
        if abs(len(known) - len(plain)) <= faults and _is_within(plain, known, faults):
            raise ValueError(f"a member that may be {known}")
    if _levels(value) > MOST_LEVELS:
        raise ValueError("nested too deep")


def _is_within(one: str, other: str, faults: int) -> bool:
    """Can this many letters, put in, left out or changed, make one text the other?"""
    if not one or not other:
        return len(one) + len(other) <= faults
    if one[0] == other[0]:
        return _is_within(one[1:], other[1:], faults)
    rest = ((one[1:], other), (one, other[1:]), (one[1:], other[1:]))
    return faults > 0 and any(_is_within(a, b, faults - 1) for a, b in rest)


def _levels(value: Any) -> int:
    members = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max(map(_levels, members), default=0)


def check_value(value: Any, depth: int = 1) -> None:
    """Raise ValueError unless this is a DynamoDB value; numbers inside are rewritten in plain form, in place.

    depth: how many maps and lists it is in, itself included if it is one.
    """
    if type(value) is not dict or len(value) != 1:
        raise ValueError("a value is an object with one member, its type")
    ((tag, content),) = value.items()
    if tag in ("M", "L") and depth > MOST_LEVELS:
        raise ValueError("nested too deep")
    if tag == "S":
        good = type(content) is str
    elif tag == "M":
        good = type(content) is dict
        for member in content.values() if good else ():
            check_value(member, depth + 1)
    elif tag == "L":
        good = type(content) is list
        for member in content if good else ():
            check_value(member, depth + 1)
    elif tag == "N":
        value["N"] = plain_number(content)
        good = True
    elif tag == "B":
        good = _is_base64(content)
    elif tag == "BOOL":
        good = type(content) is bool
    elif tag == "NULL":
        good = content is True
    elif tag == "NS":
        good = type(content) is list and bool(content)
        value["NS"] = [plain_number(member) for member in content] if good else content
    elif tag in ("SS", "BS"):
        check = _is_base64 if tag == "BS" else lambda member: type(member) is str
        good = type(content) is list and bool(content) and all(check(member) for member in content)
    else:
        raise ValueError(f"unknown type {tag!r}")
    if not good:
        raise ValueError(f"not the content of a value of type {tag}")


def _is_base64(text: Any) -> bool:
    if type(text) is not str:
        return False
    try:
        return b64encode(b64decode(text.encode("ascii"), validate=True)).decode("ascii") == text
    except ValueError:
        return False


_NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")


def plain_number(text: Any) -> str:
    """A DynamoDB number in the service's plain form, or ValueError if it is none."""
    match = _NUMBER.fullmatch(text) if type(text) is str else None
    if match is None:
        raise ValueError("not a number")
    sign, whole, decimals, exponent_text = match.groups()
    digits = (whole + (decimals or "")).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "0"
    if len(significant) > MOST_DIGITS:
        raise ValueError("a number of more than 38 significant digits")
    # An exponent of thousands of digits is refused by its length, before int() meets it.
    if len((exponent_text or "0").lstrip("+-").lstrip("0")) > 18:
        raise ValueError("a number beyond DynamoDB's range")
    exponent = int(exponent_text or "0") - len(decimals or "") + len(digits) - len(significant)
    if not -130 <= exponent + len(significant) - 1 <= 125:
        raise ValueError("a number beyond DynamoDB's range")
    if exponent >= 0:
        return sign + significant + "0" * exponent
    if -exponent >= len(significant):
        return sign + "0." + "0" * (-exponent - len(significant)) + significant
    return sign + significant[:exponent] + "." + significant[exponent:]
