"""Records and intents that anyone may have written: whatever is in them ends in a clear error, or does no harm."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest

from converter import ConvertOptions, clean, convert, merge, recipe, scan
from converter.errors import ConvertError
from converter.options import Consumer
from converter.publishing.record import Record
from converter.storage.intent import Intent, PendingPart, Removal
from converter.storage.local import LocalDestination
from converter.storage.object_lease import Holder
from converter.storage.paths import INTENT
from converter.testing import ExportFacts, write_export
from tests.end_to_end.test_merge import base, change, increment
from tests.examples import ALL

BREAKS = ("\n", "\r", "\x85", "\u2028")
EVIL = "DROP TABLE customers"
TEXTS = (
    *(f"{ahead}{line_break}{EVIL}; --" for line_break in BREAKS for ahead in ("", "2023-11-27", "Asia/Tokyo")),
    f"arn:aws\n{EVIL};:dynamodb:eu-west-1:1:table/x",
    "../../etc",
    "/etc/passwd",
    "a\0b",
    "\ud800",
    "intent",
    "{",
    "{date:%Y}",
    "{date.__class__}",
    "dt={date}'; --",
    "decimal128(38, 39)",
    "decimal128(38, 5)\n",
    "int",
    "2023-02-30",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "x" * 100_000,
    "",
)
VALUES: tuple[object, ...] = (
    *TEXTS,
    None,
    True,
    0,
    -1,
    1.5,
    2**62,
    2**63,
    10**400,
    float("nan"),
    float("inf"),
    [],
    {},
    [None],
    ["a", "a"],
    {"a": "b"},
    [[]],
)
# Of each list and mapping, as many members are changed.
MOST = 2


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value[:MOST])
    for name, member in inner:
        yield (*path, name)
        yield from places(member, (*path, name))


def mutations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with each of its members missing, and with other values for each."""
    text = json.dumps(document)
    for path in places(document):
        for value in (..., *VALUES):
            changed: dict[str, Any] = json.loads(text)
            inner: Any = changed
            for name in path[:-1]:
                inner = inner[name]
            if value is ...:
                del inner[path[-1]]
            elif inner[path[-1]] == value:
                continue
            else:
                inner[path[-1]] = value
            yield changed


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def is_refused(act: Callable[[], object]) -> bool:
    """Does it end with an error of ours, which says where? Whatever else is raised fails the test."""
    try:
        act()
    except ConvertError as error:
        return error.exit_code in (2, 3, 4, 5)
    return False


class Published:
    """A destination with one record in both formats, and one that a merge made; the newer exports to go on with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        items: list[dict[str, object]] = [
            {"id": "a", "n": 1, "price": {"N": "1.50"}, "b": b"\0", "f": True, "m": {"M": {"x": {"N": "1"}}}},
            {"id": "b", "x": {"NULL": True}},
        ]
        export = write_export(folder / "export", items, facts=ExportFacts(table="Orders"))
        later = ExportFacts(table="Orders", export_time=datetime(2024, 6, 1, tzinfo=UTC))
        self.next = write_export(folder / "next", items, facts=later).folder
        self.options = ConvertOptions(format="csv,parquet", names="snake", key=("id",), workers=1)
        self.items = folder / "items"
        convert(export.folder, self.items, self.options)
        full = base(folder / "b", [{"id": "a", "v": "1"}])
        first = increment(folder / "b", 0, 1, change("a", None, {"v": "2"}))
        self.second = increment(folder / "b", 1, 30, change("c", None, {"v": "3"}))
        self.snapshot = folder / "snapshot"
        merge(full, [first], self.snapshot, ConvertOptions(workers=1))

    def use_items(self) -> None:
        """All that reads the record of the items, and what it says goes into."""
        for consumer in get_args(Consumer):
            is_refused(lambda consumer=consumer: check_lines(consumer, self.items))  # type: ignore[misc]
        with suppress(pl.exceptions.PolarsError):
            # It looks into the parts, which may have other columns than the record says.
            is_refused(lambda: scan(self.items).collect_schema())
        is_refused(lambda: convert(self.next, self.items, replace(self.options, dry_run=True)))

    def use_snapshot(self) -> None:
        """All that reads the record of a snapshot."""
        out = self.folder / "out"
        is_refused(lambda: merge(self.snapshot, [self.second], out, ConvertOptions(workers=1)))
        shutil.rmtree(out, ignore_errors=True)


def check_lines(consumer: Consumer, dest: Path) -> None:
    """No file of the recipe has a line that begins with somebody else's words."""
    for text in recipe(consumer, dest, location="s3://lake/x").files.values():
        evil = [line for line in text.splitlines() if line.strip().startswith(EVIL)]
        assert not evil, consumer


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return Published(tmp_path_factory.mktemp("published"))


def thinned(found: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """A part of them, each time the same; all of them with EXAMPLES=all."""
    return found if ALL else found[:: max(1, len(found) // most)]


def record_file(dest: Path) -> Path:
    [path] = [path for path in (dest / "_exports").glob("*.json") if path.name != "intent.json"]
    return path


@pytest.mark.parametrize("name", ["items", "snapshot"])
def test_a_record_that_somebody_else_wrote_is_refused_or_harmless(name: str, published: Published) -> None:
    dest: Path = getattr(published, name)
    path = record_file(dest)
    written = path.read_bytes()
    taken = []
    refused = 0
    for changed in mutations(json.loads(written)):
        if is_refused(lambda changed=changed: Record.from_json(as_json(changed), str(path))):  # type: ignore[misc]
            refused += 1
        else:
            taken.append(changed)
    assert refused > 1000
    try:
        for changed in thinned(taken, 60):
            path.write_bytes(as_json(changed))
            getattr(published, f"use_{name}")()
    finally:
        path.write_bytes(written)


def intent() -> dict[str, Any]:
    folders = ("csv/dt=1/e", "dt=1/e")
    parts = tuple(PendingPart(f"{n}.csv", 3, "ab" * 32, f"{n}.csv.pending", n) for n in range(2))
    whole = Intent("e", ".run-e-1", folders, "{}", parts, (Removal("e", "dt=0/e"), Removal("z", "dt=9/z")))
    document: dict[str, Any] = json.loads(whole.to_json())
    return document


def test_an_intent_that_somebody_else_wrote_changes_nothing_outside_and_ends_in_an_error_or_is_done(
    tmp_path: Path,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"mine")
    refused = done = 0
    for number, changed in enumerate(thinned(list(mutations(intent())), 400)):
        dest = tmp_path / f"dest{number}"
        for folder in range(2):
            parts = dest / "_exports" / ".run-e-1" / ("parts-1" if folder else "parts")
            parts.mkdir(parents=True)
            (parts / f"{folder}.csv.pending").write_bytes(b"new")
        (dest / INTENT).write_bytes(as_json(changed))

        def finish(dest: Path = dest) -> None:
            with LocalDestination(str(dest)).lease():
                pass

        is_refused(lambda dest=dest: clean(dest, dry_run=True))  # type: ignore[misc]
        if is_refused(finish):
            refused += 1
        else:
            done += 1
        assert (outside / "precious").read_bytes() == b"mine"
        assert [path.name for path in tmp_path.iterdir() if path.name not in (dest.name, "outside")] == []
        shutil.rmtree(dest)
    assert refused > 100
    assert done > 0


def test_a_lease_that_somebody_else_wrote_is_refused_or_harmless() -> None:
    holder = Holder("t", 1, "host", "2024-01-01T00:00:00Z", "machine", "1", 3, ("dt=1/e",))
    refused = 0
    for changed in mutations(json.loads(holder.to_json())):
        read: list[Holder] = []
        refused += is_refused(
            lambda changed=changed, read=read: read.append(Holder.from_json(as_json(changed), "lease"))  # type: ignore[misc]
        )
        for found in read:
            assert len(str(found).splitlines()) == 1
            assert not found.is_dead()
            assert all(folder and ".." not in folder for folder in found.folders)
    assert refused > 50


@pytest.mark.parametrize("who", [b"[" * 4096, b"{}", b"[]", b'"a"', b'{"process": 1, "host": "a\\nb", "since": "x"}'])
def test_a_lock_that_somebody_else_wrote_is_one_line(who: bytes, tmp_path: Path) -> None:
    (tmp_path / "_exports").mkdir()
    (tmp_path / "_exports" / "lease").write_bytes(who)
    [left] = LocalDestination(str(tmp_path)).leftovers()
    assert left.detail == "a process that has just started"


def test_each_kind_of_value_is_among_the_mutations() -> None:
    kinds = {type(value) for value in itertools.chain(VALUES, [...])}
    assert {str, type(None), bool, int, float, list, dict} <= kinds
