"""What a merge must give, worked out the slow and obvious way: the items of the base, and each change done to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.oracle_changes import ReadChange, read_changes
from tests.oracle_input import read_items
from tests.oracle_ion import read_ion_changes, read_ion_items

Item = dict[str, Any]


def replay(items: Iterable[Item], windows: Iterable[Sequence[ReadChange]]) -> list[Item]:
    """The items after all changes, those of a window in the order of their times."""
    changes = [change for window in windows for change in sorted(window, key=lambda change: change.micros)]
    if not changes:
        return list(items)
    names = sorted(changes[0].keys)
    table = {key_of(item, names): item for item in items}
    for change in changes:
        if change.new is None:
            table.pop(key_of(change.keys, names), None)
        else:
            table[key_of(change.keys, names)] = change.new
    return list(table.values())


def replay_exports(base: str | Path, increments: Iterable[str | Path]) -> list[Item]:
    """The same for the folders of exports in either format; the increments come in the order of their windows."""
    items = read_ion_items(base) if _is_ion(base) else read_items(base)
    windows = [read_ion_changes(folder) if _is_ion(folder) else read_changes(folder) for folder in increments]
    return replay(items, windows)


def key_of(item: Item, names: Sequence[str]) -> str:
    """The key of an item as text."""
    return json.dumps([item[name] for name in names], sort_keys=True)


def _is_ion(folder: str | Path) -> bool:
    return bool(json.loads((Path(folder) / "manifest-summary.json").read_bytes())["outputFormat"] == "ION")
