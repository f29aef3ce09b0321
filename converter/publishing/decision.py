"""What may be published at a destination, decided from its records, and the commit."""

from __future__ import annotations

import json
import posixpath
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from converter.errors import UsageError
from converter.export.manifest import ExportKind, Summary
from converter.options import ConvertOptions
from converter.publishing.merge_history import MergeChain
from converter.publishing.record import Record, export_date, newest, render_layout
from converter.publishing.report import Part, Report
from converter.publishing.schema_difference import describe_schema_difference
from converter.storage.destination import Destination, Staging
from converter.storage.intent import PendingPart, Removal
from converter.storage.paths import EXPORTS, INTENT, record_path


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose items or changes a destination holds: those of one table, which has another id when it is made anew."""

    table_arn: str
    table_id: str
    kind: ExportKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a run is to do.

    locations: the folders of the parts, relative to the destination: one, or one for each format.
    date: the export's day.
    published: the record that makes the run unnecessary, None when there is something to do.
    replaced: records that go, with their parts, in the same commit; oldest first.
    kept: all other records, oldest first.
    sequence: of the record that this run publishes, one more than of any that is there.
    remove: the same as `replaced`, as the commit takes it.
    warnings: what the user should know.
    """

    locations: tuple[str, ...]
    date: str
    published: Record | None
    replaced: tuple[Record, ...]
    kept: tuple[Record, ...]
    sequence: int
    remove: tuple[Removal, ...]
    warnings: tuple[str, ...]


def read_records(destination: Destination) -> tuple[Record, ...]:
    """All records of the destination, by the exports' time, oldest first.

    Raises StorageError for a damaged record, UsageError for one that a newer version of the program wrote.
    """
    paths = [posixpath.join(EXPORTS, name) for name in destination.names(EXPORTS) if _may_be_record(name)]
    records = [
        Record.from_json(content, destination.child(path))
        for path, content in zip(paths, destination.read_all(paths), strict=True)
        # Without the lease, another run may have removed it since.
        if content is not None
    ]
    return tuple(sorted(records, key=lambda record: (record.export_time, record.export_id)))


def _may_be_record(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".") and posixpath.join(EXPORTS, name) != INTENT


def decide(
    destination: Destination,
    export: Summary,
    options: ConvertOptions,
    chain: MergeChain | None = None,
    *,
    takes_over: bool = False,
) -> Decision:
    """Is there something to do, what goes in return, or why not? Changes nothing; without the lease only a forecast.

    chain: what a snapshot is made of. takes_over: see check_owner.

    Raises UsageError when the destination belongs to another table or kind, or when `options.replace` would be needed:
    the export is published with other options, or another full export of the date is, or the folder is not empty.
    """
    records = read_records(destination)
    check_owner(records, Owner(export.table_arn, export.table_id, export.kind), destination, takes_over=takes_over)
    date = export_date(export, options.timezone)
    locations = _locations(export, options)
    own = next((record for record in records if record.export_id == export.export_id), None)
    others = tuple(record for record in records if record is not own)
    warnings: list[str] = []
    if own:
        differences = _differences(own, options, chain)
        if differences and not options.replace:
            raise _other_options(own, differences, destination)
        warnings += [] if differences else _damages(own, destination)
        to_check = options.replace and options.verify and not own.verified
        to_widen = options.replace and _is_outgrown(own, others)
        to_cut = options.replace and own.options.get("part_size", options.part_size) != options.part_size
        if not (differences or warnings or to_check or to_widen or to_cut):
            return _nothing_to_do(own, others, options)
    replaced = [record for record in others if _counts_twice(record, export, date, locations)]
    if replaced and not options.replace:
        raise _twice(replaced[-1], destination)
    kept = tuple(record for record in others if record not in replaced)
    warnings += _other_zones(kept, options)
    if own:
        replaced.append(own)
    remove = [Removal(record.export_id, folder) for record in replaced for folder in record.locations or ("",)]
    removed = {removal.folder for removal in remove}
    unknown = [location for location in locations if location not in removed and destination.names(location)]
    if unknown and destination.read(INTENT) is not None:
        warnings.append("a run is publishing here, or died while it did: the next run finishes that first")
    elif unknown and not options.replace:
        raise _unknown_folder(destination.child(unknown[0]))
    else:
        remove += [Removal(export.export_id, location) for location in unknown]
    return Decision(
        locations=locations,
        date=date,
        published=None,
        replaced=tuple(record for record in records if record in replaced),
        kept=kept,
        sequence=max((record.sequence for record in records), default=0) + 1,
        remove=tuple(remove),
        warnings=tuple(warnings),
    )


def check_owner(records: Sequence[Record], owner: Owner, destination: Destination, *, takes_over: bool = False) -> None:
    """Raises UsageError when a record of the destination is of another table, or holds changes and the owner items.

    A table that was deleted and made anew has another id, and may go on where the older one ended if the newest record
    is of the new one already, or if it `takes_over`.
    """
    last = newest(records)
    for record in records:
        place = destination.child(record_path(record.export_id))
        if record.table_arn != owner.table_arn or (record.kind == ExportKind.CHANGES) != (
            owner.kind is ExportKind.CHANGES
        ):
            raise UsageError(
                f"the destination belongs to {record.kind} of {record.table_arn}, and not to {owner.kind} of"
                f" {owner.table_arn}",
                place,
                "choose another DEST: one for each table, and one for each kind of export",
            )
        if record is last and record.table_id != owner.table_id and not takes_over:
            raise UsageError(
                f"the destination belongs to the table {owner.table_arn} with id {record.table_id}; it was deleted and"
                f" made anew since, and has the id {owner.table_id} now",
                place,
                "choose another DEST: items of both tables would be taken for those of one",
            )


def describe_part(part: PendingPart, rows: int, decision: Decision) -> Part:
    """The part as records and reports name it."""
    return Part(_path_of(part, decision), rows, part.bytes, part.sha256)


def publish(staging: Staging, record: Record, parts: Sequence[PendingPart], decision: Decision) -> None:
    """The commit: these parts and their record, and what the decision removes, all or nothing.

    Raises StorageError. See Staging.commit for what holds then.
    """
    described = {(part.path, part.bytes, part.sha256) for part in record.parts}
    pending = {(_path_of(part, decision), part.bytes, part.sha256) for part in parts}
    if described != pending or len(record.parts) != len(parts):
        raise ValueError("the record does not describe these parts")
    staging.commit(record.to_json(), parts, decision.remove)


def _locations(export: Summary, options: ConvertOptions) -> tuple[str, ...]:
    """The folder of the parts; with both formats that of each, in the order of their names."""
    folder = posixpath.join(render_layout(options.layout, export, options.timezone), export.export_id)
    formats = options.by_format()
    return (folder,) if len(formats) == 1 else tuple(posixpath.join(one.format, folder) for one in formats)


def _path_of(part: PendingPart, decision: Decision) -> str:
    return posixpath.join(decision.locations[part.folder], part.name)


def _is_outgrown(record: Record, others: Sequence[Record]) -> bool:
    """Has a later run made a column wider, so that the record's parts can't be read together with its own?"""
    last = newest(others)
    if last is None or last.sequence < record.sequence:
        return False
    return last.columns[: len(record.columns)] != record.columns


def _counts_twice(record: Record, export: Summary, date: str, locations: Sequence[str]) -> bool:
    """Would readers of a date or of a folder find the items of both exports?"""
    if export.kind is ExportKind.CHANGES or record.kind == ExportKind.CHANGES:
        return False
    same_folder = set(map(posixpath.dirname, record.locations)) & set(map(posixpath.dirname, locations))
    return record.date == date or bool(same_folder)


def _twice(record: Record, destination: Destination) -> UsageError:
    return UsageError(
        f"export {record.export_id} of the same table is already published for {record.date}: readers would count"
        " items twice",
        destination.child(record.locations[0] if record.locations else record_path(record.export_id)),
        "pass --replace to put this export in its place, or choose another DEST",
    )


def _differences(record: Record, options: ConvertOptions, chain: MergeChain | None) -> list[str]:
    """The options that differ, as `format: parquet → csv`, and of a snapshot what it is made of."""
    other_chain = []
    if record.report.merge is not None and chain is not None and record.report.merge.chain != chain:
        other_chain = [f"made of: {record.report.merge.chain.described} → {chain.described}"]
    return other_chain + _other_values(record, options)


def _other_values(record: Record, options: ConvertOptions) -> list[str]:
    if record.options_hash == options.published_hash():
        return []
    return [
        f"{name}: {describe_schema_difference(record, options)}"
        if name == "schema"
        else f"{name}: {_shown(before)} → {_shown(now)}"
        for name, (before, now) in options.differences(record.options).items()
    ]


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _other_options(record: Record, differences: Sequence[str], destination: Destination) -> UsageError:
    return UsageError(
        f"export {record.export_id} is already published with other options ({'; '.join(differences)})",
        destination.child(record_path(record.export_id)),
        "use the same options, pass --replace to publish it anew, or choose another DEST",
    )


def _other_zones(kept: Sequence[Record], options: ConvertOptions) -> list[str]:
    """A warning where the dates of exports that stay are days in another time zone."""
    zones = sorted({record.timezone for record in kept} - {options.timezone})
    if not zones:
        return []
    return [
        f"the dates of other exports here are days in {' and '.join(zones)}, and this export's is one in"
        f" {options.timezone}: which day a date means differs; keep to one --timezone, or choose another DEST"
    ]


def _damages(record: Record, destination: Destination) -> list[str]:
    """A warning for each folder whose parts are not there as they were published."""
    damages = []
    for location in record.locations:
        parts = [part for part in record.parts if posixpath.dirname(part.path) == location]
        found = destination.sizes(location)
        sizes = [found.get(posixpath.basename(part.path)) for part in parts]
        missing = sizes.count(None)
        resized = sum(size not in (None, part.bytes) for size, part in zip(sizes, parts, strict=True))
        if missing + resized:
            damages.append(
                f"{destination.child(location)}: of {len(parts)} published parts {missing} are missing and"
                f" {resized} have another size; the export is published anew"
            )
    return damages


def _nothing_to_do(own: Record, kept: tuple[Record, ...], options: ConvertOptions) -> Decision:
    warnings: tuple[str, ...] = ()
    if options.verify and not own.verified:
        warnings = (f"export {own.export_id} was published with --no-verify; pass --replace to publish it checked",)
    return Decision(
        locations=own.locations,
        date=own.date,
        published=own,
        replaced=(),
        kept=kept,
        sequence=own.sequence,
        remove=(),
        warnings=warnings,
    )


def _unknown_folder(place: str) -> UsageError:
    return UsageError(
        "the export's folder is there and not empty, but no record says what is in it",
        place,
        "remove the folder, or pass --replace to publish in its place",
    )


def unchanged(record: Record, dest: str, started: float, warnings: tuple[str, ...]) -> Report:
    """What a run says that found its work done. started: on time.perf_counter's clock."""
    seconds = time.perf_counter() - started
    return replace(record.report, status="unchanged", destination=dest, seconds=seconds, warnings=warnings)
