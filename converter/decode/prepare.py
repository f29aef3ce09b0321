"""Compiles all kernels before anybody needs them, for an image whose containers can't keep what they compile.

    DDB_CONVERT_CPU=baseline DDB_CONVERT_CACHE_DIR=/kernels python -m converter.decode.prepare

Containers that have the same two variables load the machine code from there, whoever they run as.
"""

from __future__ import annotations

import sys
from pathlib import Path

from converter.decode.cache import PARTS, folders, write_machine_code
from converter.decode.machine import describe_cpu
from converter.decode.native import machine_code
from converter.errors import ConvertError, StorageError


def prepare() -> list[Path]:
    """Put the machine code of every part into the first folder that runs look into; gives the files.

    Raises StorageError where that can't be written: elsewhere nobody would look for it later.
    """
    folder = next(folders(), None)
    if folder is None:
        raise StorageError("there is no folder for machine code", hint="name one with DDB_CONVERT_CACHE_DIR")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [write_machine_code(folder, describe_cpu(), part, code) for part, code in machine_code(PARTS).items()]
    except OSError as error:
        what = f"the machine code can't be kept: {error.strerror}"
        raise StorageError(what, str(folder), "name a folder that can be written with DDB_CONVERT_CACHE_DIR") from None


def main() -> None:
    """Print the files that were made, or say why there are none and end with 1."""
    try:
        files = prepare()
    except ConvertError as error:
        sys.exit(str(error))
    sys.stdout.writelines(f"{file}\n" for file in files)


if __name__ == "__main__":
    main()
