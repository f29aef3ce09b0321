"""What the service says to the times of a request to export: the window with its defaults, or why it takes none.

A window is 15 minutes to 24 hours long, within point-in-time recovery and over:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
Whatever is wrong with its times is an InvalidExportTimeException; a request that contradicts itself is invalid.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from converter.testing.manifest import VIEWS

Parameters = dict[str, Any]

FULL, INCREMENTAL = "FULL_EXPORT", "INCREMENTAL_EXPORT"
SHORTEST, LONGEST = timedelta(minutes=15), timedelta(hours=24)


class RefusedError(Exception):
    """What the service answers in place of beginning an export."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def window_of(asked: Mapping[str, Any], recovery: tuple[datetime, datetime]) -> Parameters | None:
    """The IncrementalExportSpecification of a request with what it leaves out, None for a full export.

    recovery: the first and the last moment that the table can be exported of. Raises RefusedError.
    """
    specification = asked.get("IncrementalExportSpecification")
    kind = _one_of("exportType", asked.get("ExportType", FULL), (FULL, INCREMENTAL))
    if kind == FULL:
        if specification is not None:
            raise _invalid("When Export Type is Full Export, Incremental Export Specification should not be provided")
        time = asked.get("ExportTime")
        if time is not None and not recovery[0] <= moment_of(time) <= recovery[1]:
            raise _no_such_time("Export Time is invalid")
        return None
    if specification is None:
        raise _invalid("Incremental Export Specification expected when export type is set as Incremental Export")
    if "ExportTime" in asked:
        raise _invalid("Export Time should not be provided when export type is set as Incremental Export")
    if "ExportFromTime" not in specification:
        raise _invalid("ExportFromTime must be provided in IncrementalExportSpecification")
    view = specification.get("ExportViewType", "NEW_AND_OLD_IMAGES")
    whole = {
        "ExportFromTime": specification["ExportFromTime"],
        "ExportToTime": specification.get("ExportToTime", recovery[1].timestamp()),
        "ExportViewType": _one_of("incrementalExportSpecification.exportViewType", view, VIEWS),
    }
    _check_window(moment_of(whole["ExportFromTime"]), moment_of(whole["ExportToTime"]), recovery)
    return whole


def moment_of(seconds: float) -> datetime:
    """A moment as requests and answers give it, in seconds since 1970; counted in milliseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(seconds * 1000 + 1e-3))


def _check_window(begin: datetime, end: datetime, recovery: tuple[datetime, datetime]) -> None:
    earliest, latest = recovery
    period = "Incremental export period"
    if begin < earliest:
        raise _no_such_time(f"{period} from time cannot be less than {earliest:%FT%TZ}")
    if end > latest:
        raise _no_such_time(f"{period} to time cannot be greater than {latest:%FT%TZ}")
    if begin >= end:
        raise _no_such_time(f"{period} from time should not be greater or equal to {period.lower()} to time")
    between = "Difference between export period from time and export period to time is"
    if end - begin < SHORTEST:
        raise _no_such_time(f"{between} less than 15 minutes")
    if end - begin > LONGEST:
        raise _no_such_time(f"{between} greater than 24 hours")


def _one_of(name: str, value: object, known: tuple[str, ...]) -> str:
    if value not in known:
        constraint = f"failed to satisfy constraint: Member must satisfy enum value set: [{', '.join(known)}]"
        raise RefusedError(
            "ValidationException", f"1 validation error detected: Value '{value}' at '{name}' {constraint}"
        )
    return str(value)


def _invalid(message: str) -> RefusedError:
    return RefusedError("ValidationException", f"Invalid Request: {message}")


def _no_such_time(message: str) -> RefusedError:
    return RefusedError("InvalidExportTimeException", message)
