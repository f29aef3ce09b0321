"""Options of every verb that converts, and their conversion to options of the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from converter.cli.arguments import ResultArguments, names_option, option
from converter.cli.aws_arguments import AwsArguments, DestArguments, ObjectArguments, SourceArguments
from converter.cli.parse import parse_size, read_names, read_pairs, read_schema, read_time_attribute
from converter.name_policies import Names
from converter.option_values import Encoding, Nul
from converter.options import MIB, ConvertOptions, Mixed, Numbers, option_name
from converter.presets import PresetConsumer, describe_preset, options_for
from converter.time_options import OnBadTime, OnFineTime, TimeDefault

_DEFAULTS: Final = ConvertOptions()
_READERS: Final[Mapping[str, Callable[[Any, str], object]]] = {
    "key": read_names,
    "select": read_names,
    "exclude": read_names,
    "rename": read_pairs,
    "cast": read_pairs,
    "add_column": read_pairs,
    "part_size": parse_size,
    "schema": lambda text, _: read_schema(text),
}
"""Readers of options whose text is not their value, called with the text and the name of the option."""


@dataclass(frozen=True, kw_only=True)
class ConversionArguments(AwsArguments, SourceArguments, DestArguments, ObjectArguments, ResultArguments):
    """Options of every verb that converts, in the order of its help."""

    for_: PresetConsumer | None = option(
        "Preset for a consumer: format, compression, names and added columns. Explicit options override it.",
        show_default=False,
    )
    format: str | None = option(
        "Output format: parquet, csv, or csv,parquet for both in one pass.", metavar="FORMAT", show_default="parquet"
    )
    compression: str | None = option(
        "Parquet: zstd, snappy, gzip or none. CSV: none or gzip. For both formats: csv=gzip,parquet=zstd.",
        metavar="NAME",
        show_default="zstd for Parquet, none for CSV",
    )
    encoding: Encoding | None = option(
        "Parquet encodings. compatible: only PLAIN and dictionaries, which every reader supports. compact: delta"
        " encodings too, for files that are up to 6% smaller.",
        show_default="compatible",
    )
    layout: str = option(
        "Folder layout below DEST. Fields: {date}, {from}, {to}, {table}.", _DEFAULTS.layout, metavar="LAYOUT"
    )
    timezone: str = option("Time zone of the dates in folder names.", _DEFAULTS.timezone, metavar="ZONE")
    numbers: Numbers = option(
        "How to store numbers. exact: int64, decimal or text, whichever keeps every digit.", _DEFAULTS.numbers
    )
    mixed: Mixed = option(
        "How to convert an attribute with several types: text, DynamoDB JSON, or fail.", _DEFAULTS.mixed
    )
    key: list[str] | None = names_option("Attributes to put in the first columns, such as the table's key.")
    select: list[str] | None = names_option("Convert only these attributes.")
    exclude: list[str] | None = names_option("Convert all attributes except these.")
    max_columns: int = option(
        "Fail if the output would have more columns than this.", _DEFAULTS.max_columns, metavar="COUNT"
    )
    overflow: str | None = option(
        "Put the attributes beyond --max-columns in one JSON column with this name.", metavar="NAME"
    )
    schema: str | None = option(
        "Schema file with the columns to write. new: ignore the columns of earlier exports in DEST.",
        metavar="FILE|new",
        show_default="the columns of the newest export in DEST",
    )
    evolve: bool = option(
        "Widen a column if a value does not fit, and report the dates that keep the narrower type.", False
    )
    names: Names | None = option(
        "How to name columns: as the attributes, as Treasure Data requires, or in snake_case.", show_default="preserve"
    )
    rename: list[str] | None = names_option("Give columns exactly these names: attribute=column.", "RENAMES")
    cast: list[str] | None = names_option(
        "Convert an attribute to a timestamp, or a date (YYYY-MM-DD). UNIT of the numbers: s, ms, us or ns; default:"
        " detect it.",
        "NAME=timestamp[(UNIT)]|date",
    )
    time: str | None = option(
        "Write the timestamps of this attribute to the column time, as Unix seconds.", metavar="NAME[=UNIT]"
    )
    time_default: TimeDefault | None = option(
        "Items without a --time value: use the time of the export, or fail.", show_default="leave it empty"
    )
    on_bad_time: OnBadTime = option(
        "Values of --cast or --time that are not a time or date: fail, or write null.", _DEFAULTS.on_bad_time
    )
    on_fine_time: OnFineTime = option(
        "Timestamps of --cast finer than microseconds: fail, or truncate them.", _DEFAULTS.on_fine_time
    )
    add_column: list[str] | None = names_option(
        "Add a last column with one value for all rows: export_time, unix_time, export_id or date.", "NAME=FACT"
    )
    nul: Nul = option("NUL characters in text: keep, drop, replace with U+FFFD, or fail.", _DEFAULTS.nul)
    csv_bom: bool = option("Start each CSV part with a byte order mark, so that Excel reads it as UTF-8.", False)
    part_size: str = option(
        "Size of a part on disk. A part ends after the row group, or 1 MiB of CSV, that reaches it.",
        f"{_DEFAULTS.part_size // MIB}MiB",
        metavar="SIZE",
    )
    workers: int | None = option("Number of worker threads.", metavar="COUNT", show_default="the available CPUs")
    no_verify: bool = option("Skip the md5 and item count checks, for exports that were edited by hand.", False)
    show_values: bool = option("Show data in messages about bad lines. It may contain personal data.", False)
    replace: bool = option("Replace the published output of this export, or of its date.", False)
    dry_run: bool = option(
        "Read the manifests and the records in DEST (sync also lists existing exports), print what a run would do, and"
        " write nothing.",
        False,
    )


def read_options(arguments: Any) -> tuple[ConvertOptions, str]:
    """Return the options of a verb for the library, with those of --for, and a message about the latter.

    Options that the verb does not have, or that are not set, have their defaults. Raises UsageError.
    """
    given: dict[str, Any] = {}
    for name in (field.name for field in fields(ConvertOptions) if hasattr(arguments, field.name)):
        text = getattr(arguments, name)
        read = _READERS.get(name)
        given[name] = text if read is None else read(text, option_name(name).removeprefix("--"))
    given |= {**read_time_attribute(arguments.time), "verify": not arguments.no_verify}
    given = {name: value for name, value in given.items() if value is not None}
    if arguments.for_ is None:
        return ConvertOptions(**given), ""
    return options_for(arguments.for_, **given), describe_preset(arguments.for_, given)
