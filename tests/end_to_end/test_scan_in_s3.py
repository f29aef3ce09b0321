"""`scan` of a destination in S3 is that of the same destination on this machine, and reaches it in the same way."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from converter import convert, scan
from converter.aws.access import AwsOptions
from converter.aws.s3_store import open_destination_store
from converter.errors import StorageError
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.testing import ExportFacts
from fixtures.expect import export_folder
from tests.end_to_end.exports import export_of, line, small_lines
from tests.servers.proxy import start_proxy
from tests.servers.s3 import S3Server

PREFIX = "lake/é %41+ [x]*?#"
ROLE = "arn:aws:iam::000000000000:role/reader"


@pytest.fixture
def server(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    s3.use(monkeypatch)
    return s3


def publish(server: S3Server) -> str:
    """A destination of all types, and its place."""
    place = f"s3://{server.new_bucket()}/lake"
    convert(export_folder("all-types"), place)
    return place


@pytest.mark.parametrize(
    ("format", "compression"),
    [
        ("parquet", "zstd"),
        ("csv", "gzip"),
        pytest.param("csv", "none", marks=pytest.mark.slow),
        pytest.param("csv,parquet", "csv=gzip,parquet=snappy", marks=pytest.mark.slow),
    ],
)
def test_a_scan_in_s3_gives_the_rows_and_types_of_the_same_in_a_folder(
    format: Format, compression: str, server: S3Server, tmp_path: Path
) -> None:
    options = ConvertOptions(format=format, compression=compression)
    place = f"s3://{server.new_bucket()}/{PREFIX}/"
    for dest in (place, str(tmp_path)):
        convert(export_folder("all-types"), dest, options)
    assert_frame_equal(scan(place).collect(), scan(tmp_path).collect())


def test_a_scan_in_s3_has_all_dates(server: S3Server, tmp_path: Path) -> None:
    place = f"s3://{server.new_bucket()}"
    for number, last in enumerate((line(id='{"S":"a"}', old='{"N":"1.5"}'), line(id='{"S":"b"}', n='{"N":"0.25"}'))):
        facts = ExportFacts(export_time=datetime(2024, 1, 1 + number, tzinfo=UTC))
        export = export_of(tmp_path / str(number), [*small_lines(3), last], facts=facts)
        for dest in (place, str(tmp_path / "out")):
            convert(export.folder, dest, ConvertOptions(format="csv", evolve=True))
    frame = scan(place).collect()
    assert frame.height == 8
    assert_frame_equal(frame, scan(tmp_path / "out").collect())


def test_a_profile_is_used_in_the_place_of_the_environment(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = publish(server)
    keys = f"aws_access_key_id = {server.access_key}\naws_secret_access_key = {server.secret_key}\n"
    (tmp_path / "credentials").write_text(f"[lake]\n{keys}")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "another")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with start_proxy(server) as proxy:
        frame = scan(place, aws=AwsOptions(profile="lake", endpoint_url=proxy.server.endpoint_url)).collect()
        assert frame.height > 0
        assert any(request.key.endswith(".parquet") for request in proxy.requests)
        for request in proxy.requests:
            assert f"Credential={server.access_key}/" in request.headers["authorization"]
            assert "x-amz-security-token" not in request.headers


def test_a_role_is_assumed_for_all_that_is_read(ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    ministack.use(monkeypatch)
    place = publish(ministack)
    with start_proxy(ministack) as proxy:
        aws = AwsOptions(dest_role_arn=ROLE, endpoint_url=proxy.server.endpoint_url)
        scan(place, aws=aws).collect()
        reads = [request for request in proxy.requests if request.bucket]
        assert any(request.key.endswith(".parquet") for request in reads)
        for request in reads:
            assert "x-amz-security-token" in request.headers
            assert f"Credential={ministack.access_key}/" not in request.headers["authorization"]


def test_credentials_say_when_they_expire(ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    ministack.use(monkeypatch)
    place = f"s3://{ministack.new_bucket()}"
    members, expiry = open_destination_store(place, AwsOptions()).reader_settings().credentials()
    assert members == {
        "aws_access_key_id": ministack.access_key,
        "aws_secret_access_key": ministack.secret_key,
    }
    assert expiry is None
    members, expiry = open_destination_store(place, AwsOptions(dest_role_arn=ROLE)).reader_settings().credentials()
    assert set(members) == {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
    assert expiry is not None
    assert time.time() < expiry < time.time() + 12 * 3600


def test_where_nothing_is_published_there_is_nothing_to_scan(server: S3Server) -> None:
    bucket = server.new_bucket()
    for place, what in ((f"s3://{bucket}/x", "nothing is published"), (f"s3://{bucket}-not/x", "does not exist")):
        with pytest.raises(StorageError, match=what):
            scan(place)
    assert server.listing(bucket) == {}
