"""The plan: which data files one worker turns into parts. From the manifest alone, so that it's the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from converter.export.data_files import DataFile

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
    files: Sequence[DataFile]

    @property
    def items(self) -> int:
        """Items by the manifest."""
        return sum(file.items for file in self.files)


def plan_shards(files: Sequence[DataFile]) -> list[Shard]:
    """Cut the files, in their order, into shards of about the same number of items.

    A function of the item counts only: not of the workers or the machine. Files without items belong to
    shards too, because their md5 is checked.
    """
    total = sum(file.items for file in files)
    target = min(max(-(-total // _ENOUGH_SHARDS), _SMALL_SHARD), _LARGE_SHARD)
    shards: list[Shard] = []
    start = items = 0
    for place, file in enumerate(files):
        if items and items + file.items > target:
            shards.append(Shard(len(shards), files[start:place]))
            start, items = place, 0
        items += file.items
    if start < len(files):
        shards.append(Shard(len(shards), files[start:]))
    return shards


def sampled_files(files: Sequence[DataFile]) -> list[DataFile]:
    """Up to 16 files that hold items, spread evenly over the export: their first blocks give the first schema."""
    filled = [place for place, file in enumerate(files) if file.items]
    if len(filled) > _SAMPLED_FILES:
        step = (len(filled) - 1) / (_SAMPLED_FILES - 1)
        filled = [filled[round(i * step)] for i in range(_SAMPLED_FILES)]
    return [files[place] for place in filled]
