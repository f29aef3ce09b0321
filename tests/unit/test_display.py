"""Text from outside stays on its line, says nothing to a terminal, and shows no password."""

from __future__ import annotations

import pickle
import sys
import time
import unicodedata

import pytest

from converter.display import (
    MOST_CHARACTERS,
    Lines,
    cell,
    has_control_characters,
    lines,
    printable,
    shorten_line,
    without_users,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 東京 🎁", "plain é 東京 🎁"),
        ("注文\u3000データ", "注文\u3000データ"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[2J\x9b2J\x7f", "\\x1b[2J\\x9b2J\\x7f"),
        ("\u202e\u2066\u2028\u2029\x85\ud800", "\\u202e\\u2066\\u2028\\u2029\\x85\\ud800"),
        ("\u200b\u200d\ufeff\u00ad\U000e0041", "\\u200b\\u200d\\ufeff\\xad\\U000e0041"),
        ("\u115f\u3164\uffa0\u2800\u034f", "\\u115f\\u3164\\uffa0\\u2800\\u034f"),
        ("", ""),
    ],
)
def test_what_a_terminal_could_obey_or_nobody_could_see_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_no_character_that_is_shown_controls_formats_or_separates_lines() -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    for first in range(0, sys.maxunicode + 1, 256):
        shown = printable("".join(map(chr, range(first, first + 256))))
        assert not hidden & set(map(unicodedata.category, shown)), hex(first)
        assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:secret@host:9000/x", "http://host:9000/x"),
        ("https://user@host", "https://host"),
        ("at 'http://u:se@cr#et@h/' and socks5://u:p@h2", "at 'http://h/' and socks5://h2"),
        ("http://u:se/cr/et@h/x", "http://h/x"),
        ("http://:secret@h", "http://h"),
        ("http://u:%73@[::1]:9/a@b", "http://[::1]:9/a@b"),
        ("http://host:9000/a@b http://[::1]:9000/a@b", "http://host:9000/a@b http://[::1]:9000/a@b"),
        ("s3://bucket/a@b/c:d@e", "s3://bucket/a@b/c:d@e"),
        ("someone@example.com arn:aws:s3:::b", "someone@example.com arn:aws:s3:::b"),
    ],
)
def test_urls_lose_their_user_part_and_nothing_else(text: str, shown: str) -> None:
    assert without_users(text) == printable(text) == shown


@pytest.mark.parametrize("piece", ["a", "://", " http://a:b", "http://u:x", "://a:", ":", "@", "http://a/"])
def test_no_text_takes_long_to_be_made_printable(piece: str) -> None:
    def seconds(size: int) -> float:
        text = f"://{piece * (size // len(piece))} @"
        begun = time.process_time()
        printable(text)
        return time.process_time() - begun

    seconds(1000)
    # Linear takes 16 times as long, and quadratic 256 times.
    assert seconds(160_000) < 60 * max(min(seconds(10_000) for _ in range(3)), 0.0005)


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    text = "begin" + "x" * 60_000 + "end"
    short = shorten_line(text)
    assert short.startswith("beginxxx")
    assert short.endswith("xxxend")
    assert " … 60,008 characters … " in short
    assert len(short) < MOST_CHARACTERS
    assert shorten_line("x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS
    assert len(cell(text)) <= 200


@pytest.mark.parametrize("text", ["\0", "a\n", "\x1b", "\x7f", "\x80", "\x9f", "\ud800"])
def test_control_characters_and_halves_of_characters_are_found(text: str) -> None:
    assert has_control_characters(text)


@pytest.mark.parametrize("text", ["", "a b", "\xa0", "\u3000", "\u200d", "\u2028", "\ufeff", "\U000e0041", "\ue000"])
def test_characters_that_cannot_be_seen_are_not_control_characters(text: str) -> None:
    assert not has_control_characters(text)


def test_only_our_own_line_breaks_are_line_breaks() -> None:
    text = lines("one\nerror: forged", lines("two", "three"), "four")
    assert text.split("\n") == ["one\\nerror: forged", "two", "three", "four"]
    assert isinstance(pickle.loads(pickle.dumps(text)), Lines)
    assert not isinstance(f"{text}", Lines)
    assert isinstance(without_users(lines("http://a:b@c", "d")), Lines)
