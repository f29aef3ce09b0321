"""Measures what a long history costs a run: `python -m benchmarks.run state`, or `python -m benchmarks.state`.

A destination gets a year of change records, one for each 15 minutes, made of a real one. Then `sync --incremental` and
`sync --incremental --merge` run against a served DynamoDB and S3, each in a process of its own: at a destination with
the history and at one without it. The difference is what the history costs, in CPU seconds and in memory.

The first run with the history finds no index, and reads all records. The next one is what every run is like.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

RECORDS = 35_000
WINDOW = timedelta(minutes=15)
_EXPORTS = "changes/_exports"


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time, time and memory of one run. megabytes: the peak of resident memory."""

    cpu_seconds: float
    seconds: float
    megabytes: float


def make_history(record: Mapping[str, Any], count: int, step: timedelta = WINDOW) -> dict[str, bytes]:
    """Records of the times before that of this record, and the record itself as the newest one, by their names."""
    draw = random.Random(0)
    end = datetime.fromisoformat(record["exportTime"])
    made = {}
    for number in range(count):
        before = count - number
        moment = end - before * step
        export_id = f"0{int(moment.timestamp() * 1000)}-{draw.getrandbits(32):08x}"
        text = json.dumps(record).replace(record["exportId"], export_id)
        members = json.loads(text.replace(record["date"], f"{moment:%Y-%m-%d}"))
        shown = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        members.update(exportTime=shown, sequence=number + 1)
        members["report"].update(exportTime=shown, items=draw.randrange(10_000), seconds=draw.random())
        for column in members["report"]["columns"]:
            if column["integerDigits"]:
                column["integerDigits"] = draw.randrange(1, 9)
        made[f"{export_id}.json"] = json.dumps(members, indent=1).encode()
    newest = json.dumps({**record, "sequence": count + 1}, indent=1).encode()
    return {**made, f"{record['exportId']}.json": newest}


def measure_state(records: int, places: Sequence[str], out: Path) -> None:
    """Print what the history costs at each kind of place: `local`, `s3`."""
    from tests.servers.dynamodb import play_dynamodb
    from tests.servers.ministack import start_ministack

    with start_ministack(out) as server, play_dynamodb(server) as service:
        os.environ.update(service.server.environment())
        service.polls = 0
        print(f"{'DEST':<6} {'command':<28} {'records':>8} {'CPU s':>7} {'wall s':>7} {'MB':>6}")
        for place in places:
            for merge in (False, True):
                for count in (0, records):
                    _measure_one(service, place, merge, count, out)


def _measure_one(service: Any, place: str, merge: bool, count: int, out: Path) -> None:
    from tests.end_to_end.nights import BEGIN, LATE, Nights

    dest = tempfile.mkdtemp(dir=out) if place == "local" else f"s3://{service.behind.new_bucket()}/out"
    nights = Nights(service, dest)
    for hour in (1, 2):
        nights.run(hour, merge=merge)
    if count:
        _write_history(service, dest, count)
    for hour, what in ((3, "first run"), (4, "next run")):
        now = BEGIN + timedelta(hours=hour) + LATE
        service.recovery = (BEGIN - timedelta(days=20), now - timedelta(minutes=5))
        place_of_exports = [nights.place.bucket, nights.place.prefix or ""]
        run = [nights.table.name, dest, *place_of_exports, now.isoformat(), str(int(merge))]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.state", "--child", *run], stdout=subprocess.PIPE, check=True
        )
        cost = Cost(**json.loads(done.stdout))
        command = f"incremental{' --merge' if merge else ''}, {what}"
        print(
            f"{place:<6} {command:<28} {count:>8,} {cost.cpu_seconds:>7.2f} {cost.seconds:>7.2f}"
            f" {cost.megabytes:>6.0f}",
            flush=True,
        )


def _write_history(service: Any, dest: str, count: int) -> None:
    if not dest.startswith("s3://"):
        folder = Path(dest) / _EXPORTS
        [newest] = folder.glob("*.json")
        for name, content in make_history(json.loads(newest.read_bytes()), count).items():
            (folder / name).write_bytes(content)
        return
    bucket, _, prefix = dest.removeprefix("s3://").partition("/")
    [newest_text] = [
        content
        for key, content in service.behind.listing(bucket, f"{prefix}/{_EXPORTS}/").items()
        if key.endswith(".json")
    ]
    client = service.behind.client()
    with ThreadPoolExecutor(8) as pool:
        puts = [
            pool.submit(client.put_object, Bucket=bucket, Key=f"{prefix}/{_EXPORTS}/{name}", Body=content)
            for name, content in make_history(json.loads(newest_text), count).items()
        ]
        for put in puts:
            put.result()


def _run_child(table: str, dest: str, bucket: str, prefix: str, now: str, merge: str) -> None:
    """One run, in this process; print its cost."""
    from converter import AwsOptions, Changes, ConvertOptions, ExportTarget
    from converter.api import _execution
    from converter.syncing.incremental import sync_changes
    from converter.syncing.incremental_options import SyncChanges
    from converter.syncing.pending_exports import Clock

    moment = datetime.fromisoformat(now)
    target = ExportTarget(bucket=bucket, prefix=prefix)
    sync = SyncChanges(table=table, dest=dest, target=target, changes=Changes(merge=bool(int(merge))), timeout=60)
    options = ConvertOptions(workers=2)
    clock = Clock(lambda: moment, lambda _: None)
    started = time.perf_counter()
    report = sync_changes(sync, options, _execution(options, AwsOptions()), clock)
    seconds = time.perf_counter() - started
    if len(report.windows) != 1:
        raise SystemExit(f"the run has published {len(report.windows)} windows")
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss, which begins with what the parent had.
    [peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    print(json.dumps(asdict(Cost(used.ru_utime + used.ru_stime, seconds, int(peak) / 1024))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure at folders and at S3."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.state", description=main.__doc__)
    parser.add_argument("--records", type=int, default=RECORDS, help=f"change records that are there ({RECORDS:,})")
    parser.add_argument("--place", choices=("local", "s3"), action="append", help="may be repeated; all by default")
    parser.add_argument("--child", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        _run_child(*options.child)
        return 0
    with tempfile.TemporaryDirectory() as out:
        measure_state(options.records, options.place or ("local", "s3"), Path(out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
