"""Loads the kernels' machine code and calls it.

A call passes one address: of a frame, int64 numbers that hold what the kernel's native arguments are made of. Numba
takes an array apart like this, and the function that `emit.py` puts in front of each kernel loads them:

    (memory info 0, parent 0, items, bytes an item, address, shape of each dimension, strides of each dimension)

An int is itself, and a tuple of arrays is one array after the other.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import accumulate, chain
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from converter.errors import ConvertError, no_memory_error, says_no_memory
from converter.kernels.toolchain.cache import OTHER_SOURCES, PARTS, SOURCE_HASH, keep_machine_code, read_machine_code
from converter.kernels.toolchain.object_file import is_object_file
from converter.kernels.toolchain.target_machine import FAILED, create_target_machine, describe_cpu, require_cpu
from converter.subprocesses import CURRENT_DIRECTORY, python_command, python_environment

_PART_OF = {
    "encode_dictionary": "pages",
    "encode_indices": "pages",
    "encode_page": "pages",
    "find_key": "merge",
    "find_rows": "merge",
    "index_keys": "merge",
    "record_key": "merge",
    "merge_lines": "merge",
    "translate_changes": "changes",
    "remove_unknown_members": "members",
    "write_rows": "csv",
}

_lock = threading.Lock()
_engine: Any = None
_loaded: set[str] = set()
_expected = {"items", "values"}


def expect(parts: Iterable[str]) -> bool:
    """Say which parts will be needed, so that they are compiled at the same time as those for reading.

    True if they have been before, on this machine.
    """
    _expected.update(parts)
    return all(part in _loaded or read_machine_code(describe_cpu(), part) for part in _expected)


class Kernel:
    """A kernel as a function of arrays, ints and tuples of arrays. Compiles it if no process has before.

    An argument that is the same object as in the last call is not taken apart again: that would take longer than 30 KB
    of lines. So it is for one thread, and keeps references to its last arguments.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(
            _load(_PART_OF.get(name, "items")).get_function_address(name)
        )
        self._last: tuple[object, ...] = ()
        self._places: list[int] = []
        self._frame = array("q")

    def __call__(self, *arguments: object) -> int:
        """Run it outside the GIL."""
        if len(self._last) != len(arguments):
            parts = [_take_apart(argument) for argument in arguments]
            self._places = [0, *accumulate(map(len, parts))]
            self._frame = array("q", chain.from_iterable(parts))
        else:
            for number, (argument, last) in enumerate(zip(arguments, self._last, strict=True)):
                if argument is not last:
                    begin, end = self._places[number : number + 2]
                    self._frame[begin:end] = array("q", _take_apart(argument))
        self._last = arguments
        frame = self._frame
        result: int = self._run(frame.buffer_info()[0])
        if result == FAILED:
            what = f"the kernel {self._name} has failed"
            raise ConvertError(what, hint="this is a bug in ddb-convert: please report it")
        return result


def _load(part: str) -> Any:
    """The engine, with this part in it and all that are expected."""
    global _engine
    with _lock:
        if part not in _loaded:
            if _engine is None:
                require_cpu()
                _engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), create_target_machine())
            wanted = [name for name in PARTS if name not in _loaded and (name in _expected or name == part)]
            for code in machine_code(wanted).values():
                _engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            _engine.finalize_object()
            _loaded.update(wanted)
    return _engine


def machine_code(parts: Sequence[str]) -> dict[str, bytes]:
    """The object files of these parts, by part: from the cache, or made now and kept there."""
    cpu = describe_cpu()
    codes = {part: read_machine_code(cpu, part) for part in parts}
    missing = [part for part, code in codes.items() if code is None]
    # The items take about as long as all others.
    groups = [[part for part in missing if part == "items"], [part for part in missing if part != "items"]]
    with ExitStack() as stack:
        compilers = [(group, _start_compiler(group, stack)) for group in groups if group]
        for group, compiler in compilers:
            made, errors = compiler.communicate()
            new = list(_compiled(made, errors, compiler.returncode))
            for part, code in zip(group, new, strict=True):
                keep_machine_code(cpu, part, code)
                codes[part] = code
    return {part: code for part, code in codes.items() if code is not None}


def _start_compiler(parts: Sequence[str], stack: ExitStack) -> subprocess.Popen[bytes]:
    """A process with this Python and this package that writes the object files of these parts to its stdout."""
    try:
        compiler = subprocess.Popen(
            python_command("converter.kernels.toolchain.emit", [SOURCE_HASH, *parts]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=CURRENT_DIRECTORY,
            env=python_environment(),
        )
    except OSError as error:
        raise ConvertError(f"no process that compiles the decoder can be started: {error}", sys.executable) from error
    stack.enter_context(compiler)
    stack.callback(compiler.kill)
    return compiler


def _compiled(made: bytes, errors: bytes, exit_code: int) -> Iterator[bytes]:
    """The object files that a process has written. Raises ConvertError if it failed."""
    if exit_code == OTHER_SOURCES:
        what = "the decoder could not be compiled: the program's files have changed since this run began"
        raise ConvertError(what, hint="run the same command again")
    if exit_code != 0:
        text = errors.decode(errors="replace").strip()
        if says_no_memory(text):
            raise no_memory_error()
        last_line = text.rpartition("\n")[2]
        what = f"the decoder could not be compiled: {last_line}"
        raise ConvertError(what, hint="this is a bug in ddb-convert: please report it")
    while made:
        size = int.from_bytes(made[:8], "little")
        code, made = made[8 : 8 + size], made[8 + size :]
        if len(code) != size or not is_object_file(code):
            what = "the decoder could not be compiled: what was made is not an object file for this machine"
            raise ConvertError(what, hint="this is a bug in ddb-convert: please report it")
        yield code


def _take_apart(value: Any) -> list[int]:
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous:
            raise ValueError("a kernel takes contiguous arrays only")
        return [0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]
    if isinstance(value, tuple):
        return [number for member in value for number in _take_apart(member)]
    return [value]
