"""The machine that the kernels are compiled for: one baseline for each kind of CPU, so that a wheel runs everywhere."""

from __future__ import annotations

import platform
from typing import Any, Final

import llvmlite.binding as llvm

from converter.errors import ConvertError

# x86-64-v2 (https://gitlab.com/x86-psABIs/x86-64-ABI) is SSE4.2 and POPCNT, which PyArrow's wheels need too: all CPUs
# since 2009 have it. AVX2 and AVX-512 measure within noise of it on whole conversions. LLVM's generic 64-bit Arm is
# ARMv8.0 with NEON.
_BASELINES: Final[dict[str, str]] = {
    "x86_64": "x86-64-v2",
    "AMD64": "x86-64-v2",
    "aarch64": "generic",
    "arm64": "generic",
}
"""By the name that `platform` has for a machine, LLVM's name of the baseline."""


def create_target_machine() -> Any:
    """Return LLVM's description of the baseline of this machine. Raises ConvertError for an unsupported one."""
    machine = platform.machine()
    if machine not in _BASELINES:
        raise ConvertError(
            f"the kernels can't be built for {machine or 'an unknown machine'}",
            hint=f"build on one of: {', '.join(_BASELINES)}",
        )
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=_BASELINES[machine], features="", opt=3, reloc="pic", codemodel="small", jit=False
    )
