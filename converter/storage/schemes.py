"""Schemes of places, each with its object store. A place without a scheme is a local folder."""

from __future__ import annotations

from collections.abc import Callable

from converter.aws.access import AwsOptions, Side
from converter.aws.s3_uri import SCHEME
from converter.object_store import ObjectStore

OpenStore = Callable[[str, AwsOptions, Side], ObjectStore]
"""Opens the store of a place. Raises UsageError for a place that the store can't have."""


def find_scheme(text: str) -> OpenStore | None:
    """Return the function that opens the store of a place, None for a local folder."""
    name, separator, _ = text.partition("://")
    return SCHEMES.get(name + separator)


def is_local(text: str) -> bool:
    """Return whether a place is a local folder."""
    return find_scheme(text) is None


def _open_s3(place: str, aws: AwsOptions, side: Side) -> ObjectStore:
    # botocore takes longer to load than a small conversion.
    from converter.aws.s3_store import open_destination_store, open_source_store

    return open_source_store(place, aws) if side == "source" else open_destination_store(place, aws)


SCHEMES: dict[str, OpenStore] = {SCHEME: _open_s3}
