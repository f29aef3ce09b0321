"""Column names that readers can tell apart from the names that a destination's layout and we ourselves use."""

from __future__ import annotations

from collections.abc import Collection, Iterable

OURS = ("_op", "_write_ts", "_old")
"""Columns of incremental exports; kept free in full ones too, so that both kinds agree."""


def name_columns(attributes: Iterable[str], reserved: Collection[str]) -> dict[str, str]:
    """attribute → column name; an attribute whose name equals a reserved one, case folded, becomes `name_1`.

    The number is the next free one: no other attribute, reserved name or renamed column has it (case folded too).
    Every reader that was tried drops a data column called like a partition key without a word.
    """
    names = list(attributes)
    kept_free = {name.casefold() for name in (*reserved, *OURS)}
    taken = kept_free | {name.casefold() for name in names}
    columns: dict[str, str] = {}
    for name in names:
        column = name
        if name.casefold() in kept_free:
            number = 1
            while f"{name}_{number}".casefold() in taken:
                number += 1
            column = f"{name}_{number}"
            taken.add(column.casefold())
        columns[name] = column
    return columns


def case_twins(attributes: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of names that differ in case only: some readers treat them as one."""
    groups: dict[str, list[str]] = {}
    for name in attributes:
        groups.setdefault(name.casefold(), []).append(name)
    return [tuple(sorted(group)) for _, group in sorted(groups.items()) if len(group) > 1]
