"""Builds the library of the kernels: compiles all of them, links them, and puts the library where the package loads it.

    python -m converter.kernels.toolchain.build [FOLDER]

setup.py runs it when the package is built or installed, and `make kernels` runs it in a checkout. It needs Numba, which
nothing else does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from converter.errors import ConvertError
from converter.kernels.library import NATIVE, library_name
from converter.kernels.source_digest import hash_sources
from converter.kernels.toolchain.link import link_library
from converter.subprocesses import CURRENT_DIRECTORY, python_command, python_environment

# Two halves of the work, because most machines have two cores.
_GROUPS = (("items", "pages", "csv"), ("values", "changes", "ion", "merge", "members", "conditions"))


def build_library(folder: Path = NATIVE) -> Path:
    """Build the library for this machine into the folder, and remove earlier ones. Return its path.

    Raises ConvertError if it can't be compiled or linked, or if the sources change meanwhile.
    """
    name = library_name()
    with tempfile.TemporaryDirectory(prefix="ddb-convert-") as temporary:
        objects = Path(temporary)
        _compile(objects)
        draft = objects / name
        link_library([objects / f"{part}.o" for parts in _GROUPS for part in parts], draft)
        if library_name(hash_sources()) != name:
            raise ConvertError("the sources of the kernels changed while they were compiled", hint="build them again")
        folder.mkdir(parents=True, exist_ok=True)
        library = folder / name
        # Processes that have loaded an earlier one keep it.
        beside = folder / f".{name}.{os.getpid()}"
        beside.write_bytes(draft.read_bytes())
        beside.replace(library)
    for earlier in folder.glob(f"{name.rpartition('-')[0]}-*"):
        if earlier != library:
            earlier.unlink(missing_ok=True)
    return library


def _compile(folder: Path) -> None:
    """Compile all parts into object files in the folder, in two processes."""
    with ExitStack() as stack:
        compilers = []
        for parts in _GROUPS:
            compiler = subprocess.Popen(
                python_command("converter.kernels.toolchain.emit", [str(folder), *parts]),
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                # Numba reads settings from the current directory.
                cwd=CURRENT_DIRECTORY,
                env=python_environment(),
            )
            stack.enter_context(compiler)
            stack.callback(compiler.kill)
            compilers.append(compiler)
        for compiler in compilers:
            _, errors = compiler.communicate()
            if compiler.returncode != 0:
                raise ConvertError(f"the kernels could not be compiled: {errors.strip() or compiler.returncode}")


def main() -> None:
    """Print the path of the library, built if it is missing; or say why there is none and end with 1."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else NATIVE
    library = folder / library_name()
    try:
        if not library.is_file():
            build_library(folder)
    except ConvertError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{library}\n")


if __name__ == "__main__":
    main()
