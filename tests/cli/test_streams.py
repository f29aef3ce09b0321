"""Streams that refuse, or are not there: the command says so where it still can, and publishes all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, environment

ORDERS = str(REPOSITORY / "fixtures" / "orders")


def shell(redirection: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with a redirection as a shell writes it."""
    command = [sys.executable, "-W", "error", str(REPOSITORY / "cli.py"), *arguments]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_result_that_nobody_can_take_is_an_error_of_its_own(tmp_path: Path) -> None:
    done = shell(">/dev/full", "convert", ORDERS, "out", "--json", "--quiet", cwd=tmp_path)
    assert done.returncode == 5
    assert "error: stdout: the result can't be written: No space left on device\n" in done.stderr
    assert "Exception" not in done.stderr
    assert len(list((tmp_path / "out").glob("dt=*/**/*.parquet"))) == 1


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_end_up_in_the_output(redirection: str, tmp_path: Path) -> None:
    done = shell(redirection, "convert", ORDERS, "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = shell("", "convert", ORDERS, "expected", cwd=tmp_path)
    assert expected.returncode == 0
    parts = [(tmp_path / name).glob("dt=*/**/*.parquet") for name in ("out", "expected")]
    assert [path.read_bytes() for path in parts[0]] == [path.read_bytes() for path in parts[1]]
