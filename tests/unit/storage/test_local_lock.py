"""The lock: one holder at a time, between threads and processes, and what is said to the second."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from converter.errors import BusyError, StorageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.local import LocalDestination
from converter.storage.local_leftovers import LEASE
from converter.storage.local_lock import hold_lock, read_lock

HOLD = """
import sys
from converter.storage.local import LocalDestination
with LocalDestination(sys.argv[1]).lease() as lease:
    lease.begin("e", "dt=1/e").open_part("0.parquet").finish()
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_run(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_of_two_processes_the_second_is_told_who_the_first_is(tmp_path: Path) -> None:
    with other_run(tmp_path / "dest") as process:
        destination = LocalDestination(str(tmp_path / "dest"))
        with pytest.raises(BusyError, match=f"process {process.pid} on .*, since 2") as caught, destination.lease():
            pass
        assert caught.value.where == f"{tmp_path}/dest/_exports/lease"
        assert caught.value.exit_code == 6
        assert list(tmp_path.rglob("*.pending")), "the second run must not touch what the first one writes"
        process.communicate("")
        assert process.returncode == 0
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_killed_process_is_free_and_its_remains_are_removed(tmp_path: Path) -> None:
    with other_run(tmp_path) as process:
        process.kill()
        process.wait()
        assert list(tmp_path.rglob("*.pending"))
        with LocalDestination(str(tmp_path)).lease() as lease:
            assert lease.warnings == []
            assert [path.name for path in tmp_path.rglob("*")] == ["_exports", "lease"]


def test_a_holder_that_has_not_said_its_name_yet_is_busy_too(tmp_path: Path) -> None:
    lock = tmp_path / "lease"
    with hold_lock(ContainedFiles(str(tmp_path)), "lease"):
        lock.write_bytes(b"")
        with pytest.raises(BusyError, match="just started"), hold_lock(ContainedFiles(str(tmp_path)), "lease"):
            pass


def test_a_lock_whose_file_was_removed_by_hand_does_not_take_the_next_ones_along(tmp_path: Path) -> None:
    lock = tmp_path / "lease"
    with hold_lock(ContainedFiles(str(tmp_path)), "lease"):
        lock.unlink()
        with hold_lock(ContainedFiles(str(tmp_path)), "lease"):
            pass
        lock.write_bytes(b"another run's")
    assert lock.read_bytes() == b"another run's"


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lease").symlink_to("elsewhere")
    with pytest.raises(StorageError), hold_lock(ContainedFiles(str(tmp_path)), "lease"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_looking_says_who_has_it_and_whether_that_run_lives(tmp_path: Path) -> None:
    assert read_lock(ContainedFiles(str(tmp_path)), "made/lease") is None
    with other_run(tmp_path) as process:
        living = read_lock(ContainedFiles(str(tmp_path)), LEASE)
        process.kill()
        process.wait()
        dead = read_lock(ContainedFiles(str(tmp_path)), LEASE)
    assert living is not None
    assert dead is not None
    assert (living.live, dead.live) == (True, False)
    assert living.holder == dead.holder
    assert living.holder.startswith(f"process {process.pid} on ")
    assert living.time == dead.time
    assert abs(time.time() - dead.time.timestamp()) < 60


def test_who_only_looks_keeps_nobody_out(tmp_path: Path) -> None:
    looks, taken, enough = [0, 0, 0], 0, threading.Event()

    def go_on_looking(number: int) -> None:
        while not enough.is_set():
            looks[number] += read_lock(ContainedFiles(str(tmp_path)), "lease") is not None

    threads = [threading.Thread(target=go_on_looking, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        while taken <= 50 or sum(looks) <= 50:
            # It would raise BusyError.
            with hold_lock(ContainedFiles(str(tmp_path)), "lease"):
                taken += 1
                time.sleep(0)
    finally:
        enough.set()
    for thread in threads:
        thread.join()


def test_no_two_runs_hold_a_lock_that_each_of_them_removes(tmp_path: Path) -> None:
    # Each holder makes the folder and the file and removes both: every race between them is run many times.
    files = ContainedFiles(str(tmp_path))
    holders: list[int] = []
    most, taken, refused = [0], [0], [0]
    begun = time.monotonic()

    def goes_on() -> bool:
        # A machine with other things to do takes longer to come to as many.
        waited = time.monotonic() - begun
        return waited < 1 or (waited < 30 and min(taken[0], refused[0]) <= 50)

    def compete(number: int) -> None:
        while goes_on():
            try:
                with hold_lock(files, "made/lease"):
                    holders.append(number)
                    most[0] = max(most[0], len(holders))
                    taken[0] += 1
                    time.sleep(0)
                    holders.remove(number)
            except BusyError:
                refused[0] += 1

    threads = [threading.Thread(target=compete, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert taken[0] > 50
    assert refused[0] > 50
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
