"""Publishing what was decided: the commit, the index after it, and the report of a run that had nothing to do."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Sequence
from dataclasses import replace

from converter.publishing.decision import Decision
from converter.publishing.record import Record
from converter.publishing.report import Part, Report
from converter.storage.destination import Staging
from converter.storage.intent import PendingPart


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


def _path_of(part: PendingPart, decision: Decision) -> str:
    return posixpath.join(decision.locations[part.folder], part.name)


def unchanged(record: Record, dest: str, started: float, warnings: tuple[str, ...]) -> Report:
    """Return the report of a run that found its work done. started: time.perf_counter at the start."""
    seconds = time.perf_counter() - started
    return replace(record.report, status="unchanged", destination=dest, seconds=seconds, warnings=warnings)
