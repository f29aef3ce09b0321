"""The decorators of kernels, which compile them.

Numba compiles a function at its first call. A conversion never calls one through Numba: `emit.py` turns all of them
into object files when the package is built. Only bounds-checked runs and tests call them directly. Numba caches those
of bounds-checked runs in a folder for these sources, because its cache is keyed by a kernel's own source file: an
edited callee in another file would go unnoticed. The folder is set around our own decorations only: the host process
may use Numba for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numba
from numba.core import config, typed_passes, untyped_passes
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import PassManager
from numba.core.types.misc import unliteral

from converter.kernels.form import BOUNDS_CHECKED
from converter.kernels.library import NATIVE
from converter.kernels.source_digest import hash_sources

_F = TypeVar("_F", bound=Callable[..., Any])


class _Passes(CompilerBase):  # type: ignore[misc]
    """The passes of Numba that kernels need: none that rewrites, or searches for closures and literals to unroll."""

    def define_pipelines(self) -> list[PassManager]:
        passes = PassManager("kernels")
        passes.add_pass(untyped_passes.TranslateByteCode, "bytecode")
        passes.add_pass(untyped_passes.FixupArgs, "arguments")
        passes.add_pass(untyped_passes.IRProcessing, "intermediate form")
        passes.add_pass(untyped_passes.ReconstructSSA, "one assignment a variable")
        passes.add_pass(typed_passes.NopythonTypeInference, "types")
        passes.add_pass(typed_passes.PreLowerStripPhis, "no phi nodes")
        passes.add_pass(typed_passes.IRLegalization, "what can't be lowered")
        passes.add_pass(typed_passes.NativeLowering, "lowering")
        passes.add_pass(typed_passes.NoPythonBackend, "result")
        passes.finalize()
        return [passes]


# The kernels allocate nothing. With _nrt Numba would count references around every access to an array.
_OPTIONS = {"nogil": True, "boundscheck": BOUNDS_CHECKED, "_nrt": False, "pipeline_class": _Passes}
NO_WRAPPERS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""For functions that Python never calls: without what it would need, they compile much faster."""

_FOLDER = NATIVE / f"checked-{hash_sources()}" if BOUNDS_CHECKED else None


def kernel(function: _F) -> _F:
    """Compile `function` with Numba: without the GIL, bounds-checked if asked."""
    return _compiled(function, **_OPTIONS, cache=_FOLDER is not None)


def inner(function: _F) -> _F:
    """The same for a function that only kernels call."""
    return _compiled(function, **_OPTIONS, **NO_WRAPPERS)


def inlined(function: _F) -> _F:
    """The same, and always copied into its callers: for hot functions with many arguments."""
    return _compiled(function, **_OPTIONS, **NO_WRAPPERS, forceinline=True)


def _compiled(function: _F, **options: object) -> _F:
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_FOLDER) if _FOLDER else before
    try:
        dispatcher = numba.njit(**options)(function)
    finally:
        config.CACHE_DIR = before
    _forget_literals(dispatcher)
    return dispatcher  # type: ignore[no-any-return]


def _forget_literals(dispatcher: Any) -> None:
    """Compile a function once for all integers: Numba would compile `put` again for each constant argument."""
    ask = dispatcher.get_call_template

    def get_call_template(arguments: Sequence[Any], keywords: Any) -> Any:
        return ask(tuple(unliteral(argument) for argument in arguments), keywords)

    dispatcher.get_call_template = get_call_template
