"""The machine that the kernels' code is made for, and what who makes it and who calls it agree on."""

from __future__ import annotations

import os
from typing import Any, Final

import llvmlite.binding as llvm

FAILED: Final = -(1 << 63)
"""What a kernel's front gives when the kernel has raised, which none of them ever does."""


def describe_cpu() -> str:
    """The CPU that the machine code is for: this one, or what NUMBA_CPU_NAME and NUMBA_CPU_FEATURES say.

    An image that runs on many machines sets them to what all of these have.
    """
    name = os.environ.get("NUMBA_CPU_NAME")
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = "" if name else llvm.get_host_cpu_features().flatten()
    return f"{name or llvm.get_host_cpu_name()} {features}"


def create_target_machine() -> Any:
    """LLVM's description of the machine that the code is made for."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, _, features = describe_cpu().partition(" ")
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=name, features=features, opt=3, jit=True, reloc="static", codemodel="jitdefault"
    )
