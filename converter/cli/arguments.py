"""Arguments and options of the verbs, each declared once, and their conversion to Typer commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from converter.cli.messages import LogFormat
from converter.name_policies import Names
from converter.option_values import Encoding, Nul
from converter.options import MIB, Consumer, ConvertOptions, Mixed, Numbers, OneFormat
from converter.presets import PresetConsumer
from converter.time_options import OnBadTime, OnFineTime, TimeDefault

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_EXAMPLE_COLUMNS = 74
ENV_PREFIX = "DDB_CONVERT_"
DEFAULTS = ConvertOptions()
DEFAULT_PART_SIZE = f"{DEFAULTS.part_size // MIB}MiB"

Arguments = TypeVar("Arguments", bound="DataclassInstance")


def environment_name(option: str) -> str:
    """Return the environment variable of an option: `DDB_CONVERT_PART_SIZE` for `part-size`."""
    return ENV_PREFIX + option.upper().replace("-", "_")


class _Command(typer.core.TyperCommand):
    """A command whose help lists each panel of options under its own heading."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the arguments without the braces that Typer puts around them."""
        # Typer appends dots to an argument with several values. `INCREMENT... DEST` already has them.
        pieces = (
            re.sub(r"(\.\.\. \S+)\.\.\.$", r"\1", re.sub("[{}]", "", p)) for p in super().collect_usage_pieces(ctx)
        )
        return list(pieces)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the options without a panel, and each panel."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None:
                is_option = parameter.param_type_name == "option"
                panel = getattr(parameter, "rich_help_panel", None)
                # Typer appends the type `<str>` to each argument.
                shown = (re.sub(r" <(str|list\[str\])>$", "", row[0]), row[1])
                sections.setdefault(panel or ("Options" if is_option else "Arguments"), []).append(shown)
        for heading, rows in sections.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def add_verb(
    commands: typer.Typer, arguments: type[Arguments], run: Callable[[Arguments], None], examples: tuple[str, ...]
) -> None:
    """Add a command that takes the fields of the dataclass `arguments`, and runs `run` with the object.

    The fields of the class itself precede the inherited ones. The command's name is the name of `run` without a
    trailing underscore; its help is the docstring of `run`. The Typer callback returns the job instead of running it,
    so that Typer's handlers don't intercept the job's errors, signals and closed pipes.
    """

    def command(**values: Any) -> Callable[[], None]:
        return lambda: run(arguments(**values))

    hints = get_type_hints(arguments, include_extras=True)
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=hints[field.name],
            )
            for field in sorted(fields(arguments), key=lambda field: field.name not in arguments.__annotations__)
        ]
    )
    numbered = (f"  {_fit(f'{number}. {example}')}" for number, example in enumerate(examples, 1))
    # \b keeps Typer from joining the following lines into one paragraph.
    epilog = "\n".join(["\b", "Examples:", *numbered])
    commands.command(run.__name__.rstrip("_"), cls=_Command, help=inspect.cleandoc(run.__doc__ or ""), epilog=epilog)(
        command
    )


def _fit(example: str) -> str:
    """Break an example into shell lines of at most 80 columns: before options or, if necessary, before other words."""
    lines = [""]
    for piece in re.split(r" (?=--)", example):
        words = [piece] if len(piece) < _EXAMPLE_COLUMNS else piece.split(" ")
        for word in words:
            joined = f"{lines[-1]} {word}" if lines[-1] else word
            if len(joined) <= _EXAMPLE_COLUMNS:
                lines[-1] = joined
            else:
                lines.append(f"       {word}")
    return " \\\n".join(lines)


def option(
    name: str,
    help: str,
    *,
    metavar: str | None = None,
    default: str | bool = True,
    panel: str | None = None,
    minimum: int | None = None,
) -> Any:
    """Declare an option that also reads its environment variable.

    default: its description in the help; panel: the heading in the help; minimum: the smallest number accepted.
    """
    return typer.Option(
        f"--{name}",
        envvar=environment_name(name),
        show_envvar=False,
        help=help,
        metavar=metavar,
        show_default=default,
        rich_help_panel=panel,
        min=minimum,
    )


def _names(name: str, help: str, metavar: str = "NAMES") -> Any:
    # No envvar=: Typer splits lists from the environment at white space. `parse.read_names` reads the variable instead.
    return typer.Option(f"--{name}", help=help, metavar=metavar)


Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="The export: its folder, its manifest-summary.json, a folder of exports (local or s3://), or its ARN.",
    ),
]
Dest = Annotated[str, typer.Argument(metavar="DEST", help="The folder or s3://bucket/prefix/ to publish to.")]

For = Annotated[
    PresetConsumer | None,
    option(
        "for",
        "Preset for a consumer: format, compression, names and added columns. Explicit options override it.",
        default=False,
    ),
]
OutputFormat = Annotated[
    str | None,
    option(
        "format",
        "Output format: parquet, csv, or csv,parquet for both in one pass.",
        metavar="FORMAT",
        default="parquet",
    ),
]
Compression = Annotated[
    str | None,
    option(
        "compression",
        "Parquet: zstd, snappy, gzip or none. CSV: none or gzip. For both formats: csv=gzip,parquet=zstd.",
        metavar="NAME",
        default="zstd for Parquet, none for CSV",
    ),
]
EncodingOption = Annotated[
    Encoding,
    option("encoding", "Parquet encodings. compatible: only PLAIN and dictionaries, which every reader supports."),
]
Layout = Annotated[
    str,
    option("layout", "Folder layout below DEST. Fields: {date}, {from}, {to}, {table}.", metavar="LAYOUT"),
]
Timezone = Annotated[str, option("timezone", "Time zone of the dates in folder names.", metavar="ZONE")]
NumbersOption = Annotated[
    Numbers,
    option("numbers", "How to store numbers. exact: int64, decimal or text, whichever keeps every digit."),
]
MixedOption = Annotated[
    Mixed,
    option("mixed", "How to convert an attribute with several types: text, DynamoDB JSON, or fail."),
]
Key = Annotated[list[str] | None, _names("key", "Attributes to put in the first columns, such as the table's key.")]
Select = Annotated[list[str] | None, _names("select", "Convert only these attributes.")]
Exclude = Annotated[list[str] | None, _names("exclude", "Convert all attributes except these.")]
MaxColumns = Annotated[
    int, option("max-columns", "Fail if the output would have more columns than this.", metavar="COUNT")
]
Overflow = Annotated[
    str | None,
    option("overflow", "Put the attributes beyond --max-columns in one JSON column with this name.", metavar="NAME"),
]
Schema = Annotated[
    str | None,
    option(
        "schema",
        "Schema file with the columns to write. new: ignore the columns of earlier exports in DEST.",
        metavar="FILE|new",
        default="the columns of the newest export in DEST",
    ),
]
Evolve = Annotated[
    bool, option("evolve", "Widen a column if a value does not fit, and report the dates that keep the narrower type.")
]
NamesOption = Annotated[
    Names | None,
    option(
        "names",
        "How to name columns: as the attributes, as Treasure Data requires, or in snake_case.",
        default="preserve",
    ),
]
Rename = Annotated[
    list[str] | None, _names("rename", "Give columns exactly these names: attribute=column.", metavar="RENAMES")
]
Cast = Annotated[
    list[str] | None,
    _names(
        "cast",
        "Convert an attribute to a timestamp, or a date (YYYY-MM-DD). UNIT of the numbers: s, ms, us or ns; default:"
        " detect it.",
        "NAME=timestamp[(UNIT)]|date",
    ),
]
Time = Annotated[
    str | None,
    option(
        "time", "Write the timestamps of this attribute to the column time, as Unix seconds.", metavar="NAME[=UNIT]"
    ),
]
TimeDefaultOption = Annotated[
    TimeDefault | None,
    option(
        "time-default",
        "Items without a --time value: use the time of the export, or fail.",
        default="leave it empty",
    ),
]
OnBadTimeOption = Annotated[
    OnBadTime,
    option("on-bad-time", "Values of --cast or --time that are not a time or date: fail, or write null."),
]
OnFineTimeOption = Annotated[
    OnFineTime,
    option("on-fine-time", "Timestamps of --cast finer than microseconds: fail, or truncate them."),
]
AddColumn = Annotated[
    list[str] | None,
    _names(
        "add-column",
        "Add a last column with one value for all rows: export_time, unix_time, export_id or date.",
        "NAME=FACT",
    ),
]
OldImage = Annotated[
    bool,
    option(
        "old-image",
        "Incremental exports: add the column _old with the item before the change, as plain JSON.",
        default=False,
    ),
]
NulOption = Annotated[
    Nul,
    option("nul", "NUL characters in text: keep, drop, replace with U+FFFD, or fail."),
]
CsvBom = Annotated[
    bool, option("csv-bom", "Start each CSV part with a byte order mark, so that Excel reads it as UTF-8.")
]
PartSize = Annotated[
    str,
    option(
        "part-size",
        "Size of a part on disk. A part ends after the row group, or 1 MiB of CSV, that reaches it.",
        metavar="SIZE",
    ),
]
Workers = Annotated[
    int | None, option("workers", "Number of worker threads.", metavar="COUNT", default="the available CPUs")
]
Latest = Annotated[bool, option("latest", "If SOURCE has several exports, use the newest.")]
ExportId = Annotated[
    str | None, option("export-id", "If SOURCE has several exports, use the one with this ID.", metavar="ID")
]
NoVerify = Annotated[
    bool, option("no-verify", "Skip the md5 and item count checks, for exports that were edited by hand.")
]
ShowValues = Annotated[bool, option("show-values", "Show data in messages about bad lines. It may be personal.")]
Replace = Annotated[bool, option("replace", "Replace the published output of this export, or of its date.")]
DryRun = Annotated[
    bool,
    option(
        "dry-run",
        "Read the manifests and the records in DEST, and with sync ask AWS for exports; print what a run would do, and"
        " write nothing.",
    ),
]
Complete = Annotated[
    bool, option("complete", "Finish an unfinished commit, as the next convert would. By default it is kept.")
]
CleanDryRun = Annotated[bool, option("dry-run", "Print what would be removed, and change nothing.")]
Sample = Annotated[bool, option("sample", "Read only the beginning of up to 16 data files: fast, but approximate.")]
WriteSchema = Annotated[
    str | None,
    option(
        "write-schema", "Write the columns to a new schema file, to edit and pass to convert --schema.", metavar="FILE"
    ),
]
Json = Annotated[bool, option("json", "Print the result to stdout as one JSON object.")]
Quiet = Annotated[bool, option("quiet", "Print only warnings and errors to stderr.")]
LogFormatOption = Annotated[LogFormat, option("log-format", "Format of the messages on stderr.")]

ConsumerArgument = Annotated[
    Consumer,
    typer.Argument(metavar="CONSUMER", help="The system to load into: treasure-data, athena, duckdb, polars or spark."),
]
PublishedDest = Annotated[
    str, typer.Argument(metavar="DEST", help="The folder that exports are published to, local or s3://.")
]
CleanDest = Annotated[str, typer.Argument(metavar="DEST", help="The folder that runs publish to, local or s3://.")]
Location = Annotated[
    str | None,
    option("location", "Where the consumer reads DEST, if it is copied elsewhere.", metavar="PLACE", default="DEST"),
]
Database = Annotated[
    str | None,
    option(
        "database",
        "Database in Treasure Data or Athena.",
        metavar="NAME",
        default="the table's name; for Athena, the session's database",
    ),
]
Table = Annotated[
    str | None,
    option("table", "Table, or Spark view, to create.", metavar="NAME", default="the DynamoDB table's name, adapted"),
]
RecipeFormat = Annotated[
    OneFormat | None,
    option("format", "The format to load, if DEST has both.", default="parquet; for Treasure Data, csv"),
]
Out = Annotated[
    str | None,
    option(
        "out",
        "Folder to write the files to. - prints them.",
        metavar="FOLDER",
        default=". for treasure-data, - for the others",
    ),
]
Force = Annotated[bool, option("force", "Overwrite existing files.")]
