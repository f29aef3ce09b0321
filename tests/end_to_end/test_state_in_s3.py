"""A long history in S3: but for the pages of one listing, a run asks for as much as at a destination without one."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import converter
from benchmarks.state import make_history
from converter.publishing.destination_records import read_records
from converter.storage import open_destination
from converter.testing import ExportFacts, ExportPaths, write_export
from tests.servers.relay import Relay
from tests.servers.s3 import S3Server

PAGE = 1000
DAYS = [datetime(2024, 3, day, 12, tzinfo=UTC) for day in (1, 2, 3)]


@pytest.fixture
def exports(tmp_path: Path) -> list[ExportPaths]:
    """One of each day."""
    return [
        write_export(tmp_path, [{"id": {"S": "a"}, "price": {"N": "1.5"}}], facts=ExportFacts(export_time=day))
        for day in DAYS
    ]


def put_history(server: S3Server, bucket: str, count: int) -> None:
    """Records of earlier times, which no index knows."""
    [(key, content)] = [one for one in server.listing(bucket).items() if one[0].endswith(".json")]
    folder = key.rpartition("/")[0]
    history = make_history(json.loads(content), count, timedelta(days=1))
    client = server.client()

    def put(name: str) -> None:
        client.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=history[name])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, history))


@pytest.mark.parametrize("most", [30, pytest.param(PAGE + 200, marks=pytest.mark.slow)])
def test_requests_do_not_grow_with_the_records(
    most: int, relay: Relay, ministack: S3Server, monkeypatch: pytest.MonkeyPatch, exports: list[ExportPaths]
) -> None:
    ministack.use(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", relay.endpoint_url)
    asked: dict[int, Counter[str]] = {}
    for count in (0, 1, most):
        bucket = ministack.new_bucket()
        dest = f"s3://{bucket}/lake"
        converter.convert(exports[0].folder, dest)
        put_history(ministack, bucket, count)
        # It reads all records, and writes the index.
        converter.convert(exports[1].folder, dest)
        relay.asked.clear()
        converter.convert(exports[2].folder, dest)
        asked[count] = Counter(
            "page of records"
            if request.query.get("list-type") and request.query.get("prefix") == "lake/_exports/"
            else request.method
            for request in relay.of(bucket)
        )
        assert len(read_records(open_destination(dest)).entries) == count + 3
    pages = [found.pop("page of records") for found in asked.values()]
    assert pages == [1, 1, 1 + most // PAGE]
    assert asked[0] == asked[1] == asked[most]


def test_the_index_in_s3_is_believed_while_no_other_program_writes(
    relay: Relay, ministack: S3Server, monkeypatch: pytest.MonkeyPatch, exports: list[ExportPaths]
) -> None:
    ministack.use(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", relay.endpoint_url)
    bucket = ministack.new_bucket()
    dest = f"s3://{bucket}/lake"
    for export in exports:
        converter.convert(export.folder, dest)
    relay.asked.clear()
    before = read_records(open_destination(dest)).entries
    read = [request.path.rpartition("/")[2] for request in relay.of(bucket) if not request.query]
    assert read == ["index", f"{before[-1].export_id}.json"]
    key = f"lake/_exports/{before[0].export_id}.json"
    content = ministack.listing(bucket)[key]
    assert b'"sequence": 1' in content
    ministack.client().put_object(Bucket=bucket, Key=key, Body=content.replace(b'"sequence": 1', b'"sequence": 8'))
    assert [entry.sequence for entry in read_records(open_destination(dest)).entries] == [8, 2, 3]
