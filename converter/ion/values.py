"""Translates values in a line of Ion text to DynamoDB JSON, token by token."""

from __future__ import annotations

import re
from json.encoder import encode_basestring

from converter.decode.strict_lines import shorten
from converter.ion.tokens import (
    NotIonError,
    kind_at,
    read_annotations,
    read_blob,
    read_decimal,
    read_name,
    read_string,
    skip,
)

_DEPTH = 128
"""Limit of the depth. The decoder has a lower limit, and reports the path of values between the two limits."""
_SETS = {"$dynamodb_SS": "SS", "$dynamodb_NS": "NS", "$dynamodb_BS": "BS"}
_KINDS = {"S": "a string", "N": "a decimal", "B": "a blob"}
_WORD = re.compile(r"(?:(true|false)|null(?:\.null)?)(?![A-Za-z0-9_$.])")
_NUMBER_BEGINS = frozenset("-0123456789")
_NOT_BASE64 = "not base64 (standard alphabet, padded)"


class RefusedError(Exception):
    """A value that DynamoDB does not write. steps: names and positions of the path to it, in reverse order."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str | int] = []


class ValueReader:
    """Reads the values of a line, which ends with its newline.

    Each method reads from a position, appends JSON to `json`, and returns the position after the value. Methods raise
    NotIonError and RefusedError.
    """

    def __init__(self, line: str) -> None:
        self.line = line
        self.json: list[str] = []

    def attributes(self, at: int, depth: int = 0) -> int:
        """Read the members of a struct that was opened before the position."""
        line, json = self.line, self.json
        seen: set[str] = set()
        json.append("{")
        separator, mark = "", ","
        while mark == ",":
            at = skip(line, at)
            if line[at] == "}":
                at += 1
                break
            name, at = read_name(line, at)
            if name in seen:
                raise duplicate_error(name)
            seen.add(name)
            json.append(f"{separator}{encode_basestring(name)}:")
            at, mark = self.end(self._step(name, at, depth), "}")
            separator = ","
        json.append("}")
        return at

    def end(self, at: int, closing: str) -> tuple[int, str]:
        """Return the position after the comma, or the closing mark, that follows a value, and this mark."""
        mark = self.line[at]
        if mark not in (",", closing):
            at = skip(self.line, at)
            mark = self.line[at]
            if mark not in (",", closing):
                raise NotIonError(at)
        return at + 1, mark

    def member(self, name: str, at: int) -> int:
        """Read the value of a member with this name. The path of a RefusedError includes it."""
        return self._step(name, at, 0)

    def _step(self, step: str | int, at: int, depth: int) -> int:
        """Read a value. The path of a RefusedError includes its name or position."""
        try:
            return self._value(at, depth)
        except RefusedError as refused:
            refused.steps.append(step)
            raise

    def _value(self, at: int, depth: int) -> int:
        line, begin = self.line, at
        annotations, at = read_annotations(line, at)
        if annotations:
            if len(annotations) == 1 and annotations[0] in _SETS and line[at] == "[":
                return self._set(_SETS[annotations[0]], at + 1)
            raise RefusedError(f"{kind_at(line, begin)}, which exports never have")
        scalar = self._read_scalar(at)
        if scalar is not None:
            tag, content, at = scalar
            self.json.append(f'{{"{tag}":{content}}}')
            return at
        if line[at] != "[" and (line[at] != "{" or line[at + 1] == "{"):
            raise RefusedError(f"{kind_at(line, begin)}, which exports never have")
        return self._inside(line[at], at + 1, depth)

    def _inside(self, opener: str, at: int, depth: int) -> int:
        """Read the contents of a map or a list that was opened before the position."""
        if depth >= _DEPTH:
            raise RefusedError(f"nested deeper than {_DEPTH} levels; DynamoDB allows 32")
        if opener == "{":
            self.json.append('{"M":')
            at = self.attributes(at, depth + 1)
        else:
            self.json.append('{"L":[')
            at = self._elements(at, depth + 1)
        self.json.append("}")
        return at

    def _set(self, tag: str, at: int) -> int:
        """Read the elements of a set that was opened before the position."""
        self.json.append(f'{{"{tag}":[')
        at = self._elements(at, 0, tag)
        self.json.append("}")
        return at

    def _elements(self, at: int, depth: int, tag: str = "") -> int:
        """Read the elements of a list, or of a set with this tag, that was opened before the position."""
        count, mark = 0, ","
        while mark == ",":
            at = skip(self.line, at)
            if self.line[at] == "]":
                at += 1
                break
            if count:
                self.json.append(",")
            after = self._set_element(tag, at, count) if tag else self._step(count, at, depth)
            at, mark = self.end(after, "]")
            count += 1
        self.json.append("]")
        return at

    def _set_element(self, tag: str, at: int, index: int) -> int:
        try:
            scalar = self._read_scalar(at)
            if scalar is None or scalar[0] != tag[0]:
                raise RefusedError(f"expected {_KINDS[tag[0]]} in a set {tag}, got {kind_at(self.line, at)}")
        except RefusedError as refused:
            refused.steps.append(index)
            raise
        self.json.append(scalar[1])
        return scalar[2]

    def _read_scalar(self, at: int) -> tuple[str, str, int] | None:
        """Return tag, JSON content and end position of a scalar without annotations; None for other values."""
        line = self.line
        first = line[at]
        if first == '"' or line.startswith("'''", at):
            text, at = read_string(line, at)
            return "S", encode_basestring(text), at
        if first == "{":
            if line[at + 1] != "{" or kind_at(line, at) != "a blob":
                return None
            base64, at = read_blob(line, at)
            if base64 is None:
                raise RefusedError(_NOT_BASE64)
            return "B", f'"{base64}"', at
        if first in _NUMBER_BEGINS:
            number = read_decimal(line, at)
            return None if number is None else ("N", f'"{number[0]}"', number[1])
        word = _WORD.match(line, at)
        if word is None:
            return None
        return ("BOOL", word[1], word.end()) if word[1] else ("NULL", "true", word.end())


def duplicate_error(name: str) -> RefusedError:
    """Return the error for a duplicate name in a struct."""
    return RefusedError(f"the name {shorten(name)!r} occurs twice in one struct")
