"""What a user installs: the package, its types and the command, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from converter import __version__
from converter.kernels.library import library_name
from tests.cli.command import REPOSITORY

LEFT_OUT = (".*", "build", "dist", "*.egg-info", "__pycache__", "demo-output", "native", "work")


pytestmark = pytest.mark.slow  # builds in an environment of its own


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that is built on a machine with only Python: no compiler and no linker is on the path."""
    folder = tmp_path_factory.mktemp("wheel")
    tree, nothing = folder / "tree", folder / "nothing"
    shutil.copytree(REPOSITORY, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    nothing.mkdir()
    run_pip("wheel", "--no-deps", "--wheel-dir", folder, tree, PATH=str(nothing))
    [path] = folder.glob("*.whl")
    return path


def run_pip(*arguments: str | Path, python: Path | None = None, **variables: str) -> None:
    command = [sys.executable, "-m", "pip", *(["--python", str(python)] if python else [])]
    subprocess.run([*command, "--quiet", *arguments], env={**os.environ, **variables}, check=True)


def test_it_holds_the_package_the_types_the_kernels_and_the_command(wheel: Path) -> None:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name == f"ddb_convert-{__version__}-py3-none-{platform}.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = f"ddb_convert-{__version__}.dist-info"
        assert {name.split("/")[0] for name in names} == {"converter", metadata}
        assert {
            "converter/py.typed",
            "converter/schedule/template.yaml.jinja",
            "converter/recipes/load.yml.jinja",
        } <= set(names)
        assert [name for name in names if name.endswith(".so")] == [f"converter/kernels/native/{library_name()}"]
        assert f"{metadata}/licenses/LICENSE" in names
        shipped = {name for name in names if name.endswith(".py")}
        assert shipped == {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "converter").rglob("*.py")}
        assert "ddb-convert = converter.cli:app" in archive.read(f"{metadata}/entry_points.txt").decode()
        requirements = archive.read(f"{metadata}/METADATA").decode()
        assert not re.search(r"^Requires-Dist: (numba|llvmlite)[^;]*$", requirements, re.MULTILINE)


def test_it_converts_in_a_new_environment_and_the_first_run_leaves_it_as_it_was(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    constraints = REPOSITORY / "constraints.txt"
    python = environment / "bin" / "python"
    # With PYTHONDONTWRITEBYTECODE, pip would leave it to the first run to compile the modules.
    run_pip("install", "--constraint", constraints, wheel, python=python, PYTHONDONTWRITEBYTECODE="")
    [packages] = environment.glob("lib/python*/site-packages")
    assert not {"numba", "llvmlite"} & {path.name for path in packages.iterdir()}
    before = {path: path.stat().st_mtime_ns for path in environment.rglob("*")}
    command = [str(environment / "bin" / "ddb-convert"), "convert", str(REPOSITORY / "fixtures" / "orders"), "out"]
    subprocess.run([*command, "--format", "csv,parquet"], cwd=tmp_path, env={"PATH": ""}, check=True)
    assert list((tmp_path / "out").rglob("*.parquet"))
    assert {path: path.stat().st_mtime_ns for path in environment.rglob("*")} == before
