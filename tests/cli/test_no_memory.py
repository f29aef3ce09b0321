"""Too little memory: said as such wherever it ends, and never as a bug or a missing library."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from converter.cli.main import run
from converter.errors import means_no_memory, no_memory_error
from tests.cli.command import REPOSITORY, environment

ORDERS = REPOSITORY / "fixtures" / "orders"
MIB = 1 << 20


# Between 170 and 220 MiB, Arrow itself can hang or crash while it is imported.
@pytest.mark.parametrize("limit", [130, 160, 240, 260, 290, 330, 400, 470])
def test_a_run_with_too_little_memory_says_so_wherever_it_ends(tmp_path: Path, limit: int) -> None:
    def with_limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit * MIB, limit * MIB))

    command = [sys.executable, str(REPOSITORY / "cli.py"), "convert", str(ORDERS)]
    done = subprocess.run(
        [*command, str(tmp_path / "out"), "--quiet"],
        capture_output=True,
        text=True,
        preexec_fn=with_limit,
        env=environment(),
        timeout=120,
        check=False,
    )
    if limit >= 300 and done.returncode == 0:
        # It was enough.
        assert list((tmp_path / "out").glob("dt=*/*/*.parquet"))
        return
    # The allocators of libraries may have lines of their own.
    assert done.returncode == 1
    assert "error: not enough memory" in done.stderr.splitlines()
    assert "ulimit -v" in done.stderr
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("dt=*"))


def test_a_library_that_could_not_be_mapped_means_a_lack_of_memory() -> None:
    error = OSError("Could not find/load shared object file 'libllvmlite.so'")
    error.__context__ = OSError("libllvmlite.so: failed to map segment from shared object")
    assert means_no_memory(error)
    assert means_no_memory(ImportError("libarrow.so.2600: failed to map segment from shared object"))
    assert means_no_memory(OSError(12, "Cannot allocate memory"))
    assert means_no_memory(RuntimeError("can't start new thread"))
    assert means_no_memory(SystemError("error return without exception set"))
    assert not means_no_memory(ImportError("No module named 'pyarrow'"))
    assert not means_no_memory(KeyError("TableId"))
    assert no_memory_error().exit_code == 1


def test_a_file_to_write_with_a_nul_character_in_its_name_is_a_mistake_of_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (
        ["convert", "a\0b", str(tmp_path / "out")],
        ["convert", str(ORDERS), str(tmp_path / "a\0b")],
        ["inspect", str(ORDERS), "--write-schema", str(tmp_path / "a\0")],
        ["convert", str(ORDERS), str(tmp_path / "out"), "--schema", "a\0"],
    ):
        assert run(arguments) == 2
        assert "bug" not in capsys.readouterr().err
