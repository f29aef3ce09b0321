"""Machine code of the kernels: compiled once, then loaded without Numba, whoever else uses Numba in the process."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from converter.errors import ConvertError
from converter.kernels.bindings import line_end
from converter.kernels.toolchain import loader
from converter.kernels.toolchain.loader import Kernel
from tests.cli.command import environment
from tests.unit.decode.decoding import padded

REPOSITORY = Path(__file__).resolve().parents[4]
PROGRAM = """
import sys
from converter.kernels.toolchain import loader
# The smallest part alone.
loader._expected.clear()
before = loader.expect(["csv"])
loader.Kernel("write_rows")
assert "numba" not in sys.modules
print(before, loader.expect([]))
"""


def start(**environment: str) -> tuple[str, ...]:
    """Whether a new process that loads one kernel, without Numba, finds machine code, and has it then."""
    return tuple(_run(PROGRAM, **environment).split())


def _run(program: str, **environment: str) -> str:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("DDB_CONVERT_", "XDG_"))}
    clean["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), clean.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_processes_that_start_at_once_compile_and_a_later_one_does_not(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = list(pool.map(lambda _: start(XDG_CACHE_HOME=str(tmp_path)), range(2)))
    assert first == [("False", "True")] * 2
    assert start(XDG_CACHE_HOME=str(tmp_path)) == ("True", "True")
    (file,) = tmp_path.rglob("*.o")
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    assert start(XDG_CACHE_HOME=str(tmp_path)) == ("False", "True")
    assert len(file.read_bytes()) == len(whole)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the baseline of others is what all of them have")
def test_code_that_the_cpu_cannot_run_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    program = """
import llvmlite.binding as llvm
from converter.kernels.toolchain.loader import Kernel
from converter.errors import ConvertError

here = llvm.get_host_cpu_features()
llvm.get_host_cpu_features = lambda: llvm.FeatureMap(here | {"avx2": False, "bmi2": False})
try:
    Kernel("line_end")
except ConvertError as error:
    print(error)
"""
    told = _run(program, DDB_CONVERT_CPU="baseline", DDB_CONVERT_CACHE_DIR=str(tmp_path))
    assert re.search(r"this CPU \(\S+\) has no avx2, bmi2, and DDB_CONVERT_CPU=baseline is x86-64-v3\n", told)
    assert "set DDB_CONVERT_CPU=native" in told
    assert not list(tmp_path.iterdir())


def test_a_kernel_that_is_called_again_sees_what_has_changed() -> None:
    call = Kernel("line_end")
    one, two = padded(b"abc\n"), padded(b"abcdef\n")
    assert [call(one, 0), call(two, 0), call(two, 6), call(one, 0)] == [3, 6, 6, 3]
    one[1] = ord("\n")
    assert call(one, 0) == 1


@pytest.mark.slow
def test_what_is_not_needed_is_not_compiled_before_it_is(tmp_path: Path) -> None:
    cache = {"DDB_CONVERT_CACHE_DIR": str(tmp_path)}
    orders, changes = (str(REPOSITORY / "fixtures" / name) for name in ("orders", "order-changes"))
    made = []
    runs = (("parquet", orders), ("csv", orders), ("parquet", orders), ("parquet", changes), ("csv", changes))
    for number, (format, source) in enumerate(runs):
        command = ["convert", source, str(tmp_path / f"out{number}"), "--format", format]
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "cli.py"), *command],
            env=os.environ | cache,
            capture_output=True,
            text=True,
            check=True,
        )
        parts = sorted(file.stem.rpartition("-")[2] for file in tmp_path.rglob("*.o"))
        made.append((parts, "compiling the decoder" in done.stderr))
    assert made == [
        (["items", "pages", "values"], True),
        (["csv", "items", "pages", "values"], True),
        (["csv", "items", "pages", "values"], False),
        (["changes", "csv", "items", "pages", "values"], True),
        (["changes", "csv", "items", "pages", "values"], False),
    ]


def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path))
    (tmp_path / "numba.py").write_text("raise ImportError('no such luck')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ConvertError, match="could not be compiled: ImportError: no such luck"):
        loader.machine_code(["items"])
    assert not list(tmp_path.rglob("*.o"))


def test_a_compiler_that_cannot_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(ConvertError, match="no process that compiles the decoder can be started"):
        loader.machine_code(["items"])


def test_kernels_of_other_sources_than_the_running_ones_are_neither_made_nor_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(loader, "SOURCE_HASH", "0123456789abcdef")
    # The smallest part, whose compiling takes a few seconds.
    with pytest.raises(ConvertError, match="the program's files have changed since this run began") as caught:
        loader.machine_code(["csv"])
    assert caught.value.hint == "run the same command again"
    assert not list(tmp_path.rglob("*.o"))


@pytest.mark.parametrize("made", [b"surprise", b"\5" + bytes(7) + b"short", b"\5" + bytes(7) + b"short" + bytes(8)])
def test_what_a_compiler_prints_is_kept_only_if_it_is_object_files(made: bytes) -> None:
    with pytest.raises(ConvertError, match="not an object file for this machine"):
        list(loader._compiled(made, b"", 0))


@pytest.mark.slow
def test_neither_a_module_nor_settings_nor_another_copy_in_the_current_directory_change_what_is_compiled(
    tmp_path: Path,
) -> None:
    right, checkout = tmp_path / "right", tmp_path / "checkout"
    checkout.mkdir()
    shutil.copytree(REPOSITORY / "converter", checkout / "converter", ignore=shutil.ignore_patterns("__pycache__"))
    numbers = checkout / "converter" / "kernels" / "parse" / "numbers.py"
    changed = numbers.read_text("utf-8").replace("else np.int64(value)), fine", "else np.int64(value) + 1), fine")
    assert changed != numbers.read_text("utf-8")
    numbers.write_text(changed, "utf-8")
    for name in ("numba", "yaml", "llvmlite", "sitecustomize"):
        (checkout / f"{name}.py").write_text(f"open({str(checkout / 'ran')!r}, 'a').write('{name}')")
    (checkout / ".numba_config.yaml").write_text("disable_jit: 1\n")
    # As an installed program starts: its own folder is in front, and the current directory is nowhere.
    program = f"""
import sys
sys.path[:] = [{str(REPOSITORY)!r}, *sys.path]
from converter.kernels.toolchain.loader import machine_code
sys.path.insert(0, "")
print(*machine_code(["values"]))
"""
    for folder, cwd in ((right, tmp_path), (tmp_path / "made", checkout)):
        variables = environment(DDB_CONVERT_CACHE_DIR=str(folder), NUMBA_DISABLE_JIT="1")
        subprocess.run([sys.executable, "-P", "-c", program], cwd=cwd, env=variables, check=True)
    assert not (checkout / "ran").exists()
    codes = [{file.name: file.read_bytes() for file in f.rglob("*.o")} for f in (right, tmp_path / "made")]
    assert codes[0] == codes[1]
    assert len(codes[0]) == 1


def test_an_array_that_a_kernel_would_misread_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        line_end(np.zeros(128, np.uint8)[::2], 0)
