from __future__ import annotations

import json
import os
import pty
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from converter.run import progress
from converter.run.listener import Listener, SilentListener
from converter.run.messages import Messages


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


def test_the_silent_listener_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    _tell(SilentListener())
    assert capsys.readouterr() == ("", "")
