"""The cache of machine code between runs, and the hash of what the code depends on. Imports neither Numba nor kernels.

A run that finds the machine code loads it with llvmlite alone: Numba would take 0.3 s and 60 MB to load the same.
Only files that this user or root has written are loaded (trusted_files.py). A file is written beside its place and
renamed, so processes that start at once never read half of it:

    16 bytes    MAGIC
    32 bytes    SHA-256 of SOURCE_HASH, the CPU and the part, each followed by a zero byte, and of the object file
                the object file

So one that a full disk or a power loss has damaged, or that was made for something else, is made again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from converter.kernels.toolchain.object_file import is_object_file
from converter.kernels.toolchain.trusted_files import UntrustedError, open_folder, read_file, write_file

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

BOUNDS_CHECKED: Final = os.environ.get("DDB_CONVERT_BOUNDS_CHECK") == "1"
"""Every array access of the kernels is checked (tests only: about ten times slower). Needs the plain form."""

FORM: Final = os.environ.get(
    "DDB_CONVERT_KERNELS", "vector" if platform.machine() in ("x86_64", "AMD64") and not BOUNDS_CHECKED else "plain"
)
"""`vector` loads 64 bytes at a time, `plain` does the same in loops. Vector was measured on x86-64 only."""

PARTS: Final = ("items", "values", "changes", "merge", "members", "pages", "csv")
"""The object files that the kernels are in; see emit.py. The first two are for reading, the last two for writing."""

MAGIC: Final = b"ddb-convert .o 1"
"""The first bytes of a file of machine code."""

_DIGEST_BYTES = 32
_MOST_BYTES = 16 << 20
"""About two hundred times the size of the largest part."""

_HASHED: Final[dict[str, tuple[str, ...]]] = {
    "kernels": (),
    "kernels/encode": (),
    "kernels/merge": (),
    "kernels/parse": (),
    "kernels/simd": (),
    "kernels/toolchain": (),
    "schema": ("magnitudes", "tags"),
}
"""Folders of the package that the kernels and their constants are in, and which of their modules; () for all."""


def hash_sources() -> str:
    """A hash of everything that the machine code depends on except the CPU: sources, version of Numba, form."""
    digest = hashlib.sha256(f"{version('numba')} {version('llvmlite')} {FORM} {BOUNDS_CHECKED}".encode())
    for name, content in sorted(_sources()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]


def _sources() -> Iterator[tuple[str, bytes]]:
    """Name and content of each; compiled ones of an installation without sources."""
    package: Traversable = Path(__file__).parents[2]
    if not package.is_dir():
        # It is in a zip file.
        from importlib.resources import files

        package = files("converter")
    for folder, names in _HASHED.items():
        for file in package.joinpath(folder).iterdir():
            stem, _, suffix = file.name.partition(".")
            if suffix in ("py", "pyc") and (not names or stem in names):
                yield f"{folder}/{stem}", file.read_bytes()


SOURCE_HASH: Final = hash_sources()
"""As this process began: what an upgrade changes later isn't what this process runs."""

OTHER_SOURCES: Final = 65
"""Exit code of a process that compiles kernels and finds other sources than those of the process that started it."""


def cache_folder() -> Path | None:
    """Return the first trusted folder for machine code that can be written, and make it; None if there is none."""
    for base, names in _places():
        with suppress(OSError), open_folder(base, names, make=0o700):
            folder = base.joinpath(*names)
            if os.access(folder, os.W_OK):
                return folder
    return None


def untrusted_places() -> list[str]:
    """Return a sentence for each place from which machine code is not read, with the reason."""
    reasons = []
    for base, names in _places():
        try:
            with open_folder(base, names, make=0o700):
                break
        except UntrustedError as error:
            reasons.append(f"machine code is neither read from nor kept in {base.joinpath(names[0])}: {error}")
        except OSError:
            # It is missing, and can't be made.
            continue
    return reasons


def read_machine_code(cpu: str, part: str) -> bytes | None:
    """The object file of a part of the kernels for this CPU, or None if there is none, or only damaged ones."""
    for base, names in _places():
        with suppress(OSError), open_folder(base, names) as folder:
            content = read_file(folder, _file_name(cpu, part), _MOST_BYTES)
            code = content[len(MAGIC) + _DIGEST_BYTES :]
            if content == _with_header(cpu, part, code) and is_object_file(code):
                return code
    return None


def keep_machine_code(cpu: str, part: str, code: bytes) -> None:
    """Keep an object file for later runs; where it can't be kept, every process compiles for itself."""
    for base, names in _places():
        with suppress(OSError), open_folder(base, names, make=0o700) as folder:
            write_file(folder, _file_name(cpu, part), _with_header(cpu, part, code))
            return


def publish_machine_code(cpu: str, codes: Mapping[str, bytes]) -> list[Path]:
    """Put object files into the first folder that runs look into, for everyone to read; gives their paths.

    Raises OSError: elsewhere, no other user would look for them.
    """
    base, names = next(_places(), (Path(), ("", "")))
    with open_folder(base, names, make=0o755) as folder:
        for part, code in codes.items():
            write_file(folder, _file_name(cpu, part), _with_header(cpu, part, code))
    return [base.joinpath(*names, _file_name(cpu, part)) for part in codes]


def _places() -> Iterator[tuple[Path, tuple[str, str]]]:
    """Folders for machine code: below the user's cache, and then a folder of this user in the temporary folder.

    The first may be one that can only be read, as in an image.
    """
    base = os.environ.get("DDB_CONVERT_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    # No home, and no temporary folder.
    with suppress(RuntimeError):
        yield Path(base).expanduser(), ("ddb-convert", SOURCE_HASH)
    with suppress(OSError):
        yield Path(tempfile.gettempdir()), (f"ddb-convert-{os.getuid()}", SOURCE_HASH)


def _file_name(cpu: str, part: str) -> str:
    return f"{hashlib.sha256(cpu.encode()).hexdigest()[:16]}-{part}.o"


def _with_header(cpu: str, part: str, code: bytes) -> bytes:
    made_for = "".join(f"{text}\0" for text in (SOURCE_HASH, cpu, part))
    return MAGIC + hashlib.sha256(made_for.encode() + code).digest() + code
