"""The arguments and options of the verbs, each declared once, and how a dataclass of them becomes a Typer command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from converter.options import MIB, Consumer, ConvertOptions, Mixed, Names, Numbers, OneFormat
from converter.presets import PresetConsumer
from converter.run.messages import LogFormat

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ENV_PREFIX = "DDB_CONVERT_"
DEFAULTS = ConvertOptions()
DEFAULT_PART_SIZE = f"{DEFAULTS.part_size // MIB}MiB"

Arguments = TypeVar("Arguments", bound="DataclassInstance")


def environment_name(option: str) -> str:
    """The environment variable of an option: `DDB_CONVERT_PART_SIZE` for `part-size`."""
    return ENV_PREFIX + option.upper().replace("-", "_")


class _Command(typer.core.TyperCommand):
    """A command whose help lists the options with a panel below a heading of their own."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the options without a panel, and each panel."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None:
                is_option = parameter.param_type_name == "option"
                panel = getattr(parameter, "rich_help_panel", None)
                sections.setdefault(panel or ("Options" if is_option else "Arguments"), []).append(row)
        for heading, rows in sections.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def add_verb(
    commands: typer.Typer, arguments: type[Arguments], run: Callable[[Arguments], None], examples: tuple[str, ...]
) -> None:
    """Add a command that takes the fields of the dataclass `arguments`, in their order, and runs `run` with the object.

    Its name and help are `run`'s name and docstring. What Typer calls returns the job instead of doing it, so that
    the job's own errors, signals and closed pipes are not met by Typer's handlers first.
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
            for field in fields(arguments)
        ]
    )
    numbered = (f"  {number}. {example}" for number, example in enumerate(examples, 1))
    # \b keeps Typer from filling the lines that follow it into one paragraph.
    epilog = "\n".join(["\b", "Examples:", *numbered])
    commands.command(run.__name__, cls=_Command, help=inspect.cleandoc(run.__doc__ or ""), epilog=epilog)(command)


def _option(
    name: str, help: str, *, metavar: str | None = None, default: str | bool = True, panel: str | None = None
) -> Any:
    return typer.Option(
        f"--{name}",
        envvar=environment_name(name),
        show_envvar=False,
        help=help,
        metavar=metavar,
        show_default=default,
        rich_help_panel=panel,
    )


def _aws(name: str, help: str, metavar: str) -> Any:
    return _option(name, help, metavar=metavar, panel="Options for AWS")


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
Dest = Annotated[
    str,
    typer.Argument(
        metavar="DEST",
        help="The folder to publish in, local or s3://bucket/prefix/; made when it does not exist.",
    ),
]

For = Annotated[
    PresetConsumer | None,
    _option(
        "for",
        "Set format, compression, names and added columns as a consumer needs them; other options come first.",
        default=False,
    ),
]
OutputFormat = Annotated[
    str | None,
    _option(
        "format",
        "What the parts are: parquet, csv, or both in one pass, as csv,parquet.",
        metavar="FORMAT",
        default="parquet",
    ),
]
Compression = Annotated[
    str | None,
    _option(
        "compression",
        "Parquet: zstd, snappy, gzip or none. CSV: none or gzip. Both: csv=gzip,parquet=zstd, or one of them.",
        metavar="NAME",
        default="zstd for Parquet, none for CSV",
    ),
]
Layout = Annotated[
    str,
    _option("layout", "Folders below DEST. Fields: {date}, {from}, {to}, {table}.", metavar="LAYOUT"),
]
Timezone = Annotated[str, _option("timezone", "Time zone of the dates in folder names.", metavar="ZONE")]
NumbersAs = Annotated[
    Numbers,
    _option("numbers", "exact: int64, decimal or text, whichever keeps every digit; double; or always text."),
]
MixedAs = Annotated[
    Mixed,
    _option("mixed", "An attribute of several types becomes text, or DynamoDB JSON; or fails the run."),
]
Key = Annotated[list[str] | None, _names("key", "Attributes whose columns come first.")]
Select = Annotated[list[str] | None, _names("select", "Only these attributes.")]
Exclude = Annotated[list[str] | None, _names("exclude", "All attributes but these.")]
MaxColumns = Annotated[int, _option("max-columns", "Stop when there would be more columns.", metavar="COUNT")]
Overflow = Annotated[
    str | None,
    _option("overflow", "Put attributes beyond --max-columns into one JSON column of this name.", metavar="NAME"),
]
Schema = Annotated[
    str | None,
    _option(
        "schema",
        "A schema file whose columns to keep; new forgets those of earlier exports in DEST.",
        metavar="FILE|new",
        default="the columns of DEST's newest export",
    ),
]
Evolve = Annotated[
    bool, _option("evolve", "Make a column wider when a value doesn't fit it, and say which dates differ then.")
]
NamesAs = Annotated[
    Names | None,
    _option(
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
    _names("cast", "Each value of this attribute is a timestamp, or the run fails.", "NAME=timestamp"),
]
Time = Annotated[
    str | None,
    _option("time", "This attribute's timestamps become the column time, as Unix seconds.", metavar="NAME"),
]
AddColumn = Annotated[
    list[str] | None,
    _names(
        "add-column",
        "A last column, the same in every row: export_time, unix_time (of the same), export_id or date.",
        "NAME=FACT",
    ),
]
PartSize = Annotated[
    str,
    _option(
        "part-size", "Close a part when it has this size on disk, after a row group or 1 MiB of CSV.", metavar="SIZE"
    ),
]
Workers = Annotated[
    int, _option("workers", "How many threads convert.", metavar="COUNT", default="the CPUs that may be used")
]
Latest = Annotated[bool, _option("latest", "If SOURCE holds several exports, take the newest.")]
ExportId = Annotated[
    str | None, _option("export-id", "If SOURCE holds several exports, take the one of this id.", metavar="ID")
]
NoVerify = Annotated[bool, _option("no-verify", "Don't check md5 and item counts: for exports edited by hand.")]
ShowValues = Annotated[bool, _option("show-values", "Show the data in messages about bad lines; it may be personal.")]
Replace = Annotated[bool, _option("replace", "Replace what an earlier run published for this export, or for its date.")]
DryRun = Annotated[bool, _option("dry-run", "Read the manifests, say what would be done, and write nothing.")]
Sample = Annotated[bool, _option("sample", "Read only the beginning of up to 16 data files: quick, approximate.")]
WriteSchema = Annotated[
    str | None,
    _option("write-schema", "Write the columns to a new schema file, to edit for convert --schema.", metavar="FILE"),
]
Json = Annotated[bool, _option("json", "Print the result as one JSON object on stdout.")]
Quiet = Annotated[bool, _option("quiet", "Only warnings and errors on stderr.")]
LogFormatAs = Annotated[LogFormat, _option("log-format", "Form of the messages on stderr.")]

ConsumerOf = Annotated[
    Consumer, typer.Argument(metavar="CONSUMER", help="treasure-data, athena, duckdb, polars or spark.")
]
PublishedAt = Annotated[str, typer.Argument(metavar="DEST", help="Where exports are published, local or s3://.")]
Location = Annotated[
    str | None,
    _option(
        "location", "Where DEST is, or will be copied to, for the consumer.", metavar="PLACE", default="DEST itself"
    ),
]
Database = Annotated[
    str | None,
    _option(
        "database", "Treasure Data's or Athena's.", metavar="NAME", default="the table's name; Athena: the session's"
    ),
]
Table = Annotated[
    str | None,
    _option("table", "The table to make, or Spark's view.", metavar="NAME", default="from the DynamoDB table's name"),
]
RecipeFormat = Annotated[
    OneFormat | None,
    _option("format", "Which one, where DEST has two.", default="parquet; for Treasure Data csv"),
]
Out = Annotated[
    str | None,
    _option(
        "out",
        "The folder to write the files in; - prints them.",
        metavar="FOLDER",
        default=". for treasure-data, else -",
    ),
]
Force = Annotated[bool, _option("force", "Write over files of the same name.")]

Profile = Annotated[str | None, _aws("profile", "The profile of the AWS configuration to use.", "NAME")]
Region = Annotated[str | None, _aws("region", "The AWS region to ask.", "REGION")]
EndpointUrl = Annotated[str | None, _aws("endpoint-url", "Where S3 and DynamoDB are, if not at AWS.", "URL")]
SourceRoleArn = Annotated[str | None, _aws("source-role-arn", "The role to assume for reading SOURCE.", "ARN")]
DestRoleArn = Annotated[str | None, _aws("dest-role-arn", "The role to assume for DEST.", "ARN")]
SourceBucketOwner = Annotated[
    str | None, _aws("source-bucket-owner", "Refuse SOURCE's bucket if this account does not own it.", "ACCOUNT")
]
DestBucketOwner = Annotated[
    str | None, _aws("dest-bucket-owner", "Refuse DEST's bucket if this account does not own it.", "ACCOUNT")
]
DestSse = Annotated[
    str | None, _aws("dest-sse", "How S3 encrypts what is written: AES256, aws:kms or aws:kms:dsse.", "NAME")
]
DestKmsKeyId = Annotated[str | None, _aws("dest-kms-key-id", "The KMS key for that.", "KEY")]
CannedAcl = Annotated[str | None, _aws("acl", "The ACL of what is written, such as bucket-owner-full-control.", "NAME")]
StorageClass = Annotated[str | None, _aws("storage-class", "The storage class of the parts.", "NAME")]
