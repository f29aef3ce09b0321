"""How the command ends when something ends it: the message and the exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from converter import errors
from converter.cli import main
from tests.cli.command import environment, python

ERRORS = [
    errors.ConvertError,
    errors.UsageError,
    errors.ExportError,
    errors.ManifestError,
    errors.DataFileError,
    errors.BadLineError,
    errors.SchemaError,
    errors.StorageError,
    errors.BusyError,
]

# A program whose only verb does what the test says, so that the way out is the real one.
PROGRAM = """
import sys, time
from converter.cli import main
def job():
    {job}
main.read_command = lambda *_: job
main.app()
"""

RunJob = Callable[[Callable[[], None]], int]


@pytest.fixture
def run_job(monkeypatch: pytest.MonkeyPatch) -> RunJob:
    """Run a function as the verb of a command line."""

    def run(job: Callable[[], None]) -> int:
        monkeypatch.setattr(main, "read_command", lambda *_: job)
        return main.run(["verb"])

    return run


def _raise(error: BaseException) -> Callable[[], None]:
    def job() -> None:
        raise error

    return job


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_ends_with_its_code_and_says_what_where_and_what_next(
    error: type[errors.ConvertError], run_job: RunJob, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_job(_raise(error("it broke", "s3://b/x.json.gz line 12", "mend it")))
    assert code == error.exit_code
    assert capsys.readouterr() == ("", "error: s3://b/x.json.gz line 12: it broke\nmend it\n")


def test_an_error_is_one_json_object_for_log_collectors(
    run_job: RunJob, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CONVERT_LOG_FORMAT", "json")
    assert run_job(_raise(errors.BusyError("another run", "out", "wait"))) == 6
    message = json.loads(capsys.readouterr().err)
    assert {name: message[name] for name in ("level", "event", "type", "what", "where", "hint", "exitCode")} == {
        "level": "error",
        "event": "error",
        "type": "BusyError",
        "what": "another run",
        "where": "out",
        "hint": "wait",
        "exitCode": 6,
    }


def test_an_error_that_nobody_thought_of_is_called_a_bug(run_job: RunJob, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job(_raise(KeyError("pk"))) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "this is a bug in ddb-convert" in captured.err
    assert "KeyError: 'pk'" in captured.err
    assert "DDB_CONVERT_DEBUG=1" in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("error", [KeyError("pk"), errors.SchemaError("it broke")])
def test_debug_shows_the_traceback(
    error: Exception, run_job: RunJob, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CONVERT_DEBUG", "1")
    run_job(_raise(error))
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_too_little_memory_is_no_bug(run_job: RunJob, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job(_raise(MemoryError())) == 1
    assert capsys.readouterr().err.startswith("error: not enough memory\n")


def test_a_message_cannot_command_the_terminal(run_job: RunJob, capsys: pytest.CaptureFixture[str]) -> None:
    run_job(_raise(errors.BadLineError("bad \x1b[2J name\r", "x\u202ey")))
    assert capsys.readouterr().err == "error: x\\u202ey: bad \\x1b[2J name\\r\n"


def test_afterwards_sigterm_is_handled_as_before(run_job: RunJob) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run_job(lambda: None) == 0
    assert signal.getsignal(signal.SIGTERM) is before


@contextmanager
def _running(job: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The program with this job as its verb, and its stdout."""
    with subprocess.Popen(
        python(PROGRAM.format(job=job), "verb"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [(signal.SIGINT, 130, "error: interrupted\n"), (signal.SIGTERM, 143, "error: terminated\n")],
)
def test_a_signal_cleans_up_and_ends_with_128_and_its_number(number: signal.Signals, code: int, message: str) -> None:
    job = """
    try:
        print("running", flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)
    """
    with _running(job) as (process, stdout):
        assert stdout.readline() == "running\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "cleaned up\n")
    assert err == f"stopping: removing unfinished output\n{message}"


def test_a_signal_is_answered_at_once_and_a_second_one_too() -> None:
    job = """
    try:
        print("running", flush=True)
        time.sleep(60)
    finally:
        time.sleep(1)
    """
    with _running(job) as (process, stdout):
        assert process.stderr is not None
        assert stdout.readline() == "running\n"
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "stopping: removing unfinished output\n"
        assert time.monotonic() - sent < 0.5
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "already stopping: unfinished output is still being removed\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "error: interrupted\n")


def test_a_second_signal_while_the_first_is_answered_does_not_take_its_place() -> None:
    # The second one comes in the handler of the first, before that raises.
    job = """
    import os, signal
    from converter.cli.messages import Messages
    say, again = Messages.info, []
    def info(self, event, *more):
        if not again:
            again.append(event)
            os.kill(os.getpid(), signal.SIGINT)
        say(self, event, *more)
    Messages.info = info
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
    """
    with _running(job) as (process, _):
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.endswith("error: interrupted\n")


def test_a_second_sigterm_does_not_cut_the_clean_up_short() -> None:
    job = """
    try:
        print("running", flush=True)
        time.sleep(60)
    finally:
        print("cleaning up", flush=True)
        time.sleep(0.5)
        print("cleaned up", flush=True)
    """
    with _running(job) as (process, stdout):
        assert stdout.readline() == "running\n"
        process.send_signal(signal.SIGTERM)
        assert stdout.readline() == "cleaning up\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (143, "cleaned up\n")


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_closes_stdout_ends_it_quietly(lines: int) -> None:
    job = f"""
    time.sleep(0.2)
    for _ in range({lines}):
        print("row")
    """
    with _running(job) as (process, stdout):
        assert process.stderr is not None
        stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (141, "")
