"""The options of a run that publishes changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import get_args

from converter.aws.tables import Table
from converter.aws.target import ExportTarget, View
from converter.errors import UsageError
from converter.options import ConvertOptions, OnGap
from converter.syncing.export_day import check_day

_CHOSEN = "the table and the destination determine which exports are used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes that are published, and whether snapshots are made of them.

    view: whether they say what an item was before. merge: publish a snapshot too. on_gap: what to do if
    some can't be exported any more. day: up to its last second, in the time zone of the options; None is up to now.
    """

    view: View = "new-and-old"
    merge: bool = False
    on_gap: OnGap = "fail"
    day: date | None = None

    def __post_init__(self) -> None:
        for option, value, known in (("--view", self.view, View), ("--on-gap", self.on_gap, OnGap)):
            if value not in get_args(known):
                raise UsageError(f"{value!r} is not known", option, f"use one of: {', '.join(get_args(known))}")
        check_day(self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncChanges:
    """A request for the changes of a table, below `dest`.

    table: its name or ARN. target: where exports are looked for, and where they are made. timeout: seconds to wait;
    None: as long as it takes.
    """

    table: str
    dest: str
    target: ExportTarget
    changes: Changes
    timeout: float | None = None


def check_options(changes: Changes, options: ConvertOptions) -> None:
    """Raise UsageError for options that do not apply here, or with which snapshots could never be merged."""
    for option, given, reason in (
        ("--latest", options.latest, _CHOSEN),
        ("--export-id", options.export_id is not None, _CHOSEN),
        ("--replace", options.replace, "new changes continue from what is published at DEST, and replace nothing"),
        ("--old-image", options.old_image and changes.view == "new", "exports with --view new have no old images"),
    ):
        if given:
            raise UsageError(reason, option, "leave it out")
    if changes.merge and options.format == "csv":
        raise UsageError(
            "a snapshot is merged from Parquet files, because CSV does not keep types",
            "--format",
            "write csv,parquet for both",
        )


def check_keys(table: Table, options: ConvertOptions) -> None:
    """Raises UsageError for options with which the keys would not be in a snapshot as a merge needs them."""
    for name, tag in table.keys:
        if not options.wants(name):
            raise UsageError(f"a merge needs the key {name!r}", "--select, --exclude", "include it in the columns")
        if name in options.times() or (tag == "N" and options.numbers == "double"):
            raise UsageError(
                f"a merge needs the key {name!r} exactly as it is in the table",
                "--cast, --time, --numbers",
                "convert it unchanged",
            )
