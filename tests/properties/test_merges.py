"""Histories of tables, cut into exports and merged: what comes out is the table at the end."""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from converter import ConvertOptions, Report, convert, merge
from converter.option_values import Format
from converter.testing import ExportFacts, ExportPaths, WindowFacts, write_export, write_incremental_export
from tests import oracle, strategies
from tests.examples import examples
from tests.properties.test_changes import VIEWS, spell

BEGIN = datetime(2026, 11, 27, tzinfo=UTC)
HOURS = 24
Item = dict[str, Any]


@dataclass(frozen=True)
class Write:
    """One write: when (microseconds after BEGIN), of which item, and what it is then, None when it is deleted."""

    micros: int
    key: str
    item: Item | None


@dataclass(frozen=True)
class History:
    """All writes to a table, in their order. tags: of the key attributes. second: by the first key, the other one."""

    writes: tuple[Write, ...]
    second: dict[str, Item]

    def at(self, micros: int) -> dict[str, Item]:
        """The table at a moment, without what is written then."""
        table: dict[str, Item] = {}
        for write in self.writes:
            if write.micros < micros:
                table.pop(write.key, None)
                if write.item is not None:
                    table[write.key] = write.item
        return table

    def changes(self, begin: int, end: int, view: str, chance: random.Random) -> list[bytes]:
        """The lines of an increment of a window: one for each item that is there before or after it."""
        before, after = self.at(begin), self.at(end)
        last = {write.key: write.micros for write in self.writes if begin <= write.micros < end}
        lines = []
        for key, micros in last.items():
            old, new = before.get(key), after.get(key)
            if old is None and new is None:
                continue
            written = int(BEGIN.timestamp()) * 1_000_000 + micros
            record: Item = {"Metadata": {"WriteTimestampMicros": {"N": str(written)}}, "Keys": self.keys(key)}
            if old is not None and view == VIEWS[1]:
                record["OldImage"] = old
            if new is not None:
                record["NewImage"] = new
            lines.append(spell(record, chance))
        return chance.sample(lines, len(lines))

    def keys(self, key: str) -> Item:
        """The key attributes of an item."""
        return {"id": {"S": key}, **self.second[key]}


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Tables of a few items that are written again and again."""
    items = draw(strategies.item_lists(mixed=draw(st.booleans()), max_items=12))
    pool = draw(
        st.lists(st.one_of(st.text("abc", min_size=1), strategies.texts()), min_size=1, max_size=8, unique=True)
    )
    tag = draw(st.sampled_from(["", "S", "N", "B"]))
    second = {key: {"rank": draw(strategies.scalars(tag))} if tag else {} for key in pool}
    moments = draw(
        st.lists(st.integers(0, HOURS * 3_600_000_000 - 1), min_size=len(items), max_size=len(items), unique=True)
    )
    writes = []
    for micros, item in zip(sorted(moments), items, strict=True):
        key = draw(st.sampled_from(pool))
        kept = draw(st.integers(0, 3)) > 0
        writes.append(Write(micros, key, {**item, "id": {"S": key}, **second[key]} if kept else None))
    return History(tuple(writes), second)


def in_hours(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def write_base(bucket: Path, history: History, hour: int, chance: random.Random) -> ExportPaths:
    lines = [spell_item(item, chance) for item in history.at(hour * 3_600_000_000).values()]
    facts = ExportFacts(export_time=in_hours(hour))
    return write_export(bucket, lines, files=chance.randint(1, 3), facts=facts)


def spell_item(item: Item, chance: random.Random) -> bytes:
    """An item's line as the service writes it, or as other tools do."""
    members = dict(chance.sample(list(item.items()), len(item)))
    if chance.random() < 0.7:
        return json.dumps({"Item": members}, ensure_ascii=False, separators=(",", ":")).encode()
    return json.dumps({"Item": members}, ensure_ascii=chance.random() < 0.5).encode()


def write_window(bucket: Path, history: History, begin: int, end: int, view: str, chance: random.Random) -> str:
    lines = history.changes(begin * 3_600_000_000, end * 3_600_000_000, view, chance)
    facts = WindowFacts(from_time=in_hours(begin), to_time=in_hours(end), view=view, seed=chance.randrange(1000))
    return str(write_incremental_export(bucket, lines, files=chance.randint(1, 2), facts=facts).folder)


@settings(max_examples=examples(40))
@given(histories(), st.sampled_from(["parquet", "csv"]), st.integers(0, 2**32 - 1))
def test_a_base_and_the_increments_after_it_give_the_table_at_the_end(
    history: History, format: Format, seed: int
) -> None:
    chance = random.Random(seed)
    hours = sorted(chance.sample(range(HOURS + 1), chance.randint(2, 6)))
    with tempfile.TemporaryDirectory() as folder:
        base = write_base(Path(folder, "base"), history, hours[0], chance)
        increments = []
        for begin, end in pairwise(hours):
            increments.append(write_window(Path(folder, str(begin)), history, begin, end, chance.choice(VIEWS), chance))
            if end - begin > 1 and chance.random() < 0.3:
                first, last = sorted(chance.sample(range(begin, end + 1), 2))
                increments.append(write_window(Path(folder, "n"), history, first, last, chance.choice(VIEWS), chance))
            if chance.random() < 0.3:
                increments.append(increments[-1])
        chance.shuffle(increments)
        options = ConvertOptions(format=format, workers=2)
        report = merge(base.folder, increments, Path(folder, "out"), options)
        items = list(history.at(hours[-1] * 3_600_000_000).values())
        assert (report.items, report.kind) == (len(items), "snapshot")
        assert report.merge is not None
        assert report.merge.chain.through == in_hours(hours[-1])
        if items:
            parts = [Path(folder, "out", part.path) for part in report.parts]
            oracle.assert_equal_to_table(oracle.expected_table_of(items), parts, format, key="id")
        assert merge(base.folder, increments, Path(folder, "out"), options).status == "unchanged"


@settings(max_examples=examples(40))
@given(histories(), st.integers(0, 2**32 - 1))
def test_a_snapshot_and_the_increments_after_it_give_the_table_at_the_end(history: History, seed: int) -> None:
    chance = random.Random(seed)
    hours = sorted(chance.sample(range(HOURS + 1), chance.randint(3, 6)))
    with tempfile.TemporaryDirectory() as folder:
        full = write_base(Path(folder, "base"), history, hours[0], chance)
        increments = [
            write_window(Path(folder, str(begin)), history, begin, end, chance.choice(VIEWS), chance)
            for begin, end in pairwise(hours)
        ]
        # Widths may change on the way, and CSV shows values whatever the types of their columns.
        options = ConvertOptions(workers=2, evolve=True, replace=True)
        both = ConvertOptions(format="csv,parquet", workers=2, evolve=True, replace=True)
        at_once = merge(full.folder, increments, Path(folder, "at once"), ConvertOptions(format="csv"))
        base: Path = full.folder
        if chance.random() < 0.3:
            base = Path(folder, "items")
            convert(full.folder, base)
        cut = chance.randint(1, len(increments) - 1)
        step = Path(folder, "steps") if chance.random() < 0.5 else Path(folder, "step")
        merge(base, increments[:cut], step, options)
        last = Path(folder, "steps")
        report = merge(step, increments[chance.randint(0, cut) :], last, both)
        assert report.items == at_once.items
        expected = cells(Path(folder, "at once"), at_once)
        assert cells(last, report) == expected
        merge(last, increments, last, both)
        assert merge(last, increments, last, both).status == "unchanged"


def cells(dest: Path, report: Report) -> list[dict[str | None, str]]:
    """The rows of CSV parts in the order of their keys: what is not null, by attribute."""
    attributes = [column.attribute for column in report.columns]
    parts = [dest / part.path for part in report.parts if part.format == "csv"]
    _, rows = oracle.read_csv_rows(parts) if parts else ((), [])
    found = [{name: cell for name, cell in zip(attributes, row, strict=True) if cell is not None} for row in rows]
    return sorted(found, key=lambda row: str(row["id"]))
