"""The interface for the progress of a run."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Gets the progress of a run, which calls `advanced` and `warned` from many threads at once."""

    def started(self, total_bytes: int, files: int) -> None:
        """A pass over the data begins, the first or a second one, over these compressed bytes and data files."""

    def advanced(self, compressed_bytes: int) -> None:
        """This many more compressed bytes were read."""

    def phase(self, text: str) -> None:
        """The run begins another phase, described in a few words (`converting`)."""

    def warned(self, text: str) -> None:
        """The data or the destination should be checked; the run continues."""


class SilentListener:
    """Ignores the progress: the library's default."""

    def started(self, total_bytes: int, files: int) -> None:
        """No-op."""

    def advanced(self, compressed_bytes: int) -> None:
        """No-op."""

    def phase(self, text: str) -> None:
        """No-op."""

    def warned(self, text: str) -> None:
        """No-op."""
