"""What the tests of `sync` have in common: items, the played service, a time that passes when it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from converter import AwsOptions, Changes, ConvertOptions, ExportTarget
from converter.api import _execution
from converter.conversion.progress import SilentListener
from converter.syncing.daily import Sync, SyncReport, sync_day
from converter.syncing.incremental import sync_changes
from converter.syncing.incremental_options import SyncChanges
from converter.syncing.incremental_report import ChangesReport
from converter.syncing.pending_exports import Clock
from tests.oracle import assert_equal_to_table, expected_table_of
from tests.servers.dynamodb import PlayedDynamoDb, PlayedTable

ITEMS: Sequence[Mapping[str, Any]] = [
    {"id": {"S": f"O-{number:03}"}, "price": {"N": f"{number}.25"}, "tags": {"SS": ["a", "b"]}} for number in range(40)
] + [{"id": {"S": "O-900"}, "price": {"N": "0.1234567890123456789"}, "note": {"M": {"n": {"N": "7"}, "s": {"S": "ü"}}}}]
DAY = datetime.now(UTC).date() - timedelta(days=2)
"""Over for so long that it can be exported, wherever one is."""


def target(service: PlayedDynamoDb) -> ExportTarget:
    return ExportTarget(bucket=service.behind.new_bucket(), prefix="dynamodb/orders")


def published(dest: Path) -> dict[str, list[Path]]:
    """The parts of each date."""
    days = sorted(dest.glob("dt=*"))
    return {day.name.removeprefix("dt="): sorted(day.rglob("*.parquet")) for day in days}


def assert_holds(parts: list[Path], items: Sequence[Mapping[str, Any]]) -> None:
    assert_equal_to_table(expected_table_of([dict(item) for item in items]), parts, "parquet", key="id")


def begun(service: PlayedDynamoDb) -> int:
    """How many exports the service has been made to begin."""
    return len(service.exports)


class Heard(SilentListener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.phases: list[str] = []

    def warned(self, text: str) -> None:
        self.warnings.append(text)

    def phase(self, text: str) -> None:
        self.phases.append(text)


class FakeTime:
    """A clock that sleeping puts forward, and that reads the times in `next` first."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.next: list[datetime] = []

    def read(self) -> datetime:
        if self.next:
            self.now = self.next.pop(0)
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def sync_at(
    now: FakeTime,
    table: PlayedTable,
    dest: Path,
    target: ExportTarget,
    listener: SilentListener | None = None,
    **given: Any,
) -> SyncReport:
    """A sync in a time that is not ours."""
    options = ConvertOptions(timezone=given.pop("timezone", "UTC"))
    sync = Sync(table=table.name, dest=str(dest), target=target, **given)
    clock = Clock(now.read, now.sleep)
    return sync_day(sync, options, _execution(options, AwsOptions(), listener), clock)


def sync_changes_at(
    now: FakeTime,
    table: PlayedTable,
    dest: Path | str,
    target: ExportTarget,
    changes: Changes,
    options: ConvertOptions | None = None,
    listener: SilentListener | None = None,
) -> ChangesReport:
    """The same for changes."""
    options = options or ConvertOptions()
    sync = SyncChanges(table=table.name, dest=str(dest), target=target, changes=changes, timeout=3600)
    clock = Clock(now.read, now.sleep)
    return sync_changes(sync, options, _execution(options, AwsOptions(), listener), clock)
