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


@pytest.mark.slow  # builds in an environment of its own
def test_the_wheel_holds_the_package_the_types_the_kernels_and_the_command(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(REPOSITORY, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, tree], check=True
    )
    (path,) = tmp_path.glob("*.whl")
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert path.name == f"ddb_convert-{__version__}-py3-none-{platform}.whl"
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
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
        assert "ddb-convert = converter.cli:app" in wheel.read(f"{metadata}/entry_points.txt").decode()
        requirements = wheel.read(f"{metadata}/METADATA").decode()
        assert not re.search(r"^Requires-Dist: (numba|llvmlite)[^;]*$", requirements, re.MULTILINE)
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(path)]
    subprocess.run(pip, check=True)
    program = f"import converter; converter.convert({str(REPOSITORY / 'fixtures' / 'orders')!r}, 'out')"
    variables = {**os.environ, "PYTHONPATH": str(target)}
    subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, env=variables, check=True)
    assert list((tmp_path / "out").rglob("*.parquet"))
