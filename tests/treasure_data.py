"""Treasure Data's reading of CSV (embulk-parser-csv), written from its rules alone: nothing of the converter is here.

    settings = Settings(columns=(Column("id", "string"), Column("qty", "long")), **LOAD)   # or settings_of(parser)
    loaded = load_files(parts, settings)        # .rows, and .skipped with the reason for each row that is lost

A file is cut into lines first, quotes or not; a quoted value that goes on in the next line is joined with `newline`.
Columns are positional, the header is only skipped. An unquoted empty cell is NULL, a quoted one is the empty text. A
row with another number of columns, or with a value that is none of its column's type, is skipped with a warning: only
its line is, and the other lines of a quoted value are then read as rows of their own. U+0000 ends a line.

The defaults of `Settings` are the parser's, and they lose data. `LOAD` is what a load has to set.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, NoReturn, TypedDict

NEWLINES = {"LF": "\n", "CR": "\r", "CRLF": "\r\n"}
TRUE_TEXTS = frozenset(["true", "True", "TRUE", "yes", "Yes", "YES", "t", "T", "y", "Y", "on", "On", "ON", "1"])
MOST_NAME_CHARACTERS = 128


class Column(NamedTuple):
    """type: boolean | long | double | string | timestamp | json. format: of a timestamp, as strptime has it."""

    name: str
    type: str
    format: str = "%Y-%m-%d %H:%M:%S.%N %z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of the parser, with its defaults.

    newline: what joins the lines of a quoted value. line_delimiter_recognized: what alone ends a line; None: any.
    max_quoted_size_limit: UTF-16 units. allow_optional_columns: the last columns may be missing, and are NULL.
    """

    columns: tuple[Column, ...]
    delimiter: str = ","
    quote: str = '"'
    escape: str = "\\"
    newline: str = "CRLF"
    line_delimiter_recognized: str | None = None
    skip_header_lines: int = 0
    charset: str = "UTF-8"
    max_quoted_size_limit: int = 131_072
    stop_on_invalid_record: bool = False
    allow_optional_columns: bool = False


class LoadSettings(TypedDict):
    """What of the defaults a load has to change."""

    escape: str
    newline: str
    line_delimiter_recognized: str
    skip_header_lines: int
    max_quoted_size_limit: int
    stop_on_invalid_record: bool


LOAD: LoadSettings = {
    "escape": '"',
    "newline": "LF",
    "line_delimiter_recognized": "LF",
    "skip_header_lines": 1,
    "max_quoted_size_limit": 64 << 20,
    "stop_on_invalid_record": True,
}


def settings_of(parser: Mapping[str, object]) -> Settings:
    """The settings that the `parser` of a load file gives. Raises ValueError for what is not known here."""
    given = dict(parser)
    kind, columns = given.pop("type", None), given.pop("columns", None)
    known = {field.name for field in fields(Settings)} - {"columns"}
    if kind != "csv" or not isinstance(columns, list) or not given.keys() <= known:
        raise ValueError(f"no CSV parser with columns and settings of {sorted(known)}: {parser}")
    return Settings(columns=tuple(Column(**column) for column in columns), **given)  # type: ignore[arg-type]


class InvalidRecordError(ValueError):
    """A row that can't be loaded."""


class Skipped(NamedTuple):
    """A row that was lost: its line (without its end), and why."""

    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of files: the rows with their values (a json column's are parsed), and what was skipped."""

    rows: list[tuple[object, ...]]
    skipped: list[Skipped]


def load_files(paths: Iterable[str | Path], settings: Settings) -> Loaded:
    """Load files in this order; `.gz` is inflated. Raises InvalidRecordError when the settings say so."""
    loaded = Loaded([], [])
    for path in paths:
        data = Path(path).read_bytes()
        one = load(gzip.decompress(data) if str(path).endswith(".gz") else data, settings)
        loaded.rows.extend(one.rows)
        loaded.skipped.extend(one.skipped)
    return loaded


def load(data: bytes, settings: Settings) -> Loaded:
    """Load the bytes of one file. Raises InvalidRecordError when the settings say so."""
    text = data.decode(settings.charset, "replace")
    lines = cut_lines(text.removeprefix("\ufeff"), settings.line_delimiter_recognized)
    reader = _RecordReader(lines[settings.skip_header_lines :], settings)
    loaded = Loaded([], [])
    while reader.next_record():
        try:
            loaded.rows.append(reader.read_record())
        except InvalidRecordError as error:
            if settings.stop_on_invalid_record:
                raise
            loaded.skipped.append(Skipped(reader.skip_line(), str(error)))
    return loaded


# With LF alone, the LF of CRLF is no end: both stay in the line.
_LINE_ENDS = {None: r"\r\n|\r|\n", "LF": r"(?<!\r)\n", "CR": r"\r(?!\n)", "CRLF": r"\r\n"}


def cut_lines(text: str, recognized: str | None) -> list[str]:
    """The lines of a text, without their ends; an end behind the last one starts no other."""
    lines = re.split(_LINE_ENDS[recognized], text)
    return lines if lines[-1] else lines[:-1]


class _RecordReader:
    """Takes records out of lines. `_line` is the one that is read, from `_at` on, None behind its last cell."""

    def __init__(self, lines: Sequence[str], settings: Settings) -> None:
        self._settings = settings
        self._lines = list(reversed(lines))
        self._line = ""
        self._at: int | None = None
        self._quoted_lines: list[str] = []
        delimiter, quote, escape = (re.escape(c) for c in (settings.delimiter, settings.quote, settings.escape))
        self._unquoted = re.compile(f"([^{delimiter}\0]*)({delimiter}|\0|)", re.DOTALL)
        self._in_quotes = re.compile(f"[^{quote}{escape}\0]*", re.DOTALL)
        self._behind_quotes = re.compile(f" *({delimiter}|\0|$)", re.DOTALL)

    def next_record(self) -> bool:
        """Go to the next line that is not empty; False behind the last."""
        while self._lines:
            self._line = self._lines.pop()
            if self._line:
                self._at = 0
                return True
        return False

    def read_record(self) -> tuple[object, ...]:
        """The values of the record that begins at this line. Raises InvalidRecordError."""
        values = tuple([self._read_value(column) for column in self._settings.columns])
        if self._at is not None:
            raise InvalidRecordError("too many columns")
        return values

    def skip_line(self) -> str:
        """Leave a record that can't be read. The later lines of its last quoted value come again, as records."""
        first, *others = [*self._quoted_lines, self._line]
        self._lines.extend(reversed(others))
        return first

    def _read_value(self, column: Column) -> object:
        self._quoted_lines = []
        if self._at is None:
            if self._settings.allow_optional_columns:
                return None
            raise InvalidRecordError("too few columns")
        cell = self._read_cell(self._at)
        return None if cell is None else parse_value(cell, column)

    def _read_cell(self, at: int) -> str | None:
        """The next cell; None for NULL."""
        if self._line.startswith(self._settings.quote, at):
            return self._read_quoted(at + 1)
        match = self._unquoted.match(self._line, at)
        assert match is not None
        cell, end = match.groups()
        self._at = match.end() if end == self._settings.delimiter else None
        return cell + end if cell and end == "\0" else cell or None

    def _read_quoted(self, at: int) -> str:
        """The cell whose quote is before `at`."""
        pieces: list[str] = []
        size = 0
        while True:
            run = self._in_quotes.match(self._line, at)
            assert run is not None
            pieces.append(run.group())
            size += _utf16_units(run.group())
            if size > self._settings.max_quoted_size_limit:
                raise InvalidRecordError(
                    f"a quoted value of more than {self._settings.max_quoted_size_limit} characters"
                )
            at = run.end()
            here, following = self._line[at : at + 1], self._line[at + 1 : at + 2]
            if here in ("", "\0"):
                pieces.append(here + NEWLINES[self._settings.newline])
                self._next_quoted_line()
                at = 0
            elif following == self._settings.quote or (here != self._settings.quote and following == here):
                pieces.append(following)
                at += 2
            elif here == self._settings.quote:
                break
            else:  # an escape that escapes nothing
                pieces.append(here)
                at += 1
            size += len(pieces[-1])
        behind = self._behind_quotes.match(self._line, at + 1)
        if behind is None:
            raise InvalidRecordError(f"{self._line[at + 1 : at + 21]!r} behind a closing quote")
        self._at = behind.end() if behind.group(1) == self._settings.delimiter else None
        return "".join(pieces)

    def _next_quoted_line(self) -> None:
        if not self._lines:
            raise InvalidRecordError("a quote that nothing closes")
        self._quoted_lines.append(self._line)
        self._line = self._lines.pop()


def _utf16_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def parse_value(text: str, column: Column) -> object:
    """The value of a cell that is not NULL. Raises InvalidRecordError when it is none of the column's type."""
    try:
        return _PARSERS[column.type](text, column)
    except ValueError as error:
        raise InvalidRecordError(f"{column.name}: {text[:40]!r} is no {column.type}: {error}") from None


_LONG = re.compile(r"[+-]?[0-9]+")
_DOUBLE = re.compile(r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)")


def _parse_long(text: str) -> int:
    """Long.parseLong, but for digits of other scripts."""
    if not _LONG.fullmatch(text):
        raise ValueError("not all digits")
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError("beyond 64 bits")
    return value


def _parse_double(text: str) -> float:
    """Double.parseDouble, but for hexadecimal ones."""
    trimmed = text.strip("".join(map(chr, range(33))))
    if not _DOUBLE.fullmatch(trimmed):
        raise ValueError("no decimal number")
    return float(trimmed.rstrip("fFdD") if trimmed[-1] in "fFdD" else trimmed)


def _parse_timestamp(text: str, column: Column) -> datetime:
    """In UTC, to microseconds."""
    value = datetime.strptime(text, column.format.replace("%N", "%f"))
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _parse_json(text: str) -> object:
    """A document whose integers are 64 bits and whose other numbers are doubles."""
    return json.loads(text, parse_int=_parse_long, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_PARSERS: dict[str, Callable[[str, Column], object]] = {
    "boolean": lambda text, _: text in TRUE_TEXTS,  # All else is false: a boolean never skips a row.
    "long": lambda text, _: _parse_long(text),
    "double": lambda text, _: _parse_double(text),
    "string": lambda text, _: text,
    "timestamp": _parse_timestamp,
    "json": lambda text, _: _parse_json(text),
}


def name_problems(columns: Iterable[Column]) -> list[str]:
    """What Treasure Data would not take as it is: bad or reserved names, and names that occur twice."""
    problems = []
    seen: set[str] = set()
    for name, type_, _ in columns:
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            problems.append(f"{name!r} has characters that no column name has")
        if len(name) > MOST_NAME_CHARACTERS:
            problems.append(f"{name[:20]!r}… has more than {MOST_NAME_CHARACTERS} characters")
        if name == "v" or (name == "time" and type_ not in ("long", "timestamp")):
            problems.append(f"{name!r} is reserved")
        if name in seen:
            problems.append(f"{name!r} occurs twice")
        seen.add(name)
    return problems
