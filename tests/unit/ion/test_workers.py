"""Processes that read Ion: answered in order, and whatever ends one of them is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from converter.errors import ConvertError
from converter.export.blocks import PADDING
from converter.ion import workers
from converter.ion.workers import IonWorkers
from tests.cli.command import REPOSITORY, environment, python
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


BUSY = {
    # A thread of the process can run beside the first one, and not beside the second.
    "in Python": "while True: pass",
    "in C": "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
}


def busy_command(how: str, more: str = "") -> list[str]:
    """The command of a process that finds no end in any block; what follows it is the parent."""
    program = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from converter.ion import lines, worker\n"
        "def busy(_):\n"
        f"    {BUSY[how]}\n"
        "lines.json_lines = busy\n"
        f"{more}\n"
        "worker.main()\n"
    )
    return [sys.executable, "-c", program]


def start_busy(how: str, more: str) -> tuple[subprocess.Popen[bytes], int]:
    """A program, and its process that is busy with a block."""
    code = f"""
from converter.ion import workers
workers.python_command = lambda _, arguments: [*{busy_command(how, more)!r}, *arguments]
workers.IonWorkers(1).translate(b"$ion_1_0 {{}}\\n", "f").result()
"""
    program = subprocess.Popen(python(code), env=environment())
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for process in ion_processes(program.pid, b"converter.ion"):
            if cpu_seconds_of(process) > 1:
                return program, process
        time.sleep(0.05)
    program.kill()
    program.wait()
    raise AssertionError("no process is busy")


def cpu_seconds_of(process: int) -> float:
    fields = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    ("how", "more"),
    [("in Python", ""), ("in C", ""), ("in Python", "worker._request_death_signal = lambda: False")],
    ids=["in Python", "in C", "without the system's help"],
)
def test_a_busy_process_ends_when_the_program_is_killed(how: str, more: str) -> None:
    program, process = start_busy(how, more)
    program.kill()
    program.wait()
    wait_until_gone(process, 5)


@pytest.mark.parametrize("how", BUSY)
def test_a_block_that_takes_too_much_time_is_an_error(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = busy_command(how, "worker._LEAST_SECONDS = 0.3")
    monkeypatch.setattr(workers, "python_command", lambda _, arguments: [*command, *arguments])
    with (
        IonWorkers(1) as busy,
        pytest.raises(ConvertError, match="used more than 60 s of CPU time for 32 bytes") as caught,
    ):
        busy.translate(LINE, "f").result(timeout=30)
    assert "this is a bug" in caught.value.hint
    assert caught.value.where == "f"


def test_too_little_memory_in_a_process_is_told_as_that() -> None:
    resource = pytest.importorskip("resource")
    with IonWorkers(1) as workers:
        assert workers.translate(LINE, "f").result().size == len(JSON)
        (process,) = ion_processes()
        # The lines don't fit into this much.
        resource.prlimit(process, resource.RLIMIT_AS, (300 << 20, 300 << 20))
        with pytest.raises(ConvertError, match="too little memory"):
            workers.translate(LINE.replace(b"a", b"a" * (150 << 20), 1), "f").result()


def test_a_program_that_cannot_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with IonWorkers(1) as workers, pytest.raises(ConvertError, match=r"can.t start a process"):
        workers.translate(LINE, "f").result()
