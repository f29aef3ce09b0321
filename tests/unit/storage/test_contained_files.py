"""Nothing is followed out of a destination: whatever link is put into it, at whatever place."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from converter.errors import StorageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.intent import Intent, PendingPart, Removal
from converter.storage.local import LocalDestination
from converter.storage.paths import INTENT, record_path

EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=2023-11-27/{EXPORT}"
RUN = f".run-{EXPORT}-0a1b2c3d"
PART = PendingPart("0.parquet", 3, "ab" * 32, "0.parquet.pending")


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A folder that is somebody else's, and must be as it was in the end."""
    folder = tmp_path / "victim"
    (folder / "sub" / EXPORT).mkdir(parents=True)
    (folder / "file").write_bytes(b"precious")
    (folder / "sub" / EXPORT / "0.parquet").write_bytes(b"precious")
    yield folder
    found = {str(path.relative_to(folder)): path.is_file() and path.read_bytes() for path in folder.rglob("*")}
    assert found == {
        "file": b"precious",
        "sub": False,
        f"sub/{EXPORT}": False,
        f"sub/{EXPORT}/0.parquet": b"precious",
    }


def publish(root: Path, folder: str = FOLDER, remove: tuple[Removal, ...] = ()) -> None:
    with LocalDestination(str(root)).lease() as lease:
        staging = lease.begin(EXPORT, folder)
        sink = staging.open_part("0.parquet")
        sink.write(b"new")
        staging.commit(b"{}", [sink.finish()], remove)


def take(root: Path) -> None:
    with LocalDestination(str(root)).lease():
        pass


def write_intent(root: Path, *, folder: str = FOLDER, remove: tuple[Removal, ...] = ()) -> None:
    parts = root / "_exports" / RUN / "parts"
    parts.mkdir(parents=True)
    (parts / PART.receipt).write_bytes(b"new")
    (root / INTENT).write_bytes(Intent(EXPORT, RUN, (folder,), "{}", (PART,), remove).to_json())


@pytest.mark.parametrize("name", ["_exports", "dt=2023-11-27"])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_folder_of_the_destination_that_is_a_link_is_refused_and_nothing_is_written_there(
    name: str, dangling: bool, tmp_path: Path, victim: Path
) -> None:
    root = tmp_path / "dest"
    root.mkdir()
    (root / name).symlink_to(tmp_path / "nowhere" if dangling else victim)
    with pytest.raises(StorageError) as refused:
        publish(root)
    assert refused.value.where.startswith(str(root / name))
    if not dangling:
        assert "symbolic link" in refused.value.what
        assert refused.value.hint
    assert [path.name for path in root.iterdir() if path.name != "_exports"] in ([], ["dt=2023-11-27"])


def test_the_destination_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "dest").symlink_to(tmp_path / "real")
    publish(tmp_path / "dest")
    assert (tmp_path / "real" / FOLDER / "0.parquet").read_bytes() == b"new"


@pytest.mark.parametrize("place", [RUN, f"{RUN}/parts", f"{RUN}/replaced", f"{RUN}/parts/0.parquet.pending"])
def test_of_a_link_among_the_remains_of_a_dead_run_only_the_link_goes(place: str, tmp_path: Path, victim: Path) -> None:
    for clean in (take, publish):
        root = tmp_path / clean.__name__
        link = root / "_exports" / place
        link.parent.mkdir(parents=True)
        link.symlink_to(victim)
        clean(root)
        assert not list(root.rglob(".run-*"))


REMOVES = (
    Removal(EXPORT, f"x/link/sub/{EXPORT}"),
    Removal(EXPORT, f"x/link/{EXPORT}"),
)


@pytest.mark.parametrize("removal", REMOVES, ids=lambda removal: removal.folder)
def test_an_intent_removes_nothing_through_a_link(removal: Removal, tmp_path: Path, victim: Path) -> None:
    root = tmp_path / "dest"
    (root / "x").mkdir(parents=True)
    (root / "x" / "link").symlink_to(victim)
    write_intent(root, remove=(removal,))
    with pytest.raises(StorageError, match="symbolic link"):
        take(root)
    with pytest.raises(StorageError, match="symbolic link"):
        publish(tmp_path / "dest", remove=(removal,))


@pytest.mark.parametrize("place", [f"_exports/{RUN}/parts", f"_exports/{RUN}", "dt=2023-11-27"])
def test_an_intent_places_nothing_through_a_link(place: str, tmp_path: Path, victim: Path) -> None:
    root = tmp_path / "dest"
    write_intent(root)
    link = root / place
    if link.exists():
        link.rename(tmp_path / "moved")
    link.symlink_to(victim)
    with pytest.raises(StorageError):
        take(root)
    assert not (root / record_path(EXPORT)).exists()


def test_a_pending_part_that_is_a_link_is_not_published(tmp_path: Path, victim: Path) -> None:
    root = tmp_path / "dest"
    write_intent(root)
    pending = root / "_exports" / RUN / "parts" / PART.receipt
    pending.unlink()
    (tmp_path / "other").write_bytes(b"abc")
    pending.symlink_to(tmp_path / "other")
    with pytest.raises(StorageError, match="is missing"):
        take(root)
    assert not (root / record_path(EXPORT)).exists()


@pytest.mark.parametrize("receipt", ["../../../../victim/file", "/etc/passwd", "..", ""])
def test_an_intent_takes_no_file_from_elsewhere_as_a_part(receipt: str, tmp_path: Path, victim: Path) -> None:
    root = tmp_path / "dest"
    write_intent(root)
    members = json.loads((root / INTENT).read_bytes())
    members["parts"][0]["receipt"] = receipt
    (root / INTENT).write_text(json.dumps(members))
    with pytest.raises(StorageError, match="not the name of a file"):
        take(root)


def test_the_folder_in_which_a_run_writes_can_not_be_replaced_by_a_link_while_it_does(
    tmp_path: Path, victim: Path
) -> None:
    root = tmp_path / "dest"
    with LocalDestination(str(root)).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        [parts] = root.glob("_exports/.run-*/parts")
        parts.rename(parts.with_name("moved"))
        parts.symlink_to(victim)
        with pytest.raises(StorageError, match="symbolic link"):
            staging.open_part("0.parquet")
        with pytest.raises(StorageError, match="symbolic link"):
            staging.commit(b"{}", [])
    assert not list(root.rglob("*.pending"))


LOOKS: dict[str, Callable[[LocalDestination], object]] = {
    "read": lambda dest: dest.read(record_path(EXPORT)),
    "names": lambda dest: dest.names("_exports"),
    "sizes": lambda dest: dest.sizes("_exports"),
    "size": lambda dest: dest.size(record_path(EXPORT)),
    "leftovers": LocalDestination.leftovers,
    "check_parts": lambda dest: dest.check_parts([f"_exports/{EXPORT}/0.parquet"]),
}


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_is_read_through_a_link(look: str, tmp_path: Path, victim: Path) -> None:
    (tmp_path / "dest").mkdir()
    (tmp_path / "dest" / "_exports").symlink_to(victim)
    with pytest.raises(StorageError, match="symbolic link") as refused:
        LOOKS[look](LocalDestination(str(tmp_path / "dest")))
    assert refused.value.where == f"{tmp_path}/dest/_exports"


@pytest.mark.parametrize("name", [record_path(EXPORT), INTENT])
def test_a_record_or_intent_that_is_a_link_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "dest" / "_exports").mkdir(parents=True)
    (tmp_path / "elsewhere.json").write_bytes(b"{}")
    (tmp_path / "dest" / name).symlink_to(tmp_path / "elsewhere.json")
    destination = LocalDestination(str(tmp_path / "dest"))
    with pytest.raises(StorageError, match="symbolic link"):
        destination.read(name)
    if name == INTENT:
        with pytest.raises(StorageError, match="symbolic link"), destination.lease():
            pass


def test_a_part_that_is_a_link_is_not_there(tmp_path: Path) -> None:
    publish(tmp_path)
    part = tmp_path / FOLDER / "0.parquet"
    part.rename(tmp_path / "moved")
    part.symlink_to(tmp_path / "moved")
    destination = LocalDestination(str(tmp_path))
    assert destination.size(f"{FOLDER}/0.parquet") is None
    assert destination.sizes(FOLDER) == {}
    with pytest.raises(StorageError, match="symbolic link"):
        destination.check_parts([f"{FOLDER}/0.parquet"])


def test_a_pipe_in_the_place_of_a_part_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(StorageError, match="not a file"):
        LocalDestination(str(tmp_path)).check_parts(["a"])
    LocalDestination(str(tmp_path)).check_parts(["b", "c/d"])


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", [record_path(EXPORT), INTENT, "_exports/lease"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_not_a_file_is_refused_and_not_waited_for(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The whole path may be too long for a socket.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "_exports").mkdir()
    if kind == "pipe":
        os.mkfifo(tmp_path / name)
    elif kind == "device":
        (tmp_path / name).symlink_to("/dev/zero")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
    destination = LocalDestination(str(tmp_path))
    with at_most(5):
        if name.endswith("lease"):
            with pytest.raises(StorageError):
                take(tmp_path)
        else:
            with pytest.raises(StorageError):
                destination.read(name)
        if name != record_path(EXPORT):
            with pytest.raises(StorageError):
                destination.leftovers()


def test_a_file_is_read_up_to_the_bytes_that_it_can_have(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert ContainedFiles(str(tmp_path)).read("a", 3) == b"abc"
    with pytest.raises(StorageError, match="longer than the 2 bytes"):
        ContainedFiles(str(tmp_path)).read("a", 2)


def test_the_systems_refusals_name_the_whole_place(tmp_path: Path) -> None:
    files = ContainedFiles(str(tmp_path))
    for act in (files.names, files.make_folder, files.remove_folder, files.create, files.sync):
        with pytest.raises(FileNotFoundError) as refused:
            act("a/b")
        assert str(refused.value.filename).startswith(f"{tmp_path}/a")


def test_an_error_of_a_rename_names_the_path_that_it_is_about(tmp_path: Path) -> None:
    files = ContainedFiles(str(tmp_path))
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "full" / "inner").mkdir(parents=True)
    for old, new, culprit in (
        ("file", "full", "full"),
        ("folder", "full", "full"),
        ("folder", "file", "file"),
        ("missing", "new", "missing"),
    ):
        with pytest.raises(OSError) as refused:
            files.rename(old, new)
        assert refused.value.filename == f"{tmp_path}/{culprit}"
