"""The verbs, registered with Typer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from converter.cli import clean, convert, export, inspect, merge, recipe, schedule, sync
from converter.cli.arguments import add_verb
from converter.version import VERSION

PROGRAM = "ddb-convert"

# Help rendered with rich takes 70 ms longer.
commands = typer.Typer(
    name=PROGRAM,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Every option can be set by an environment variable: DDB_CONVERT_PART_SIZE
sets --part-size. Exit codes: 0 success, 1 unexpected error, 2 usage error,
3 bad or incomplete export, 4 schema violated, 5 storage error, 6 busy (try
again later), 130 interrupted, 141 closed pipe, 143 terminated.""",
)
add_verb(commands, convert.ConvertArguments, convert.convert, convert.EXAMPLES)
add_verb(commands, inspect.InspectArguments, inspect.inspect, inspect.EXAMPLES)
add_verb(commands, merge.MergeArguments, merge.merge, merge.EXAMPLES)
add_verb(commands, recipe.RecipeArguments, recipe.recipe, recipe.EXAMPLES)
add_verb(commands, clean.CleanArguments, clean.clean, clean.EXAMPLES)
exports = typer.Typer(name="export", help="Export DynamoDB tables to S3, and wait for exports.", rich_markup_mode=None)
add_verb(exports, export.StartArguments, export.start, export.START_EXAMPLES)
add_verb(exports, export.WaitArguments, export.wait, export.WAIT_EXAMPLES)
add_verb(exports, export.ListArguments, export.list_, export.LIST_EXAMPLES)
commands.add_typer(exports)
add_verb(commands, sync.SyncArguments, sync.sync, sync.EXAMPLES)
schedules = typer.Typer(name="schedule", help="Export and convert a table on a schedule.", rich_markup_mode=None)
add_verb(schedules, schedule.RenderArguments, schedule.render, schedule.EXAMPLES)
commands.add_typer(schedules)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {VERSION}")
        raise typer.Exit


@commands.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Convert DynamoDB exports to exact CSV or Parquet files."""


def read_command(arguments: list[str], program: str = PROGRAM) -> Callable[[], None] | None:
    """Parse the command line and return its job, or None if it asked for help or the version, which is printed.

    program: the name of this program in messages.

    Raises typer.TyperException if the command line is not valid.
    """
    result: Any = typer.main.get_command(commands).main(arguments, prog_name=program, standalone_mode=False)
    return result if callable(result) else None
