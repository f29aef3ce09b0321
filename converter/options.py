"""Options of a conversion, as one frozen object. The command line parses text forms such as `96MiB` and `a,b`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, cast, get_args

from converter.cpus import usable_cpus
from converter.errors import UsageError
from converter.name_policies import NAME_POLICIES, Names
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
from converter.time_options import UNITS, OnBadTime, OnFineTime, TimeDefault, Unit

if TYPE_CHECKING:
    from converter.conditions.syntax import Condition
    from converter.schema.column_types import Cast

Numbers = Literal["exact", "double", "text"]
Mixed = Literal["text", "json", "fail"]
OneFormat = Literal["parquet", "csv"]
Consumer = Literal["treasure-data", "athena", "duckdb", "polars", "spark"]
Trigger = Literal["schedule", "manifest"]
Buckets = Literal["export", "destination", "both"]
OnGap = Literal["fail", "full"]
"""Action if some changes can no longer be exported: an error, or a new start with a full export."""

ADDED = ("export_time", "export_id", "date", "unix_time")
"""Facts of an export that a column can contain."""
TIME_COLUMN = "time"
NAMES_LIMIT = 100_000
NAMES_BYTES_LIMIT = 16 << 20
"""Limit of all attribute names together: 160 bytes for each. Each worker keeps all names in memory."""
MIB = 1 << 20
SMALLEST_PART = 4 << 10
"""Smallest part size in bytes. A smaller number probably lacks its unit: in MiB it would be a usual size."""
RESERVED_COLUMNS = ("_op", "_write_ts", "_old")
"""Columns of incremental exports. They are reserved in full exports too, so that both kinds use the same names."""

# Published options that older records do not have. They are compared only if they differ from their defaults.
_LATER_OPTIONS = (
    "encoding",
    "old_image",
    "nul",
    "csv_bom",
    "time_unit",
    "time_default",
    "on_bad_time",
    "on_fine_time",
    "where",
)
# Values that those options had, in effect, before they existed, if these are not the defaults.
_EARLIER_VALUES: dict[str, object] = {"encoding": "compact"}
# Options that change the published output. The others (workers, show_values, replace …) can differ between two
# runs with equal output.
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
    *_LATER_OPTIONS,
)
# Published options that are not compared with those of a record: only the number of files differs, not the rows.
_NOT_COMPARED = ("part_size",)


def option_name(field: str) -> str:
    """Return the option that sets a field: max_columns → --max-columns."""
    return f"--{field.replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class SchemaText:
    """Content and path of a schema file. schema/schema_file.py parses it."""

    where: str
    content: str

    @staticmethod
    def read(path: str | os.PathLike[str]) -> SchemaText:
        """Read a file. Raises UsageError if it does not exist or is not UTF-8."""
        name = os.fspath(path)
        try:
            with open(name, encoding="utf-8") as file:
                return SchemaText(name, file.read())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(
                f"the schema file can't be read: {reason}", name, "pass the path of a file, or new"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """Options of one conversion. Raises UsageError if they contradict each other.

    format: "csv,parquet", in any order, writes both in one pass, each to its own folder.
    compression: None is the default of the format (zstd for Parquet, none for CSV). With both formats: the compression
    of each, as in "csv=gzip,parquet=snappy"; a format that is not named has its default.
    encoding: encoding of Parquet. compatible uses only PLAIN values and dictionaries, which all readers support.
    compact uses delta encodings too. None is compatible, but leaves an export as it is that is published as compact.
    key, select, exclude: attribute names as in DynamoDB. Key columns come first.
    overflow: name of the JSON column with the attributes beyond max_columns. None makes these an error.
    schema: a schema file, whose columns come first; "new" ignores the columns of earlier records, None keeps them.
    evolve: widen a column if a value does not fit, instead of an error.
    names: preserve keeps the attribute names; the others create names for Treasure Data, or snake_case.
    rename: pairs of attribute and column name. These columns have exactly this name.
    where: a condition that the items, or the changes, must satisfy; see conditions/parse.py. None keeps all.
    cast: pairs of attribute and the type that each of its values must have (CASTS).
    time: the attribute that is written to the column `time` as Unix seconds. Its values are parsed as timestamps.
    time_unit: unit of its numbers. None detects it, as a cast to `timestamp` without a unit does.
    time_default: for an item without a value: use the export's time, or fail.
    on_bad_time: for a value that is not a timestamp: fail, or write null and count it.
    on_fine_time: for a timestamp finer than microseconds: fail, or truncate and count it.
    add_column: pairs of a column name and the fact of the export that the column contains in every row (ADDED).
    old_image: in an incremental export, add the column `_old` with the item before the change, as plain JSON.
    nul: NUL characters in text: keep, drop, replace with U+FFFD, or fail. In JSON they stay \\u0000.
    csv_bom: start each CSV part with a byte order mark, so that Excel reads it as UTF-8.
    part_size: bytes on disk after which a part ends, checked after each row group or 1 MiB of CSV rows. A different
    size does not publish an export again, unless `replace` is set.
    workers: threads that convert. None uses one for each available CPU.
    verify: False skips the checks of md5 and item counts (for exports edited by hand). The record contains this.
    latest, export_id: if SOURCE has several exports, the newest, or the one with this id.
    """

    format: Format = "parquet"
    compression: str | None = None
    encoding: Encoding | None = None
    layout: str = "dt={date}"
    timezone: str = "UTC"
    numbers: Numbers = "exact"
    mixed: Mixed = "text"
    key: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_columns: int = 2000
    overflow: str | None = None
    where: str | None = None
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
        if self.encoding is not None:
            check_choice("--encoding", self.encoding, get_args(Encoding))
        check_choice("--numbers", self.numbers, ("exact", "double", "text"))
        check_choice("--mixed", self.mixed, ("text", "json", "fail"))
        if self.schema is not None and self.schema != "new" and not isinstance(self.schema, SchemaText):
            raise UsageError(f"{self.schema!r} is not a schema", "--schema", 'use SchemaText.read(path), or "new"')
        check_choice("--names", self.names, tuple(NAME_POLICIES))
        check_choice("--nul", self.nul, ("keep", "drop", "replace", "fail"))
        if self.csv_bom and self.format == "parquet":
            raise UsageError("this option requires CSV", "--csv-bom", "add --format csv, or remove the option")
        check_layout(self.layout)
        check_timezone(self.timezone)
        if self.workers is None:
            object.__setattr__(self, "workers", usable_cpus())
        elif self.workers < 1:
            raise UsageError(
                f"at least 1 worker is required, not {self.workers}", "--workers", "omit the option to use every CPU"
            )
        if self.latest and self.export_id is not None:
            raise UsageError("--export-id and --latest cannot be used together", "--export-id", "remove one of them")
        if self.part_size < SMALLEST_PART:
            raise UsageError(
                f"a part size of {self.part_size:,} bytes is too small: the minimum is {SMALLEST_PART >> 10} KiB",
                "--part-size",
                "for example, use 96MiB",
            )
        if not 1 <= self.max_columns <= NAMES_LIMIT:
            raise UsageError(
                f"{self.max_columns} is not between 1 and {NAMES_LIMIT}", "--max-columns", "the default is 2000"
            )
        for option in ("key", "select", "exclude"):
            names = getattr(self, option)
            if isinstance(names, str):
                raise UsageError(f"{names!r} is a string, not a tuple", f"--{option}", "write ('id',) for one name")
            object.__setattr__(self, option, tuple(dict.fromkeys(names)))
        both = sorted(set(self.select) & set(self.exclude))
        if both:
            raise UsageError(f"{both[0]!r} is both selected and excluded", "--exclude", "remove it from one of them")
        object.__setattr__(self, "cast", read_pairs(self.cast, "cast"))
        object.__setattr__(self, "add_column", read_pairs(self.add_column, "add-column"))
        object.__setattr__(self, "rename", read_pairs(self.rename, "rename"))
        self._check_attributes()
        self._check_names()
        self.condition()

    def _check_names(self) -> None:
        """Check that each chosen column name is valid and unique."""
        taken = {name.casefold(): "the name is reserved" for name in RESERVED_COLUMNS}
        taken |= {name.casefold(): "a folder key of the layout has this name" for name in self.layout_keys()}
        if self.time is not None:
            taken[TIME_COLUMN] = "the column of --time has this name"
        given = [("--overflow", "the overflow column", self.overflow, "for example, use _more")]
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
        """Check that each named attribute has a column, and is in only one of the options."""
        if self.cast:
            from converter.schema.column_types import CASTS

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
                raise UsageError(f"{twice[0]!r} is given twice", option, "give it once")
            if self.time in names:
                raise UsageError(f"{self.time!r} is also in {option}", "--time", "remove it from one of them")
        for option, names in named.items():
            for name in names:
                check_text(name)
                if option != "--exclude" and not self.wants(name):
                    hint = f"remove {name!r} from --exclude" if name in self.exclude else f"add {name!r} to --select"
                    raise UsageError(f"the attribute {name!r} would have no column", option, hint)

    def _check_time(self) -> None:
        """Check the options of the column `time`."""
        if self.time == "":
            raise UsageError("the attribute name is empty", "--time", "for example, use created_at")
        for option, value in (("--time-default", self.time_default), ("--time with a unit", self.time_unit)):
            if value is not None and self.time is None:
                raise UsageError("this option requires --time", option, "add --time with the name of an attribute")
        if self.time_unit is not None:
            check_choice("--time", self.time_unit, UNITS)
        if self.time_default is not None:
            check_choice("--time-default", self.time_default, get_args(TimeDefault))
        check_choice("--on-bad-time", self.on_bad_time, get_args(OnBadTime))
        check_choice("--on-fine-time", self.on_fine_time, get_args(OnFineTime))

    def named_attributes(self) -> dict[str, tuple[str, ...]]:
        """Return the attributes that the user names, by option."""
        return {
            "--key": self.key,
            "--select": self.select,
            "--exclude": self.exclude,
            "--rename": tuple(attribute for attribute, _ in self.rename),
            "--cast": tuple(attribute for attribute, _ in self.cast),
            "--time": (self.time,) if self.time is not None else (),
        }

    def condition(self) -> Condition | None:
        """Return the condition of `where`. Raises UsageError with the column of a mistake."""
        if self.where is None:
            return None
        from converter.conditions.parse import parse_condition

        return parse_condition(self.where)

    def times(self) -> dict[str, Cast]:
        """Return the attributes of `cast` and `time`, each with the type of its values."""
        from converter.schema.column_types import CASTS, TIMESTAMP, Cast

        casts = {attribute: CASTS[text] for attribute, text in self.cast}
        return casts if self.time is None else {**casts, self.time: Cast(TIMESTAMP, self.time_unit)}

    def wants(self, attribute: str) -> bool:
        """Return whether the output has a column for this attribute."""
        return attribute not in self.exclude and (not self.select or attribute in self.select)

    @property
    def threads(self) -> int:
        """The number of workers, after defaults."""
        return self.workers or usable_cpus()

    def by_format(self) -> tuple[ConvertOptions, ...]:
        """Return these options for each format separately, in the order of the format names."""
        if self.format != BOTH_FORMATS:
            return (self,)
        compressions = dict(named.split("=") for named in (self.compression or "").split(","))
        return tuple(
            replace(self, format=cast(Format, name), compression=compression, csv_bom=self.csv_bom and name == "csv")
            for name, compression in compressions.items()
        )

    @property
    def text(self) -> bool:
        """Whether only CSV is written, so that exact numbers are digits whatever their type."""
        return self.format == "csv"

    def layout_keys(self) -> tuple[str, ...]:
        """Return the columns that readers derive from folder names: `dt` of `dt={date}`."""
        return tuple(segment.split("=", 1)[0] for segment in self.layout.split("/") if "=" in segment)

    def published(self) -> dict[str, object]:
        """Return the options that determine the published output, as JSON types."""
        values = asdict(self)
        published = {name: list(v) if isinstance(v := values[name], tuple) else v for name in _PUBLISHED}
        published |= {"select": sorted(self.select), "exclude": sorted(self.exclude)}
        published |= {name: sorted(map(list, getattr(self, name))) for name in ("rename", "cast")}
        published["add_column"] = [list(pair) for pair in self.add_column]
        # A schema file is identified by its content, not by its name. "new" is never recorded.
        text = self.schema.content if isinstance(self.schema, SchemaText) else None
        digest = text and hashlib.sha256(text.encode()).hexdigest()
        return published | {"schema": digest, "encoding": self.encoding or "compatible"}

    def differences(self, recorded: Mapping[str, object]) -> dict[str, tuple[object, object]]:
        """Return the options that differ from recorded ones: by name, the recorded and the current value.

        recorded: from a record. An option that an older version did not record has the value that it had in effect.
        """
        before, now = {**ConvertOptions().published(), **_EARLIER_VALUES, **recorded}, self.published()
        ignored = _NOT_COMPARED if self.encoding else (*_NOT_COMPARED, "encoding")
        return {
            name: (value, now.get(name))
            for name, value in before.items()
            if value != now.get(name) and name not in ignored
        }

    def published_hash(self) -> str:
        """Return the sha256 (hex) of the compared options. Later versions' options count if they change the output."""
        earlier = {field.name: field.default for field in fields(self) if field.name in _LATER_OPTIONS}
        earlier |= _EARLIER_VALUES
        published = {
            name: value for name, value in self.published().items() if name not in earlier or value != earlier[name]
        }
        # Older versions compared these too, so the hash includes their defaults.
        published |= {field.name: field.default for field in fields(self) if field.name in _NOT_COMPARED}
        text = json.dumps(published, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()
