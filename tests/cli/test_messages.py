from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from converter.cli.messages import Messages
from converter.display import lines
from converter.errors import ConvertError


def test_text_messages_are_lines_with_their_level(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages()
    messages.info("phase", "converting", {"bytes": 3})
    messages.warning("look here")
    messages.error(lines("it broke", "mend it"))
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


FORGED = "a\nerror: the disk is full \x1b[31m\u202e"
SHOWN = "a\\nerror: the disk is full \\x1b[31m\\u202e"


def test_a_text_from_outside_begins_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    messages = Messages()
    messages.info("phase", FORGED)
    messages.warning(f"attribute {FORGED}")
    messages.error(lines(f"it broke: {FORGED}", FORGED))
    messages.error(str(ConvertError(FORGED, FORGED, FORGED)))
    messages.error(str(ConvertError("what", hint=lines("there are:", FORGED))))
    assert capsys.readouterr().err.splitlines() == [
        SHOWN,
        f"warning: attribute {SHOWN}",
        f"error: it broke: {SHOWN}",
        SHOWN,
        f"error: {SHOWN}: {SHOWN}",
        SHOWN,
        "error: what",
        "there are:",
        SHOWN,
    ]


def test_a_line_is_not_longer_than_a_log_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for log_format in ("text", "json"):
        Messages(log_format=log_format).warning("begin" + "x" * 100_000 + "end")
        (line,) = capsys.readouterr().err.splitlines()
        assert "begin" in line
        assert "end" in line
        assert len(line) < 5000


def test_neither_form_shows_the_user_part_of_a_url(capsys: pytest.CaptureFixture[str]) -> None:
    url = "http://user:secret@host/"
    for log_format in ("text", "json"):
        messages = Messages(log_format=log_format)
        messages.info("phase", url, {"url": url, "urls": [url, {"deep": url}], "number": 1})
        messages.warning(url)
        messages.error(str(ConvertError(url, url, url)))
        said = capsys.readouterr().err
        assert "secret" not in said
        assert "user" not in said
        assert said.count("http://host/") == (5 if log_format == "text" else 8)


WARNING = "attribute 'delivery_date' is in column 'dt_1': " + "a word, " * 12 + "and the last"
PATH = "/srv/exports/" + "folder" * 12 + "/manifest-summary.json"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_on_a_terminal_a_message_breaks_at_spaces(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("converter.cli.messages._terminal_width", lambda: width)
    Messages().warning(WARNING)
    broken = capsys.readouterr().err.splitlines()
    assert max(map(len, broken)) <= width
    assert " ".join(line.strip() for line in broken) == f"warning: {WARNING}"
    Messages().info("report", lines("published", f"  columns  {'3 of some type, ' * 9}"))
    first, second, *others = capsys.readouterr().err.splitlines()
    assert (first, second[:11]) == ("published", "  columns  ")
    assert all(line.startswith(" " * 11) for line in others)


def test_what_one_copies_from_a_terminal_stays_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("converter.cli.messages._terminal_width", lambda: 60)
    hint = f"see the line with: gzip -dc {'x' * 30} | sed -n {'1' * 20}p"
    Messages().error(lines("it broke", hint))
    Messages().error(f"{PATH}: no such folder")
    assert capsys.readouterr().err == f"error: it broke\n{hint}\nerror: {PATH}: no such folder\n"


def test_in_a_pipe_a_message_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Messages().warning(WARNING)
    assert capsys.readouterr().err == f"warning: {WARNING}\n"
