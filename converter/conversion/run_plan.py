"""The plan of a run: what is read, in which shards, and how it is converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from converter.conversion.job import Job, Purpose
from converter.conversion.opened_export import OpenedExport
from converter.conversion.shard_input import ShardInput
from converter.conversion.shard_plan import Shard, plan_shards
from converter.export.data_files import DataFile
from converter.options import ConvertOptions
from converter.publishing.record import export_date
from converter.schema.added_columns import added_values, unix_seconds
from converter.schema.columns import Schema
from converter.schema.contract import NOTHING_PROMISED, Contract
from converter.storage.destination import PartStore


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
