"""Only what this user or root can have written is read, and nothing that hangs or never ends."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from converter.kernels.toolchain.trusted_files import UntrustedError, open_folder, read_file, write_file

NAMES = ("ours", "version")
MANY = 1 << 20
STRANGER = 65534


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """ours/version below a base, with a file in it."""
    with open_folder(tmp_path, NAMES, make=0o700) as descriptor:
        write_file(descriptor, "code", b"content")
    return tmp_path.joinpath(*NAMES)


def read(base: Path, most_bytes: int = MANY) -> bytes:
    with open_folder(base, NAMES) as descriptor:
        return read_file(descriptor, "code", most_bytes)


def test_what_was_written_is_read(tmp_path: Path, folder: Path) -> None:
    assert read(tmp_path) == b"content"
    assert stat.S_IMODE((folder / "code").stat().st_mode) == 0o644
    assert [file.name for file in folder.iterdir()] == ["code"]


@pytest.mark.parametrize("mode", [0o700, 0o755])
@pytest.mark.parametrize("mask", [0, 0o002, 0o022, 0o077])
def test_new_folders_have_their_mode_whatever_the_umask(tmp_path: Path, mode: int, mask: int) -> None:
    with umask(mask), open_folder(tmp_path / "a" / "b", NAMES, make=mode):
        pass
    made = ("a", "a/b", "a/b/ours", "a/b/ours/version")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in made] == [mode] * 4


@pytest.mark.parametrize("place", ["ours", "ours/version", "ours/version/code"])
@pytest.mark.parametrize(("mode", "who"), [(0o020, "its group"), (0o002, "everyone"), (0o022, "everyone")])
def test_what_others_can_write_is_not_read(tmp_path: Path, folder: Path, place: str, mode: int, who: str) -> None:
    path = tmp_path / place
    path.chmod(path.stat().st_mode | mode)
    with pytest.raises(UntrustedError, match=rf"{who} can write \S*{path.name} \(mode 0\d\d\d\)"):
        read(tmp_path)


@pytest.mark.parametrize("place", ["ours", "ours/version", "ours/version/code"])
def test_what_another_user_owns_is_not_read(
    tmp_path: Path, folder: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = os.fstat
    inode = (tmp_path / place).stat().st_ino

    def fstat(descriptor: int) -> os.stat_result:
        facts = look(descriptor)
        owner = STRANGER if facts.st_ino == inode else os.geteuid()
        return os.stat_result((*facts[:4], owner, *facts[5:]))

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(UntrustedError, match=rf"{Path(place).name} belongs to user "):
        read(tmp_path)


def test_what_root_owns_is_read_by_other_users(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = os.fstat
    monkeypatch.setattr(os, "fstat", lambda fd: os.stat_result((*(facts := look(fd))[:4], 0, *facts[5:])))
    monkeypatch.setattr(os, "geteuid", lambda: 65532)
    assert read(tmp_path) == b"content"


def test_a_folder_above_that_everyone_can_write_needs_the_sticky_bit(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "base").mkdir(parents=True)
    shared.chmod(0o777)
    for base in (shared, shared / "base"):
        with pytest.raises(UntrustedError, match="shared, which has no sticky bit"), open_folder(base, NAMES, 0o700):
            pass
        assert not (base / "ours").exists()
    shared.chmod(0o1777)
    for base in (shared, shared / "base"):
        with open_folder(base, NAMES, 0o700):
            assert (base / "ours").is_dir()


def test_a_base_may_be_a_link_and_what_is_below_may_not(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert read(tmp_path / "link") == b"content"
    for place in ("ours/version/code", "ours/version", "ours"):
        path = tmp_path / place
        moved = path.rename(tmp_path / "moved")
        path.symlink_to(moved)
        with pytest.raises(OSError, match="symbolic link"):
            read(tmp_path)
        path.unlink()
        moved.rename(path)
    assert read(tmp_path) == b"content"


def test_neither_a_fifo_nor_a_device_nor_a_folder_is_read(tmp_path: Path, folder: Path) -> None:
    file = folder / "code"
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(UntrustedError, match="not a regular file"):
        read(tmp_path)
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="symbolic link"):
        read(tmp_path)
    file.unlink()
    file.mkdir(0o700)
    with pytest.raises(OSError, match=r"code|directory"):
        read(tmp_path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, folder: Path) -> None:
    os.truncate(folder / "code", 1 << 40)
    with pytest.raises(OSError, match=r"code has 1,099,511,627,776 bytes"):
        read(tmp_path)
    os.truncate(folder / "code", 5)
    assert read(tmp_path, most_bytes=5) == b"conte"
    with pytest.raises(OSError, match="code has 5 bytes"):
        read(tmp_path, most_bytes=4)


def test_a_folder_that_is_missing_is_not_made_for_reading(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")
    assert not list(tmp_path.iterdir())
