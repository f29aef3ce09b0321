"""The library of the kernels, which is built with the package, and the calls of its functions.

A call passes one address: of a frame, int64 numbers that hold a kernel's native arguments. Numba takes an array apart
like this, and the function that `toolchain/emit.py` puts in front of each kernel loads the numbers:

    (memory info 0, parent 0, items, bytes an item, address, shape of each dimension, strides of each dimension)

An int is itself. A tuple of arrays is one array after the other.
"""

from __future__ import annotations

import ctypes
from array import array
from functools import cache
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from converter.errors import ConvertError
from converter.kernels.form import FORM
from converter.kernels.source_digest import hash_sources

NATIVE: Final = Path(__file__).parent / "native"
"""The folder of the library, in the package."""

FAILED: Final = -(1 << 63)
"""The result of a kernel that has raised an exception. None of them does."""

_INSTALL_AGAIN: Final = "install the package again; in a checkout, run `make kernels`"

_FUNCTION: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)


class Kernel:
    """A kernel as a function of arrays, ints and tuples of arrays. The library is loaded with the first one.

    An argument that is the same object as in the last call is not taken apart again: that would take longer than 30 KB
    of lines. So it is for one thread, and keeps references to its last arguments.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._run = _FUNCTION((name, _library()))
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


def library_name(digest: str | None = None) -> str:
    """Return the file name of the library for these sources and this form; digest: of other sources."""
    return f"kernels-{FORM}-{hash_sources() if digest is None else digest}.so"


@cache
def _library() -> ctypes.CDLL:
    """Load the library. Raises ConvertError if there is none, if it is of other sources, or of another machine."""
    path = _find_library()
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise ConvertError(f"the kernels can't be loaded: {error}", str(path), _INSTALL_AGAIN) from error


def _find_library() -> Path:
    name = library_name()
    path = NATIVE / name
    if path.is_file():
        return path
    built = sorted(NATIVE.glob(f"kernels-{FORM}-*.so"))
    # A package without sources: nothing tells what they were.
    if name == library_name("") and len(built) == 1:
        return built[0]
    if built:
        raise ConvertError("the kernels were built from other sources than these", str(built[0]), _INSTALL_AGAIN)
    raise ConvertError("there are no kernels: they are built when the package is installed", str(path), _INSTALL_AGAIN)


def _take_apart(value: Any) -> list[int]:
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous:
            raise ValueError("a kernel takes contiguous arrays only")
        return [0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]
    if isinstance(value, tuple):
        return [number for member in value for number in _take_apart(member)]
    return [value]
