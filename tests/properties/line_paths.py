"""Every path that reads lines, on batches of good and damaged ones: which lines each path refuses, and what it reads.

    batch = item_batch(lines)          # judged by the oracle, which knows nothing of the converter
    for name, path in ITEM_PATHS.items():
        assert path(batch) == batch.invalid, name

A path goes on after a line that it refuses, so that one call judges hundreds of lines. What it reads in the others is
compared with the oracle inside of the path; a difference is an AssertionError.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converter.decode.change_translation import ChangeLines
from converter.decode.decoder import Decoder
from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem
from converter.export.blocks import Block
from converter.merging.changed_keys import ChangedKeys
from converter.merging.changed_keys_builder import ChangedKeysBuilder
from converter.merging.merge_lines import MergeLines
from converter.merging.old_images import OldImages
from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.schema.derive import derive_schema
from converter.write.formats import open_part
from tests import oracle, oracle_changes
from tests.oracle_changes import ReadChange
from tests.oracle_merges import key_of, replay
from tests.unit.decode.decoding import everything, make_block, observe, write_batch, write_part

KEYS = (("id", "S"), ("rank", "N"))
VIEWS = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
_NAMES = [name for name, _ in KEYS]
_LATER = 10**16

Item = dict[str, Any]
Refused = list[int]
"""The numbers of lines in a batch, from 0."""


@dataclass(frozen=True)
class Batch:
    """Lines without their newlines, and what the oracle finds in each: None in a bad one, nothing in a blank one."""

    lines: tuple[bytes, ...]
    items: tuple[list[Item] | None, ...] = ()
    changes: tuple[list[ReadChange] | None, ...] = ()
    view: str = VIEWS[1]
    seed: int = 0

    @property
    def data(self) -> bytes:
        return b"".join(line + b"\n" for line in self.lines)

    @property
    def invalid(self) -> Refused:
        return [n for n, found in enumerate(self.items or self.changes) if found is None]

    @property
    def form(self) -> ChangeForm:
        return ChangeForm(KEYS, old_images=self.view == VIEWS[1])

    def all_items(self) -> list[Item]:
        return [item for found in self.items for item in found or ()]

    def all_changes(self) -> list[ReadChange]:
        return [change for found in self.changes for change in found or ()]

    def good(self) -> bytes:
        """The lines that the oracle accepts."""
        kept = zip(self.lines, self.items or self.changes, strict=True)
        return b"".join(line + b"\n" for line, found in kept if found is not None)


def item_batch(lines: Sequence[bytes], seed: int = 0) -> Batch:
    """A batch of lines of items."""
    return Batch(tuple(lines), items=tuple(_read(oracle.read_lines, line) for line in lines), seed=seed)


def change_batch(lines: Sequence[bytes], view: str, first: ReadChange, seed: int = 0) -> Batch:
    """A batch of lines of changes whose keys are as those of the first; no two are of one item and moment."""
    kept: list[bytes] = []
    found: list[list[ReadChange] | None] = []
    seen: set[tuple[str, int]] = set()
    for line in lines:
        changes = _read(lambda data: oracle_changes.read_change_lines(data, view, [first]), line)
        moments = {(key_of(change.keys, _NAMES), change.micros) for change in changes or ()}
        if not moments & seen:
            seen |= moments
            kept.append(line)
            found.append(changes)
    return Batch(tuple(kept), changes=tuple(found), view=view, seed=seed)


def _read(read: Callable[[bytes], Iterator[Any]], line: bytes) -> list[Any] | None:
    try:
        return list(read(line))
    except oracle.BadLineError:
        return None


def refusals(data: bytes, read: Callable[[Block], None]) -> Refused:
    """The lines that are refused. After each, the rest is read as a block that begins in the same place of the file."""
    refused = []
    begin = 0
    while begin < len(data):
        try:
            read(make_block(data[begin:], begin))
            break
        except LineProblem as problem:
            byte = problem.byte
        if byte < begin or (byte and data[byte - 1 : byte] != b"\n"):
            raise AssertionError(f"byte {byte} is not where a line begins that was read")
        refused.append(data.count(b"\n", 0, byte))
        begin = data.index(b"\n", byte) + 1
    return refused


def _run(decoder: Decoder) -> Callable[[Block], None]:
    def read(block: Block) -> None:
        for _ in decoder.decode(block):
            pass

    return read


def _blanked(data: bytes, refused: Refused) -> bytes:
    """The data with refused lines as blank ones of the same length."""
    lines = data.split(b"\n")
    for number in refused:
        lines[number] = b" " * len(lines[number])
    return b"\n".join(lines)


# Items


def observe_items(batch: Batch) -> Refused:
    """The first pass, `inspect` and the first-block sample: no columns yet."""
    decoder = Decoder(None, wants=everything)
    refused = refusals(batch.data, _run(decoder))
    if refused == batch.invalid:
        assert decoder.items == len(batch.all_items())
    return refused


def exclude_items(batch: Batch) -> Refused:
    """Values that have no column."""
    return refusals(batch.data, _run(Decoder(None, wants=lambda _: False)))


def write_items(batch: Batch) -> Refused:
    """With columns of one of the many kinds; what is written is compared."""
    chance = random.Random(batch.seed)
    options: dict[str, Any] = {"mixed": chance.choice(("text", "json"))}
    if chance.randrange(3) == 0:
        options |= {"max_columns": chance.randint(2, 8), "overflow": "_more"}
    chosen = ConvertOptions(format=chance.choice(("parquet", "csv")), **options)
    schema = derive_schema(observe(batch.good()), chosen) if batch.all_items() else None
    if schema is None or not schema.columns:
        return observe_items(batch)
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "part")
        assert not write_part(batch.good(), part, schema, chosen).observing
        table = oracle.expected_table_of(batch.all_items(), **options)
        oracle.assert_equal_to_table(table, [part], chosen.format)
    # A bad line may show a type that there is no column for before it is refused.
    return refusals(batch.data, _run(Decoder(schema, text=chosen.text, wants=everything)))


def _keyed(batch: Batch) -> Refused:
    """The lines of a base that must be refused: bad ones, and items without the keys of the changes."""
    return [
        number
        for number, found in enumerate(batch.items)
        if found is None or any(list(item.get(name, ())) != [tag] for item in found for name, tag in KEYS)
    ]


def _delete(item: Item, micros: int) -> bytes:
    keys = json.dumps({name: item[name] for name in _NAMES}, ensure_ascii=False, separators=(",", ":"))
    return b'{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":%s}' % (micros, keys.encode())


def _delete_keys_of(items: Sequence[Item], images: OldImages | None = None) -> ChangedKeys:
    """The keys of these items, which are deleted."""
    keyed = [item for item in items if all(list(item.get(name, ())) == [tag] for name, tag in KEYS)]
    deletes = {key_of(item, _NAMES): _delete(item, _LATER) for item in keyed}
    builder, form = ChangedKeysBuilder(KEYS), ChangeForm(KEYS, old_images=False)
    data = b"".join(line + b"\n" for line in deletes.values())
    if data:
        builder.add(make_block(data), 0, form)
        if images is not None:
            images.add_block(make_block(data), form, "deletes")
    return builder.build()


def _merge_base(batch: Batch, changed: ChangedKeys, compare: Callable[[bytes], None] | None = None) -> Refused:
    def decoder() -> Decoder:
        lines = MergeLines(changed, [ChangeForm(KEYS, old_images=False)], compare)
        return Decoder(None, wants=everything, lines=lines)

    refused = refusals(batch.data, _run(decoder()))
    keyed = _keyed(batch)
    if refused == keyed:
        good, whole = [n for n in range(len(batch.lines)) if n not in keyed], decoder()
        assert not refusals(b"".join(batch.lines[n] + b"\n" for n in good), _run(whole))
        items = sum(len(batch.items[n] or ()) for n in good)
        assert whole.items + whole.lines.dropped == items
        assert whole.lines.dropped == (items if changed.count > 1 else 0)
    # What only a merge refuses, items without keys, is not a matter of the language.
    keyless = set(keyed) - set(batch.invalid)
    assert keyless <= set(refused), f"items without keys are accepted: lines {sorted(keyless - set(refused))}"
    return [n for n in refused if n not in keyless]


def keep_items(batch: Batch) -> Refused:
    """The base of a merge; no item has a changed key."""
    return _merge_base(batch, _delete_keys_of([{"id": {"S": "\x01nobody"}, "rank": {"N": "5"}}]))


def drop_items(batch: Batch) -> Refused:
    """The base of a merge; all items have changed keys."""
    return _merge_base(batch, _delete_keys_of([*batch.all_items(), *_DAMAGED_KEYS]))


def compare_items(batch: Batch) -> Refused:
    """The same with --verify."""
    images = OldImages()
    changed = _delete_keys_of([*batch.all_items(), *_DAMAGED_KEYS], images)
    return _merge_base(batch, changed, lambda line: images.compare(line, KEYS))


_DAMAGED_KEYS: tuple[Item, ...] = tuple({"id": {"S": f"k{n}"}, "rank": {"N": str(n % 5)}} for n in range(40))
"""Keys of the lines that are damaged: so that a line is passed over as well when it has become a bad one."""

# Changes


def observe_changes(batch: Batch) -> Refused:
    """As observe_items."""
    decoder = Decoder(None, wants=everything, lines=ChangeLines(batch.form))
    refused = refusals(batch.data, _run(decoder))
    if refused == batch.invalid:
        assert decoder.items == len(batch.all_changes())
    return refused


def write_changes(batch: Batch) -> Refused:
    """As write_items, with and without the old images."""
    refused = observe_changes(batch)
    old_image = batch.view == VIEWS[1] and batch.seed % 2 == 0
    options = ConvertOptions(old_image=old_image, key=tuple(_NAMES))
    if refused != batch.invalid or not batch.all_changes():
        return refused
    schema = derive_schema(observe(batch.good(), changes=batch.form), options)
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "part")
        assert not write_part(batch.good(), part, schema, options, changes=batch.form).observing
        table = oracle_changes.expected_changes(batch.all_changes(), old_image=old_image)
        oracle.assert_equal_to_table(table, [part], "parquet")
    return refusals(batch.data, _run(Decoder(schema, wants=everything, lines=ChangeLines(batch.form))))


def _increment_lines(changed: ChangedKeys, form: ChangeForm) -> MergeLines:
    lines = MergeLines(changed, [form])
    lines.begin_increment(0)
    return lines


def _merge_changes(batch: Batch, *, superseded: bool, images: OldImages | None = None) -> Refused:
    builder = ChangedKeysBuilder(KEYS)

    def note(block: Block) -> None:
        builder.add(block, 0, batch.form)

    early = refusals(batch.data, note)
    if superseded:
        later = [_delete(change.keys, _LATER) for change in batch.all_changes()]
        later += [_delete(item, _LATER) for item in _DAMAGED_KEYS]
        builder.add(make_block(b"".join(line + b"\n" for line in _unique(later))), 1, batch.form)
    decoder = Decoder(None, wants=everything, lines=_increment_lines(builder.build(), batch.form))
    late = refusals(_blanked(batch.data, early), _run(decoder))
    if superseded:
        assert decoder.items == 0
    return sorted({*early, *late})


def _unique(deletes: Sequence[bytes]) -> list[bytes]:
    """One delete of each key, whatever the spelling of its number is."""
    found = {}
    for line in deletes:
        (change,) = oracle_changes.read_change_lines(line, VIEWS[1])
        found[key_of(change.keys, _NAMES)] = line
    return list(found.values())


def apply_changes(batch: Batch) -> Refused:
    """The increment of a merge: what is in force is compared."""
    refused = _merge_changes(batch, superseded=False)
    if refused == batch.invalid and batch.all_changes():
        builder = ChangedKeysBuilder(KEYS)
        builder.add(make_block(batch.good()), 0, batch.form)
        expected = replay([], [batch.all_changes()])
        options = ConvertOptions()
        changed = builder.build()
        observing = Decoder(None, wants=everything, lines=_increment_lines(changed, batch.form))
        _run(observing)(make_block(batch.good()))
        assert observing.items == len(expected)
        if expected:
            schema = derive_schema(observing.observation(), options)
            _compare_applied(batch, changed, schema, options, expected)
    return refused


def _compare_applied(
    batch: Batch, changed: ChangedKeys, schema: Schema, options: ConvertOptions, items: list[Item]
) -> None:
    decoder = Decoder(schema, wants=everything, lines=_increment_lines(changed, batch.form))
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "part")
        with part.open("wb") as sink:
            writer = open_part(sink, schema, options)
            for rows in decoder.decode(make_block(batch.good())):
                write_batch(writer, rows)
            for rows in decoder.finish():
                write_batch(writer, rows)
            writer.close()
        assert not decoder.observing, decoder.surprise
        oracle.assert_equal_to_table(oracle.expected_table_of(items), [part], "parquet", key="id")


def supersede_changes(batch: Batch) -> Refused:
    """The increment of a merge, all of whose changes a later increment supersedes."""
    return _merge_changes(batch, superseded=True)


def verify_changes(batch: Batch) -> Refused:
    """The increment of a merge with --verify."""
    images = OldImages()
    return refusals(batch.data, lambda block: images.add_block(block, batch.form, "path"))


ITEM_PATHS: dict[str, Callable[[Batch], Refused]] = {
    "convert: observe": observe_items,
    "convert: write": write_items,
    "convert: excluded": exclude_items,
    "merge: kept items": keep_items,
    "merge: dropped items": drop_items,
    "merge --verify: dropped items": compare_items,
}
CHANGE_PATHS: dict[str, Callable[[Batch], Refused]] = {
    "changes: observe": observe_changes,
    "changes: write": write_changes,
    "merge: changes in force": apply_changes,
    "merge: superseded changes": supersede_changes,
    "merge --verify: changes": verify_changes,
}
