"""Messages about the kernels: that they are compiled first, and which folders can't keep their machine code."""

from __future__ import annotations

from collections.abc import Iterable

from converter.conversion.progress import Listener
from converter.kernels.toolchain.cache import untrusted_places
from converter.kernels.toolchain.loader import expect

_HINT = "name a folder that only you can write with DDB_CONVERT_CACHE_DIR"


def announce_kernels(parts: Iterable[str], phase: str, listener: Listener) -> None:
    """Begin a phase that needs these parts of the kernels as the first of a run."""
    compiled = expect(parts)
    for reason in untrusted_places():
        listener.warned(f"{reason}; {_HINT}")
    first = "" if compiled else "compiling the decoder (once on a machine), "
    listener.phase(f"{first}{phase}")
