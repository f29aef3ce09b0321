"""The slow path: one line, checked strictly and written compactly, or the reason why it is not an item.

The kernel reads the compact lines that the service writes, and leaves all others to this module: lines with spaces
between tokens, with escapes in unusual places, and bad lines. A line that is accepted here is written in the form that
the kernel reads. A bad line is reported with the path to the value at fault.

The language of lines. Every path that reads a line accepts exactly these: conversions, with or without columns for the
values; `inspect` and the samples of first blocks; merges, of items and changes that stay and of those that are dropped,
with and without `--verify`. Lines in ION become such lines first.

- A line ends at the byte 0x0A, or with the file. It is blank (space, tab and carriage return only), or one JSON object
  (RFC 8259) in UTF-8, with white space between tokens at will. `{}` holds nothing.
- No object has a name twice, whatever the spelling of its escapes is. No text has a lone surrogate. NaN, Infinity and a
  byte order mark are not JSON.
- An item is `{"Item": attributes}`. A change has Metadata and Keys, and OldImage and NewImage where its operation has
  them: see strict_changes.py.
- Attributes are an object of values. A value is an object with one member, its type: S a text; N a number as text; B
  canonical base64 as text (RFC 4648, padded); BOOL true or false; NULL true; M attributes; L an array of values; SS, NS
  and BS arrays of such texts that are not empty.
- A number is a JSON number of at most 38 significant digits from 1E-130 to 9.99…E+125, or zero, in any spelling.
- Maps and lists are nested in each other to 64 levels, twice what DynamoDB allows.
- A line is not longer, and a line of more than 1 MiB has no more commas, than two items of 400 KB can: line_limits.py.
- Beside the members named here, and inside of Metadata, there may be others: the service may add some. They are left
  out and reported. Their values are any JSON, under the rules above.

Members that may be the state of an item under another name are refused, because a change without an image is a delete:

- a name that is nearly a known one (`NewImge`, `newimage`, `Keys2`), or that has `image` in it;
- a value in which some object has the key attributes with their types, as each image has;
- where the view has old images, any unknown member beside Metadata and Keys alone: there, a delete has its old image.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from converter.errors import json_reason
from converter.kernels.value_limits import DEPTH, HIGHEST_EXPONENT, LOWEST_EXPONENT, SIGNIFICANT_DIGITS
from converter.schema.column_types import TIMESTAMP, ColumnType
from converter.schema.tags import TAGS

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
ITEM = "$.Item"
"""Where the lines of a full export have the attributes."""
METADATA = "$.Metadata"
"""Where the lines of changes say when a change was made."""
_KNOWN = ("Metadata", "Keys", "OldImage", "NewImage", "Item", "Record", "WriteTimestampMicros")
_LETTERS_A_FAULT = 4
_SHOWN = 80
_PATH_SHOWN = 240
_LONGEST_INTEGER = 32

Keys = tuple[tuple[str, str], ...]
"""Name and type tag of each key attribute."""
Member = tuple[str, str]
"""A member of a line that is not known: the path of its object, and its name."""


class LineProblem(Exception):
    """A line that is not an item: `path` to the value at fault (`$.Item.price.N`), the reason, and the value itself.

    byte: offset of the line in the inflated data file, which the caller sets.
    """

    def __init__(self, path: str, reason: str, value: str = "") -> None:
        super().__init__(path, reason, value)
        self.path = path if len(path) <= _PATH_SHOWN else f"{path[: _PATH_SHOWN // 2]}…{path[-_PATH_SHOWN // 2 :]}"
        self.reason = reason
        self.value = value
        self.byte = 0


class TimeProblem(LineProblem):
    """A value that must be of a `type`, a timestamp or a date, and is not; the line is an item."""

    type: ColumnType = TIMESTAMP


class NulProblem(LineProblem):
    """A text with the character NUL, which the options refuse; the line is an item."""


class _Duplicate(ValueError):
    """A name occurs twice in an object."""


def compact_line(line: bytes, unknown: list[Member] | None = None) -> bytes:
    """Return the item of `line` as the service would write it, with its newline; a blank line or `{}` as itself.

    Strict JSON: no name twice in an object, no NaN, no lone surrogates, valid UTF-8. Raises LineProblem.
    unknown: gets the members beside Item.
    """
    document = parse_line(line, "Item")
    if document is None:
        return b"\n"
    if not document:
        return b"{}\n"
    if "Item" not in document:
        found = ", ".join(repr(shorten(name)) for name in list(document)[:5])
        raise LineProblem("$", f"the member Item is missing; found {found}")
    others = check_unknown(document, ("Item",), "$", ())
    if unknown is not None:
        unknown += others
    item = document["Item"]
    if not isinstance(item, dict):
        raise LineProblem(ITEM, f"expected an object, got {json_type(item)}")
    checked = check_members(item, ITEM, 1)
    return json.dumps({"Item": checked}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def check_unknown(members: Mapping[str, Any], names: Collection[str], path: str, keys: Keys) -> list[Member]:
    """Return the members with other names than these. Raises LineProblem for one that is not tolerated.

    path: of the object. keys: of the export's changes; none for items.
    """
    found = []
    for name, value in members.items():
        if name in names:
            continue
        _check_text(name, path)
        near = _resembled(name)
        if name == near:
            raise LineProblem(path, f"there is a member {name!r}, which does not belong here")
        if near is not None:
            raise LineProblem(
                path,
                f"there is a member {shorten(name)!r}, which is not known and resembles {near}: refusing to guess",
            )
        where = path_step(path, name)
        _check_json(value, where, 1)
        if keys and _holds_keys(value, keys):
            raise LineProblem(
                path,
                f"there is a member {shorten(name)!r}, which is not known and holds the item's keys, as an image does",
            )
        found.append((path, name))
    return found


def _resembled(name: str) -> str | None:
    """Return the known name that this one may be a misspelling of."""
    letters = "".join(filter(str.isalnum, name.casefold()))
    if "image" in letters:
        return "an image"
    for known in _KNOWN:
        most = max(len(known) // _LETTERS_A_FAULT, 1)
        if abs(len(letters) - len(known)) <= most and _distance(letters, known.casefold()) <= most:
            return known
    return None


def _distance(one: str, other: str) -> int:
    """Return the Levenshtein distance: letters to insert, remove or change to turn one into the other."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, row[0] = row[0], i
        for k, letter2 in enumerate(other, 1):
            before, row[k] = row[k], min(row[k] + 1, row[k - 1] + 1, before + (letter != letter2))
    return row[-1]


def _check_json(value: Any, path: str, depth: int) -> None:
    """Check surrogates and depth, which the parser does not. Raises LineProblem."""
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, dict | list):
        if depth > DEPTH:
            raise LineProblem(path, f"nested deeper than {DEPTH} levels; DynamoDB allows 32")
        for name in value if isinstance(value, dict) else ():
            _check_text(name, path)
        for member in value.values() if isinstance(value, dict) else value:
            _check_json(member, path, depth + 1)


def _holds_keys(value: Any, keys: Keys) -> bool:
    """Return whether an object in the value has all key attributes with their types."""
    if isinstance(value, dict):
        typed = (value.get(name) for name, _ in keys)
        if all(isinstance(v, dict) and list(v) == [tag] for v, (_, tag) in zip(typed, keys, strict=True)):
            return True
        return any(_holds_keys(member, keys) for member in value.values())
    return isinstance(value, list) and any(_holds_keys(member, keys) for member in value)


def time_problem(compact: bytes, attribute: str, reason: str, root: str = ITEM) -> TimeProblem:
    """Return the problem with this attribute's value in an item from `compact_line`. root: as for value_path."""
    item = json.loads(compact.decode(errors="surrogateescape"))["Item"]
    ((tag, value),) = item[attribute].items()
    text = value if isinstance(value, str) else json.dumps(value)
    return TimeProblem(value_path(attribute, tag, root), reason, text)


def nul_problem(compact: bytes, attribute: str, root: str = ITEM) -> NulProblem:
    """The same for a text that holds the character NUL."""
    text = json.loads(compact.decode(errors="surrogateescape"))["Item"][attribute]["S"]
    return NulProblem(value_path(attribute, "S", root), f"it is character {text.index(chr(0)) + 1}", text)


def value_path(attribute: str, tag: str, root: str = ITEM) -> str:
    """Return the path to the value of an attribute: `$.Item.price.N`, or `$.Item["unit price"].N`.

    root: where the line has its attributes.
    """
    return f"{path_step(root, attribute)}.{tag}"


def parse_line(line: bytes, member: str) -> dict[str, Any] | None:
    """Return the line's object, by strict JSON; None for a blank line. member: an expected one. Raises LineProblem."""
    if not line.strip(b" \t\r\n"):
        return None
    document = _parse(line)
    if not isinstance(document, dict):
        raise LineProblem("$", f"expected an object with the member {member}, got {json_type(document)}")
    return document


def _parse(line: bytes) -> Any:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineProblem("$", f"invalid UTF-8 at byte {error.start} of the line") from None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_int=_read_integer)
    except _Duplicate as error:
        raise LineProblem("$", f"the name {shorten(error.args[0])!r} occurs twice in one object") from None
    except json.JSONDecodeError as error:
        raise LineProblem("$", f"not JSON: {json_reason(error)} at character {error.pos} of the line") from None
    except RecursionError:
        raise LineProblem("$", "nested too deeply for a JSON parser; DynamoDB allows 32 levels") from None
    except ValueError as error:
        raise LineProblem("$", f"not JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Duplicate(name)
            seen.add(name)
    return members


def _read_integer(text: str) -> int | float:
    """Return an integer, or a float if it has more digits than any value in a line needs: int() limits them."""
    return int(text) if len(text) <= _LONGEST_INTEGER else float(text)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def check_members(members: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
    """Return typed values by name, with their numbers in plain form. depth: of maps and lists among these values.

    Raises LineProblem; path: where they are.
    """
    return {_check_text(name, path): _check_value(v, path_step(path, name), depth) for name, v in members.items()}


def _check_value(value: Any, path: str, depth: int) -> dict[str, Any]:
    """Return one typed value, with its number in plain form. Raises LineProblem."""
    if not isinstance(value, dict) or len(value) != 1:
        found = f"an object with {len(value)} members" if isinstance(value, dict) else json_type(value)
        raise LineProblem(path, f"expected an object with one type tag, got {found}")
    ((tag, content),) = value.items()
    if tag not in TAGS:
        raise LineProblem(path, f"unknown type tag {shorten(tag)!r}; the tags are {', '.join(TAGS)}")
    path = f"{path}.{tag}"
    if tag in ("M", "L") and depth > DEPTH:
        raise LineProblem(path, f"nested deeper than {DEPTH} levels; DynamoDB allows 32")
    if tag == "M":
        if not isinstance(content, dict):
            raise LineProblem(path, f"expected an object, got {json_type(content)}")
        return {tag: check_members(content, path, depth + 1)}
    if tag in ("L", "SS", "NS", "BS"):
        if not isinstance(content, list):
            raise LineProblem(path, f"expected an array, got {json_type(content)}")
        if tag == "L":
            return {tag: [_check_value(v, f"{path}[{i}]", depth + 1) for i, v in enumerate(content)]}
        if not content:
            raise LineProblem(path, "a set is never empty")
        return {tag: [_check_scalar(tag[0], v, f"{path}[{i}]") for i, v in enumerate(content)]}
    return {tag: _check_scalar(tag, content, path)}


def _check_scalar(tag: str, content: Any, path: str) -> Any:
    if tag == "BOOL":
        if not isinstance(content, bool):
            raise LineProblem(path, f"expected true or false, got {json_type(content)}")
        return content
    if tag == "NULL":
        if content is not True:
            raise LineProblem(path, f"expected true, got {'false' if content is False else json_type(content)}")
        return content
    if not isinstance(content, str):
        raise LineProblem(path, f"expected a string, got {json_type(content)}")
    if tag == "N":
        return _plain_number(content, path)
    if tag == "B":
        return _check_base64(content, path)
    return _check_text(content, path)


def _check_text(text: str, path: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise LineProblem(path, f"a lone surrogate \\u{ord(text[error.start]):04x}, which no text can hold") from None
    return text


def _check_base64(text: str, path: str) -> str:
    try:
        canonical = base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (binascii.Error, ValueError):
        canonical = False
    if not canonical:
        raise LineProblem(path, "not base64 (standard alphabet, padded)", text)
    return text


def _plain_number(text: str, path: str) -> str:
    """Return the number in plain form. The exponent is checked before zeros are written."""
    if not _NUMBER.match(text):
        raise LineProblem(path, "not a number", text)
    mantissa, _, exponent = text.lower().partition("e")
    negative = mantissa.startswith("-")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0"
    significant = digits.rstrip("0")
    if len(significant) > SIGNIFICANT_DIGITS:
        raise LineProblem(
            path, f"{len(significant)} significant digits; DynamoDB's numbers have at most {SIGNIFICANT_DIGITS}", text
        )
    # Nine digits are far outside the range already, and int() of thousands would be slow or refused.
    shift = int(exponent.lstrip("+-0")[:9] or "0") * (-1 if exponent.startswith("-") else 1)
    lowest = shift - len(fraction) + len(digits) - len(significant)
    leading = lowest + len(significant) - 1
    if not LOWEST_EXPONENT <= leading <= HIGHEST_EXPONENT:
        raise LineProblem(path, "outside of DynamoDB's range, 1E-130 to 9.99E+125", text)
    value = Decimal((int(negative), tuple(map(int, significant)), lowest))
    return format(value, "f")


def path_step(path: str, name: str) -> str:
    """The path of a member: `$.Item.price`, or `$.Item["unit price"]`."""
    if _NAME.match(name):
        return f"{path}.{name}"
    return f"{path}[{json.dumps(shorten(name))}]"


def shorten(name: str) -> str:
    """A name, or its beginning: names have up to 64 KB."""
    return name if len(name) <= _SHOWN else name[:_SHOWN] + "…"


def json_type(value: Any) -> str:
    """Return the type of a JSON value for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    for types, name in ((str, "a string"), ((int, float), "a number"), (list, "an array")):
        if isinstance(value, types):
            return name
    return "an object"
