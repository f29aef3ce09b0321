"""The manifests: what is read from them, what is tolerated, and what is refused."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from converter.errors import DataFileError, ExportError, ManifestError
from converter.export.manifest import Export, ExportKind, check_files, read_export
from converter.storage.local import LocalSource
from tests.unit.export.manifests import (
    ARN,
    FULL_ID,
    WINDOW_ID,
    MakeExport,
    entry,
    full_summary,
    window_summary,
    write_manifests,
)

PREFIX = f"p/AWSDynamoDB/{FULL_ID}/data"


def read(folder: Path, inside: str = "", *, verify: bool = True) -> Export:
    return read_export(LocalSource(str(folder)), inside, verify=verify)


def with_entries(folder: Path, *entries: dict[str, object], **changes: object) -> Path:
    write_manifests(folder, full_summary(**changes), entries)
    return folder


def test_a_full_export_is_read_with_every_member(make_export: MakeExport) -> None:
    folder = make_export()
    export = read(folder)
    assert (export.export_id, export.export_arn) == (FULL_ID, f"{ARN}/export/{FULL_ID}")
    assert (export.table, export.table_arn, export.table_id[:8]) == ("orders", ARN, "11111111")
    assert (export.kind, export.output_format, export.items) == (ExportKind.ITEMS, "DYNAMODB_JSON", 2)
    assert export.export_time == export.instant() == datetime(2023, 11, 14, 22, 13, 20, 1000, tzinfo=UTC)
    assert (export.from_time, export.to_time, export.output_view) == (None, None, None)
    assert (export.billed_size_bytes, export.source, export.warnings) == (99, str(folder), ())
    assert [(f.index, f.items, len(f.md5)) for f in export.files] == [(0, 1, 16), (1, 1, 16)]
    assert export.files[1].path == "data/0a1b2c3dfile1.json.gz"


def test_an_incremental_export_has_a_window_and_its_files_beside_its_folder(make_export: MakeExport) -> None:
    folder = make_export(window_summary())
    export = read(folder.parent.parent, f"AWSDynamoDB/{WINDOW_ID}")
    assert (export.kind, export.export_time, export.output_view) == (ExportKind.CHANGES, None, "NEW_AND_OLD_IMAGES")
    assert export.to_time == datetime(2023, 11, 14, 22, 28, 20, tzinfo=UTC)
    assert export.instant() == datetime(2023, 11, 14, 22, 28, 19, 999000, tzinfo=UTC)
    assert export.files[0].path == "AWSDynamoDB/data/1a2b3c4dfile0.json.gz"
    assert read(folder.parent, WINDOW_ID).files[0].path == "data/1a2b3c4dfile0.json.gz"
    assert read(folder).files[0].path == "data/1a2b3c4dfile0.json.gz"


@pytest.mark.parametrize("ending", [".md5", ".checksum", None])
def test_checksum_objects_may_be_called_either_way_or_be_absent(tmp_path: Path, ending: str | None) -> None:
    write_manifests(tmp_path, full_summary(), [entry(f"{PREFIX}/a", b"a")], ending)
    assert read(tmp_path).warnings == ()


def test_a_checksum_object_may_end_in_a_newline(make_export: MakeExport) -> None:
    folder = make_export()
    for path in folder.glob("*.md5"):
        path.write_text(path.read_text() + "\n")
    assert read(folder).warnings == ()


def test_an_edited_summary_is_a_warning(make_export: MakeExport) -> None:
    folder = make_export()
    summary = folder / "manifest-summary.json"
    summary.write_text(json.dumps(json.loads(summary.read_text()), indent=2) + "\n\n")
    (warning,) = read(folder).warnings
    assert "manifest-summary.json" in warning
    assert "md5 mismatch" in warning


def test_an_edited_list_of_files_is_an_error_unless_not_verified(make_export: MakeExport) -> None:
    folder = make_export()
    with (folder / "manifest-files.json").open("a") as files:
        files.write("\n")
    with pytest.raises(ManifestError, match="md5 mismatch"):
        read(folder)
    (warning,) = read(folder, verify=False).warnings
    assert "manifest-files.json" in warning


def test_counts_that_do_not_add_up_are_an_error_unless_not_verified(tmp_path: Path) -> None:
    with_entries(tmp_path, entry(f"{PREFIX}/a", b"a", 3), itemCount=4)
    with pytest.raises(ManifestError, match=r"3 in the data files together, 4"):
        read(tmp_path)
    assert len(read(tmp_path, verify=False).warnings) == 1


def test_unknown_members_blank_lines_a_byte_order_mark_and_null_members_are_tolerated(tmp_path: Path) -> None:
    line = entry(f"{PREFIX}/a", b"a", etag=None, colour="red")
    write_manifests(tmp_path, full_summary(colour=[1], s3Prefix=None, exportType=None), [line], None)
    files = tmp_path / "manifest-files.json"
    files.write_bytes(b"\xef\xbb\xbf" + files.read_bytes().replace(b"\n", b"\r\n") + b"\n\r\n")
    export = read(tmp_path)
    assert len(export.files) == 1


def test_an_unknown_version_is_a_warning(tmp_path: Path) -> None:
    assert "2031-01-01" in read(with_entries(tmp_path, version="2031-01-01")).warnings[0]


def test_a_full_export_may_say_so(tmp_path: Path) -> None:
    assert read(with_entries(tmp_path, exportType="FULL_EXPORT")).kind is ExportKind.ITEMS


@pytest.mark.parametrize(
    "name", ["exportArn", "tableArn", "tableId", "exportTime", "itemCount", "outputFormat", "billedSizeBytes"]
)
def test_a_summary_without_a_needed_member_is_refused(make_export: MakeExport, name: str) -> None:
    path = make_export() / "manifest-summary.json"
    summary = json.loads(path.read_text())
    del summary[name]
    path.write_text(json.dumps(summary))
    with pytest.raises(ManifestError, match=f"{name}: missing"):
        read(path.parent)


@pytest.mark.parametrize("name", ["exportFromTime", "exportToTime", "outputView"])
def test_an_increment_without_its_window_is_refused(tmp_path: Path, name: str) -> None:
    summary = window_summary()
    del summary[name]
    write_manifests(tmp_path, summary, [])
    with pytest.raises(ManifestError, match=f"{name}: missing"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exportArn", f"{ARN}/export/.."),
        ("exportArn", f"{ARN}/export/a/b"),
        ("exportArn", ARN),
        ("exportArn", 7),
        ("tableArn", ARN + "2"),
        ("tableId", None),
        ("exportTime", "2023-11-14"),
        ("exportTime", "2023-11-14T22:13:20.001"),
        ("exportTime", "2023-11-14T22:13:20.001+00:00"),
        ("exportTime", "2023-13-14T22:13:20.001Z"),
        ("itemCount", -1),
        ("itemCount", True),
        ("itemCount", 1.0),
        ("itemCount", "1"),
        ("billedSizeBytes", None),
        ("outputFormat", "CSV"),
        ("exportType", "SIDEWAYS"),
        ("exportType", 1),
        ("s3Prefix", 1),
    ],
)
def test_a_summary_with_a_wrong_member_is_refused(tmp_path: Path, name: str, value: object) -> None:
    write_manifests(tmp_path, full_summary(**{name: value}), [])
    with pytest.raises(ManifestError, match=rf"manifest-summary\.json: {name}: "):
        read(tmp_path)


def test_a_window_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    write_manifests(tmp_path, window_summary(exportToTime="2023-11-14T22:13:20.000Z"), [])
    with pytest.raises(ManifestError, match="does not end after it begins"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("itemCount", -1),
        ("itemCount", 2.5),
        ("md5Checksum", "rzAeIrtALbOlNdK5Hh8tgA"),
        ("md5Checksum", "rzAeIrtALbOlNdK5Hh8t"),
        ("md5Checksum", "é" * 24),
        ("md5Checksum", "rzAeIrtALbOl\nNdK5Hh8tgA=="),
        ("md5Checksum", None),
        ("etag", 5),
        ("dataFileS3Key", None),
        ("dataFileS3Key", ""),
    ],
)
def test_an_entry_with_a_wrong_member_is_refused_by_line(tmp_path: Path, name: str, value: object) -> None:
    with_entries(tmp_path, entry(f"{PREFIX}/a", b"a"), {**entry(f"{PREFIX}/b", b"b"), name: value}, itemCount=2)
    with pytest.raises(ManifestError, match=rf"manifest-files\.json line 2: {name}: "):
        read(tmp_path, verify=False)


@pytest.mark.parametrize(
    "key",
    [
        "a.json.gz",
        "data/a.json.gz",
        "/etc/passwd",
        f"/{PREFIX}/a",
        f"{PREFIX}/../a",
        f"{PREFIX}/..",
        f"{PREFIX}/.",
        f"{PREFIX}/",
        f"{PREFIX}/sub/a",
        f"../{PREFIX}/a",
        f"{PREFIX}/a\0b",
        f"{PREFIX}/..\\..\\a",
        f"{PREFIX}/\ud800",
        f"{PREFIX}/a\n",
        f"a\nb/{PREFIX}/a",
        f"a\x1b[2J/{PREFIX}/a",
        f"a\x7f/{PREFIX}/a",
        f"a\x9b/{PREFIX}/a",
        f"a\ud800/{PREFIX}/a",
        f"p/AWSDynamoDB/{WINDOW_ID}/data/a",
        "p/AWSDynamoDB/data/a",
        f"p/XAWSDynamoDB/{FULL_ID}/data/a",
    ],
)
@pytest.mark.parametrize("verify", [True, False])
def test_a_key_outside_of_the_export_is_refused(tmp_path: Path, key: str, verify: bool) -> None:
    with_entries(tmp_path, entry(f"{PREFIX}/ok", b"a"), entry(key, b"a"))
    with pytest.raises(ManifestError, match=r"manifest-files\.json line 2: dataFileS3Key: "):
        read(tmp_path, verify=verify)


@pytest.mark.parametrize("key", [f"AWSDynamoDB/{FULL_ID}/data/x", "AWSDynamoDB/data/../x", "AWSDynamoDB/data/s/x"])
def test_an_increments_key_outside_of_the_shared_data_folder_is_refused(tmp_path: Path, key: str) -> None:
    write_manifests(tmp_path, window_summary(), [entry(key, b"a")])
    with pytest.raises(ManifestError, match="dataFileS3Key: "):
        read(tmp_path)


@pytest.mark.parametrize(
    "prefix",
    ["注文\u3000データ", "👩\u200d💻", "a\xa0b", "\ufeff", "\u202e", "\u2028", "\ue000", "a\\b", "'; \"x`$(y)"],
)
def test_a_prefix_may_hold_all_but_control_characters(tmp_path: Path, prefix: str) -> None:
    with_entries(tmp_path, entry(f"{prefix}/{PREFIX}/a", b"a"), s3Prefix=f"{prefix}/p")
    assert [file.path for file in read(tmp_path).files] == ["data/a"]
    write_manifests(tmp_path / "w", window_summary(s3Prefix=prefix), [entry(f"{prefix}/AWSDynamoDB/data/x", b"a")])
    assert [file.path for file in read(tmp_path / "w").files] == ["data/x"]


def test_a_prefix_with_a_leading_slash_is_one(tmp_path: Path) -> None:
    with_entries(tmp_path, entry(f"/{PREFIX}/a", b"a"), s3Prefix="/p")
    assert read(tmp_path).files[0].path == "data/a"


@pytest.mark.parametrize("other", [f"{PREFIX}/a", f"other/AWSDynamoDB/{FULL_ID}/data/a"])
@pytest.mark.parametrize("verify", [True, False])
def test_a_file_that_is_listed_twice_is_refused(tmp_path: Path, other: str, verify: bool) -> None:
    with_entries(tmp_path, entry(f"{PREFIX}/a", b"a"), entry(f"{PREFIX}/b", b"b"), entry(other, b"a"))
    with pytest.raises(ManifestError, match=r"line 3.*already listed in line 1"):
        read(tmp_path, verify=verify)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "not JSON"),
        ("[]", 1, "not a JSON object"),
        ('{\n"a":1,\n}', 3, "not JSON"),
        ('{"a":1,"a":2}', 1, "duplicate"),
        ('{"a":NaN}', 1, "NaN"),
        ('{"a":"\udcff"}', 1, "not JSON"),
        ('{"a":' + "[" * 100_000, 1, "not JSON"),
        ('{"a":' + "1" * 5000 + "}", 1, "not JSON"),
    ],
)
def test_a_summary_that_is_no_json_object_is_refused_by_line(
    make_export: MakeExport, text: str, line: int, reason: str
) -> None:
    folder = make_export()
    (folder / "manifest-summary.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ManifestError, match=rf"manifest-summary\.json line {line}: (.|\n)*{reason}") as raised:
        read(folder)
    assert raised.value.hint


def test_a_list_line_that_is_no_json_is_refused_by_line(make_export: MakeExport) -> None:
    folder = make_export()
    files = folder / "manifest-files.json"
    files.write_bytes(files.read_bytes() + b'\n{"itemCount":\n')
    with pytest.raises(ManifestError, match=r"manifest-files\.json line 4: not JSON"):
        read(folder, verify=False)


def test_line_separators_of_unicode_do_not_cut_lines(tmp_path: Path) -> None:
    with_entries(tmp_path, {**entry(f"{PREFIX}/a", b"a"), "note": "x"})
    files = tmp_path / "manifest-files.json"
    files.write_bytes(files.read_bytes().replace(b'"x"', '"\u2028\u0085"'.encode()))
    assert len(read(tmp_path, verify=False).files) == 1


@pytest.mark.parametrize("name", ["manifest-summary.json", "manifest-files.json"])
def test_a_missing_manifest_is_named(make_export: MakeExport, name: str) -> None:
    folder = make_export()
    (folder / name).unlink()
    (folder / "_started").unlink()
    with pytest.raises(ManifestError, match=f"{name} is missing"):
        read(folder)


def test_an_export_that_has_only_begun_is_said_to_be_unfinished(make_export: MakeExport) -> None:
    folder = make_export()
    (folder / "manifest-summary.json").unlink()
    with pytest.raises(ManifestError, match="not finished"):
        read(folder)


def test_all_data_files_are_measured(make_export: MakeExport) -> None:
    folder = make_export(files=3)
    expected = sum(path.stat().st_size for path in (folder / "data").iterdir())
    assert check_files(LocalSource(str(folder)), read(folder)) == expected


def test_missing_data_files_are_counted_and_the_first_are_named(make_export: MakeExport) -> None:
    folder = make_export(files=9)
    for path in sorted((folder / "data").iterdir())[1:]:
        path.unlink()
    with pytest.raises(DataFileError, match=r"8 of 9 data files are missing: .*file1\.json\.gz, .*…") as raised:
        check_files(LocalSource(str(folder)), read(folder))
    assert "file5.json.gz" in raised.value.what
    assert "file6.json.gz" not in raised.value.what


def test_a_data_file_that_links_out_of_the_export_is_refused(make_export: MakeExport, tmp_path: Path) -> None:
    folder = make_export()
    (tmp_path / "secret").write_text("secret")
    victim = sorted((folder / "data").iterdir())[0]
    victim.unlink()
    os.symlink(tmp_path / "secret", victim)
    with pytest.raises(ExportError, match="symbolic link"):
        check_files(LocalSource(str(folder)), read(folder))


def test_the_summaries_checksum_of_real_exports_is_right(real_export: Path) -> None:
    source = LocalSource(str(real_export.parent))
    export = read_export(source, real_export.name)
    assert export.warnings == ()
    assert export.export_id == real_export.name
    if export.kind is ExportKind.ITEMS:
        assert check_files(source, export) > 0


@pytest.mark.parametrize(
    "written",
    [
        pytest.param({"tableArn": None}, id="members left out"),
        pytest.param({"exportArn": "arn:other:export:local:table/orders/export/1"}, id="an ARN of its own"),
        pytest.param({"outputFormat": None, "exportFormat": "DYNAMODB_JSON"}, id="other names"),
    ],
)
def test_the_hint_for_a_summary_of_another_tool_is_true(tmp_path: Path, written: dict[str, object]) -> None:
    summary = {name: value for name, value in {**full_summary(), **written}.items() if value is not None}
    write_manifests(tmp_path, summary, [entry(f"{PREFIX}/a", b"a")], None)
    with pytest.raises(ManifestError) as raised:
        read(tmp_path)
    assert "emulators and migration tools are not supported" in raised.value.hint


def test_the_hint_for_a_list_of_keys_alone_is_true(make_export: MakeExport) -> None:
    folder = make_export()
    for checksum in folder.glob("*.md5"):
        checksum.unlink()
    (folder / "manifest-files.json").write_text(f"{PREFIX}/a\n")
    with pytest.raises(ManifestError, match="not JSON") as raised:
        read(folder)
    assert "emulators and migration tools are not supported" in raised.value.hint
