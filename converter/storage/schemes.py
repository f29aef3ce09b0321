"""Schemes of places, each with its object store. A place without a scheme is a local folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from converter.aws.access import AwsOptions
from converter.aws.s3_uri import SCHEME
from converter.object_store import ObjectStore

OpenStore = Callable[[str, AwsOptions], ObjectStore]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The functions that open the store of a place; they raise UsageError for a place that the store can't have."""

    open_source_store: OpenStore
    open_destination_store: OpenStore


def find_scheme(text: str) -> Scheme | None:
    """Return the scheme of a place, None for a local folder."""
    name, separator, _ = text.partition("://")
    return SCHEMES.get(name + separator)


def is_local(text: str) -> bool:
    """Return whether a place is a local folder."""
    return find_scheme(text) is None


# botocore is imported only for places in S3: it takes longer to load than a small conversion.
def _open_source_in_s3(place: str, aws: AwsOptions) -> ObjectStore:
    from converter.aws.s3_store import open_source_store

    return open_source_store(place, aws)


def _open_destination_in_s3(place: str, aws: AwsOptions) -> ObjectStore:
    from converter.aws.s3_store import open_destination_store

    return open_destination_store(place, aws)


SCHEMES = {SCHEME: Scheme(_open_source_in_s3, _open_destination_in_s3)}
