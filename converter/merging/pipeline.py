"""A merge: a full export and the increments after it become a snapshot, as if the table had been exported at their end.

The increments are read once for their keys, which is all that is held of them in memory. Then the data files of the
base and of the increments are converted like those of one export, without superseded lines (changed_keys.py). So types,
columns, the second pass and the commit are those of every conversion, and the result is that of a full export at the
end of the last window, except for the order of rows: unchanged items first, in the base's order, then those that were
put, in the order of the increments.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converter.aws.access import AwsOptions
from converter.conversion.location_checks import check_dest, check_no_export, check_source, export_folders
from converter.conversion.passes import Execution, PassRunner
from converter.conversion.publish_run import RunDestination, publish_run
from converter.errors import ExportError, UsageError
from converter.export.manifest import Export, ExportKind
from converter.merging.increment_chain import ExportWindow, MergeRules, chain_windows
from converter.merging.merge_run import join_exports
from converter.merging.merge_sources import (
    BaseSource,
    MergeSource,
    check_unfiltered,
    open_base,
    open_increment,
    split_record,
)
from converter.options import ConvertOptions, option_name
from converter.publishing.commit import unchanged
from converter.publishing.destination_records import RecordCache
from converter.publishing.report import Report
from converter.storage import open_destination
from converter.storage.destination import Destination
from converter.storage.paths import EXPORTS, record_path
from converter.utc import format_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A merge as it is asked for.

    base: a full export, as `convert` takes it, or a destination of items or snapshots, of which the latest is
    taken; or one of its records. increments: incremental exports of the same table, in any order.
    dest: where the snapshot is published.
    """

    base: str
    increments: tuple[str, ...]
    dest: str
    rules: MergeRules


def merge_exports(
    merge: Merge,
    options: ConvertOptions,
    execution: Execution,
    *,
    check: Callable[[], None] | None = None,
    cache: RecordCache | None = None,
) -> Report:
    """Merge and publish; see converter.api.merge.

    check: called first, under the destination's lease, if there is something to publish; what it raises ends the run.
    cache: of the destination, where this run has read its records before.
    """
    started, aws = time.perf_counter(), execution.aws
    check_dest(merge.dest)
    cache = cache or RecordCache(open_destination(merge.dest, aws))
    _check_request(merge, options, cache.destination)
    base = open_base(merge.base, options, aws)
    for text in merge.increments if not merge.rules.allow_filtered else ():
        check_unfiltered(text, aws)
    increments = [open_increment(text, base.export, options, aws) for text in merge.increments]
    folders = _export_folders(merge, base, increments, aws)
    # DEST may be the destination that is the base, but in none of the folders of its records and parts.
    own = () if base.record is None else (EXPORTS, *base.record.locations)
    check_dest(merge.dest, [*folders, *map(base.source.child, own)])
    chain = chain_windows(base.moment, [_window(opened.export) for opened in increments], merge.rules)
    if not chain.applied:
        return _nothing_to_apply(merge, base, options, chain.warnings, started)
    applied = [increments[i] for i in chain.applied]
    if merge.rules.verify:
        _check_images(base, applied)
    run = join_exports(base, applied, folders, chain.warnings, compares_images=merge.rules.verify)
    destination = RunDestination(cache, merge.dest, started)
    return publish_run(run, options, destination, PassRunner(execution), check)


def _export_folders(
    merge: Merge, base: BaseSource, increments: Sequence[MergeSource], aws: AwsOptions
) -> tuple[str, ...]:
    """Return the folders that exports are read from. Raises UsageError for a DEST that is a SOURCE or in an export."""
    read = list(zip(merge.increments, increments, strict=True))
    read += [(merge.base, base)] if base.record is None else []
    for text, _ in read:
        check_source(merge.dest, text, aws)
    folders = [folder for _, opened in read for folder in export_folders(opened.source, opened.export)]
    return tuple(dict.fromkeys(folders))


def _check_request(merge: Merge, options: ConvertOptions, destination: Destination) -> None:
    """Raise UsageError for options that a merge can't have."""
    check_no_export(destination, merge.dest)
    given = {
        "--latest": options.latest,
        "--export-id": options.export_id,
        "--old-image": options.old_image,
        "--where": options.where,
    }
    for option, value in given.items():
        if value:
            raise UsageError(
                "merge does not accept this option", option, "leave it out, and name each export by its folder"
            )


def _check_images(base: BaseSource, applied: Sequence[MergeSource]) -> None:
    """Raise UsageError if there are no old images, or no items to compare them with."""
    if base.record is not None:
        raise UsageError(
            "old images can be compared with the items of a full export only: a snapshot has values of several types in"
            " one form",
            "--verify",
            "leave it out, or name the full export and all increments after it",
        )
    if all(one.export.output_view == "NEW_IMAGE" for one in applied):
        raise UsageError(
            "no increment has old images", "--verify", "leave it out, or export with the view NEW_AND_OLD_IMAGES"
        )


def _nothing_to_apply(
    merge: Merge, base: BaseSource, options: ConvertOptions, warnings: tuple[str, ...], started: float
) -> Report:
    """Return the report of an earlier merge if the base is its snapshot. Raises ExportError, UsageError."""
    record = base.record
    if record is not None and record.kind == ExportKind.SNAPSHOT and _same_place(merge.base, merge.dest):
        others = [option_name(name) for name in options.differences(record.options)]
        if others:
            raise UsageError(
                f"the snapshot was published with another {', '.join(others)}, and no increment is later than it",
                base.source.child(record_path(record.export_id)),
                "use the same options; or merge the full export and all increments after it into another DEST",
            )
        return unchanged(record, merge.dest, started, warnings)
    raise ExportError(
        f"no increment holds changes from after {format_utc(base.moment)}, the moment of the base",
        base.export.source,
        "name the incremental exports that were made after the base",
    )


def _same_place(base: str, dest: str) -> bool:
    folders = [split_record(base)[0], dest]
    one, other = (place.rstrip("/") if "://" in place else os.path.realpath(place) for place in folders)
    return one == other


def _window(export: Export) -> ExportWindow:
    assert export.from_time is not None
    assert export.to_time is not None
    return ExportWindow(export.export_id, export.from_time, export.to_time, export.source)
