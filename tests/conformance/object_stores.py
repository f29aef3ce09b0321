"""Rules for object stores: the semantics that the protocols of lease, parts and commit rely on."""

from __future__ import annotations

import base64
import pickle
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from converter.errors import ConvertError
from converter.object_store import ConditionFailedError, ListedObject, ObjectStore, Piece

LEAST_PIECE = 5 << 20


def upload_piece(store: ObjectStore, path: str, upload_id: str, number: int, data: bytes) -> Piece:
    crc32 = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    return store.upload_piece(path, upload_id, number, data, crc32)


class ObjectStoreSuite(ABC):
    """Rules for object stores."""

    @abstractmethod
    def open_store(self) -> ObjectStore:
        """The same store each time, empty at first, with a prefix."""

    def put(self, objects: Mapping[str, bytes]) -> ObjectStore:
        store = self.open_store()
        for path, content in objects.items():
            store.put(path, content)
        return store

    def test_an_object_is_read_as_it_was_written_with_its_facts(self) -> None:
        store = self.put({"a/x": b"abc", "empty": b""})
        found = store.get("a/x")
        assert found is not None
        assert found.content == b"abc"
        assert (found.info.size, found.info.metadata) == (3, {})
        assert 0 <= found.info.age < 30
        head = store.head("a/x")
        assert head is not None
        assert (head.size, head.etag, head.written) == (3, found.info.etag, found.info.written)
        with store.open("a/x") as reader:
            assert (reader.read(2), reader.read(5), reader.read(5)) == (b"ab", b"c", b"")
        empty = store.get("empty")
        assert empty is not None
        assert empty.content == b""

    def test_a_missing_object_is_none_or_a_file_not_found_error(self) -> None:
        store = self.put({"a/x": b"abc"})
        for path in ("a", "a/y", "a/x/y"):
            assert store.get(path) is None
            assert store.head(path) is None
            with pytest.raises(FileNotFoundError, match=path):
                store.open(path)
            store.delete(path)
        assert store.get("a/x") is not None

    def test_equal_bytes_have_equal_etags_and_an_etag_is_a_condition_of_reading(self) -> None:
        store = self.open_store()
        etag = store.put("x", b"first")
        assert store.put("x", b"first") == etag
        store.open("x", etag=etag).close()
        assert store.put("x", b"other") != etag
        with pytest.raises(ConditionFailedError):
            store.open("x", etag=etag)

    def test_only_one_of_several_writers_creates_an_object(self) -> None:
        store = self.open_store()

        def write(number: int) -> bool:
            try:
                store.put_if_absent("x", b"%d" % number)
            except ConditionFailedError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            wins = list(pool.map(write, range(8)))
        assert sum(wins) == 1
        found = store.get("x")
        assert found is not None
        assert found.content == b"%d" % wins.index(True)

    def test_an_object_is_replaced_only_if_it_has_the_etag(self) -> None:
        store = self.open_store()
        first = store.put("x", b"first")
        second = store.put_if_match("x", b"second", first)
        for path in ("x", "missing"):
            with pytest.raises(ConditionFailedError):
                store.put_if_match(path, b"third", first)
        head = store.head("x")
        assert head is not None
        assert head.etag == second
        assert store.head("missing") is None

    def test_objects_are_listed_in_the_order_of_their_bytes_over_all_pages(self) -> None:
        paths = ["a/0", "a/1", "a/B", "a/b/c", "a/é", "a/\U00010000", "b"]
        store = self.put({path: path.encode() for path in reversed(paths)})
        assert list(store.list_objects("")) == [ListedObject(path, len(path.encode())) for path in paths]
        assert [found.path for found in store.list_objects("a/")] == paths[:-1]
        assert list(store.list_objects("c")) == []

    def test_names_are_listed_as_they_were_written(self) -> None:
        names = [" x ", "a b", "a+b", "100%", "%41", "%2B", "a&b<c>\"d'", "]]>", "=?*#", "\x7f", "\u2028é"]
        store = self.put({f"{name}/{name}": b"" for name in names})
        assert {found.path for found in store.list_objects("")} == {f"{name}/{name}" for name in names}
        assert set(store.list_folder("").folders) == set(names)
        for name in names:
            assert set(store.list_folder(name).sizes) == {name}

    def test_a_folder_has_the_objects_and_folders_directly_below(self) -> None:
        store = self.put({"a/x": b"abc", "a/y/z": b"", "a/y/v/w": b"", "a/": b"", "ab": b"1"})
        listing = store.list_folder("a")
        assert (listing.folders, listing.sizes) == (("y",), {"x": 3})
        root = store.list_folder("")
        assert (root.folders, root.sizes) == (("a",), {"ab": 1})
        nothing = store.list_folder("missing")
        assert (nothing.folders, nothing.sizes) == ((), {})

    def test_a_prefix_hides_what_is_beside_it(self) -> None:
        store = self.put({"x": b"abc"})
        outer = store.at_prefix("")
        assert [found.path for found in outer.list_objects("")] == [f"{store.prefix}/x"]
        beside = store.at_prefix(f"{store.prefix}-2")
        assert list(beside.list_objects("")) == []
        assert beside.get("x") is None
        assert outer.place(f"{store.prefix}/x") == store.place("x")

    def test_an_upload_is_invisible_until_it_is_completed(self) -> None:
        store = self.open_store()
        pieces = [b"a" * LEAST_PIECE, b"end"]
        upload_id = store.create_upload("a/x", {"ddb-convert-run": "run"})
        # In any order, as threads send them.
        second = upload_piece(store, "a/x", upload_id, 2, pieces[1])
        first = upload_piece(store, "a/x", upload_id, 1, pieces[0])
        assert store.get("a/x") is None
        assert list(store.list_objects("")) == []
        [listed] = store.list_uploads("a/")
        assert (listed.path, listed.upload_id) == ("a/x", upload_id)
        store.complete_upload("a/x", upload_id, [first, second], LEAST_PIECE + 3)
        found = store.get("a/x")
        assert found is not None
        assert found.content == b"".join(pieces)
        assert found.info.metadata == {"ddb-convert-run": "run"}
        assert list(store.list_uploads("")) == []

    def test_an_upload_can_be_empty(self) -> None:
        store = self.open_store()
        upload_id = store.create_upload("x", {})
        store.complete_upload("x", upload_id, [upload_piece(store, "x", upload_id, 1, b"")], 0)
        head = store.head("x")
        assert head is not None
        assert head.size == 0

    def test_an_upload_that_was_aborted_is_gone(self) -> None:
        store = self.open_store()
        upload_id = store.create_upload("x", {})
        piece = upload_piece(store, "x", upload_id, 1, b"abc")
        store.abort_upload("x", upload_id)
        store.abort_upload("x", upload_id)
        assert list(store.list_uploads("")) == []
        with pytest.raises(FileNotFoundError):
            upload_piece(store, "x", upload_id, 2, b"abc")
        with pytest.raises(FileNotFoundError):
            store.complete_upload("x", upload_id, [piece], 3)
        assert store.get("x") is None

    def test_several_uploads_of_one_path_are_told_apart(self) -> None:
        store = self.open_store()
        ids = [store.create_upload(path, {}) for path in ("x", "x", "y", "y", "z")]
        assert sorted(found.upload_id for found in store.list_uploads("")) == sorted(ids)
        assert [found.path for found in store.list_uploads("")] == ["x", "x", "y", "y", "z"]
        store.abort_upload("x", ids[0])
        assert [found.upload_id for found in store.list_uploads("x")] == [ids[1]]
        for path, upload_id in zip("xyyz", ids[1:], strict=True):
            store.abort_upload(path, upload_id)

    def test_pieces_that_were_not_sent_complete_nothing(self) -> None:
        store = self.open_store()
        upload_id = store.create_upload("x", {})
        upload_piece(store, "x", upload_id, 1, b"abc")
        with pytest.raises(ConvertError):
            store.complete_upload("x", upload_id, [Piece('"no such piece"', "NSRBwg==")], 3)
        assert store.get("x") is None
        store.abort_upload("x", upload_id)

    def test_it_survives_pickling(self) -> None:
        store = self.put({"x": b"abc"})
        found = pickle.loads(pickle.dumps(store)).get("x")
        assert found.content == b"abc"
