"""Signals, servers that hang or refuse, and credentials that expire, while a run publishes in S3."""

from __future__ import annotations

import signal
import time
from itertools import pairwise

import pytest

from tests.faults.counts import pairs, some
from tests.faults.s3_runs import (
    BEGUN,
    INTENT,
    LEASE,
    MAY_BE_LEFT,
    Case,
    Place,
    check_record,
    check_whole,
    run,
    start,
)
from tests.faults.test_killed_in_s3 import Moment
from tests.servers.faults import SLOW_DOWN, Answer, Call, Fault, Hang, LoseAnswer, Request, Rule
from tests.servers.proxy import start_proxy
from tests.servers.s3 import S3Server

MOST_SECONDS = 12
SIGNALS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}

READING = Moment("GetObject", ".json.gz")
CONVERTING = Moment("GetObject", ".json.gz", 6)
LEASING = Moment("PutObject", LEASE)
BEGINNING = Moment("CreateMultipartUpload")
UPLOADING = Moment("UploadPart", nth=2)
MOMENTS = [Moment("ListObjectsV2"), READING, CONVERTING, LEASING, BEGINNING, UPLOADING]
IN_THE_COMMIT = [
    Moment("PutObject", INTENT),
    Moment("CompleteMultipartUpload"),
    Moment("PutObject", ".json", 2),
    Moment("DeleteObject", INTENT),
]
ALL_MOMENTS = [*MOMENTS, *IN_THE_COMMIT, Moment("DeleteObject", LEASE)]


def name(thing: Moment | signal.Signals) -> str:
    """For a case's id."""
    return thing.name if isinstance(thing, signal.Signals) else str(thing)


class Signalled:
    """A run that gets a signal at a moment.

    hangs: from then on the server does not answer.
    """

    def __init__(
        self, server: S3Server, case: Case, place: Place, moment: Moment, number: signal.Signals, *, hangs: bool
    ) -> None:
        self._at_moment = moment.rule(moment.nth, self._signal)
        self._hangs = hangs
        self._number = number
        self._sent = 0.0
        with start_proxy(server, self._rule) as proxy, start(proxy.server, case.source, place.url) as self._process:
            _, self.err = self._process.communicate(timeout=100)
            self.seconds = time.monotonic() - self._sent
        assert self._sent, f"it never came: {self.err}"
        self.code = self._process.returncode
        assert "Traceback" not in self.err
        assert self.code == SIGNALS[number][0], self.err
        assert f"error: {SIGNALS[number][1]}" in self.err
        assert self.seconds < MOST_SECONDS, self.err

    def _rule(self, request: Request) -> Fault | None:
        came = self._at_moment(request)
        if not self._sent:
            return None
        return Hang() if self._hangs else came if isinstance(came, Call) else None

    def _signal(self) -> None:
        self._sent = time.monotonic()
        self._process.send_signal(self._number)


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "number"), pairs(MOMENTS, list(SIGNALS)), ids=name)
def test_a_signal_ends_a_run_soon_and_leaves_nothing(
    number: signal.Signals, moment: Moment, ministack: S3Server, case: Case
) -> None:
    place = Place.new(ministack)
    ended = Signalled(ministack, case, place, moment, number, hangs=False)
    assert place.contents() == {}, ended.err
    assert place.uploads() == []


def test_a_signal_while_parts_are_uploaded_leaves_nothing(ministack: S3Server, case: Case) -> None:
    place = Place.new(ministack)
    Signalled(ministack, case, place, UPLOADING, signal.SIGTERM, hangs=False)
    assert place.contents() == {}
    assert place.uploads() == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", some(IN_THE_COMMIT), ids=str)
@pytest.mark.parametrize("number", list(SIGNALS), ids=lambda number: number.name)
def test_a_signal_in_the_commit_says_that_the_next_run_finishes_it(
    number: signal.Signals, moment: Moment, ministack: S3Server, case: Case
) -> None:
    place = Place.new(ministack)
    ended = Signalled(ministack, case, place, moment, number, hangs=False)
    contents = place.contents()
    check_record(contents)
    assert BEGUN in ended.err
    assert LEASE not in contents
    done = run(ministack, case.source, place.url)
    assert done.returncode == 0, done.stderr
    check_whole(case, place)


@pytest.mark.slow
def test_an_intent_that_arrives_unanswered_and_unseen_is_finished_by_the_next_run(
    ministack: S3Server, case: Case
) -> None:
    """As one that arrives when the run has given up."""
    place = Place.new(ministack)
    faults: dict[str, Fault] = {"PutObject": LoseAnswer(), "GetObject": Answer(404, "NoSuchKey")}

    def rule(request: Request) -> Fault | None:
        return faults.get(request.operation) if request.key.endswith(INTENT) else None

    with start_proxy(ministack, rule) as proxy:
        done = run(proxy.server, case.source, place.url, AWS_MAX_ATTEMPTS="1")
    assert done.returncode == 5, done.stderr
    assert MAY_BE_LEFT in done.stderr
    assert "finishes the commit if it had begun" in done.stderr
    assert INTENT in place.contents()
    done = run(ministack, case.source, place.url)
    assert done.returncode == 0, done.stderr
    check_whole(case, place)


@pytest.mark.slow
def test_an_intent_that_can_not_be_removed_is_a_warning_because_all_is_published(
    ministack: S3Server, case: Case
) -> None:
    place = Place.new(ministack)

    def rule(request: Request) -> Fault | None:
        refused = request.operation == "DeleteObject" and request.key.endswith(INTENT)
        return Answer(403, "AccessDenied") if refused else None

    with start_proxy(ministack, rule) as proxy:
        done = run(proxy.server, case.source, place.url)
    assert done.returncode == 0, done.stderr
    assert "is published; the next run ends its commit" in done.stderr
    assert INTENT in place.contents()
    done = run(ministack, case.source, place.url)
    assert done.returncode == 0, done.stderr
    check_whole(case, place)


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "number"), pairs(ALL_MOMENTS, list(SIGNALS)), ids=name)
def test_a_signal_ends_a_run_whose_server_hangs(
    number: signal.Signals, moment: Moment, ministack: S3Server, case: Case
) -> None:
    place = Place.new(ministack)
    ended = Signalled(ministack, case, place, moment, number, hangs=True)
    contents = place.contents()
    check_record(contents)
    if place.uploads():
        assert MAY_BE_LEFT in ended.err or BEGUN in ended.err
    if INTENT not in contents and case.record not in contents:
        assert set(contents) <= {LEASE}
    done = run(ministack, case.source, place.url)
    assert done.returncode == 0, done.stderr
    check_whole(case, place)


def refusing(operation: str, answer: Answer, times: int = 1_000, *, suffix: str = "") -> tuple[Rule, list[float]]:
    """Refuses the first so many requests of an operation; the times of all of them."""
    asked: list[float] = []

    def choose(request: Request) -> Fault | None:
        if request.operation != operation or not request.key.endswith(suffix):
            return None
        asked.append(time.monotonic())
        return answer if len(asked) <= times else None

    return choose, asked


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("PutObject", "s3:PutObject"),
        pytest.param("CreateMultipartUpload", "s3:PutObject", marks=pytest.mark.slow),
        pytest.param("UploadPart", "s3:PutObject", marks=pytest.mark.slow),
        pytest.param("ListMultipartUploads", "s3:ListBucketMultipartUploads", marks=pytest.mark.slow),
        pytest.param("ListObjectsV2", "s3:ListBucket", marks=pytest.mark.slow),
        pytest.param("GetObject", "s3:GetObject", marks=pytest.mark.slow),
    ],
)
def test_access_denied_is_asked_once_and_named(
    operation: str, permission: str, ministack: S3Server, case: Case
) -> None:
    place = Place.new(ministack)
    rule, _ = refusing(operation, Answer(403, "AccessDenied"))
    with start_proxy(ministack, rule) as proxy:
        done = run(proxy.server, case.source, place.url)
        asked = [(request.operation, request.path, request.query) for request in proxy.requests if request.fault]
    assert done.returncode == 5, done.stderr
    assert f"access denied: {permission} is not allowed on s3://" in done.stderr
    assert "Traceback" not in done.stderr
    again = [request for request in set(asked) if asked.count(request) > 1]
    # At the end, the uploads in the export's folder are listed once more.
    assert again == [] or operation == "ListMultipartUploads", again
    assert place.contents() == {} or operation == "ListMultipartUploads"
    assert place.uploads() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation",
    [
        "PutObject",
        "UploadPart",
        "CompleteMultipartUpload",
        "GetObject",
    ],
)
def test_throttling_is_retried_with_backoff(operation: str, ministack: S3Server, case: Case) -> None:
    place = Place.new(ministack)
    rule, asked = refusing(operation, SLOW_DOWN, 3)
    with start_proxy(ministack, rule) as proxy:
        done = run(proxy.server, case.source, place.url)
    assert done.returncode == 0, done.stderr
    assert len(asked) > 3
    check_whole(case, place)


@pytest.mark.slow
def test_a_server_that_asks_to_slow_down_for_good_is_asked_eight_times_at_longer_and_longer_intervals(
    ministack: S3Server, case: Case
) -> None:
    place = Place.new(ministack)
    rule, asked = refusing("PutObject", SLOW_DOWN, suffix=LEASE)
    with start_proxy(ministack, rule) as proxy:
        done = run(proxy.server, case.source, place.url)
    assert done.returncode == 5, done.stderr
    assert "AWS throttled the request, after several retries" in done.stderr
    assert len(asked) == 8
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert sum(pauses) > 3, pauses
    assert place.contents() == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation",
    [
        "PutObject",
        pytest.param("UploadPart", marks=pytest.mark.slow),
        pytest.param("GetObject", marks=pytest.mark.slow),
    ],
)
def test_expired_credentials_are_said_clearly(operation: str, ministack: S3Server, case: Case) -> None:
    place = Place.new(ministack)
    rule, _ = refusing(operation, Answer(400, "ExpiredToken"))
    with start_proxy(ministack, rule) as proxy:
        done = run(proxy.server, case.source, place.url)
    assert done.returncode == 5, done.stderr
    assert "the AWS credentials have expired" in done.stderr
    assert "get new ones" in done.stderr
    assert place.contents() == {}
    assert place.uploads() == []
