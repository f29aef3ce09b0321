"""S3 keeps the rules for stores, on two servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from converter.aws.access import AwsOptions
from converter.aws.s3_store import open_destination_store
from converter.aws.s3_uri import s3_uri
from converter.object_store import ObjectStore
from converter.storage import open_destination, open_source
from converter.storage.destination import Destination
from converter.storage.source import Source
from tests.conformance.object_stores import ObjectStoreSuite
from tests.conformance.suites import FOLDER, DestinationSuite, SourceSuite, publish, take, write_part
from tests.servers.s3 import S3Server

PREFIX = "some/where/"


class InS3:
    """A new bucket for each test, and what it takes to reach it, in the environment."""

    @pytest.fixture(autouse=True)
    def _bucket(self, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
        s3.use(monkeypatch)
        self.server = s3
        self.bucket = s3.new_bucket()
        self.place = f"s3://{self.bucket}/{PREFIX}"


class TestS3Store(ObjectStoreSuite):
    @pytest.fixture(autouse=True)
    def _bucket(self, ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
        ministack.use(monkeypatch)
        self.place = s3_uri(ministack.new_bucket(), PREFIX)

    def open_store(self) -> ObjectStore:
        return open_destination_store(self.place, AwsOptions())


class TestS3Source(InS3, SourceSuite):
    def make_source(self, files: Mapping[str, bytes]) -> Source:
        client = self.server.client()
        for path, content in files.items():
            client.put_object(Bucket=self.bucket, Key=PREFIX + path, Body=content)
        return open_source(self.place, AwsOptions())


class TestS3Destination(InS3, DestinationSuite):
    def open_destination(self) -> Destination:
        return open_destination(self.place, AwsOptions())

    def listing(self) -> dict[str, bytes]:
        objects = self.server.listing(self.bucket)
        assert all(key.startswith(PREFIX) for key in objects)
        return {key.removeprefix(PREFIX): content for key, content in objects.items()}

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, _bucket: None) -> Iterator[None]:
        yield
        assert self.server.uploads(self.bucket) == []

    def test_a_bucket_alone_is_a_destination(self) -> None:
        destination = open_destination(f"s3://{self.bucket}", AwsOptions())
        publish(destination, FOLDER, {"0.parquet": b"abc"})
        assert f"{FOLDER}/0.parquet" in self.server.listing(self.bucket)
        assert destination.names("") == ["_exports", "dt=2023-11-27"]

    def test_a_part_of_several_pieces_arrives_whole(self) -> None:
        pieces = [bytes([number]) * (3 << 20) for number in range(5)]
        with self.open_destination().lease() as lease:
            staging = lease.begin(FOLDER.rpartition("/")[2], FOLDER)
            staging.commit(b"{}", [write_part(staging, "0.parquet", *pieces)])
        assert self.listing()[f"{FOLDER}/0.parquet"] == b"".join(pieces)

    def test_a_lease_that_its_holder_let_go_of_leaves_nothing(self) -> None:
        take(self.open_destination())
        assert self.listing() == {}
