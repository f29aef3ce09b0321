"""The command with every form of SOURCE in S3, and with an export's ARN."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from converter.testing import Change, ExportFacts, ExportPaths, WindowFacts, seal, write_incremental_export
from tests.cli.command import ddb_convert
from tests.end_to_end.exports import export_of, line
from tests.oracle import read_csv_rows
from tests.servers.listening import ListeningServer
from tests.servers.ministack import start_ministack
from tests.servers.process import LOOPBACK
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.slow

TABLE = "Orders"
WAITING = {"MINISTACK_DDB_EXPORT_COMPLETE_AFTER_SEC": "3600"}
AT_ONCE = {"MINISTACK_DDB_EXPORT_COMPLETE_AFTER_SEC": "0"}

Done = subprocess.CompletedProcess[str]


@pytest.fixture(autouse=True)
def _no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def run(server: S3Server, *arguments: str, **env: str) -> Done:
    return ddb_convert(*arguments, env={**server.environment(), **env})


def ids(dest: Path) -> list[str]:
    """What is in the column id of all that is published there."""
    return sorted(str(row[0]) for row in read_csv_rows(dest.glob("dt=*/**/*.csv"))[1])


@pytest.fixture
def days(ministack: S3Server, tmp_path: Path) -> tuple[str, list[ExportPaths]]:
    """A bucket with the exports of three days in it, below a prefix."""
    bucket = ministack.new_bucket()
    exports = [
        export_of(
            tmp_path / "bucket",
            [line(id=f'{{"S":"day {day}"}}')],
            facts=ExportFacts(prefix="daily", export_time=datetime(2024, 1, day, tzinfo=UTC)),
        )
        for day in (1, 2, 3)
    ]
    ministack.upload(bucket, tmp_path / "bucket")
    return bucket, exports


def test_changes_are_read_from_the_folder_that_all_windows_share(ministack: S3Server, tmp_path: Path) -> None:
    bucket = ministack.new_bucket()
    start = datetime(2024, 1, 1, tzinfo=UTC)
    windows = [
        WindowFacts(prefix="hourly", from_time=start + timedelta(hours=n), to_time=start + timedelta(hours=n + 1))
        for n in range(2)
    ]
    exports = []
    for number, facts in enumerate(windows):
        change = Change(keys={"id": f"of {number}"}, new={"id": f"of {number}"}, written=facts.from_time)
        exports.append(write_incremental_export(tmp_path / "bucket", [change], facts=facts))
    ministack.upload(bucket, tmp_path / "bucket")
    for number, source in enumerate((f"hourly/AWSDynamoDB/{exports[0].export_id}/", "hourly/ --latest")):
        place, *options = source.split()
        out = tmp_path / f"out-{number}"
        done = run(ministack, "convert", f"s3://{bucket}/{place}", str(out), "--format", "csv", *options)
        assert done.returncode == 0, done.stderr
        header, rows = read_csv_rows(out.glob("dt=*/**/*.csv"))
        assert header == ["_op", "_write_ts", "id"]
        assert rows == [("insert", f"2024-01-01T0{number}:00:00.000000Z", f"of {number}")]


def test_every_form_of_source_leads_to_its_export(
    ministack: S3Server, days: tuple[str, list[ExportPaths]], tmp_path: Path
) -> None:
    bucket, exports = days
    folder = f"s3://{bucket}/daily/AWSDynamoDB/{exports[1].export_id}"
    forms: list[tuple[int, tuple[str, ...]]] = [
        (2, (folder,)),
        (2, (f"{folder}/manifest-summary.json",)),
        (3, (f"s3://{bucket}/daily/", "--latest")),
        (3, (f"s3://{bucket}", "--latest")),
        (1, (f"s3://{bucket}/daily/AWSDynamoDB/", "--export-id", exports[0].export_id)),
    ]
    for number, (day, (source, *options)) in enumerate(forms):
        dest = tmp_path / f"out{number}"
        done = run(ministack, "convert", source, str(dest), "--format", "csv", *options)
        assert (done.returncode, ids(dest)) == (0, [f"day {day}"]), done.stderr


def test_an_export_in_s3_becomes_the_same_as_in_a_folder(
    ministack: S3Server, days: tuple[str, list[ExportPaths]], tmp_path: Path
) -> None:
    bucket, exports = days
    dest = ministack.new_bucket()
    done = run(ministack, "convert", f"s3://{bucket}/daily/", f"s3://{dest}/lake/", "--latest")
    assert done.returncode == 0, done.stderr
    assert ddb_convert("convert", str(exports[2].folder), str(tmp_path / "out")).returncode == 0
    local = {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in tmp_path.glob("out/dt=*/**/*.*")}
    in_s3 = ministack.listing(dest, "lake/dt=")
    assert {f"lake/{path}": content for path, content in local.items()} == in_s3
    assert len(in_s3) == 1
    again = run(ministack, "convert", f"s3://{bucket}/daily/", f"s3://{dest}/lake/", "--latest", "--json")
    assert json.loads(again.stdout)["status"] == "unchanged"


@pytest.mark.parametrize("prefix", ["注文\u3000データ/毎日", "👩\u200d💻 \xa0", "a+b %2F&\u202e\u2028'\"$"])
def test_a_prefix_with_characters_that_cannot_be_seen_is_read_and_written_like_any_other(
    ministack: S3Server, tmp_path: Path, prefix: str
) -> None:
    bucket, start = ministack.new_bucket(), datetime(2024, 1, 1, tzinfo=UTC)
    export = export_of(
        tmp_path / "bucket", [line(id='{"S":"item"}')], facts=ExportFacts(prefix=prefix, export_time=start)
    )
    window = WindowFacts(prefix=prefix, from_time=start, to_time=start + timedelta(hours=1))
    change = Change(keys={"id": "change"}, new={"id": "change"}, written=start)
    increment = write_incremental_export(tmp_path / "bucket", [change], facts=window)
    ministack.upload(bucket, tmp_path / "bucket")
    for number, (made, name) in enumerate(((export, "item"), (increment, "change"))):
        local = tmp_path / f"out{number}" / prefix
        done = ddb_convert("convert", str(made.folder), str(local), "--format", "csv")
        assert done.returncode == 0, done.stderr
        source, dest = f"s3://{bucket}/{prefix}/AWSDynamoDB/{made.export_id}/", f"s3://{bucket}/out{number}/{prefix}/"
        done = run(ministack, "convert", source, dest, "--format", "csv")
        assert done.returncode == 0, done.stderr
        assert all(printed.isprintable() for printed in done.stderr.replace("\u3000", "").splitlines())
        parts = {str(path.relative_to(local)): path.read_bytes() for path in local.glob("dt=*/**/*.csv")}
        assert [name.encode() in content for content in parts.values()] == [True]
        in_s3 = ministack.listing(bucket, f"out{number}/{prefix}/dt=")
        assert {f"out{number}/{prefix}/{path}": content for path, content in parts.items()} == in_s3
        again = run(ministack, "convert", source, dest, "--format", "csv", "--json")
        assert json.loads(again.stdout)["status"] == "unchanged"


def test_what_is_not_there_is_told_with_what_is(
    ministack: S3Server, days: tuple[str, list[ExportPaths]], tmp_path: Path
) -> None:
    bucket, exports = days
    above, dest = f"s3://{bucket}/daily/", str(tmp_path / "out")
    several = run(ministack, "convert", above, dest)
    unknown = run(ministack, "convert", above, dest, "--export-id", "01700000000000-00000000")
    for done in (several, unknown):
        assert done.returncode == 2
        assert all(export.export_id in done.stderr for export in exports)
    both = run(ministack, "convert", above, dest, "--export-id", exports[0].export_id, "--latest")
    assert (both.returncode, "--export-id" in both.stderr) == (2, True)
    for source in (f"s3://{bucket}/weekly/", f"s3://{bucket}/daily/AWSDynamoDB/{exports[0].export_id[:-1]}"):
        done = run(ministack, "convert", source, dest)
        assert (done.returncode, "no such folder" in done.stderr) == (3, True)
    assert not Path(dest).exists()


def begin_export(server: S3Server, bucket: str, **arguments: object) -> str:
    """Have the server export the table, and return the ARN."""
    client = server.service("dynamodb")
    if TABLE not in client.list_tables()["TableNames"]:
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    table_arn = client.describe_table(TableName=TABLE)["Table"]["TableArn"]
    answer = client.export_table_to_point_in_time(TableArn=table_arn, S3Bucket=bucket, **arguments)
    return str(answer["ExportDescription"]["ExportArn"])


def put_export(server: S3Server, bucket: str, arn: str, folder: Path) -> None:
    """Put what the service would have written into the bucket: the server writes nothing."""
    *_, region, account, resource = arn.split(":")
    export_id = resource.rpartition("/")[2]
    facts = ExportFacts(table=TABLE, region=region, account=account, bucket=bucket)
    export = export_of(folder, [line(id='{"S":"by its ARN"}')], facts=facts)
    for path in (export.summary, export.files):
        path.write_bytes(path.read_bytes().replace(facts.export_id.encode(), export_id.encode()))
    seal(export.folder)
    server.upload(bucket, export.folder, f"AWSDynamoDB/{export_id}/")


@pytest.fixture(scope="module")
def exporting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server whose exports are complete at once."""
    with start_ministack(tmp_path_factory.mktemp("ministack"), **AT_ONCE) as server:
        yield server


def test_an_arn_leads_to_its_export(exporting: S3Server, tmp_path: Path) -> None:
    bucket = exporting.new_bucket()
    arn = begin_export(exporting, bucket)
    put_export(exporting, bucket, arn, tmp_path / "bucket")
    dest = tmp_path / "out"
    done = run(exporting, "convert", arn, str(dest), "--format", "csv", "--json")
    assert (done.returncode, ids(dest)) == (0, ["by its ARN"]), done.stderr
    assert json.loads(done.stdout)["source"] == f"s3://{bucket}/AWSDynamoDB/{arn.rpartition('/')[2]}"
    done = run(exporting, "inspect", arn)
    assert (done.returncode, "id" in done.stdout) == (0, True)
    other = run(exporting, "inspect", arn, "--export-id", "01700000000000-00000000")
    assert other.returncode == 2


def test_the_region_of_an_arn_is_the_one_that_is_asked(exporting: S3Server, tmp_path: Path) -> None:
    bucket = exporting.new_bucket()
    arn = begin_export(replace(exporting, region="eu-central-1"), bucket)
    assert ":eu-central-1:" in arn
    put_export(exporting, bucket, arn, tmp_path / "bucket")
    # The option is for S3: the bucket may be elsewhere.
    for region in ([], ["--region", "eu-west-3"]):
        done = run(exporting, "inspect", arn, *region)
        assert done.returncode == 0, done.stderr


def test_an_export_whose_files_are_gone_is_told(exporting: S3Server) -> None:
    bucket = exporting.new_bucket()
    arn = begin_export(exporting, bucket)
    done = run(exporting, "inspect", arn)
    assert done.returncode == 3
    assert f"s3://{bucket}/AWSDynamoDB/{arn.rpartition('/')[2]}: {arn} is completed" in done.stderr


def test_another_export_in_the_place_of_the_one_that_is_meant_is_refused(exporting: S3Server, tmp_path: Path) -> None:
    bucket = exporting.new_bucket()
    arn, other = begin_export(exporting, bucket), begin_export(exporting, bucket)
    put_export(exporting, bucket, other, tmp_path / "bucket")
    listing = exporting.listing(bucket, "AWSDynamoDB/")
    for key, content in listing.items():
        key = key.replace(other.rpartition("/")[2], arn.rpartition("/")[2])
        exporting.client().put_object(Bucket=bucket, Key=key, Body=content)
    done = run(exporting, "inspect", arn)
    assert done.returncode == 3
    assert other in done.stderr


def test_an_export_that_the_service_does_not_know_is_told(exporting: S3Server) -> None:
    arn = begin_export(exporting, exporting.new_bucket()).rpartition("/")[0] + "/01700000000000-00000000"
    done = run(exporting, "inspect", arn)
    assert done.returncode == 3
    assert "has no such export" in done.stderr
    assert f"ddb-convert export list {arn.partition('/export/')[0]}" in done.stderr


def test_an_export_in_progress_is_busy(tmp_path: Path) -> None:
    with start_ministack(tmp_path / "server", **WAITING) as server:
        begun = datetime.now(UTC).replace(microsecond=0)
        arn = begin_export(server, server.new_bucket())
        done = run(server, "convert", arn, str(tmp_path / "out"))
    assert done.returncode == 6
    since = done.stderr.partition("in progress since ")[2].partition(",")[0]
    assert begun <= datetime.fromisoformat(since) <= begun + timedelta(minutes=5)
    assert "wait for it with `ddb-convert export wait arn:" in done.stderr
    assert not (tmp_path / "out").exists()


def test_describing_an_export_needs_its_permission(tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with start_ministack(tmp_path, AUTH="true", **keys) as server:
        arn = begin_export(server, server.new_bucket())
        iam = server.service("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        nobody = replace(server, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])
        done = run(nobody, "inspect", arn)
    assert done.returncode == 5
    assert f"dynamodb:DescribeExport is not allowed on {arn}" in done.stderr


@contextmanager
def describing(**description: object) -> Iterator[str]:
    """The address of a DynamoDB that knows one export, and says this of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.headers["x-amz-target"].endswith(".DescribeExport")
            content = json.dumps({"ExportDescription": {"ExportArn": asked["ExportArn"], **description}}).encode()
            self.send_response_only(200)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ListeningServer((LOOPBACK, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_an_increment_that_the_service_says_was_filtered_is_not_merged(ministack: S3Server, tmp_path: Path) -> None:
    arn = WindowFacts(table=TABLE).export_arn
    specification = {"FilterExpression": "price > :p"}
    bucket = ministack.new_bucket()
    with describing(ExportStatus="COMPLETED", S3Bucket=bucket, FilterSpecification=specification) as url:
        done = run(ministack, "merge", "fixtures/orders", arn, str(tmp_path), AWS_ENDPOINT_URL_DYNAMODB=url)
        assert done.returncode == 3
        assert "the increment was made with a filter" in done.stderr
        allowed = ("merge", "--allow-filtered", "fixtures/orders", arn, str(tmp_path))
        # Nobody has written its files.
        assert "manifest-summary.json is missing" in run(ministack, *allowed, AWS_ENDPOINT_URL_DYNAMODB=url).stderr


@pytest.mark.parametrize("described", [{}, {"FailureCode": "S3NoSuchBucket", "FailureMessage": "No such bucket."}])
def test_an_export_that_failed_is_told_with_its_reason(ministack: S3Server, described: dict[str, str]) -> None:
    arn = ExportFacts().export_arn
    with describing(ExportStatus="FAILED", StartTime=time.time(), S3Bucket="exports", **described) as url:
        done = run(ministack, "inspect", arn, AWS_ENDPOINT_URL_DYNAMODB=url)
    assert done.returncode == 3
    said = "S3NoSuchBucket: No such bucket\n" if described else "no failure code: no message\n"
    assert f"error: {arn}: the export failed: {said}" in done.stderr


@pytest.mark.parametrize(
    "manifest",
    [
        lambda key: {"ExportManifest": f"{key}manifest-files.json", "S3Prefix": "elsewhere"},
        lambda key: {"ExportManifest": f"{key}manifest-summary.json"},
        lambda key: {"S3Prefix": "daily"},
    ],
)
def test_the_service_says_where_an_export_lies(
    ministack: S3Server, tmp_path: Path, manifest: Callable[[str], dict[str, Any]]
) -> None:
    facts = ExportFacts(prefix="daily")
    export = export_of(tmp_path / "bucket", [line(id='{"S":"a"}')], facts=facts)
    bucket = ministack.new_bucket()
    ministack.upload(bucket, export.bucket)
    with describing(ExportStatus="COMPLETED", S3Bucket=bucket, **manifest(facts.key_prefix)) as url:
        done = run(ministack, "inspect", facts.export_arn, "--json", AWS_ENDPOINT_URL_DYNAMODB=url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["exportId"] == export.export_id
