"""The cache of machine code: where it lies, what it depends on, and that damage or bad luck is never loaded."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from converter.kernels.toolchain import cache
from converter.kernels.toolchain.trusted_files import write_file
from tests.cli.command import REPOSITORY

CODE = b"code"


@pytest.fixture(autouse=True)
def anything_is_an_object_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "is_object_file", lambda code: b"bad" not in code)


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


def test_the_hash_changes_with_every_source_of_the_kernels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = Path(cache.__file__).parents[2]
    sources = [*package.glob("kernels/**/*.py"), package / "schema" / "tags.py", package / "schema" / "magnitudes.py"]
    for path in sources:
        copy = tmp_path / path.relative_to(package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "kernels" / "toolchain" / "cache.py"))
    hashes = [cache.hash_sources()]
    assert hashes == [cache.SOURCE_HASH]
    for path in sorted(tmp_path.rglob("*.py")):
        path.write_bytes(path.read_bytes() + b"\n")
        hashes.append(cache.hash_sources())
    assert len(set(hashes)) == len(hashes) == len(sources) + 1


def test_the_hash_is_of_every_module_that_the_compiler_imports() -> None:
    program = (
        "import sys, converter.kernels.toolchain.emit; print(*(m for m in sys.modules if m.startswith('converter.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    others = {name for name in done.stdout.split() if not name.startswith("converter.kernels")}
    # These hold messages, no code that is compiled.
    assert others - {"converter.schema", "converter.display", "converter.errors", "converter.version"} == {
        "converter.schema.magnitudes",
        "converter.schema.tags",
    }


def test_the_hash_of_a_package_in_a_zip_file_is_the_same(tmp_path: Path) -> None:
    archive = tmp_path / "program.pyz"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (REPOSITORY / "converter").rglob("*.py"):
            file.write(path, path.relative_to(REPOSITORY))
        file.writestr(
            "__main__.py", "from converter.kernels.toolchain import cache; print(cache.__file__, cache.SOURCE_HASH)"
        )
    done = subprocess.run([sys.executable, archive], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{archive}/converter/kernels/toolchain/cache.py", cache.SOURCE_HASH]


@pytest.mark.parametrize("setting", ["FORM", "BOUNDS_CHECKED"])
def test_the_hash_changes_with_the_form_and_with_bounds_checks(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    before = cache.hash_sources()
    monkeypatch.setattr(cache, setting, "another")
    assert cache.hash_sources() != before


def test_machine_code_that_can_only_be_read_is_found_and_what_is_new_goes_to_the_private_folder(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path / "image"))
    environment.setattr("tempfile.tempdir", str(tmp_path))
    with_umask = os.umask(0o077)
    try:
        (file,) = cache.publish_machine_code("baseline", {"items": CODE})
    finally:
        os.umask(with_umask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    made = (tmp_path / "image", tmp_path / "image" / "ddb-convert", file.parent)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in made} == {0o755}
    folder_number = file.parent.stat().st_ino

    def refuse(folder: int, name: str, content: bytes) -> None:
        # To the superuser every folder looks as if it could be written, unless its file system says no.
        if os.fstat(folder).st_ino == folder_number:
            raise OSError(errno.EROFS, "Read-only file system")
        write_file(folder, name, content)

    environment.setattr("converter.kernels.toolchain.cache.write_file", refuse)
    assert cache.read_machine_code("baseline", "items") == CODE
    cache.keep_machine_code("another", "items", CODE[::-1])
    assert cache.read_machine_code("another", "items") == CODE[::-1]
    assert list(file.parent.iterdir()) == [file]
    file.write_bytes(b"damaged")
    cache.keep_machine_code("baseline", "items", CODE)
    assert cache.read_machine_code("baseline", "items") == CODE
    assert file.read_bytes() == b"damaged"
    assert cache.untrusted_places() == []


@pytest.mark.parametrize("place", ["ddb-convert", "ddb-convert/{hash}", "ddb-convert/{hash}/*.o"])
def test_machine_code_that_others_can_write_is_made_again_elsewhere_and_the_run_is_told_why(
    environment: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    base = tmp_path / "shared"
    environment.setenv("DDB_CONVERT_CACHE_DIR", str(base))
    environment.setattr("tempfile.tempdir", str(tmp_path))
    cache.keep_machine_code("cpu", "part", CODE)
    (path,) = base.glob(place.format(hash=cache.SOURCE_HASH))
    path.chmod(path.stat().st_mode | 0o022)
    assert cache.read_machine_code("cpu", "part") is None
    if path.is_dir():
        (reason,) = cache.untrusted_places()
        start = f"machine code is neither read from nor kept in {base}/ddb-convert: everyone can write {path} (mode 07"
        assert reason.startswith(start)
    cache.keep_machine_code("cpu", "part", CODE[::-1])
    assert cache.read_machine_code("cpu", "part") == CODE[::-1]
    private = tmp_path / f"ddb-convert-{os.getuid()}"
    assert private.exists() == path.is_dir()


def test_a_shared_place_and_a_private_one_that_others_can_write_are_both_named(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path))
    environment.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("ddb-convert", f"ddb-convert-{os.getuid()}"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)
    assert [reason.partition(": ")[0].rpartition("/")[2] for reason in cache.untrusted_places()] == [
        "ddb-convert",
        f"ddb-convert-{os.getuid()}",
    ]
    cache.keep_machine_code("cpu", "part", CODE)
    assert cache.read_machine_code("cpu", "part") is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("planted", ["fifo", "endless", "digest"])
def test_what_somebody_else_has_put_in_place_of_machine_code_is_not_loaded(own_cache: Path, planted: str) -> None:
    cache.keep_machine_code("cpu", "part", CODE)
    (file,) = own_cache.iterdir()
    file.unlink()
    if planted == "fifo":
        os.mkfifo(file, 0o600)
    elif planted == "endless":
        file.symlink_to("/dev/zero")
    else:
        file.write_bytes(hashlib.sha256(CODE).digest() + CODE)
    assert cache.read_machine_code("cpu", "part") is None


def test_what_is_not_an_object_file_is_not_loaded_though_it_is_whole(own_cache: Path) -> None:
    cache.keep_machine_code("cpu", "part", b"bad code")
    assert list(own_cache.iterdir())
    assert cache.read_machine_code("cpu", "part") is None


def test_machine_code_of_another_part_or_cpu_is_not_loaded_in_its_place(own_cache: Path) -> None:
    cache.keep_machine_code("one", "items", CODE)
    (file,) = own_cache.iterdir()
    cache.keep_machine_code("two", "items", CODE)
    cache.keep_machine_code("one", "pages", CODE)
    for other in set(own_cache.iterdir()) - {file}:
        shutil.copy(file, other)
    assert cache.read_machine_code("one", "items") == CODE
    assert cache.read_machine_code("two", "items") is None
    assert cache.read_machine_code("one", "pages") is None


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
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    cache.keep_machine_code("cpu", "part", CODE)
    assert not list(own_cache.iterdir())
