"""The data sets: each makes lines by the batch, as fast as numpy and plain formatting go, and says what to check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.datasets import changes, cjk, dynamic_keys, escapes, flat, large_items, lists, single, sparse


@dataclass(frozen=True, slots=True)
class DataSet:
    """One kind of data.

    make_lines: return this many lines, each with its newline, using only the random generator.
    texts, numbers: the scalar columns whose contents every contender's output must agree on.
    line_bytes: about so long is a line. incremental: lines are changes, of an incremental export.
    """

    name: str
    about: str
    make_lines: Callable[[np.random.Generator, int], list[str]]
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    line_bytes: int
    incremental: bool = False


class _Module(Protocol):
    """Contents of the module of a data set."""

    @property
    def ABOUT(self) -> str: ...  # noqa: N802 (a constant of the module)
    @property
    def TEXTS(self) -> tuple[str, ...]: ...  # noqa: N802
    @property
    def NUMBERS(self) -> tuple[str, ...]: ...  # noqa: N802
    @property
    def LINE_BYTES(self) -> int: ...  # noqa: N802
    def make_lines(self, rng: np.random.Generator, count: int, /) -> list[str]: ...


def _data_set(name: str, module: _Module) -> DataSet:
    incremental = getattr(module, "INCREMENTAL", False)
    return DataSet(name, module.ABOUT, module.make_lines, module.TEXTS, module.NUMBERS, module.LINE_BYTES, incremental)


DATASETS = {
    data.name: data
    for data in (
        _data_set("flat", flat),
        _data_set("changes", changes),
        _data_set("single", single),
        _data_set("lists", lists),
        _data_set("dynamic-keys", dynamic_keys),
        _data_set("sparse", sparse),
        _data_set("large-items", large_items),
        _data_set("escapes", escapes),
        _data_set("cjk", cjk),
    )
}
