"""The library of the kernels: found by the digest of its sources, loaded once, and called without Numba."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from converter.errors import ConvertError
from converter.kernels import library
from converter.kernels.bindings import line_end
from converter.kernels.form import FORM
from converter.kernels.library import NATIVE, Kernel, library_name
from tests.unit.decode.decoding import padded

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in place of the one of the library, which is not loaded yet."""
    monkeypatch.setattr(library, "NATIVE", tmp_path)
    library._library.cache_clear()
    yield tmp_path
    library._library.cache_clear()


def test_a_kernel_that_is_called_again_sees_what_has_changed() -> None:
    call = Kernel("line_end")
    one, two = padded(b"abc\n"), padded(b"abcdef\n")
    assert [call(one, 0), call(two, 0), call(two, 6), call(one, 0)] == [3, 6, 6, 3]
    one[1] = ord("\n")
    assert call(one, 0) == 1


def test_an_array_that_a_kernel_would_misread_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        line_end(np.zeros(128, np.uint8)[::2], 0)


def test_without_a_library_the_error_says_how_to_get_one(native: Path) -> None:
    with pytest.raises(ConvertError) as caught:
        Kernel("line_end")
    assert caught.value.what == "there are no kernels: they are built when the package is installed"
    assert caught.value.where == str(native / library_name())
    assert caught.value.hint == "install the package again; in a checkout, run `make kernels`"


def test_a_library_of_other_sources_is_not_loaded(native: Path) -> None:
    shutil.copy(NATIVE / library_name(), native / library_name("0123456789abcdef"))
    with pytest.raises(ConvertError, match="built from other sources than these") as caught:
        Kernel("line_end")
    assert caught.value.where == str(native / library_name("0123456789abcdef"))


def test_a_library_in_another_form_is_not_loaded(native: Path) -> None:
    shutil.copy(NATIVE / library_name(), native / library_name().replace(FORM, "another"))
    with pytest.raises(ConvertError, match="there are no kernels"):
        Kernel("line_end")


def test_a_package_without_sources_loads_its_only_library(native: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(NATIVE / library_name(), native)
    monkeypatch.setattr(library, "hash_sources", lambda: "")
    assert Kernel("line_end")(padded(b"abc\n"), 0) == 3


@pytest.mark.parametrize("content", [b"", b"no library", b"\x7fELF\2\1\1" + bytes(57)])
def test_a_library_that_cannot_be_loaded_is_an_error(native: Path, content: bytes) -> None:
    (native / library_name()).write_bytes(content)
    with pytest.raises(ConvertError, match="the kernels can't be loaded: ") as caught:
        Kernel("line_end")
    assert caught.value.where == str(native / library_name())


def test_a_conversion_imports_no_compiler_and_writes_only_the_destination(tmp_path: Path) -> None:
    program = (
        "import sys, converter;"
        f"converter.convert({str(REPOSITORY / 'fixtures' / 'orders')!r}, 'out',"
        " converter.ConvertOptions(key=('order_id',), format='csv,parquet'));"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numba', 'llvmlite', 'amazon', 'pyspark'}))"
    )
    home, temporary, work = (tmp_path / name for name in ("home", "temporary", "work"))
    for folder in (home, temporary, work):
        folder.mkdir()
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("DDB_CONVERT_", "XDG_"))}
    variables |= {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=work, env=variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    assert [path.name for path in work.iterdir()] == ["out"]
    assert list(home.iterdir()) == list(temporary.iterdir()) == []
