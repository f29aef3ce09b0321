"""Waiting until an export is finished: polls that get rarer, and that outlast a service or a network that fails."""

from __future__ import annotations

import random
import shlex
import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from converter.aws.access import Access
from converter.aws.client_errors import AWS_ERRORS, code_of, may_pass
from converter.aws.export_errors import export_error
from converter.aws.export_state import COMPLETED, IN_PROGRESS, ExportState, state_of
from converter.aws.exports import failure_of
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
    """The export once it is completed, however long that takes: ten minutes for ten items, hours for terabytes.

    It is asked about after 5 seconds, then ever more rarely, down to once a minute; on_poll hears each answer. An
    answer that does not come (AWS throttles or fails, or the network does, beyond what botocore tries again) is
    told to on_trouble, and waited for with the next poll for half an hour, unless there has been none at all yet.
    timeout: seconds, of which nothing is waited for beyond; None: none. sleep, clock: of seconds.

    Raises ExportError for an export that fails or is not known, BusyError when the time is over (the export goes on),
    StorageError and UsageError.
    """
    begun = heard = clock()
    client = dynamodb(arn, access)
    state: ExportState | None = None
    pause = FIRST_PAUSE
    while True:
        try:
            state = state_of(client.describe_export(ExportArn=arn), "DescribeExport", arn)
            heard = clock()
        except AWS_ERRORS as error:
            told = export_error(error, arn)
            if state is None or not _passes(error) or clock() - heard > LONGEST_TROUBLE:
                raise told from error
            on_trouble(told)
        else:
            on_poll(state)
            if state.status == COMPLETED:
                return state
            if state.status != IN_PROGRESS:
                raise failure_of(state)
        left = None if timeout is None else begun + timeout - clock()
        if left is not None and left <= 0:
            raise _time_is_over(state, arn, clock() - begun)
        # Jitter, so that many who wait don't ask at once.
        wanted = pause * random.uniform(0.8, 1.0)
        sleep(wanted if left is None else min(wanted, left))
        pause = min(pause * _GROWTH, LONGEST_PAUSE)


def _passes(error: Exception) -> bool:
    return may_pass(error) or (isinstance(error, ClientError) and code_of(error) == "LimitExceededException")


def _time_is_over(state: ExportState, arn: str, waited: float) -> BusyError:
    since = "" if state.start_time is None else f" since {short_utc(state.start_time)}"
    return BusyError(
        f"the export is not finished after waiting for {_duration(waited)}: it is in progress{since}",
        arn,
        f"it goes on at the service; wait for it again: ddb-convert export wait {shlex.quote(arn)}",
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
