"""Where exports are read from and where parts go: one interface for each, one module per kind of store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.aws.access import AS_THE_ENVIRONMENT_SAYS, AwsOptions
from converter.aws.s3_uri import SCHEME, is_in_s3
from converter.errors import UsageError

if TYPE_CHECKING:
    from converter.storage.destination import Destination
    from converter.storage.source import Source


def open_source(text: str, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS) -> Source:
    """The source that a user means. Raises ExportError for a place that does not exist, UsageError for no place."""
    _check(text)
    if is_in_s3(text):
        from converter.storage.s3 import S3Source

        return S3Source(text, aws.for_source())
    aws.check_unused("source", text)
    from converter.storage.local import LocalSource

    return LocalSource(text)


def open_destination(text: str, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS) -> Destination:
    """The destination that a user means; nothing is created. Raises UsageError for no place."""
    _check(text)
    if is_in_s3(text):
        from converter.storage.s3 import S3Destination

        return S3Destination(text, aws)
    aws.check_unused("destination", text)
    from converter.storage.local import LocalDestination

    return LocalDestination(text)


def check_path(text: str) -> None:
    """Raise UsageError for a path that no system has: it has a NUL character in it."""
    if "\0" in text:
        shown = text.replace("\0", "\\0")
        raise UsageError("a path can't have a NUL character in it", shown, "correct the path")


def _check(text: str) -> None:
    check_path(text)
    scheme, is_address, rest = text.partition("://")
    if text.startswith("arn:"):
        raise UsageError(
            "only the ARN of an export can be given, and only as SOURCE", text, f"write {SCHEME}bucket/prefix/"
        )
    if is_address and not is_in_s3(text):
        hint = (
            f"for S3, write {SCHEME}{rest}"
            if scheme.lower() in ("s3", "s3a", "s3n")
            else "copy it to a folder or S3 first"
        )
        raise UsageError(f"only folders and places in S3 ({SCHEME}bucket/prefix/) are read and written", text, hint)
