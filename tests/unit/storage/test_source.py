"""Local sources where the file system has more to say than the conformance suite: links, refusals, missing roots."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from converter.errors import ExportError, StorageError, UsageError
from converter.storage import open_destination, open_source
from converter.storage.local import LocalSource
from tests.unit.storage.unprivileged import unprivileged


def test_a_link_may_lead_elsewhere_inside_the_root(tmp_path: Path) -> None:
    (tmp_path / "e" / "data").mkdir(parents=True)
    (tmp_path / "e" / "data" / "x").write_bytes(b"abc")
    (tmp_path / "e" / "y").symlink_to("data/x")
    (tmp_path / "linked").symlink_to(tmp_path / "e")
    source = LocalSource(str(tmp_path))
    assert source.read("e/y") == b"abc"
    assert source.size("linked/y") == 3
    assert source.folders("") == ["e", "linked"]
    assert source.sizes("linked/data") == {"x": 3}
    assert source.sizes("e") == {}


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_out_of_the_root_is_refused_by_name(tmp_path: Path, absolute: bool) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x").write_bytes(b"abc")
    # A sibling whose name begins like the root's is outside too.
    root = tmp_path / "sec"
    root.mkdir()
    target = tmp_path / "secret" if absolute else Path("../secret")
    (root / "data").symlink_to(target)
    (root / "x").symlink_to(target / "x")
    source = LocalSource(str(root))
    for path in ("x", "data/x"):
        for act in (source.open, source.size, source.read):
            with pytest.raises(ExportError, match="symbolic link leads out") as caught:
                act(path)
            assert caught.value.where == f"{root}/{path}"
    assert source.folders("") == []
    assert source.sizes("") == {}


def test_the_root_may_be_a_link_itself(tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "x").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("e")
    source = LocalSource(f"{tmp_path}/link/")
    assert source.read("x") == b"abc"
    assert source.child("x") == f"{tmp_path}/link/x"


def test_a_link_to_itself_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("x")
    with pytest.raises(StorageError, match="symbolic links"):
        LocalSource(str(tmp_path)).size("x")


def test_folders_with_odd_names_do_no_harm(tmp_path: Path) -> None:
    odd = os.fsdecode(b"a\nb\xff")
    (tmp_path / odd).mkdir()
    source = LocalSource(str(tmp_path))
    assert source.folders("") == [odd]
    assert source.size(f"{odd}/manifest-summary.json") is None


def test_the_file_systems_own_root_can_be_read() -> None:
    source = LocalSource("/")
    assert source.size(Path(__file__).as_posix().lstrip("/")) == Path(__file__).stat().st_size
    assert source.child("a/b") == "/a/b"


def test_only_regular_files_have_a_size(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        assert LocalSource(str(tmp_path)).size("s") is None


@pytest.mark.parametrize("name", ["missing", "file", "file/below"])
def test_a_root_that_is_no_folder_is_an_export_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ExportError, match="folder") as caught:
        LocalSource(str(tmp_path / name))
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.exit_code == 3


def test_what_the_user_may_not_read_is_a_storage_error() -> None:
    with unprivileged() as folder:
        (folder / "x").write_bytes(b"abc")
        (folder / "x").chmod(0)
        (folder / "closed").mkdir()
        (folder / "closed").chmod(0)
        source = LocalSource(str(folder))
        assert source.size("x") == 3
        with pytest.raises(StorageError, match="permission denied"):
            source.open("x")
        with pytest.raises(StorageError, match="permission denied"):
            source.size("closed/x")
        with pytest.raises(StorageError, match="permission denied") as caught:
            source.folders("closed")
        assert caught.value.exit_code == 5
        assert str(folder / "closed") in str(caught.value)
        with pytest.raises(StorageError, match="permission denied"):
            LocalSource(str(folder / "closed" / "root"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [("https://example.org/x", "copy it"), ("s3a://bucket/x", "s3://bucket/x"), ("S3://b/x", "s3://b/x")],
)
def test_other_places_are_said_not_to_be_supported(text: str, hint: str) -> None:
    for act in (open_source, open_destination):
        with pytest.raises(UsageError, match="only folders and places in S3") as caught:
            act(text)
        assert caught.value.where == text
        assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["s3://", "s3:///x"])
def test_a_place_in_s3_has_a_bucket(text: str) -> None:
    for act in (open_source, open_destination):
        with pytest.raises(UsageError, match="not a location in S3"):
            act(text)


def test_a_folder_opens_as_a_local_source(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert open_source(str(tmp_path)).read("x") == b"abc"


@pytest.mark.parametrize("text", ["a\0b", "\0", "s3://bucket/a\0b/", "s3://b\0cket/"])
def test_a_place_with_a_nul_character_is_a_mistake_of_usage(text: str) -> None:
    for act in (open_source, open_destination):
        with pytest.raises(UsageError, match="NUL") as caught:
            act(text)
        assert "\0" not in str(caught.value)
