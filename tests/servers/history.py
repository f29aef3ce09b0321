"""The history of a played table: its items from each moment on; before the first moment it has none.

A moment belongs to the window that begins with it, and not to the one that ends with it. So a table *at* a moment is
without what is written then: a full export at T is what windows up to T give, and the windows from T on have the rest.
If it had the change at T as well, an item that is put at T and deleted later in the window would stay forever: the
window has no line for an item that there is neither before nor after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from converter.testing import Change

Items = Sequence[Mapping[str, Any]]
"""In DynamoDB JSON: `{"id": {"S": "a"}}`."""
History = Mapping[datetime, Items]


def items_at(history: History, moment: datetime) -> Items:
    """All items just before the moment."""
    return next((items for time, items in sorted(history.items(), reverse=True) if time < moment), ())


def changes_within(history: History, keys: Sequence[str], begin: datetime, end: datetime) -> list[Change]:
    """What is written in [begin, end), in the order of time: each item that is other than just before.

    keys: the names of the key attributes. Raises ValueError for items without them, and for two with the same ones.
    """
    changes = []
    before = _by_key(items_at(history, begin), keys)
    for time, items in sorted(history.items()):
        if begin <= time < end:
            after = _by_key(items, keys)
            for key in {**before, **after}:
                old, new = before.get(key), after.get(key)
                if old != new:
                    image = new or old or {}
                    changes.append(Change(keys={name: image[name] for name in keys}, old=old, new=new, written=time))
            before = after
    return changes


def _by_key(items: Items, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for item in items:
        if any(name not in item for name in keys):
            raise ValueError(f"an item of the history lacks one of its keys, {', '.join(keys)}: {item}")
        key = json.dumps([item[name] for name in keys])
        if key in found:
            raise ValueError(f"the history has two items of one moment with the same keys: {item}")
        found[key] = item
    return found
