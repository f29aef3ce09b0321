"""Lines of Amazon Ion text become the lines of DynamoDB JSON that the service would have written for the same items.

One line of Ion becomes one line of JSON, a blank one a blank one: so a place in the JSON is a place in the data file.

    $ion_1_0 {Item:{id:"a1",price:12.5,tags:$dynamodb_SS::["x","y"]}}
    {"Item":{"id":{"S":"a1"},"price":{"N":"12.5"},"tags":{"SS":["x","y"]}}}

What each Ion type stands for:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html#S3DataExport.Output_Data
What the service never writes is refused: other types, typed nulls, other annotations, a name twice in a struct. What
is true of a value in both forms (the range of numbers, sets without elements, depth) is left to the decoder.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from decimal import Decimal
from io import BytesIO
from json.encoder import encode_basestring
from typing import Any

from amazon.ion import simpleion
from amazon.ion.core import IonType
from amazon.ion.exceptions import IonException
from amazon.ion.simple_types import IonPyDict, IonPyList, IonPyNull

from converter.decode.lines import LineProblem, path_step, shorten

_BINARY = b"\xe0\x01\x00\xea"
"""What binary Ion begins with."""

# Structs as plain dicts are read twice as fast, but keep the last of several values of a name without a word.
_PLAIN = simpleion.IonPyValueModel.MAY_BE_BARE | simpleion.IonPyValueModel.STRUCT_AS_STD_DICT
_EXACT = simpleion.IonPyValueModel.MAY_BE_BARE
_LEAST_LIMIT = 1 << 12

# What can hold anything: texts, quoted symbols, comments and blobs, each from where it really begins.
_OPAQUE = re.compile(
    rb"'''(?:\\.|(?!''')[^\\])*'''"
    rb'|"[^"\\]*(?:\\.[^"\\]*)*"'
    rb"|'[^'\\]*(?:\\.[^'\\]*)*'"
    rb"|/\*.*?\*/|\{\{[A-Za-z0-9+/=\s]*\}\}|//[^\n]*",
    re.DOTALL,
)
_SYMBOL_ID = re.compile(rb"(?<![\w$])\$[0-9]+(?![\w$])")
_MARKER = re.compile(rb"\s*\$ion_1_0(?![\w$:])")
_BEGINNING = re.compile(rb"^ ?\$ion_1_0 \{", re.MULTILINE)
_RECORD = ("Metadata", "Keys", "OldImage", "NewImage")
"""The members of a change, in the order that the service writes them in JSON."""
_SETS = {"$dynamodb_SS": ("SS", str), "$dynamodb_NS": ("NS", Decimal), "$dynamodb_BS": ("BS", bytes)}
# Far outside of DynamoDB's range: left in scientific form, for the decoder to refuse.
_LONGEST_PLAIN = 400


class _Refused(Exception):
    """A value that the service does not write. steps: the names and positions that lead to it, the last one first."""

    def __init__(self, reason: str, value: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value
        self.steps: list[str | int] = []


def json_lines(lines: bytes) -> tuple[bytes, LineProblem | None]:
    """The lines as DynamoDB JSON, and what is wrong with the first bad one; what comes behind that one is left out.

    lines: whole lines, each with its newline.
    """
    json = _all_at_once(lines)
    if json is not None:
        return json, None
    translated = []
    for line in lines.split(b"\n")[:-1]:
        try:
            translated.append(_json_line(line))
        except LineProblem as problem:
            return b"".join(translated), problem
    return b"".join(translated), None


def _all_at_once(lines: bytes) -> bytes | None:
    """All lines in one go, which takes two thirds of the time; None unless each for itself gives the same for sure.

    Without what can hold anything, which must not go from one line to the next, the places where a value begins and
    where a struct has a name can be counted. As many values as lines that begin with one are one value a line. As many
    names read as there are colons: no name was there twice.
    """
    if b"\0" in lines or not _is_utf8(lines):
        return None
    bare = _OPAQUE.sub(b" ", lines)
    count = lines.count(b"\n")
    if bare.count(b"\n") != count or len(_BEGINNING.findall(lines)) != count or _SYMBOL_ID.search(bare):
        return None
    try:
        documents = _read(lines, _PLAIN)
        if len(documents) != count:
            return None
        writer = _Writer()
        json = [writer.line(document) for document in documents]
    except (IonException, LineProblem):
        return None
    if writer.names != bare.count(b":") - 2 * bare.count(b"::"):
        return None
    return "".join(json).encode()


def _json_line(line: bytes) -> bytes:
    """One line, without its newline; raises LineProblem."""
    if not line.strip():
        return b"\n"
    if line.startswith(_BINARY):
        raise LineProblem("$", "binary Ion, and exports are Ion text")
    if not _MARKER.match(line):
        # DynamoDB JSON is Ion too, of maps and texts: nothing but the marker tells one from the other.
        raise LineProblem("$", "the line does not begin with $ion_1_0, as each line of an export in ION does")
    if b"\0" in line:
        # The library passes over it.
        raise LineProblem("$", f"not Ion text: byte {line.index(0)} of the line is NUL")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise LineProblem("$", f"invalid UTF-8 at byte {error.start} of the line") from None
    symbol = _SYMBOL_ID.search(_OPAQUE.sub(b" ", line))
    if symbol:
        # The library looks for the symbol of a large number for hours.
        raise LineProblem("$", f"the symbol {symbol[0].decode()}, and there is no table that symbols are numbered in")
    try:
        documents = _read(line, _PLAIN)
        exact = _read(line, _EXACT)
    except IonException as error:
        raise LineProblem("$", _why_not_ion(line, error)) from None
    if len(documents) != 1:
        raise LineProblem("$", f"expected one value in the line, got {len(documents) or 'none'}")
    _check_unique(exact[0], "$")
    return _Writer().line(documents[0]).encode()


def _read(text: bytes, model: simpleion.IonPyValueModel) -> list[Any]:
    # By default, a text of more than 4 KiB is an error.
    limit = max(len(text), _LEAST_LIMIT)
    return list(simpleion.load(BytesIO(text), single_value=False, text_buffer_size_limit=limit, value_model=model))


def _is_utf8(text: bytes) -> bool:
    """The library must not see what is not: a name that is no UTF-8 ends its process."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _why_not_ion(line: bytes, error: IonException) -> str:
    bare = _OPAQUE.sub(b" ", line)
    cut = any(bare.count(a) > bare.count(b) for a, b in ((b"{", b"}"), (b"[", b"]")))
    return f"not Ion text{': the line ends inside a value' if cut else ''} ({str(error).strip()})"


def _check_unique(value: Any, path: str) -> None:
    """Raise LineProblem for a struct that has a name twice."""
    if isinstance(value, IonPyDict):
        for name in value:
            if len(value.get_all_values(name)) > 1:
                raise LineProblem(path, f"the name {shorten(str(name))!r} occurs twice in one struct")
            _check_unique(value[name], path_step(path, str(name)))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            _check_unique(element, f"{path}[{index}]")


class _Writer:
    """Writes values as DynamoDB JSON. names: so many names of structs it has written."""

    def __init__(self) -> None:
        self.names = 0
        self._of_type: dict[type, Callable[[Any], str]] = {
            str: _text,
            Decimal: _number,
            bool: _bool,
            type(None): _null,
            bytes: _binary,
            dict: self._map,
            list: self._list,
        }

    def line(self, document: Any) -> str:
        """A line with its newline, of an item or a change; raises LineProblem."""
        try:
            return f"{self._document(document)}\n"
        except _Refused as refused:
            path = "$"
            for step in reversed(refused.steps):
                path = f"{path}[{step}]" if isinstance(step, int) else path_step(path, step)
            raise LineProblem(path, refused.reason, refused.value) from None
        except RecursionError:
            raise LineProblem("$", "nested too deep: DynamoDB allows 32 levels") from None

    def _document(self, document: Any) -> str:
        if type(document) is not dict:
            raise _Refused(f"expected a struct with the member Item or Record, got {_kind(document)}")
        if not document:
            return "{}"
        self.names += len(document)
        if document.keys() == {"Item"}:
            return f'{{"Item":{self._part(document, "Item")}}}'
        if document.keys() == {"Record"}:
            record = document["Record"]
            try:
                return self._record(record)
            except _Refused as refused:
                refused.steps.append("Record")
                raise
        found = ", ".join(repr(shorten(str(name))) for name in list(document)[:5])
        raise _Refused(f"expected the member Item or Record alone, got {found}")

    def _record(self, record: Any) -> str:
        if type(record) is not dict:
            raise _Refused(f"expected a struct, got {_kind(record)}")
        self.names += len(record)
        for name in record:
            if name not in _RECORD:
                raise _Refused(f"there is a member {shorten(str(name))!r}; expected are {', '.join(_RECORD)}")
        members = ",".join(f'"{name}":{self._part(record, name)}' for name in _RECORD if name in record)
        return f"{{{members}}}"

    def _part(self, parent: dict[Any, Any], name: str) -> str:
        """The attributes that a member holds."""
        try:
            if type(parent[name]) is not dict:
                raise _Refused(f"expected a struct, got {_kind(parent[name])}")
            return self._attributes(parent[name])
        except _Refused as refused:
            refused.steps.append(name)
            raise

    def _attributes(self, struct: dict[Any, Any]) -> str:
        self.names += len(struct)
        written = []
        for name, value in struct.items():
            try:
                written.append(f"{encode_basestring(name)}:{self._value(value)}")
            except _Refused as refused:
                refused.steps.append(name)
                raise
        members = ",".join(written)
        return f"{{{members}}}"

    def _value(self, value: Any) -> str:
        write = self._of_type.get(type(value))
        return write(value) if write is not None else self._set(value)

    def _map(self, struct: dict[Any, Any]) -> str:
        return f'{{"M":{self._attributes(struct)}}}'

    def _list(self, elements: list[Any]) -> str:
        return f'{{"L":[{",".join(self._elements(elements, self._value))}]}}'

    def _set(self, value: Any) -> str:
        """A list with the annotation of a set; no other value has one."""
        annotations = _annotations(value)
        if len(annotations) != 1 or annotations[0] not in _SETS or not _is_list(value):
            raise _Refused(f"{_kind(value)}, which exports never have")
        tag, kind = _SETS[annotations[0]]
        write = self._of_type[kind]

        def element(one: Any) -> str:
            if type(one) is not kind:
                raise _Refused(f"expected {_kind(kind())} in a set {tag}, got {_kind(one)}")
            # {"S":"x"} without the tag
            return write(one)[5:-1]

        return f'{{"{tag}":[{",".join(self._elements(value, element))}]}}'

    def _elements(self, elements: Sequence[Any], write: Callable[[Any], str]) -> list[str]:
        written: list[str] = []
        try:
            for element in elements:
                written.append(write(element))  # noqa: PERF401 - its length is the position of what is refused
        except _Refused as refused:
            refused.steps.append(len(written))
            raise
        return written


def _text(text: str) -> str:
    return f'{{"S":{encode_basestring(text)}}}'


def _number(number: Decimal) -> str:
    """Every digit, in plain form, without zeros that mean nothing."""
    text = str(number)
    if "E" in text:
        if abs(number.adjusted()) > _LONGEST_PLAIN:
            return f'{{"N":"{text}"}}'
        text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if not number:
        text = "0"
    return f'{{"N":"{text}"}}'


def _binary(content: bytes) -> str:
    return f'{{"B":"{b64encode(content).decode()}"}}'


def _bool(value: bool) -> str:
    return '{"BOOL":true}' if value else '{"BOOL":false}'


def _null(_: None) -> str:
    return '{"NULL":true}'


def _is_list(value: Any) -> bool:
    return isinstance(value, IonPyList) and value.ion_type is IonType.LIST


def _annotations(value: Any) -> list[str]:
    return [str(annotation.text) for annotation in getattr(value, "ion_annotations", ())]


def _kind(value: Any) -> str:
    """What Ion calls the type of a value, and its annotations."""
    if value is None:
        return "null"
    told = getattr(value, "ion_type", None)
    if isinstance(value, IonPyNull):
        name = f"null.{value.ion_type.name.lower()}"
    elif told is not None:
        name = told.name.lower()
    else:
        name = next(name for kind, name in _KINDS if isinstance(value, kind))
    annotations = ", ".join(repr(shorten(text)) for text in _annotations(value))
    with_annotation = f" with the annotation {annotations}" if annotations else ""
    return f"{'an' if name == 'int' else 'a'} {name}{with_annotation}"


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "string"),
    (bytes, "blob"),
    (Decimal, "decimal"),
    (dict, "struct"),
    # A tuple in Python, and no list.
    (simpleion.SymbolToken, "symbol"),
    (list, "list"),
    (simpleion.Timestamp, "timestamp"),
)
