"""Sources and destinations of files, each with one implementation for folders and one for object stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.aws.access import AS_THE_ENVIRONMENT_SAYS, AwsOptions
from converter.aws.s3_uri import SCHEME
from converter.errors import UsageError
from converter.storage.schemes import find_scheme

if TYPE_CHECKING:
    from converter.storage.destination import Destination
    from converter.storage.source import Source


def open_source(text: str, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS) -> Source:
    """Open a source. Raises ExportError if it does not exist, UsageError for a text that is not a place."""
    _check(text)
    open_store = find_scheme(text)
    if open_store is not None:
        from converter.storage.object_source import ObjectSource

        return ObjectSource(text.rstrip("/"), open_store(text, aws, "source"))
    aws.check_unused("source", text)
    from converter.storage.local import LocalSource

    return LocalSource(text)


def open_destination(text: str, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS) -> Destination:
    """Open a destination, and create nothing. Raises UsageError for a text that is not a place."""
    _check(text)
    open_store = find_scheme(text)
    if open_store is not None:
        from converter.storage.object_destination import ObjectDestination

        return ObjectDestination(text.rstrip("/"), open_store(text, aws, "destination"))
    aws.check_unused("destination", text)
    from converter.storage.local import LocalDestination

    return LocalDestination(text)


def check_path(text: str) -> None:
    """Raise UsageError for a path that no system accepts: it has a NUL character."""
    if "\0" in text:
        shown = text.replace("\0", "\\0")
        raise UsageError("a path can't have a NUL character in it", shown, "correct the path")


def _check(text: str) -> None:
    check_path(text)
    name, is_address, rest = text.partition("://")
    if text.startswith("arn:"):
        raise UsageError(
            "only the ARN of an export can be given, and only as SOURCE", text, f"write {SCHEME}bucket/prefix/"
        )
    if is_address and find_scheme(text) is None:
        hint = (
            f"for S3, write {SCHEME}{rest}"
            if name.lower() in ("s3", "s3a", "s3n")
            else "copy it to a folder or S3 first"
        )
        raise UsageError(f"only folders and places in S3 ({SCHEME}bucket/prefix/) are read and written", text, hint)
