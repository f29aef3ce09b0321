"""Where the kernels' machine code is kept between runs, and what it depends on. Imports neither Numba nor the kernels.

A run that finds the machine code loads it with llvmlite alone: Numba would take 0.3 s and 60 MB to load the same.
The file is written beside its place and renamed, so processes that start at once never read half of one; it begins
with a digest, so one that a full disk or a power loss has damaged is made again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

BOUNDS_CHECKED: Final = os.environ.get("DDB_CONVERT_BOUNDS_CHECK") == "1"
"""Every array access of the kernels is checked (tests only: about ten times slower). Needs the plain form."""

FORM: Final = os.environ.get(
    "DDB_CONVERT_KERNELS", "vector" if platform.machine() in ("x86_64", "AMD64") and not BOUNDS_CHECKED else "plain"
)
"""`vector` loads 64 bytes at a time, `plain` is its twin in loops; vector was measured on x86-64 only."""

PARTS: Final = ("items", "values", "changes", "touched", "pages", "csv")
"""The object files that the kernels are in; see emit.py. The first two are for reading, the last two for writing."""

_DIGEST_BYTES = 32


def folders() -> Iterator[Path]:
    """Where machine code may be: `<user cache>/ddb-convert/<hash>`, then a folder of this user's among temporary ones.

    The hash is of all that the machine code depends on but the CPU: the sources, the version of Numba, the form. The
    folders need not be there, and the first may be one that can only be read, as in an image.
    """
    base = os.environ.get("DDB_CONVERT_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    for private in (False, True):
        try:
            above = _private_folder() if private else Path(base).expanduser() / "ddb-convert"
        except (OSError, RuntimeError):
            continue
        yield above / _source_hash()


def cache_folder() -> Path | None:
    """The first of the folders that can be written, made if need be; None without any."""
    for folder in folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return None


def read_machine_code(cpu: str, part: str) -> bytes | None:
    """The object file of a part of the kernels for this CPU, or None if there is none, or only damaged ones."""
    for folder in folders():
        with suppress(OSError):
            content = (folder / _file_name(cpu, part)).read_bytes()
            code = content[_DIGEST_BYTES:]
            if content[:_DIGEST_BYTES] == hashlib.sha256(code).digest():
                return code
    return None


def keep_machine_code(cpu: str, part: str, code: bytes) -> None:
    """Keep an object file for later runs; where it can't be kept, every process compiles for itself."""
    folder = cache_folder()
    if folder is not None:
        with suppress(OSError):
            write_machine_code(folder, cpu, part, code)


def write_machine_code(folder: Path, cpu: str, part: str, code: bytes) -> Path:
    """Put an object file into a folder, for everyone to read; gives its path. Raises OSError."""
    descriptor, new = tempfile.mkstemp(prefix=".new-", dir=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
            os.fchmod(descriptor, 0o644)
        return Path(new).replace(folder / _file_name(cpu, part))
    except OSError:
        os.unlink(new)
        raise


def _file_name(cpu: str, part: str) -> str:
    return f"{hashlib.sha256(cpu.encode()).hexdigest()[:16]}-{part}.o"


def _source_hash() -> str:
    digest = hashlib.sha256(f"{version('numba')} {version('llvmlite')} {FORM} {BOUNDS_CHECKED}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _private_folder() -> Path:
    """A folder below the temporary one that nobody else can put machine code into; raises OSError."""
    folder = Path(tempfile.gettempdir()) / f"ddb-convert-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise PermissionError(f"{folder} is somebody else's")
    return folder
