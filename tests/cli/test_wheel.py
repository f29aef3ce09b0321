"""What a user installs: the package, its types and the command, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from converter import __version__
from tests.cli.command import REPOSITORY

LEFT_OUT = (".*", "build", "dist", "*.egg-info", "__pycache__", "demo-output", "work")


@pytest.mark.slow  # builds in an environment of its own
def test_the_wheel_holds_the_package_the_types_and_the_command(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(REPOSITORY, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, tree], check=True
    )
    with zipfile.ZipFile(tmp_path / f"ddb_convert-{__version__}-py3-none-any.whl") as wheel:
        names = wheel.namelist()
        metadata = f"ddb_convert-{__version__}.dist-info"
        assert {name.split("/")[0] for name in names} == {"converter", metadata}
        assert {"converter/py.typed", "converter/schedule/template.yaml.jinja"} <= set(names)
        assert f"{metadata}/licenses/LICENSE" in names
        shipped = {name for name in names if name.endswith(".py")}
        assert shipped == {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "converter").rglob("*.py")}
        assert "ddb-convert = converter.cli:app" in wheel.read(f"{metadata}/entry_points.txt").decode()
