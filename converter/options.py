"""What a conversion can be told, as one frozen object. Texts (`96MiB`, `a,b`) are parsed by the command line."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal, cast, get_args

from converter.cpus import usable_cpus
from converter.errors import UsageError
from converter.option_values import (
    BOTH_FORMATS,
    Encoding,
    Format,
    Nul,
    check_choice,
    check_layout,
    check_text,
    check_timezone,
    read_compression,
    read_format,
    read_pairs,
)
from converter.schema.column_types import CASTS, TIMESTAMP, Cast
from converter.time_options import UNITS, OnBadTime, OnFineTime, TimeDefault, Unit

Numbers = Literal["exact", "double", "text"]
Mixed = Literal["text", "json", "fail"]
Names = Literal["preserve", "treasure-data", "snake"]
OneFormat = Literal["parquet", "csv"]
Consumer = Literal["treasure-data", "athena", "duckdb", "polars", "spark"]
Trigger = Literal["schedule", "manifest"]
Buckets = Literal["export", "destination", "both"]
OnGap = Literal["fail", "full"]
"""What becomes of changes of which some can't be had any more: an error, or a full export to begin anew with."""

ADDED = ("export_time", "export_id", "date", "unix_time")
"""Facts of an export that a column can hold."""
TIME_COLUMN = "time"
NAMES_LIMIT = 100_000
NAMES_BYTES_LIMIT = 16 << 20
"""Of all attributes together: 160 bytes a name for as many as there can be. Each worker remembers all that it sees."""
MIB = 1 << 20
SMALLEST_PART = 4 << 10
"""Bytes of the smallest part size. A smaller number has lost its unit: as MiB it would be a usual size."""
OURS = ("_op", "_write_ts", "_old")
"""Columns of incremental exports; kept free in full ones too, so that both kinds agree."""

# Published options that count only if they differ from their defaults: older records do not have them.
_CAME_LATER = (
    "encoding",
    "old_image",
    "nul",
    "csv_bom",
    "time_unit",
    "time_default",
    "on_bad_time",
    "on_fine_time",
)
# Options that change what is published. The others (workers, show_values, replace …) may differ between two
# runs whose output is the same.
_PUBLISHED = (
    "format",
    "compression",
    "layout",
    "timezone",
    "numbers",
    "mixed",
    "key",
    "select",
    "exclude",
    "max_columns",
    "overflow",
    "schema",
    "part_size",
    "names",
    "rename",
    "cast",
    "time",
    "add_column",
    *_CAME_LATER,
)
# Published options that are not compared with those of a record: the rows are the same, in another number of files.
_NOT_COMPARED = ("part_size",)


@dataclass(frozen=True, slots=True)
class NamePolicy:
    """Which names a policy of `names` allows for columns.

    pattern: what the whole name must match. longest: most characters. reserved: what the consumer keeps for itself.
    """

    pattern: str
    longest: int | None = None
    reserved: tuple[str, ...] = ()

    def objection(self, name: str, *, reserved: bool = False) -> str:
        """Why a column can't have this name; empty when it can. reserved: it may be one of those too."""
        if not re.fullmatch(self.pattern, name, re.DOTALL):
            return "only a-z, 0-9 and _ are allowed, and no digit first"
        if self.longest is not None and len(name) > self.longest:
            return f"it is longer than {self.longest} characters"
        return "the name is reserved" if name in self.reserved and not reserved else ""


_WORD = "[a-z_][a-z0-9_]*"
NAME_POLICIES: dict[str, NamePolicy] = {
    "preserve": NamePolicy(".*"),
    "treasure-data": NamePolicy(_WORD, 128, ("time", "v")),
    "snake": NamePolicy(_WORD, 255),
}


@dataclass(frozen=True, slots=True)
class SchemaText:
    """A schema file's content, and where it is from (schema/schema_file.py reads it)."""

    where: str
    content: str

    @staticmethod
    def read(path: str | os.PathLike[str]) -> SchemaText:
        """Raises UsageError when there is no such file, or when it is no UTF-8."""
        name = os.fspath(path)
        try:
            with open(name, encoding="utf-8") as file:
                return SchemaText(name, file.read())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(f"the schema file can't be read: {reason}", name, "name a file, or new") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """Options of one conversion; an impossible combination raises UsageError when the object is made.

    format: "csv,parquet", in any order, for both in one pass; each then has a folder of its own.
    compression: None takes the format's default (zstd for Parquet, none for CSV). With both formats it names each,
    as in "csv=gzip,parquet=snappy"; one that isn't named has its default.
    encoding: of Parquet; compatible has only PLAIN values and dictionaries, which readers of every age take.
    key, select, exclude: attribute names as DynamoDB has them. Keys come first in the columns.
    overflow: name of the JSON column that takes the attributes beyond max_columns; None makes that an error.
    schema: a schema file, whose columns come first; "new" forgets the columns of earlier records, None keeps them.
    evolve: a column that can't hold a value is made wider, instead of ending the run.
    names: preserve keeps the attributes' names; the others make names that Treasure Data takes, or snake_case.
    rename: (attribute, column name) pairs; these columns have exactly that name.
    cast: pairs of attribute and the type that each of its values must be read as, exactly (CASTS).
    time: the attribute that becomes the column `time`, Unix seconds. Its values are read as those of a timestamp.
    time_unit: what numbers in it count; None finds it out, as a cast to `timestamp` without a unit does.
    time_default: what `time` holds for an item without a value: the export's time; or such an item ends the run.
    on_bad_time: a value that is not a timestamp ends the run, or becomes null and is counted.
    on_fine_time: a timestamp finer than microseconds ends the run, or is cut and counted.
    add_column: pairs of a column's name and the fact of the export that it holds in every row (ADDED).
    old_image: of an incremental export, add the column `_old`: all of the item before, as plain JSON.
    nul: the character NUL in texts: keep it, drop it, replace it by U+FFFD, or fail the run. In JSON it stays \\u0000.
    csv_bom: begin each part in CSV with a byte order mark, by which Excel knows UTF-8.
    part_size: bytes on disk after which a part is closed, looked at after each row group or 1 MiB of CSV rows. Another
    one is no reason to publish an export again, unless `replace` is set.
    workers: threads that convert; None for one on each CPU that may be used.
    verify: False skips md5 and item counts (for exports edited by hand) and says so in the record.
    latest, export_id: of several exports in SOURCE, take the newest, or the one of this id.
    """

    format: Format = "parquet"
    compression: str | None = None
    encoding: Encoding = "compact"
    layout: str = "dt={date}"
    timezone: str = "UTC"
    numbers: Numbers = "exact"
    mixed: Mixed = "text"
    key: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_columns: int = 2000
    overflow: str | None = None
    schema: SchemaText | Literal["new"] | None = None
    evolve: bool = False
    part_size: int = 96 * MIB
    names: Names = "preserve"
    rename: tuple[tuple[str, str], ...] = ()
    cast: tuple[tuple[str, str], ...] = ()
    time: str | None = None
    time_unit: Unit | None = None
    time_default: TimeDefault | None = None
    on_bad_time: OnBadTime = "fail"
    on_fine_time: OnFineTime = "fail"
    add_column: tuple[tuple[str, str], ...] = ()
    old_image: bool = False
    nul: Nul = "keep"
    csv_bom: bool = False
    workers: int | None = None
    latest: bool = False
    export_id: str | None = None
    verify: bool = True
    show_values: bool = False
    replace: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "format", read_format(self.format))
        object.__setattr__(self, "compression", read_compression(self.format, self.compression))
        check_choice("--encoding", self.encoding, ("compact", "compatible"))
        check_choice("--numbers", self.numbers, ("exact", "double", "text"))
        check_choice("--mixed", self.mixed, ("text", "json", "fail"))
        if self.schema is not None and self.schema != "new" and not isinstance(self.schema, SchemaText):
            raise UsageError(f"{self.schema!r} is no schema", "--schema", 'use SchemaText.read(path), or "new"')
        check_choice("--names", self.names, tuple(NAME_POLICIES))
        check_choice("--nul", self.nul, ("keep", "drop", "replace", "fail"))
        if self.csv_bom and self.format == "parquet":
            raise UsageError("no part is CSV", "--csv-bom", "add --format csv, or leave it out")
        check_layout(self.layout)
        check_timezone(self.timezone)
        if self.workers is None:
            object.__setattr__(self, "workers", usable_cpus())
        elif self.workers < 1:
            raise UsageError(f"{self.workers} workers can't convert", "--workers", "leave it out to use every CPU")
        if self.latest and self.export_id is not None:
            raise UsageError("it can't go with --latest", "--export-id", "drop one of the two")
        if self.part_size < SMALLEST_PART:
            raise UsageError(
                f"a part of {self.part_size:,} bytes is too small: the least is {SMALLEST_PART >> 10} KiB",
                "--part-size",
                "use for example 96MiB",
            )
        if not 1 <= self.max_columns <= NAMES_LIMIT:
            raise UsageError(f"there can be 1 to {NAMES_LIMIT} columns", "--max-columns", "the default is 2000")
        for option in ("key", "select", "exclude"):
            names = getattr(self, option)
            if isinstance(names, str):
                raise UsageError(f"{names!r} is one text, not names", f"--{option}", "write ('id',) for one name")
            object.__setattr__(self, option, tuple(dict.fromkeys(names)))
        both = sorted(set(self.select) & set(self.exclude))
        if both:
            raise UsageError(f"{both[0]!r} is both selected and excluded", "--exclude", "drop one of the two")
        object.__setattr__(self, "cast", read_pairs(self.cast, "cast"))
        object.__setattr__(self, "add_column", read_pairs(self.add_column, "add-column"))
        object.__setattr__(self, "rename", read_pairs(self.rename, "rename"))
        self._check_attributes()
        self._check_names()

    def _check_names(self) -> None:
        """Columns that are given a name must be able to have it, each its own."""
        taken = {name.casefold(): "the output needs this name itself" for name in OURS}
        taken |= {name.casefold(): "a key of the layout's folders has this name" for name in self.layout_keys()}
        if self.time is not None:
            taken[TIME_COLUMN] = "the column of --time has this name"
        given = [("--overflow", "the overflow column", self.overflow, "use for example _more")]
        given += [("--rename", f"attribute {a!r}", name, "choose another name") for a, name in self.rename]
        given += [("--add-column", f"the {fact}", name, "choose another name") for name, fact in self.add_column]
        for option, what, name, hint in given:
            if name is None:
                continue
            check_text(name)
            if not name:
                raise UsageError(f"the name of the column for {what} is empty", option, hint)
            objection = NAME_POLICIES[self.names].objection(name, reserved=option == "--add-column")
            if objection:
                raise UsageError(
                    f"the column for {what} can't be called {name!r} with --names {self.names}: {objection}",
                    option,
                    hint,
                )
            if name.casefold() in taken:
                reason = taken[name.casefold()]
                raise UsageError(f"the column for {what} can't be called {name!r}: {reason}", option, hint)
            taken[name.casefold()] = f"the column for {what} has this name"

    def _check_attributes(self) -> None:
        """Attributes that are named must have a column, and be told one thing only."""
        for name, type_ in self.cast:
            check_choice(f"--cast {name}", type_, tuple(CASTS))
        for name, fact in self.add_column:
            check_choice(f"--add-column {name}", fact, ADDED)
        self._check_time()
        named = self.named_attributes()
        for option in ("--rename", "--cast"):
            names = named[option]
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise UsageError(f"{twice[0]!r} is there twice", option, "say it once")
            if self.time in names:
                raise UsageError(f"{self.time!r} is in {option} too", "--time", "drop one of the two")
        for option, names in named.items():
            for name in names:
                check_text(name)
                if option != "--exclude" and not self.wants(name):
                    way = f"take {name!r} out of --exclude" if name in self.exclude else f"add {name!r} to --select"
                    raise UsageError(f"the attribute {name!r} would have no column", option, way)

    def _check_time(self) -> None:
        """Options about the column `time` need one."""
        if self.time == "":
            raise UsageError("the attribute has no name", "--time", "use for example created_at")
        for option, value in (("--time-default", self.time_default), ("--time with a unit", self.time_unit)):
            if value is not None and self.time is None:
                raise UsageError("there is no column time", option, "name its attribute with --time")
        if self.time_unit is not None:
            check_choice("--time", self.time_unit, UNITS)
        if self.time_default is not None:
            check_choice("--time-default", self.time_default, get_args(TimeDefault))
        check_choice("--on-bad-time", self.on_bad_time, get_args(OnBadTime))
        check_choice("--on-fine-time", self.on_fine_time, get_args(OnFineTime))

    def named_attributes(self) -> dict[str, tuple[str, ...]]:
        """The attributes that the user names, by option."""
        return {
            "--key": self.key,
            "--select": self.select,
            "--exclude": self.exclude,
            "--rename": tuple(attribute for attribute, _ in self.rename),
            "--cast": tuple(attribute for attribute, _ in self.cast),
            "--time": (self.time,) if self.time is not None else (),
        }

    def times(self) -> dict[str, Cast]:
        """The attributes of `cast` and `time`, each with the type that its values must be read as."""
        casts = {attribute: Cast.parse(text) for attribute, text in self.cast}
        return casts if self.time is None else {**casts, self.time: Cast(TIMESTAMP, self.time_unit)}

    def wants(self, attribute: str) -> bool:
        """Does the user want a column for this attribute?"""
        return attribute not in self.exclude and (not self.select or attribute in self.select)

    @property
    def threads(self) -> int:
        """The workers, however many were asked for."""
        return self.workers or usable_cpus()

    def by_format(self) -> tuple[ConvertOptions, ...]:
        """The same options for each format alone, in the order of their names."""
        if self.format != BOTH_FORMATS:
            return (self,)
        compressions = dict(named.split("=") for named in (self.compression or "").split(","))
        return tuple(
            replace(self, format=cast(Format, name), compression=compression, csv_bom=self.csv_bom and name == "csv")
            for name, compression in compressions.items()
        )

    @property
    def text(self) -> bool:
        """Is CSV all that is written, so that exact numbers are digits whatever their type?"""
        return self.format == "csv"

    def layout_keys(self) -> tuple[str, ...]:
        """Names that readers take from the destination's folders: `dt` of `dt={date}`."""
        return tuple(segment.split("=", 1)[0] for segment in self.layout.split("/") if "=" in segment)

    def published(self) -> dict[str, object]:
        """The options that decide what is published, as JSON types."""
        values = asdict(self)
        published = {name: list(v) if isinstance(v := values[name], tuple) else v for name in _PUBLISHED}
        published |= {"select": sorted(self.select), "exclude": sorted(self.exclude)}
        published |= {name: sorted(map(list, getattr(self, name))) for name in ("rename", "cast")}
        published["add_column"] = [list(pair) for pair in self.add_column]
        # Of a schema file its content counts, not its name; a schema that is begun anew is none that a record had.
        text = self.schema.content if isinstance(self.schema, SchemaText) else None
        return published | {"schema": text and hashlib.sha256(text.encode()).hexdigest()}

    def differences(self, recorded: Mapping[str, object]) -> dict[str, tuple[object, object]]:
        """The options that something was published with and that are others here: by name, what they were and are.

        recorded: from a record. An older version did not have all options, and did what is now their default.
        """
        before, now = {**ConvertOptions().published(), **recorded}, self.published()
        return {
            name: (value, now.get(name))
            for name, value in before.items()
            if value != now.get(name) and name not in _NOT_COMPARED
        }

    def published_hash(self) -> str:
        """sha256 (hex) of the options that are compared. One that came later counts where it is given."""
        defaults = {field.name: field.default for field in fields(self) if field.name in _CAME_LATER}
        published = {
            name: value
            for name, value in self.published().items()
            if name not in defaults or getattr(self, name) != defaults[name]
        }
        # Versions that compared these too had them in the hash.
        published |= {field.name: field.default for field in fields(self) if field.name in _NOT_COMPARED}
        text = json.dumps(published, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()
