"""Local folders and S3 keep the rules for what dead runs leave; test_memory.py shows the rest for object stores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from converter.aws.access import AwsOptions
from converter.aws.s3_uri import s3_uri
from converter.errors import BusyError, StorageError
from tests.conformance.leftovers import EXPORT, NOTHING, OTHER, PARTS, LeftoversSuite, UploadDeathsSuite, fates
from tests.servers.s3 import S3Server


class TestLocalLeftovers(LeftoversSuite):
    """Folders of this machine."""

    parts = ("folder",)
    parts_when_placed = ("folder",)

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "out"
        self.dest = str(self.folder)

    def listing(self) -> dict[str, bytes]:
        files = {path for path in self.folder.rglob("*") if path.is_file()}
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def put(self, path: str, content: bytes) -> None:
        (self.folder / path).write_bytes(content)

    def test_looking_writes_nothing_and_making_nothing_is_left_behind(self) -> None:
        with pytest.raises(StorageError, match="is empty or does not exist"):
            self.clean()
        assert not self.folder.exists()
        self.folder.mkdir()
        (self.folder / "mine").write_bytes(b"mine")
        assert fates(self.clean()) == NOTHING
        assert [path.name for path in self.folder.rglob("*")] == ["mine"]

    def test_several_dead_runs_are_all_removed(self) -> None:
        runs = [self.folder / "_exports" / f".run-{export}-0a1b2c3d" for export in (EXPORT, OTHER)]
        for run in runs:
            (run / "parts").mkdir(parents=True)
            (run / "parts" / "00000-0000.parquet.pending").write_bytes(b"abc")
        assert [self.folder / left.path for left in self.clean().removed] == runs
        assert self.listing() == {}

    def test_a_link_in_the_place_of_a_hidden_folder_goes_without_what_it_leads_to(self, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "file").write_bytes(b"mine")
        (self.folder / "_exports").mkdir(parents=True)
        (self.folder / "_exports" / ".run-x").symlink_to(tmp_path / "mine")
        assert fates(self.clean()) == {**NOTHING, "removed": ["folder"]}
        assert (tmp_path / "mine" / "file").read_bytes() == b"mine"


class TestS3Leftovers(UploadDeathsSuite):
    """Prefixes of a bucket."""

    @pytest.fixture(autouse=True)
    def _bucket(self, ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        for name, value in ministack.environment().items():
            monkeypatch.setenv(name, value)
        self.server = ministack
        # A client is kept for all of the process, and must not be that of another test's environment.
        self.aws = AwsOptions(endpoint_url=ministack.endpoint_url)
        self.bucket = ministack.new_bucket()
        self.bucket_place = s3_uri(self.bucket)
        self.dest = f"{self.bucket_place}/{self.prefix}/"

    def environment(self) -> dict[str, str]:
        return self.server.environment()

    def listing(self) -> dict[str, bytes]:
        found = {**dict.fromkeys(self.server.uploads(self.bucket), b""), **self.server.listing(self.bucket)}
        return {key.removeprefix(f"{self.prefix}/"): content for key, content in found.items()}

    def put(self, path: str, content: bytes) -> None:
        self.server.client().put_object(Bucket=self.bucket, Key=f"{self.prefix}/{path}", Body=content)

    def begin_upload(self, key: str) -> str:
        answer: Mapping[str, Any] = self.server.client().create_multipart_upload(Bucket=self.bucket, Key=key)
        return str(answer["UploadId"])

    def open_uploads(self) -> list[str]:
        return self.server.uploads(self.bucket)

    def test_a_lease_that_was_not_written_for_long_is_left_over_wherever_its_process_was(self) -> None:
        self.die("writing")
        found = [left for left in self.clean(dry_run=True).removed if left.kind == "lease"]
        assert [left.path for left in found] == ["_exports/lease"]
        content = self.server.listing(self.bucket)[f"{self.prefix}/_exports/lease"]
        # A run of another machine wrote its lease just now: no process here knows whether it lives.
        self.put("_exports/lease", content.replace(b'"machine": "', b'"machine": "another '))
        with pytest.raises(BusyError, match=r"the lease is free in \d+ s"):
            self.clean()
        assert self.uploads_found(self.clean(dry_run=True).kept) == sorted(PARTS)
