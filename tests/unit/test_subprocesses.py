"""Processes of ours run this package, whatever the current directory and the environment name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from converter.subprocesses import CURRENT_DIRECTORY, leave_current_directory, python_command, python_environment
from tests.cli.command import REPOSITORY, environment

PACKAGE = REPOSITORY / "converter"
# A process that starts one of ours and passes on what it says.
PARENT = """
import subprocess, sys
from converter.subprocesses import CURRENT_DIRECTORY, python_command, python_environment
sys.exit(subprocess.run(
    python_command("converter.shown", ["an argument"]), cwd=CURRENT_DIRECTORY, env=python_environment()
).returncode)
"""
SHOWN = """
def main():
    import os, sys, converter
    try:
        import stray
        print("stray", stray.__file__)
    except ImportError:
        print("no stray")
    print(converter.__file__, sys.argv, os.getcwd())
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with a package of this name in it that shows what it runs as."""
    root = tmp_path / "installed"
    (root / "converter").mkdir(parents=True)
    (root / "converter" / "__init__.py").touch()
    shutil.copy(PACKAGE / "subprocesses.py", root / "converter")
    (root / "converter" / "shown.py").write_text(SHOWN)
    return root


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with modules of these names that nobody has asked for."""
    folder = tmp_path / "elsewhere"
    (folder / "converter").mkdir(parents=True)
    (folder / "converter" / "__init__.py").write_text("raise SystemExit('another converter')")
    (folder / "stray.py").touch()
    for name in ("sitecustomize", "usercustomize"):
        (folder / f"{name}.py").write_text(f"print({name!r})")
    return folder


def run(command: list[str], cwd: Path, **variables: str) -> list[str]:
    done = subprocess.run(command, cwd=cwd, env={**environment(), **variables}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def shown(root: str | Path) -> list[str]:
    return ["no stray", f"{root}/converter/__init__.py ['-c', 'an argument'] {CURRENT_DIRECTORY}"]


@pytest.mark.parametrize("started", ["-c", "-m"])
def test_the_current_directory_is_neither_in_the_path_nor_current(package: Path, elsewhere: Path, started: str) -> None:
    # When the parent starts its process, the other converter is in front, where `-c` and `-m` put it.
    ours = f"import sys; sys.path.insert(0, {str(package)!r}); import converter; del sys.path[0]"
    (elsewhere / "program.py").write_text(f"{ours}\n{PARENT}")
    command = [sys.executable, "-c", "import program"] if started == "-c" else [sys.executable, "-m", "program"]
    assert run(command, elsewhere, PYTHONPATH="") == shown(package)


def test_a_current_directory_that_pythonpath_names_is_left_out_too(package: Path, elsewhere: Path) -> None:
    for name in ("sitecustomize", "usercustomize"):
        (elsewhere / f"{name}.py").unlink()
    for path in (f"{package}{os.pathsep}", f"{package}{os.pathsep}.", f"{package}{os.pathsep}{elsewhere}"):
        assert run([sys.executable, "-P", "-c", PARENT], elsewhere, PYTHONPATH=path) == shown(package)


def test_another_folder_that_pythonpath_names_is_kept_after_this_package(package: Path, elsewhere: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(package)!r}); import converter; del sys.path[0]\n{PARENT}"
    (elsewhere / "sitecustomize.py").unlink()
    lines = run([sys.executable, "-c", code], package, PYTHONPATH=str(elsewhere))
    assert lines[-2:] == [f"stray {elsewhere}/stray.py", shown(package)[1]]


def test_a_package_in_a_zip_file_is_run_from_there(package: Path, elsewhere: Path, tmp_path: Path) -> None:
    archive = tmp_path / "program.pyz"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (package / "converter").iterdir():
            file.write(path, f"converter/{path.name}")
        file.writestr("__main__.py", PARENT)
    assert run([sys.executable, str(archive)], elsewhere) == shown(archive)


def test_a_current_directory_with_the_libraries_in_it_is_kept(package: Path, tmp_path: Path) -> None:
    (package / "numpy").mkdir()
    (package / "numpy" / "__init__.py").touch()
    (package / "stray.py").touch()
    lines = run([sys.executable, "-c", f"import numpy\n{PARENT}"], package, PYTHONPATH="")
    assert lines == [f"stray {package}/stray.py", shown(package)[1]]


def test_a_current_directory_that_was_removed_is_no_obstacle(package: Path, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    code = f"import os; os.rmdir(os.getcwd())\n{PARENT}"
    assert run([sys.executable, "-P", "-c", code], tmp_path / "gone", PYTHONPATH=str(package)) == shown(package)


def test_the_environment_changes_neither_python_nor_numba() -> None:
    given = {
        "PATH": "p",
        "PYTHONPATH": "x",
        "PYTHONWARNINGS": "error",
        "NUMBA_OPT": "0",
        "PYTHONHOME": "h",
        "NUMBA": "n",
    }
    assert python_environment(given) == {"PATH": "p", "PYTHONHOME": "h", "NUMBA": "n"}


def test_a_command_imports_nothing_from_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", ".", str(tmp_path), "/elsewhere", str(REPOSITORY)])
    leave_current_directory()
    assert sys.path == ["/elsewhere", str(REPOSITORY)]
    monkeypatch.chdir(REPOSITORY)
    leave_current_directory()
    assert sys.path == ["/elsewhere", str(REPOSITORY)]


def test_the_command_line_names_the_module() -> None:
    command = python_command("converter.kernels.toolchain.emit")
    assert command[:4] == [sys.executable, "-P", "-s", "-c"]
    assert "converter.kernels.toolchain.emit" in command
