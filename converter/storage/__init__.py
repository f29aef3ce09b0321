"""Where exports are read from and where parts go: one interface for each, one module per kind of store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.errors import ExportError, UsageError

if TYPE_CHECKING:
    from converter.storage.destination import Destination
    from converter.storage.source import Source


def open_source(text: str) -> Source:
    """The source that a user means. Raises ExportError for a place that does not exist or is not supported."""
    from converter.storage.local import LocalSource

    if "://" in text or text.startswith("arn:"):
        raise ExportError(
            "only exports in local folders can be read yet",
            text,
            "copy the export first, with aws s3 sync for example",
        )
    return LocalSource(text)


def open_destination(text: str) -> Destination:
    """The destination that a user means; nothing is created. Raises UsageError for a place that is not supported."""
    from converter.storage.local import LocalDestination

    if "://" in text or text.startswith("arn:"):
        raise UsageError(
            "only local folders can be published to yet",
            text,
            "name a local folder, then copy it, with aws s3 sync for example",
        )
    return LocalDestination(text)
