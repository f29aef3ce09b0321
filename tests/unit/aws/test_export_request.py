"""Requests to export: what is refused before the service is asked, and which requests are one and the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.aws.export_request import ExportRequest, Window
from converter.aws.tables import RecoveryWindow, Table
from converter.aws.target import ExportTarget
from converter.errors import UsageError

TABLE = Table(
    arn="arn:aws:dynamodb:eu-central-1:111122223333:table/Orders",
    table_id="cce6a3f8-0000-4000-a000-000000000000",
    name="Orders",
    region="eu-central-1",
    account="111122223333",
)
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TODAY = NOW.date()
TARGET = ExportTarget(bucket="exports")
WINDOW = Window(from_time=NOW - timedelta(hours=2), to_time=NOW - timedelta(hours=1))


def request(**changes: Any) -> ExportRequest:
    return ExportRequest(**{"table_arn": TABLE.arn, "target": TARGET, **changes})


def refusal(call: Any) -> UsageError:
    with pytest.raises(UsageError) as refused:
        call()
    assert refused.value.hint
    return refused.value


@pytest.mark.parametrize(
    ("length", "what"),
    [
        (timedelta(0), "must end after it begins"),
        (timedelta(minutes=-20), "must end after it begins"),
        (timedelta(minutes=14, seconds=59), "0:14:59 long, but the minimum is 15 minutes"),
        (timedelta(hours=24, seconds=1), "the maximum is 24 hours"),
    ],
)
def test_a_window_that_the_service_refuses_is_refused_first(length: timedelta, what: str) -> None:
    refused = refusal(lambda: request(window=replace(WINDOW, to_time=WINDOW.from_time + length)))
    assert what in refused.what
    assert refused.where == "--to"


@pytest.mark.parametrize("length", [timedelta(minutes=15), timedelta(hours=24)])
def test_the_shortest_and_the_longest_window_are_taken(length: timedelta) -> None:
    assert request(window=replace(WINDOW, to_time=WINDOW.from_time + length)).window is not None


def test_times_must_have_a_zone_and_whole_seconds() -> None:
    for option, changes in (
        ("--export-time", lambda time: {"time": time}),
        ("--from", lambda time: {"window": replace(WINDOW, from_time=time)}),
        ("--to", lambda time: {"window": replace(WINDOW, to_time=time)}),
    ):
        bare = refusal(lambda changes=changes: request(**changes(datetime(2026, 11, 27, 10))))
        assert (bare.where, "no time zone" in bare.what) == (option, True)
        fraction = refusal(lambda changes=changes: request(**changes(WINDOW.from_time.replace(microsecond=1000))))
        assert (fraction.where, "fractions of a second" in fraction.what) == (option, True)


def test_a_time_and_a_window_are_not_one_export() -> None:
    assert refusal(lambda: request(time=NOW, window=WINDOW)).where == "--export-time"


def test_an_unknown_view_is_refused() -> None:
    odd = replace(WINDOW, view="old")  # type: ignore[arg-type]
    assert "use one of: new, new-and-old" in refusal(lambda: request(window=odd)).hint


def test_what_is_not_past_yet_is_refused() -> None:
    ahead = refusal(lambda: request(time=NOW + timedelta(seconds=1)).check_now(NOW))
    assert (ahead.where, "2026-11-27T12:00:01Z is in the future" in ahead.what) == ("--export-time", True)
    near = refusal(lambda: request(time=NOW - timedelta(minutes=4, seconds=59)).check_now(NOW))
    assert "less than 5 minutes ago" in near.what
    late = replace(WINDOW, to_time=NOW + timedelta(seconds=1))
    assert refusal(lambda: request(window=late).check_now(NOW)).where == "--to"
    for fine in (request(), request(time=NOW - timedelta(minutes=5)), request(window=replace(WINDOW, to_time=NOW))):
        fine.check_now(NOW)


def test_what_recovery_does_not_reach_is_refused_with_its_option() -> None:
    recovery = RecoveryWindow(earliest=NOW - timedelta(minutes=90), latest=NOW - timedelta(minutes=70))
    cases = {
        "--export-time": (
            request(time=NOW - timedelta(minutes=91)),
            "before the earliest time of point-in-time recovery of Orders",
        ),
        "--from": (request(window=WINDOW), "2026-11-27T10:30:00Z"),
        "--to": (
            request(window=replace(WINDOW, from_time=NOW - timedelta(minutes=80))),
            "after the latest time of point-in-time recovery of Orders: 2026-11-27T10:50:00Z",
        ),
    }
    for option, (asked, what) in cases.items():
        refused = refusal(lambda asked=asked: asked.check_within(recovery, TABLE))
        assert (refused.where, what in refused.what) == (option, True)
    for fine in (request(), request(time=recovery.earliest), request(time=recovery.latest)):
        fine.check_within(recovery, TABLE)
    request(window=WINDOW).check_within(RecoveryWindow(), TABLE)


def test_without_recovery_the_command_that_turns_it_on_is_told() -> None:
    refused = refusal(lambda: request().check_within(None, TABLE))
    assert refused.where == TABLE.arn
    assert "update-continuous-backups --region eu-central-1 --table-name Orders" in refused.hint
    assert "PointInTimeRecoveryEnabled=true" in refused.hint


@pytest.mark.parametrize("token", ["", "x" * 37, "a$b"])
def test_a_token_that_the_service_refuses_is_refused_first(token: str) -> None:
    assert refusal(lambda: request(token=token)).where == "--client-token"


TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))
WINDOWS = st.builds(
    lambda start, minutes, view: Window(from_time=start, to_time=start + timedelta(minutes=minutes), view=view),
    TIMES,
    st.integers(15, 24 * 60),
    st.sampled_from(["new", "new-and-old"]),
)
MOMENTS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}), TIMES.map(lambda time: {"time": time}), WINDOWS.map(lambda window: {"window": window})
)
TARGETS = st.builds(
    ExportTarget,
    bucket=st.sampled_from(["exports", "others"]),
    prefix=st.sampled_from([None, "nightly", "nightly/orders"]),
    bucket_owner=st.sampled_from([None, "111122223333"]),
    format=st.sampled_from(["DYNAMODB_JSON", "ION"]),
    sse=st.just("KMS"),
    kms_key_id=st.sampled_from([None, "alias/exports"]),
)
REQUESTS = st.builds(
    lambda moment, **other: ExportRequest(**moment, **other),
    MOMENTS,
    table_arn=st.sampled_from([TABLE.arn, f"{TABLE.arn}2"]),
    table_id=st.sampled_from([None, TABLE.table_id]),
    target=TARGETS,
    other_than=st.sampled_from([(), ("a",), ("a", "b"), ("b",)]),
)


@given(REQUESTS, REQUESTS)
def test_requests_have_one_token_exactly_when_they_are_equal(one: ExportRequest, other: ExportRequest) -> None:
    token = one.client_token(TODAY)
    assert token == replace(one).client_token(TODAY)
    assert (token == other.client_token(TODAY)) == (one == other)
    assert 1 <= len(token) <= 36
    assert token.isalnum()


@given(REQUESTS)
def test_the_date_is_a_part_of_the_token_of_an_export_of_now_alone(asked: ExportRequest) -> None:
    is_now = asked.time is None and asked.window is None
    same = asked.client_token(TODAY) == asked.client_token(TODAY + timedelta(days=1))
    assert same == (not is_now)


def test_a_moment_has_one_token_in_all_time_zones() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert request(time=NOW).client_token(TODAY) == request(time=there).client_token(date(2026, 1, 1))


def test_a_token_that_is_given_is_the_one() -> None:
    asked = request(token="evening", other_than=("a",))
    assert asked.client_token(TODAY) == asked.parameters(TODAY)["ClientToken"] == "evening"


def test_a_request_has_the_parameters_of_the_service_and_nothing_that_was_not_given() -> None:
    assert request(token="t").parameters(TODAY) == {
        "TableArn": TABLE.arn,
        "ClientToken": "t",
        "S3Bucket": "exports",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "FULL_EXPORT",
    }
    assert request(token="t", window=replace(WINDOW, view="new")).parameters(TODAY) == {
        "TableArn": TABLE.arn,
        "ClientToken": "t",
        "S3Bucket": "exports",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "INCREMENTAL_EXPORT",
        "IncrementalExportSpecification": {
            "ExportFromTime": WINDOW.from_time,
            "ExportToTime": WINDOW.to_time,
            "ExportViewType": "NEW_IMAGE",
        },
    }
