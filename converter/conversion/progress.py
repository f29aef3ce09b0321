"""Who is told how a run is getting on."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Told of a run's progress. A run calls `advanced` and `warned` from many threads at once."""

    def started(self, total_bytes: int, files: int) -> None:
        """A pass over the data begins, the first or a second: the compressed bytes and data files ahead of it."""

    def advanced(self, compressed_bytes: int) -> None:
        """So many more compressed bytes were read."""

    def phase(self, text: str) -> None:
        """The run now does something else, said in a few words (`converting`)."""

    def warned(self, text: str) -> None:
        """Something in the data or at the destination deserves a look; the run goes on."""


class SilentListener:
    """Listens and says nothing: what the library does unless it is given another."""

    def started(self, total_bytes: int, files: int) -> None:
        """Nothing."""

    def advanced(self, compressed_bytes: int) -> None:
        """Nothing."""

    def phase(self, text: str) -> None:
        """Nothing."""

    def warned(self, text: str) -> None:
        """Nothing."""
