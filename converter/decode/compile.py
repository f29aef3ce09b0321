"""How the kernels are compiled and where their machine code is cached: import this before any kernel.

Numba keys its cache by a kernel's own source file, so an edited callee in another file, bounds checking or the
form of the kernels (vector or plain) would go unnoticed. The cache folder's name therefore holds a hash of all
of them. The folder is set around our own decorations only: the host process may use Numba for itself.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
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

_CACHE_BYTES = 2 << 20
"""Room that the machine code of all kernels needs, and some more."""


def _source_hash() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {FORM} {BOUNDS_CHECKED}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> str | None:
    """`<user cache>/ddb-convert/<hash>`, or a folder of this user's below the temporary one; None without either."""
    base = os.environ.get("DDB_CONVERT_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    for private in (False, True):
        try:
            above = _private_folder() if private else Path(base).expanduser() / "ddb-convert"
            folder = above / _source_hash()
            folder.mkdir(parents=True, exist_ok=True)
            if not _holds_kernels(folder):
                with tempfile.TemporaryFile(dir=folder) as file:
                    file.write(bytes(_CACHE_BYTES))
            return str(folder)
        except (OSError, RuntimeError):
            continue
    return None


def _holds_kernels(folder: Path) -> bool:
    """Are there kernels in the cache? Removes empty files, which a power loss leaves and Numba can't read."""
    found = False
    for path in (*folder.rglob("*.nbi"), *folder.rglob("*.nbc")):
        if path.stat().st_size:
            found = True
        else:
            path.unlink(missing_ok=True)
    return found


def _private_folder() -> Path:
    """A folder below the temporary one that nobody else can put machine code into; raises OSError."""
    folder = Path(tempfile.gettempdir()) / f"ddb-convert-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise PermissionError(f"{folder} is somebody else's")
    return folder


CACHE_FOLDER = _cache_folder()
"""None: every process compiles for itself."""


def is_compiled() -> bool:
    """Has a process on this machine compiled these kernels before?"""
    return CACHE_FOLDER is not None and _holds_kernels(Path(CACHE_FOLDER))


def kernel(function: _F) -> _F:
    """Compile `function` with Numba at its first call: without the GIL, cached, bounds-checked if asked."""
    return _compiled(function, cache=CACHE_FOLDER is not None)


def inner(function: _F) -> _F:
    """The same for a function that only kernels call: without what Python would need, it compiles much faster."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined(function: _F) -> _F:
    """The same, and always copied into its callers: for hot functions with many arguments."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def _compiled(function: _F, **options: bool) -> _F:
    # The kernels allocate nothing. With _nrt Numba would count references around every access to an array.
    before = config.CACHE_DIR
    config.CACHE_DIR = CACHE_FOLDER or before
    try:
        return numba.njit(nogil=True, boundscheck=BOUNDS_CHECKED, _nrt=False, **options)(function)  # type: ignore[no-any-return]
    finally:
        config.CACHE_DIR = before
