"""Escapes external text for display: on one line, without control sequences for the terminal, and without passwords.

Attribute names, paths and server responses can contain any character. Every function that displays text treats it as
one line and escapes line breaks, unless the text is `Lines`. Only `lines` creates these, from printable lines. So
external text can't start a new line, and code that builds messages needs no precautions.
"""

from __future__ import annotations

import re
from typing import Final

MOST_CHARACTERS: Final = 4000
"""Limit of a line. The middle of a longer line is left out."""

_MOST_IN_CELL: Final = 200

# Python considers these printable, but they are invisible.
_INVISIBLE: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# A visible blank that is common in Japanese names.
_WIDE_BLANK: Final = "\u3000"

# A user part ends with the last @ before the path. A password may contain an unescaped slash, but a slash after a colon
# and digits starts the path. Lengths are bounded, so that no text takes quadratic time.
_USER: Final = re.compile(r"(?<=://)[^\s/]*@|(?<=://)[^\s/?#@:\[]{0,200}:(?!\d{1,5}(?:[/?#\s]|$))[^\s'\"]{0,200}@")


class Lines(str):
    """Printable lines, separated by line breaks of the program."""

    __slots__ = ()


def lines(*parts: str) -> Lines:
    """Join parts as lines, each printable and shortened. Parts that are Lines stay as they are."""
    return Lines("\n".join(part if isinstance(part, Lines) else shorten_line(printable(part)) for part in parts))


def printable(text: str) -> str:
    """Return the text on one line, with control and invisible characters escaped, and URLs without their user part."""
    text = without_users(text)
    if text.isprintable() and not _INVISIBLE.search(text):
        return text
    return "".join(map(_shown, text))


def cell(text: str) -> str:
    """Return the text for a cell of a table."""
    return shorten_line(printable(text), _MOST_IN_CELL)


def shorten_line(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return the text, or its beginning and end if it has more than `most` characters."""
    if len(text) <= most:
        return text
    return f"{text[: most // 3 * 2]} … {len(text):,} characters … {text[-most // 5 :]}"


def without_users(text: str) -> str:
    """Remove the user parts of URLs in the text: `http://name:password@host` becomes `http://host`."""
    if "://" not in text or "@" not in text:
        return text
    rest = _USER.sub("", text)
    return Lines(rest) if isinstance(text, Lines) else rest


def has_control_characters(text: str) -> bool:
    """Return whether a text has control characters or surrogates, which keys and file names must not contain."""
    return _CONTROL.search(text) is not None


def _shown(character: str) -> str:
    if (character.isprintable() or character == _WIDE_BLANK) and not _INVISIBLE.match(character):
        return character
    return character.encode("unicode_escape").decode("ascii")
