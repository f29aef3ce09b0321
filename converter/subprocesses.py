"""How to start a Python process that runs this very package, and no code from the current directory.

`python -c` puts the current directory in front of all others, and PYTHONPATH may name it. A module there (`numba.py`,
or the `converter` of another checkout) would then run in our process, whoever wrote it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Final

CURRENT_DIRECTORY: Final = os.path.abspath(os.sep)
"""For the `cwd` of such a process: libraries read settings from the current directory, as Numba does."""

_ROOT: Final = str(Path(__file__).absolute().parents[1])
"""The folder, or the zip file, that this package was loaded from."""

# The package is looked up in its own folder alone: another one of this name may come earlier in sys.path. The other
# entries keep their order, in which the standard library comes first.
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

# Where Python itself is, and what says nothing about which code runs.
_KEPT: Final = frozenset(
    {"PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONFAULTHANDLER"}
)
# Loaded by now, so what else is in their folders is trusted already.
_LIBRARIES: Final = ("numpy", "llvmlite")


def python_command(module: str, arguments: Sequence[str] = ()) -> list[str]:
    """The command line of a process that calls `main` of a module of this package; it gets the arguments in sys.argv.

    -P and -s: neither the current directory nor the user's own packages are in sys.path, unless this process has them.
    """
    path = _without_current_directory(unless={_folder_of(library) for library in _LIBRARIES})
    return [sys.executable, "-P", "-s", "-c", _PROGRAM, _ROOT, module, str(len(path)), *path, *arguments]


def python_environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """These variables without those with which others change what Python and Numba run."""
    return {
        name: value for name, value in variables.items() if name in _KEPT or not name.startswith(("PYTHON", "NUMBA_"))
    }


def leave_current_directory() -> None:
    """Import nothing more from the current directory: for a process that is ours alone, as that of a command is."""
    sys.path[:] = _without_current_directory(unless={os.path.realpath(_ROOT)})


def _without_current_directory(unless: Set[str]) -> list[str]:
    """This process's sys.path without the current directory, unless that is one of these; all absolute."""
    try:
        here = os.getcwd()
    except OSError:
        # It was removed: relative entries lead nowhere.
        return [entry for entry in sys.path if os.path.isabs(entry)]
    left_out = {os.path.realpath(here)} - unless
    absolute = (os.path.abspath(entry) for entry in sys.path)
    return [entry for entry in absolute if os.path.realpath(entry) not in left_out]


def _folder_of(library: str) -> str:
    file = getattr(sys.modules.get(library), "__file__", None)
    return os.path.realpath(Path(file).parents[1]) if file else ""
