"""Translates values in a line of Ion text to DynamoDB JSON.

One regular expression reads a value in its usual spelling; other values are read token by token, with the same result.
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring

from converter.decode.strict_lines import shorten
from converter.ion.tokens import (
    KEYWORDS,
    NotIonError,
    is_canonical_base64,
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

# Groups: 1 and 2 are the name, 3 to 9 the value; the last matching group tells the spelling.
_NAME = r"(?:([A-Za-z_][A-Za-z0-9_$]*+)|'(?!(?:null|true|false|nan)')([^'\"\\\x00-\x1f]++)'):"
_VALUE = (
    r'(?:"([^"\\\x00-\x1f]*+)"[,END]'
    r"|(-?(?:0|[1-9][0-9]{0,37}+))(?:\.[,END]|(\.[0-9]{0,38}[1-9])[,END]|[dD]([0-9]{1,2})[,END])"
    r"|(true|false|null)[,END]"
    r"|\{\{([A-Za-z0-9+/]*+={0,2})\}\}[,END]"
    r"|(\{(?!\{)|\[|\$dynamodb_[SNB]S::\[))"
)
_MEMBER = re.compile(_NAME + _VALUE.replace("END", "}"))
_ELEMENT = re.compile("()()" + _VALUE.replace("END", r"\]"))
_TEXT, _OPENER = 3, 9


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
        line, json, match = self.line, self.json, _MEMBER.match
        # A keyword without quotes is not a name. In quotes, its key in `seen` is a tuple.
        seen: set[object] = set(KEYWORDS)
        json.append("{")
        separator, mark = "", ","
        while mark == ",":
            found = match(line, at)
            if found is None:
                at = skip(line, at)
                if line[at] == "}":
                    at += 1
                    break
                name, value = read_name(line, at)
                key: object = (name,) if name in KEYWORDS else name
            else:
                name = key = found[1] or found[2]
            if key in seen:
                raise NotIonError(at) if key in KEYWORDS else duplicate_error(name)
            seen.add(key)
            if found is None:
                json.append(f"{separator}{encode_basestring(name)}:")
                at, mark = self.end(self._step(name, value, depth), "}")
            elif found.lastindex == _OPENER:
                json.append(f'{separator}"{name}":')
                at, mark = self.end(self._step(name, found.end(), depth, found[_OPENER]), "}")
            else:
                content = f'{{"S":"{found[_TEXT]}"}}' if found.lastindex == _TEXT else _scalar(found, name)
                json.append(f'{separator}"{name}":{content}')
                at = found.end()
                mark = line[at - 1]
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

    def _step(self, step: str | int, at: int, depth: int, opener: str = "") -> int:
        """Read a value, or its contents if it was opened. The path of a RefusedError includes the name or position."""
        try:
            return self._inside(opener, at, depth) if opener else self._value(at, depth)
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
        """Read the contents of a map, list or set that was opened before the position."""
        if opener[0] == "$":
            return self._set(opener[-5:-3], at)
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

    def _elements(self, at: int, depth: int) -> int:
        """Read the elements of a list.

        The loop is like that of `attributes`: a method for the values of both would take 15 % more time.
        """
        line, json, match = self.line, self.json, _ELEMENT.match
        count, mark = 0, ","
        while mark == ",":
            found = match(line, at)
            if found is None:
                at = skip(line, at)
                if line[at] == "]":
                    at += 1
                    break
            if count:
                json.append(",")
            if found is None:
                at, mark = self.end(self._step(count, at, depth), "]")
            elif found.lastindex == _OPENER:
                at, mark = self.end(self._step(count, found.end(), depth, found[_OPENER]), "]")
            else:
                json.append(f'{{"S":"{found[_TEXT]}"}}' if found.lastindex == _TEXT else _scalar(found, count))
                at = found.end()
                mark = line[at - 1]
            count += 1
        json.append("]")
        return at

    def _set(self, tag: str, at: int) -> int:
        """Read the elements of a set."""
        line, match = self.line, _ELEMENT.match
        elements: list[str] = []
        mark = ","
        while mark == ",":
            found = match(line, at) if tag == "SS" else None
            if found is not None and found.lastindex == _TEXT:
                elements.append(f'"{found[_TEXT]}"')
                at = found.end()
                mark = line[at - 1]
                continue
            at = skip(line, at)
            if line[at] == "]":
                at += 1
                break
            element, at = self._set_element(tag, at, len(elements))
            elements.append(element)
            at, mark = self.end(at, "]")
        self.json.append(f'{{"{tag}":[{",".join(elements)}]}}')
        return at

    def _set_element(self, tag: str, at: int, index: int) -> tuple[str, int]:
        try:
            scalar = self._read_scalar(at)
            if scalar is None or scalar[0] != tag[0]:
                raise RefusedError(f"expected {_KINDS[tag[0]]} in a set {tag}, got {kind_at(self.line, at)}")
        except RefusedError as refused:
            refused.steps.append(index)
            raise
        return scalar[1:]

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


def _scalar(found: re.Match[str], step: str | int) -> str:
    """Return the JSON of a number, word or blob that _MEMBER or _ELEMENT matched. step: its name or position."""
    match found.lastindex:
        case 4 | 6:
            number = found[4]
            if number in ("0", "-0"):
                return '{"N":"0"}'
            return f'{{"N":"{number}{"0" * int(found[6] or 0)}"}}'
        case 5:
            return f'{{"N":"{found[4]}{found[5]}"}}'
        case 7:
            return '{"NULL":true}' if found[7] == "null" else f'{{"BOOL":{found[7]}}}'
    if not is_canonical_base64(found[8]):
        refused = RefusedError(_NOT_BASE64)
        refused.steps.append(step)
        raise refused
    return f'{{"B":"{found[8]}"}}'


def duplicate_error(name: str) -> RefusedError:
    """Return the error for a duplicate name in a struct."""
    return RefusedError(f"the name {shorten(name)!r} occurs twice in one struct")
