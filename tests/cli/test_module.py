"""`python -m converter`: the command under another name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, ddb_convert, environment

ORDERS = str(REPOSITORY / "fixtures" / "orders")


def module(*arguments: str, cwd: Path, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *flags, "-m", "converter", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("flags", [(), ("-P",)])
def test_it_converts_as_the_command_does(flags: tuple[str, ...], tmp_path: Path) -> None:
    done = module("convert", ORDERS, "out", "--quiet", cwd=tmp_path, flags=flags)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert len(list((tmp_path / "out").glob("dt=*/**/*.parquet"))) == 1


def test_help_and_hints_name_what_the_user_has_typed(tmp_path: Path) -> None:
    done = module("convert", "--help", cwd=tmp_path)
    usage, *others = done.stdout.splitlines()
    assert usage.startswith("Usage: python -m converter convert [OPTIONS] ")
    assert others == ddb_convert("convert", "--help").stdout.splitlines()[1:]
    wrong = module("convert", "--no-such-option", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "see `python -m converter convert --help`" in wrong.stderr


def test_nothing_is_imported_from_the_current_directory(tmp_path: Path) -> None:
    for name in ("typer", "numpy", "numba", "pyarrow"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the current directory')\n")
    assert module("--version", cwd=tmp_path).stdout == ddb_convert("--version").stdout
    done = module("convert", ORDERS, "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(tmp_path / "out")
