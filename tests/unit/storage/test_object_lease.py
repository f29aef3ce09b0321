"""The lease in S3: one of several takers wins, the dead are taken over, and a holder knows when it has lost it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from converter.aws.access import AwsOptions, Connection
from converter.aws.objects import Objects
from converter.errors import BusyError, ConvertError, StorageError, UsageError
from converter.storage import object_lease
from converter.storage.object_lease import LEASE, Holder, S3Lock, read_lease
from converter.storage.s3 import S3Destination
from tests.servers.faults import Answer, LoseAnswer, Request, once
from tests.servers.proxy import start_proxy
from tests.servers.s3 import S3Server

ROOT = Path(__file__).resolve().parents[3]
EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=2023-11-27/{EXPORT}"
ELSEWHERE = Holder("t0", 4711, "elsewhere", "2024-01-01T00:00:00Z", "another machine", "1", 3, (FOLDER,))


@pytest.fixture
def server(ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    ministack.use(monkeypatch)
    return ministack


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.new_bucket()


def objects(bucket: str, endpoint_url: str | None = None) -> Objects:
    """As a run of its own sees the bucket."""
    return Objects(bucket, "lake", Connection(AwsOptions(endpoint_url=endpoint_url).for_dest(), "s3"))


def taken(store: Objects) -> S3Lock:
    """The lease, held."""
    lease = S3Lock(store)
    lease.take()
    return lease


@contextmanager
def held(bucket: str, endpoint_url: str | None = None) -> Iterator[S3Lock]:
    lease = taken(objects(bucket, endpoint_url))
    try:
        yield lease
    finally:
        lease.release()


def holder(bucket: str) -> Holder | None:
    found = read_lease(objects(bucket))
    return None if found is None else found[0]


def dead() -> Holder:
    """A run of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return replace(ELSEWHERE, process=process.pid, machine=object_lease._machine(), started="1")


def write(bucket: str, lease: Holder) -> None:
    objects(bucket).write(LEASE, lease.to_json())


def together(*takers: Callable[[], S3Lock]) -> tuple[list[S3Lock], list[ConvertError]]:
    """What several at once get: the leases, and the refusals."""
    start = Barrier(len(takers))

    def take(taker: Callable[[], S3Lock]) -> S3Lock | ConvertError:
        start.wait()
        try:
            return taker()
        except ConvertError as error:
            return error

    with ThreadPoolExecutor(len(takers)) as pool:
        outcomes = list(pool.map(take, takers))
    return (
        [outcome for outcome in outcomes if isinstance(outcome, S3Lock)],
        [outcome for outcome in outcomes if isinstance(outcome, ConvertError)],
    )


@pytest.mark.parametrize("left", [None, "dead"])
def test_of_two_that_take_it_at_once_one_wins_and_the_other_is_told_who(left: str | None, bucket: str) -> None:
    stores = [objects(bucket), objects(bucket)]
    stale = dead() if left else None
    for _ in range(20):
        if stale:
            write(bucket, stale)
        winners, refusals = together(lambda: taken(stores[0]), lambda: taken(stores[1]))
        assert (len(winners), len(refusals)) == (1, 1)
        assert isinstance(refusals[0], BusyError)
        assert f"process {os.getpid()} on " in refusals[0].what
        assert winners[0].left == stale
        winners[0].confirm()
        winners[0].release()
        assert holder(bucket) is None


def test_a_live_lease_is_refused_with_who_holds_it_and_when_it_is_free(bucket: str) -> None:
    write(bucket, ELSEWHERE)
    with pytest.raises(BusyError, match="process 4711 on elsewhere, since 2024-01-01T00:00:00Z") as refused:
        taken(objects(bucket))
    assert refused.value.where == f"s3://{bucket}/lake/{LEASE}"
    seconds = re.search(r"free in (\d+) s", refused.value.hint)
    assert seconds is not None
    assert 50 <= int(seconds[1]) <= 60
    assert holder(bucket) == ELSEWHERE


def test_a_lease_that_was_not_written_for_long_is_taken_over(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_lease, "STALE_SECONDS", 1)
    write(bucket, ELSEWHERE)
    with pytest.raises(BusyError):
        taken(objects(bucket))
    time.sleep(2.1)
    with held(bucket) as lease:
        assert lease.left == ELSEWHERE
        assert holder(bucket) != ELSEWHERE


def test_it_is_written_again_and_again_and_gone_after_its_release(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_lease, "BEAT_SECONDS", 0.02)
    with held(bucket) as lease:
        beats: list[int] = []
        while len(beats) < 4:
            found = holder(bucket)
            assert found is not None
            beats = sorted({*beats, found.beat})
        lease.confirm()
    time.sleep(0.1)
    assert holder(bucket) is None


@pytest.mark.parametrize("is_zombie", [False, True])
def test_the_lease_and_uploads_of_a_run_that_was_killed_on_this_machine_are_taken_over_at_once(
    is_zombie: bool, server: S3Server, bucket: str
) -> None:
    place = f"s3://{bucket}/lake"
    command = [sys.executable, "-m", "tests.unit.storage.s3_holder", place, FOLDER]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process, ExitStack() as stack:
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        with pytest.raises(BusyError, match=f"process {process.pid} on "):
            taken(objects(bucket))
        process.kill()
        if is_zombie:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        else:
            process.wait()
        assert server.uploads(bucket) == [f"lake/{FOLDER}/0.parquet"]
        with S3Destination(place, AwsOptions()).lease():
            assert server.uploads(bucket) == []
    assert server.listing(bucket) == {}


@pytest.mark.parametrize("other", [ELSEWHERE, None])
def test_a_lease_that_someone_else_has_or_that_was_removed_is_lost_for_good(other: Holder | None, bucket: str) -> None:
    lease = taken(objects(bucket))
    lease.check()
    if other:
        write(bucket, other)
    else:
        objects(bucket).delete(LEASE)
    with pytest.raises(StorageError, match="lease of the destination was lost"):
        lease.confirm()
    with pytest.raises(StorageError, match="lease of the destination was lost"):
        lease.check()
    lease.release()
    assert holder(bucket) == other


def test_a_lease_that_could_not_be_written_for_a_while_counts_as_lost(
    server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_lease, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(object_lease, "LOST_SECONDS", 1)
    with start_proxy(server) as proxy:
        lease = taken(objects(bucket, proxy.server.endpoint_url))
        time.sleep(1.5)
        lease.check()
        proxy.rule = lambda request: Answer(403, "AccessDenied") if request.operation == "PutObject" else None
        lease.check()
        time.sleep(1.5)
        with pytest.raises(StorageError, match="could not be written for a while"):
            lease.check()
        # It may be another run's by now: it is not removed.
        lease.release()
        assert holder(bucket) is not None


@pytest.mark.parametrize("nth", [1, 2])
def test_what_was_written_is_our_own_though_the_answer_was_lost(nth: int, server: S3Server, bucket: str) -> None:
    stale = dead() if nth == 2 else None
    if stale:
        write(bucket, stale)
    with start_proxy(server, once(LoseAnswer(), "PutObject", nth)) as proxy:
        with held(bucket, proxy.server.endpoint_url) as lease:
            assert lease.left == stale
            assert sum(request.status is None for request in proxy.requests) == 1
            seen: list[Request] = []
            proxy.rule = lambda request: LoseAnswer() if request.method == "PUT" and not _note(seen, request) else None
            lease.note((FOLDER,))
            found = holder(bucket)
            assert found is not None
            assert found.folders == (FOLDER,)
            lease.confirm()
            proxy.rule = once(LoseAnswer(), "DeleteObject")
        assert proxy.operations().count("DeleteObject") == 2
    assert holder(bucket) is None


def _note(seen: list[Request], request: Request) -> bool:
    """Was another one seen before?"""
    seen.append(request)
    return len(seen) > 1


def test_a_lease_that_is_damaged_or_from_a_newer_version_is_no_lease_to_take(bucket: str) -> None:
    newer = json.dumps({**json.loads(ELSEWHERE.to_json()), "version": 99}).encode()
    for content, error in ((b"{", StorageError), (b"{}", StorageError), (newer, UsageError)):
        objects(bucket).write(LEASE, content)
        with pytest.raises(error) as refused:
            taken(objects(bucket))
        assert refused.value.where == f"s3://{bucket}/lake/{LEASE}"
        assert objects(bucket).read(LEASE)[0] == content  # type: ignore[index]


@pytest.mark.slow
def test_a_store_without_conditional_writes_is_held_with_a_warning(
    swift: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    swift.use(monkeypatch)
    place = f"s3://{swift.new_bucket()}/lake"
    with S3Destination(place, AwsOptions()).lease() as lease:
        assert lease.warnings == []
        lease.begin(EXPORT, FOLDER)
        [warning] = lease.warnings
        assert "only one run at a time" in warning
        assert place in warning
        with pytest.raises(BusyError, match=f"process {os.getpid()} on "), S3Destination(place, AwsOptions()).lease():
            pass
