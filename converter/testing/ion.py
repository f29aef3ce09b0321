"""Lines of DynamoDB JSON in Amazon Ion, as the service writes exports in ION.

The mapping of types and the samples that this agrees with:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#S3DataExport.Output_Data
What the samples leave open is spelled as Amazon's Java library for Ion does it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from converter.testing.manifest import OutputFormat

_CHANGE = ("Keys", "Metadata", "OldImage", "NewImage")
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)
_SYMBOL_ID = re.compile(r"\$[0-9]+", re.ASCII)
_KEYWORDS = frozenset({"null", "true", "false", "nan"})
_ESCAPED = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_SHORT = {0: "0", 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 92: "\\"}


def ion_line(line: bytes) -> bytes:
    """Convert the line of an item or a change in DynamoDB JSON to Ion, with its newline.

    Attributes keep their order; the members of a change have the order of DynamoDB. Trailing zeros of numbers become an
    exponent, as in DynamoDB: 600 is `6d2`. Raises KeyError and ValueError for other lines.
    """
    document = json.loads(line)
    if "Item" in document:
        text = f"{{Item:{_struct(document['Item'])}}}"
    else:
        members = ",".join(f"{name}:{_struct(document[name])}" for name in _CHANGE if name in document)
        text = f"{{Record:{{{members}}}}}"
    return f" $ion_1_0 {text}\n".encode()


def in_format(line: bytes, output_format: OutputFormat) -> bytes:
    """Convert a line of DynamoDB JSON to a format of exports."""
    return ion_line(line) if output_format == "ION" else line


def _struct(attributes: Mapping[str, object]) -> str:
    members = ",".join(f"{_symbol(name)}:{_value(value)}" for name, value in attributes.items())
    return f"{{{members}}}"


def _value(value: object) -> str:
    ((tag, content),) = cast(Mapping[str, object], value).items()
    match tag, content:
        case "NULL", _:
            return "null"
        case "BOOL", _:
            return "true" if content else "false"
        case "M", Mapping():
            return _struct(content)
        case "L", list():
            return f"[{','.join(map(_value, content))}]"
        case "SS" | "NS" | "BS", list():
            return f"$dynamodb_{tag}::[{','.join(_scalar(tag[0], element) for element in content)}]"
        case "S" | "N" | "B", str():
            return _scalar(tag, content)
    raise ValueError(f"{tag} is not a type, or not the type of its value")


def _scalar(tag: str, text: str) -> str:
    if tag == "N":
        return _number(text)
    escaped = _escape(text, '"')
    return f"{{{{{text}}}}}" if tag == "B" else f'"{escaped}"'


def _number(text: str) -> str:
    """Return a decimal of Ion. Without a point or an exponent it would be an int."""
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    all_digits = "".join(map(str, digits))
    significant = all_digits.rstrip("0") or "0"
    exponent = 0 if significant == "0" else exponent + len(all_digits) - len(significant)
    minus = "-" if sign and significant != "0" else ""
    if exponent >= 0:
        return f"{minus}{significant}{f'd{exponent}' if exponent else '.'}"
    whole = max(len(significant) + exponent, 1)
    fraction = f".{significant[whole:]}" if significant[whole:] else ""
    left = -exponent - len(significant[whole:])
    return f"{minus}{significant[:whole]}{fraction}{f'd-{left}' if left else ''}"


def _symbol(name: str) -> str:
    """A name, in quotes unless it is an identifier that means nothing else."""
    plain = _IDENTIFIER.fullmatch(name) and not _SYMBOL_ID.fullmatch(name) and name not in _KEYWORDS
    quoted = _escape(name, "'")
    return name if plain else f"'{quoted}'"


def _escape(text: str, quote: str) -> str:
    escaped = _ESCAPED.sub(lambda found: "\\" + _SHORT.get(ord(found[0]), f"x{ord(found[0]):02x}"), text)
    return escaped.replace(quote, f"\\{quote}")
