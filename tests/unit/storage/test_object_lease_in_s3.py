"""The lease in S3, over HTTP: its atomic conditions, the retries of a lost answer, and runs that were killed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from converter.aws.access import AwsOptions
from converter.aws.s3_store import open_destination_store
from converter.aws.s3_uri import s3_uri
from converter.errors import BusyError
from converter.object_store import ObjectStore
from converter.storage import open_destination
from converter.storage.object_lease import LEASE
from tests.servers.faults import LoseAnswer, Request, once
from tests.servers.proxy import start_proxy
from tests.servers.s3 import S3Server
from tests.unit.storage.test_object_lease import EXPORT, FOLDER, dead, held, holder, taken, together

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def server(ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    ministack.use(monkeypatch)
    return ministack


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.new_bucket()


def store_of(bucket: str, endpoint_url: str | None = None) -> ObjectStore:
    """The bucket as a run of its own sees it."""
    return open_destination_store(s3_uri(bucket, "lake"), AwsOptions(endpoint_url=endpoint_url))


@pytest.mark.parametrize("left", [None, "dead"])
def test_one_of_two_that_take_it_at_once_wins_and_the_other_learns_the_holder(left: str | None, bucket: str) -> None:
    stores = [store_of(bucket), store_of(bucket)]
    stale = dead() if left else None
    for _ in range(5):
        if stale:
            store_of(bucket).put(LEASE, stale.to_json())
        winners, refusals = together(lambda: taken(stores[0]), lambda: taken(stores[1]))
        assert (len(winners), len(refusals)) == (1, 1)
        assert isinstance(refusals[0], BusyError)
        assert f"process {os.getpid()} on " in refusals[0].what
        assert winners[0].taken_over_from == stale
        winners[0].confirm()
        winners[0].release()
        assert holder(store_of(bucket)) is None


@pytest.mark.parametrize("is_zombie", [False, True])
def test_the_lease_and_uploads_of_a_run_that_was_killed_on_this_machine_are_taken_over_at_once(
    is_zombie: bool, server: S3Server, bucket: str
) -> None:
    place = s3_uri(bucket, "lake")
    command = [sys.executable, "-m", "tests.unit.storage.s3_holder", place, FOLDER]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process, ExitStack() as stack:
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        with pytest.raises(BusyError, match=f"process {process.pid} on "):
            taken(store_of(bucket))
        process.kill()
        if is_zombie:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        else:
            process.wait()
        assert server.uploads(bucket) == [f"lake/{FOLDER}/0.parquet"]
        with open_destination(place, AwsOptions()).lease():
            assert server.uploads(bucket) == []
    assert server.listing(bucket) == {}


@pytest.mark.parametrize("nth", [1, 2])
def test_a_write_whose_answer_was_lost_is_recognized_as_our_own(nth: int, server: S3Server, bucket: str) -> None:
    stale = dead() if nth == 2 else None
    if stale:
        store_of(bucket).put(LEASE, stale.to_json())
    with start_proxy(server, once(LoseAnswer(), "PutObject", nth)) as proxy:
        with held(store_of(bucket, proxy.server.endpoint_url)) as lease:
            assert lease.taken_over_from == stale
            assert sum(request.status is None for request in proxy.requests) == 1
            seen: list[Request] = []
            proxy.rule = lambda request: (
                LoseAnswer() if request.method == "PUT" and not _seen_another(seen, request) else None
            )
            lease.add_folders((FOLDER,))
            found = holder(store_of(bucket))
            assert found is not None
            assert found.folders == (FOLDER,)
            lease.confirm()
            proxy.rule = once(LoseAnswer(), "DeleteObject")
        assert proxy.operations().count("DeleteObject") == 2
    assert holder(store_of(bucket)) is None


def _seen_another(seen: list[Request], request: Request) -> bool:
    """Was another one seen before?"""
    seen.append(request)
    return len(seen) > 1


@pytest.mark.slow
def test_a_store_without_conditional_writes_is_held_with_a_warning(
    swift: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    swift.use(monkeypatch)
    place = f"s3://{swift.new_bucket()}/lake"
    with open_destination(place, AwsOptions()).lease() as lease:
        assert lease.warnings == []
        lease.begin(EXPORT, FOLDER)
        [warning] = lease.warnings
        assert "only one run at a time" in warning
        assert place in warning
        with (
            pytest.raises(BusyError, match=f"process {os.getpid()} on "),
            open_destination(place, AwsOptions()).lease(),
        ):
            pass
