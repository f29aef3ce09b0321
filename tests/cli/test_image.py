"""The container image, as far as that shows without a container: what goes in, and that its runs compile nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from converter import __version__
from tests.cli.command import REPOSITORY, environment

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
COPIED = [
    source
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for source in sources.split()
]
STAGES = DOCKERFILE.split("\nFROM ")[1:]
PATIENCE = 300


def variables(stage: str) -> dict[str, str]:
    """The environment that a stage sets."""
    return dict(pair.split("=", 1) for line in re.findall(r"^ENV (.+)$", stage, re.MULTILINE) for pair in line.split())


def test_everything_that_is_copied_is_there_and_nothing_else_is_sent_to_the_builder() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert sent == set(COPIED)
    assert "converter" in sent
    for source in COPIED:
        assert (REPOSITORY / source).exists(), source


def test_the_image_is_labelled_with_this_version() -> None:
    assert re.findall(r'image\.version="(.+?)"', DOCKERFILE) == [__version__]


def test_containers_run_as_no_privileged_user_and_from_what_was_built() -> None:
    assert "COPY --from=build /app /app" in STAGES[1]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", STAGES[1], re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build stage installs of ours: the wheel of what is copied, and nothing else of the repository."""
    folder = tmp_path_factory.mktemp("image")
    source, target = folder / "source", folder / "app"
    for name in COPIED:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "native"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(REPOSITORY / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps"]
    subprocess.run([*pip, "--target", target, source], check=True, timeout=PATIENCE)
    shutil.rmtree(source)
    return target


@pytest.mark.slow
def test_runs_of_an_image_compile_nothing_and_write_only_the_destination(installed: Path, tmp_path: Path) -> None:
    home, temporary, work = (tmp_path / name for name in ("home", "temporary", "work"))
    for folder in (home, temporary, work):
        folder.mkdir()
    # There is no compiler in an image: importing one ends the run.
    for name in ("numba", "llvmlite"):
        (home / f"{name}.py").write_text(f"raise ImportError('{name} is not in the image')")
    image = environment(PYTHONPATH=os.pathsep.join([str(home), str(installed)]), TMPDIR=str(temporary), HOME=str(home))
    image |= variables(STAGES[1]) | {"PATH": os.environ["PATH"]}
    before = {path: path.stat().st_mtime_ns for path in installed.rglob("*")}
    command = ["convert", str(REPOSITORY / "fixtures" / "orders"), "out", "--format", "csv,parquet"]
    done = subprocess.run(
        [sys.executable, "-c", "from converter.cli import app; app()", *command],
        env=image,
        cwd=work,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in home.iterdir()} == {"numba.py", "llvmlite.py"}
    assert [path.name for path in work.iterdir()] == ["out"]
    assert list(temporary.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*")} == before
