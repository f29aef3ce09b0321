"""The machine that the kernels' code is for, and what its compiler and its caller agree on.

DDB_CONVERT_CPU says which CPU: `native`, the one at hand, unless it is set, or `baseline`, what the servers of the last
ten years have in common. Code for the baseline can be made on one machine and used on others, as images need it.
"""

from __future__ import annotations

import os
import platform
from typing import Any, Final

import llvmlite.binding as llvm

from converter.errors import ConvertError, UsageError

FAILED: Final = -(1 << 63)
"""The result of a kernel that has raised an exception. None of them does."""

CPU: Final = "DDB_CONVERT_CPU"
"""The environment variable that says for which CPU the machine code is: `native` or `baseline`."""

_X86_64_V3: Final = (
    *("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3"),
    *("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"),
)

# AWS names no CPU for Fargate (https://github.com/aws/containers-roadmap/issues/1538). The level v3 of x86-64
# (https://gitlab.com/x86-psABIs/x86-64-ABI) is AVX2 and what came with it in 2013: Haswell and all EPYCs have it, and
# Polars' wheels need it too. The next level is AVX-512, which EPYCs lack up to Zen 3. LLVM's generic 64-bit Arm is
# ARMv8.0 with NEON, which all have, so nothing need be looked for; the plain form of the kernels, which runs there, has
# no use for what came later.
_BASELINES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "x86_64": ("x86-64-v3", _X86_64_V3),
    "AMD64": ("x86-64-v3", _X86_64_V3),
    "aarch64": ("generic", ()),
    "arm64": ("generic", ()),
}
"""By what `platform` calls the machine: LLVM's names of the baseline, and of the features that are in it."""


def describe_cpu() -> str:
    """LLVM's name of the CPU that the machine code is for, and its features after a space.

    Raises UsageError for an unknown DDB_CONVERT_CPU, and where there is no baseline.
    """
    if _is_native():
        return f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    name, _ = _baseline()
    return f"{name} "


def require_cpu() -> None:
    """Raise ConvertError if the CPU at hand can't run code for the one of `describe_cpu`: it would end the process."""
    if _is_native():
        return
    name, needed = _baseline()
    here = llvm.get_host_cpu_features()
    missing = [feature for feature in needed if not here.get(feature, False)]
    if missing:
        raise ConvertError(
            f"this CPU ({llvm.get_host_cpu_name()}) has no {', '.join(missing)}, and {CPU}=baseline is {name}",
            hint=f"set {CPU}=native: the first run on a machine then compiles for its own CPU",
        )


def create_target_machine() -> Any:
    """LLVM's description of the machine that the code is made for."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, _, features = describe_cpu().partition(" ")
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=name, features=features, opt=3, jit=True, reloc="static", codemodel="jitdefault"
    )


def _is_native() -> bool:
    wanted = os.environ.get(CPU) or "native"
    if wanted not in ("native", "baseline"):
        raise UsageError(f"there is no CPU {wanted!r}", CPU, "say native or baseline, or leave it out")
    return wanted == "native"


def _baseline() -> tuple[str, tuple[str, ...]]:
    kind = platform.machine()
    if kind not in _BASELINES:
        raise UsageError(f"there is no baseline for {kind}", CPU, "say native, or leave it out")
    return _BASELINES[kind]
