"""Object files of the kernels: the parts, their symbols, and what their code may call."""

from __future__ import annotations

import ctypes
from array import array

import llvmlite.binding as llvm
import pytest

from converter.errors import ConvertError
from converter.kernels import bindings
from converter.kernels.library import FAILED
from converter.kernels.toolchain import build, emit
from converter.kernels.toolchain.target import create_target_machine


def test_machine_code_that_calls_what_only_numba_has_is_refused() -> None:
    module = llvm.parse_assembly("declare i32 @numba_gil_ensure()\ndeclare ptr @memcpy(ptr, ptr, i64)")
    with pytest.raises(ConvertError, match="call numba_gil_ensure"):
        emit._check_calls(module)


def test_every_kernel_is_called_by_its_name_and_is_in_a_part_that_is_compiled() -> None:
    assert sorted(part for parts in build._GROUPS for part in parts) == sorted(emit._KERNELS)
    for kernels in emit._KERNELS.values():
        for kernel in kernels:
            name = kernel.py_func.__name__
            assert any(hasattr(bindings, prefix + name) for prefix in ("", "bind_")), name


def test_a_front_loads_ints_and_addresses_from_the_frame_and_calls_the_kernel() -> None:
    module = llvm.parse_assembly(
        "define i32 @native(ptr %result, ptr %exception, ptr %data, i64 %size) {\n"
        "store i64 %size, ptr %result\n%failed = icmp eq i64 %size, 13\n%status = zext i1 %failed to i32\n"
        "ret i32 %status\n}"
    )
    module.link_in(llvm.parse_assembly(emit._front("kernel", module.get_function("native"))))
    engine = llvm.create_mcjit_compiler(module, create_target_machine())
    engine.finalize_object()
    run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(engine.get_function_address("kernel"))
    for size, expected in ((5, 5), (-7, -7), (13, FAILED)):
        frame = array("q", [0, size])
        assert run(frame.buffer_info()[0]) == expected


def test_names_that_no_other_module_needs_are_internal_after_optimization() -> None:
    module = llvm.parse_assembly("define i64 @kept() { ret i64 1 }\ndefine i64 @unused() { ret i64 2 }")
    emit._optimize(module, {"kept"})
    assert [function.name for function in module.functions] == ["kept"]
