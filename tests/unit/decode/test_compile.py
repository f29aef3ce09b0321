"""Compiled kernels and their cache: where it lies, what it depends on, and that a second start compiles nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import config

from converter.decode import compile as compile_module

REPOSITORY = Path(__file__).resolve().parents[3]
SMALL = """
import os
from pathlib import Path
from numba.core import config
config.CACHE_DIR = "the host's own"
import converter.decode.compile as c
from converter.decode.items import line_end
import numpy as np
assert line_end(np.frombuffer(bytearray(b"ab\\n" + bytes(64)), np.uint8), 0) == 2
assert config.CACHE_DIR == "the host's own"
hits, misses = sum(line_end.stats.cache_hits.values()), sum(line_end.stats.cache_misses.values())
print(c.CACHE_FOLDER, c.FORM, c.BOUNDS_CHECKED, hits, misses)
"""


def start(**environment: str) -> tuple[str, str, str, int, int]:
    """Folder, form, whether checked, cache hits and misses of a new process that runs one small kernel."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("DDB_CONVERT_", "XDG_", "NUMBA_"))}
    clean["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), clean.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", SMALL], env=clean | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    folder, form, checked, hits, misses = done.stdout.split()
    return folder, form, checked, int(hits), int(misses)


def test_a_second_start_compiles_nothing_and_leaves_the_hosts_cache_alone(tmp_path: Path) -> None:
    first, second = (start(XDG_CACHE_HOME=str(tmp_path)) for _ in range(2))
    assert Path(first[0]).parent == tmp_path / "ddb-convert"
    assert first[0] == second[0]
    assert first[3:] == (0, 1)
    assert second[3:] == (1, 0)


def test_another_form_or_bounds_checks_never_find_the_same_machine_code(tmp_path: Path) -> None:
    settings = [{}, {"DDB_CONVERT_KERNELS": "plain"}, {"DDB_CONVERT_BOUNDS_CHECK": "1"}]
    found = [start(DDB_CONVERT_CACHE_DIR=str(tmp_path), **chosen) for chosen in settings]
    assert len({folder for folder, *_ in found}) == 3
    assert [(form, checked) for _, form, checked, *_ in found[1:]] == [("plain", "False"), ("plain", "True")]
    assert all(misses == 1 for *_, misses in found)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DDB_CONVERT_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def _folder() -> Path:
    folder = compile_module._cache_folder()
    assert folder is not None
    return Path(folder)


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
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert _folder() == folder


def test_a_temporary_cache_that_others_can_write_is_not_used(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    environment.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / f"ddb-convert-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    assert compile_module._cache_folder() is None


def test_empty_files_in_the_cache_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a.nbi").touch()
    assert not compile_module._holds_kernels(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "a.nbi").write_bytes(b"x")
    assert compile_module._holds_kernels(tmp_path)


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
    for path in Path(compile_module.__file__).parent.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(compile_module, "__file__", str(tmp_path / "compile.py"))
    hashes = [compile_module._source_hash()]
    for path in sorted(tmp_path.glob("*.py")):
        path.write_bytes(path.read_bytes() + b"\n")
        hashes.append(compile_module._source_hash())
    assert len(set(hashes)) == len(hashes) > 10


@pytest.mark.parametrize("decorator", [compile_module.kernel, compile_module.inner, compile_module.inlined])
def test_decorating_a_kernel_leaves_the_hosts_configuration_as_it_was(
    decorator: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", "the host's own")
    assert callable(decorator)

    def one() -> int:
        return 1

    decorator(one)
    assert config.CACHE_DIR == "the host's own"
