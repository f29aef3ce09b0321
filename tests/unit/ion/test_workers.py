"""Processes that read Ion: answered in order, and whatever ends one of them is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from converter.errors import ConvertError
from converter.export.blocks import PADDING
from converter.ion.workers import IonWorkers
from tests.cli.command import environment, python
from tests.ion_processes import ion_processes, wait_until_gone

LINE = b' $ion_1_0 {Item:{id:"a",n:6d2}}\n'
JSON = b'{"Item":{"id":{"S":"a"},"n":{"N":"600"}}}\n'


def test_lines_come_back_as_json_with_zeros_behind_them() -> None:
    with IonWorkers(1) as workers:
        answers = [workers.translate(LINE * n, "f") for n in (1, 1000, 0, 20_000)]
        for count, answer in zip((1, 1000, 0, 20_000), answers, strict=True):
            lines = answer.result()
            assert lines.problem is None
            assert lines.data[: lines.size].tobytes() == JSON * count
            assert len(lines.data) == lines.size + PADDING
            assert not np.any(lines.data[lines.size :])


def test_a_bad_line_comes_back_with_those_before_it() -> None:
    with IonWorkers(1) as workers:
        lines = workers.translate(LINE + b"$ion_1_0 {Item:{a:[5]}}\n" + LINE, "f").result()
        assert lines.data[: lines.size].tobytes() == JSON
        assert lines.problem is not None
        assert (lines.problem.path, lines.problem.reason[:6]) == ("$.Item.a[0]", "an int")


def test_processes_are_started_when_they_are_needed_and_gone_after_the_end() -> None:
    with IonWorkers(2) as workers:
        assert ion_processes() == []
        workers.translate(LINE, "f").result()
        assert len(ion_processes()) == 1
        for answer in [workers.translate(LINE * 5000, "f") for _ in range(8)]:
            answer.result()
        assert 1 <= len(ion_processes()) <= 2
    assert ion_processes() == []
    workers.close()


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "a process that reads Ion was killed"), (signal.SIGSEGV, "was ended by SIGSEGV")],
)
def test_a_process_that_is_killed_is_an_error_with_the_place_and_not_the_end_of_the_others(
    number: signal.Signals, said: str
) -> None:
    with IonWorkers(1) as workers:
        workers.translate(LINE, "f").result()
        (process,) = ion_processes()
        os.kill(process, signal.SIGSTOP)
        asked = workers.translate(LINE, "f.ion.gz bytes 5 to 10")
        os.kill(process, number)
        os.kill(process, signal.SIGCONT)
        with pytest.raises(ConvertError, match=said) as caught:
            asked.result(timeout=20)
        assert caught.value.where == "f.ion.gz bytes 5 to 10"
        assert "run the same command again" in caught.value.hint
        assert caught.value.exit_code == 1
        assert workers.translate(LINE, "f").result().size == len(JSON)


def test_the_end_does_not_wait_for_a_process_that_hangs() -> None:
    with IonWorkers(1) as workers:
        workers.translate(LINE, "f").result()
        (process,) = ion_processes()
        os.kill(process, signal.SIGSTOP)
        asked, behind = workers.translate(LINE, "f"), workers.translate(LINE, "f")
    for answer in (asked, behind):
        with pytest.raises((ConvertError, CancelledError)):
            answer.result(timeout=0)
    wait_until_gone(process, 0.5)


def test_a_process_ends_when_the_program_is_killed() -> None:
    code = """
import time
from converter.ion.workers import IonWorkers
workers = IonWorkers(1)
print(workers.translate(b"$ion_1_0 {}\\n", "f").result().size, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(python(code), env=environment(), stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"3\n"
        (process,) = ion_processes(program.pid)
        program.kill()
    wait_until_gone(process)


def make_library(folder: Path, content: str | None) -> None:
    (folder / "amazon" / "ion").mkdir(parents=True)
    (folder / "amazon" / "__init__.py").touch()
    (folder / "amazon" / "ion" / "__init__.py").touch()
    if content is not None:
        (folder / "amazon" / "ion" / "simpleion.py").write_text(content)


@pytest.mark.parametrize(
    ("library", "said"),
    [(None, "is not installed"), ("c_ext = False", "is installed without its C extension")],
)
def test_an_installation_that_cannot_read_ion_is_an_error_that_says_how_to_install_it(
    library: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_library(tmp_path, library)
    monkeypatch.syspath_prepend(tmp_path)
    with IonWorkers(1) as workers, pytest.raises(ConvertError, match=said) as caught:
        workers.translate(LINE, "f").result()
    assert "pip install" in caught.value.hint


def test_too_little_memory_in_a_process_is_told_as_that() -> None:
    resource = pytest.importorskip("resource")
    with IonWorkers(1) as workers:
        assert workers.translate(LINE, "f").result().size == len(JSON)
        (process,) = ion_processes()
        # The lines don't fit into this much.
        resource.prlimit(process, resource.RLIMIT_AS, (300 << 20, 300 << 20))
        with pytest.raises(ConvertError, match="too little memory"):
            workers.translate(LINE * 1_000_000, "f").result()


def test_a_program_that_cannot_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with IonWorkers(1) as workers, pytest.raises(ConvertError, match="can be started"):
        workers.translate(LINE, "f").result()
