"""The digest of the sources of the kernels, which is in the name of the library that is built from them.

A library of other sources is never loaded: its name is another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from converter.kernels.form import FORM

_PACKAGE: Final = Path(__file__).parents[1]

_SOURCES: Final[dict[str, str]] = {
    "kernels": "*.py",
    "kernels/encode": "*.py",
    "kernels/merge": "*.py",
    "kernels/parse": "*.py",
    "kernels/simd": "*.py",
    "kernels/toolchain": "*.py",
    "schema": "[mt]ag*.py",
}
"""Folders of the package that the kernels, their constants, and their compiler are in, and the files in them."""


def hash_sources(package: Path = _PACKAGE) -> str:
    """Return 16 hexadecimal digits that depend on all sources and on the form; "" for a package without sources."""
    digest = hashlib.sha256(FORM.encode())
    found = False
    for path in _source_files(package):
        found = True
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()} {len(content)}\0".encode() + content)
    return digest.hexdigest()[:16] if found else ""


def _source_files(package: Path) -> Iterator[Path]:
    for folder, pattern in _SOURCES.items():
        yield from sorted((package / folder).glob(pattern))
