"""The decorators of kernels: what is compiled computes the same, once for all integers."""

from __future__ import annotations

import numpy as np
import pytest
from numba.core import config

from converter.kernels.layout import State
from converter.kernels.toolchain.decorators import inlined, inner, kernel


@inner
def added(numbers: State, number: int) -> int:
    total = number
    for k in range(numbers.size):
        total += numbers[k]
    return total


@inlined
def doubled(number: int) -> int:
    return 2 * number


@kernel
def computed(numbers: State, number: int) -> int:
    return added(numbers, doubled(number)) + added(numbers, 1) + added(numbers, 2)


def test_kernels_and_the_functions_that_they_call_compute_what_they_say() -> None:
    numbers = np.array([3, 4, 5], np.int64)
    assert computed(numbers, 10) == 12 * 3 + 20 + 1 + 2


def test_a_function_is_compiled_once_for_variables_and_all_literals() -> None:
    computed(np.zeros(1, np.int64), 1)
    assert len(added.overloads) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("decorator", [kernel, inner, inlined])
def test_decorating_a_kernel_leaves_the_hosts_configuration_as_it_was(
    decorator: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", "the host's own")
    assert callable(decorator)

    def one() -> int:
        return 1

    decorator(one)
    assert config.CACHE_DIR == "the host's own"
