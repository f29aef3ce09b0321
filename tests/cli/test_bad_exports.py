"""An export that is missing, incomplete, damaged or of another kind: one clear message, and nothing is published."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from converter.testing import ExportFacts, ExportPaths, seal, write_split_export
from tests.cli.failures import check_failure
from tests.cli.forking import ForkedCommands

LINES = [b'{"Item":{"id":{"S":"%d"},"pin":{"S":"5ecret"}}}' % number for number in range(200)]
Damage = Callable[[ExportPaths], str]


def edit_summary(export: ExportPaths, **changes: object) -> None:
    """Change members of the summary; None takes one away. Its checksum goes, as when a person edits it."""
    summary = json.loads(export.summary.read_bytes())
    summary.update(changes)
    kept = {name: value for name, value in summary.items() if value is not None}
    export.summary.write_text(json.dumps(kept))
    export.summary.with_suffix(".md5").unlink(missing_ok=True)


def edit_files(export: ExportPaths, edit: Callable[[list[dict[str, object]]], None]) -> None:
    """Change the lines of the list of files."""
    entries = [json.loads(line) for line in export.files.read_bytes().splitlines()]
    edit(entries)
    export.files.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    export.files.with_suffix(".md5").unlink(missing_ok=True)


def no_summary(export: ExportPaths) -> str:
    export.summary.unlink()
    return "the export was started, but has no manifest-summary.json"


def nothing_at_all(export: ExportPaths) -> str:
    shutil.rmtree(export.folder)
    return "no export found"


def no_list_of_files(export: ExportPaths) -> str:
    export.files.unlink()
    return "manifest-files.json is missing"


def summary_without_sense(export: ExportPaths) -> str:
    export.summary.write_text("{]")
    return "manifest-summary.json line 1: not JSON"


def summary_cut_off(export: ExportPaths) -> str:
    export.summary.write_bytes(export.summary.read_bytes()[:100])
    return "manifest-summary.json line 1: not JSON"


def summary_of_zeros(export: ExportPaths) -> str:
    export.summary.write_bytes(bytes(100))
    return "manifest-summary.json line 1: not JSON"


def summary_is_a_folder(export: ExportPaths) -> str:
    export.summary.unlink()
    export.summary.mkdir()
    return "manifest-summary.json"


def list_of_files_is_a_folder(export: ExportPaths) -> str:
    export.files.unlink()
    export.files.mkdir()
    return "manifest-files.json"


def list_of_files_cut_off(export: ExportPaths) -> str:
    export.files.write_bytes(export.files.read_bytes()[:-30])
    return "manifest-files.json"


def list_of_files_edited(export: ExportPaths) -> str:
    export.files.write_bytes(export.files.read_bytes().replace(b'"itemCount":3', b'"itemCount":4'))
    return "md5 mismatch: manifest-files.md5"


def a_file_listed_twice(export: ExportPaths) -> str:
    edit_files(export, lambda entries: entries.append(entries[0]))
    return "manifest-files.json line 3: dataFileS3Key"


def a_file_outside(export: ExportPaths) -> str:
    def escape(entries: list[dict[str, object]]) -> None:
        entries[1]["dataFileS3Key"] = "AWSDynamoDB/x/data/../../../etc/passwd"

    edit_files(export, escape)
    return "manifest-files.json line 2: dataFileS3Key"


def a_wrong_sum(export: ExportPaths) -> str:
    edit_summary(export, itemCount=7)
    return "item count mismatch: 200 in the data files together, 7 in manifest-summary.json"


def a_time_that_is_none(export: ExportPaths) -> str:
    edit_summary(export, exportTime="yesterday")
    return "exportTime: 'yesterday' is not a time"


def another_output_format(export: ExportPaths) -> str:
    edit_summary(export, outputFormat="ION")
    return "the line does not begin with $ion_1_0"


def items_where_the_summary_says_changes(export: ExportPaths) -> str:
    edit_summary(
        export,
        exportType="INCREMENTAL_EXPORT",
        exportTime=None,
        exportFromTime="2024-01-01T00:00:00.000Z",
        exportToTime="2024-01-02T00:00:00.000Z",
        outputView="NEW_IMAGE",
    )

    def move(entries: list[dict[str, object]]) -> None:
        for entry in entries:
            entry["dataFileS3Key"] = str(entry["dataFileS3Key"]).replace(f"{export.export_id}/", "")

    edit_files(export, move)
    (export.folder / "data").rename(export.folder.parent / "data")
    return "there is no member Keys, but 'Item'"


def a_missing_data_file(export: ExportPaths) -> str:
    export.data_files[1].unlink()
    return f"1 of 2 data files is missing: {export.data_files[1]}"


def all_data_files_missing(export: ExportPaths) -> str:
    shutil.rmtree(export.folder / "data")
    return "2 of 2 data files are missing"


def a_data_file_that_is_a_folder(export: ExportPaths) -> str:
    export.data_files[1].unlink()
    export.data_files[1].mkdir()
    return export.data_files[1].name


def a_truncated_data_file(export: ExportPaths) -> str:
    export.data_files[1].write_bytes(export.data_files[1].read_bytes()[:-20])
    return f"{export.data_files[1].name}: md5 mismatch"


def an_empty_data_file(export: ExportPaths) -> str:
    export.data_files[1].write_bytes(b"")
    return f"{export.data_files[1].name}: md5 mismatch"


def a_changed_byte(export: ExportPaths) -> str:
    data = bytearray(export.data_files[1].read_bytes())
    data[len(data) // 2] ^= 1
    export.data_files[1].write_bytes(data)
    return f"{export.data_files[1].name}: md5 mismatch"


def more_behind_the_end(export: ExportPaths) -> str:
    export.data_files[1].write_bytes(export.data_files[1].read_bytes() + gzip.compress(LINES[0] + b"\n"))
    return f"{export.data_files[1].name}: md5 mismatch"


def exchanged_data_files(export: ExportPaths) -> str:
    one, other = (path.read_bytes() for path in export.data_files)
    export.data_files[0].write_bytes(other)
    export.data_files[1].write_bytes(one)
    return f"{export.data_files[0].name}: md5 mismatch"


def a_sealed_truncation(export: ExportPaths) -> str:
    export.data_files[1].write_bytes(export.data_files[1].read_bytes()[:-20])
    seal(export.folder)
    return f"{export.data_files[1].name}: not a complete gzip file"


def no_gzip_at_all(export: ExportPaths) -> str:
    export.data_files[1].write_bytes(b"\n".join(LINES))
    seal(export.folder)
    return f"{export.data_files[1].name}: not a complete gzip file"


def too_few_items(export: ExportPaths) -> str:
    export.data_files[1].write_bytes(gzip.compress(LINES[0] + b"\n"))

    def keep_count(entries: list[dict[str, object]]) -> None:
        entries[1]["itemCount"] = 2

    seal(export.folder)
    edit_files(export, keep_count)
    edit_summary(export, itemCount=102)
    return f"{export.data_files[1].name}: item count mismatch: 2 in the manifest, 1 in the file"


DAMAGES: list[Damage] = [
    no_summary,
    nothing_at_all,
    no_list_of_files,
    summary_without_sense,
    summary_cut_off,
    summary_of_zeros,
    summary_is_a_folder,
    list_of_files_is_a_folder,
    list_of_files_cut_off,
    a_file_listed_twice,
    a_file_outside,
    a_wrong_sum,
    a_time_that_is_none,
    another_output_format,
    items_where_the_summary_says_changes,
    a_missing_data_file,
    all_data_files_missing,
    a_data_file_that_is_a_folder,
    a_truncated_data_file,
    an_empty_data_file,
    a_changed_byte,
    more_behind_the_end,
    exchanged_data_files,
    a_sealed_truncation,
    no_gzip_at_all,
    too_few_items,
]
# What is wrong with these is found by nothing but the checks that --no-verify leaves out.
PASS_UNCHECKED = [a_wrong_sum, more_behind_the_end, exchanged_data_files, too_few_items]


@pytest.fixture
def export(tmp_path: Path) -> ExportPaths:
    """Two data files of a hundred items."""
    return write_split_export(tmp_path / "bucket", [LINES[:100], LINES[100:]])


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_bad_export_is_refused_with_one_message_and_nothing_is_published(
    damage: Damage, export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    said = damage(export)
    done = forked.run("convert", str(tmp_path / "bucket"), "out", cwd=tmp_path)
    message = check_failure(done, 3, said, dest=tmp_path / "out")
    assert str(tmp_path / "bucket") in message
    assert "5ecret" not in done.stderr


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_without_verification_only_what_can_be_read_is_published(
    damage: Damage, export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    damage(export)
    done = forked.run("convert", str(tmp_path / "bucket"), "out", "--no-verify", cwd=tmp_path)
    if damage not in PASS_UNCHECKED:
        check_failure(done, 3, dest=tmp_path / "out")
        return
    assert done.returncode == 0, done.stderr
    assert "nothing (--no-verify)" in done.stderr
    [record] = (tmp_path / "out" / "_exports").glob("*.json")
    assert json.loads(record.read_bytes())["verified"] is False


def test_a_failure_leaves_what_was_published_before_as_it_was(
    export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    later = ExportFacts(export_time=datetime(2024, 5, 1, tzinfo=UTC))
    bad = write_split_export(tmp_path / "bad", [LINES, [b"garbage"]], facts=later)
    assert forked.run("convert", str(export.folder), "out", cwd=tmp_path).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    for options in ([], ["--replace"], ["--layout", "{table}/{date}"]):
        check_failure(forked.run("convert", str(bad.folder), "out", *options, cwd=tmp_path), 3, "line 1")
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["_exports", "dt=2023-11-27"]


def test_several_exports_are_listed_for_the_user_to_choose(forked: ForkedCommands, tmp_path: Path) -> None:
    exports = [
        write_split_export(tmp_path / "b", [LINES], facts=ExportFacts(export_time=datetime(2024, 1, day, tzinfo=UTC)))
        for day in (1, 2)
    ]
    done = forked.run("convert", "b", "out", cwd=tmp_path)
    listed = [export.export_id for export in exports]
    check_failure(done, 2, "2 exports found", "--latest", *listed, dest=tmp_path / "out")


@pytest.mark.parametrize("source", ["nowhere", ""])
def test_a_source_that_can_not_be_read_is_named(source: str, forked: ForkedCommands, tmp_path: Path) -> None:
    done = forked.run("convert", source, "out", cwd=tmp_path)
    check_failure(done, 2 if not source else 3, source, dest=tmp_path / "out")


def test_a_source_that_is_a_data_file_is_refused(export: ExportPaths, forked: ForkedCommands, tmp_path: Path) -> None:
    done = forked.run("convert", str(export.data_files[0]), "out", cwd=tmp_path)
    check_failure(done, 3, str(export.data_files[0]), dest=tmp_path / "out")


def test_an_export_below_a_link_out_of_the_folder_is_refused(
    export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.gz"
    export.data_files[1].rename(outside)
    export.data_files[1].symlink_to(outside)
    done = forked.run("convert", str(export.folder), "out", cwd=tmp_path)
    check_failure(done, 3, "symbolic link", export.data_files[1].name, dest=tmp_path / "out")


@pytest.mark.parametrize("suffix", ["", "/", "/manifest-summary.json"])
@pytest.mark.parametrize("relative", [False, True])
def test_a_source_may_be_written_in_many_ways(
    suffix: str, relative: bool, export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    folder = export.folder.rename(tmp_path / "ein Export — 東京 #1")
    source = (f"./{folder.name}" if relative else str(folder)) + suffix
    done = forked.run("convert", source, "out dir/ü/", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out dir" / "ü").glob("dt=2023-11-27/*/*.parquet"))
