"""All a run does outside of DEST is read: no file of its own anywhere, no compiler, no other process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from converter.testing import Change, ExportFacts, WindowFacts, write_export, write_incremental_export
from tests.cli.command import REPOSITORY, ddb_convert
from tests.cli.tracing import Trace, names_on, read_trace, trace_command
from tests.servers.dynamodb import PlayedDynamoDb

ORDERS = str(REPOSITORY / "fixtures" / "orders")
NIGHTLY = ("--bucket", "exports", "--cron", "0 2 * * ? *")
MORNING = datetime(2026, 11, 27, 6, tzinfo=UTC)


def assert_only_reads(trace: Trace, *unless: Path) -> None:
    """The command succeeded in one process, with no compiler, and wrote nothing outside of these files and folders."""
    assert trace.code == 0, trace.stderr
    assert sorted(path for path in trace.changed if not any(path.is_relative_to(place) for place in unless)) == []
    assert names_on(trace.read).isdisjoint({"numba", "llvmlite"})
    assert (trace.forks, trace.programs) == (0, 1)


@pytest.fixture(params=["read-only", None])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """A HOME that can't be written to, or None for no HOME."""
    if request.param is None:
        return None
    folder = tmp_path / "home"
    folder.mkdir(mode=0o555)
    return folder


@pytest.fixture
def merged(tmp_path: Path) -> list[str]:
    """A full export, and an increment with one change."""
    items = [{"id": f"i-{number}", "n": number} for number in range(6)]
    window = WindowFacts(from_time=MORNING, to_time=MORNING + timedelta(hours=1))
    change = Change(keys={"id": "i-1"}, old=items[1], new={"id": "i-1", "n": 7}, written=MORNING)
    full = write_export(tmp_path / "bucket", items, files=2, facts=ExportFacts(export_time=MORNING))
    increment = write_incremental_export(tmp_path / "bucket", [change], facts=window)
    return [str(full.folder), str(increment.folder)]


def test_a_conversion_writes_only_below_dest(tmp_path: Path, home: Path | None) -> None:
    trace = trace_command("convert", ORDERS, "out", "--format", "csv,parquet", cwd=tmp_path, home=home)
    assert_only_reads(trace, tmp_path / "out")
    # Otherwise the trace could have missed what it is to find.
    for part in (*(tmp_path / "out").rglob("*.csv"), *(tmp_path / "out").rglob("*.parquet")):
        assert f"{part.name}.pending" in {path.name for path in trace.changed}
    assert {"pyarrow", "kernels"} <= names_on(trace.read)


def test_a_conversion_of_ion_writes_only_below_dest(tmp_path: Path) -> None:
    items = [{"id": f"i-{number}"} for number in range(9)]
    export = write_export(tmp_path / "bucket", items, facts=ExportFacts(output_format="ION"))
    trace = trace_command("convert", str(export.folder), "out", cwd=tmp_path, home=None)
    assert_only_reads(trace, tmp_path / "out")
    assert list((tmp_path / "out").rglob("*.parquet"))


def test_a_merge_writes_only_below_dest(tmp_path: Path, home: Path | None, merged: list[str]) -> None:
    trace = trace_command("merge", *merged, "out", cwd=tmp_path, home=home)
    assert_only_reads(trace, tmp_path / "out")
    assert list((tmp_path / "out").rglob("*.parquet"))


def test_inspecting_writes_nothing(tmp_path: Path, home: Path | None) -> None:
    assert_only_reads(trace_command("inspect", ORDERS, cwd=tmp_path, home=home))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("recipe", "duckdb", "dest"),
        ("clean", "dest", "--dry-run"),
        ("schedule", "render", "Orders", "s3://lake/orders", *NIGHTLY),
    ],
    ids=lambda arguments: arguments[0],
)
def test_other_commands_write_nothing(tmp_path: Path, arguments: Sequence[str]) -> None:
    if "dest" in arguments:
        assert ddb_convert("convert", ORDERS, str(tmp_path / "dest")).returncode == 0
    assert_only_reads(trace_command(*arguments, cwd=tmp_path, home=None))


def test_exporting_and_converting_from_s3_to_s3_writes_no_file(dynamodb: PlayedDynamoDb, tmp_path: Path) -> None:
    dynamodb.polls = 0
    table = dynamodb.new_table(items=[{"id": {"S": f"i-{number}"}} for number in range(9)])
    bucket, dest = dynamodb.behind.new_bucket(), dynamodb.behind.new_bucket()
    command = ["sync", table.name, f"s3://{dest}/orders", "--bucket", bucket]
    assert_only_reads(trace_command(*command, cwd=tmp_path, home=None, **dynamodb.server.environment()))
    assert [key for key in dynamodb.behind.listing(dest) if key.endswith(".parquet")]


def test_a_trace_tells_writing_from_reading_and_processes_from_threads() -> None:
    lines = [
        'execve("/usr/bin/python3", ["python3"], 0x7ffd /* 3 vars */) = 0',
        'openat(AT_FDCWD</here>, "read", O_RDONLY|O_CLOEXEC) = 3</here/read>',
        'openat(5</here/out>, "written", O_WRONLY|O_CREAT, 0666) = -1 EROFS (Read-only file system)',
        'renameat(5</here/out>, "old", AT_FDCWD</here>, "../new") = 0',
        'mkdir("made", 0777) = 0',
        "clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 12",
        "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 13",
    ]
    trace = read_trace(lines, Path("/here"), 0, "")
    assert trace.read == {Path("/usr/bin/python3"), Path("/here/python3"), Path("/here/read")}
    assert trace.changed == {Path(path) for path in ("/here/out/written", "/here/out/old", "/new", "/here/made")}
    assert (trace.forks, trace.programs) == (1, 1)
