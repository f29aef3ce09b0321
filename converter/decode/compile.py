"""How the kernels are compiled and where their machine code is cached: import this before any kernel.

Numba keys its cache by a kernel's own source file, so an edited callee in another file, bounds checking or the
form of the kernels (vector or plain) would go unnoticed. The cache folder's name therefore holds a hash of all
of them. The folder is set around our own decorations only: the host process may use Numba for itself.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import config

_F = TypeVar("_F", bound=Callable[..., Any])

BOUNDS_CHECKED = os.environ.get("DDB_CONVERT_BOUNDS_CHECK") == "1"
"""Every array access of the kernels is checked (tests only: about ten times slower). Needs the plain form."""

FORM = os.environ.get(
    "DDB_CONVERT_KERNELS", "vector" if platform.machine() in ("x86_64", "AMD64") and not BOUNDS_CHECKED else "plain"
)
"""`vector` loads 64 bytes at a time, `plain` is its twin in loops; vector was measured on x86-64 only."""


def _source_hash() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {FORM} {BOUNDS_CHECKED}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> str:
    """`<user cache>/ddb-convert/<hash>`; a private temporary folder where that can't be written."""
    base = os.environ.get("DDB_CONVERT_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(base).expanduser() / "ddb-convert" / _source_hash()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):
        return tempfile.mkdtemp(prefix="ddb-convert-kernels-")
    return str(folder)


CACHE_FOLDER = _cache_folder()


def is_compiled() -> bool:
    """Has a process on this machine compiled these kernels before?"""
    return any(Path(CACHE_FOLDER).rglob("*.nbi"))


def kernel(function: _F) -> _F:
    """Compile `function` with Numba at its first call: without the GIL, cached, bounds-checked if asked."""
    return _compiled(function, cache=True)


def inner(function: _F) -> _F:
    """The same for a function that only kernels call: without what Python would need, it compiles much faster."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined(function: _F) -> _F:
    """The same, and always copied into its callers: for hot functions with many arguments."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def _compiled(function: _F, **options: bool) -> _F:
    # The kernels allocate nothing. With _nrt Numba would count references around every access to an array.
    before = config.CACHE_DIR
    config.CACHE_DIR = CACHE_FOLDER
    try:
        return numba.njit(nogil=True, boundscheck=BOUNDS_CHECKED, _nrt=False, **options)(function)  # type: ignore[no-any-return]
    finally:
        config.CACHE_DIR = before
