"""Building the library: from these sources alone, linked by what there is, and never half of it in its place."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from converter.errors import ConvertError
from converter.kernels.library import NATIVE, library_name
from converter.kernels.toolchain import build, link
from converter.kernels.toolchain.target import create_target_machine
from tests.cli.command import environment

REPOSITORY = Path(__file__).resolve().parents[4]
ANSWER = "define i64 @answer(ptr %frame) {\nret i64 42\n}"
CALL = """
import ctypes, sys

library = ctypes.CDLL(sys.argv[1])
print(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(("answer", library))(0))
"""


def write_object(folder: Path) -> Path:
    """An object file with the function `answer`."""
    path = folder / "answer.o"
    machine = create_target_machine()
    path.write_bytes(machine.emit_object(llvm.parse_assembly(ANSWER)))
    return path


@pytest.mark.parametrize("linker", ["cc", "gcc", "clang", "ld", "ld.lld"])
def test_each_linker_makes_a_library_that_can_be_called(
    linker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = shutil.which(linker)
    if found is None:
        pytest.skip(f"there is no {linker}")
    monkeypatch.setattr(shutil, "which", {linker: found}.get)
    library = tmp_path / "library.so"
    link.link_library([write_object(tmp_path)], library)
    done = subprocess.run([sys.executable, "-c", CALL, library], capture_output=True, text=True, check=False)
    assert done.stdout == "42\n", done.stderr


def test_without_a_linker_the_error_names_what_brings_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(link, "find_spec", lambda name: None)
    with pytest.raises(ConvertError, match="there is no linker") as caught:
        link.link_library([write_object(tmp_path)], tmp_path / "library.so")
    assert "ziglang" in str(caught.value.hint)


def test_a_linker_that_fails_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "bad.o").write_bytes(b"no object file")
    with pytest.raises(ConvertError, match=r"(?s)could not be linked: .*bad\.o"):
        link.link_library([tmp_path / "bad.o"], tmp_path / "library.so")


def test_a_machine_without_a_baseline_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "ppc64le")
    with pytest.raises(ConvertError, match="can't be built for ppc64le"):
        create_target_machine()


def test_a_compiler_that_fails_is_quoted_and_leaves_the_earlier_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_GROUPS", (("no such part",),))
    earlier = tmp_path / library_name("0123456789abcdef")
    earlier.write_bytes(b"earlier")
    with pytest.raises(ConvertError, match=r"(?s)could not be compiled: .*no such part"):
        build.build_library(tmp_path)
    assert list(tmp_path.iterdir()) == [earlier]


def test_sources_that_change_while_they_are_compiled_give_no_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_compile", lambda folder: None)
    monkeypatch.setattr(build, "link_library", lambda objects, library: library.write_bytes(b"library"))
    monkeypatch.setattr(build, "hash_sources", lambda: "0123456789abcdef")
    with pytest.raises(ConvertError, match="changed while they were compiled"):
        build.build_library(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_library_replaces_earlier_ones_of_its_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_compile", lambda folder: None)
    monkeypatch.setattr(build, "link_library", lambda objects, library: library.write_bytes(b"library"))
    other = tmp_path / "kernels-another-0123456789abcdef.so"
    for path in (tmp_path / library_name("0123456789abcdef"), other):
        path.write_bytes(b"earlier")
    assert build.build_library(tmp_path) == tmp_path / library_name()
    assert {path.name for path in tmp_path.iterdir()} == {library_name(), other.name}


def test_the_command_builds_a_library_that_is_missing_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["build", str(tmp_path)])
    monkeypatch.setattr(build, "build_library", lambda folder: (folder / library_name()).write_bytes(b"built"))
    for content in (b"built", b"kept"):
        build.main()
        assert capsys.readouterr().out == f"{tmp_path / library_name()}\n"
        assert (tmp_path / library_name()).read_bytes() == content
        (tmp_path / library_name()).write_bytes(b"kept")


@pytest.mark.slow
def test_neither_a_module_nor_settings_nor_another_copy_in_the_current_directory_change_the_library(
    tmp_path: Path,
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copytree(REPOSITORY / "converter", checkout / "converter", ignore=shutil.ignore_patterns("__pycache__"))
    numbers = checkout / "converter" / "kernels" / "parse" / "numbers.py"
    numbers.write_text(numbers.read_text("utf-8") + "\n", "utf-8")
    for name in ("numba", "yaml", "llvmlite", "sitecustomize"):
        (checkout / f"{name}.py").write_text(f"open({str(checkout / 'ran')!r}, 'a').write('{name}')")
    (checkout / ".numba_config.yaml").write_text("disable_jit: 1\n")
    program = (
        f"import sys; sys.path[:] = [{str(REPOSITORY)!r}, *sys.path];"
        "from converter.kernels.toolchain.build import build_library; from pathlib import Path;"
        f"sys.path.insert(0, ''); build_library(Path({str(tmp_path / 'made')!r}))"
    )
    variables = environment(NUMBA_DISABLE_JIT="1")
    subprocess.run([sys.executable, "-P", "-c", program], cwd=checkout, env=variables, check=True)
    assert not (checkout / "ran").exists()
    assert (tmp_path / "made" / library_name()).read_bytes() == (NATIVE / library_name()).read_bytes()
