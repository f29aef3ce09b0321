"""Tokens of Ion text in one line: white space, names, strings, numbers and blobs.

Every function takes a line, which ends with its newline, and a position. No token contains the newline, so functions
need no bounds checks. The time to find a token is linear in its length, and its length is checked before it is used in
computations. The grammar: https://amazon-ion.github.io/ion-docs/docs/spec.html
"""

from __future__ import annotations

import re
from typing import NoReturn

from converter.kernels.value_limits import HIGHEST_EXPONENT, LOWEST_EXPONENT, SIGNIFICANT_DIGITS

_WHITE_SPACE = re.compile(r"[ \t\r]*")
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SYMBOL_ID = re.compile(r"\$[0-9]+")
_KEYWORDS = frozenset({"null", "true", "false", "nan"})
_NUMBER_ENDS = r"(?=[{}\[\](),\"' \t\r])"
"""Characters after a number: not a comment or the end of the line, because a struct must end after it."""
_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9_]*)(?:(\.)([0-9_]*))?(?:[dD]([+-]?[0-9]+))?" + _NUMBER_ENDS)
_INT = re.compile(r"-?(?:0|[1-9][0-9_]*|0[xX][0-9A-Fa-f_]+|0[bB][01_]+)" + _NUMBER_ENDS)
_FLOAT = re.compile(
    r"(?:-?(?:0|[1-9][0-9_]*)(?:\.[0-9_]*)?[eE][+-]?[0-9]+" + _NUMBER_ENDS + r"|[+-]inf(?![A-Za-z0-9_$]))"
)
_TIMESTAMP = re.compile(r"[0-9]{4}(?:T|-[0-9]{2}(?:T|-[0-9]{2}))")
_TYPED_NULL = re.compile(
    r"null\.(null|bool|int|float|decimal|timestamp|string|symbol|blob|clob|struct|list|sexp)(?![A-Za-z0-9_$.])"
)
_CLOB = re.compile(r"\{\{[ \t\r]*(?:\"|''')")
_BLOB = re.compile(r"\{\{([^{}\n]*)\}\}")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/= \t\r]")
_LAST_OF_ONE_BYTE = "AQgw"
_LAST_OF_TWO_BYTES = "AEIMQUYcgkosw048"

_LONG_QUOTE = "'''"
_LONG_STOP = re.compile(r"\\|'''")
_UNUSUAL = re.compile(r"[\\\x00-\x08\n\r\x0e-\x1f]")
_ESCAPE = re.compile(
    r"""\\(?:([abtnfrv?0'"/\\])"""
    r"|x([0-9A-Fa-f]{2})"
    r"|u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})"
    r"|u((?![dD][89a-fA-F])[0-9A-Fa-f]{4})"
    r"|U((?!0000[dD][89a-fA-F])00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}))"
    r"|[\\\x00-\x08\n\r\x0e-\x1f]"
)
_SHORT_ESCAPES = dict(zip("abtnfrv?0'\"/\\", "\a\b\t\n\f\r\v?\0'\"/\\", strict=True))
_PLAIN_SIZE = 64


class NotIonError(Exception):
    """The line is not Ion text from this position on. what: a more specific reason."""

    def __init__(self, at: int, what: str = "") -> None:
        super().__init__(at, what)
        self.at = at
        self.what = what


def skip(line: str, at: int) -> int:
    """Return the position after white space and comments."""
    while True:
        at = _end_of_white_space(line, at)
        if line[at] != "/":
            return at
        if line[at + 1] == "/":
            return len(line) - 1
        if line[at + 1] != "*":
            raise NotIonError(at)
        close = line.find("*/", at + 2)
        if close < 0:
            raise NotIonError(len(line) - 1, "a comment does not end")
        at = close + 2


def _end_of_white_space(line: str, at: int) -> int:
    found = _WHITE_SPACE.match(line, at)
    assert found is not None
    return found.end()


def read_string(line: str, at: int) -> tuple[str, int]:
    """Return the text of the short or long string at this position, and the position after it."""
    if not line.startswith(_LONG_QUOTE, at):
        return _read_quoted(line, at)
    texts = []
    while line.startswith(_LONG_QUOTE, at):
        begin = stop = at + len(_LONG_QUOTE)
        while True:
            found = _LONG_STOP.search(line, stop)
            if found is None:
                raise NotIonError(len(line) - 1, "a text does not end")
            if found[0] == _LONG_QUOTE:
                break
            stop = found.end() + 1
        texts.append(_unescape(line[begin : found.start()], begin))
        at = found.end()
        after = skip(line, at)
        if line.startswith(_LONG_QUOTE, after):
            at = after
    return "".join(texts), at


def _read_quoted(line: str, at: int) -> tuple[str, int]:
    """Return the text in the single or double quotes at this position, and the position after it."""
    quote, close = line[at], at
    while True:
        close = line.find(quote, close + 1)
        if close < 0:
            raise NotIonError(len(line) - 1, "a text does not end")
        # The backslashes before a quote are counted once, for this quote.
        run = close
        while line[run - 1] == "\\":
            run -= 1
        if (close - run) % 2 == 0:
            return _unescape(line[at + 1 : close], at + 1), close + 1


def _unescape(body: str, begin: int) -> str:
    """Replace the escapes in a text. begin: its position in the line."""
    if _UNUSUAL.search(body) is None:
        return body

    def meaning(found: re.Match[str]) -> str:
        short, byte, high, low, unit, scalar = found.groups()
        if short is not None:
            return _SHORT_ESCAPES[short]
        if high is not None:
            return (bytes.fromhex(high) + bytes.fromhex(low)).decode("utf-16-be")
        digits = byte or unit or scalar
        if digits is None:
            at = begin + found.start()
            what = "an escape that Ion does not have" if found[0] == "\\" else "a control character in a text"
            raise NotIonError(at, what)
        return chr(int(digits, 16))

    return _ESCAPE.sub(meaning, body)


def read_symbol(line: str, at: int) -> tuple[str, int] | None:
    """Return the text of the symbol at this position, and the position after it; None for another token."""
    if line[at] == "'" and not line.startswith(_LONG_QUOTE, at):
        return _read_quoted(line, at)
    found = _IDENTIFIER.match(line, at)
    if found is None or found[0] in _KEYWORDS:
        return None
    if _SYMBOL_ID.fullmatch(found[0]):
        shown = found[0] if len(found[0]) < 20 else f"{found[0][:20]}…"
        raise NotIonError(at, f"the symbol id {shown}, but there is no symbol table")
    return found[0], found.end()


def read_name(line: str, at: int) -> tuple[str, int]:
    """Return the name of a member at this position, and the position after its colon."""
    if line[at] == '"' or line.startswith(_LONG_QUOTE, at):
        name, at = read_string(line, at)
    else:
        symbol = read_symbol(line, at)
        if symbol is None:
            raise NotIonError(at)
        name, at = symbol
    at = skip(line, at)
    if line[at] != ":" or line[at + 1] == ":":
        raise NotIonError(at)
    return name, at + 1


def read_annotations(line: str, at: int) -> tuple[list[str], int]:
    """Return the annotations of the value at this position, and the position of the value itself."""
    texts: list[str] = []
    while True:
        at = skip(line, at)
        if not (line[at] == "'" or line[at] == "$" or line[at].isalpha() or line[at] == "_"):
            return texts, at
        symbol = read_symbol(line, at)
        if symbol is None:
            return texts, at
        after = skip(line, symbol[1])
        if not line.startswith("::", after):
            return texts, at
        texts.append(symbol[0])
        at = after + 2


def read_decimal(line: str, at: int) -> tuple[str, int] | None:
    """Return the decimal at this position in plain form, and the position after it; None if it is not a decimal.

    A number outside of the range of DynamoDB keeps an exponent, and the decoder rejects it.
    """
    found = _DECIMAL.match(line, at)
    if found is None:
        return None
    sign, whole, point, fraction, exponent = found.groups()
    if point is None and exponent is None:
        return None
    fraction = fraction or ""
    if "_" in whole or "_" in fraction:
        for digits in (whole, fraction):
            if "__" in digits or digits.startswith("_") or digits.endswith("_"):
                return None
        whole, fraction = whole.replace("_", ""), fraction.replace("_", "")
    return _plain_decimal(sign, whole, fraction, exponent), found.end()


def _plain_decimal(sign: str, whole: str, fraction: str, exponent: str | None) -> str:
    """Return the number without an exponent and without insignificant zeros."""
    if exponent is None and len(whole) + len(fraction) <= _PLAIN_SIZE:
        fraction = fraction.rstrip("0")
        if fraction:
            return f"{sign}{whole}.{fraction}"
        return f"{sign}{whole}" if whole != "0" else "0"
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "0"
    # An exponent of nine digits is far outside of the range.
    shift = int((exponent or "").lstrip("+-0")[:9] or "0") * (-1 if (exponent or "").startswith("-") else 1)
    lowest = shift - len(fraction) + len(digits) - len(significant)
    leading = lowest + len(significant) - 1
    if len(significant) > SIGNIFICANT_DIGITS or not LOWEST_EXPONENT <= leading <= HIGHEST_EXPONENT:
        rest = f".{significant[1:]}" if len(significant) > 1 else ""
        return f"{sign}{significant[0]}{rest}E{leading:+d}"
    if lowest >= 0:
        return f"{sign}{significant}{'0' * lowest}"
    if -lowest < len(significant):
        return f"{sign}{significant[:lowest]}.{significant[lowest:]}"
    return f"{sign}0.{significant.rjust(-lowest, '0')}"


def read_blob(line: str, at: int) -> tuple[str | None, int]:
    """Return the base64 of the blob at this position, or None if it is not base64, and the position after it."""
    found = _BLOB.match(line, at)
    if found is None:
        raise NotIonError(at)
    body = found[1]
    if _NOT_BASE64.search(body):
        return None, found.end()
    text = "".join(body.split())
    return (text if _is_canonical_base64(text) else None), found.end()


def _is_canonical_base64(text: str) -> bool:
    """Return whether padding and unused bits of a base64 text are canonical. Its alphabet was checked before."""
    digits = text.rstrip("=")
    padding = len(text) - len(digits)
    if len(text) % 4 or padding > 2 or "=" in digits:
        return False
    if not padding:
        return True
    return digits[-1] in (_LAST_OF_ONE_BYTE if padding == 2 else _LAST_OF_TWO_BYTES)


def _fail_at_value(line: str, at: int, annotations: list[str]) -> NoReturn:
    """Raise NotIonError for a missing value."""
    what = "an annotation without a value" if annotations and line[at] in ",]})" else ""
    raise NotIonError(at, what)


def kind_at(line: str, at: int) -> str:
    """Return the Ion type of the value at this position, with its article. Raises NotIonError if there is no value."""
    annotations, at = read_annotations(line, at)
    first = line[at]
    typed_null = _TYPED_NULL.match(line, at)
    if typed_null is not None:
        kind = f"a null.{typed_null[1]}"
    elif first == "{":
        kind = ("a clob" if _CLOB.match(line, at) else "a blob") if line[at + 1] == "{" else "a struct"
    elif first in "[(":
        kind = "a list" if first == "[" else "a sexp"
    elif first == '"' or line.startswith(_LONG_QUOTE, at):
        kind = "a string"
    elif first == "'":
        kind = "a symbol"
    elif first.isdecimal() or first in "+-":
        kind = _kind_of_number(line, at)
    elif (word := _IDENTIFIER.match(line, at)) is not None and line[word.end()] not in ".\n":
        kind = {"null": "null", "true": "a bool", "false": "a bool", "nan": "a float"}.get(word[0], "a symbol")
    else:
        kind = ""
    if not kind:
        _fail_at_value(line, at, annotations)
    if not annotations:
        return kind
    shown = ", ".join(repr(text if len(text) <= 80 else f"{text[:80]}…") for text in annotations[:3])
    return f"{kind} with the annotation {shown}"


def _kind_of_number(line: str, at: int) -> str:
    if read_decimal(line, at) is not None:
        return "a decimal"
    for kind, pattern in (("a timestamp", _TIMESTAMP), ("an int", _INT), ("a float", _FLOAT)):
        if pattern.match(line, at):
            return kind
    return ""
