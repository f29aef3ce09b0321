"""How many CPUs are used: those that are there, less where a container has less; and which can't be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from converter.cpus import check_cpu, usable_cpus
from converter.errors import ConvertError

CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.parametrize(
    ("limit", "usable"),
    [
        ("max 100000", CPUS),
        ("50000 100000", 1),
        ("100000 100000", 1),
        ("100001 100000", min(2, CPUS)),
        ("6400000 100000", min(64, CPUS)),
        ("0 0", CPUS),
        ("nonsense", CPUS),
        ("a b", CPUS),
    ],
)
def test_a_quota_of_the_control_group_bounds_the_cpus(tmp_path: Path, limit: str, usable: int) -> None:
    (tmp_path / "cpu.max").write_text(limit + "\n")
    assert usable_cpus(tmp_path) == usable


@pytest.mark.parametrize(("quota", "usable"), [("-1", CPUS), ("25000", 1)])
def test_a_quota_of_the_first_version_of_control_groups_does_so_too(tmp_path: Path, quota: str, usable: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cpus(tmp_path) == usable


def test_without_control_groups_all_cpus_are_used(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path) == CPUS


def test_a_cpu_without_the_instructions_that_libraries_need_is_an_error(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu sse sse2 ssse3 sse4_1\nbugs\t\t: sse4_2\n")
    with pytest.raises(ConvertError, match=r"does not have the instructions SSE4\.2") as caught:
        check_cpu(cpuinfo)
    assert "choose a CPU model with SSE4.2" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["processor\t: 0\nflags\t\t: fpu sse4_2 popcnt\n", "Features\t: fp asimd\n", ""])
def test_other_cpus_and_systems_that_do_not_say_are_not_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    check_cpu(tmp_path / "cpuinfo")
    check_cpu(tmp_path / "missing")
