"""S3 URIs, `s3://bucket/key`."""

from __future__ import annotations

from converter.errors import UsageError

SCHEME = "s3://"


def is_in_s3(text: str) -> bool:
    """Return whether a location is in S3."""
    return text.startswith(SCHEME)


def s3_uri(bucket: str, key: str | None = None) -> str:
    """Return the URI of an object or a prefix, or of the bucket if `key` is None."""
    return f"{SCHEME}{bucket}" if key is None else f"{SCHEME}{bucket}/{key}"


def split_s3_uri(text: str) -> tuple[str, str]:
    """Split a location in S3 into bucket and prefix, without final slashes. Raises UsageError."""
    bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
    if not is_in_s3(text) or not bucket:
        raise UsageError("this is not a location in S3", text, f"use {SCHEME}bucket/prefix/")
    return bucket, prefix.rstrip("/")
