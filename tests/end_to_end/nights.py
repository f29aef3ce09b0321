"""Runs of `sync --incremental`, each at its own time, for a table that changes every hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from converter import Changes, ConvertOptions, ExportTarget
from converter.syncing.incremental_report import ChangesReport
from tests.end_to_end.syncing import FakeTime, Heard, sync_changes_at, target
from tests.servers.dynamodb import PlayedDynamoDb, PlayedTable

# A whole hour, so long ago that all of it can be exported.
# Always at the same hour: what follows must be in one day, whatever the time of the test.
BEGIN = datetime.now(UTC).replace(hour=3, minute=0, second=0, microsecond=0) - timedelta(days=12)
LATE = timedelta(minutes=7)
"""So long after a moment a run brings all up to it."""
HOUR = timedelta(hours=1)


def items_at(hour: int) -> Sequence[Mapping[str, Any]]:
    """The table grows by two items an hour, loses one of them later, and every third changes."""
    return [
        {"id": {"S": f"O-{number:03}"}, "hour": {"N": str(hour if number % 3 == 0 else 0)}, "price": {"N": "1.10"}}
        for number in range(2 * hour + 4)
        if number % 4 != 1 or number > 2 * hour
    ]


def history(hours: int) -> dict[datetime, Sequence[Mapping[str, Any]]]:
    """What is written is written half an hour before each full hour."""
    return {BEGIN + hour * HOUR - HOUR / 2: items_at(hour) for hour in range(hours + 1)}


class Nights:
    """Runs for a table, each at its own time."""

    def __init__(self, service: PlayedDynamoDb, dest: Path | str, place: ExportTarget | None = None) -> None:
        self.service, self.dest = service, dest
        self.table: PlayedTable = service.new_table()
        self.place = place or target(service)
        self.heard = Heard()
        service.history[self.table.name] = history(300)
        service.polls = 0

    def run(self, hour: float, options: ConvertOptions | None = None, **changes: Any) -> ChangesReport:
        """As if it were so many hours after the beginning, and somewhat later."""
        now = FakeTime(BEGIN + hour * HOUR + LATE)
        earliest = self.service.recovery[0] if self.service.recovery else BEGIN - timedelta(days=20)
        self.service.recovery = (earliest, now.now - timedelta(minutes=5))
        wanted = Changes(**changes)
        return sync_changes_at(now, self.table, self.dest, self.place, wanted, options, self.heard)

    def snapshot(self) -> list[Path]:
        """The parts of the newest one."""
        days = sorted((Path(self.dest) / "snapshot").glob("dt=*"))
        return sorted(days[-1].rglob("*.parquet"))

    def windows(self) -> list[tuple[datetime, datetime]]:
        """Of the exports of changes that the service was asked for, in order."""
        specifications = [
            asked["IncrementalExportSpecification"]
            for operation, asked in self.service.calls
            if operation == "ExportTableToPointInTime" and "IncrementalExportSpecification" in asked
        ]
        return [
            (datetime.fromtimestamp(each["ExportFromTime"], UTC), datetime.fromtimestamp(each["ExportToTime"], UTC))
            for each in specifications
        ]
