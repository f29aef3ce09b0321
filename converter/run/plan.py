"""The plan: which data files one worker turns into parts. From the manifest alone, so that it's the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from converter.export.manifest import DataFile

# The manifest has no sizes, only item counts. An export is cut into eight shards, so that several workers have
# something to do, but of no fewer than SMALL_SHARD items each, and no more than LARGE_SHARD unless a data file has.
_SMALL_SHARD = 25_000
_LARGE_SHARD = 250_000
_ENOUGH_SHARDS = 8
_SAMPLED_FILES = 16


@dataclass(frozen=True, slots=True)
class Shard:
    """Data files, in the manifest's order, that become one part, or several when they are large."""

    index: int
    files: tuple[DataFile, ...]

    @property
    def items(self) -> int:
        """Items by the manifest."""
        return sum(file.items for file in self.files)


def plan_shards(files: Sequence[DataFile]) -> list[Shard]:
    """Cut the files, in their order, into shards of about the same number of items.

    A function of the item counts only: not of the workers or the machine. Files without items need not be listed
    apart: they go with their neighbours, because their md5 is checked too.
    """
    total = sum(file.items for file in files)
    target = min(max(-(-total // _ENOUGH_SHARDS), _SMALL_SHARD), _LARGE_SHARD)
    shards: list[Shard] = []
    pending: list[DataFile] = []
    items = 0
    for file in files:
        if pending and items and items + file.items > target:
            shards.append(Shard(len(shards), tuple(pending)))
            pending, items = [], 0
        pending.append(file)
        items += file.items
    if pending:
        shards.append(Shard(len(shards), tuple(pending)))
    return shards


def sampled_files(files: Sequence[DataFile]) -> list[DataFile]:
    """Up to 16 files that hold items, spread evenly over the export: their first blocks give the first schema."""
    filled = [file for file in files if file.items]
    if len(filled) <= _SAMPLED_FILES:
        return filled
    step = (len(filled) - 1) / (_SAMPLED_FILES - 1)
    return [filled[round(i * step)] for i in range(_SAMPLED_FILES)]
