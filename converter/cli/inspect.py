"""The verb `inspect`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial

from converter.cli.arguments import ResultArguments, option, same_option
from converter.cli.aws_arguments import AwsArguments, SourceArguments
from converter.cli.conversion_arguments import read_options
from converter.cli.convert import ConvertArguments
from converter.cli.output import print_json, write_new_file, writing_result
from converter.name_policies import Names
from converter.options import Mixed, Numbers
from converter.presets import PresetConsumer

EXAMPLES = (
    "ddb-convert inspect fixtures/orders",
    "ddb-convert inspect fixtures/orders --sample",
    "ddb-convert inspect fixtures/orders --json --quiet",
    "ddb-convert inspect fixtures/orders --write-schema schema.json",
)


_of_convert = partial(same_option, ConvertArguments)


@dataclass(frozen=True, kw_only=True)
class InspectArguments(AwsArguments, SourceArguments, ResultArguments):
    """Arguments of `inspect`, in the order of its help."""

    source: str = _of_convert("source")
    sample: bool = option("Read only the beginning of up to 16 data files: fast, but approximate.", False)
    for_: PresetConsumer | None = _of_convert("for_")
    numbers: Numbers = _of_convert("numbers")
    mixed: Mixed = _of_convert("mixed")
    key: list[str] | None = _of_convert("key")
    select: list[str] | None = _of_convert("select")
    exclude: list[str] | None = _of_convert("exclude")
    where: str | None = _of_convert("where")
    cast: list[str] | None = _of_convert("cast")
    time: str | None = _of_convert("time")
    add_column: list[str] | None = _of_convert("add_column")
    old_image: bool = _of_convert("old_image")
    max_columns: int = _of_convert("max_columns")
    names: Names | None = _of_convert("names")
    rename: list[str] | None = _of_convert("rename")
    workers: int | None = _of_convert("workers")
    latest: bool = _of_convert("latest")
    export_id: str | None = _of_convert("export_id")
    no_verify: bool = _of_convert("no_verify")
    show_values: bool = _of_convert("show_values")
    write_schema: str | None = option(
        "Write the columns to a new schema file, to edit and pass to convert --schema.", metavar="FILE"
    )


def inspect(arguments: InspectArguments) -> None:
    """Show the contents and the columns of an export.

    Reads every data file and checks it against the manifest. With --sample, only a part of the items is counted, and a
    rare attribute or type may be missing. Memory use depends on --workers and on the number of attributes. The result
    is printed to stdout; the only file written is the schema file of --write-schema. In that file each column is one
    line: change its position, name or type, or write {"attribute": "a", "drop": true}.
    """
    options, _ = read_options(arguments)
    aws = arguments.aws_options()
    from converter import api
    from converter.cli.progress import show_progress
    from converter.cli.render_inspection import render_inspection
    from converter.schema.schema_file import render_schema_file

    messages = arguments.messages()
    with show_progress(messages) as listener:
        inspection = api.inspect(arguments.source, options, sample=arguments.sample, aws=aws, listener=listener)
    for warning in inspection.warnings:
        messages.warning(warning)
    if arguments.write_schema is not None:
        write_new_file(arguments.write_schema, render_schema_file(inspection.columns))
    if arguments.json:
        print_json(inspection.to_json())
    else:
        with writing_result():
            render_inspection(inspection, sys.stdout)
