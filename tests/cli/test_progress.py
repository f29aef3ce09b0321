from __future__ import annotations

import json
import os
import pty
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from converter.aws.export_state import ExportState
from converter.cli import progress
from converter.cli.messages import Messages
from converter.conversion.progress import Listener, SilentListener
from converter.errors import StorageError
from converter.testing import ExportFacts


def _tell(listener: Listener) -> None:
    """What a run tells that reads everything twice."""
    listener.phase("reading first blocks")
    listener.phase("converting")
    listener.phase("converting")
    listener.started(1000, 2)
    listener.advanced(600)
    listener.advanced(400)
    listener.warned("an attribute is mixed")
    listener.phase("writing again")
    listener.started(1000, 2)
    listener.advanced(1000)


def test_without_a_terminal_there_is_a_line_for_each_phase(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show_progress(Messages()) as listener:
        _tell(listener)
    expected = "reading first blocks\nconverting\nwarning: an attribute is mixed\nwriting again\n"
    assert capsys.readouterr() == ("", expected)


def test_quiet_shows_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show_progress(Messages(quiet=True)) as listener:
        _tell(listener)
    assert capsys.readouterr().err == "warning: an attribute is mixed\n"


def test_log_collectors_are_told_bytes_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_EVENTS", 0.0)
    with progress.show_progress(Messages(log_format="json")) as listener:
        _tell(listener)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [message["event"] for message in told] == [
        *("phase", "phase", "started", "progress", "progress", "warning", "phase", "started", "progress")
    ]
    read = [(message["bytes"], message["totalBytes"]) for message in told if message["event"] == "progress"]
    assert read == [(600, 1000), (1000, 1000), (1000, 1000)]


def test_log_collectors_are_not_flooded(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show_progress(Messages(log_format="json")) as listener:
        for _ in range(1000):
            listener.advanced(1)
    assert capsys.readouterr().err == ""


def test_bytes_of_many_threads_all_count() -> None:
    listener = progress.LineProgress(Messages(quiet=True))

    def read(files: int) -> None:
        for _ in range(files):
            listener.advanced(1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, [5000] * 4))
    assert listener.bytes_read == 20_000


def test_on_a_terminal_a_bar_shows_phase_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress.show_progress(Messages()) as listener:
            _tell(listener)
        os.set_blocking(ours, False)
        shown = ""
        # A terminal gives 4 KB at a time.
        with suppress(BlockingIOError):
            while True:
                shown += os.read(ours, 100_000).decode()
    os.close(ours)
    assert "writing again" in shown
    assert "1.0/1.0 kB" in shown
    assert "warning: an attribute is mixed" in shown


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize(
    "phase",
    [
        "compiling the decoder (once on a machine), reading first blocks",
        "converting",
        f"writing again: attribute {'x' * 60!r} has a type it didn't have before",
    ],
)
def test_no_phase_squeezes_the_bar_and_its_figures(phase: str, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", columns)
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress.show_progress(Messages()) as listener:
            listener.phase(phase)
            if "compiling" not in phase:
                listener.started(123_456_789_012, 20)
                listener.advanced(23_456_789_012)
        os.set_blocking(ours, False)
        shown = ""
        with suppress(BlockingIOError):
            while True:
                shown += os.read(ours, 100_000).decode()
    os.close(ours)
    assert "…" not in shown
    assert phase.split(": ")[0] in shown


def test_the_silent_listener_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    _tell(SilentListener())
    assert capsys.readouterr() == ("", "")


def _state(status: str = "IN_PROGRESS", age: float | None = 3725) -> ExportState:
    start = None if age is None else datetime.now(UTC) - timedelta(seconds=age)
    arn = ExportFacts().export_arn
    return ExportState(
        arn=arn,
        status=status,
        type="FULL_EXPORT",
        table_arn=arn.partition("/export/")[0],
        bucket="exports",
        format="DYNAMODB_JSON",
        start_time=start,
    )


def _wait(watcher: progress.LineWatcher) -> None:
    """What a wait tells that is answered four times."""
    watcher.polled(_state())
    watcher.polled(_state())
    watcher.troubled(StorageError("AWS can't be reached", "arn:x", "check the network"))
    watcher.polled(_state())
    watcher.polled(_state("COMPLETED"))


def test_a_wait_without_a_terminal_has_a_line_every_five_minutes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = ExportFacts().export_id
    line = f"export {export_id} is in progress, for 1 h 2 min\n"
    warning = "warning: arn:x: AWS can't be reached; will poll again\n"
    with progress.show_waiting(Messages()) as watcher:
        _wait(watcher)
    assert capsys.readouterr() == ("", line + warning)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_REPORTED_POLLS", 0.0)
    with progress.show_waiting(Messages()) as watcher:
        _wait(watcher)
    assert capsys.readouterr().err == line * 2 + warning + line
    with progress.show_waiting(Messages()) as watcher:
        watcher.polled(_state(age=59))
        watcher.polled(_state(age=None))
    assert capsys.readouterr().err == (
        f"export {export_id} is in progress, for 0 min\nexport {export_id} is in progress\n"
    )


def test_log_collectors_are_told_how_an_export_stands(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.show_waiting(Messages(log_format="json")) as watcher:
        _wait(watcher)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [message["event"] for message in told] == ["waiting", "warning"]
    assert told[0]["export"]["exportId"] == ExportFacts().export_id


def test_a_wait_on_a_terminal_is_one_line_with_the_exports_age(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with progress.show_waiting(Messages()) as watcher:
            assert isinstance(watcher, progress.LiveWatcher)
            _wait(watcher)
        monkeypatch.undo()
    drawn = b""
    with suppress(OSError):
        while piece := os.read(master, 1 << 16):
            drawn += piece
    os.close(master)
    text = drawn.decode()
    assert f"export {ExportFacts().export_id} is completed" in text
    assert "1:02:0" in text
    assert "warning: arn:x: AWS can't be reached" in text
