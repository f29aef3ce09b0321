"""How many CPUs a process may keep busy, which is how many workers convert by default."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def usable_cpus(cgroups: Path = CGROUPS) -> int:
    """CPUs that this process may use: those of its affinity mask, or fewer where a container has less of their time.

    `docker run --cpus 2` and limits of Kubernetes hide no CPU; they are quotas of the control group, which a container
    sees at the root of `cgroups`. A part of a CPU counts as a whole one.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    """
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota(cgroups)
    return max(seen or 1 if quota is None else min(seen or 1, ceil(quota)), 1)


def _quota(cgroups: Path) -> float | None:
    """The CPUs' worth of time that the control group has, by its second version or its first; None without a limit."""
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
        # `max`, or -1 in the first version, is no limit.
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else None
    except ValueError:
        return None
