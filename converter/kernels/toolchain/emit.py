"""Turns the kernels into object files: Numba infers types and lowers, LLVM optimizes and emits code, once for all.

Numba's own way is to optimize, verify and load each function as soon as it is compiled, and again inside each of its
callers. Here it only translates: the modules of all functions are linked, and optimized as one. That changes Numba's
inner workings, so it happens in processes of its own (build.py).

There are parts because most machines have two cores. The items call functions that are in the part `values`: they are
compiled against stubs with the same types, and the linker finds the symbols.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any, Final

import llvmlite.binding as llvm
from numba.core import cgutils
from numba.core.codegen import CodeLibrary, JITCodeLibrary, JITCPUCodegen
from numba.core.registry import cpu_target
from numba.core.types import boolean, int32, int64, uint8, uint64
from numba.core.types.containers import NamedTuple, UniTuple

from converter.errors import ConvertError
from converter.kernels.condition_tests import ConditionTests
from converter.kernels.encode import column_chunks, csv_rows, parquet_pages
from converter.kernels.layout import Columns, Fields, PageScratch, Scratch
from converter.kernels.library import FAILED
from converter.kernels.line_patterns import Patterns
from converter.kernels.merge import changed_keys, superseded_lines
from converter.kernels.merge.key_table import KeyTable
from converter.kernels.parse import changes, conditions, documents, ion_lines, items, moves, timestamps, unknown_members
from converter.kernels.toolchain.decorators import NO_WRAPPERS
from converter.kernels.toolchain.target import create_target_machine

_BYTES = uint8[::1]
_INTS = int64[::1]
_WORDS = uint64[::1]
_TABLE = int64[:, ::1]
_FIELDS = NamedTuple((_BYTES, _INTS, _INTS, _TABLE, _WORDS), Fields)
_PATTERNS = NamedTuple((_BYTES, _TABLE), Patterns)
_KEY_TABLE = NamedTuple((_INTS, _BYTES, _TABLE, _WORDS), KeyTable)
_TESTS = NamedTuple((_BYTES, _TABLE, _TABLE, _TABLE), ConditionTests)
_COLUMNS = NamedTuple((_BYTES, int32[::1], uint8[:, ::1], _TABLE), Columns)
_PAGE_SCRATCH = NamedTuple((_WORDS, _INTS, _INTS, _INTS, _WORDS), PageScratch)
_SCRATCH = NamedTuple((_BYTES, _BYTES, _WORDS, _INTS, _BYTES, _WORDS), Scratch)

_KERNELS: Final[dict[str, dict[Any, tuple[Any, ...]]]] = {
    "items": {
        items.decode_items: (_BYTES, _FIELDS, _COLUMNS, _INTS, _SCRATCH),
        items.rollback_item: (_FIELDS, _COLUMNS, _INTS),
        items.find_slot: (_BYTES, int64, int64, _FIELDS),
        items.index_fields: (_FIELDS, int64),
        items.line_end: (_BYTES, int64),
    },
    "values": {},
    "pages": {
        column_chunks.encode_chunks: (_COLUMNS, int64, int64, _PAGE_SCRATCH, _BYTES, _TABLE, _TABLE, _INTS),
        column_chunks.put_page_headers: (_TABLE, _TABLE, _BYTES, _INTS),
        column_chunks.put_chunk_metadata: (_COLUMNS, int64, int64, _BYTES, _INTS, _TABLE, _BYTES, _INTS),
        parquet_pages.encode_page: (_COLUMNS, int64, int64, int64, _WORDS, _BYTES, int64, _INTS),
        parquet_pages.encode_dictionary: (_COLUMNS, int64, _PAGE_SCRATCH, _BYTES, int64, int64, _INTS),
        parquet_pages.encode_indices: (_COLUMNS, int64, int64, int64, _PAGE_SCRATCH, _BYTES, int64, _INTS),
    },
    "changes": {changes.translate_changes: (_BYTES, _PATTERNS, _BYTES, _INTS)},
    "ion": {ion_lines.translate_ion: (_BYTES, _BYTES, _INTS, _SCRATCH)},
    "merge": {
        superseded_lines.merge_lines: (_BYTES, _PATTERNS, _KEY_TABLE, _INTS, _BYTES, _SCRATCH),
        changed_keys.record_key: (_BYTES, int64, int64, _KEY_TABLE, _INTS),
        changed_keys.find_key: (_BYTES, int64, int64, _KEY_TABLE),
        changed_keys.find_rows: (_BYTES, _INTS, _INTS, _KEY_TABLE, _BYTES),
        changed_keys.index_keys: (_KEY_TABLE, _INTS),
    },
    "members": {unknown_members.remove_unknown_members: (_BYTES, _PATTERNS, _BYTES, _INTS, _SCRATCH)},
    "conditions": {conditions.filter_items: (_BYTES, _TESTS, _INTS, _BYTES, _SCRATCH)},
    "csv": {
        csv_rows.write_rows: (_COLUMNS, int64, int64, _INTS, _BYTES, _INTS),
        moves.move_values: (_COLUMNS, _COLUMNS),
    },
}


def _document_stub(
    data: Any, at: int, tag: int, target: Any, o: int, limit: int, form: tuple[bool, bool, bool], scratch: Any
) -> tuple[int, int]:
    return at, o


def _time_stub(
    block: Any, at: int, field: int, row: int, fields: Any, columns: Any, state: Any, scratch: Any
) -> tuple[int, int]:
    return at, field


_SHARED: Final[dict[Any, tuple[tuple[Any, ...], Any]]] = {
    documents.copy_document: (
        (_BYTES, int64, int64, _BYTES, int64, int64, UniTuple(boolean, 3), _SCRATCH),
        _document_stub,
    ),
    timestamps.decode_time: ((_BYTES, int64, int64, int64, _FIELDS, _COLUMNS, _INTS, _SCRATCH), _time_stub),
}
"""Functions of the part `values` that other parts call, with their signatures and stubs: what they take and give."""

_CALLED_BY: Final[dict[str, tuple[Any, ...]]] = {
    "values": tuple(_SHARED),
    "items": tuple(_SHARED),
    "merge": (documents.copy_document,),
    "conditions": (documents.copy_document,),
}
"""Which of them a part holds or calls."""

# The functions that machine code may call: every process has them in its C library.
_LIBRARY = frozenset({"memcpy", "memmove", "memset", "memcmp", "bcmp"})


def emit_kernels(part: str) -> bytes:
    """The kernels of one part as an object file in which each has its name and takes the address of a frame."""
    cpu_target.target_context._internal_codegen = _Translator("kernels")
    roots: dict[_Library, None] = {}
    fronts, symbols, stubs = {}, {}, set()
    shared = _CALLED_BY.get(part, ())
    for function in shared if part != "values" else ():
        # After the part `values`, in the same process, the function itself is there already and its code is left out.
        if not function.overloads:
            function._compiler.py_func = _SHARED[function][1]
    for kernel, signature in _KERNELS[part].items():
        kernel.targetoptions |= NO_WRAPPERS
        compiled = _translate(kernel, signature)
        roots[compiled.library] = None
        fronts[kernel.py_func.__name__] = compiled.fndesc.llvm_func_name
    for function in shared:
        compiled = _translate(function, _SHARED[function][0])
        symbols[compiled.fndesc.llvm_func_name] = _symbol(function)
        if part == "values":
            roots[compiled.library] = None
        else:
            stubs.add(compiled.library)
    module = _link(list(_all_libraries(roots, stubs)))
    for name, symbol in symbols.items():
        module.get_function(name).name = symbol
    for name, native in fronts.items():
        module.link_in(llvm.parse_assembly(_front(name, module.get_function(native))))
    _optimize(module, {*fronts, *symbols.values()})
    _check_calls(module)
    code: bytes = create_target_machine().emit_object(module)
    return code


def main() -> None:
    """Write the object files of the parts that the command line names, after the folder for them."""
    gc.disable()
    folder, *parts = sys.argv[1:]
    for part in parts:
        Path(folder, f"{part}.o").write_bytes(emit_kernels(part))


def _symbol(function: Any) -> str:
    return f"ddb_convert_{function.__name__}"


class _Library(JITCodeLibrary):  # type: ignore[misc]
    """A function's modules as Numba writes them, and the libraries that it calls. Nothing is compiled."""

    def __init__(self, translator: Any, name: str) -> None:
        CodeLibrary.__init__(self, translator, name)
        self.modules: list[Any] = []
        self.callees: list[_Library] = []

    def add_linking_library(self, library: _Library) -> None:
        self.callees.append(library)

    def add_ir_module(self, module: Any) -> None:
        self.modules.append(module)

    def finalize(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002
        return 0


class _Translator(JITCPUCodegen):  # type: ignore[misc]
    _library_class = _Library

    def set_env(self, name: str, environment: Any) -> None:
        """Nothing: the kernels never enter Python."""


def _translate(dispatcher: Any, signature: tuple[Any, ...]) -> Any:
    dispatcher.compile(signature)
    if list(dispatcher.overloads) != [signature]:
        raise ConvertError(f"{dispatcher} is called as {list(dispatcher.overloads)}", hint="this is a bug: report it")
    return dispatcher.overloads[signature]


def _all_libraries(roots: dict[_Library, None], stubs: set[_Library]) -> dict[_Library, None]:
    """The libraries and all that they call but stubs, each once, in an order that is always the same."""
    found = dict(roots)
    ahead = list(roots)
    while ahead:
        for callee in ahead.pop().callees:
            if callee not in found and callee not in stubs:
                found[callee] = None
                ahead.append(callee)
    return found


def _link(libraries: list[_Library]) -> Any:
    linked: Any = None
    for library in libraries:
        for text in library.modules:
            module = llvm.parse_assembly(cgutils.normalize_ir_text(str(text)))
            if linked is None:
                linked = module
            else:
                linked.link_in(module)
    return linked


def _front(name: str, native: Any) -> str:
    """The LLVM code of a function that loads a kernel's arguments from a frame and calls it."""
    declared = [str(argument.type) for argument in native.arguments]
    # The first two are where the result and an exception go.
    lines = [
        f"declare i32 @{native.name}({', '.join(declared)})",
        f"define i64 @{name}(ptr %frame) {{",
        "%result = alloca i64",
        "%exception = alloca ptr",
        "store i64 0, ptr %result",
    ]
    arguments = ["ptr %result", "ptr %exception"]
    for number, type_name in enumerate(declared[2:]):
        lines.append(f"%place{number} = getelementptr i64, ptr %frame, i64 {number}")
        lines.append(f"%number{number} = load i64, ptr %place{number}")
        if type_name == "i64":
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
    return "\n".join(lines)


def _optimize(module: Any, names: set[str]) -> None:
    """Optimize a module of which others see only `names`."""
    for function in module.functions:
        if not function.is_declaration and function.name not in names:
            function.linkage = llvm.Linkage.internal
    module.verify()
    builder = llvm.create_pass_builder(create_target_machine(), llvm.create_pipeline_tuning_options(speed_level=3))
    # Before the hot ones are copied into their callers, where there would be more of them to simplify.
    simplify = llvm.create_new_module_pass_manager()
    simplify.add_sroa_pass()
    simplify.add_instruction_combine_pass()
    simplify.add_simplify_cfg_pass()
    simplify.run(module, builder)
    builder.getModulePassManager().run(module, builder)


def _check_calls(module: Any) -> None:
    """Raise ConvertError if the code calls what only a process with Numba has: LLVM would end the process there."""
    calls = {function.name for function in module.functions if function.is_declaration}
    ours = set(map(_symbol, _SHARED))
    strange = sorted(name for name in calls - _LIBRARY - ours if not name.startswith("llvm."))
    if strange:
        raise ConvertError(f"the kernels call {', '.join(strange)}", hint="this is a bug in ddb-convert: report it")
