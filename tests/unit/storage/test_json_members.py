"""Members of JSON files: each is read with its type, and an error names the file and the member."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from converter.errors import StorageError, UsageError
from converter.storage.json_members import Members, read_members

PLACE = "dest/_exports/x.json"


def members(**values: object) -> Members:
    return read_members(json.dumps({"version": 1, **values}).encode(), PLACE, 1)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"1", b"{}", b'{"version": "1"}', b'{"version": NaN}', b"\xff", b"[" * 100_000]
)
def test_a_file_that_is_not_an_object_with_a_version_is_damaged(content: bytes) -> None:
    with pytest.raises(StorageError, match="the file is damaged") as damaged:
        read_members(content, PLACE, 1)
    assert damaged.value.where == PLACE


def test_a_file_of_a_newer_version_asks_for_a_newer_program() -> None:
    assert read_members(b'{"version": 2}', PLACE, 2).count("version") == 2
    with pytest.raises(UsageError, match="it has version 3, and this program reads versions up to 2"):
        read_members(b'{"version": 3}', PLACE, 2)


READ: dict[str, Callable[[Members], object]] = {
    "text": lambda m: m.text("x"),
    "utf8_text": lambda m: m.utf8_text("x"),
    "matching": lambda m: m.matching("x", re.compile("a+"), "some a"),
    "sha256": lambda m: m.sha256("x"),
    "text_or_none": lambda m: m.text_or_none("x"),
    "count": lambda m: m.count("x"),
    "number": lambda m: m.number("x"),
    "flag": lambda m: m.flag("x"),
    "time": lambda m: m.time("x"),
    "texts": lambda m: m.texts("x"),
    "integers": lambda m: m.integers("x"),
    "lists": lambda m: m.lists("x"),
    "counts": lambda m: m.counts("x"),
    "inner": lambda m: m.inner("x").values(),
    "inners": lambda m: [inner.values() for inner in m.inners("x")],
}


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("text", "é", "é"),
        ("utf8_text", "é", "é"),
        ("matching", "aa", "aa"),
        ("sha256", "0f" * 32, "0f" * 32),
        ("text_or_none", None, None),
        ("text_or_none", "", ""),
        ("count", 0, 0),
        ("count", 2**63 - 1, 2**63 - 1),
        ("number", 1.5, 1.5),
        ("number", 2, 2.0),
        ("flag", False, False),
        ("time", "2026-11-27T00:00:00Z", datetime(2026, 11, 27, tzinfo=UTC)),
        ("texts", ["a", ""], ("a", "")),
        ("integers", [1, -2], [1, -2]),
        ("lists", [[1], []], ([1], [])),
        ("counts", {"a": 1}, {"a": 1}),
        ("inner", {"a": [1]}, {"a": [1]}),
        ("inners", [{"a": 1}, {}], [{"a": 1}, {}]),
    ],
)
def test_a_member_is_read_as_its_type(kind: str, value: object, read: object) -> None:
    assert READ[kind](members(x=value)) == read


@pytest.mark.parametrize(
    ("kind", "value", "path"),
    [
        ("text", 1, "$.x"),
        ("text", None, "$.x"),
        ("utf8_text", "\ud800", "$.x"),
        ("matching", "ab", "$.x"),
        ("matching", "a\n", "$.x"),
        ("sha256", "0F" * 32, "$.x"),
        ("text_or_none", 1, "$.x"),
        ("count", -1, "$.x"),
        ("count", 1.0, "$.x"),
        ("count", True, "$.x"),
        ("count", 2**63, "$.x"),
        ("number", True, "$.x"),
        ("number", -0.5, "$.x"),
        ("flag", 0, "$.x"),
        ("time", "2026-11-27T00:00:00", "$.x"),
        ("time", "27.11.2026", "$.x"),
        ("time", "0001-01-01T00:00:00+23:00", "$.x"),
        ("texts", "a", "$.x"),
        ("texts", ["a", 1], "$.x[1]"),
        ("integers", [1, True], "$.x"),
        ("lists", [[], {}], "$.x[1]"),
        ("counts", {"a": "1"}, "$.x.a"),
        ("inner", [], "$.x"),
        ("inners", [{}, 1], "$.x[1]"),
    ],
)
def test_a_member_of_another_type_is_an_error_with_its_path(kind: str, value: object, path: str) -> None:
    with pytest.raises(StorageError, match=re.escape(f"the file is damaged: {path}: ")) as damaged:
        READ[kind](members(x=value))
    assert damaged.value.where == PLACE
    assert len(damaged.value.what) < 400


@pytest.mark.parametrize("kind", READ)
def test_a_missing_member_is_an_error(kind: str) -> None:
    with pytest.raises(StorageError, match=r"\$\.x: missing"):
        READ[kind](members())


def test_values_are_those_of_the_file() -> None:
    assert members(b=1).values() == {"version": 1, "b": 1}
    assert members(b=1).has("b")
    assert not members(b=1).has("c")
