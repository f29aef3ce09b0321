"""Libraries that read S3 by themselves are told the bucket's own region; its owner is checked for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from converter.aws.access import AwsOptions, Connection
from converter.aws.reader_settings import reader_settings_of
from converter.errors import StorageError
from converter.object_store import ReaderSettings
from tests.unit.aws.stub import Stub, always, start_stub


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with start_stub(monkeypatch) as stub:
        yield stub


def settings(aws: AwsOptions | None = None) -> ReaderSettings:
    return reader_settings_of(Connection((aws or AwsOptions()).for_dest(), "s3"), "lake")


@pytest.mark.parametrize(
    ("told", "region"), [("eu-west-1", "eu-west-1"), ("us-east-1", "us-east-1"), (None, "us-east-1")]
)
def test_the_region_is_the_buckets_or_else_ours(told: str | None, region: str, stub: Stub) -> None:
    stub.answer = lambda _: (200, "")
    stub.headers = {} if told is None else {"x-amz-bucket-region": told}
    assert settings().options == {
        "aws_region": told or "us-east-1",
        "aws_endpoint_url": stub.url,
        "aws_virtual_hosted_style_request": "false",
        "aws_allow_http": "true",
    }


def test_a_bucket_of_another_account_is_refused(stub: Stub) -> None:
    stub.answer = always(403, "AccessDenied")
    with pytest.raises(StorageError, match="access denied: s3:ListBucket is not allowed on s3://lake") as refused:
        settings(AwsOptions(dest_bucket_owner="111122223333"))
    assert "account 111122223333" in refused.value.hint
