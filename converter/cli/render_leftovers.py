"""Text output of leftovers of interrupted runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from converter.cli.number_format import format_count, format_duration
from converter.display import Lines, lines

if TYPE_CHECKING:
    from converter.publishing.clean import Leftovers
    from converter.storage.leftovers import Leftover

_LISTED = 20


def leftovers_line(found: Leftovers) -> str:
    """Return the outcome in one line."""
    if not found.removed and not found.completed and all(left.state == "foreign" for left in found.kept):
        others = f"; kept {_kinds(found.kept)} of other programs" if found.kept else ""
        return f"nothing to clean at {found.destination}{others}"
    actions = ", ".join(f"{verb} {_kinds(group)}" for verb, group in _groups(found, "would ") if group)
    return f"{found.destination}: {actions}{'; nothing was changed' if found.dry_run else ''}"


def render_leftovers(found: Leftovers, now: datetime | None = None) -> Lines:
    """Return the outcome and a line for each leftover, up to 20 per action. now: the time that ages refer to."""
    now = now or datetime.now(UTC)
    shown = [leftovers_line(found)]
    for verb, group in _groups(found):
        shown += [f"  {verb:<9} {_described(leftover, now)}" for leftover in group[:_LISTED]]
        if len(group) > _LISTED:
            shown.append(f"  {verb:<9} {format_count(len(group) - _LISTED)} more, which --json lists")
    return lines(*shown)


def _groups(found: Leftovers, before: str = "") -> list[tuple[str, Sequence[Leftover]]]:
    """Return each action with its leftovers. before: a prefix for actions of a dry run."""
    verbs = [f"{before}{verb}" for verb in ("complete", "remove", "keep")]
    if not found.dry_run:
        verbs = ["completed", "removed", "kept"]
    return list(zip(verbs, (found.completed, found.removed, found.kept), strict=True))


def _described(leftover: Leftover, now: datetime) -> str:
    age = format_duration(max((now - leftover.time).total_seconds(), 0))
    detail = f": {leftover.detail}" if leftover.detail else ""
    return f"{leftover.kind:<6} {leftover.path}, {age} old{detail}"


def _kinds(group: Sequence[Leftover]) -> str:
    kinds = Counter(leftover.kind for leftover in group)
    return " and ".join(format_count(number, kind) for kind, number in kinds.items())
