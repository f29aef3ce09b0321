"""Every option for AWS changes what is asked of AWS, or what lies in S3 afterwards: looked for there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from converter import AwsOptions
from converter.cli import main
from converter.errors import UsageError
from converter.testing import ExportPaths
from tests.end_to_end.exports import export_of, line
from tests.servers.process import LOOPBACK, free_port
from tests.servers.relay import OWNER, Asked, Relay
from tests.servers.s3 import S3Server

ANOTHER = "999999999999"


@dataclass
class Outcome:
    """How one command line ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Place:
    """An export, in S3 and in a folder, and a bucket for what becomes of it; all requests go through the relay."""

    server: S3Server
    relay: Relay
    folder: Path
    export: ExportPaths
    source_bucket: str
    dest_bucket: str
    captured: pytest.CaptureFixture[str]
    environment: pytest.MonkeyPatch

    def role(self, name: str) -> str:
        """A role that no other test assumes."""
        return f"arn:aws:iam::{OWNER}:role/{name}-{self.dest_bucket[-8:]}"

    @property
    def source(self) -> str:
        return f"s3://{self.source_bucket}/AWSDynamoDB/{self.export.export_id}/"

    @property
    def dest(self) -> str:
        return f"s3://{self.dest_bucket}/lake/"

    @property
    def asked_of_source(self) -> list[Asked]:
        return self.relay.of(self.source_bucket)

    @property
    def asked_of_dest(self) -> list[Asked]:
        return self.relay.of(self.dest_bucket)

    def convert(self, *options: str, source: str | None = None, dest: str | None = None, **env: str) -> Outcome:
        return self.run("convert", source or self.source, dest or self.dest, *options, **env)

    def run(self, *arguments: str, **env: str) -> Outcome:
        self.relay.asked.clear()
        self.captured.readouterr()
        with self.environment.context() as changes:
            environment = {**self.server.environment(), "AWS_ENDPOINT_URL": self.relay.endpoint_url, **env}
            for name, value in environment.items():
                changes.setenv(name, value)
            changes.delenv("AWS_PROFILE", raising=False)
            code = main.run(arguments)
        return Outcome(code, *self.captured.readouterr())

    def published(self) -> dict[str, dict[str, Any]]:
        """What S3 says of each object in the destination."""
        client = self.server.client()
        keys = self.server.listing(self.dest_bucket)
        return {key: client.head_object(Bucket=self.dest_bucket, Key=key) for key in keys}


@pytest.fixture
def place(
    ministack: S3Server,
    relay: Relay,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    export = export_of(tmp_path / "bucket", [line(id='{"S":"a"}')])
    bucket = ministack.new_bucket()
    ministack.upload(bucket, export.bucket)
    return Place(ministack, relay, tmp_path, export, bucket, ministack.new_bucket(), capsys, monkeypatch)


def _done(done: Outcome) -> None:
    assert done.returncode == 0, done.stderr


def flip_profile(place: Place) -> None:
    config = place.folder / "config"
    config.write_text("[profile lake]\naws_access_key_id = of-lake\naws_secret_access_key = s\n")
    _done(place.convert("--profile", "lake", AWS_CONFIG_FILE=str(config)))
    assert _keys(place.relay.asked) == {"of-lake"}
    unknown = place.convert("--profile", "river", AWS_CONFIG_FILE=str(config))
    assert (unknown.returncode, place.relay.asked) == (2, [])
    assert "--profile" in unknown.stderr
    assert "river" in unknown.stderr


def flip_region(place: Place) -> None:
    _done(place.convert("--region", "eu-west-3"))
    # S3 answers where the bucket really is.
    assert place.relay.asked[0].region == "eu-west-3"


def flip_endpoint_url(place: Place) -> None:
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    _done(place.convert("--endpoint-url", place.relay.endpoint_url, AWS_ENDPOINT_URL=nowhere))
    assert place.published()


def flip_source_role_arn(place: Place) -> None:
    _done(place.convert("--source-role-arn", place.role("reader")))
    assert _keys(place.asked_of_dest) == {place.server.access_key}
    assert _keys(place.asked_of_source) == {_assumed(place)[0]}


def flip_dest_role_arn(place: Place) -> None:
    _done(place.convert("--dest-role-arn", place.role("writer")))
    assert _keys(place.asked_of_source) == {place.server.access_key}
    assert _keys(place.asked_of_dest) == {_assumed(place)[0]}


def flip_source_bucket_owner(place: Place) -> None:
    _done(place.convert("--source-bucket-owner", OWNER))
    assert {request.headers.get("x-amz-expected-bucket-owner") for request in place.asked_of_source} == {OWNER}
    assert {request.headers.get("x-amz-expected-bucket-owner") for request in place.asked_of_dest} == {None}
    refused = place.convert("--source-bucket-owner", ANOTHER)
    assert refused.returncode == 5
    assert f"account {ANOTHER} owns the bucket" in refused.stderr


def flip_dest_bucket_owner(place: Place) -> None:
    refused = place.convert("--dest-bucket-owner", ANOTHER)
    assert (refused.returncode, place.published()) == (5, {})
    assert f"account {ANOTHER} owns the bucket" in refused.stderr
    _done(place.convert("--dest-bucket-owner", OWNER))
    assert {request.headers.get("x-amz-expected-bucket-owner") for request in place.asked_of_dest} == {OWNER}
    assert {request.headers.get("x-amz-expected-bucket-owner") for request in place.asked_of_source} == {None}


def flip_dest_sse(place: Place) -> None:
    _done(place.convert("--dest-sse", "AES256"))
    assert [head.get("ServerSideEncryption") for head in place.published().values()] == ["AES256"] * 3


def flip_dest_kms_key_id(place: Place) -> None:
    _done(place.convert("--dest-sse", "aws:kms", "--dest-kms-key-id", "key-1"))
    heads = place.published().values()
    assert [(head["ServerSideEncryption"], head["SSEKMSKeyId"]) for head in heads] == [("aws:kms", "key-1")] * 3


def flip_acl(place: Place) -> None:
    client = place.server.client()
    _set_ownership(place, "ObjectWriter")
    client.delete_public_access_block(Bucket=place.dest_bucket)
    _done(place.convert("--acl", "public-read"))
    begun = [request for request in place.asked_of_dest if request.method == "POST" and "uploads" in request.query]
    put = [request for request in place.asked_of_dest if request.method == "PUT" and "partNumber" not in request.query]
    assert {request.headers.get("x-amz-acl") for request in begun} == {"public-read"}
    assert {request.headers.get("x-amz-acl") for request in put} == {"public-read"}
    # MiniStack does not keep the ACL of an object that is uploaded in parts.
    [record] = [key for key in place.published() if key.endswith(".json")]
    grants = client.get_object_acl(Bucket=place.dest_bucket, Key=record)["Grants"]
    assert "READ" in [grant["Permission"] for grant in grants if "AllUsers" in grant["Grantee"].get("URI", "")]


def flip_storage_class(place: Place) -> None:
    _done(place.convert("--storage-class", "STANDARD_IA"))
    classes = {re.split("[./]", key)[-1]: head.get("StorageClass") for key, head in place.published().items()}
    assert classes == {"parquet": "STANDARD_IA", "json": None, "index": None}
    unknown = place.convert("--replace", "--numbers", "text", "--storage-class", "ATTIC")
    assert unknown.returncode == 2
    assert "--storage-class" in unknown.stderr


FLIPS: dict[str, Callable[[Place], None]] = {
    name.removeprefix("flip_"): test for name, test in list(globals().items()) if name.startswith("flip_")
}


def _keys(asked: list[Asked]) -> set[str]:
    assert asked
    return {request.access_key for request in asked}


def _set_ownership(place: Place, ownership: str) -> None:
    place.server.client().put_bucket_ownership_controls(
        Bucket=place.dest_bucket, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]}
    )


def _assumed(place: Place) -> list[str]:
    """The access keys that were given for roles; they were asked for with the server's own."""
    asked = [request for request in place.relay.asked if request.service == "sts"]
    assert _keys(asked) == {place.server.access_key}
    given = _keys(place.relay.asked) - {place.server.access_key}
    assert len(given) == len(asked)
    return sorted(given)


def test_no_option_is_forgotten_here() -> None:
    assert set(FLIPS) == {field.name for field in fields(AwsOptions)}


@pytest.mark.parametrize("option", FLIPS)
def test_an_option_has_its_effect(option: str, place: Place) -> None:
    FLIPS[option](place)


def test_each_side_has_its_own_role(place: Place) -> None:
    _done(place.convert("--source-role-arn", place.role("reader"), "--dest-role-arn", place.role("writer")))
    assert sorted([*_keys(place.asked_of_source), *_keys(place.asked_of_dest)]) == _assumed(place)
    assert len(_assumed(place)) == 2


def test_the_environment_gives_options_too(place: Place) -> None:
    _done(place.convert(DDB_CONVERT_STORAGE_CLASS="ONEZONE_IA", DDB_CONVERT_REGION="eu-west-3"))
    assert "ONEZONE_IA" in [head.get("StorageClass") for head in place.published().values()]
    assert place.relay.asked[0].region == "eu-west-3"


def test_inspect_and_recipe_take_the_options_of_their_side(place: Place) -> None:
    reading = ("--region", "eu-west-3", "--source-role-arn", place.role("reader"), "--source-bucket-owner", OWNER)
    _done(place.run("inspect", place.source, *reading))
    assert _keys(place.asked_of_source) == {_assumed(place)[0]}
    assert {request.headers["x-amz-expected-bucket-owner"] for request in place.asked_of_source} == {OWNER}
    _done(place.convert())
    loading = ("--region", "eu-west-3", "--dest-role-arn", place.role("loader"), "--dest-bucket-owner", OWNER)
    done = place.run("recipe", "duckdb", place.dest, *loading)
    _done(done)
    assert place.dest_bucket in done.stdout
    assert _keys(place.asked_of_dest) == {_assumed(place)[0]}
    assert {request.headers["x-amz-expected-bucket-owner"] for request in place.asked_of_dest} == {OWNER}
    for verb in (("inspect", place.source), ("recipe", "duckdb", place.dest)):
        done = place.run(*verb, "--profile", "nobody")
        assert (done.returncode, "nobody" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("source-role-arn", "arn:aws:iam::000000000000:role/reader"),
        ("source-bucket-owner", OWNER),
        ("dest-role-arn", "arn:aws:iam::000000000000:role/writer"),
        ("dest-bucket-owner", OWNER),
        ("dest-sse", "AES256"),
        ("acl", "private"),
        ("storage-class", "STANDARD_IA"),
    ],
)
def test_what_is_asked_of_s3_is_refused_for_a_folder(option: str, value: str, place: Place) -> None:
    source, dest = str(place.export.folder), str(place.folder / "out")
    done = place.convert(f"--{option}", value, source=source, dest=dest)
    assert done.returncode == 2
    assert f"--{option}: " in done.stderr
    assert "local folder" in done.stderr
    assert not os.path.exists(dest)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (("--dest-sse", "rot13"), "invalid value for '--dest-sse'"),
        (("--acl", "everyone"), "invalid value for '--acl'"),
        (("--dest-kms-key-id", "key-1"), "--dest-kms-key-id"),
        (("--dest-sse", "AES256", "--dest-kms-key-id", "key-1"), "--dest-kms-key-id"),
        (("--source-bucket-owner", "me"), "--source-bucket-owner"),
        (("--dest-bucket-owner", "１２３４５６７８９０１２"), "--dest-bucket-owner"),
        (("--endpoint-url", "localhost:9000"), "--endpoint-url"),
        (("--region", ""), "--region"),
        (("--profile", ""), "--profile"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    options: tuple[str, ...], where: str, place: Place
) -> None:
    done = place.convert(*options)
    assert (done.returncode, place.relay.asked) == (2, [])
    assert f"error: {where}: " in done.stderr


@pytest.mark.parametrize(
    ("given", "hint"),
    [({"dest_sse": "rot13"}, "AES256, aws:kms, aws:kms:dsse"), ({"acl": "everyone"}, "bucket-owner-full-control")],
)
def test_the_library_refuses_what_is_not_known_too(given: dict[str, Any], hint: str) -> None:
    with pytest.raises(UsageError, match="unknown value") as raised:
        AwsOptions(**given)
    assert hint in raised.value.hint


def test_an_acl_for_a_bucket_that_takes_none_is_told(place: Place) -> None:
    _set_ownership(place, "BucketOwnerEnforced")
    done = place.convert("--acl", "public-read")
    assert (done.returncode, place.published()) == (5, {})
    assert "remove --acl" in done.stderr
