"""Removes what dead runs left at a destination, and finishes a commit that has begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from converter.errors import StorageError
from converter.storage.destination import Destination
from converter.storage.json_members import members_of
from converter.storage.leftovers import Leftover


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """The leftovers of dead runs at a destination.

    dry_run: nothing was changed, and this is the forecast. removed: leftovers that no run needed. completed: a commit
    that had begun, with its uploads or its folder. kept: those of a live run, those of a commit that was not to be
    completed, and files of others.
    """

    destination: str
    dry_run: bool
    removed: tuple[Leftover, ...] = ()
    completed: tuple[Leftover, ...] = ()
    kept: tuple[Leftover, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As `--json` shows it: JSON types, the members always in the same order."""
        return members_of(self)


def clean_destination(destination: Destination, *, complete: bool, dry_run: bool) -> Leftovers:
    """Remove what dead runs left; see converter.api.clean."""
    found = destination.leftovers()
    if not found and not destination.names(""):
        raise StorageError(
            "the destination is empty or does not exist", destination.root, "pass the DEST that you publish to"
        )
    wanted = _sort(destination, found, complete=complete, dry_run=dry_run)
    held = any(leftover.state == "live" for leftover in found)
    if dry_run or not (held or wanted.removed or wanted.completed):
        return wanted
    with destination.lease(recover=False) as lease:
        # Until now a run may have lived here. The lease is ours by now, and goes at the end.
        found = [
            *(leftover for leftover in found if leftover.kind == "lease" and leftover.state == "dead"),
            *(leftover for leftover in destination.leftovers() if leftover.kind != "lease"),
        ]
        done = _sort(destination, found, complete=complete)
        if complete:
            lease.finish_begun()
        lease.remove([leftover for leftover in done.removed if leftover.kind != "lease"])
        return replace(done, warnings=(*done.warnings, *lease.warnings))


def _sort(destination: Destination, found: Sequence[Leftover], *, complete: bool, dry_run: bool = False) -> Leftovers:
    """Sort leftovers by what happens to them."""
    holders = [leftover.detail for leftover in found if leftover.state == "live"]
    removed, completed, kept = [], [], []
    for leftover in found:
        if not holders and leftover.state == "dead":
            removed.append(leftover)
        elif not holders and leftover.state == "begun" and complete:
            completed.append(leftover)
        else:
            kept.append(leftover)
    warnings = [f"another run holds the destination: {holder}" for holder in holders]
    if not holders and any(leftover.kind == "commit" for leftover in kept):
        warnings.append("a commit has begun and is not done: the next convert here finishes it, and so does --complete")
    return Leftovers(
        destination=destination.root,
        dry_run=dry_run,
        removed=tuple(removed),
        completed=tuple(completed),
        kept=tuple(kept),
        warnings=tuple(warnings),
    )
