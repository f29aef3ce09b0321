"""Decide from the records of a destination whether and where an export is published, and what it replaces."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from converter.errors import UsageError
from converter.export.manifest import ExportKind, Summary
from converter.options import ConvertOptions, option_name
from converter.publishing.destination_records import RecordCache
from converter.publishing.merge_history import MergeChain
from converter.publishing.ownership import check_owner
from converter.publishing.record import Record, export_date, render_layout
from converter.publishing.record_entry import Owner, RecordEntry, newest
from converter.publishing.schema_difference import describe_schema_difference
from converter.storage.destination import Destination
from converter.storage.intent import Removal
from converter.storage.paths import INTENT, record_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The work of a run at a destination.

    locations: the folders of the parts, relative to the destination: one, or one for each format.
    date: the export's day.
    published: the record that makes the run unnecessary, None when there is something to do.
    replaced: records that the commit removes, with their parts; oldest first.
    kept: all other records, oldest first.
    sequence: of the record that this run publishes, one more than of any that is there.
    remove: the same as `replaced`, as the commit takes it.
    warnings: what the user should know.
    """

    locations: tuple[str, ...]
    date: str
    published: Record | None = None
    replaced: tuple[RecordEntry, ...] = ()
    kept: tuple[RecordEntry, ...]
    sequence: int
    remove: tuple[Removal, ...] = ()
    warnings: tuple[str, ...]


def decide(cache: RecordCache, export: Summary, options: ConvertOptions, chain: MergeChain | None = None) -> Decision:
    """Decide whether there is something to do, where, and what it replaces. Without the lease it is only a forecast.

    cache: of the destination; records that this run has read are not read again. chain: what a snapshot is made of.

    Raises UsageError when the destination belongs to another table or kind, or when `options.replace` would be needed:
    the export is published with other options, or another full export of the date is, or the folder is not empty.
    """
    records, destination = cache.known(), cache.destination
    owner = Owner(export.table_arn, export.table_id, export.kind)
    check_owner(records, owner, accepts_recreated_table=cache.accepts_recreated_table)
    date = export_date(export, options.timezone)
    locations = _locations(export, options)
    published = records.find(export.export_id)
    others = tuple(entry for entry in records.entries if entry is not published)
    warnings: list[str] = []
    if published is not None:
        own = records.load(published)
        differences = _differences(own, options, chain)
        if differences and not options.replace:
            raise _other_options_error(own, differences, destination)
        warnings += [] if differences else _damages(own, destination)
        to_check = options.replace and options.verify and not own.verified
        to_widen = options.replace and _is_outgrown(own, others)
        to_cut = options.replace and own.options.get("part_size", options.part_size) != options.part_size
        if not (differences or warnings or to_check or to_widen or to_cut):
            return _nothing_to_do(own, others, options)
    replaced = [entry for entry in others if _counts_twice(entry, export, date, locations)]
    if replaced and not options.replace:
        raise _twice_error(replaced[-1], destination)
    going = {entry.export_id for entry in replaced}
    kept = tuple(entry for entry in others if entry.export_id not in going)
    warnings += _other_zones(kept, options)
    if published is not None:
        replaced.append(published)
    # The folders that the records themselves name are removed, and not those of the index.
    removed_records = [records.load(entry) for entry in replaced]
    remove = [Removal(record.export_id, folder) for record in removed_records for folder in record.locations or ("",)]
    removed = {removal.folder for removal in remove}
    unknown = [location for location in locations if location not in removed and destination.names(location)]
    if unknown and destination.read(INTENT) is not None:
        warnings.append("a run is publishing here, or died while it did: the next run finishes that first")
    elif unknown and not options.replace:
        raise _unknown_folder_error(destination.child(unknown[0]))
    else:
        remove += [Removal(export.export_id, location) for location in unknown]
    return Decision(
        locations=locations,
        date=date,
        replaced=tuple(sorted(replaced, key=lambda entry: (entry.export_micros, entry.export_id))),
        kept=kept,
        sequence=max((entry.sequence for entry in records.entries), default=0) + 1,
        remove=tuple(remove),
        warnings=tuple(warnings),
    )


def _locations(export: Summary, options: ConvertOptions) -> tuple[str, ...]:
    """The folder of the parts; with both formats that of each, in the order of their names."""
    folder = posixpath.join(render_layout(options.layout, export, options.timezone), export.export_id)
    formats = options.by_format()
    return (folder,) if len(formats) == 1 else tuple(posixpath.join(one.format, folder) for one in formats)


def _is_outgrown(record: Record, others: Sequence[RecordEntry]) -> bool:
    """Return whether a later run made a column wider, so that no reader can read both runs' parts together."""
    last = newest(others)
    if last is None or last.sequence < record.sequence:
        return False
    return last.columns[: len(record.columns)] != record.columns


def _counts_twice(entry: RecordEntry, export: Summary, date: str, locations: Sequence[str]) -> bool:
    """Return whether readers of a date or of a folder would find the items of both exports."""
    if export.kind is ExportKind.CHANGES or entry.kind is ExportKind.CHANGES:
        return False
    return entry.date == date or any(posixpath.dirname(location) in entry.folders for location in locations)


def _twice_error(entry: RecordEntry, destination: Destination) -> UsageError:
    return UsageError(
        f"export {entry.export_id} of the same table is already published for {entry.date}: readers would count"
        " items twice",
        destination.child(entry.locations[0] if entry.locations else record_path(entry.export_id)),
        "pass --replace to put this export in its place, or choose another DEST",
    )


def _differences(record: Record, options: ConvertOptions, chain: MergeChain | None) -> list[str]:
    """The options that differ, as `--format: parquet → csv`, and of a snapshot what it is made of."""
    found = []
    merge = record.report.merge
    if merge is not None and chain is not None and merge.chain != chain:
        found.append(f"made of: {merge.chain.described} → {chain.described}")
    if record.options_hash == options.published_hash():
        return found
    for name, (before, now) in options.differences(record.options).items():
        difference = f"{_shown(before)} → {_shown(now)}"
        if name == "schema":
            difference = describe_schema_difference(record, options)
        found.append(f"{option_name(name)}: {difference}")
    return found


def _shown(value: object) -> str:
    """Return the value of an option as users type it. Pairs are lists of two."""
    if isinstance(value, list):
        return ", ".join("=".join(map(str, each)) if isinstance(each, list) else str(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _other_options_error(record: Record, differences: Sequence[str], destination: Destination) -> UsageError:
    return UsageError(
        f"export {record.export_id} is already published with other options ({'; '.join(differences)})",
        destination.child(record_path(record.export_id)),
        "use the same options, pass --replace to publish it again, or choose another DEST",
    )


def _other_zones(kept: Sequence[RecordEntry], options: ConvertOptions) -> list[str]:
    """A warning where the dates of exports that stay are days in another time zone."""
    zones = sorted({entry.timezone for entry in kept} - {options.timezone})
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
            lost = f"{missing} {'is' if missing == 1 else 'are'} missing"
            changed = f"{resized} {'has' if resized == 1 else 'have'} another size"
            damages.append(
                f"{destination.child(location)}: of {len(parts)} published parts {lost} and {changed}; the export is"
                " published again"
            )
    return damages


def _nothing_to_do(own: Record, kept: tuple[RecordEntry, ...], options: ConvertOptions) -> Decision:
    warnings: tuple[str, ...] = ()
    if options.verify and not own.verified:
        warnings = (f"export {own.export_id} was published with --no-verify; pass --replace to publish it checked",)
    return Decision(
        locations=own.locations,
        date=own.date,
        published=own,
        kept=kept,
        sequence=own.sequence,
        warnings=warnings,
    )


def _unknown_folder_error(place: str) -> UsageError:
    return UsageError(
        "the export's folder is there and not empty, but no record says what is in it",
        place,
        "remove the folder, or pass --replace to publish in its place",
    )
