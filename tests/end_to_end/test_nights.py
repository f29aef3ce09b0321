"""Nine nights of `sync`, with all that goes wrong at night: one right folder for each that ran, of one export."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import REPOSITORY, environment
from tests.oracle import assert_equal_to_table, expected_table_of
from tests.servers.dynamodb import PlayedDynamoDb

NIGHTS = 9
FAILED, TWICE, MISSED, DELETED, KILLED = 2, 3, 5, 6, 8


def items_of(night: int) -> Sequence[Mapping[str, Any]]:
    """The table grows by ten items a night, loses one, and each item changes."""
    return [
        {"id": {"S": f"O-{number:03}"}, "night": {"N": str(night)}, "price": {"N": f"{number * night}.50"}}
        for number in range(10 * night + 10)
        if number != night
    ]


@pytest.mark.slow
def test_every_night_that_ran_has_one_right_folder_of_one_export(
    dynamodb: PlayedDynamoDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb.server.use(monkeypatch)
    dynamodb.polls = 0
    table, bucket = dynamodb.new_table(), dynamodb.behind.new_bucket()
    dest = tmp_path / "out"
    # The last one is over for so long that it can be exported.
    first = datetime.now(UTC).date() - timedelta(days=NIGHTS + 1)
    days = {night: first + timedelta(days=night - 1) for night in range(1, NIGHTS + 1)}
    dynamodb.history[table.name] = {
        datetime(day.year, day.month, day.day, 12, tzinfo=UTC): items_of(night) for night, day in days.items()
    }

    def start(day: date) -> subprocess.Popen[str]:
        command = ["sync", table.name, str(dest), "--bucket", bucket, "--date", str(day), "--json", "--quiet"]
        return subprocess.Popen(
            [sys.executable, str(REPOSITORY / "cli.py"), *command],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(day: date, expected: int = 0) -> dict[str, Any]:
        process = start(day)
        said, problem = process.communicate(timeout=120)
        assert process.returncode == expected, problem
        return json.loads(said) if said else {}

    for night, day in days.items():
        # A night later the service knows no token any more.
        dynamodb.forget_tokens()
        match night:
            case _ if night == FAILED:
                dynamodb.fail_next("InternalFailure", "said by a test")
                run(day, expected=3)
                assert run(day)["export"] == "started"
            case _ if night == TWICE:
                both = [start(day), start(day)]
                problems = [process.communicate(timeout=120)[1] for process in both]
                codes = sorted(process.returncode for process in both)
                assert codes in ([0, 0], [0, 6]), problems
            case _ if night == MISSED:
                continue
            case _ if night == DELETED:
                run(day)
                dynamodb.behind.delete(bucket)
            case _ if night == KILLED:
                dynamodb.polls = None
                before = len(dynamodb.calls)
                process = start(day)
                begun = dynamodb.wait_until_asked("ExportTableToPointInTime", before)
                dynamodb.wait_until_asked("DescribeExport", begun)
                process.kill()
                process.communicate()
                dynamodb.finish(list(dynamodb.exports)[-1])
                dynamodb.polls = 0
                assert run(day)["export"] == "found"
            case _:
                assert run(day)["export"] == "started"
    # The morning after, everything is triggered once more.
    dynamodb.forget_tokens()
    ran = {night: day for night, day in days.items() if night != MISSED}
    for day in ran.values():
        assert run(day)["export"] == "published"

    assert sorted(folder.name for folder in dest.glob("dt=*")) == [f"dt={day}" for day in ran.values()]
    for night, day in ran.items():
        (folder,) = (dest / f"dt={day}").iterdir()
        expected = expected_table_of([dict(item) for item in items_of(night)])
        assert_equal_to_table(expected, sorted(folder.glob("*.parquet")), "parquet", key="id")
    completed = Counter(
        export.asked["ExportTime"] for export in dynamodb.exports.values() if export.status == "COMPLETED"
    )
    assert set(completed.values()) == {1}
    assert len(completed) == len(ran)
    assert len(dynamodb.exports) == len(ran) + 1  # the one that failed
