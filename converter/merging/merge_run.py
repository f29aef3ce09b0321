"""The run of a merge with opened inputs: the data files of base and increments as those of one export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from converter.conversion.forecast import forecast_schema
from converter.conversion.opened_export import OpenedExport
from converter.conversion.passes import PassRunner
from converter.conversion.publish_run import RunInput
from converter.export.manifest import COPY_AGAIN, Export, ExportKind, check_files
from converter.merging.base_snapshot import BREAK_HINT, MISSING_PART, BaseSnapshot
from converter.merging.changed_keys_builder import read_changed_keys
from converter.merging.merge_input import MergeInput
from converter.merging.merge_sources import BaseSource, CombinedSource, MergeSource
from converter.merging.old_images import OldImages
from converter.options import ConvertOptions
from converter.publishing.decision import Decision
from converter.publishing.destination_records import RecordCache
from converter.publishing.merge_history import Link, MergeChain, MergeReport
from converter.publishing.prior_schema import PriorSchema, read_prior_schema
from converter.publishing.record_entry import entry_of
from converter.publishing.recorded_observation import recorded_observation
from converter.publishing.report import Report
from converter.schema.columns import Schema
from converter.storage.paths import record_path


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRun(RunInput[MergeInput]):
    """See RunInput.

    increments: with the paths that `opened` has for their files. base: the parts of a snapshot, if that is the base.
    compares_images: whether old images are compared with the items before.
    """

    increments: Sequence[Export]
    chain: MergeChain
    base: BaseSnapshot | None
    compares_images: bool

    def prior_schema(self, decision: Decision, cache: RecordCache, options: ConvertOptions) -> PriorSchema:
        """Return the columns that the destination's records, or the base's, and the schema file promise."""
        base = self.base
        if base is None:
            return read_prior_schema(decision.kept, options, cache.latest)
        # If the base is replaced, its parts go and its rows stay: columns that they have widened stay wide.
        replaced = (entry for entry in decision.replaced if entry == entry_of(base.record, entry.file))
        prior = read_prior_schema((*decision.kept, *replaced), options, cache.latest, (base.record, base.place))
        dropped = [name for name in prior.options.exclude if name not in options.exclude]
        base.check_options(options, dropped)
        return replace(prior, contract=base.promises(prior.contract))

    def forecast(self, prior: PriorSchema) -> Schema:
        """Return the columns that are promised."""
        if self.base is None:
            return forecast_schema(prior)
        schema = forecast_schema(prior, recorded_observation(self.base.record), BREAK_HINT)
        self.base.check_schema(schema)
        return schema

    def read(self, options: ConvertOptions, runner: PassRunner) -> MergeInput:
        """Read the keys of all changes."""
        runner.listener.phase("reading the keys of all changes")
        images = OldImages() if self.compares_images else None
        with runner.counted() as context:
            return read_changed_keys(
                self.increments, self.opened.source, options, context, base=self.base, images=images
            )

    def describe(self, report: Report, shard_input: MergeInput | None) -> Report:
        """Add to a report what the merge has done, and warnings of old images that are not the items before."""
        if shard_input is None:
            return replace(report, merge=MergeReport(chain=self.chain))
        done = shard_input.changed.applied()
        images = None if shard_input.images is None else shard_input.images.compared()
        merge = MergeReport(
            chain=self.chain,
            inserted=done.inserted,
            updated=done.updated,
            deleted=done.deleted,
            unknown_deletes=done.unknown,
            old_images=None if images is None else images.images,
            different_images=None if images is None else images.different,
        )
        if images is None or not images.different:
            return replace(report, merge=merge)
        places = [f"{self.opened.source.child(path)} line {line}" for path, line in images.places]
        more = f", and {images.different - len(places):,} more" if images.different > len(places) else ""
        warning = (
            f"{images.different:,} of {images.images:,} old images are not the items before them: the base or an"
            f" increment is not what it seems to be, or an export is missing ({', '.join(places)}{more})"
        )
        return replace(report, merge=merge, warnings=(*report.warnings, warning))


def join_exports(
    base: BaseSource,
    applied: Sequence[MergeSource],
    folders: tuple[str, ...],
    warnings: Sequence[str],
    *,
    compares_images: bool,
) -> MergeRun:
    """Join the base and the increments, in the order that they are applied in, into one export.

    folders: that exports are read from. warnings: about the windows.
    """
    opened: list[MergeSource] = [base, *applied]
    # With the paths that a CombinedSource has for their files.
    exports = [
        replace(one.export, files=tuple(replace(file, path=f"{number}/{file.path}") for file in one.export.files))
        for number, one in enumerate(opened)
    ]
    files = [file for export in exports for file in export.files]
    last = applied[-1].export
    export = replace(
        base.export,
        export_id=last.export_id,
        export_arn=last.export_arn,
        kind=ExportKind.SNAPSHOT,
        export_time=None,
        to_time=last.to_time,
        files=tuple(replace(file, index=index) for index, file in enumerate(files)),
        warnings=(*base.export.warnings, *warnings),
    )
    bytes_in = check_files(base.source, base.export, MISSING_PART if base.record else COPY_AGAIN)
    bytes_in += sum(check_files(one.source, one.export) for one in applied)
    increments = tuple(_link(one.export, base.moment) for one in applied)
    return MergeRun(
        opened=OpenedExport(CombinedSource([one.source for one in opened]), export, bytes_in),
        folders=folders,
        increments=exports[1:],
        chain=MergeChain(_link(base.export, base.moment), increments),
        base=_snapshot_of(base),
        compares_images=compares_images,
    )


def _snapshot_of(base: BaseSource) -> BaseSnapshot | None:
    if base.record is None:
        return None
    parts = {f"0/{part.path}": part for part in base.record.parts_of("parquet")}
    return BaseSnapshot(parts, base.record, base.source.child(record_path(base.record.export_id)))


def _link(export: Export, moment: datetime) -> Link:
    """Return the record's entry. moment: of a base, which has no window."""
    begin, end = export.from_time or moment, export.to_time or moment
    return Link(export.export_id, export.export_arn, export.kind.value, begin, end)
