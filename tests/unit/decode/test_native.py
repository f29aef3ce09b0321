"""Machine code of the kernels: compiled once, then loaded without Numba, whoever else uses Numba in the process."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest
from numba.core import config

from converter.decode import emit, native
from converter.decode.compile import inlined, inner, kernel
from converter.decode.kernels import line_end
from converter.decode.machine import describe_cpu
from converter.decode.native import Kernel
from converter.errors import ConvertError
from tests.unit.decode.decoding import padded

REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
import numpy as np
from converter.decode.kernels import line_end
from converter.decode.native import expect
before = expect([])
assert line_end(np.frombuffer(bytearray(b"ab\\n" + bytes(64)), np.uint8), 0) == 2
assert "numba" not in sys.modules
print(before, expect([]))
"""


def start(**environment: str) -> tuple[str, ...]:
    """Whether a new process that runs one small kernel, without Numba, finds machine code, and has it then."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("DDB_CONVERT_", "XDG_", "NUMBA_"))}
    clean["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), clean.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=clean | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return tuple(done.stdout.split())


@pytest.mark.slow
def test_processes_that_start_at_once_compile_and_a_later_one_does_not(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = list(pool.map(lambda _: start(XDG_CACHE_HOME=str(tmp_path)), range(2)))
    assert first == [("False", "True")] * 2
    assert start(XDG_CACHE_HOME=str(tmp_path)) == ("True", "True")
    for file in tmp_path.rglob("*.o"):
        whole = file.read_bytes()
        file.write_bytes(whole[:1000])
        assert start(XDG_CACHE_HOME=str(tmp_path)) == ("False", "True")
        assert len(file.read_bytes()) == len(whole)


@pytest.mark.slow
def test_an_image_for_many_machines_sets_the_cpu_and_finds_what_was_made_for_it(tmp_path: Path) -> None:
    cache = {"DDB_CONVERT_CACHE_DIR": str(tmp_path), "NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": ""}
    assert start(**cache) == ("False", "True")
    assert start(**cache) == ("True", "True")
    assert start(**cache | {"NUMBA_CPU_NAME": "x86-64"})[0] == "False"


def test_the_cpu_is_this_one_or_the_one_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)
    assert describe_cpu().startswith(f"{llvm.get_host_cpu_name()} ")
    monkeypatch.setenv("NUMBA_CPU_NAME", "x86-64-v3")
    assert describe_cpu() == "x86-64-v3 "
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+avx2")
    assert describe_cpu() == "x86-64-v3 +avx2"


def test_a_kernel_that_is_called_again_sees_what_has_changed() -> None:
    call = Kernel("line_end")
    one, two = padded(b"abc\n"), padded(b"abcdef\n")
    assert [call(one, 0), call(two, 0), call(two, 6), call(one, 0)] == [3, 6, 6, 3]
    one[1] = ord("\n")
    assert call(one, 0) == 1


@pytest.mark.slow
def test_what_is_not_needed_is_not_compiled_before_it_is(tmp_path: Path) -> None:
    cache = {"DDB_CONVERT_CACHE_DIR": str(tmp_path)}
    source = str(REPOSITORY / "fixtures" / "orders")
    made = []
    for number, format in enumerate(("parquet", "csv", "parquet")):
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
    ]


def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DDB_CONVERT_CACHE_DIR", str(tmp_path))
    (tmp_path / "numba.py").write_text("raise ImportError('no such luck')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ConvertError, match="could not be compiled: ImportError: no such luck"):
        native._machine_code(["items"])
    assert not list(tmp_path.rglob("*.o"))


def test_an_array_that_a_kernel_would_misread_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        line_end(np.zeros(128, np.uint8)[::2], 0)


def test_machine_code_that_calls_what_only_numba_has_is_refused() -> None:
    module = llvm.parse_assembly("declare i32 @numba_gil_ensure()\ndeclare ptr @memcpy(ptr, ptr, i64)")
    with pytest.raises(ConvertError, match="call numba_gil_ensure"):
        emit._check_calls(module)


@pytest.mark.parametrize("decorator", [kernel, inner, inlined])
def test_decorating_a_kernel_leaves_the_hosts_configuration_as_it_was(
    decorator: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", "the host's own")
    assert callable(decorator)

    def one() -> int:
        return 1

    decorator(one)
    assert config.CACHE_DIR == "the host's own"
