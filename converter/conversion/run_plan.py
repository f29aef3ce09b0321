"""The plan of a run, from the manifest alone: what is read, in which shards, and how it is converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from converter.conversion.job import Job, Purpose, Shard
from converter.conversion.opened_export import OpenedExport
from converter.conversion.shard_input import ShardInput
from converter.export.data_files import DataFile
from converter.options import ConvertOptions
from converter.publishing.record import export_date
from converter.schema.added_columns import added_values, unix_seconds
from converter.schema.columns import Schema
from converter.schema.contract import NOTHING_PROMISED, Contract
from converter.storage.destination import PartStore

# The manifest has no sizes, only item counts. An export is cut into eight shards, so that several workers have
# something to do, but of no fewer than SMALL_SHARD items each, and no more than LARGE_SHARD unless a data file has.
_SMALL_SHARD = 25_000
_LARGE_SHARD = 250_000
_ENOUGH_SHARDS = 8
_SAMPLED_FILES = 16


@dataclass(frozen=True, slots=True)
class RunPlan:
    """options: the user's, with the keys of the input first. contract: the promised columns."""

    opened: OpenedExport
    shards: Sequence[Shard]
    options: ConvertOptions
    input: ShardInput
    contract: Contract

    @property
    def line_files(self) -> Sequence[DataFile]:
        """The data files that hold lines."""
        return self.input.line_files(self.opened.export.files)

    def job(self, purpose: Purpose, schema: Schema | None = None, parts: PartStore | None = None) -> Job:
        """Return what the shards of a pass have in common."""
        export = self.opened.export
        return Job(
            source=self.opened.source,
            options=self.options,
            purpose=purpose,
            input=self.input,
            contract=self.contract,
            schema=schema,
            parts=parts,
            added=added_values(
                self.options.add_column,
                export_id=export.export_id,
                instant=export.instant(),
                date=export_date(export, self.options.timezone),
            ),
            export_time=unix_seconds(export.instant()),
        )


def plan_run(
    opened: OpenedExport, options: ConvertOptions, shard_input: ShardInput, contract: Contract = NOTHING_PROMISED
) -> RunPlan:
    """Plan a run over all data files of an export."""
    keys = [name for name in shard_input.keys if options.wants(name)]
    return RunPlan(
        opened=opened,
        shards=plan_shards(opened.export.files),
        options=replace(options, key=(*options.key, *keys)),
        input=shard_input,
        contract=contract,
    )


def plan_shards(files: Sequence[DataFile]) -> list[Shard]:
    """Cut the files, in their order, into shards of about the same number of items.

    A function of the item counts only: not of the workers or the machine. Files without items belong to
    shards too, because their md5 is checked.
    """
    total = sum(file.items for file in files)
    target = min(max(-(-total // _ENOUGH_SHARDS), _SMALL_SHARD), _LARGE_SHARD)
    shards: list[Shard] = []
    start = items = 0
    for place, file in enumerate(files):
        if items and items + file.items > target:
            shards.append(Shard(len(shards), files[start:place]))
            start, items = place, 0
        items += file.items
    if start < len(files):
        shards.append(Shard(len(shards), files[start:]))
    return shards


def sampled_files(files: Sequence[DataFile]) -> list[DataFile]:
    """Up to 16 files that hold items, spread evenly over the export: their first blocks give the first schema."""
    filled = [place for place, file in enumerate(files) if file.items]
    if len(filled) > _SAMPLED_FILES:
        step = (len(filled) - 1) / (_SAMPLED_FILES - 1)
        filled = [filled[round(i * step)] for i in range(_SAMPLED_FILES)]
    return [files[place] for place in filled]
