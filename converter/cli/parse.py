"""Reads the texts that options are given as: sizes (`96MiB`) and lists of names (`a,b`)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fractions import Fraction

from converter.cli.arguments import environment_name
from converter.errors import UsageError

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
    """Bytes from `100000000`, `100MB` or `96MiB`; UsageError names the option."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text, re.ASCII)
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None:
        raise UsageError(f"{text!r} is no size", f"--{option}", "use a number of bytes, or one with KiB, MiB, GiB")
    return int(Fraction(match[1]) * unit)


def read_names(given: list[str] | None, option: str) -> tuple[str, ...]:
    r"""Names from a repeatable option, or from its environment variable when the option is not there.

    Each text holds names between commas; `\,` is a comma in a name and `\\` a backslash.
    """
    if given is None:
        from_environment = os.environ.get(environment_name(option), "")
        given = [from_environment] if from_environment else []
    names = [name for text in given for name in split_names(text)]
    if "" in names:
        raise UsageError(
            "a name is empty", f"--{option}", r"separate names by one comma, and write \, for a comma in a name"
        )
    return tuple(dict.fromkeys(names))


def read_pairs(given: list[str] | None, option: str) -> tuple[tuple[str, str], ...]:
    r"""Pairs `NAME=VALUE` from an option like those of `read_names`; a name may hold `=`, a value doesn't."""
    pairs = []
    for text in read_names(given, option):
        name, equals, value = text.rpartition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} is no pair", f"--{option}", "write NAME=VALUE, and commas between pairs")
        pairs.append((name, value))
    return tuple(pairs)


def split_names(text: str) -> list[str]:
    r"""Cut a text at its commas: `a,b\,c` is `a` and `b,c`. A backslash before anything else is itself."""
    return list(_cut_at_commas(text))


def _cut_at_commas(text: str) -> Iterator[str]:
    name = ""
    rest = iter(text)
    for character in rest:
        if character == ",":
            yield name
            name = ""
        elif character == "\\":
            escaped = next(rest, "")
            name += escaped if escaped and escaped in ",\\" else character + escaped
        else:
            name += character
    yield name
