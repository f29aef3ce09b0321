"""Number of CPUs that a process may use, which is the default number of workers."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


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
