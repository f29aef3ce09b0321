"""Compares what the program makes of lines of Ion with the oracle, and with Amazon's reader."""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal
from typing import Any

from tests import oracle, strategies
from tests.ion_translation import json_lines
from tests.oracle_changes import read_change_lines
from tests.oracle_input import plain_number
from tests.oracle_ion import read_ion_change_lines, read_ion_lines

try:
    from amazon.ion import simpleion
    from amazon.ion.core import IonType
except ImportError:  # there is no wheel for this Python
    simpleion = None


def compare_items(lines: bytes) -> bool:
    """Whether the lines are accepted; fails if we and the oracle differ on that, or on their content."""
    found, problem = json_lines(lines)
    try:
        # The decoder checks the rules for values of both formats, and here the oracle for JSON does.
        ours = None if problem else list(oracle.read_lines(found))
    except oracle.BadLineError:
        ours = None
    try:
        theirs = list(read_ion_lines(lines))
    except oracle.BadLineError:
        theirs = None
    assert ours == theirs, f"{lines!r}: {problem!r}"
    # Amazon's reader does not see the end of /***/.
    if simpleion and ours is not None and b"**/" not in lines:
        assert [item for line in lines.split(b"\n") for item in read_by_amazon(line)] == ours, lines
    return ours is not None


def compare_changes(line: bytes, view: str) -> bool:
    """The same for the line of a change."""
    found, problem = json_lines(line)
    try:
        ours = None if problem else list(read_change_lines(found, view))
    except oracle.BadLineError:
        ours = None
    try:
        theirs = list(read_ion_change_lines(line, view))
    except oracle.BadLineError:
        theirs = None
    assert ours == theirs, f"{line!r}: {problem!r}"
    return ours is not None


def read_by_amazon(line: bytes) -> list[strategies.Item]:
    """The items that amazon.ion finds in a line that has been accepted: other lines may keep it busy for hours."""
    found = simpleion.loads(line, single_value=False, text_buffer_size_limit=len(line) + 4096)
    return [{name: typed(value) for name, value in document["Item"].items()} for document in found if document]


def typed(value: Any) -> dict[str, Any]:
    """A value of amazon.ion's with its tag."""
    if value.ion_annotations:
        tag = value.ion_annotations[0].text[-2:]
        return {tag: [next(iter(typed(element).values())) for element in value]}
    match value.ion_type:
        case IonType.NULL:
            return {"NULL": True}
        case IonType.BOOL:
            return {"BOOL": bool(value)}
        case IonType.STRING:
            return {"S": str(value)}
        case IonType.DECIMAL:
            return {"N": plain_number(str(Decimal(value)))}
        case IonType.BLOB:
            return {"B": b64encode(value).decode()}
        case IonType.LIST:
            return {"L": [typed(element) for element in value]}
    return {"M": {name: typed(member) for name, member in value.items()}}
