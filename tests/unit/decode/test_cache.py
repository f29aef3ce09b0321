"""The cache of machine code: where it lies, what it depends on, and that damage or bad luck is never loaded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from converter.decode import cache

CODE = b"\x7fELF and so on"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DDB_CONVERT_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def own_cache(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    environment.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path))
    return _folder()


def _folder() -> Path:
    folder = cache.cache_folder()
    assert folder is not None
    return folder


def test_our_own_variable_comes_before_the_users_cache_and_that_before_home(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("HOME", str(tmp_path / "home"))
    assert _folder().parent == tmp_path / "home" / ".cache" / "ddb-convert"
    environment.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert _folder().parent == tmp_path / "xdg" / "ddb-convert"
    environment.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path / "own"))
    assert _folder().parent == tmp_path / "own" / "ddb-convert"


def test_a_cache_that_cannot_be_written_is_replaced_by_a_private_temporary_one(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    environment.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    environment.setattr("tempfile.tempdir", str(tmp_path))
    folder = _folder()
    assert folder.parent == tmp_path / f"ddb-convert-{os.getuid()}"
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert _folder() == folder


def test_a_temporary_cache_that_others_can_write_is_not_used(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    environment.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / f"ddb-convert-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    assert cache.cache_folder() is None
    assert cache.read_machine_code("cpu", "part") is None
    cache.keep_machine_code("cpu", "part", CODE)
    assert not list(folder.iterdir())


def test_a_user_without_a_home_gets_a_private_temporary_cache(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def no_such_user(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    environment.delenv("HOME", raising=False)
    environment.setattr("pwd.getpwuid", no_such_user)
    environment.setattr("tempfile.tempdir", str(tmp_path))
    assert _folder().parent == tmp_path / f"ddb-convert-{os.getuid()}"


def test_the_folders_name_changes_with_every_source_of_the_kernels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in Path(cache.__file__).parent.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    hashes = [cache._source_hash()]
    for path in sorted(tmp_path.glob("*.py")):
        path.write_bytes(path.read_bytes() + b"\n")
        hashes.append(cache._source_hash())
    assert len(set(hashes)) == len(hashes) > 10


@pytest.mark.parametrize("setting", ["FORM", "BOUNDS_CHECKED"])
def test_the_folders_name_changes_with_the_form_and_with_bounds_checks(
    monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    before = cache._source_hash()
    monkeypatch.setattr(cache, setting, "another")
    assert cache._source_hash() != before


def test_machine_code_in_a_folder_that_can_only_be_read_is_found_and_what_is_new_goes_to_the_private_one(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path / "image"))
    environment.setattr("tempfile.tempdir", str(tmp_path))
    image = _folder()
    file = cache.write_machine_code(image, "baseline", "items", CODE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    # To the superuser every folder looks as if it could be written, unless its file system says no.
    environment.setattr("os.access", lambda path, _: Path(path) != image)
    assert cache.read_machine_code("baseline", "items") == CODE
    cache.keep_machine_code("another", "items", CODE[::-1])
    assert cache.read_machine_code("another", "items") == CODE[::-1]
    assert list(image.iterdir()) == [file]
    file.write_bytes(b"damaged")
    cache.keep_machine_code("baseline", "items", CODE)
    assert cache.read_machine_code("baseline", "items") == CODE
    assert file.read_bytes() == b"damaged"


def test_machine_code_is_kept_for_each_part_and_each_kind_of_cpu(own_cache: Path) -> None:
    assert cache.read_machine_code("one", "items") is None
    cache.keep_machine_code("one", "items", CODE)
    cache.keep_machine_code("two", "items", CODE[::-1])
    cache.keep_machine_code("one", "rest", CODE + CODE)
    assert cache.read_machine_code("one", "items") == CODE
    assert cache.read_machine_code("two", "items") == CODE[::-1]
    assert cache.read_machine_code("one", "rest") == CODE + CODE
    assert cache.read_machine_code("two", "rest") is None
    assert [path.suffix for path in own_cache.iterdir()] == [".o"] * 3


@pytest.mark.parametrize("damage", [b"", b"short", bytes(100)])
def test_damaged_machine_code_is_no_machine_code(own_cache: Path, damage: bytes) -> None:
    cache.keep_machine_code("cpu", "part", CODE)
    (file,) = own_cache.iterdir()
    for content in (damage, file.read_bytes()[:-1], file.read_bytes() + b"x"):
        file.write_bytes(content)
        assert cache.read_machine_code("cpu", "part") is None
    cache.keep_machine_code("cpu", "part", CODE)
    assert cache.read_machine_code("cpu", "part") == CODE


def test_a_full_disk_costs_the_cache_and_nothing_else(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    cache.keep_machine_code("cpu", "part", CODE)
    assert not list(own_cache.iterdir())
