"""Parses the values of options, such as sizes (`96MiB`) and lists of names (`a,b`)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, Literal

from converter.cli.arguments import environment_name
from converter.errors import UsageError
from converter.options import SchemaText
from converter.time_options import UNITS

_UNITS = {
    "": 1,
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KIB": 1 << 10,
    "MIB": 1 << 20,
    "GIB": 1 << 30,
}


def parse_size(text: str, option: str) -> int:
    """Parse bytes from `100000000`, `100MB` or `96MiB`. Raises UsageError with the option."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text, re.ASCII)
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise UsageError(
            f"{text!r} is not a valid size", f"--{option}", "use a number of bytes, or a number with KiB, MiB or GiB"
        )
    return int(Fraction(match[1]) * unit)


def parse_time(text: str, option: str) -> datetime:
    """Parse an aware time from ISO-8601; the default zone is UTC. Raises UsageError with the option."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is not a valid time", f"--{option}", "use the form 2026-11-27T23:59:59Z") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def parse_date(text: str, option: str) -> date:
    """Parse a day from `2026-11-27`. Raises UsageError with the option."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is not a valid date", f"--{option}", "use the form 2026-11-27") from None


def parse_duration(text: str, option: str) -> float:
    """Parse seconds from `90`, `90s`, `45m` or `1h30m`. Raises UsageError with the option."""
    match = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?|(\d+)", text.strip(), re.ASCII)
    if match is None or not any(match.groups()):
        raise UsageError(f"{text!r} is not a valid duration", f"--{option}", "use a form like 90s, 45m, 2h or 1h30m")
    days, hours, minutes, seconds, alone = (int(number or 0) for number in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds + alone)


def read_schema(given: str | None) -> SchemaText | Literal["new"] | None:
    """Read the schema file that the option names, or return `new`."""
    if given is None or given == "new":
        return "new" if given else None
    return SchemaText.read(given)


def read_names(given: list[str] | None, option: str) -> tuple[str, ...]:
    r"""Read names from a repeatable option, or from its environment variable if the option is not set.

    Each text contains names separated by commas; `\,` is a comma in a name and `\\` a backslash.
    """
    names = [name for text in _texts(given, option) for name in split_names(text)]
    if "" in names:
        raise UsageError(
            "a name is empty", f"--{option}", r"separate names with one comma, and write \, for a comma in a name"
        )
    return tuple(dict.fromkeys(names))


def read_pairs(given: list[str] | None, option: str) -> tuple[tuple[str, str], ...]:
    r"""Read pairs in the same way: `a=b,c=d`, where `\=` is an equals sign in a name."""
    pairs = []
    for text in _texts(given, option):
        names: list[str] = []
        for name, end in _split(text, ",="):
            names.append(name)
            if end == "=":
                continue
            if len(names) != 2:
                raise UsageError(
                    f"{'='.join(names)!r} is not a pair of names",
                    f"--{option}",
                    r"write a=b, separate pairs with commas, and write \= or \, for these characters in a name",
                )
            pairs.append((names[0], names[1]))
            names = []
    return tuple(dict.fromkeys(pairs))


def read_time_attribute(text: str | None) -> dict[str, Any]:
    r"""Return the options for `--time created_at` or `--time created_at=ms`; `\=` is an equals sign in the name."""
    if text is None:
        return {}
    name, *units = [piece for piece, _ in _split(text, "=")]
    if len(units) > 1 or (units and units[0] not in UNITS):
        raise UsageError(
            f"{units[-1]!r} is not a unit of time",
            "--time",
            rf"write created_at=UNIT, where UNIT is one of {', '.join(UNITS)}, and \= for an equals sign in the name",
        )
    return {"time": name, "time_unit": units[0] if units else None}


def split_names(text: str) -> list[str]:
    r"""Split a text at its commas: `a,b\,c` is `a` and `b,c`. Other backslashes stay as they are."""
    return [name for name, _ in _split(text, ",")]


def _texts(given: list[str] | None, option: str) -> list[str]:
    if given is not None:
        return given
    from_environment = os.environ.get(environment_name(option), "")
    return [from_environment] if from_environment else []


def _split(text: str, separators: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces, each with the separator that ends it. The separator of the last piece is empty."""
    name = ""
    rest = iter(text)
    for character in rest:
        if character in separators:
            yield name, character
            name = ""
        elif character == "\\":
            escaped = next(rest, "")
            name += escaped if escaped and escaped in separators + "\\" else character + escaped
        else:
            name += character
    yield name, ""
