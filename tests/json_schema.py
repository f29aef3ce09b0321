"""Checks a value against the part of JSON Schema that the schemas of the documentation use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
_KEYWORDS = {
    *("type", "enum", "pattern", "minimum", "items", "properties", "required", "additionalProperties"),
    *("propertyNames", "anyOf", "$ref", "$defs", "$schema", "title", "description"),
}


def violations(value: object, schema: dict[str, Any]) -> list[str]:
    """Return each place where the value breaks the schema, with the rule."""
    return list(_check(value, schema, schema, "$"))


def _check(value: object, schema: dict[str, Any], root: dict[str, Any], place: str) -> Iterator[str]:
    assert schema.keys() <= _KEYWORDS, schema.keys() - _KEYWORDS
    if "$ref" in schema:
        yield from _check(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, place)
        return
    if "anyOf" in schema:
        found = [list(_check(value, each, root, place)) for each in schema["anyOf"]]
        if all(found):
            yield from min(found, key=len)
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is not one of {schema['enum']}"
    if "type" not in schema:
        return
    types = _TYPES[schema["type"]]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield f"{place}: {value!r} is not of type {schema['type']}"
        return
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{place}: {value!r} does not match {schema['pattern']}"
    if isinstance(value, int | float) and value < schema.get("minimum", value):
        yield f"{place}: {value!r} is less than {schema['minimum']}"
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _check(item, schema.get("items", {}), root, f"{place}[{number}]")
    if isinstance(value, dict):
        yield from _check_object(value, schema, root, place)


def _check_object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], place: str) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place}: {name} is missing"
    others = schema.get("additionalProperties", True)
    for name, inner in value.items():
        yield from _check(name, schema.get("propertyNames", {}), root, f"{place}.{name}")
        if name in schema.get("properties", {}):
            yield from _check(inner, schema["properties"][name], root, f"{place}.{name}")
        elif others is False:
            yield f"{place}: {name} is not described"
        elif others is not True:
            yield from _check(inner, others, root, f"{place}.{name}")
