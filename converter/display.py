"""Text from outside as it may be shown: on one line, with nothing that a terminal obeys, and without passwords.

Attribute names, paths and answers of servers may hold any character. Whatever shows a text takes it for one line, and
escapes line breaks in it, unless it is `Lines`: only `lines` makes these, of lines that are all printable. So a text
from outside cannot begin a line of its own, and nothing has to be remembered where a message is put together.
"""

from __future__ import annotations

import re
from typing import Final

MOST_CHARACTERS: Final = 4000
"""Of a line; a longer one loses its middle."""

_MOST_IN_CELL: Final = 200

# Python calls these printable, and they show as nothing.
_INVISIBLE: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# A blank that is seen, and common in Japanese names.
_WIDE_BLANK: Final = "\u3000"

# A user part ends with the last @ in front of the path. A password may hold a slash that should have been escaped, but
# after a colon and digits a slash begins the path. Bounded, so that no text takes quadratic time.
_USER: Final = re.compile(r"(?<=://)[^\s/]*@|(?<=://)[^\s/?#@:\[]{0,200}:(?!\d{1,5}(?:[/?#\s]|$))[^\s'\"]{0,200}@")


class Lines(str):
    """Printable lines with line breaks in between, which are ours."""

    __slots__ = ()


def lines(*parts: str) -> Lines:
    """Each part on a line of its own, made printable and not too long; parts that are Lines stay as they are."""
    return Lines("\n".join(part if isinstance(part, Lines) else shorten(printable(part)) for part in parts))


def printable(text: str) -> str:
    """The text on one line: control characters and those that cannot be seen escaped, URLs without their user part."""
    text = without_users(text)
    if text.isprintable() and not _INVISIBLE.search(text):
        return text
    return "".join(map(_shown, text))


def cell(text: str) -> str:
    """The text as a cell of a table shows it."""
    return shorten(printable(text), _MOST_IN_CELL)


def shorten(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text, or its beginning and end if it has more than `most` characters."""
    if len(text) <= most:
        return text
    return f"{text[: most // 3 * 2]} … {len(text):,} characters … {text[-most // 5 :]}"


def without_users(text: str) -> str:
    """The text without what URLs in it say of users: `http://name:password@host` becomes `http://host`."""
    if "://" not in text or "@" not in text:
        return text
    rest = _USER.sub("", text)
    return Lines(rest) if isinstance(text, Lines) else rest


def has_control_characters(text: str) -> bool:
    """Whether there are control characters in a text, or halves of characters: no key or file name has them."""
    return _CONTROL.search(text) is not None


def _shown(character: str) -> str:
    if (character.isprintable() or character == _WIDE_BLANK) and not _INVISIBLE.match(character):
        return character
    return character.encode("unicode_escape").decode("ascii")
