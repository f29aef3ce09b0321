from __future__ import annotations

import gzip
import hashlib
import json
import os
from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from converter.testing import (
    Change,
    DataFileFacts,
    ExportFacts,
    WindowFacts,
    change_line,
    etag,
    files_text,
    item_line,
    md5_text,
    summary_text,
)
from tests.oracle import manifest_files

REAL = ("unicorn-activities/AWSDynamoDB/01716790307109-5f9d6aaa", "all-ten-types/AWSDynamoDB/01715685260608-c488b4e1")


@pytest.fixture(params=REAL)
def real_export(request: pytest.FixtureRequest) -> Path:
    samples = os.environ.get("SAMPLE_EXPORTS")
    if not samples:
        pytest.skip("SAMPLE_EXPORTS names no folder of real exports")
    return Path(samples) / str(request.param)


def facts_of(summary: dict[str, str]) -> ExportFacts:
    arn = summary["exportArn"].split(":")
    return ExportFacts(
        table=arn[5].split("/")[1],
        prefix=summary["s3Prefix"],
        export_time=datetime.fromisoformat(summary["exportTime"]),
        start_time=datetime.fromisoformat(summary["startTime"]),
        end_time=datetime.fromisoformat(summary["endTime"]),
        id_suffix=summary["exportArn"][-8:],
        bucket=summary["s3Bucket"],
        region=arn[3],
        account=arn[4],
        table_id=summary["tableId"],
        sse_algorithm=summary["s3SseAlgorithm"],
        sse_kms_key_id=summary["s3SseKmsKeyId"],
        billed_size_bytes=int(summary["billedSizeBytes"]),
    )


def test_the_summary_of_a_real_export_is_reproduced_byte_by_byte(real_export: Path) -> None:
    real = (real_export / "manifest-summary.json").read_bytes()
    summary = json.loads(real)
    # The copy of all-ten-types went through an editor, which gave it a newline and its bucket another name.
    expected = real.removesuffix(b"\n") if "all-ten-types" in str(real_export) else real
    assert summary_text(facts_of(summary), summary["itemCount"], 0) == expected


def test_the_list_of_files_of_a_real_export_is_reproduced_byte_by_byte(real_export: Path) -> None:
    real = (real_export / "manifest-files.json").read_bytes()
    entries = [json.loads(line) for line in real.splitlines()]
    listed = [
        DataFileFacts(entry["dataFileS3Key"], entry["itemCount"], hashlib.md5(path.read_bytes()).digest())
        for entry, path in zip(entries, manifest_files(real_export), strict=True)
    ]
    assert files_text(listed) == real


def test_the_checksums_of_real_manifests_are_reproduced(real_export: Path) -> None:
    checksums = sorted(real_export.glob("manifest-*.md5"))
    if not checksums:
        pytest.skip("this copy has no .md5 files")
    for path in checksums:
        md5 = hashlib.md5(path.with_suffix(".json").read_bytes()).digest()
        assert path.read_bytes() == md5_text(md5).encode()


def test_real_lines_are_reproduced_byte_by_byte(real_export: Path) -> None:
    for path in manifest_files(real_export):
        with gzip.open(path) as stream:
            for _, line in zip(range(2000), stream, strict=False):
                assert item_line(json.loads(line)["Item"]) == line


@pytest.fixture
def real_increment() -> Path:
    samples = os.environ.get("SAMPLE_EXPORTS")
    if not samples:
        pytest.skip("SAMPLE_EXPORTS names no folder of real exports")
    return Path(samples) / "unicorn-activities/AWSDynamoDB/01716791487000-6ddcf8cf"


def test_a_real_incremental_export_is_reproduced_byte_by_byte(real_increment: Path) -> None:
    summary = json.loads((real_increment / "manifest-summary.json").read_bytes())
    arn = summary["exportArn"].split(":")
    facts = WindowFacts(
        table=arn[5].split("/")[1],
        from_time=datetime.fromisoformat(summary["exportFromTime"]),
        to_time=datetime.fromisoformat(summary["exportToTime"]),
        start_time=datetime.fromisoformat(summary["startTime"]),
        end_time=datetime.fromisoformat(summary["endTime"]),
        view=summary["outputView"],
        id_suffix=summary["exportArn"][-8:],
        bucket=summary["s3Bucket"],
        region=arn[3],
        account=arn[4],
        table_id=summary["tableId"],
        billed_size_bytes=int(summary["billedSizeBytes"]),
    )
    assert summary_text(facts, summary["itemCount"], 0) == (real_increment / "manifest-summary.json").read_bytes()
    entries = [json.loads(line) for line in (real_increment / "manifest-files.json").read_bytes().splitlines()]
    listed = []
    for entry in entries:
        assert entry["dataFileS3Key"].startswith(facts.data_prefix)
        content = (real_increment.parent / "data" / entry["dataFileS3Key"].rpartition("/")[2]).read_bytes()
        listed.append(DataFileFacts(entry["dataFileS3Key"], entry["itemCount"], hashlib.md5(content).digest()))
        for line in gzip.decompress(content).splitlines(keepends=True):
            read = json.loads(line)
            micros = int(read["Metadata"]["WriteTimestampMicros"]["N"])
            written = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
            images = {"old": read.get("OldImage"), "new": read.get("NewImage")}
            assert change_line(Change(keys=read["Keys"], written=written, **images)) == line
    assert files_text(listed) == (real_increment / "manifest-files.json").read_bytes()


def test_a_window_is_a_window_and_its_view_is_one() -> None:
    with pytest.raises(ValueError, match="ends after it begins"):
        WindowFacts(to_time=WindowFacts().from_time)
    with pytest.raises(ValueError, match="a view is NEW_IMAGE or"):
        WindowFacts(view="OLD_IMAGE")
    with pytest.raises(ValueError, match="no time zone"):
        WindowFacts(to_time=datetime(2030, 1, 1))


def test_an_export_id_counts_the_milliseconds_of_its_start() -> None:
    facts = ExportFacts(export_time=datetime(2024, 5, 27, 6, 11, 47, 109_999, tzinfo=UTC), id_suffix="5f9d6aaa")
    assert facts.export_id == "01716790307109-5f9d6aaa"


def test_export_ids_sort_by_time() -> None:
    start = datetime(1999, 12, 31, tzinfo=UTC)
    ids = [ExportFacts(export_time=start + timedelta(days=days)).export_id for days in range(0, 9999, 333)]
    assert ids == sorted(ids)
    assert {len(export_id) for export_id in ids} == {23}


def test_times_are_told_in_utc_with_milliseconds() -> None:
    east = datetime(2024, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    summary = json.loads(summary_text(ExportFacts(export_time=east), 0, 0))
    assert summary["exportTime"] == summary["startTime"] == "2023-12-31T23:00:00.000Z"


def test_exports_of_one_table_share_its_id_and_differ_in_all_else() -> None:
    one, other = ExportFacts(seed=1), ExportFacts(seed=2)
    assert one.table_uuid() == other.table_uuid() != ExportFacts(table="Else").table_uuid()
    assert one.export_id != other.export_id
    later = ExportFacts(seed=1, export_time=one.export_time + timedelta(hours=1))
    assert one.digest("data", 0) != later.digest("data", 0)


def test_a_list_of_no_files_is_empty() -> None:
    assert files_text([]) == b""


def test_the_etag_is_the_md5_of_the_md5() -> None:
    # From a line of a manifest that the service wrote.
    assert etag(b64decode("rzAeIrtALbOlNdK5Hh8tgA==")) == "d1663e415aedcbf3c4977cde7002d2bf-1"


@pytest.mark.parametrize("prefix", ["", "/", "/a", "a/", "/a/b/"])
def test_a_prefix_with_slashes_at_its_ends_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        ExportFacts(prefix=prefix)


@pytest.mark.parametrize("suffix", ["", "123", "5F9D6AAA", "5f9d6aaa0"])
def test_an_id_that_does_not_end_with_eight_hex_digits_is_refused(suffix: str) -> None:
    with pytest.raises(ValueError, match="eight hex digits"):
        ExportFacts(id_suffix=suffix)


@pytest.mark.parametrize("export_id", ["1701065507109-cce6a3f8", "01701065507109-cce6a3f8"])
def test_an_id_that_is_given_is_the_exports(export_id: str) -> None:
    facts = ExportFacts(id=export_id, prefix="nightly")
    assert (facts.export_id, facts.key_prefix) == (export_id, f"nightly/AWSDynamoDB/{export_id}/")
    assert facts.export_arn.endswith(f"/export/{export_id}")
    # What files are called depends on the rest alone.
    assert facts.digest("data", 0) == ExportFacts().digest("data", 0)


@pytest.mark.parametrize("export_id", ["", "x", "01701065507109", "01701065507109-CCE6A3F8"])
def test_an_id_that_the_service_would_not_give_is_refused(export_id: str) -> None:
    with pytest.raises(ValueError, match="milliseconds, a dash and eight hex digits"):
        ExportFacts(id=export_id)
    with pytest.raises(ValueError, match="its own end"):
        ExportFacts(id="01701065507109-cce6a3f8", id_suffix="cce6a3f8")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        ExportFacts(export_time=datetime(2024, 1, 1))
