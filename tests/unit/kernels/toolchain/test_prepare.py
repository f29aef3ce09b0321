"""Machine code for an image: all parts are published in the folder that runs read first, or an error tells why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from converter.errors import StorageError
from converter.kernels.toolchain import cache, prepare
from converter.kernels.toolchain.target_machine import describe_cpu


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The parts that were compiled, each time."""
    calls: list[Sequence[str]] = []

    def compile_parts(parts: Sequence[str]) -> dict[str, bytes]:
        calls.append(parts)
        return {part: f"code of {part}".encode() for part in parts}

    monkeypatch.setattr(prepare, "machine_code", compile_parts)
    monkeypatch.setattr(cache, "is_object_file", lambda code: code.startswith(b"code of "))
    return calls


def test_every_part_is_published_for_all_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path / "kernels"))
    prepare.main()
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert len(files) == len(set(files)) == len(cache.PARTS)
    for part, file in zip(cache.PARTS, files, strict=True):
        assert file.is_relative_to(tmp_path / "kernels")
        assert file.stat().st_mode & 0o777 == 0o644
        assert cache.read_machine_code(describe_cpu(), part) == f"code of {part}".encode()


def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Sequence[str]]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="the machine code can't be kept"):
        prepare.prepare()
    assert compiled == []
    with pytest.raises(SystemExit, match="name a folder that can be written"):
        prepare.main()


def test_a_folder_that_others_can_write_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Sequence[str]]
) -> None:
    folder = tmp_path / "ddb-convert"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path))
    with pytest.raises(StorageError, match="can't be kept"):
        prepare.prepare()
    assert compiled == []
