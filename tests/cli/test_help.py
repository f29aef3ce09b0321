"""Help and version: what they say, that it is true, and that they are quick."""

from __future__ import annotations

import dataclasses
import resource
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

import converter
from converter.cli import clean, convert, export, inspect, merge, recipe, schedule, sync
from converter.cli.arguments import environment_name
from converter.cli.commands import commands, read_command
from tests.cli.command import REPOSITORY, ddb_convert, environment, python

VERBS = {
    "convert": convert.ConvertArguments,
    "inspect": inspect.InspectArguments,
    "merge": merge.MergeArguments,
    "recipe": recipe.RecipeArguments,
    "clean": clean.CleanArguments,
    "sync": sync.SyncArguments,
    "export start": export.StartArguments,
    "export wait": export.WaitArguments,
    "export list": export.ListArguments,
    "schedule render": schedule.RenderArguments,
}
EXAMPLES = [
    *convert.EXAMPLES,
    *inspect.EXAMPLES,
    *merge.EXAMPLES,
    *recipe.EXAMPLES,
    *clean.EXAMPLES,
    *sync.EXAMPLES,
    *export.START_EXAMPLES,
    *export.WAIT_EXAMPLES,
    *export.LIST_EXAMPLES,
    *schedule.EXAMPLES,
]
# What stands behind `--` is an argument that may be missing.
OPTIONAL_ARGUMENTS = {"convert_options"}
LISTS = {"key", "select", "exclude", "rename", "cast", "add_column"}
# Modules that help may load: what is beyond is a fault to look at, not a number to raise.
OUR_MODULES = 37
ALL_MODULES = 310
HEAVY = ("amazon", "boto3", "botocore", "isal", "llvmlite", "numba", "numpy", "polars", "pyarrow", "rich")


def test_help_lists_every_verb_and_exit_code() -> None:
    done = ddb_convert("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for verb in VERBS:
        assert f"\n  {verb.split()[0]} " in done.stdout
    for code in (
        "0 success",
        "1 unexpected",
        "2 usage",
        "3 bad",
        "4 schema",
        "5 storage",
        "6 busy",
        "130",
        "141",
        "143",
    ):
        assert code in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_a_verbs_help_names_every_option_and_shows_numbered_examples(verb: str) -> None:
    done = ddb_convert(*verb.split(), "--help")
    assert done.returncode == 0
    for field in dataclasses.fields(VERBS[verb]):
        if field.default is not dataclasses.MISSING and field.name not in OPTIONAL_ARGUMENTS:
            assert f"--{field.name.rstrip('_').replace('_', '-')} " in done.stdout
    assert f"  1. ddb-convert {verb} " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "<str>" not in done.stdout
    assert "{" not in done.stdout.splitlines()[0]


@pytest.mark.parametrize("verb", VERBS)
def test_the_examples_of_a_help_text_are_the_verbs_whatever_the_lines(verb: str) -> None:
    _, _, shown = ddb_convert(*verb.split(), "--help").stdout.partition("Examples:\n")
    joined = shown.replace("\\\n", " ")
    found = [shlex.split(line)[1:] for line in joined.splitlines() if line.strip()]
    assert found
    assert all(words in [shlex.split(example) for example in EXAMPLES] for words in found)


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("group", [(), ("export",), ("schedule",)])
def test_no_line_of_a_groups_help_is_longer_than_the_terminal(group: tuple[str, ...], columns: str) -> None:
    done = ddb_convert(*group, "--help", env={"COLUMNS": columns})
    assert max(map(len, done.stdout.splitlines())) <= int(columns)


@pytest.mark.parametrize("group", [(), ("export",), ("schedule",)])
def test_the_short_help_of_a_verb_is_not_cut(group: tuple[str, ...]) -> None:
    assert "..." not in ddb_convert(*group, "--help").stdout.replace("[ARGS]...", "")


def test_a_group_of_verbs_alone_is_a_mistake_that_names_its_help() -> None:
    done = ddb_convert("export")
    assert (done.returncode, done.stdout) == (2, "")
    assert "see `ddb-convert export --help`" in done.stderr


@pytest.mark.parametrize("example", EXAMPLES)
def test_help_examples_are_command_lines_that_can_be_read(example: str) -> None:
    program, *arguments = shlex.split(example)
    assert program == "ddb-convert"
    assert read_command(arguments) is not None


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_has_its_environment_variable(verb: str) -> None:
    command: Any = typer.main.get_command(commands)
    for name in verb.split():
        command = command.commands[name]
    options = {parameter.name: parameter for parameter in command.params}
    for field in dataclasses.fields(VERBS[verb]):
        if field.name not in LISTS | OPTIONAL_ARGUMENTS and field.default is not dataclasses.MISSING:
            assert options[field.name].envvar == environment_name(field.name.rstrip("_"))


def test_an_option_that_the_library_has_is_an_option_of_convert() -> None:
    library = {field.name for field in dataclasses.fields(converter.ConvertOptions)} - {"verify"} | {"no_verify"}
    # --time has its unit with the name: created_at=ms.
    library -= {"time_unit"}
    assert library <= {field.name for field in dataclasses.fields(convert.ConvertArguments)}


def test_version_is_the_librarys() -> None:
    done = ddb_convert("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ddb-convert {converter.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["convert", "--help"],
        ["inspect", "--help"],
        ["recipe", "--help"],
        ["clean", "--help"],
        ["export", "--help"],
        ["export", "start", "--help"],
        ["schedule", "render", "--help"],
    ],
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = """
import sys
from converter.cli.main import run
code = run(sys.argv[1:])
print(*sys.modules, sep="\\n", file=sys.stderr)
sys.exit(code)
"""
    done = subprocess.run(python(code, *arguments), env=environment(), capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "typer" in loaded
    assert {name.partition(".")[0] for name in loaded}.isdisjoint(HEAVY)
    # Typer and what it needs are most of them; ours are few.
    assert len([name for name in loaded if name.startswith("converter")]) <= OUR_MODULES
    assert len(loaded) <= ALL_MODULES


def test_importing_the_library_imports_nothing_heavy() -> None:
    code = "import sys, converter; print(*sys.modules, sep='\\n')"
    done = subprocess.run(python(code), env=environment(), capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "converter" in loaded
    assert loaded.isdisjoint({*HEAVY, "typer", "converter.api", "converter.options"})


def test_a_conversion_of_parquet_loads_no_compiler_and_no_more_of_arrow_than_it_needs(tmp_path: Path) -> None:
    code = """
import sys
from converter import convert
convert(sys.argv[1], sys.argv[2])
print(*sys.modules, sep="\\n")
"""
    command = python(code, str(REPOSITORY / "fixtures" / "orders"), str(tmp_path / "out"))
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pyarrow" in loaded
    assert loaded.isdisjoint(
        {"numba", "llvmlite", "polars", "pyarrow.compute", "pyarrow.parquet", "rich", "typer", "boto3", "amazon"}
    )


SMALLEST_PROGRAM = """
import typer
program = typer.Typer(rich_markup_mode=None, add_completion=False)
@program.command()
def run(source: str) -> None:
    pass
program()
"""


@pytest.mark.slow  # a figure, best taken while little else runs
@pytest.mark.parametrize("arguments", [["--help"], ["convert", "--help"]])
def test_help_takes_no_more_than_five_times_as_long_as_that_of_the_smallest_program(arguments: list[str]) -> None:
    smallest = _least_cpu_seconds(python(SMALLEST_PROGRAM, "--help"))
    assert _least_cpu_seconds(python("from converter.cli import app; app()", *arguments)) < 5 * smallest


def _least_cpu_seconds(command: list[str]) -> float:
    """The best of five, in CPU time: that of a single thread, and other programs don't count in it."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)
