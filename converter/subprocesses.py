"""Start of Python processes that run this package, and no code from the current directory.

`python -c` puts the current directory first in sys.path, and PYTHONPATH may name it. An untrusted module there
(`numba.py`, or the `converter` of another checkout) would then run in our process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Final

CURRENT_DIRECTORY: Final = os.path.abspath(os.sep)
"""The `cwd` of such a process, because libraries such as Numba read settings from the current directory."""

_ROOT: Final = str(Path(__file__).absolute().parents[1])
"""The folder, or the zip file, that this package was loaded from."""

# The package is searched only in its own folder, because another one of this name may be earlier in sys.path. The other
# entries keep their order, with the standard library first.
_PROGRAM: Final = """
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

root, module, entries = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.path[:] = sys.argv[4 : 4 + entries]
del sys.argv[1 : 4 + entries]
spec = PathFinder.find_spec("converter", [root])
sys.modules["converter"] = package = module_from_spec(spec)
spec.loader.exec_module(package)
import_module(module).main()
"""

# Variables with the location of Python, and variables that do not affect which code runs.
_KEPT: Final = frozenset(
    {"PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONFAULTHANDLER"}
)
# Already loaded, so the other files in their folders are trusted too.
_LIBRARIES: Final = ("numpy",)


def python_command(module: str, arguments: Sequence[str] = ()) -> list[str]:
    """Return the command line of a process that calls `main` of a module of this package, with arguments in sys.argv.

    -P and -s keep the current directory and the user's site packages out of sys.path, unless this process has them.
    """
    path = _without_current_directory(unless={_folder_of(library) for library in _LIBRARIES})
    return [sys.executable, "-P", "-s", "-c", _PROGRAM, _ROOT, module, str(len(path)), *path, *arguments]


def python_environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables without those that change which code Python and Numba run."""
    return {
        name: value for name, value in variables.items() if name in _KEPT or not name.startswith(("PYTHON", "NUMBA_"))
    }


def leave_current_directory() -> None:
    """Stop imports from the current directory. Only for a process of its own, such as a command."""
    sys.path[:] = _without_current_directory(unless={os.path.realpath(_ROOT)})


def _without_current_directory(unless: Set[str]) -> list[str]:
    """Return the absolute entries of sys.path without the current directory, unless that is one of these."""
    try:
        here = os.getcwd()
    except OSError:
        # The directory was removed, so relative entries are useless.
        return [entry for entry in sys.path if os.path.isabs(entry)]
    left_out = {os.path.realpath(here)} - unless
    absolute = (os.path.abspath(entry) for entry in sys.path)
    return [entry for entry in absolute if os.path.realpath(entry) not in left_out]


def _folder_of(library: str) -> str:
    file = getattr(sys.modules.get(library), "__file__", None)
    return os.path.realpath(Path(file).parents[1]) if file else ""
