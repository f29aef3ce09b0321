"""Runs that die: `dying_runs.py BASE SCENARIO [twice]` makes BASE/<k>, the remains of a run that died at its step k.

A step is an operation that changes the file system. The process ends just before it, without any clean-up, as with
`kill -9`. With `twice`, BASE/<k>-<j> are the remains of a run that died at its step j while it finished what BASE/<k>
had left. Prints the number of steps of the run that died at none of them, which is BASE/<number + 1>.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from converter.storage.destination import Destination
from converter.storage.intent import Removal
from converter.storage.local import LocalDestination
from converter.storage.paths import record_path

X = "01701065507109-cce6a3f8"
Y = "01701065507110-aaaaaaaa"

# scenario → what is published before, then the run that dies: its parts by their folder, what it removes
Published = dict[str, dict[str, bytes]]
OLD_X: Published = {f"dt=1/{X}": {"0.parquet": b"old x 0", "1.parquet": b"old x 1", "2.parquet": b"old x 2"}}
OLD_Y: Published = {f"dt=1/{Y}": {"0.parquet": b"old y 0"}}
DEEP_X: Published = {f"y=1/dt=1/{X}": {"0.parquet": b"old x 0"}}
TWO_X: Published = {f"csv/dt=1/{X}": {"0.csv": b"old x 0"}, f"parquet/dt=1/{X}": {"0.parquet": b"old x 0"}}
NEW = {"0.parquet": b"new 0", "1.parquet": b"new 1"}
NEW_TWO: Published = {f"csv/dt=1/{X}": {"0.csv": b"new 0", "1.csv": b"new 1"}, f"parquet/dt=1/{X}": NEW}
REMOVE_TWO = [Removal(X, folder) for folder in TWO_X]
SCENARIOS: dict[str, tuple[list[Published], Published, list[Removal]]] = {
    "first": ([], {f"dt=1/{X}": NEW}, []),
    "second": ([OLD_Y], {f"dt=1/{X}": NEW}, []),
    "same folder": ([OLD_X, OLD_Y], {f"dt=1/{X}": NEW}, [Removal(Y, f"dt=1/{Y}"), Removal(X, f"dt=1/{X}")]),
    "other folder": ([OLD_X, OLD_Y], {f"dt=2/{X}": NEW}, [Removal(X, f"dt=1/{X}"), Removal(Y, f"dt=1/{Y}")]),
    "deep folder": ([DEEP_X], {f"dt=2/{X}": NEW}, [Removal(X, f"y=1/dt=1/{X}")]),
    "no parts": ([OLD_X], {f"dt=1/{X}": {}}, [Removal(X, f"dt=1/{X}")]),
    "nested": ([OLD_Y], {f"dt=1/{Y}/{X}": NEW}, [Removal(Y, f"dt=1/{Y}")]),
    "two folders": ([OLD_Y], NEW_TWO, []),
    "one folder to two": ([OLD_X, OLD_Y], NEW_TWO, [Removal(Y, f"dt=1/{Y}"), Removal(X, f"dt=1/{X}")]),
    "two folders to one": ([TWO_X], {f"dt=1/{X}": NEW}, REMOVE_TWO),
    "two folders again": ([TWO_X, OLD_Y], NEW_TWO, REMOVE_TWO),
    "two folders to the second": ([TWO_X], {f"parquet/dt=1/{X}": NEW}, REMOVE_TWO),
    "two folders without parts": ([TWO_X], {folder: {} for folder in TWO_X}, REMOVE_TWO),
}


def record_of(published: Published) -> bytes:
    """A stand-in that tells the tests which files the export has."""
    return repr(parts_of(published)).encode()


def parts_of(published: Published) -> dict[str, bytes]:
    return {f"{folder}/{name}": part for folder, contents in published.items() for name, part in contents.items()}


def export_of(published: Published) -> str:
    return os.path.basename(next(iter(published)))


def publish(destination: Destination, published: Published, remove: list[Removal]) -> None:
    with destination.lease() as lease:
        staging = lease.begin(export_of(published), *published)
        parts = []
        for folder, contents in enumerate(published.values()):
            for name, content in contents.items():
                staging.discard(staging.open_part(name, folder).finish())
                sink = staging.open_part(name, folder)
                sink.write(content)
                parts.append(sink.finish())
        staging.commit(record_of(published), parts, remove)


def files_of(published: Published) -> dict[str, bytes]:
    """The files that readers find when this is published."""
    return {**parts_of(published), record_path(export_of(published)): record_of(published)}


def files_around(scenario: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """All files before the run, and after one that does not die."""
    earlier, published, remove = SCENARIOS[scenario]
    gone = {removal.export_id for removal in remove}
    before, after = {}, {}
    for one in earlier:
        before.update(files_of(one))
        if export_of(one) not in gone:
            after.update(files_of(one))
    return before, {**after, **files_of(published)}


def next_run(root: Path) -> None:
    """Takes the lease and does nothing itself."""
    with LocalDestination(str(root)).lease():
        pass


def dies(step: int, root: Path, act: Callable[[], None]) -> bool:
    """Does the act in another process, which ends just before the given step; False if it had fewer steps."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 9):
            raise SystemExit(f"{root}: step {step} ended with {code}")
        return code == 9
    left = step

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event == "open":
            path, _, flags = arguments
            changes = isinstance(flags, int) and flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)
            # A name alone is relative to a folder of the destination that is open.
            if not changes or (os.path.isabs(str(path)) and not str(path).startswith(str(root))):
                return
        elif event not in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"):
            return
        left -= 1
        if left == 0:
            os._exit(9)

    code = 1
    try:
        sys.addaudithook(count)
        act()
        code = 0
    finally:
        os._exit(code)


def main(base: Path, scenario: str, twice: bool) -> int:
    before, published, remove = SCENARIOS[scenario]
    template = base / "template"
    template.mkdir()
    for earlier in before:
        publish(LocalDestination(str(template)), earlier, [])
    step = 0
    while True:
        step += 1
        root = base / str(step)
        shutil.copytree(template, root)
        died = dies(step, root, lambda root=root: publish(LocalDestination(str(root)), published, remove))  # type: ignore[misc]
        again = 1
        while twice and died:
            second = base / f"{step}-{again}"
            shutil.copytree(root, second)
            if not dies(again, second, lambda second=second: next_run(second)):  # type: ignore[misc]
                break
            again += 1
        if not died:
            return step - 1


if __name__ == "__main__":
    sys.stdout.write(str(main(Path(sys.argv[1]), sys.argv[2], "twice" in sys.argv)))
