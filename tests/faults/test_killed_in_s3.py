"""`kill -9` of a run that publishes in S3: spread over its time, and at each kind of request, before and after it acts.

Before the intent nothing is visible, after it the next run finishes; in the end all is there, once, and nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from converter.options import ConvertOptions
from converter.testing import ExportFacts, write_split_export
from tests.end_to_end.exports import small_lines
from tests.faults.counts import some, times
from tests.faults.s3_runs import (
    INTENT,
    LEASE,
    Case,
    Contents,
    Place,
    check_record,
    check_whole,
    make_case,
    one_shard,
    run,
    start,
)
from tests.servers.faults import Call, Fault, Request, Reset, Rule
from tests.servers.proxy import Proxy, start_proxy
from tests.servers.s3 import S3Server

TIMED_MOMENTS = times(30)


@dataclass(frozen=True)
class Moment:
    """The nth request of an operation on a key that ends so; 0: the last one. after: it takes effect."""

    operation: str
    key: str = ""
    nth: int = 1
    after: bool = False

    def __str__(self) -> str:
        which = f"{self.nth}." if self.nth else "last"
        return f"{'after' if self.after else 'before'} {which} {self.operation} {self.key}".strip()

    def matches(self, request: Request) -> bool:
        """Is it one of these requests, whichever?"""
        return request.operation == self.operation and request.key.endswith(self.key)

    def rule(self, total: int, act: Callable[[], None]) -> Rule:
        """Acts at the moment; total: of the requests that match."""
        seen = 0

        def choose(request: Request) -> Fault | None:
            nonlocal seen
            seen += self.matches(request)
            if not self.matches(request) or seen != (self.nth or total):
                return None
            if self.after:
                return Call(act, after=True)
            act()
            return Reset()

        return choose


def before_and_after(operation: str, key: str = "", nth: int = 1) -> list[Moment]:
    return [Moment(operation, key, nth, after) for after in (False, True)]


LEASED = before_and_after("PutObject", LEASE) + before_and_after("PutObject", LEASE, 2)
UPLOADING = [
    *before_and_after("CreateMultipartUpload"),
    *before_and_after("CreateMultipartUpload", nth=0),
    *before_and_after("UploadPart"),
    *before_and_after("UploadPart", nth=0),
]
COMMITTING = [
    *before_and_after("PutObject", INTENT),
    *before_and_after("CompleteMultipartUpload"),
    *before_and_after("CompleteMultipartUpload", nth=0),
    # The intent's name ends so, too, and comes first.
    *before_and_after("PutObject", ".json", 0),
    *before_and_after("DeleteObject", INTENT),
    *before_and_after("DeleteObject", LEASE),
]
REMOVING = before_and_after("DeleteObject", ".json") + before_and_after("DeleteObject", ".parquet")


@dataclass(frozen=True)
class Scene:
    """A run to be killed: what it publishes, what is there before, and what it does when nobody kills it."""

    case: Case
    earlier: Contents
    options: tuple[str, ...]
    requests: tuple[Request, ...]
    seconds: float

    def place(self, server: S3Server) -> Place:
        """A new destination as it is before the run."""
        place = Place.new(server)
        place.put(self.earlier)
        return place

    def run(self, server: S3Server, place: Place) -> str:
        """The next run, to its good end; what it said."""
        done = run(server, self.case.source, place.url, *self.options)
        assert done.returncode == 0, done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def first(ministack: S3Server, case: Case) -> Scene:
    """Into an empty destination."""
    return measured(ministack, case, {})


@pytest.fixture(scope="module")
def replacing(ministack: S3Server, case: Case, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """In the place of another export of the same day."""
    folder = tmp_path_factory.mktemp("earlier")
    export = one_shard(folder / "bucket", suffix="0ddba115")
    earlier = make_case(ministack, export, ConvertOptions(), folder / "out")
    return measured(ministack, case, earlier.published, "--replace")


def measured(server: S3Server, case: Case, earlier: Contents, *options: str) -> Scene:
    scene = Scene(case, earlier, options, (), 0)
    place = scene.place(server)
    with start_proxy(server) as proxy, start(proxy.server, case.source, place.url, *options) as process:
        wait_until_leased(proxy)
        begun = time.perf_counter()
        _, err = process.communicate(timeout=60)
        seconds = time.perf_counter() - begun
    assert process.returncode == 0, err
    check_whole(case, place)
    return Scene(case, earlier, options, tuple(proxy.requests), seconds)


def wait_until_leased(proxy: Proxy) -> None:
    end = time.monotonic() + 30
    while not any(request.key.endswith(LEASE) for request in list(proxy.requests)):
        assert time.monotonic() < end
        time.sleep(0.001)


def check_listing(place: Place) -> None:
    """At this moment each record has all its parts."""
    found = place.server.client().list_objects_v2(Bucket=place.bucket).get("Contents", [])
    keys = {entry["Key"].removeprefix(f"{place.prefix}/") for entry in found}
    for path in keys:
        if path.startswith("_exports/") and path.endswith(".json") and path != INTENT:
            folder = path.removeprefix("_exports/").removesuffix(".json")
            assert any(f"/{folder}/" in other for other in keys), path


def check_after_kill(scene: Scene, place: Place) -> bool:
    """What is there is as the rules say; whether the commit had begun."""
    contents = place.contents()
    check_record(contents)
    begun = INTENT in contents or scene.case.record in contents
    if begun:
        assert set(contents) <= {*scene.earlier, *scene.case.published, INTENT, LEASE}
        record = contents.get(INTENT)
        assert record is None or json.loads(record)["exportId"] == scene.case.export.export_id
    else:
        contents.pop(LEASE, None)
        assert contents == scene.earlier
    return begun


def kill_at(server: S3Server, scene: Scene, moment: Moment) -> None:
    """Kill a run at the moment; the next one puts all right."""
    place = scene.place(server)
    total = sum(map(moment.matches, scene.requests))
    assert total >= max(moment.nth, 1), moment
    processes: list[int] = []
    with start_proxy(server, moment.rule(total, lambda: os.kill(processes[0], signal.SIGKILL))) as proxy:
        with start(proxy.server, scene.case.source, place.url, *scene.options) as process:
            processes.append(process.pid)
            _, err = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, f"{moment}: {err}"
    check_after_kill(scene, place)
    scene.run(server, place)
    check_whole(scene.case, place)


def kill_after(server: S3Server, scene: Scene, share: float) -> bool:
    """Kill a run after this share of its time, looking all the while; whether it was still running."""
    place = scene.place(server)
    with start_proxy(server) as proxy, start(proxy.server, scene.case.source, place.url, *scene.options) as process:
        wait_until_leased(proxy)
        end = time.perf_counter() + scene.seconds * share
        while time.perf_counter() < end and process.poll() is None:
            check_listing(place)
        killed = process.poll() is None
        process.kill()
        process.communicate()
    check_after_kill(scene, place)
    scene.run(server, place)
    check_whole(scene.case, place)
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("moment", some([*LEASED, *UPLOADING, *COMMITTING]), ids=str)
def test_a_run_that_is_killed_at_a_request_publishes_all_or_nothing(
    moment: Moment, ministack: S3Server, first: Scene
) -> None:
    kill_at(ministack, first, moment)


@pytest.mark.slow
@pytest.mark.parametrize("moment", some([*UPLOADING[-1:], *COMMITTING, *REMOVING]), ids=str)
def test_a_replacement_that_is_killed_at_a_request_leaves_the_old_or_the_new(
    moment: Moment, ministack: S3Server, replacing: Scene
) -> None:
    kill_at(ministack, replacing, moment)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["first", "replacing"])
def test_a_run_that_is_killed_at_any_of_thirty_moments_publishes_all_or_nothing(
    kind: str, ministack: S3Server, request: pytest.FixtureRequest
) -> None:
    scene: Scene = request.getfixturevalue(kind)
    killed = [kill_after(ministack, scene, (moment + 0.5) / TIMED_MOMENTS) for moment in range(TIMED_MOMENTS)]
    assert sum(killed) >= TIMED_MOMENTS // 2


@pytest.mark.slow
@pytest.mark.parametrize("moment", [Moment("CompleteMultipartUpload", nth=2, after=True)], ids=str)
def test_a_run_that_is_killed_between_two_parts_is_finished_by_the_next(
    moment: Moment, ministack: S3Server, first: Scene
) -> None:
    kill_at(ministack, first, moment)


@pytest.mark.slow
def test_uploads_survive_neither_a_run_that_died_nor_the_death_of_the_one_that_cleaned_up(
    ministack: S3Server, first: Scene, tmp_path: Path
) -> None:
    place = first.place(ministack)
    kill_without_next(ministack, first, first.case.source, place, Moment("UploadPart", nth=2, after=True))
    assert place.uploads() != []
    # Another export: its run has no folder in common with the dead one.
    facts = ExportFacts(id_suffix="0ddba115")
    other = write_split_export(tmp_path / "bucket", [list(small_lines(10))], facts=facts)
    kill_without_next(ministack, first, str(other.folder), place, Moment("ListMultipartUploads"))
    assert run(ministack, str(other.folder), place.url).returncode == 0
    assert place.uploads() == []


def kill_without_next(server: S3Server, scene: Scene, source: str, place: Place, moment: Moment) -> None:
    processes: list[int] = []
    with start_proxy(server, moment.rule(0, lambda: os.kill(processes[0], signal.SIGKILL))) as proxy:
        with start(proxy.server, source, place.url) as process:
            processes.append(process.pid)
            _, err = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, f"{moment}: {err}"
