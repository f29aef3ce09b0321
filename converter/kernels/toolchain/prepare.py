"""Compiles all kernels before they are needed, for an image whose containers can't keep what they compile.

    DDB_CONVERT_CPU=baseline DDB_CONVERT_CACHE_DIR=/kernels python -m converter.kernels.toolchain.prepare

Containers that have the same two variables load the machine code from there, whichever user they run as.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from converter.errors import ConvertError, StorageError
from converter.kernels.toolchain.cache import PARTS, publish_machine_code
from converter.kernels.toolchain.loader import machine_code
from converter.kernels.toolchain.target_machine import describe_cpu


def prepare() -> list[Path]:
    """Put the machine code of every part into the first folder that runs look into; gives the files.

    Raises StorageError if it can't be written there, or if runs would not trust it.
    """
    try:
        # Fails before it has compiled for a minute.
        publish_machine_code(describe_cpu(), {})
        return publish_machine_code(describe_cpu(), machine_code(PARTS))
    except OSError as error:
        what = f"the machine code can't be kept: {error.strerror or error}"
        hint = "name a folder that can be written, by you alone, with DDB_CONVERT_CACHE_DIR"
        raise StorageError(what, os.environ.get("DDB_CONVERT_CACHE_DIR", ""), hint) from None


def main() -> None:
    """Print the files that were made, or say why there are none and end with 1."""
    try:
        files = prepare()
    except ConvertError as error:
        sys.exit(str(error))
    sys.stdout.writelines(f"{file}\n" for file in files)


if __name__ == "__main__":
    main()
