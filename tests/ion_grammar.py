"""A strict reader of Ion text, for the oracle: character by character, as the specification has it.

It knows the part of Ion 1.0 that an export may use, and raises ValueError for everything else. A value is what DynamoDB
JSON has: {"S": "x"}, with numbers in plain form.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from tests.oracle_input import plain_number

NOT_A_NUMBER = "not a number of DynamoDB"

_SPACE = " \t\r"
_NUMBER_STOPS = "{}[](),\"' \t\r"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$"
_DIGITS = "0123456789"
_HEX = "0123456789abcdefABCDEF"
_SHORT = {
    "a": 7,
    "b": 8,
    "t": 9,
    "n": 10,
    "f": 12,
    "r": 13,
    "v": 11,
    "?": 63,
    "0": 0,
    "'": 39,
    '"': 34,
    "/": 47,
    "\\": 92,
}
_KEYWORDS = ("null", "true", "false", "nan")
_ELEMENTS = {"$dynamodb_SS": "S", "$dynamodb_NS": "N", "$dynamodb_BS": "B"}


def read_struct(text: str) -> dict[str, Any]:
    """The one struct of a line, whose members are structs or values; its marker has been cut off."""
    reader = _Reader(text)
    reader.skip()
    if reader.annotations():
        raise ValueError("an annotation on the struct of a line")
    members = reader.struct()
    reader.skip()
    if reader.at != len(text):
        raise ValueError("more than one value")
    return members


class _Reader:
    """Reads forward from `at`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def take(self, expected: str) -> None:
        if not self.text.startswith(expected, self.at):
            raise ValueError(f"expected {expected} at {self.at}")
        self.at += len(expected)

    def taken(self, wanted: str) -> bool:
        there = self.text.startswith(wanted, self.at)
        self.at += len(wanted) if there else 0
        return there

    def skip(self) -> None:
        while True:
            while self.peek() and self.peek() in _SPACE:
                self.at += 1
            if self.taken("//"):
                self.at = len(self.text)
            elif self.taken("/*"):
                self.at = self.text.index("*/", self.at) + 2
            else:
                return

    def word(self) -> str:
        """An identifier, or nothing."""
        begin = self.at
        if self.peek() and self.peek() in _LETTERS:
            while self.peek() and self.peek() in _LETTERS + _DIGITS:
                self.at += 1
        return self.text[begin : self.at]

    def symbol(self) -> str | None:
        """A symbol by its text; None, and nothing is read, if something else is there."""
        begin = self.at
        if self.peek(3) != "'''" and self.taken("'"):
            return self.until("'")
        word = self.word()
        if not word or word in _KEYWORDS:
            self.at = begin
            return None
        if word[0] == "$" and len(word) > 1 and all(c in _DIGITS for c in word[1:]):
            raise ValueError("a symbol by its number")
        return word

    def until(self, quote: str) -> str:
        """The text up to a quote, which is read as well."""
        units: list[int] = []
        while not self.taken(quote):
            c = self.peek()
            self.at += 1
            if not c or (ord(c) < 32 and c not in "\t\v\f"):
                raise ValueError("a text that does not end, or a control character")
            if c != "\\":
                units += (
                    [ord(c)] if ord(c) < 0x10000 else [0xD800 + (ord(c) - 0x10000 >> 10), 0xDC00 + (ord(c) & 0x3FF)]
                )
                continue
            kind = self.peek()
            self.at += 1
            if kind and kind in _SHORT:
                units.append(_SHORT[kind])
                continue
            digits = self.peek({"x": 2, "u": 4, "U": 8}[kind] if kind in ("x", "u", "U") else 0)
            self.at += len(digits)
            if len(digits) != {"x": 2, "u": 4, "U": 8}.get(kind) or any(c not in _HEX for c in digits):
                raise ValueError("no such escape")
            point = int(digits, 16)
            if kind == "U" and (point > 0x10FFFF or 0xD800 <= point < 0xE000):
                raise ValueError("not a character")
            if kind == "u" and 0xD800 <= point < 0xE000:
                point = self.pair(point)
            units += [point] if point < 0x10000 else [0xD800 + (point - 0x10000 >> 10), 0xDC00 + (point & 0x3FF)]
        return b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be")

    def pair(self, high: int) -> int:
        """The character of this surrogate and the one that has to come next."""
        self.take("\\u")
        digits = self.peek(4)
        self.at += 4
        if len(digits) != 4 or any(c not in _HEX for c in digits):
            raise ValueError("no such escape")
        low = int(digits, 16)
        if high >= 0xDC00 or not 0xDC00 <= low < 0xE000:
            raise ValueError("a lone surrogate")
        return 0x10000 + (high - 0xD800 << 10) + low - 0xDC00

    def string(self) -> str:
        if self.peek(3) != "'''":
            self.take('"')
            return self.until('"')
        texts = []
        while self.taken("'''"):
            texts.append(self.until("'''"))
            end = self.at
            self.skip()
            if self.peek(3) != "'''":
                self.at = end
        return "".join(texts)

    def annotations(self) -> list[str]:
        found: list[str] = []
        while True:
            begin = self.at
            symbol = self.symbol()
            self.skip()
            if symbol is None or not self.taken("::"):
                self.at = begin
                return found
            found.append(symbol)
            self.skip()

    def struct(self) -> dict[str, Any]:
        if self.peek(2) == "{{":
            raise ValueError("a blob")
        self.take("{")
        members: dict[str, Any] = {}
        self.skip()
        while not self.taken("}"):
            if self.peek() == '"' or self.peek(3) == "'''":
                name: str | None = self.string()
            else:
                name = self.symbol()
            self.skip()
            self.take(":")
            if name is None or name in members or self.peek() == ":":
                raise ValueError("no name, or one that is there twice")
            self.skip()
            members[name] = self.value()
            self.separator("}")
        return members

    def separator(self, closing: str) -> None:
        self.skip()
        if self.peek() != closing:
            self.take(",")
            self.skip()

    def value(self) -> dict[str, Any]:
        annotations = self.annotations()
        if annotations:
            (annotation,) = annotations
            elements = self.sequence()
            tag = _ELEMENTS.get(annotation, "none")
            if not elements or any(list(element) != [tag] for element in elements):
                raise ValueError("not a set")
            return {f"{tag}S": [element[tag] for element in elements]}
        if self.peek() == "[":
            return {"L": self.sequence()}
        if self.peek(2) == "{{":
            return {"B": self.blob()}
        if self.peek() == "{":
            return {"M": self.struct()}
        if self.peek() == '"' or self.peek(3) == "'''":
            return {"S": self.string()}
        if self.peek() and self.peek() in _DIGITS + "-":
            return {"N": self.number()}
        word = self.word()
        if word == "null" and self.taken("."):
            word = "null" if self.word() == "null" else ""
        if word not in ("null", "true", "false"):
            raise ValueError("not a value")
        return {"NULL": True} if word == "null" else {"BOOL": word == "true"}

    def sequence(self) -> list[dict[str, Any]]:
        self.take("[")
        elements = []
        self.skip()
        while not self.taken("]"):
            elements.append(self.value())
            self.separator("]")
        return elements

    def number(self) -> str:
        begin = self.at
        sign = "-" if self.taken("-") else ""
        whole = self.digits(underscores=True)
        if not whole or (whole[0] == "0" and self.at - begin > len(sign) + 1):
            raise ValueError("not a number")
        fraction, exponent, decimal = "", "", False
        if self.taken("."):
            fraction, decimal = self.digits(underscores=True), True
        if self.peek() in ("d", "D"):
            self.at += 1
            exponent = "-" if self.taken("-") else "+"
            if exponent == "+":
                self.taken("+")
            digits = self.digits(underscores=False)
            if not digits:
                raise ValueError("an exponent without digits")
            exponent, decimal = exponent + digits, True
        if not decimal or (self.peek() and self.peek() not in _NUMBER_STOPS):
            raise ValueError("not a decimal")
        try:
            return plain_number(f"{sign}{whole}.{fraction or '0'}e{exponent or '0'}")
        except ValueError:
            # A number that no item may have. A member that is not known may: its value is left out.
            return NOT_A_NUMBER

    def digits(self, *, underscores: bool) -> str:
        """Digits, with single underscores between them."""
        found = ""
        while self.peek() and self.peek() in _DIGITS:
            found += self.peek()
            self.at += 1
            if underscores and self.peek() == "_" and self.peek(2)[1:] and self.peek(2)[1:] in _DIGITS:
                self.at += 1
        return found

    def blob(self) -> str:
        self.take("{{")
        text = ""
        while not self.taken("}}"):
            c = self.peek()
            self.at += 1
            if not c:
                raise ValueError("a blob that does not end")
            text += "" if c in _SPACE else c
        if b64encode(b64decode(text.encode("ascii"), validate=True)).decode() != text:
            raise ValueError("not canonical base64")
        return text
