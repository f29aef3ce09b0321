"""Ctrl-C, SIGTERM and a second run at the same destination: each ends soon, says so, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from converter.testing import ExportPaths, write_split_export
from tests.cli.command import REPOSITORY, environment, python
from tests.cli.failures import check_failure
from tests.cli.forking import ForkedCommands
from tests.end_to_end.exports import line

# The real command, but each block takes its time: so a signal always arrives in the middle.
SLOW = """
import os, signal, sys, time
from converter.export import blocks
inflate = blocks.BlockReader._inflate
def slowly(self, into):
    os.write(2, b"a block\\n")
    time.sleep(0.2)
    return inflate(self, into)
blocks.BlockReader._inflate = slowly
{more}
from converter.cli import app
app()
"""
# Interrupts itself when the commit is about to put the parts into place.
IN_THE_COMMIT = """
from converter.storage import local_commit
place = local_commit.LocalLease._place_parts
def interrupted(self, intent):
    os.kill(os.getpid(), signal.{signal})
    time.sleep(60)
    place(self, intent)
local_commit.LocalLease._place_parts = interrupted
blocks.BlockReader._inflate = inflate
"""
CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
"""Starts a command as process 1 of process numbers of its own."""
IN_A_CONTAINER = pytest.mark.skipif(
    not shutil.which("unshare")
    or subprocess.run([*CONTAINER, "true"], check=False, capture_output=True).returncode != 0,
    reason="a process may not have process numbers of its own here",
)
FEW_BLOCKS = 12
"""A run that goes on to its end reads twice as many."""
SIGNALS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> ExportPaths:
    """Two shards of ten blocks each: two seconds and more."""
    text = line(id='{"S":"' + "x" * 100 + '"}', pin='{"S":"5ecret"}')
    return write_split_export(tmp_path_factory.mktemp("bucket"), [[text] * 80_000, [text] * 80_000])


@contextmanager
def running(*arguments: str, cwd: Path, more: str = "", inside: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """The slow command, while it runs, as the command line `inside` starts it; killed at the end if it still does."""
    with subprocess.Popen(
        [*inside, *python(SLOW.format(more=more), *arguments)],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], phase: str) -> None:
    assert process.stderr is not None
    said = []
    for text in process.stderr:
        said.append(text)
        if phase in text:
            return
    raise AssertionError(f"it never said {phase!r}: {said}")


@pytest.mark.parametrize(("number", "code", "word"), SIGNALS)
@pytest.mark.parametrize("phase", ["reading first blocks", "converting"])
def test_a_signal_ends_the_run_soon_and_leaves_nothing(
    number: signal.Signals, code: int, word: str, phase: str, export: ExportPaths, tmp_path: Path
) -> None:
    with running("convert", str(export.folder), "out", "--json", cwd=tmp_path) as process:
        wait_for(process, phase)
        wait_for(process, "a block")
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (code, "")
    assert err.splitlines()[-1] == f"error: {word}"
    assert "Traceback" not in err
    assert err.count("a block") < FEW_BLOCKS
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> ExportPaths:
    """Eight shards: most of them wait for a worker."""
    text = line(id='{"S":"' + "x" * 100 + '"}')
    return write_split_export(tmp_path_factory.mktemp("bucket"), [[text] * 80_000] * 8)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("command", [("convert", "out"), ("inspect",)])
def test_a_run_with_shards_that_have_not_begun_ends_at_once(
    command: tuple[str, ...], workers: str, many: ExportPaths, tmp_path: Path
) -> None:
    verb, *dest = command
    arguments = (verb, str(many.folder), *dest, "--workers", workers)
    with running(*arguments, cwd=tmp_path) as process:
        wait_for(process, "converting" if dest else "observing")
        wait_for(process, "a block")
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        wait_for(process, "stopping: ")
        said = time.monotonic()
        _, err = process.communicate(timeout=20)
        ended = time.monotonic()
    assert process.returncode == 130, err
    # A block takes 0.2 s here, and the machine may be busy with other tests; that all wait in vain took 3 s.
    assert said - sent < 1
    assert ended - sent < 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_impatient_second_signal_does_no_harm(number: signal.Signals, export: ExportPaths, tmp_path: Path) -> None:
    with running("convert", str(export.folder), "out", cwd=tmp_path) as process:
        wait_for(process, "converting")
        wait_for(process, "a block")
        process.send_signal(signal.SIGINT)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert process.returncode in (130, 143)
    assert "Traceback" not in err
    assert err.count("a block") < FEW_BLOCKS
    assert not (tmp_path / "out").exists()


@IN_A_CONTAINER
@pytest.mark.parametrize(("number", "code", "word"), SIGNALS)
def test_a_signal_ends_the_first_process_of_a_container_which_the_system_would_not_do(
    number: signal.Signals, code: int, word: str, export: ExportPaths, tmp_path: Path
) -> None:
    with running("convert", str(export.folder), "out", cwd=tmp_path, inside=CONTAINER) as outside:
        wait_for(outside, "a block")
        (process,) = Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text("utf-8").split()
        status = Path(f"/proc/{process}/status").read_text("utf-8")
        assert re.search(r"^NSpid:.*\t1$", status, re.MULTILINE)
        os.kill(int(process), number)
        _, err = outside.communicate(timeout=20)
    assert (outside.returncode, err.splitlines()[-1]) == (code, f"error: {word}")
    assert not (tmp_path / "out").exists()


@IN_A_CONTAINER
def test_the_first_process_of_a_container_can_be_ended_while_it_is_still_starting(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)")
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    command = [*CONTAINER, *python("from converter.cli import app; app()")]
    done = subprocess.run(command, env=environment(PYTHONPATH=path), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


def test_a_command_in_the_background_of_a_script_ignores_ctrl_c() -> None:
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); from converter.cli import main\n"
    code += "main.read_command = lambda *_: lambda: signal.raise_signal(signal.SIGINT)\n"
    code += "sys.exit(main.run(['verb']))"
    done = subprocess.run(python(code), env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("number", "code", "word"), SIGNALS)
def test_a_commit_that_a_signal_stops_is_finished_by_the_next_run(
    number: signal.Signals, code: int, word: str, export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    more = IN_THE_COMMIT.format(signal=number.name)
    with running("convert", str(export.folder), "out", cwd=tmp_path, more=more) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"error: {word}\n" in err
    assert err.rstrip().endswith("the next run here finishes it first")
    assert "Traceback" not in err
    assert list((tmp_path / "out").glob("dt=*/**/*.parquet")) == []
    done = forked.run("convert", str(export.folder), "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "this is now done" in done.stderr
    report = json.loads(done.stdout)
    assert report["status"] == "unchanged"
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {*(part["path"] for part in report["parts"]), f"_exports/{export.export_id}.json"}


def test_a_second_run_at_the_same_destination_is_told_to_wait(
    export: ExportPaths, forked: ForkedCommands, tmp_path: Path
) -> None:
    with running("convert", str(export.folder), "out", "--json", cwd=tmp_path) as process:
        wait_for(process, "converting")
        # A dry run takes nothing, and answers as the run would.
        for options in ([], ["--replace"], ["--format", "csv"], ["--dry-run"]):
            done = forked.run("convert", str(export.folder), "out/", *options, cwd=tmp_path)
            check_failure(done, 6, f"process {process.pid} on ", "wait until it has ended")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert (report["status"], len(report["parts"]), report["items"]) == ("published", 2, 160_000)
    assert sorted(os.listdir(tmp_path / "out" / "_exports")) == [f"{export.export_id}.json", "index"]
