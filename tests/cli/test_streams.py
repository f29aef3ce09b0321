"""Streams that refuse, or are not there: the command says so where it still can, and publishes all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, ddb_convert, environment
from tests.cli.forking import forked_commands

ORDERS = str(REPOSITORY / "fixtures" / "orders")


def shell(redirection: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with a redirection as a shell writes it."""
    command = [sys.executable, "-W", "error", str(REPOSITORY / "cli.py"), *arguments]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_result_that_nobody_can_take_is_an_error_of_its_own(tmp_path: Path) -> None:
    done = shell(">/dev/full", "convert", ORDERS, "out", "--json", "--quiet", cwd=tmp_path)
    assert done.returncode == 5
    assert "error: stdout: the result can't be written: No space left on device\n" in done.stderr
    assert "Exception" not in done.stderr
    assert len(list((tmp_path / "out").glob("dt=*/**/*.parquet"))) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("arguments", "published"),
    [
        (["--help"], False),
        (["--version"], False),
        (["convert", "--help"], False),
        (["inspect", ORDERS], False),
        (["inspect", ORDERS, "--json"], False),
        (["convert", ORDERS, "out", "--json"], True),
    ],
)
def test_what_to_do_is_said_of_what_was_done(arguments: list[str], published: bool, tmp_path: Path) -> None:
    done = forked_commands().run_into_full(*arguments, cwd=tmp_path, stream=1)
    assert done.returncode == 5
    assert "stdout: the result can't be written: No space left on device\n" in done.stderr
    assert ("the output is published" in done.stderr) == published
    assert "bug" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(("stream", "form"), [(2, "text"), (2, "json"), (1, "text")])
def test_streams_that_are_full_do_not_end_a_run(stream: int, form: str, tmp_path: Path) -> None:
    done = forked_commands().run_into_full("convert", ORDERS, "out", "--log-format", form, cwd=tmp_path, stream=stream)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("dt=*/**/*.parquet"))) == 1


@pytest.mark.parametrize(("redirection", "form"), [("2>&-", "text"), ("2>&-", "json"), (">&-", "text")])
def test_messages_that_nobody_takes_do_not_end_a_run(redirection: str, form: str, tmp_path: Path) -> None:
    done = shell(redirection, "convert", ORDERS, "out", "--log-format", form, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("dt=*/**/*.parquet"))) == 1


@pytest.mark.parametrize(
    ("redirection", "code"),
    [
        # The reader has gone before the first message, or after one.
        ("2>&1 | true", 0),
        ("2>&1 | head -1", 0),
        ("--json 2>&1 | true", 141),
        ("--json | true", 141),
        ("--log-format json 2>&1 | head -1", 0),
    ],
)
def test_a_reader_of_messages_that_goes_does_not_end_a_run(redirection: str, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(REPOSITORY / "cli.py"), "convert", ORDERS, "out"]
    script = f'sleep 0.5; {{ "$@" {redirection.partition("|")[0]}; echo $? >code; }} | {redirection.partition("| ")[2]}'
    subprocess.run(["sh", "-c", script, "sh", *command], cwd=tmp_path, env=environment(), check=False, timeout=120)
    assert (tmp_path / "code").read_text("utf-8") == f"{code}\n"
    assert len(list((tmp_path / "out").glob("dt=*/**/*.parquet"))) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["inspect", ORDERS]])
def test_a_reader_of_results_that_goes_ends_the_command_as_it_does_others(arguments: list[str], tmp_path: Path) -> None:
    script = '{ sleep 0.5; "$@"; echo $? >code; } | true'
    command = [sys.executable, "-W", "error", str(REPOSITORY / "cli.py"), *arguments]
    done = subprocess.run(
        ["sh", "-c", script, "sh", *command], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert (tmp_path / "code").read_text("utf-8") == "141\n"
    assert b"Traceback" not in done.stderr


@pytest.fixture(scope="module")
def expected_part(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The part of a run with all streams."""
    folder = tmp_path_factory.mktemp("expected")
    assert ddb_convert("convert", ORDERS, "out", cwd=folder).returncode == 0
    (part,) = (folder / "out").glob("dt=*/**/*.parquet")
    return part.read_bytes()


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_end_up_in_the_output(redirection: str, expected_part: bytes, tmp_path: Path) -> None:
    done = shell(redirection, "convert", ORDERS, "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.read_bytes() for path in (tmp_path / "out").glob("dt=*/**/*.parquet")] == [expected_part]
