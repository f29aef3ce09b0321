"""Allowed values of options, and checks that raise UsageError for others."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Literal, cast
from zoneinfo import ZoneInfo

from converter.errors import UsageError

Format = Literal["parquet", "csv", "csv,parquet"]
Encoding = Literal["compatible", "compact"]
Nul = Literal["keep", "drop", "replace", "fail"]
"""Treatment of NUL characters in text."""

COMPRESSIONS: dict[str, tuple[str, ...]] = {
    "parquet": ("zstd", "snappy", "gzip", "none"),
    "csv": ("none", "gzip"),
}
"""Compressions of each format, the default first."""
BOTH_FORMATS: Format = "csv,parquet"
LAYOUT_FIELDS = ("date", "from", "to", "table")


def read_format(text: str) -> Format:
    """Return one format, or both in the order of their names."""
    names = sorted(name.strip() for name in text.split(","))
    for name in names:
        if name not in COMPRESSIONS:
            known = (*COMPRESSIONS, BOTH_FORMATS)
            raise UsageError(f"unknown format {name!r}", "--format", f"use one of: {'; '.join(known)}")
    if len(set(names)) < len(names):
        raise UsageError(f"{text!r} names a format twice", "--format", f"for example, use {BOTH_FORMATS}")
    return cast(Format, ",".join(names))


def read_compression(format: Format, text: str | None) -> str:
    """Return the compression; with both formats that of each, in the order of their names: `csv=none,parquet=zstd`."""
    if format != BOTH_FORMATS:
        return check_compression(format, COMPRESSIONS[format][0] if text is None else text)
    given: dict[str, str] = {}
    for named in () if text is None else text.split(","):
        name, equals, compression = (piece.strip() for piece in named.partition("="))
        if not equals or name not in COMPRESSIONS or name in given:
            raise UsageError(
                f"{named!r} does not name a format and its compression, or names a format again",
                "--compression",
                "with two formats, name each once, as in csv=gzip,parquet=zstd",
            )
        given[name] = check_compression(name, compression)
    return ",".join(f"{name}={given.get(name, COMPRESSIONS[name][0])}" for name in format.split(","))


def check_compression(format: str, compression: str) -> str:
    """Return the compression. Raises UsageError if the format does not support it."""
    allowed = COMPRESSIONS[format]
    if compression not in allowed:
        raise UsageError(
            f"{format} does not support the compression {compression!r}",
            "--compression",
            f"use one of: {', '.join(allowed)}",
        )
    return compression


def check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise UsageError for a value that is not allowed."""
    if value not in allowed:
        raise UsageError(f"unknown value {value!r}", option, f"use one of: {', '.join(allowed)}")


def check_text(name: str) -> None:
    """Raise UsageError for a name that UTF-8 can't encode."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name!r} is not valid UTF-8", hint="attribute names are UTF-8") from None


def read_pairs(pairs: Iterable[object], option: str) -> tuple[tuple[str, str], ...]:
    """Return the distinct pairs. Raises UsageError for a value that is not a pair."""
    found: dict[tuple[str, str], None] = {}
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not all(isinstance(name, str) for name in pair):
            raise UsageError(f"{pair!r} is not a pair of strings", f"--{option}", "write (('a', 'b'),)")
        found[pair[0], pair[1]] = None
    return tuple(found)


def check_timezone(name: str) -> None:
    """Raise UsageError for an unknown time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"unknown time zone {name!r}", "--timezone", "use an IANA name such as UTC or Europe/Berlin"
        ) from None


def check_layout(layout: str) -> None:
    """Raise UsageError for a layout with unknown fields, or one that leaves the destination."""
    known = ", ".join("{" + field + "}" for field in LAYOUT_FIELDS)
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(layout) if field is not None]
    except ValueError as error:
        raise UsageError(f"{layout!r} is not a valid layout: {error}", "--layout", f"the fields are {known}") from None
    for field in fields:
        if field not in LAYOUT_FIELDS:
            raise UsageError(f"unknown field {{{field}}}", "--layout", f"the fields are {known}")
    segments = layout.split("/")
    if any("{" in segment.split("=", 1)[0] for segment in segments if "=" in segment):
        raise UsageError(
            "the name of a folder key can't be a field", "--layout", "put fields after the =, as in dt={date}"
        )
    if layout.startswith("/") or ".." in segments or "" in segments[:-1] or "\\" in layout:
        raise UsageError(f"{layout!r} leaves the destination", "--layout", "use a relative path such as dt={date}")
    if segments[0].startswith(("_", ".")):
        raise UsageError(
            f"readers skip folders that begin with {segments[0][0]!r}", "--layout", "use a name such as dt={date}"
        )
