"""The verbs `export start`, `export wait` and `export list`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli import export_arguments as of_export
from converter.cli.messages import Messages
from converter.cli.output import print_json, writing_result
from converter.cli.parse import parse_time
from converter.cli.progress import show_waiting
from converter.errors import UsageError

if TYPE_CHECKING:
    from converter.aws.access import AwsOptions
    from converter.aws.export_request import Window
    from converter.aws.export_state import ExportState

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


@dataclass(frozen=True, slots=True, kw_only=True)
class StartArguments:
    """What `export start` takes, in the order of its help."""

    table: of_export.Table
    bucket: of_export.Bucket
    export_prefix: of_export.ExportPrefix = None
    bucket_owner: of_export.BucketOwner = None
    export_format: of_export.ExportFormatAs = "DYNAMODB_JSON"
    export_sse: of_export.ExportSseAs = None
    export_kms_key_id: of_export.ExportKmsKeyId = None
    export_time: of_export.ExportTime = None
    incremental: of_export.Incremental = False
    from_: of_export.From = None
    to: of_export.To = None
    view: of_export.ViewOf = None
    client_token: of_export.ClientToken = None
    wait: of_export.Wait = False
    timeout: of_export.Timeout = None
    profile: in_aws.Profile = None
    region: in_aws.Region = None
    endpoint_url: in_aws.EndpointUrl = None
    source_role_arn: of_export.RoleArn = None
    json: takes.Json = False
    quiet: takes.Quiet = False
    log_format: takes.LogFormatAs = "text"

    def window(self) -> Window | None:
        """The window of an export of changes; UsageError for options of one without the others."""
        given = {"--from": self.from_, "--to": self.to, "--view": self.view}
        if not self.incremental:
            for option, value in given.items():
                if value is not None:
                    raise UsageError("this is for --incremental", option, "pass --incremental, or leave it out")
            return None
        if self.from_ is None or self.to is None:
            raise UsageError(
                "an export of changes is of a window",
                "--incremental",
                "pass --from and --to, such as the last full hour",
            )
        from converter.aws.export_request import Window

        return Window(
            from_time=parse_time(self.from_, "from"),
            to_time=parse_time(self.to, "to"),
            view=self.view or "new-and-old",
        )


def start(arguments: StartArguments) -> None:
    """Have DynamoDB export TABLE to S3.

    Prints the export's ARN, which convert takes as SOURCE once it is completed: ten minutes later at the earliest. The
    table needs point-in-time recovery; its read capacity is not used, and AWS charges for each GB. The objects are
    written with the caller's rights. What the service would refuse, or accept and fail on later, is refused at once.

    The same command again does not export twice: for 8 hours the service remembers it, and answers with the export that
    is there, also when the first answer got lost. For an export of now, the date (UTC) is a part of that: after
    midnight it is another one. To export twice in 8 hours, name the second one by a --client-token of its own, such as
    orders-evening. After an export that has failed, the same command begins a new one.
    """
    target = of_export.export_target(arguments)
    window = arguments.window()
    time = None if arguments.export_time is None else parse_time(arguments.export_time, "export-time")
    timeout = of_export.read_timeout(arguments.timeout)
    if timeout is not None and not arguments.wait:
        raise UsageError("this is for --wait", "--timeout", "pass --wait, or leave it out")
    aws = in_aws.aws_options(arguments)
    from converter import api
    from converter.cli.render_exports import started_line

    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    started = api.start_export(
        arguments.table, target, time=time, window=window, client_token=arguments.client_token, aws=aws
    )
    state = started.state
    for warning in started.warnings:
        messages.warning(warning)
    messages.info("export", started_line(started, waits=arguments.wait), {"export": state.to_json()})
    if not arguments.json:
        # Before the wait, which may be interrupted.
        _print_line(state.arn)
    if arguments.wait:
        state = _wait(state.arn, timeout, aws, messages)
    if arguments.json:
        print_json({**state.to_json(), "isNew": started.is_new})


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitArguments:
    """What `export wait` takes, in the order of its help."""

    arn: of_export.Arn
    timeout: of_export.Timeout = None
    profile: in_aws.Profile = None
    region: in_aws.Region = None
    endpoint_url: in_aws.EndpointUrl = None
    source_role_arn: of_export.RoleArn = None
    json: takes.Json = False
    quiet: takes.Quiet = False
    log_format: takes.LogFormatAs = "text"


def wait(arguments: WaitArguments) -> None:
    """Wait until an export is completed, and print where it is.

    An export takes ten minutes or more, even of ten items, and one of terabytes takes hours. The service is asked ever
    more rarely, down to once a minute. When it throttles or fails, or the network does, for up to half an hour, that is
    told and waited for. An export that has failed ends the wait with exit code 3, the reason and what helps; --timeout
    ends it with 6. The wait may be ended and begun again at any time: the export goes on at the service.
    """
    timeout = of_export.read_timeout(arguments.timeout)
    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    state = _wait(arguments.arn, timeout, in_aws.aws_options(arguments), messages)
    if arguments.json:
        print_json(state.to_json())
    else:
        _print_line(f"{state.folder}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListArguments:
    """What `export list` takes, in the order of its help."""

    table: of_export.Table
    limit: of_export.Limit = 20
    profile: in_aws.Profile = None
    region: in_aws.Region = None
    endpoint_url: in_aws.EndpointUrl = None
    source_role_arn: of_export.RoleArn = None
    json: takes.Json = False
    quiet: takes.Quiet = False
    log_format: takes.LogFormatAs = "text"


def list_(arguments: ListArguments) -> None:
    """List the exports of TABLE, the newest first.

    Each with its id, status, kind, time or window, format, items and place. The service forgets exports after 90 days;
    what is in S3 stays. By its ARN, a table that is no more can be named, too. --json prints all that is known, as one
    array.
    """
    from converter import api
    from converter.cli.render_exports import render_exports

    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    listing = api.list_exports(arguments.table, limit=arguments.limit, aws=in_aws.aws_options(arguments))
    if arguments.json:
        print_json([state.to_json() for state in listing.exports])
    else:
        with writing_result():
            sys.stdout.write(render_exports(listing.exports))
    if listing.more:
        older = "one older export is" if listing.more == 1 else f"{listing.more} older exports are"
        messages.info("list", f"{older} not shown; --limit shows more", {"more": listing.more})
    elif not listing.exports:
        messages.info("list", f"the service knows no exports of {arguments.table} of the last 90 days")


def _wait(arn: str, timeout: float | None, aws: AwsOptions, messages: Messages) -> ExportState:
    from converter import api
    from converter.cli.render_exports import completed_line

    try:
        with show_waiting(messages) as watcher:
            state = api.wait_for_export(
                arn, timeout=timeout, aws=aws, on_poll=watcher.polled, on_trouble=watcher.troubled
            )
    except BaseException as error:
        # Ctrl-C and SIGTERM end the wait alone.
        if not isinstance(error, Exception):
            error.add_note(
                f"the export goes on at the service; wait for it again: ddb-convert export wait {shlex.quote(arn)}"
            )
        raise
    messages.info("export", completed_line(state), {"export": state.to_json()})
    return state


def _print_line(text: str) -> None:
    with writing_result():
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
