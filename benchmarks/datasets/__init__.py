"""The data sets: each makes lines by the batch, as fast as numpy and plain formatting go, and says what to check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.datasets import flat, single


@dataclass(frozen=True, slots=True)
class DataSet:
    """One kind of data.

    make_lines: so many lines, each with its newline; all that is random comes from the generator.
    texts, numbers: the scalar columns whose contents every contender's output must agree on.
    """

    name: str
    about: str
    make_lines: Callable[[np.random.Generator, int], list[str]]
    texts: tuple[str, ...]
    numbers: tuple[str, ...]


DATASETS = {
    data.name: data
    for data in (
        DataSet("flat", flat.ABOUT, flat.make_lines, flat.TEXTS, flat.NUMBERS),
        DataSet("single", single.ABOUT, single.make_lines, single.TEXTS, single.NUMBERS),
    )
}
