"""The verbs `export start`, `export wait` and `export list`, and their text output."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from converter.aws.target import View
from converter.cli.arguments import ResultArguments, argument
from converter.cli.aws_arguments import AwsArguments, ExporterArguments
from converter.cli.export_arguments import (
    TargetArguments,
    TimeoutArguments,
    option,
    requires_incremental_error,
    table_argument,
    view_option,
)
from converter.cli.messages import Messages
from converter.cli.number_format import format_count, format_duration
from converter.cli.output import print_json, writing_result
from converter.cli.parse import parse_time
from converter.display import cell, lines
from converter.errors import UsageError
from converter.utc import short_utc

if TYPE_CHECKING:
    from converter.aws.access import AwsOptions
    from converter.aws.export_request import Window
    from converter.aws.export_state import ExportState
    from converter.aws.exports import StartedExport

START_EXAMPLES = (
    "ddb-convert export start Orders --bucket lake",
    "ddb-convert export start Orders --bucket lake --export-prefix nightly --wait",
    "ddb-convert export start Orders --bucket lake --export-time 2026-11-27T23:59:59Z",
    "ddb-convert export start Orders --bucket lake --incremental --from 2026-11-27 --to 2026-11-28",
)
WAIT_EXAMPLES = (
    'ddb-convert export wait "$ARN"',
    'ddb-convert export wait "$ARN" --timeout 90m --json',
    'ddb-convert convert "$(ddb-convert export wait "$ARN")" out',
)
LIST_EXAMPLES = (
    "ddb-convert export list Orders",
    "ddb-convert export list Orders --limit 3 --json",
)

_HEADINGS = ("EXPORT", "STATUS", "KIND", "TIME OR WINDOW", "FORMAT", "ITEMS", "WHERE")
_RIGHT = "ITEMS"
_KINDS = {"FULL_EXPORT": "full", "INCREMENTAL_EXPORT": "changes"}


@dataclass(frozen=True, kw_only=True)
class _RequestArguments:
    """Options for what is exported."""

    export_time: str | None = option(
        "Export the items as of this time, such as 2026-11-27T23:59:59Z. The default zone is UTC.",
        metavar="TIME",
        show_default="now",
    )
    incremental: bool = option("Export the changes between --from and --to instead of all items.", False)
    from_: str | None = option("Start of the changes (inclusive).", metavar="TIME")
    to: str | None = option("End of the changes (exclusive), 15 minutes to 24 hours after --from.", metavar="TIME")
    view: View | None = view_option()
    client_token: str | None = option(
        "DynamoDB starts only one export for a token within 8 hours.",
        metavar="TEXT",
        show_default="derived from the table, the other options and, without --export-time, the date (UTC)",
    )
    wait: bool = option("Wait until the export is completed.", False)

    def window(self) -> Window | None:
        """Return the window of an incremental export. Raises UsageError if its options are incomplete."""
        given = {"--from": self.from_, "--to": self.to, "--view": self.view}
        if not self.incremental:
            for name, value in given.items():
                if value is not None:
                    raise requires_incremental_error(name)
            return None
        if self.from_ is None or self.to is None:
            raise UsageError(
                "an incremental export needs a time window",
                "--incremental",
                "add --from and --to, for example the last full hour",
            )
        from converter.aws.export_request import Window

        return Window(
            from_time=parse_time(self.from_, "from"),
            to_time=parse_time(self.to, "to"),
            view=self.view or "new-and-old",
        )


@dataclass(frozen=True, kw_only=True)
class StartArguments(
    TargetArguments, _RequestArguments, TimeoutArguments, AwsArguments, ExporterArguments, ResultArguments
):
    """Arguments of `export start`, in the order of its help."""

    table: str = table_argument()


def start(arguments: StartArguments) -> None:
    """Export TABLE to S3.

    Prints the ARN of the export. When the export is completed, which takes at least ten minutes, convert accepts the
    ARN as SOURCE. The table needs point-in-time recovery. An export does not use read capacity; AWS charges for each
    GB. The objects are written with the caller's permissions. Settings that DynamoDB would reject, now or later, are
    rejected before the request.

    If you repeat the command within 8 hours, DynamoDB returns the existing export instead of starting another, even if
    the first response was lost. For an export of the current time, the date (UTC) is part of the token, so the command
    starts a new export after midnight. To start a second export within 8 hours, pass another --client-token, such as
    orders-evening. After a failed export, the same command starts a new one.
    """
    target = arguments.target()
    window = arguments.window()
    time = None if arguments.export_time is None else parse_time(arguments.export_time, "export-time")
    timeout = arguments.timeout_seconds()
    if timeout is not None and not arguments.wait:
        raise UsageError("this option requires --wait", "--timeout", "add --wait, or remove the option")
    aws = arguments.aws_options()
    from converter import api

    messages = arguments.messages()
    started = api.start_export(
        arguments.table, target, time=time, window=window, client_token=arguments.client_token, aws=aws
    )
    state = started.state
    for warning in started.warnings:
        messages.warning(warning)
    messages.info("export", started_line(started, waits=arguments.wait), {"export": state.to_json()})
    if not arguments.json:
        # Printed before the wait, which may be interrupted.
        _print_line(state.arn)
    if arguments.wait:
        state = _wait(state.arn, timeout, aws, messages)
    if arguments.json:
        print_json({**state.to_json(), "isNew": started.is_new})


@dataclass(frozen=True, kw_only=True)
class WaitArguments(TimeoutArguments, AwsArguments, ExporterArguments, ResultArguments):
    """Arguments of `export wait`, in the order of its help."""

    arn: str = argument("ARN", "The ARN of the export, as printed by export start.")


def wait(arguments: WaitArguments) -> None:
    """Wait until an export is completed, and print its location.

    An export takes at least ten minutes, even for ten items; an export of terabytes takes hours. The status is polled
    with growing intervals, up to one minute. Throttling, service errors and network errors are reported and retried for
    up to half an hour. If the export fails, the command ends with exit code 3, the reason and a hint; after --timeout
    it ends with 6. You can stop the wait and start it again at any time: the export continues.
    """
    timeout = arguments.timeout_seconds()
    messages = arguments.messages()
    state = _wait(arguments.arn, timeout, arguments.aws_options(), messages)
    if arguments.json:
        print_json(state.to_json())
    else:
        _print_line(f"{state.folder}/")


@dataclass(frozen=True, kw_only=True)
class ListArguments(AwsArguments, ExporterArguments, ResultArguments):
    """Arguments of `export list`, in the order of its help."""

    table: str = table_argument()
    limit: int = option("Number of exports to show, newest first.", 20, metavar="COUNT", minimum=1)


def list_(arguments: ListArguments) -> None:
    """List the exports of TABLE, newest first.

    Shows the id, status, kind, time or window, format, item count and location of each export. DynamoDB keeps the
    details of exports for 90 days; the files in S3 remain. Use the ARN to name a table that was deleted. --json prints
    all details as one array.
    """
    from converter import api

    messages = arguments.messages()
    listing = api.list_exports(arguments.table, limit=arguments.limit, aws=arguments.aws_options())
    if arguments.json:
        print_json([state.to_json() for state in listing.exports])
    else:
        with writing_result():
            sys.stdout.write(render_exports(listing.exports))
    if listing.more:
        older = "one older export is" if listing.more == 1 else f"{listing.more} older exports are"
        messages.info("list", f"{older} not shown; raise --limit to show more", {"more": listing.more})
    elif not listing.exports:
        messages.info("list", f"{arguments.table} has no exports in the last 90 days")


def _wait(arn: str, timeout: float | None, aws: AwsOptions, messages: Messages) -> ExportState:
    from converter import api
    from converter.cli.progress import show_waiting

    try:
        with show_waiting(messages) as watcher:
            state = api.wait_for_export(
                arn, timeout=timeout, aws=aws, on_poll=watcher.polled, on_trouble=watcher.troubled
            )
    except BaseException as error:
        # Ctrl-C and SIGTERM end only the wait.
        if not isinstance(error, Exception):
            error.add_note(
                f"the export continues in DynamoDB; to wait for it again: ddb-convert export wait {shlex.quote(arn)}"
            )
        raise
    messages.info("export", completed_line(state), {"export": state.to_json()})
    return state


def _print_line(text: str) -> None:
    with writing_result():
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def started_line(started: StartedExport, *, waits: bool) -> str:
    """Return the outcome of a start, and the next command unless the run waits itself."""
    state = started.state
    table = state.table_arn.rpartition("/")[2]
    if started.is_new:
        text = f"{table}: started export {state.export_id} to {state.folder}/"
    else:
        text = (
            f"{table}: the same command already started export {state.export_id}; it is {_progress(state)}, to "
            f"{state.folder}/ (to start another export, pass a --client-token)"
        )
    return text if waits else lines(text, f"next: ddb-convert export wait {shlex.quote(state.arn)}")


def _progress(state: ExportState) -> str:
    if state.status == "COMPLETED":
        return "completed"
    return "in progress" if state.start_time is None else f"in progress since {short_utc(state.start_time)}"


def completed_line(state: ExportState) -> str:
    """Return the outcome of a wait in one line."""
    took = ""
    if state.start_time is not None and state.end_time is not None:
        took = f" in {format_duration((state.end_time - state.start_time).total_seconds())}"
    items = "" if state.item_count is None else f", {format_count(state.item_count, 'item')}"
    part = "; it contains only items that match its filter" if state.filtered else ""
    return f"export {state.export_id} is completed{took}{items}{part}"


def render_exports(exports: Sequence[ExportState]) -> str:
    """Return a heading and a line for each export, or an empty text if there is none."""
    if not exports:
        return ""
    rows = [_HEADINGS, *(tuple(map(cell, _row(state))) for state in exports)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = ""
    for row in rows:
        cells = [
            shown.rjust(width) if heading == _RIGHT else shown.ljust(width)
            for heading, shown, width in zip(_HEADINGS, row, widths, strict=True)
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text


def _row(state: ExportState) -> tuple[str, ...]:
    kind = _KINDS.get(state.type, state.type)
    return (
        state.export_id,
        f"{state.status}: {state.failure_code}" if state.failure_code else state.status,
        f"{kind}, filtered" if state.filtered else kind,
        _moment(state),
        state.format,
        "" if state.item_count is None else format_count(state.item_count),
        f"{state.folder}/",
    )


def _moment(state: ExportState) -> str:
    if state.window is not None:
        return f"{short_utc(state.window.from_time)} to {short_utc(state.window.to_time)}"
    time = state.export_time or state.start_time
    return "" if time is None else short_utc(time)
