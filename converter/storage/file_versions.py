"""The version of a file, by which a reader sees whether it was written since it was last read."""

from __future__ import annotations

from typing import NamedTuple

from converter.object_store import FolderListing


class FileVersion(NamedTuple):
    """Facts of a file in the listing of its folder.

    size: in bytes. written: a text that differs after each write: an object's ETag, or the time of a file's last change
    in nanoseconds; empty if the store does not report it.
    """

    size: int
    written: str


UNKNOWN_VERSION = FileVersion(0, "")


def listed_versions(listing: FolderListing) -> dict[str, FileVersion]:
    """Return the version of each object in a listing, by its name."""
    return {name: FileVersion(size, listing.etags.get(name, "")) for name, size in listing.sizes.items()}
