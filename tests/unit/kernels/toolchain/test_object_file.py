"""What is loaded as machine code is an object file for this machine, and whole."""

from __future__ import annotations

import platform

import pytest

from converter.kernels.toolchain.loader import machine_code
from converter.kernels.toolchain.object_file import is_object_file


def test_what_the_compiler_makes_is_an_object_file_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    code = machine_code(["pages"])["pages"]
    assert is_object_file(code)
    other = {"x86_64": "aarch64"}.get(platform.machine(), "x86_64")
    monkeypatch.setattr("platform.machine", lambda: other)
    assert not is_object_file(code)


def test_an_object_file_that_was_cut_is_not_one() -> None:
    code = machine_code(["pages"])["pages"]
    assert not any(is_object_file(code[:size]) for size in (0, 1, 31, 32, 63, 64, 100, len(code) // 2, len(code) - 1))


@pytest.mark.parametrize("start", [b"\x7fELF", b"\x7fELF\x02\x01", b"\xcf\xfa\xed\xfe", b"\0asm", b"MZ", b""])
def test_garbage_is_not_an_object_file_whatever_it_begins_with(start: bytes) -> None:
    assert not is_object_file(start + bytes(1000))
    assert not is_object_file(start + b"\xff" * 1000)
