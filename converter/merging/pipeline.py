"""A merge: a full export and the increments after it become a snapshot, as if the table had been exported at their end.

The increments are read once for their keys, which is all that is held of them in memory. Then the data files of the
base and of the increments are converted like those of one export, with the lines passed over that are over
(decode/changed_keys.py). So types, columns, the second pass and the commit are those of every conversion, and the
result is that of a full export at the end of the last window, but for the order of rows: unchanged items first, in the
base's order, then those that were put, in the order of the increments.
"""

from __future__ import annotations

import os
import posixpath
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from converter.aws.access import AwsOptions
from converter.conversion.base_snapshot import MISSING_PART, BaseParts, find_snapshot, record_moment
from converter.conversion.kernel_notices import announce_kernels
from converter.conversion.location_checks import check_dest, check_no_export, check_source, export_folders
from converter.conversion.pass_control import Control
from converter.conversion.pipeline import Engine, Run, publish_run
from converter.conversion.plan import plan_shards
from converter.conversion.progress import Listener
from converter.conversion.shard import Purpose
from converter.decode.old_images import OldImages
from converter.errors import ExportError, UsageError
from converter.export.data_files import DataFile
from converter.export.locate import check_export_arn, open_export
from converter.export.manifest import COPY_AGAIN, Export, ExportKind, check_files
from converter.export.windows import ExportWindow, MergeRules, chain_windows
from converter.ion.workers import IonWorkers
from converter.merging.changed_keys_pass import note_changes
from converter.options import ConvertOptions
from converter.publishing.decision import unchanged
from converter.publishing.merge_history import Link, MergeChain
from converter.publishing.record import Record
from converter.publishing.report import Report, format_instant
from converter.storage import open_destination, open_source
from converter.storage.combined_source import CombinedSource
from converter.storage.destination import Destination
from converter.storage.paths import EXPORTS, record_path
from converter.storage.source import Source
from converter.write.formats import kernel_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What is merged.

    base: a full export, as `convert` takes it, or a destination of items or snapshots, of which the latest is
    taken; or one of its records. increments: incremental exports of the same table, in any order.
    dest: where the snapshot is published.
    """

    base: str
    increments: tuple[str, ...]
    dest: str
    rules: MergeRules


@dataclass(frozen=True, slots=True)
class _Opened:
    """An export, and the source that its files' paths are relative to."""

    source: Source
    export: Export


@dataclass(frozen=True, slots=True)
class _Base(_Opened):
    """The base. record: of a snapshot, whose parts are the files of its export; None for a full export."""

    record: Record | None = None

    @property
    def moment(self) -> datetime:
        """What was written before is in it."""
        return self.export.instant() if self.record is None else record_moment(self.record)


def merge_exports(
    merge: Merge,
    options: ConvertOptions,
    aws: AwsOptions,
    engine: Engine,
    listener: Listener,
    *,
    check: Callable[[], None] | None = None,
) -> Report:
    """Merge and publish; see converter.api.merge.

    check: called first, under the destination's lease, if there is something to publish; what it raises ends the run.
    """
    started = time.perf_counter()
    check_dest(merge.dest)
    destination = open_destination(merge.dest, aws)
    _check_request(merge, options, destination)
    base = _open_base(merge.base, options, aws)
    for text in merge.increments if not merge.rules.allow_filtered else ():
        _refuse_filtered(text, aws)
    increments = [_open_increment(text, base.export, options, aws) for text in merge.increments]
    folders = _export_folders(merge, base, increments, aws)
    check_dest(merge.dest, [*folders, *_own_folders(base)])
    chain = chain_windows(base.moment, [_window(opened.export) for opened in increments], merge.rules)
    if not chain.applied:
        return _nothing_to_apply(merge, base, options, chain.warnings, started)
    applied = [increments[i] for i in chain.applied]
    if merge.rules.verify:
        _check_images(base, applied)
    exports = _joined_files((base, *applied))
    with _join(base, applied, exports, options, engine, listener) as run:
        run.folders = folders
        run.export = replace(run.export, warnings=(*base.export.warnings, *chain.warnings))

        def prepare() -> None:
            if check is not None:
                check()
            parts = [*kernel_parts(run.options), "changes", "merge"]
            announce_kernels(parts, "reading the keys of all changes", listener)
            control = Control()
            images = OldImages() if merge.rules.verify else None
            run.merge = note_changes(exports[1:], run.job(Purpose.INSPECT), control, base=run.base, images=images)
            run.bytes_read += control.bytes_read

        return publish_run(run, destination, merge.dest, started, prepare)


def _export_folders(merge: Merge, base: _Base, increments: Sequence[_Opened], aws: AwsOptions) -> tuple[str, ...]:
    """The folders that exports are read from. Raises UsageError for a DEST that is a SOURCE or in an export."""
    read = list(zip(merge.increments, increments, strict=True))
    read += [(merge.base, base)] if base.record is None else []
    for text, _ in read:
        check_source(merge.dest, text, aws)
    folders = [folder for _, opened in read for folder in export_folders(opened.source, opened.export)]
    return tuple(dict.fromkeys(folders))


def _own_folders(base: _Base) -> list[str]:
    """The folders of a base that is a destination: DEST may be the destination itself, but in none of these."""
    folders = () if base.record is None else (EXPORTS, *base.record.locations)
    return [base.source.child(folder) for folder in folders]


def _check_request(merge: Merge, options: ConvertOptions, destination: Destination) -> None:
    """Raises UsageError for what makes no sense in a merge."""
    check_no_export(destination, merge.dest)
    given = {"--latest": options.latest, "--export-id": options.export_id, "--old-image": options.old_image}
    for option, value in given.items():
        if value:
            raise UsageError("a merge has no use for it", option, "leave it out, and name each export by its folder")


def _check_images(base: _Base, applied: Sequence[_Opened]) -> None:
    """Raises UsageError where there are no old images, or no items to compare them with."""
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
    merge: Merge, base: _Base, options: ConvertOptions, warnings: tuple[str, ...], started: float
) -> Report:
    """Where the base is the snapshot that the merge would give, it was made before."""
    record = base.record
    if record is not None and record.kind == ExportKind.SNAPSHOT and _same_place(merge.base, merge.dest):
        others = [f"--{name.replace('_', '-')}" for name in options.differences(record.options)]
        if others:
            raise UsageError(
                f"the snapshot was published with another {', '.join(others)}, and no increment is later than it",
                base.source.child(record_path(record.export_id)),
                "use the same options; or merge the full export and all increments after it into another DEST",
            )
        return unchanged(record, merge.dest, started, warnings)
    raise ExportError(
        f"no increment holds changes from after {format_instant(base.moment)}, the moment of the base",
        base.export.source,
        "name the incremental exports that were made after the base",
    )


def _same_place(base: str, dest: str) -> bool:
    folders = [_destination_of(base)[0], dest]
    one, other = (place.rstrip("/") if "://" in place else os.path.realpath(place) for place in folders)
    return one == other


def _destination_of(text: str) -> tuple[str, str | None]:
    """The destination that BASE may be, and the name of the record that is meant."""
    folder, name = posixpath.split(text)
    if name.endswith(".json") and posixpath.basename(folder) == EXPORTS:
        return posixpath.dirname(folder) or ".", name
    return text, None


def _open_base(text: str, options: ConvertOptions, aws: AwsOptions) -> _Base:
    place, name = _destination_of(text)
    if not text.startswith("arn:"):
        source = open_source(place, aws)
        record = find_snapshot(source, name)
        if record is not None:
            return _Base(source, _as_export(record, source), record)
    source, export = open_export(text, aws, verify=options.verify)
    if export.kind is not ExportKind.ITEMS:
        raise ExportError(
            "the base is an incremental export",
            export.source,
            "name a full export first, and the increments after it",
        )
    return _Base(source, export)


def _as_export(record: Record, source: Source) -> Export:
    """A snapshot as an export whose data files are its parts."""
    parts = record.parts_of("parquet")
    files = [DataFile(part.path, part.rows, b"", index) for index, part in enumerate(parts)]
    return Export(**{**asdict(record.to_summary()), "source": source.root}, files=tuple(files))


def _refuse_filtered(text: str, aws: AwsOptions) -> None:
    """Raises ExportError for an increment of which the service says that a filter was there: manifests don't say it."""
    if not text.startswith("arn:"):
        return
    from converter.aws.exports import describe_export

    if describe_export(check_export_arn(text), aws.for_source()).filtered:
        raise ExportError(
            "the increment was made with a filter: an item that stopped matching just disappears, and would stay as it"
            " was before",
            text,
            "export the window without a filter; or pass --allow-filtered if items never stop matching",
        )


def _open_increment(text: str, base: Export, options: ConvertOptions, aws: AwsOptions) -> _Opened:
    source, export = open_export(text, aws, verify=options.verify)
    if export.kind is not ExportKind.CHANGES:
        raise ExportError(
            "this is a full export, and only the base is one",
            export.source,
            "name the incremental exports that were made after the base",
        )
    if (export.table_arn, export.table_id) != (base.table_arn, base.table_id):
        raise ExportError(
            f"the increment is of {export.table_arn} with id {export.table_id}, and the base of {base.table_arn} with"
            f" id {base.table_id}",
            export.source,
            "a table that was deleted and made anew has another id: begin with a full export of it",
        )
    return _Opened(source, export)


def _window(export: Export) -> ExportWindow:
    assert export.from_time is not None
    assert export.to_time is not None
    return ExportWindow(export.export_id, export.from_time, export.to_time, export.source)


def _joined_files(opened: Sequence[_Opened]) -> list[Export]:
    """The exports with the paths that a CombinedSource of their sources has."""
    joined = []
    for number, one in enumerate(opened):
        files = tuple(replace(file, path=f"{number}/{file.path}") for file in one.export.files)
        joined.append(replace(one.export, files=files))
    return joined


def _join(
    base: _Base,
    applied: Sequence[_Opened],
    exports: Sequence[Export],
    options: ConvertOptions,
    engine: Engine,
    listener: Listener,
) -> Run:
    """All data files as those of one export, which the snapshot is of."""
    opened = (base, *applied)
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
    )
    in_ion = [file.path for export in exports if export.output_format == "ION" for file in export.files]
    run = Run(
        source=CombinedSource([one.source for one in opened]),
        export=export,
        bytes_in=check_files(base.source, base.export, MISSING_PART if base.record else COPY_AGAIN)
        + sum(check_files(one.source, one.export) for one in applied),
        options=options,
        listener=listener,
        engine=engine,
        shards=plan_shards(export.files),
        ion=IonWorkers(options.threads) if in_ion else None,
        ion_files=frozenset(in_ion),
        chain=MergeChain(_link(base.export, base.moment), tuple(_link(one.export, base.moment) for one in applied)),
    )
    if base.record is not None:
        parts = {f"0/{part.path}": part for part in base.record.parts_of("parquet")}
        run.base = BaseParts(parts, base.record, base.source.child(record_path(base.record.export_id)))
    return run


def _link(export: Export, moment: datetime) -> Link:
    """moment: of a base, which has no window."""
    begin, end = export.from_time or moment, export.to_time or moment
    return Link(export.export_id, export.export_arn, export.kind.value, begin, end)
