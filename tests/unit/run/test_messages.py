from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from converter.run.messages import Messages, printable


def test_text_messages_are_lines_with_their_level(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages()
    messages.info("phase", "converting", {"bytes": 3})
    messages.warning("look here")
    messages.error("it broke\nmend it")
    assert capsys.readouterr() == ("", "converting\nwarning: look here\nerror: it broke\nmend it\n")


def test_json_messages_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages(log_format="json")
    messages.info("progress", "converting", {"bytes": 3})
    messages.warning("first\nsecond \u2028 é")
    first, second = map(json.loads, capsys.readouterr().err.split("\n")[:-1])
    assert datetime.fromisoformat(first.pop("time")).utcoffset() is not None
    assert first == {"level": "info", "event": "progress", "message": "converting", "bytes": 3}
    assert (second["level"], second["message"]) == ("warning", "first\nsecond \u2028 é")


def test_quiet_keeps_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages(quiet=True)
    messages.info("phase", "converting")
    messages.warning("look here")
    messages.error("it broke")
    assert capsys.readouterr().err == "warning: look here\nerror: it broke\n"


def test_a_warning_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages()
    for text in ("a", "b", "a"):
        messages.warning(text)
    assert capsys.readouterr().err == "warning: a\nwarning: b\n"


def test_messages_of_many_threads_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages()

    def say(text: str) -> None:
        for _ in range(200):
            messages.info("phase", text)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(say, [letter * 50 for letter in "abcd"]))
    lines = capsys.readouterr().err.splitlines()
    assert sorted(lines) == sorted(letter * 50 for letter in "abcd" for _ in range(200))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 東京 🎁", "plain é 東京 🎁"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202e\u2028\ud800", "\\u202e\\u2028\\ud800"),
        ("", ""),
    ],
)
def test_what_a_terminal_could_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
