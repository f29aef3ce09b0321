"""S3 URIs, `s3://bucket/key`: how the program writes and reads places in S3."""

from __future__ import annotations

from converter.errors import UsageError

SCHEME = "s3://"


def is_in_s3(text: str) -> bool:
    """Whether a place is in S3."""
    return text.startswith(SCHEME)


def s3_uri(bucket: str, key: str | None = None) -> str:
    """The URI of an object or a prefix; of the bucket if `key` is None."""
    return f"{SCHEME}{bucket}" if key is None else f"{SCHEME}{bucket}/{key}"


def split_s3_uri(text: str) -> tuple[str, str]:
    """Bucket and prefix of a place in S3, the prefix without slashes at its end. Raises UsageError."""
    bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
    if not is_in_s3(text) or not bucket:
        raise UsageError("this is not a place in S3", text, f"write {SCHEME}bucket/prefix/")
    return bucket, prefix.rstrip("/")
