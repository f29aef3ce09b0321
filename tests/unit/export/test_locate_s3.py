"""From SOURCE to one export in S3: the same forms as in folders, with few requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from converter import AwsOptions
from converter.errors import ExportError, ManifestError, StorageError, UsageError
from converter.export.locate import open_export
from converter.export.manifest import Export, check_files
from tests.servers.relay import Relay
from tests.servers.s3 import S3Server
from tests.unit.export.manifests import FULL_ID, WINDOW_ID, MakeExport, full_summary, window_summary

LATER_ID = "01700086400000-ffffffff"

Open = Callable[..., Export]


@pytest.fixture(autouse=True)
def _credentials(ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ministack.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def bucket(ministack: S3Server) -> str:
    return ministack.new_bucket()


@pytest.fixture
def put(ministack: S3Server, bucket: str, tmp_path: Path) -> Callable[..., None]:
    """Put what tmp_path holds into the bucket."""
    return lambda prefix="": ministack.upload(bucket, tmp_path, prefix)


@pytest.fixture
def opened(bucket: str, relay: Relay) -> Open:
    """Open what is at a path in the bucket; all files that it lists must be there."""

    def open_at(path: str, **options: object) -> Export:
        relay.asked.clear()
        aws = AwsOptions(endpoint_url=relay.endpoint_url)
        source, export = open_export(f"s3://{bucket}{path}", aws, **options)  # type: ignore[arg-type]
        assert check_files(source, export) > 0
        return export

    return open_at


@pytest.mark.parametrize("ending", ["", "/", "/manifest-summary.json"])
@pytest.mark.parametrize("prefix", ["", "some/prefix/", "odd name, + ü/"])
def test_an_export_is_named_by_its_folder_or_its_summary(
    make_export: MakeExport, put: Callable[..., None], opened: Open, bucket: str, ending: str, prefix: str
) -> None:
    make_export()
    put(prefix)
    export = opened(f"/{prefix}AWSDynamoDB/{FULL_ID}{ending}")
    assert (export.export_id, export.source) == (FULL_ID, f"s3://{bucket}/{prefix}AWSDynamoDB/{FULL_ID}")


@pytest.mark.parametrize("path", ["", "/", "/above", "/above/", "/above/AWSDynamoDB", "/above/AWSDynamoDB/"])
def test_a_folder_with_one_export_in_it_is_enough(
    make_export: MakeExport, put: Callable[..., None], opened: Open, bucket: str, path: str
) -> None:
    make_export()
    put("above/")
    assert opened(path).source == f"s3://{bucket}/above/AWSDynamoDB/{FULL_ID}"


def test_a_whole_bucket_may_be_one_export(
    make_export: MakeExport, ministack: S3Server, bucket: str, opened: Open
) -> None:
    ministack.upload(bucket, make_export())
    for path in ("", "/", "/manifest-summary.json"):
        assert opened(path).export_id == FULL_ID


@pytest.mark.parametrize("under", ["AWSDynamoDB", "copied"])
def test_an_increments_data_files_are_found_beside_its_folder(
    make_export: MakeExport, put: Callable[..., None], opened: Open, under: str
) -> None:
    make_export(window_summary(), under=under)
    put()
    for path in (f"/{under}/{WINDOW_ID}", f"/{under}/{WINDOW_ID}/manifest-summary.json", f"/{under}"):
        export = opened(path)
        assert [file.path.rpartition("/")[0] for file in export.files] == ["data"] * 2


def test_an_increment_that_was_copied_alone_has_its_data_files_inside(
    make_export: MakeExport, ministack: S3Server, bucket: str, opened: Open
) -> None:
    ministack.upload(bucket, make_export(window_summary(), under="copied", alone=True))
    ministack.upload(bucket, make_export(window_summary(), under="copied", alone=True), "monday/")
    assert opened("/monday").export_id == opened("").export_id == WINDOW_ID


def test_several_exports_are_listed_and_one_is_taken_by_its_time_or_its_id(
    make_export: MakeExport, put: Callable[..., None], opened: Open
) -> None:
    make_export()
    make_export(window_summary())
    make_export(full_summary(export_id=LATER_ID, exportTime="2023-11-01T00:00:00.000Z"), under="b/AWSDynamoDB")
    put("above/")
    with pytest.raises(UsageError) as raised:
        opened("/above")
    assert [line.split()[-1] for line in raised.value.hint.splitlines()[1:]] == [
        f"b/AWSDynamoDB/{LATER_ID}",
        f"AWSDynamoDB/{FULL_ID}",
        f"AWSDynamoDB/{WINDOW_ID}",
    ]
    assert "--export-id" in raised.value.hint
    assert opened("/above", latest=True).export_id == WINDOW_ID
    for export_id in (FULL_ID, WINDOW_ID, LATER_ID):
        assert opened("/above", export_id=export_id).export_id == export_id


def test_the_usual_source_takes_five_requests(
    make_export: MakeExport, put: Callable[..., None], opened: Open, relay: Relay
) -> None:
    make_export()
    put()
    opened(f"/AWSDynamoDB/{FULL_ID}/")
    names = [(request.method, request.path.rpartition("/")[2]) for request in relay.asked]
    assert names[:4] == [
        ("GET", "manifest-summary.json"),
        ("GET", "manifest-summary.md5"),
        ("GET", "manifest-files.json"),
        ("GET", "manifest-files.md5"),
    ]
    assert [request.query["prefix"] for request in relay.asked[4:]] == [f"AWSDynamoDB/{FULL_ID}/data/"]


def test_the_latest_of_forty_is_found_with_ten_requests_and_one_by_its_id_too(
    make_export: MakeExport, put: Callable[..., None], opened: Open, relay: Relay
) -> None:
    first = datetime(2024, 1, 1, tzinfo=UTC)
    ids = []
    for day in range(40):
        at = first + timedelta(days=day)
        ids.append(f"{int(at.timestamp() * 1000):014}-0a1b2c3d")
        time = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        make_export(full_summary(export_id=ids[-1], exportTime=time))
    put()
    assert opened("/AWSDynamoDB", latest=True).export_id == ids[-1]
    assert len(relay.asked) <= 10
    assert opened("/AWSDynamoDB", export_id=ids[7]).export_id == ids[7]
    assert len(relay.asked) <= 10


def test_a_newer_export_that_is_not_finished_is_passed_over_with_a_warning(
    make_export: MakeExport, put: Callable[..., None], opened: Open, bucket: str
) -> None:
    make_export()
    (make_export(full_summary(export_id=LATER_ID)) / "manifest-summary.json").unlink()
    put()
    for options in ({}, {"latest": True}):
        export = opened("", **options)
        assert export.export_id == FULL_ID
        assert export.warnings == (
            f"s3://{bucket}/AWSDynamoDB/{LATER_ID}: skipped this newer export, because it is not finished",
        )
    for path, export_id in ((f"/AWSDynamoDB/{LATER_ID}", None), ("", LATER_ID)):
        with pytest.raises(ManifestError, match="not finished") as raised:
            opened(path, export_id=export_id)
        assert raised.value.where == f"s3://{bucket}/AWSDynamoDB/{LATER_ID}"


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere/", "/nowhere/manifest-summary.json", "/AWSDynamo"])
@pytest.mark.parametrize("options", [{}, {"latest": True}, {"export_id": FULL_ID}])
def test_a_folder_that_does_not_exist_is_named(
    make_export: MakeExport, put: Callable[..., None], opened: Open, bucket: str, path: str, options: dict[str, object]
) -> None:
    make_export()
    put()
    with pytest.raises(ExportError, match="no such folder") as raised:
        opened(path, **options)
    assert raised.value.exit_code == 3
    assert raised.value.where == f"s3://{bucket}/{path.split('/')[1]}/"


def test_a_folder_without_exports_says_what_was_looked_for(ministack: S3Server, bucket: str, opened: Open) -> None:
    ministack.client().put_object(Bucket=bucket, Key="other/thing", Body=b"")
    with pytest.raises(ExportError, match=r"searched for .*AWSDynamoDB/\*/manifest-summary\.json") as raised:
        opened("/other")
    assert raised.value.exit_code == 3


def test_a_bucket_that_does_not_exist_is_named(relay: Relay) -> None:
    with pytest.raises(StorageError, match="the bucket not-there does not exist"):
        open_export("s3://not-there/AWSDynamoDB/", AwsOptions(endpoint_url=relay.endpoint_url))


@pytest.mark.parametrize("text", ["s3://", "s3:///x", "s3://manifest-summary.json"])
def test_what_names_no_bucket_is_refused(text: str, relay: Relay) -> None:
    with pytest.raises((UsageError, StorageError), match=r"not a location in S3|does not exist|not valid"):
        open_export(text, AwsOptions(endpoint_url=relay.endpoint_url))


def test_both_servers_know_what_is_there_and_what_is_not(
    make_export: MakeExport, tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    make_export()
    make_export(window_summary())
    for path in tmp_path.rglob("*.md5"):
        path.rename(path.with_suffix(".checksum"))
    bucket, aws = s3.new_bucket(), AwsOptions(endpoint_url=s3.endpoint_url)
    s3.upload(bucket, tmp_path)
    for export_id in (FULL_ID, WINDOW_ID):
        for place, wanted in ((f"AWSDynamoDB/{export_id}/", None), ("", export_id)):
            source, export = open_export(f"s3://{bucket}/{place}", aws, export_id=wanted)
            assert (export.export_id, export.warnings) == (export_id, ())
            assert check_files(source, export) > 0
    assert open_export(f"s3://{bucket}", aws, latest=True)[1].export_id == WINDOW_ID
    with pytest.raises(ExportError, match="no such folder"):
        open_export(f"s3://{bucket}/nowhere", aws)
