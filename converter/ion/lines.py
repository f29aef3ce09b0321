"""Translates lines of Amazon Ion text to the DynamoDB JSON that the service writes for the same items.

Each line of Ion becomes one line of JSON, and a blank line stays blank, so lines have the same numbers in both. This is
the slow path: kernels/parse/ion_lines.py translates the lines that are spelled as the service does it.

    $ion_1_0 {Item:{id:"a1",price:12.5,tags:$dynamodb_SS::["x","y"]}}
    {"Item":{"id":{"S":"a1"},"price":{"N":"12.5"},"tags":{"SS":["x","y"]}}}

The meaning of each Ion type:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#S3DataExport.Output_Data

**The language.** A line is valid UTF-8. It is blank, or it consists of white space, the marker `$ion_1_0`, once and not
followed by a letter, digit, `_`, `$` or `:`, and then exactly one struct without annotations. White space (space, tab,
CR) and comments (`/* */`, `//`) are allowed between tokens; no token spans lines. The struct is empty, has the member
`Item`, or has the member `Record`, whose members are Metadata, Keys, OldImage and NewImage. Each of these is a struct
of values. Other members of these structs are values, which the decoder checks:

    S       a short string "…", or one or more consecutive long strings '''…'''
    N       a decimal: -? (0 | [1-9](_?[0-9])*) with a point, optionally followed by [0-9](_?[0-9])*, or an exponent
            [dD][+-]?[0-9]+, or both; then white space or one of {}[](),"'
    B       {{…}}: canonical base64, padded, with unused bits zero; white space is allowed between its characters
    BOOL    true, false
    NULL    null, null.null
    L, M    […], {…}: values separated by commas, with an optional comma after the last
    SS …    $dynamodb_SS, $dynamodb_NS or $dynamodb_BS, then :: and a list of only strings, decimals or blobs

Names of members and annotations are symbols: identifiers, or texts in single quotes. Names can also be strings. The
names in a struct are unique; the words null, true, false and nan need quotes. A text has no control characters except
tab, VT and FF. Its escapes are \\a \\b \\t \\n \\f \\r \\v \\? \\0 \\' \\" \\/ \\\\, \\xHH, \\uHHHH, \\U000HHHHH and
\\U0010HHHH; surrogates are a pair of \\u.

Everything else is rejected, even if it is Ion: ints, floats, timestamps, symbols, sexps, clobs, typed nulls, other
annotations, symbol ids, and symbol tables. VT and FF between tokens are rejected too: Amazon's reader reads `true` as
another symbol if one of them follows. The decoder checks rules that apply to both formats (the range of numbers, empty
sets, DynamoDB's depth). The time for a line is linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring

from converter.decode.strict_lines import LineProblem, path_step, shorten
from converter.export.line_limits import ITEM_BYTES, MAX_LINE_BYTES, MAX_LINE_COMMAS
from converter.ion.tokens import NotIonError, kind_at, read_name, skip
from converter.ion.values import RefusedError, ValueReader, duplicate_error

_BINARY = b"\xe0\x01\x00\xea"
"""The first bytes of binary Ion."""
_MARKER = re.compile(r"[ \t\r]*\$ion_1_0(?![A-Za-z0-9_$:])")
_BLANK = " \t\r\n"
_RECORD = ("Metadata", "Keys", "OldImage", "NewImage")
"""Members of a change, in the order of DynamoDB JSON."""
_TOO_MUCH = f"more than a DynamoDB item of {ITEM_BYTES >> 10} KB can have"


def json_line(line: bytes) -> bytes:
    """Translate one line, with its newline, to DynamoDB JSON. Raises LineProblem."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        if line.startswith(_BINARY):
            raise LineProblem("$", "binary Ion, but exports are Ion text") from None
        raise LineProblem("$", f"invalid UTF-8 at byte {error.start} of the line") from None
    if not text.strip(_BLANK):
        return b"\n"
    marker = _MARKER.match(text)
    if marker is None:
        # DynamoDB JSON is valid Ion too, with maps and texts: only the marker distinguishes them.
        raise LineProblem("$", "the line does not begin with $ion_1_0, unlike the lines of an export in ION")
    if len(text) > MAX_LINE_COMMAS and text.count(",") > MAX_LINE_COMMAS:
        raise LineProblem("$", f"more than {MAX_LINE_COMMAS:,} commas, {_TOO_MUCH}")
    try:
        json = _document(text, skip(text, marker.end())).encode()
    except NotIonError as error:
        cut = error.at >= len(text) - 1 or not text.rstrip(_BLANK).endswith("}")
        what = error.what or ("the line ends inside a value" if cut else "")
        reason = f"not Ion text{': ' if what else ''}{what} (at character {error.at} of the line)"
        raise LineProblem("$", reason) from None
    except RefusedError as refused:
        path = "$"
        for step in reversed(refused.steps):
            path = f"{path}[{step}]" if isinstance(step, int) else path_step(path, step)
        raise LineProblem(path, refused.reason) from None
    if len(json) > MAX_LINE_BYTES:
        raise LineProblem("$", f"{len(json) >> 20} MiB in DynamoDB JSON, {_TOO_MUCH}")
    return json


def _document(line: str, at: int) -> str:
    """Translate the value of a line."""
    if at >= len(line) - 1:
        raise RefusedError("expected one value in the line, got none")
    if not _is_struct(line, at):
        raise RefusedError(f"expected a struct with the member Item or Record, got {kind_at(line, at)}")
    reader = ValueReader(line)
    parts, at = _members(reader, at + 1, _read_part)
    at = skip(line, at)
    if at < len(line) - 1:
        raise RefusedError(f"expected one value in the line, got more at character {at}")
    if "Item" in parts:
        return f"{_joined(parts, ('Item',))}\n"
    if "Record" in parts:
        # In JSON, the other members of the line are members of the record.
        record = parts.pop("Record")
        others = _joined(parts, ())
        return f"{record if not parts else f'{record[:-1]},{others[1:]}'}\n"
    if parts:
        raise RefusedError(
            f"expected the member Item or Record, got {', '.join(repr(shorten(name)) for name in parts)}"
        )
    return "{}\n"


def _read_part(reader: ValueReader, name: str, at: int) -> int:
    """Translate a member of a line. The decoder decides which unknown members are allowed."""
    if name == "Item":
        return _image(reader, name, at)
    return _record(reader, at) if name == "Record" else reader.member(name, at)


def _read_record_part(reader: ValueReader, name: str, at: int) -> int:
    return _image(reader, name, at) if name in _RECORD else reader.member(name, at)


def _members(reader: ValueReader, at: int, read: Callable[[ValueReader, str, int], int]) -> tuple[dict[str, str], int]:
    """Return the JSON of the members of a struct, which was opened before the position, and the position after it."""
    parts: dict[str, str] = {}
    mark = ","
    while mark == ",":
        at = skip(reader.line, at)
        if reader.line[at] == "}":
            return parts, at + 1
        name, at = read_name(reader.line, at)
        if name in parts:
            raise duplicate_error(name)
        at = read(reader, name, at)
        parts[name] = "".join(reader.json)
        reader.json.clear()
        at, mark = reader.end(at, "}")
    return parts, at


def _joined(parts: Mapping[str, str], first: Sequence[str]) -> str:
    """Return the members as an object, in the order of `first` and then as given."""
    names = [name for name in first if name in parts] + [name for name in parts if name not in first]
    return f"{{{','.join(f'{encode_basestring(name)}:{parts[name]}' for name in names)}}}"


def _record(reader: ValueReader, at: int) -> int:
    """Translate a change, with its members in the order of DynamoDB JSON."""
    try:
        parts, at = _members(reader, _begin_struct(reader.line, at), _read_record_part)
        if not parts.keys() & set(_RECORD):
            raise RefusedError(f"a change without members; expected are {', '.join(_RECORD)}")
    except RefusedError as refused:
        refused.steps.append("Record")
        raise
    reader.json.append(_joined(parts, _RECORD))
    return at


def _image(reader: ValueReader, name: str, at: int) -> int:
    """Translate the attributes of an item, or of an image of a change."""
    try:
        return reader.attributes(_begin_struct(reader.line, at))
    except RefusedError as refused:
        refused.steps.append(name)
        raise


def _begin_struct(line: str, at: int) -> int:
    """Return the position after the opening brace of a struct."""
    at = skip(line, at)
    if not _is_struct(line, at):
        raise RefusedError(f"expected a struct, got {kind_at(line, at)}")
    return at + 1


def _is_struct(line: str, at: int) -> bool:
    return line[at] == "{" and line[at + 1] != "{"
