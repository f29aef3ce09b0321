"""The number of CPUs that a process may use, and the check that they can run the kernels."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

from converter.errors import ConvertError

CPUINFO = Path("/proc/cpuinfo")
CGROUPS = Path("/sys/fs/cgroup")


def check_cpu(cpuinfo: Path = CPUINFO) -> None:
    """Raise ConvertError on an x86-64 CPU without SSE4.2, where NumPy, PyArrow, and the kernels end the process.

    Call it before NumPy is imported. CPUs have had SSE4.2 since 2009, but some models of virtual machines hide it.
    """
    try:
        with cpuinfo.open("rb") as file:
            # The first CPU comes first, and there may be hundreds.
            lines = file.read(8192).splitlines()
    except OSError:
        return
    flags = next((line.split() for line in lines if line.startswith(b"flags")), [b"sse4_2"])
    if b"sse4_2" not in flags:
        raise ConvertError(
            "this CPU does not have the instructions SSE4.2",
            hint="use a CPU of 2009 or later; in a virtual machine, choose a CPU model with SSE4.2, such as host",
        )


def usable_cpus(cgroups: Path = CGROUPS) -> int:
    """Return the number of CPUs that this process may use: those of its affinity mask, limited by the CPU quota.

    `docker run --cpus 2` and Kubernetes limits do not hide CPUs. They set a quota of the control group, which a
    container finds at the root of `cgroups`. A fraction of a CPU counts as a whole one.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    """
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota(cgroups)
    return max(seen or 1 if quota is None else min(seen or 1, ceil(quota)), 1)


def _quota(cgroups: Path) -> float | None:
    """Return the quota of the control group (version 2 or 1) in CPUs, or None without a limit."""
    try:
        quota, period = (cgroups / "cpu.max").read_text("ascii").split()
    except (OSError, ValueError):
        try:
            quota, period = (
                (cgroups / "cpu" / f"cpu.cfs_{name}_us").read_text("ascii") for name in ("quota", "period")
            )
        except OSError:
            return None
    try:
        # `max`, or -1 in version 1, means that there is no limit.
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else None
    except ValueError:
        return None
