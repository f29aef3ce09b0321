"""Bytes of JSON and of numbers, by name."""

from __future__ import annotations

from typing import Final

TAB: Final = 0x09
NEWLINE: Final = 0x0A
RETURN: Final = 0x0D
SPACE: Final = 0x20
QUOTE: Final = 0x22
APOSTROPHE: Final = 0x27
PLUS: Final = 0x2B
COMMA: Final = 0x2C
MINUS: Final = 0x2D
POINT: Final = 0x2E
DIGIT_0: Final = 0x30
COLON: Final = 0x3A
BACKSLASH: Final = 0x5C
OPEN_LIST: Final = 0x5B
CLOSE_LIST: Final = 0x5D
LETTER_U: Final = 0x75
OPEN_MAP: Final = 0x7B
CLOSE_MAP: Final = 0x7D
NOT_UTF8: Final = 0xFF
"""A byte that no UTF-8 text has."""
