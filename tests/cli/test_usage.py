"""Command lines that make no sense: exit code 2, a message that says why, and nothing on stdout."""

from __future__ import annotations

import json
import os

import pytest

from converter.cli.main import run
from tests.cli.command import ddb_convert

MISTAKES = [
    (["convert"], "missing argument 'SOURCE'"),
    (["convert", "a"], "missing argument 'DEST'"),
    (["convert", "a", "b", "c"], "unexpected extra argument"),
    (["convrt", "a", "b"], "Did you mean 'convert'?"),
    (["convert", "a", "b", "--no-such-option"], "no such option: --no-such-option"),
    (["convert", "a", "b", "--format", "xml"], "--format: unknown format 'xml'\nuse one of: parquet; csv; csv,parquet"),
    (["convert", "a", "b", "--format", "csv", "--compression", "zstd"], "csv does not support the compression 'zstd'"),
    (["convert", "a", "b", "--workers", "many"], "--workers"),
    (["convert", "a", "b", "--workers", "-1"], "--workers: at least 1 worker is required, not -1"),
    (["convert", "a", "b", "--part-size", "big"], "--part-size: 'big' is not a valid size"),
    (
        ["convert", "a", "b", "--part-size", "0"],
        "--part-size: a part size of 0 bytes is too small: the minimum is 4 KiB",
    ),
    (
        ["convert", "a", "b", "--part-size", "10"],
        "--part-size: a part size of 10 bytes is too small: the minimum is 4 KiB",
    ),
    (
        ["convert", "a", "b", "--workers", "0"],
        "--workers: at least 1 worker is required, not 0\nomit the option to use every CPU",
    ),
    (["inspect", "a", "--workers", "0"], "--workers: at least 1 worker is required, not 0"),
    (["convert", "a", "b", "--key", "a,,b"], "--key: a name is empty"),
    (["convert", "a", "b", "--select", "x", "--exclude", "x"], "--exclude: 'x' is both selected and excluded"),
    (["convert", "a", "b", "--layout", "{day}"], "--layout: unknown field {day}"),
    (["convert", "a", "b", "--timezone", "Mars/Base"], "--timezone: unknown time zone 'Mars/Base'"),
    (["convert", "a", "b", "--names", "camel"], "'camel' is not one of 'preserve', 'treasure-data', 'snake'"),
    (["convert", "a", "b", "--rename", "a"], "--rename: 'a' is not a pair"),
    (
        ["convert", "a", "b", "--rename", "a=dt"],
        "--rename: the column for attribute 'a' can't be called 'dt': a folder key of the layout has this name",
    ),
    (
        ["inspect", "a", "--names", "snake", "--rename", "a=B"],
        "'a' can't be called 'B' with --names snake",
    ),
    (["recipe", "excel", "out"], "'excel' is not one of 'treasure-data'"),
    (["recipe", "duckdb", "out", "--table", "x"], "--table: this option is not used for duckdb"),
    (["inspect"], "missing argument 'SOURCE'"),
    (["inspect", "a", "--format", "csv"], "no such option: --format"),
    (["inspect", "a", "--log-format", "xml"], "'xml' is not one of 'text', 'json'"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_told_on_stderr_with_exit_code_2(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in os.environ:
        if name.startswith("DDB_CONVERT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    code = run(arguments)
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert message in said.err
    assert "Traceback" not in said.err


def test_a_mistake_ends_the_process_with_exit_code_2() -> None:
    done = ddb_convert("convert", "a")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: missing argument 'DEST'")


def test_no_arguments_show_the_help_on_stderr() -> None:
    done = ddb_convert()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Usage: ddb-convert ")


@pytest.mark.parametrize("arguments", [["convert"], ["convert", "a", "b", "--part-size", "big"]])
@pytest.mark.parametrize("asked", [["--log-format", "json"], ["--log-format=json"], []])
def test_a_mistake_is_one_json_object_for_log_collectors(arguments: list[str], asked: list[str]) -> None:
    done = ddb_convert(*arguments, *asked, env={} if asked else {"DDB_CONVERT_LOG_FORMAT": "json"})
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    message = json.loads(line)
    assert (message["level"], message["event"], message["type"]) == ("error", "error", "UsageError")
    assert message["exitCode"] == 2
    assert message["what"]
    assert message["hint"]


def test_options_from_the_environment_are_checked_like_the_others() -> None:
    done = ddb_convert("convert", "a", "b", env={"DDB_CONVERT_PART_SIZE": "big"})
    assert done.returncode == 2
    assert "--part-size: 'big' is not a valid size" in done.stderr
