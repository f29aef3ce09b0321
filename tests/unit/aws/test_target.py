from __future__ import annotations

import pytest

from converter.aws.target import ExportTarget
from converter.errors import UsageError


@pytest.mark.parametrize("bucket", ["abc", "a.b-c", "exports-2026", "0" * 63])
def test_a_legal_bucket_is_taken(bucket: str) -> None:
    assert ExportTarget(bucket=bucket).folder == f"s3://{bucket}/AWSDynamoDB/"


@pytest.mark.parametrize(
    "bucket", ["ab", "a" * 64, "Exports", "a..b", "-ab", "ab-", "192.168.0.1", "s3://exports", "a_b"]
)
def test_a_name_that_no_bucket_has_is_refused_with_its_option(bucket: str) -> None:
    with pytest.raises(UsageError, match="not a valid name of a bucket") as refused:
        ExportTarget(bucket=bucket)
    assert refused.value.where == "--bucket"


def test_exports_lie_below_the_prefix() -> None:
    assert ExportTarget(bucket="exports", prefix="a/b").folder == "s3://exports/a/b/AWSDynamoDB/"


@pytest.mark.parametrize("prefix", ["注文\u3000データ", "👩\u200d💻/a", "a\xa0b\ufeff"])
def test_a_prefix_may_hold_characters_that_python_calls_unprintable(prefix: str) -> None:
    assert ExportTarget(bucket="exports", prefix=prefix).folder == f"s3://exports/{prefix}/AWSDynamoDB/"


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        ("ab", "too short"),
        ("/abc", "without a name"),
        ("abc/", "without a name"),
        ("a//b", "without a name"),
        ("a\nbc", "can't handle"),
        ("abc\x7f", "can't handle"),
        ("abc\x85", "can't handle"),
        ("a/../b", "can't handle"),
        ("é" * 500, "too long"),
        ("", "empty"),
    ],
)
def test_a_prefix_that_fails_later_is_refused_now(prefix: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        ExportTarget(bucket="exports", prefix=prefix)
    assert refused.value.where == "--export-prefix"


def test_other_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="12 digits"):
        ExportTarget(bucket="exports", bucket_owner="12345")
    with pytest.raises(UsageError, match="--export-sse KMS"):
        ExportTarget(bucket="exports", kms_key_id="alias/x", sse="AES256")
    with pytest.raises(UsageError, match="use one of: AES256, KMS"):
        ExportTarget(bucket="exports", sse="aws:kms")  # type: ignore[arg-type]
