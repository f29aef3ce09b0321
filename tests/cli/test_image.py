"""The container image, as far as that shows without a container: what goes in, and that its runs compile nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from converter import __version__
from converter.kernels.toolchain.cache import PARTS
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


def test_containers_look_for_the_machine_code_where_and_for_which_cpu_it_was_made() -> None:
    build, final = map(variables, STAGES)
    names = ("DDB_CONVERT_CPU", "DDB_CONVERT_CACHE_DIR")
    assert [build[name] for name in names] == [final[name] for name in names] == ["baseline", "/app/kernels"]
    assert "COPY --from=build /app /app" in STAGES[1]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", STAGES[1], re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build stage installs of ours: the wheel of what is copied, and nothing else of the repository."""
    folder = tmp_path_factory.mktemp("image")
    source, target = folder / "source", folder / "app"
    for name in COPIED:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(REPOSITORY / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps"]
    subprocess.run([*pip, "--target", target, source], check=True, timeout=PATIENCE)
    shutil.rmtree(source)
    return target


@pytest.mark.slow
def test_runs_of_an_image_compile_nothing_and_keep_nothing(installed: Path, tmp_path: Path) -> None:
    (prepare,) = re.findall(r"^RUN \S+ (-m converter\S+)$", STAGES[0], re.MULTILINE)
    kernels = tmp_path / "kernels"
    image = environment(
        PYTHONPATH=str(installed),
        DDB_CONVERT_CPU=variables(STAGES[1])["DDB_CONVERT_CPU"],
        DDB_CONVERT_CACHE_DIR=str(kernels),
        TMPDIR=str(tmp_path / "nothing"),
    )
    made = subprocess.run(
        [sys.executable, *prepare.split()], env=image, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert made.returncode == 0, made.stderr
    files = [Path(line) for line in made.stdout.splitlines()]
    assert len(files) == len(PARTS)
    assert all(fnmatch(file.name, f"*-{part}.o") for file, part in zip(files, PARTS, strict=True))
    before = state(kernels)
    for path in sorted(kernels.rglob("*"), reverse=True):
        path.chmod(path.stat().st_mode & ~0o222)
    # Whoever compiles loads this one.
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "numba.py").write_text("raise ImportError('there is no Numba')")
    image["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "numba"), str(installed)])

    def convert(number: int, **changes: str) -> subprocess.CompletedProcess[str]:
        command = ["convert", str(REPOSITORY / "fixtures" / "orders"), f"out{number}", "--format", "csv,parquet"]
        return subprocess.run(
            [sys.executable, "-c", "from converter.cli import app; app()", *command],
            env={**image, **changes},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    found = convert(0)
    assert found.returncode == 0, found.stderr
    assert "reading first blocks" in found.stderr
    assert "compiling" not in found.stderr
    # For another CPU it would have had to compile.
    missed = convert(1, DDB_CONVERT_CPU="native")
    assert missed.returncode == 1
    assert "compiling the decoder (once on a machine), reading first blocks" in missed.stderr
    assert "could not be compiled: ImportError: there is no Numba" in missed.stderr
    assert state(kernels) == before


def state(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """What is in a folder, and since when."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def test_preparing_says_so_when_the_machine_code_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "converter.kernels.toolchain.prepare"],
        env=environment(DDB_CONVERT_CACHE_DIR=str(tmp_path / "file"), DDB_CONVERT_CPU="baseline"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "the machine code can't be kept: Not a directory" in done.stderr
    assert "DDB_CONVERT_CACHE_DIR" in done.stderr.splitlines()[-1]
