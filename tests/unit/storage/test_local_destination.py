"""Local destinations where the file system has more to say than the conformance suite: refusals, things in the way."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from converter.errors import StorageError, UsageError
from converter.storage import open_destination
from converter.storage.contained_files import ContainedFiles
from converter.storage.intent import PendingPart, Removal
from converter.storage.local import LocalDestination
from converter.storage.paths import INTENT, record_path
from tests.unit.storage.unprivileged import unprivileged

EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=2023-11-27/{EXPORT}"


def publish(root: Path, *, folder: str = FOLDER, remove: tuple[Removal, ...] = (), content: bytes = b"new") -> None:
    with LocalDestination(str(root)).lease() as lease:
        staging = lease.begin(EXPORT, folder)
        sink = staging.open_part("0.parquet")
        sink.write(content)
        staging.commit(b"{}", [sink.finish()], remove)


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}


def test_folders_that_a_failed_run_made_go_with_it(tmp_path: Path) -> None:
    with LocalDestination(f"{tmp_path}/a/b/").lease() as lease:
        lease.begin(EXPORT, FOLDER).open_part("0.parquet").write(b"abc")
        assert (tmp_path / "a" / "b" / "_exports" / "lease").is_file()
    assert not list(tmp_path.iterdir())


def test_folders_that_were_there_stay(tmp_path: Path) -> None:
    (tmp_path / "a" / "_exports").mkdir(parents=True)
    (tmp_path / "a" / "mine").write_bytes(b"")
    with LocalDestination(str(tmp_path / "a")).lease():
        pass
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["_exports", "mine"]


def test_a_destination_can_be_named_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    publish(Path("out"))
    publish(Path())
    assert (tmp_path / "out" / FOLDER / "0.parquet").read_bytes() == b"new"
    assert (tmp_path / FOLDER / "0.parquet").read_bytes() == b"new"


def test_pending_parts_are_hidden_and_do_not_end_like_parts(tmp_path: Path) -> None:
    with LocalDestination(str(tmp_path)).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        staging.open_part("0.parquet").finish()
        staging.open_part("0.parquet").finish()
        pending = files(tmp_path) - {"_exports/lease"}
        assert len(pending) == 2
        assert all(f"_exports/.run-{EXPORT}-" in name and name.endswith(".pending") for name in pending)


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_a_destination_that_is_no_folder_is_a_usage_error(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "dest"
    if kind == "file":
        place.write_bytes(b"")
    else:
        place.symlink_to("nowhere")
    with pytest.raises(UsageError, match="not a folder"):
        open_destination(str(place))


def test_a_destination_needs_a_name() -> None:
    with pytest.raises(UsageError, match="no name"):
        open_destination("")


def test_a_file_where_a_folder_must_be_is_found_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "dt=2023-11-27").write_bytes(b"mine")
    with LocalDestination(str(tmp_path)).lease() as lease, pytest.raises(StorageError, match="not a folder") as caught:
        lease.begin(EXPORT, FOLDER)
    assert caught.value.where == f"{tmp_path}/dt=2023-11-27"
    assert files(tmp_path) == {"dt=2023-11-27"}


def test_a_file_that_gets_in_the_way_during_the_run_stops_it_before_the_intent(tmp_path: Path) -> None:
    with LocalDestination(str(tmp_path)).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        part = staging.open_part("0.parquet").finish()
        (tmp_path / "dt=2023-11-27").write_bytes(b"mine")
        with pytest.raises(StorageError, match="not a folder"):
            staging.commit(b"{}", [part])
    assert files(tmp_path) == {"dt=2023-11-27"}


def test_a_link_in_the_place_of_the_exports_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dest" / "dt=2023-11-27").mkdir(parents=True)
    (tmp_path / "dest" / FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="put there"):
        publish(tmp_path / "dest")
    publish(tmp_path / "dest", remove=(Removal(EXPORT, FOLDER),))
    assert (tmp_path / "dest" / FOLDER / "0.parquet").read_bytes() == b"new"
    assert not (tmp_path / "dest" / FOLDER).is_symlink()
    assert (tmp_path / "elsewhere").is_dir()


def test_an_empty_folder_in_the_place_of_the_exports_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    publish(tmp_path)
    assert (tmp_path / FOLDER / "0.parquet").read_bytes() == b"new"


def test_a_destination_on_two_file_systems_is_refused_before_the_intent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dt=2023-11-27").mkdir()
    plainly = os.fstat

    def elsewhere(descriptor: int) -> os.stat_result:
        found = plainly(descriptor)
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("/dt=2023-11-27"):
            return os.stat_result((*found[:2], found.st_dev + 1, *found[3:]))
        return found

    with LocalDestination(str(tmp_path)).lease() as lease:
        monkeypatch.setattr(os, "fstat", elsewhere)
        with pytest.raises(StorageError, match="several file systems"):
            lease.begin(EXPORT, FOLDER)
        monkeypatch.undo()


def test_folders_that_a_replacement_empties_go_too(tmp_path: Path) -> None:
    old = f"year=2023/dt=2023-11-27/{EXPORT}"
    publish(tmp_path, folder=old, content=b"old")
    publish(tmp_path, remove=(Removal(EXPORT, old),))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_exports", "dt=2023-11-27"]


def test_folders_that_hold_something_else_stay_after_a_replacement(tmp_path: Path) -> None:
    old = f"year=2023/dt=2023-11-27/{EXPORT}"
    publish(tmp_path, folder=old)
    (tmp_path / "year=2023" / "mine").write_bytes(b"")
    publish(tmp_path, remove=(Removal(EXPORT, old),))
    assert [path.name for path in (tmp_path / "year=2023").iterdir()] == ["mine"]


def test_a_pending_part_that_someone_cut_is_not_published(tmp_path: Path) -> None:
    with LocalDestination(str(tmp_path)).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        sink = staging.open_part("0.parquet")
        sink.write(b"abc")
        part = sink.finish()
        next(tmp_path.rglob("*.pending")).write_bytes(b"a")
        with pytest.raises(StorageError, match="has 1 bytes, but 3 were written"):
            staging.commit(b"{}", [part])
    assert files(tmp_path) == set()


def test_a_part_of_another_run_is_not_published(tmp_path: Path) -> None:
    with LocalDestination(str(tmp_path)).lease() as lease, pytest.raises(StorageError, match="is gone"):
        lease.begin(EXPORT, FOLDER).commit(b"{}", [PendingPart("0.parquet", 0, "", "0.parquet.pending")])


def test_a_run_that_may_not_write_leaves_nothing_and_says_where() -> None:
    with unprivileged() as folder:
        folder.chmod(0o500)
        with pytest.raises(StorageError, match="permission denied") as caught:
            publish(folder / "dest")
        assert caught.value.where == f"{folder}/dest"
        assert caught.value.exit_code == 5
        assert not list(folder.iterdir())


def test_a_destination_that_is_closed_to_the_user_is_a_storage_error() -> None:
    with unprivileged() as folder:
        destination = LocalDestination(str(folder))
        (folder / "_exports").mkdir()
        (folder / "_exports" / "x.json").write_bytes(b"{}")
        (folder / "_exports" / "x.json").chmod(0)
        with pytest.raises(StorageError, match="permission denied"):
            destination.read("_exports/x.json")
        (folder / "_exports").chmod(0)
        for act in (destination.read, destination.size, destination.names):
            with pytest.raises(StorageError, match="permission denied"):
                act("_exports/x.json")
        with pytest.raises(StorageError, match="permission denied"):
            publish(folder)


TOO_LARGE = """
import resource, signal, sys
from converter.errors import StorageError
from converter.storage.local import LocalDestination
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with LocalDestination(sys.argv[1]).lease() as lease:
        sink = lease.begin("e", "dt=1/e").open_part("0.parquet")
        for _ in range(64):
            sink.write(bytes(1 << 16))
        sink.finish()
except StorageError as error:
    print(type(error).__name__, error.where)
"""


@pytest.mark.parametrize("limit", [100_000, 3 << 20])
def test_a_run_whose_writes_the_system_refuses_leaves_nothing(tmp_path: Path, limit: int) -> None:
    command = [sys.executable, "-W", "error", "-c", TOO_LARGE, str(tmp_path / "dest"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"StorageError {tmp_path}/dest/_exports/.run-e-")
    assert done.stdout.endswith("/parts/0.parquet.pending\n")
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())


def test_a_commit_that_the_system_refuses_half_way_is_finished_by_the_next_run(tmp_path: Path) -> None:
    obstacle = tmp_path / record_path("other")
    (obstacle / "mine").mkdir(parents=True)
    with pytest.raises(StorageError, match="the next run here finishes it first"):
        publish(tmp_path, remove=(Removal("other", ""),))
    assert record_path(EXPORT) not in files(tmp_path)
    (obstacle / "mine").rmdir()
    obstacle.rmdir()
    with LocalDestination(str(tmp_path)).lease() as lease:
        assert len(lease.warnings) == 1
    assert files(tmp_path) == {f"{FOLDER}/0.parquet", record_path(EXPORT)}


@pytest.mark.parametrize("fails", ["sync", "remove"])
def test_what_fails_when_all_is_published_is_a_warning(
    fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plainly = {"sync": ContainedFiles.sync, "remove": ContainedFiles.remove_file}[fails]

    def refuse(files: ContainedFiles, path: str) -> None:
        begun = not (tmp_path / record_path(EXPORT)).exists()
        if begun or (fails == "remove" and path != INTENT) or (fails == "sync" and (tmp_path / INTENT).exists()):
            return plainly(files, path)
        raise OSError(errno.EIO, os.strerror(errno.EIO), files.place(path))

    monkeypatch.setattr(ContainedFiles, "sync" if fails == "sync" else "remove_file", refuse)
    with LocalDestination(str(tmp_path)).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        sink = staging.open_part("0.parquet")
        sink.write(b"new")
        staging.commit(b"{}", [sink.finish()])
        [warning] = lease.warnings
    assert warning.startswith(f"export {EXPORT} is published; the next run ends its commit: ")
    assert "Input/output error" in warning
    monkeypatch.undo()
    assert (tmp_path / INTENT).exists() == (fails == "remove")
    with LocalDestination(str(tmp_path)).lease() as lease:
        assert len(lease.warnings) == (fails == "remove")
    assert files(tmp_path) == {f"{FOLDER}/0.parquet", record_path(EXPORT)}


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        (b"{", StorageError, "damaged"),
        (b"[]", StorageError, "damaged"),
        (b'{"version": 1}', StorageError, r"\$\.exportId: missing"),
        (b'{"version": 3}', UsageError, "newer"),
        (
            b'{"version":2,"exportId":"a","run":"../..","folders":["a"],"record":"","parts":[],"remove":[]}',
            StorageError,
            "not the name",
        ),
        (
            b'{"version":2,"exportId":"a","run":".run-a-b","folders":["../a"],"record":"","parts":[],"remove":[]}',
            StorageError,
            "not folders of export a",
        ),
        (
            b'{"version":2,"exportId":"a","run":".run-a-b","folders":["a","../a"],"record":"","parts":[],"remove":[]}',
            StorageError,
            "not folders of export a",
        ),
        (
            b'{"version":2,"exportId":"a","run":".run-a-b","folders":["a"],"record":"","remove":[],"parts":'
            b'[{"name":"0","bytes":1,"sha256":"%b","receipt":"0.pending","folder":1}]}' % (b"ab" * 32),
            StorageError,
            "a part has no folder",
        ),
    ],
)
def test_an_intent_that_cannot_be_read_stops_the_next_run_by_name(
    tmp_path: Path, content: bytes, error: type[Exception], text: str
) -> None:
    (tmp_path / "_exports").mkdir()
    (tmp_path / INTENT).write_bytes(content)
    with pytest.raises(error, match=text) as caught, LocalDestination(str(tmp_path)).lease():
        pass
    assert str(tmp_path / INTENT) in str(caught.value)
    assert files(tmp_path) == {INTENT}
