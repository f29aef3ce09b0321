"""Waits for an export: polls with growing intervals, and tolerates temporary errors of AWS and the network."""

from __future__ import annotations

import random
import shlex
import time
from collections.abc import Callable

from converter.aws.access import Access
from converter.aws.client_errors import AWS_ERRORS, may_pass
from converter.aws.export_errors import export_error, failed_export_error
from converter.aws.export_state import COMPLETED, IN_PROGRESS, ExportState, state_of
from converter.aws.tables import dynamodb
from converter.errors import BusyError, ConvertError
from converter.utc import short_utc

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
LONGEST_TROUBLE = 30 * 60.0
_GROWTH = 1.5


def wait_for_export(
    arn: str,
    access: Access,
    *,
    timeout: float | None = None,
    on_poll: Callable[[ExportState], None] = lambda _: None,
    on_trouble: Callable[[ConvertError], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> ExportState:
    """Wait for an export and return its state: ten minutes for ten items, hours for terabytes.

    The first interval between polls is 5 seconds; intervals grow up to one minute. on_poll is called with each state.
    on_trouble is called for each failed poll (throttling, or errors of AWS or the network after the retries of
    botocore). Failed polls are tolerated for half an hour, unless the first one fails. timeout: maximum of seconds to
    wait, or None. sleep, clock: in seconds.

    Raises ExportError if the export failed or does not exist, BusyError after the timeout (the export continues),
    StorageError and UsageError.
    """
    begun = answered = clock()
    client = dynamodb(arn, access)
    state: ExportState | None = None
    pause = FIRST_PAUSE
    while True:
        try:
            state = state_of(client.describe_export(ExportArn=arn), "DescribeExport", arn)
            answered = clock()
        except AWS_ERRORS as error:
            failure = export_error(error, arn)
            if state is None or not may_pass(error) or clock() - answered > LONGEST_TROUBLE:
                raise failure from error
            on_trouble(failure)
        else:
            on_poll(state)
            if state.status == COMPLETED:
                return state
            if state.status != IN_PROGRESS:
                raise failed_export_error(state.arn, state.failure_code, state.failure_message)
        left = None if timeout is None else begun + timeout - clock()
        if left is not None and left <= 0:
            raise _timeout_error(state, arn, clock() - begun)
        # Jitter, so that many waiting processes don't poll at the same time.
        wanted = pause * random.uniform(0.8, 1.0)
        sleep(wanted if left is None else min(wanted, left))
        pause = min(pause * _GROWTH, LONGEST_PAUSE)


def _timeout_error(state: ExportState, arn: str, waited: float) -> BusyError:
    since = "" if state.start_time is None else f" since {short_utc(state.start_time)}"
    return BusyError(
        f"the export is not finished after waiting for {_duration(waited)}: it is in progress{since}",
        arn,
        f"the export continues in DynamoDB; to wait for it again: ddb-convert export wait {shlex.quote(arn)}",
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
