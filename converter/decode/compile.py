"""How the kernels are compiled: the decorators that they wear.

Numba compiles a function at its first call. A conversion never calls one through Numba: `emit.py` turns all of them
into one object file. Only bounds-checked runs and tests call them directly, and Numba caches those in our own folder,
because its cache is keyed by a kernel's own source file: an edited callee in another file, bounds checking or the
form of the kernels would go unnoticed. The folder is set around our own decorations only: the host process may use
Numba for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numba
from numba.core import config
from numba.core.types.misc import unliteral

from converter.decode.cache import BOUNDS_CHECKED, cache_folder

_F = TypeVar("_F", bound=Callable[..., Any])

# The kernels allocate nothing. With _nrt Numba would count references around every access to an array.
OPTIONS = {"nogil": True, "boundscheck": BOUNDS_CHECKED, "_nrt": False}
NATIVE_OPTIONS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""For functions that Python never calls: without what it would need, they compile much faster."""

_FOLDER = cache_folder()


def kernel(function: _F) -> _F:
    """Compile `function` with Numba: without the GIL, bounds-checked if asked."""
    return _compiled(function, cache=_FOLDER is not None)


def inner(function: _F) -> _F:
    """The same for a function that only kernels call."""
    return _compiled(function, **NATIVE_OPTIONS)


def inlined(function: _F) -> _F:
    """The same, and always copied into its callers: for hot functions with many arguments."""
    return _compiled(function, **NATIVE_OPTIONS, forceinline=True)


def _compiled(function: _F, **options: bool) -> _F:
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_FOLDER) if _FOLDER else before
    try:
        dispatcher = numba.njit(**OPTIONS, **options)(function)
    finally:
        config.CACHE_DIR = before
    _forget_literals(dispatcher)
    return dispatcher  # type: ignore[no-any-return]


def _forget_literals(dispatcher: Any) -> None:
    """Compile a function once for all integers: Numba would compile `put` anew for each constant it is called with."""
    ask = dispatcher.get_call_template

    def get_call_template(arguments: Sequence[Any], keywords: Any) -> Any:
        return ask(tuple(unliteral(argument) for argument in arguments), keywords)

    dispatcher.get_call_template = get_call_template
