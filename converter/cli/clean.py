"""The verb `clean`, and its text output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from converter.cli.arguments import ResultArguments, argument, option
from converter.cli.aws_arguments import AwsArguments, DestArguments
from converter.cli.number_format import format_count, format_duration
from converter.cli.output import print_json
from converter.display import Lines, lines

if TYPE_CHECKING:
    from converter.publishing.clean import Leftovers
    from converter.storage.leftovers import Leftover

EXAMPLES = (
    "ddb-convert clean out --dry-run",
    "ddb-convert clean s3://lake/orders/",
    "ddb-convert clean s3://lake/orders/ --complete --json",
)

_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class CleanArguments(AwsArguments, DestArguments, ResultArguments):
    """Arguments of `clean`, in the order of its help."""

    dest: str = argument("DEST", "The folder that runs publish to, local or s3://.")
    complete: bool = option("Finish an unfinished commit, as the next convert would. By default it is kept.", False)
    dry_run: bool = option("Print what would be removed, and change nothing.", False)


def clean(arguments: CleanArguments) -> None:
    """Remove leftovers of interrupted runs from DEST.

    Leftovers are incomplete multipart uploads, which AWS charges for, hidden folders, and expired leases. Published
    files are not changed. Each convert also cleans up after the run before it; use clean to list leftovers, or if no
    other run will follow.

    An unfinished commit is kept, with its uploads or its folder, unless you pass --complete. Uploads that are not named
    like the parts of ddb-convert, or that another destination may need, are listed and kept. If another run is using
    DEST, nothing is changed and the exit code is 6; --dry-run shows which run it is.
    """
    from converter import api

    messages = arguments.messages()
    aws = arguments.aws_options()
    found = api.clean(arguments.dest, complete=arguments.complete, dry_run=arguments.dry_run, aws=aws)
    facts = found.to_json()
    outcome = leftovers_line(found) if messages.log_format == "json" else render_leftovers(found)
    for warning in found.warnings:
        messages.warning(warning)
    messages.info("clean", outcome, {"leftovers": facts})
    if arguments.json:
        print_json(facts)


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
