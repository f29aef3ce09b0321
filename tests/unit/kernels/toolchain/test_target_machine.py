"""The machine that the code is for: the CPU at hand, or a baseline that other machines have too."""

from __future__ import annotations

import llvmlite.binding as llvm
import pytest

from converter.errors import ConvertError, UsageError
from converter.kernels.toolchain.object_file import is_object_file
from converter.kernels.toolchain.target_machine import create_target_machine, describe_cpu, require_cpu


def test_the_cpu_is_the_one_at_hand_unless_the_baseline_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DDB_CONVERT_CPU", raising=False)
    native = describe_cpu()
    assert native.startswith(f"{llvm.get_host_cpu_name()} ")
    for same in ("", "native"):
        monkeypatch.setenv("DDB_CONVERT_CPU", same)
        assert describe_cpu() == native
    monkeypatch.setenv("DDB_CONVERT_CPU", "i486")
    with pytest.raises(UsageError, match="no CPU 'i486'"):
        describe_cpu()


@pytest.mark.parametrize(
    ("machine", "name"), [("x86_64", "x86-64-v3"), ("AMD64", "x86-64-v3"), ("aarch64", "generic"), ("arm64", "generic")]
)
def test_the_baseline_is_the_same_whatever_the_cpu_at_hand(
    machine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setenv("DDB_CONVERT_CPU", "baseline")
    assert describe_cpu() == f"{name} "
    monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: "znver9")
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: llvm.FeatureMap({"sse2": True}))
    assert describe_cpu() == f"{name} "


def test_where_no_baseline_is_known_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "ppc64le")
    monkeypatch.setenv("DDB_CONVERT_CPU", "baseline")
    with pytest.raises(UsageError, match="no baseline for ppc64le"):
        describe_cpu()


def test_a_cpu_without_a_feature_of_the_baseline_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("DDB_CONVERT_CPU", "baseline")
    features = llvm.get_host_cpu_features()
    monkeypatch.setattr(
        llvm, "get_host_cpu_features", lambda: llvm.FeatureMap(features | {"avx2": False, "bmi": False})
    )
    with pytest.raises(ConvertError, match=r"has no avx2, bmi(, |$|,? and )"):
        require_cpu()
    monkeypatch.setenv("DDB_CONVERT_CPU", "native")
    require_cpu()


def test_code_for_the_machine_is_an_object_file_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in ("native", "baseline"):
        monkeypatch.setenv("DDB_CONVERT_CPU", wanted)
        module = llvm.parse_assembly("define i64 @one() { ret i64 1 }")
        assert is_object_file(create_target_machine().emit_object(module))
