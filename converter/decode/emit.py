"""Turns the kernels into one object file: Numba compiles each, llvmlite puts a front before it and emits the code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import llvmlite.binding as llvm
import numba
from numba.core import codegen
from numba.core.types import int32, int64, uint8, uint64
from numba.core.types.containers import NamedTuple

from converter.decode import csv_rows, items, pages
from converter.decode.compile import NATIVE_OPTIONS, OPTIONS
from converter.decode.machine import FAILED, create_target_machine
from converter.decode.tables import Columns, Kinds, Scratch
from converter.errors import ConvertError

_BYTES = uint8[::1]
_INTS = int64[::1]
_WORDS = uint64[::1]
_TABLE = int64[:, ::1]
_KINDS = NamedTuple((_BYTES, _INTS, _INTS, _TABLE), Kinds)
_COLUMNS = NamedTuple((_BYTES, int32[::1], uint8[:, ::1], _TABLE), Columns)
_SCRATCH = NamedTuple((_BYTES, _BYTES, _WORDS, _INTS, _BYTES), Scratch)

_SIGNATURES: Final = {
    items.decode_items: (_BYTES, _KINDS, _COLUMNS, _INTS, _SCRATCH),
    items.take_back: (_KINDS, _COLUMNS, _INTS),
    items.find_slot: (_BYTES, int64, int64, _KINDS),
    items.line_end: (_BYTES, int64),
    csv_rows.write_rows: (_COLUMNS, int64, _BYTES, _INTS),
    pages.encode_page: (_COLUMNS, int64, int64, int64, _WORDS, _BYTES, _INTS),
    pages.encode_dictionary: (_COLUMNS, int64, int64, _INTS, _INTS, _INTS, _BYTES, _INTS),
    pages.encode_indices: (_COLUMNS, int64, int64, int64, _INTS, _WORDS, _BYTES, _INTS),
}

# What machine code may call: a C library has these in every process.
_LIBRARY = frozenset({"memcpy", "memmove", "memset", "memcmp", "bcmp"})


def emit_kernels() -> bytes:
    """All kernels as an object file in which each has its name and takes the address of a frame (native.py)."""
    module: Any = None
    names = [_name(kernel) for kernel in _SIGNATURES]
    with _inner_functions_lightly_optimised(names):
        for kernel, signature in _SIGNATURES.items():
            compiled = _with_front(kernel, signature)
            if module is None:
                module = compiled
            else:
                module.link_in(compiled)
    for function in module.functions:
        if not function.is_declaration and function.name not in names:
            function.linkage = llvm.Linkage.internal
    machine = create_target_machine()
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    _check_calls(module)
    code: bytes = machine.emit_object(module)
    return code


def _name(kernel: Any) -> str:
    name: str = kernel.py_func.__name__
    return name


def _with_front(kernel: Any, signature: tuple[Any, ...]) -> Any:
    """The kernel's module, with a function before it that loads its arguments from a frame."""
    # A dispatcher of its own: one whose machine code Numba had in its cache would have no LLVM code any more.
    compiled = numba.njit(**OPTIONS, **NATIVE_OPTIONS)(kernel.py_func)
    compiled.compile(signature)
    module = llvm.parse_assembly(compiled.inspect_llvm(signature))
    native = module.get_function(compiled.overloads[signature].fndesc.llvm_func_name)
    declared = [str(argument.type) for argument in native.arguments]
    # The first two are where the result and an exception go.
    lines = [
        f"declare i32 @{native.name}({', '.join(declared)})",
        f"define i64 @{_name(kernel)}(ptr %frame) {{",
        "%result = alloca i64",
        "%exception = alloca ptr",
        "store i64 0, ptr %result",
    ]
    arguments = ["ptr %result", "ptr %exception"]
    for number, kind in enumerate(declared[2:]):
        lines.append(f"%place{number} = getelementptr i64, ptr %frame, i64 {number}")
        lines.append(f"%number{number} = load i64, ptr %place{number}")
        if kind == "i64":
            arguments.append(f"i64 %number{number}")
        else:
            lines.append(f"%pointer{number} = inttoptr i64 %number{number} to ptr")
            arguments.append(f"ptr %pointer{number}")
    lines += [
        f"%status = call i32 @{native.name}({', '.join(arguments)})",
        "%fine = icmp eq i32 %status, 0",
        "%given = load i64, ptr %result",
        f"%answer = select i1 %fine, i64 %given, i64 {FAILED}",
        "ret i64 %answer",
        "}",
    ]
    module.link_in(llvm.parse_assembly("\n".join(lines)))
    # What two kernels call is in both of their modules.
    for function in module.functions:
        if not function.is_declaration and function.name != _name(kernel):
            function.linkage = llvm.Linkage.linkonce_odr
    return module


@contextmanager
def _inner_functions_lightly_optimised(kernels: list[str]) -> Iterator[None]:
    """Leave the heavy passes to the kernels, which all inner functions are copied into.

    Numba optimises every function fully, once for each level of calls above it: that takes a third of the time and
    changes nothing in the end. Where Numba has no such method any more, it goes on as it did.
    """
    library = codegen.CPUCodeLibrary
    fully = getattr(library, "_optimize_final_module", None)
    if fully is None:
        yield
        return

    def optimise(self: Any) -> None:
        if self.name in kernels:
            fully(self)
            return
        passes = llvm.create_new_module_pass_manager()
        passes.add_sroa_pass()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
        passes.run(self._final_module, self._codegen._pass_builder(opt=0))

    library._optimize_final_module = optimise
    try:
        yield
    finally:
        library._optimize_final_module = fully


def _check_calls(module: Any) -> None:
    """Raise ConvertError if the code calls what only a process with Numba has: LLVM would end the process there."""
    calls = {function.name for function in module.functions if function.is_declaration}
    strange = sorted(name for name in calls - _LIBRARY if not name.startswith("llvm."))
    if strange:
        raise ConvertError(f"the kernels call {', '.join(strange)}", hint="this is a bug in ddb-convert: report it")
