"""Links object files into one shared library, with the system's linker or with the one of the package `ziglang`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from converter.errors import ConvertError

_COMPILERS = ("cc", "gcc", "clang")
_LINKERS = ("ld", "ld.lld")


def link_library(objects: Sequence[Path], library: Path) -> None:
    """Link the object files into a shared library. Raises ConvertError if there is no linker, or it fails.

    The library needs no other one: the kernels call nothing but memcpy and the like, which every process has.
    """
    command = [*_linker(), "-o", str(library), *map(str, objects)]
    # Zig's cache would be in the home directory, which a build may not have, or may not write to.
    caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(library.parent / "zig"))
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=os.environ | caches
    )
    if done.returncode != 0:
        raise ConvertError(f"the kernels could not be linked: {done.stderr.strip() or done.returncode}", command[0])


def _linker() -> list[str]:
    """The beginning of the command line of the first linker found."""
    if sys.platform == "darwin":
        shared = ["-shared", "-nostdlib", "-undefined", "dynamic_lookup"]
        strip = ["-Wl,-x"]
    else:
        shared = ["-shared", "-nostdlib", "-Wl,-Bsymbolic", "-Wl,-z,noexecstack"]
        strip = ["-Wl,--strip-all"]
    for name in _COMPILERS:
        if compiler := shutil.which(name):
            return [compiler, *shared, *strip]
    if sys.platform != "darwin":
        for name in _LINKERS:
            if linker := shutil.which(name):
                return [linker, "-shared", "-Bsymbolic", "-z", "noexecstack", "--strip-all"]
    if find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc", *shared, *strip]
    raise ConvertError("the kernels can't be linked: there is no linker", hint="install gcc, or the package ziglang")
