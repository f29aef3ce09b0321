"""An installation that can't run: one error that says what to do, and nothing at the destination."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from converter.cli import main
from converter.errors import ConvertError
from converter.kernels.library import NATIVE, library_name
from tests.cli.command import REPOSITORY, TIMEOUT_SECONDS, environment

ORDERS = REPOSITORY / "fixtures" / "orders"


@pytest.mark.parametrize(
    ("library", "message"),
    [
        (None, "there are no kernels: they are built when the package is installed"),
        (library_name("0123456789abcdef"), "the kernels were built from other sources than these"),
        (library_name(), "the kernels can't be loaded: "),
    ],
)
def test_a_missing_another_or_a_damaged_library_ends_the_run(tmp_path: Path, library: str | None, message: str) -> None:
    ignored = shutil.ignore_patterns("__pycache__", NATIVE.name)
    shutil.copytree(REPOSITORY / "converter", tmp_path / "package" / "converter", ignore=ignored)
    if library:
        native = tmp_path / "package" / "converter" / "kernels" / NATIVE.name
        native.mkdir()
        (native / library).write_bytes(b"damaged")
    done = subprocess.run(
        [sys.executable, "-m", "converter", "convert", str(ORDERS), "out"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(tmp_path / "package")),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    place = tmp_path / "package" / "converter" / "kernels" / NATIVE.name / (library or library_name())
    assert f"error: {place}: {message}" in done.stderr
    assert "install the package again; in a checkout, run `make kernels`" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path in tmp_path.glob("out/**/*") if path.is_file()]


def test_a_cpu_that_would_crash_is_refused_before_libraries_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise ConvertError("this CPU is too old", hint="use another one")

    monkeypatch.setattr(main, "check_cpu", refuse)
    assert main.run(["convert", str(ORDERS), str(tmp_path / "out")]) == 1
    assert "error: this CPU is too old" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main.run(["--version"]) == 0
