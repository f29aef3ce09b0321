"""S3 URIs: they are written and read in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.aws import s3_uri
from converter.aws.s3_uri import SCHEME, is_in_s3, split_s3_uri
from converter.errors import UsageError

PACKAGE = Path(s3_uri.__file__).parents[1]


@pytest.mark.parametrize(
    ("bucket", "key", "uri"),
    [("b", None, "s3://b"), ("b", "", "s3://b/"), ("b", "a/é", "s3://b/a/é"), ("b", "a/", "s3://b/a/")],
)
def test_a_uri_is_a_bucket_and_a_key(bucket: str, key: str | None, uri: str) -> None:
    assert s3_uri.s3_uri(bucket, key) == uri
    assert is_in_s3(uri)
    assert split_s3_uri(uri) == (bucket, (key or "").rstrip("/"))


@pytest.mark.parametrize("text", ["s3://", "s3:///a", "b/a", "S3://b/a", ""])
def test_other_texts_are_not_places_in_s3(text: str) -> None:
    with pytest.raises(UsageError, match="not a location in S3") as refused:
        split_s3_uri(text)
    assert refused.value.where == text


def test_no_other_module_reads_or_writes_the_scheme() -> None:
    """Help texts and examples show whole places; no code compares with the scheme or puts it in front of a name."""
    literals = (f'"{SCHEME}"', f"'{SCHEME}'", f'"{SCHEME}{{', f"{SCHEME}{{")
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1)
        if any(literal in line for literal in literals)
    ]
    assert found == ["aws/s3_uri.py:7"]
