"""What every store must do: one suite for sources, one for destinations; the tests of a store subclass them."""

from __future__ import annotations

import hashlib
import os
import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from converter.errors import BusyError, ExportError, StorageError
from converter.storage.destination import Destination, Staging
from converter.storage.intent import PendingPart, Removal
from converter.storage.paths import record_path
from converter.storage.source import Source

EXPORT = "01701065507109-cce6a3f8"
OTHER = "01701065507110-aaaaaaaa"
FOLDER = f"dt=2023-11-27/{EXPORT}"
OTHER_FOLDER = f"dt=2023-11-27/{OTHER}"
LEAVING = ("../secret", "a/../../secret", "..", "/etc/hostname", "a/\0")


class SourceSuite(ABC):
    """Rules for sources."""

    @abstractmethod
    def make_source(self, files: Mapping[str, bytes]) -> Source:
        """A source that holds these files."""

    def test_a_file_reads_as_its_bytes(self) -> None:
        source = self.make_source({"e/data/x.gz": b"abc\n\x00", "y": b""})
        with source.open("e/data/x.gz") as file:
            assert file.read(2) == b"ab"
            assert file.read(10) == b"c\n\x00"
            assert file.read(10) == b""
        assert source.read("e/data/x.gz") == b"abc\n\x00"
        assert source.read("y") == b""

    def test_size_is_of_files_alone(self) -> None:
        source = self.make_source({"e/x": b"abc", "e/empty": b""})
        assert source.size("e/x") == 3
        assert source.size("e/empty") == 0
        assert [source.size(path) for path in ("e", "", "e/y", "e/x/y", "z/z")] == [None] * 5

    def test_a_missing_file_is_a_file_not_found_error(self) -> None:
        source = self.make_source({"e/x": b"abc"})
        for path in ("e/y", "z/x", "e/x/y"):
            with pytest.raises(FileNotFoundError, match=path):
                source.open(path)
            with pytest.raises(FileNotFoundError, match=path):
                source.read(path)

    def test_a_small_file_is_found_at_once_or_not_at_all(self) -> None:
        source = self.make_source({"e/x": b"abc", "e/empty": b""})
        assert source.find("e/x") == b"abc"
        assert source.find("e/empty") == b""
        assert [source.find(path) for path in ("e", "e/y", "e/x/y", "z/z")] == [None] * 4
        assert source.is_there()

    def test_folders_are_the_names_directly_below_sorted(self) -> None:
        source = self.make_source({"b/x": b"", "a/c/x": b"", "file": b"", "a/d/e/x": b""})
        assert source.folders("") == ["a", "b"]
        assert source.folders("a") == ["c", "d"]
        assert source.folders("b") == []
        assert source.folders("missing") == []
        assert source.folders("file") == []

    def test_sizes_are_of_the_files_directly_below(self) -> None:
        source = self.make_source({"d/x": b"abc", "d/empty": b"", "d/e/deeper": b"abcd", "file": b"12"})
        assert source.sizes("d") == {"x": 3, "empty": 0}
        assert source.sizes("") == {"file": 2}
        assert source.sizes("missing") == source.sizes("file") == {}

    def test_a_place_below_the_root_is_called_by_root_and_path(self) -> None:
        source = self.make_source({"e/x": b""})
        assert source.child("e/x") == f"{source.root}/e/x"
        assert source.child("") == source.root

    @pytest.mark.parametrize("path", LEAVING)
    def test_no_path_leaves_the_root(self, path: str) -> None:
        source = self.make_source({"a/x": b""})
        for act in (source.open, source.size, source.read, source.find, source.sizes, source.folders):
            with pytest.raises(ExportError, match="leads out") as caught:
                act(path)
            assert path in caught.value.where

    def test_it_survives_pickling(self) -> None:
        source = self.make_source({"x": b"abc"})
        assert pickle.loads(pickle.dumps(source)).read("x") == b"abc"


def write_part(staging: Staging, name: str, *pieces: bytes) -> PendingPart:
    sink = staging.open_part(name)
    for piece in pieces:
        sink.write(piece)
    return sink.finish()


def publish(
    destination: Destination,
    folder: str,
    contents: Mapping[str, bytes],
    record: bytes = b"{}",
    remove: Iterable[Removal] = (),
) -> None:
    export_id = folder.rpartition("/")[2]
    with destination.lease() as lease:
        staging = lease.begin(export_id, folder)
        parts = [write_part(staging, name, content) for name, content in contents.items()]
        staging.commit(record, parts, list(remove))


def fail_while_writing(destination: Destination) -> None:
    with destination.lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        write_part(staging, "0.parquet", b"abc")
        staging.open_part("1.parquet").write(b"abc")
        raise ZeroDivisionError


def take(destination: Destination) -> None:
    """Takes the lease and lets go of it."""
    with destination.lease():
        pass


class DestinationSuite(ABC):
    """Rules for destinations."""

    @abstractmethod
    def open_destination(self) -> Destination:
        """The same destination each time, empty at first."""

    @abstractmethod
    def listing(self) -> dict[str, bytes]:
        """Everything that a reader could find there, hidden or not."""

    def test_a_commit_publishes_the_parts_and_the_record_and_nothing_else(self) -> None:
        destination = self.open_destination()
        publish(destination, FOLDER, {"0.parquet": b"abc", "1.parquet": b""}, b'{"version": 1}')
        assert self.listing() == {
            f"{FOLDER}/0.parquet": b"abc",
            f"{FOLDER}/1.parquet": b"",
            record_path(EXPORT): b'{"version": 1}',
        }

    def test_a_pending_part_has_the_size_and_hash_of_its_bytes(self) -> None:
        pieces = [b"abc", b"", bytes(3 << 20), b"end"]
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            sink = staging.open_part("0.parquet")
            assert [sink.write(memoryview(piece)) for piece in pieces] == [len(piece) for piece in pieces]
            size = sum(map(len, pieces))
            assert sink.bytes == size
            part = sink.finish()
            assert (part.name, part.bytes) == ("0.parquet", size)
            assert part.sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()
            assert pickle.loads(pickle.dumps(part)) == part
            staging.commit(b"{}", [part])
        assert self.listing()[f"{FOLDER}/0.parquet"] == b"".join(pieces)

    def test_no_part_can_be_read_before_the_commit(self) -> None:
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            open_one = staging.open_part("0.parquet")
            open_one.write(bytes(3 << 20))
            part = write_part(staging, "1.parquet", b"abc")
            assert not [path for path in self.listing() if path.endswith((".parquet", ".json"))]
            open_one.abort()
            staging.commit(b"{}", [part])

    def test_what_is_not_committed_vanishes(self) -> None:
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            write_part(staging, "0.parquet", b"abc")
            staging.open_part("1.parquet").write(b"abc")
        assert self.listing() == {}

    def test_an_error_leaves_what_was_published_before_and_nothing_else(self) -> None:
        destination = self.open_destination()
        publish(destination, OTHER_FOLDER, {"0.parquet": b"abc"})
        before = self.listing()
        with pytest.raises(ZeroDivisionError):
            fail_while_writing(destination)
        assert self.listing() == before

    def test_parts_that_the_commit_is_not_given_vanish(self) -> None:
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            stale = write_part(staging, "0.parquet", b"stale")
            again = write_part(staging, "0.parquet", b"again")
            write_part(staging, "2.parquet", b"forgotten")
            staging.open_part("3.parquet").write(b"unfinished")
            aborted = staging.open_part("4.parquet")
            aborted.abort()
            staging.discard(stale)
            staging.discard(stale)
            staging.commit(b"{}", [again])
        assert self.listing() == {f"{FOLDER}/0.parquet": b"again", record_path(EXPORT): b"{}"}

    def test_abort_after_finish_keeps_the_part(self) -> None:
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            sink = staging.open_part("0.parquet")
            part = sink.finish()
            sink.abort()
            staging.commit(b"{}", [part])
        assert f"{FOLDER}/0.parquet" in self.listing()

    def test_many_threads_write_parts_at_once(self) -> None:
        contents = {f"{number:05}.parquet": bytes([number]) * 10_000 for number in range(40)}
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            with ThreadPoolExecutor(8) as pool:
                parts = list(pool.map(lambda item: write_part(staging, item[0], item[1]), contents.items()))
            staging.commit(b"{}", parts)
        expected = {f"{FOLDER}/{name}": content for name, content in contents.items()}
        assert self.listing() == {**expected, record_path(EXPORT): b"{}"}

    def test_parts_go_to_the_folder_that_they_were_begun_for(self) -> None:
        folders = (f"csv/{FOLDER}", f"parquet/{FOLDER}")
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, *folders)
            parts = []
            for number, content in enumerate((b"first", b"second")):
                stale, sink = staging.open_part("same", number), staging.open_part("same", number)
                stale.write(b"stale")
                sink.write(content)
                staging.discard(stale.finish())
                parts.append(sink.finish())
            assert [part.folder for part in parts] == [0, 1]
            staging.commit(b"{}", parts)
        assert self.listing() == {
            f"{folders[0]}/same": b"first",
            f"{folders[1]}/same": b"second",
            record_path(EXPORT): b"{}",
        }

    def test_two_folders_that_were_not_committed_vanish(self) -> None:
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, f"csv/{FOLDER}", f"parquet/{FOLDER}")
            for folder in range(2):
                staging.open_part("0", folder).write(b"abc")
        assert self.listing() == {}

    def test_an_export_without_parts_has_only_a_record(self) -> None:
        publish(self.open_destination(), FOLDER, {}, b'{"empty": 1}')
        assert self.listing() == {record_path(EXPORT): b'{"empty": 1}'}

    def test_a_replaced_export_goes_in_the_same_commit(self) -> None:
        destination = self.open_destination()
        publish(destination, OTHER_FOLDER, {"0.parquet": b"old", "1.parquet": b"old"})
        publish(destination, FOLDER, {"0.parquet": b"new"}, b"{}", [Removal(OTHER, OTHER_FOLDER)])
        assert self.listing() == {f"{FOLDER}/0.parquet": b"new", record_path(EXPORT): b"{}"}

    def test_an_export_can_replace_itself_in_the_same_folder(self) -> None:
        destination = self.open_destination()
        publish(destination, FOLDER, {"0.parquet": b"old", "1.parquet": b"old"}, b'{"old": 1}')
        publish(destination, FOLDER, {"0.parquet": b"new"}, b'{"new": 1}', [Removal(EXPORT, FOLDER)])
        assert self.listing() == {f"{FOLDER}/0.parquet": b"new", record_path(EXPORT): b'{"new": 1}'}

    def test_an_export_can_replace_itself_in_another_folder(self) -> None:
        destination = self.open_destination()
        publish(destination, f"old/{EXPORT}", {"0.parquet": b"old"}, b'{"old": 1}')
        publish(destination, FOLDER, {"0.csv": b"new"}, b'{"new": 1}', [Removal(EXPORT, f"old/{EXPORT}")])
        assert self.listing() == {f"{FOLDER}/0.csv": b"new", record_path(EXPORT): b'{"new": 1}'}

    def test_replaced_parts_may_be_gone_already(self) -> None:
        removals = [Removal(OTHER, OTHER_FOLDER), Removal(EXPORT, FOLDER), Removal("never-there", "")]
        publish(self.open_destination(), FOLDER, {"0.parquet": b"new"}, b"{}", removals)
        assert self.listing() == {f"{FOLDER}/0.parquet": b"new", record_path(EXPORT): b"{}"}

    def test_a_commit_never_covers_what_it_was_not_told_to_remove(self) -> None:
        destination = self.open_destination()
        publish(destination, FOLDER, {"0.parquet": b"old", "9.parquet": b"old"}, b'{"old": 1}')
        before = self.listing()
        with pytest.raises(StorageError, match="put there"):
            publish(destination, FOLDER, {"0.parquet": b"new"}, b'{"new": 1}')
        assert self.listing() == before

    def test_two_parts_of_one_name_are_refused(self) -> None:
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            parts = [write_part(staging, "0.parquet", b"a"), write_part(staging, "0.parquet", b"b")]
            with pytest.raises(ValueError, match="the same name"):
                staging.commit(b"{}", parts)
        assert self.listing() == {}

    @pytest.mark.parametrize("name", ["", "..", "a/b", "../a", "a\n"])
    def test_a_part_stays_in_the_folder_of_its_export(self, name: str) -> None:
        with self.open_destination().lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            with pytest.raises(ValueError, match="name"):
                staging.open_part(name)

    @pytest.mark.parametrize("folder", [f"../{EXPORT}", f"/tmp/{EXPORT}", f"a//{EXPORT}", "dt=1", f"{EXPORT}/a", ""])
    def test_the_folder_is_inside_and_the_exports_own(self, folder: str) -> None:
        with self.open_destination().lease() as lease, pytest.raises(ValueError, match="not a folder"):
            lease.begin(EXPORT, folder)

    def test_the_second_run_at_a_destination_is_told_who_holds_it(self) -> None:
        with self.open_destination().lease(), pytest.raises(BusyError, match=f"process {os.getpid()} on "):
            take(self.open_destination())
        with self.open_destination().lease() as lease:
            assert lease.warnings == []
        assert self.listing() == {}

    def test_whether_another_run_holds_a_destination_can_be_seen_without_taking_it(self) -> None:
        self.open_destination().check_free()
        assert self.listing() == {}
        with self.open_destination().lease():
            before = self.listing()
            with pytest.raises(BusyError, match=f"process {os.getpid()} on "):
                self.open_destination().check_free()
            assert self.listing() == before
        self.open_destination().check_free()

    def test_files_are_read_by_their_path(self) -> None:
        destination = self.open_destination()
        assert (destination.read("a"), destination.size("a"), destination.names("a")) == (None, None, [])
        publish(destination, FOLDER, {"1.parquet": b"abc", "0.parquet": b""}, b'{"version": 1}')
        assert destination.read(record_path(EXPORT)) == b'{"version": 1}'
        assert destination.size(f"{FOLDER}/1.parquet") == 3
        assert destination.size(FOLDER) is None
        assert destination.names(FOLDER) == ["0.parquet", "1.parquet"]
        assert destination.names("dt=2023-11-27") == [EXPORT]
        assert destination.names("_exports") == [f"{EXPORT}.json"]
        assert destination.child(FOLDER) == f"{destination.root}/{FOLDER}"

    def test_looking_creates_nothing(self) -> None:
        destination = self.open_destination()
        destination.names("")
        destination.read("_exports/x")
        destination.size("x")
        assert self.listing() == {}

    @pytest.mark.parametrize("path", ["../a", "/etc/hostname", "a/../b", "a//b"])
    def test_no_path_leaves_the_destination(self, path: str) -> None:
        destination = self.open_destination()
        for act in (destination.read, destination.size, destination.names):
            with pytest.raises(StorageError, match="leads out"):
                act(path)
