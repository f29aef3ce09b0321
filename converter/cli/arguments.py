"""The arguments and options of the verbs, each declared once, and how a dataclass of them becomes a Typer command."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from converter.cli.messages import LogFormat
from converter.option_values import Encoding, Nul
from converter.options import MIB, Consumer, ConvertOptions, Mixed, Names, Numbers, OneFormat
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
    """The environment variable of an option: `DDB_CONVERT_PART_SIZE` for `part-size`."""
    return ENV_PREFIX + option.upper().replace("-", "_")


class _Command(typer.core.TyperCommand):
    """A command whose help lists the options with a panel below a heading of their own."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments without the braces that Typer puts around them."""
        # Of several values Typer says so with dots, and so does the name `INCREMENT... DEST`.
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
                # Typer says of each argument that it is text.
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

    The fields come in their order, those of the class itself before those of the class that it is made from.
    Its name and help are `run`'s name, without a _ at its end, and docstring. What Typer calls returns the job instead
    of doing it, so that the job's own errors, signals and closed pipes are not met by Typer's handlers first.
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
    # \b keeps Typer from filling the lines that follow it into one paragraph.
    epilog = "\n".join(["\b", "Examples:", *numbered])
    commands.command(run.__name__.rstrip("_"), cls=_Command, help=inspect.cleandoc(run.__doc__ or ""), epilog=epilog)(
        command
    )


def _fit(example: str) -> str:
    """An example in lines that fit into 80 columns: broken before options or, if need be, other words, for a shell."""
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
    """An option that also reads its environment variable; default: what help says of it; panel: its heading there.

    minimum: of a number.
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
    # Without envvar=: Typer splits a list from the environment at white space. `parse.read_names` reads it.
    return typer.Option(f"--{name}", help=help, metavar=metavar)


Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="An export's folder or manifest-summary.json, or a folder of exports, local or s3://; or an export's ARN.",
    ),
]
Dest = Annotated[str, typer.Argument(metavar="DEST", help="The folder or s3://bucket/prefix/ to publish in.")]

For = Annotated[
    PresetConsumer | None,
    option(
        "for",
        "Set format, compression, names and added columns as a consumer needs them; other options come first.",
        default=False,
    ),
]
OutputFormat = Annotated[
    str | None,
    option(
        "format",
        "What the parts are: parquet, csv, or both in one pass, as csv,parquet.",
        metavar="FORMAT",
        default="parquet",
    ),
]
Compression = Annotated[
    str | None,
    option(
        "compression",
        "Parquet: zstd, snappy, gzip or none. CSV: none or gzip. Both: csv=gzip,parquet=zstd, or one of them.",
        metavar="NAME",
        default="zstd for Parquet, none for CSV",
    ),
]
EncodingAs = Annotated[
    Encoding,
    option("encoding", "Encodings in Parquet. compatible: only those that every reader knows, PLAIN and dictionaries."),
]
Layout = Annotated[
    str,
    option("layout", "Folders below DEST. Fields: {date}, {from}, {to}, {table}.", metavar="LAYOUT"),
]
Timezone = Annotated[str, option("timezone", "Time zone of the dates in folder names.", metavar="ZONE")]
NumbersAs = Annotated[
    Numbers,
    option("numbers", "exact: int64, decimal or text, whichever keeps every digit; double; or always text."),
]
MixedAs = Annotated[
    Mixed,
    option("mixed", "An attribute of several types becomes text, or DynamoDB JSON; or fails the run."),
]
Key = Annotated[list[str] | None, _names("key", "Attributes whose columns come first.")]
Select = Annotated[list[str] | None, _names("select", "Only these attributes.")]
Exclude = Annotated[list[str] | None, _names("exclude", "All attributes but these.")]
MaxColumns = Annotated[int, option("max-columns", "Stop when there would be more columns.", metavar="COUNT")]
Overflow = Annotated[
    str | None,
    option("overflow", "Put attributes beyond --max-columns into one JSON column of this name.", metavar="NAME"),
]
Schema = Annotated[
    str | None,
    option(
        "schema",
        "A schema file whose columns to keep; new forgets those of earlier exports in DEST.",
        metavar="FILE|new",
        default="the columns of DEST's newest export",
    ),
]
Evolve = Annotated[
    bool, option("evolve", "Make a column wider when a value doesn't fit it, and say which dates differ then.")
]
NamesAs = Annotated[
    Names | None,
    option(
        "names",
        "Names of columns: the attributes' own, or such as Treasure Data takes, or snake_case.",
        default="preserve",
    ),
]
Rename = Annotated[
    list[str] | None, _names("rename", "Columns that get exactly this name: attribute=column.", metavar="RENAMES")
]
Cast = Annotated[
    list[str] | None,
    _names(
        "cast",
        "This attribute is a timestamp, or a date (YYYY-MM-DD). (UNIT) says what the numbers of a timestamp count:"
        " s, ms, us or ns; otherwise all of them show it.",
        "NAME=timestamp[(UNIT)]|date",
    ),
]
Time = Annotated[
    str | None,
    option("time", "This attribute's timestamps become the column time, as Unix seconds.", metavar="NAME[=UNIT]"),
]
TimeDefaultOf = Annotated[
    TimeDefault | None,
    option(
        "time-default",
        "An item without a --time value: takes the export's time, or fails the run.",
        default="it is left empty",
    ),
]
OnBadTimeDo = Annotated[
    OnBadTime,
    option("on-bad-time", "A value of --cast or --time that is not a time or date fails the run, or becomes null."),
]
OnFineTimeDo = Annotated[
    OnFineTime,
    option("on-fine-time", "A --cast timestamp finer than microseconds fails the run, or is cut to the one below."),
]
AddColumn = Annotated[
    list[str] | None,
    _names(
        "add-column",
        "A last column, the same in every row: export_time, unix_time (of the same), export_id or date.",
        "NAME=FACT",
    ),
]
OldImage = Annotated[
    bool,
    option(
        "old-image",
        "Of an incremental export, add the column _old: all of the item before the change, as plain JSON.",
        default=False,
    ),
]
NulAs = Annotated[
    Nul,
    option("nul", "The character NUL in texts: keep it, drop it, replace it with U+FFFD, or fail the run."),
]
CsvBom = Annotated[
    bool, option("csv-bom", "Begin each CSV part with a byte order mark, so that Excel reads it as UTF-8.")
]
PartSize = Annotated[
    str,
    option(
        "part-size", "Close a part when it has this size on disk, after a row group or 1 MiB of CSV.", metavar="SIZE"
    ),
]
Workers = Annotated[
    int | None, option("workers", "How many threads convert.", metavar="COUNT", default="the CPUs that may be used")
]
Latest = Annotated[bool, option("latest", "If SOURCE holds several exports, take the newest.")]
ExportId = Annotated[
    str | None, option("export-id", "If SOURCE holds several exports, take the one of this id.", metavar="ID")
]
NoVerify = Annotated[bool, option("no-verify", "Don't check md5 and item counts: for exports edited by hand.")]
ShowValues = Annotated[bool, option("show-values", "Show the data in messages about bad lines; it may be personal.")]
Replace = Annotated[bool, option("replace", "Replace what an earlier run published for this export, or for its date.")]
DryRun = Annotated[
    bool, option("dry-run", "Read the manifests and DEST's records, say what would be done, and write nothing.")
]
Complete = Annotated[
    bool, option("complete", "Finish a commit that has begun, as the next convert would; else it is kept.")
]
OnlyShow = Annotated[bool, option("dry-run", "Show what would be removed, and change nothing.")]
Sample = Annotated[bool, option("sample", "Read only the beginning of up to 16 data files: quick, approximate.")]
WriteSchema = Annotated[
    str | None,
    option("write-schema", "Write the columns to a new schema file, to edit for convert --schema.", metavar="FILE"),
]
Json = Annotated[bool, option("json", "Print the result as one JSON object on stdout.")]
Quiet = Annotated[bool, option("quiet", "Only warnings and errors on stderr.")]
LogFormatAs = Annotated[LogFormat, option("log-format", "Form of the messages on stderr.")]

ConsumerOf = Annotated[
    Consumer, typer.Argument(metavar="CONSUMER", help="treasure-data, athena, duckdb, polars or spark.")
]
PublishedAt = Annotated[str, typer.Argument(metavar="DEST", help="Where exports are published; local or s3://.")]
CleanedAt = Annotated[str, typer.Argument(metavar="DEST", help="Where runs publish; local or s3://.")]
Location = Annotated[
    str | None,
    option(
        "location", "Where DEST is, or will be copied to, for the consumer.", metavar="PLACE", default="DEST itself"
    ),
]
Database = Annotated[
    str | None,
    option(
        "database", "Treasure Data's or Athena's.", metavar="NAME", default="the table's name; Athena: the session's"
    ),
]
Table = Annotated[
    str | None,
    option("table", "The table to make, or Spark's view.", metavar="NAME", default="from the DynamoDB table's name"),
]
RecipeFormat = Annotated[
    OneFormat | None,
    option("format", "Which one, where DEST has two.", default="parquet; for Treasure Data csv"),
]
Out = Annotated[
    str | None,
    option(
        "out",
        "The folder to write the files in; - prints them.",
        metavar="FOLDER",
        default=". for treasure-data, else -",
    ),
]
Force = Annotated[bool, option("force", "Write over files of the same name.")]
