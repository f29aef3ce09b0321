"""A destination that can't be written, is full, or is somebody else's: one clear message, and nothing left behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from converter import scan
from converter.errors import StorageError
from converter.testing import ExportFacts, ExportPaths, write_split_export
from tests.cli.command import ddb_convert, environment, python
from tests.cli.failures import check_failure
from tests.cli.forking import ForkedCommands
from tests.end_to_end.exports import incompressible_lines, small_lines


@pytest.fixture
def export(tmp_path: Path) -> ExportPaths:
    return write_split_export(tmp_path / "bucket", [list(small_lines(50))])


@pytest.fixture
def large(tmp_path: Path) -> ExportPaths:
    """An export whose output is larger than the small file systems below."""
    return write_split_export(tmp_path / "large", [list(incompressible_lines(4000))])


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own at the folder; the test is skipped where that is not allowed."""
    folder.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_a_full_disk_is_named_and_left_as_empty_as_it_was(format: str, large: ExportPaths, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "size=300k") as small:
        done = ddb_convert("convert", str(large.folder), str(small / "out"), "--format", format, cwd=tmp_path)
        check_failure(done, 5, "the disk is full", str(small), dest=small / "out")
        assert list(small.iterdir()) == []


def test_a_disk_without_room_for_names_is_full_too(export: ExportPaths, forked: ForkedCommands, tmp_path: Path) -> None:
    for names in range(2, 8):
        with mounted(tmp_path / f"small{names}", f"size=1m,nr_inodes={names}") as small:
            done = forked.run("convert", str(export.folder), str(small / "out"), cwd=tmp_path)
            check_failure(done, 5, "the disk is full", dest=small / "out")


def test_a_disk_that_is_full_in_the_very_end_publishes_all_or_nothing(
    large: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    report = json.loads(forked.run("convert", str(large.folder), "elsewhere", "--json", cwd=tmp_path).stdout)
    codes = []
    for more in range(0, 40, 4):
        room = -(-report["bytesOut"] // 4096) * 4 + more
        with mounted(tmp_path / f"small{more}", f"size={room}k") as small:
            done = forked.run("convert", str(large.folder), str(small / "out"), cwd=tmp_path)
            codes.append(done.returncode)
            parts = list((small / "out").glob("dt=*/**/*.parquet"))
            if not done.returncode:
                assert len(parts) == len(report["parts"])
            elif "has begun" not in done.stderr:
                check_failure(done, 5, "the disk is full", dest=small / "out")
    assert codes[0] == 5
    assert codes[-1] == 0


def test_a_full_disk_leaves_what_was_published_before(
    export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    later = ExportFacts(export_time=datetime(2023, 11, 27, 20, tzinfo=UTC))
    large = write_split_export(tmp_path / "large", [list(incompressible_lines(4000))], facts=later)
    with mounted(tmp_path / "small", "size=600k") as small:
        assert forked.run("convert", str(export.folder), str(small / "out"), cwd=tmp_path).returncode == 0
        before = {path: path.read_bytes() for path in small.rglob("*") if path.is_file()}
        done = forked.run("convert", str(large.folder), str(small / "out"), "--replace", cwd=tmp_path)
        check_failure(done, 5, "the disk is full")
        assert {path: path.read_bytes() for path in small.rglob("*") if path.is_file()} == before


def test_a_read_only_file_system_is_named(export: ExportPaths, forked: ForkedCommands, tmp_path: Path) -> None:
    with mounted(tmp_path / "locked", "size=1m,ro") as locked:
        done = forked.run("convert", str(export.folder), str(locked / "out"), cwd=tmp_path)
        check_failure(done, 5, str(locked), "read-only", dest=locked / "out")


@pytest.mark.parametrize("dest", ["/proc/out", "/dev/null/out", "/sys/out"])
def test_a_place_where_nothing_can_be_made_is_named(
    dest: str, export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    done = forked.run("convert", str(export.folder), dest, cwd=tmp_path)
    assert done.returncode in (2, 5)
    check_failure(done, done.returncode, dest.rpartition("/")[0], dest=Path(dest))


def test_a_file_is_no_destination(export: ExportPaths, forked: ForkedCommands, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    done = forked.run("convert", str(export.folder), "out", cwd=tmp_path)
    check_failure(done, 2, "out: the destination is not a folder")
    assert (tmp_path / "out").read_text() == "mine"
    below = forked.run("convert", str(export.folder), "out/below", cwd=tmp_path)
    check_failure(below, 5, "out")


@pytest.mark.parametrize("dest", ["", "s3://", "gs://bucket/prefix", "x" * 300])
def test_a_destination_that_can_not_be_one_is_refused(
    dest: str, export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    done = forked.run("convert", str(export.folder), dest, cwd=tmp_path)
    check_failure(done, 5 if len(dest) > 255 else 2, dest)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bucket"]


def test_a_destination_of_another_table_is_refused(export: ExportPaths, forked: ForkedCommands, tmp_path: Path) -> None:
    other = write_split_export(tmp_path / "other", [list(small_lines(1))], facts=ExportFacts(table="Users"))
    assert forked.run("convert", str(export.folder), "out", cwd=tmp_path).returncode == 0
    for options in ([], ["--replace"], ["--dry-run"]):
        done = forked.run("convert", str(other.folder), "out", *options, cwd=tmp_path)
        check_failure(done, 2, "table/Orders", "table/Users")


def test_another_export_of_the_date_is_refused(export: ExportPaths, forked: ForkedCommands, tmp_path: Path) -> None:
    later = ExportFacts(export_time=datetime(2023, 11, 27, 20, tzinfo=UTC))
    other = write_split_export(tmp_path / "other", [list(small_lines(7))], facts=later)
    assert forked.run("convert", str(export.folder), "out", cwd=tmp_path).returncode == 0
    check_failure(forked.run("convert", str(other.folder), "out", cwd=tmp_path), 2, export.export_id, "--replace")
    done = forked.run("convert", str(other.folder), "out", "--replace", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    parts = sorted(path.parent.name for path in (tmp_path / "out").glob("dt=*/**/*.parquet"))
    assert parts == [other.export_id]
    assert [path.stem for path in (tmp_path / "out" / "_exports").glob("*.json")] == [other.export_id]


@pytest.mark.parametrize("content", ["", "{", '{"version":1}', '{"version":99}'], ids=["empty", "cut", "bare", "newer"])
def test_a_damaged_record_is_named(content: str, export: ExportPaths, forked: ForkedCommands, tmp_path: Path) -> None:
    assert forked.run("convert", str(export.folder), "out", cwd=tmp_path).returncode == 0
    [record] = (tmp_path / "out" / "_exports").glob("*.json")
    record.write_text(content)
    done = forked.run("convert", str(export.folder), "out", cwd=tmp_path)
    check_failure(done, 2 if "99" in content else 5, record.name)


@pytest.mark.parametrize("name", ["dt=2023-11-27", "_exports"])
def test_a_link_in_the_destination_is_refused_by_everything_that_would_follow_it(
    name: str, export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "empty" / name).symlink_to(tmp_path / "outside")
    done = forked.run("convert", str(export.folder), "empty", cwd=tmp_path)
    check_failure(done, 5, "symbolic link", f"empty/{name}", "remove it")
    assert not list((tmp_path / "outside").iterdir())
    # The same with what was published, which is elsewhere now.
    assert forked.run("convert", str(export.folder), "out", cwd=tmp_path).returncode == 0
    (tmp_path / "out" / name).rename(tmp_path / "moved")
    (tmp_path / "out" / name).symlink_to(tmp_path / "moved")
    before = sorted((tmp_path / "moved").rglob("*"))
    commands = [["recipe", "duckdb", "out"], ["convert", str(export.folder), "out", "--replace", "--key", "id"]]
    commands += [["clean", "out"]] if name == "_exports" else []
    for command in commands:
        check_failure(forked.run(*command, cwd=tmp_path), 5, "symbolic link", f"out/{name}")
    with pytest.raises(StorageError, match="symbolic link"):
        scan(tmp_path / "out")
    assert sorted((tmp_path / "moved").rglob("*")) == before


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("date", "2023-11-27\nDROP TABLE customers; --"),
        ("timezone", "Asia/Tokyo\nDROP TABLE customers; --"),
        ("columns", [{"name": "a", "attribute": "a", "type": "string\nDROP", "origin": "text"}]),
        ("columns", [{"name": "a", "attribute": "a", "type": "decimal128(38, 5)\nDROP", "origin": "number"}]),
    ],
)
def test_a_record_that_somebody_else_wrote_is_refused_by_member(
    member: str, value: object, export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    assert forked.run("convert", str(export.folder), "out", cwd=tmp_path).returncode == 0
    [record] = (tmp_path / "out" / "_exports").glob("*.json")
    record.write_text(json.dumps({**json.loads(record.read_text()), member: value}))
    commands = [["recipe", consumer, "out", "--location", "s3://lake/x"] for consumer in ("athena", "duckdb", "spark")]
    for command in [*commands, ["convert", str(export.folder), "out"]]:
        check_failure(forked.run(*command, cwd=tmp_path), 5, record.name, f"$.{member}")


def test_parts_that_were_damaged_since_are_published_anew(
    export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    first = json.loads(forked.run("convert", str(export.folder), "out", "--json", cwd=tmp_path).stdout)
    part = tmp_path / "out" / first["parts"][0]["path"]
    for damage in (part.unlink, lambda: part.write_bytes(b"x")):
        damage()
        again = json.loads(forked.run("convert", str(export.folder), "out", "--json", cwd=tmp_path).stdout)
        assert (again["status"], again["parts"]) == ("published", first["parts"])
        assert len(again["warnings"]) == 1
        assert part.stat().st_size == first["parts"][0]["bytes"]


def test_a_destination_inside_the_export_is_refused(
    export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    dest = export.folder / "converted"
    check_failure(forked.run("convert", str(export.folder), str(dest), cwd=tmp_path), 2, "DEST is inside", dest=dest)


def test_a_current_folder_that_is_gone_is_no_place_for_a_destination(export: ExportPaths, tmp_path: Path) -> None:
    code = "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); from converter.cli import main; "
    code += "sys.exit(main.run(sys.argv[1:]))"
    done = subprocess.run(
        python(code, "convert", str(export.folder), "out"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    check_failure(done, 5, "out")
