"""Several runs at one destination: one publishes, the others wait or find it published, and nothing is ever mixed.

A run may also be stopped for so long that another takes its lease: when it goes on, it has to leave alone what the
other one does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from converter import convert
from converter.aws.access import AwsOptions
from converter.errors import BusyError
from tests.cli.command import REPOSITORY, environment
from tests.faults.counts import some, times
from tests.faults.s3_runs import (
    INTENT,
    Case,
    Place,
    check_record,
    check_whole,
    command,
    folder_contents,
    run,
    s3_environment,
    start,
    use,
)
from tests.faults.test_killed_in_s3 import Moment
from tests.servers.faults import Call, Fault, Request
from tests.servers.proxy import start_proxy
from tests.servers.s3 import S3Server

RACES = times(20)
MET = [0, 6]
"""How runs end of which one holds the destination while the other begins."""
# The command with a lease that is stale after a second instead of a minute.
IMPATIENT = """
from converter.storage import object_lease
object_lease.BEAT_SECONDS, object_lease.LOST_SECONDS, object_lease.STALE_SECONDS = 0.2, 0.6, 1.0
from converter.cli import app
app()
"""


def wants_more(ends: list[list[int]]) -> bool:
    """Is there another race to run? On a busy machine, one run may have ended before the other begins."""
    return len(ends) < RACES or (ends.count(MET) < RACES // 2 and len(ends) < RACES * 5)


def check_race(racers: list[subprocess.Popen[str]]) -> list[int]:
    """The exit codes of runs that were started at once; at least one of them published."""
    ends = [(process, *process.communicate(timeout=60)) for process in racers]
    published = 0
    for process, _, err in ends:
        assert process.returncode in (0, 6), err
        unchanged = "nothing to do" in err
        published += process.returncode == 0 and not unchanged
        if process.returncode == 6:
            assert "another run holds the destination" in err
    assert published == 1, [err for _, _, err in ends]
    return sorted(process.returncode for process, _, _ in ends)


@pytest.mark.slow
def test_of_two_runs_at_once_in_s3_one_publishes(ministack: S3Server, case: Case) -> None:
    ends: list[list[int]] = []
    while wants_more(ends):
        place = Place.new(ministack)
        ends.append(check_race([start(ministack, case.source, place.url) for _ in range(2)]))
        check_whole(case, place)
    assert ends.count(MET) >= RACES // 2, ends


@pytest.mark.slow
def test_of_two_runs_at_once_in_a_folder_one_publishes(ministack: S3Server, case: Case, tmp_path: Path) -> None:
    ends: list[list[int]] = []
    while wants_more(ends):
        folder = tmp_path / str(len(ends))
        arguments = command(str(case.export.folder), str(folder))
        racers = [
            subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        ends.append(check_race(racers))
        contents = folder_contents(folder)
        check_record(contents)
        assert {path: contents[path] for path in contents if path != case.record} == case.parts()
    assert ends.count(MET) >= RACES // 2, ends


def test_of_four_threads_at_once_one_publishes(
    ministack: S3Server, small: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(ministack, monkeypatch)
    place, barrier = Place.new(ministack), Barrier(4)

    def convert_at_once() -> str:
        barrier.wait(10)
        try:
            return convert(small.source, place.url, aws=AwsOptions(endpoint_url=ministack.endpoint_url)).status
        except BusyError:
            return "busy"

    with ThreadPoolExecutor(4) as pool:
        ends: list[Future[str]] = [pool.submit(convert_at_once) for _ in range(4)]
    said = [end.result() for end in ends]
    assert said.count("published") == 1
    assert set(said) <= {"published", "unchanged", "busy"}
    check_whole(small, place)


def start_impatient(server: S3Server, source: str, dest: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, "convert", source, dest, *options],
        cwd=REPOSITORY,
        env=s3_environment(server),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def take_over(server: S3Server, case: Case, place: Place, *options: str) -> None:
    """Another run that finds the lease stale, to its end."""
    while True:
        with start_impatient(server, case.source, place.url, *options) as process:
            _, err = process.communicate(timeout=60)
        if process.returncode != 6:
            assert process.returncode == 0, err
            return


class Stopping:
    """Stops the process at a request, has another run publish, and lets the process and the request go on."""

    def __init__(self, moment: Moment, act: Callable[[], None]) -> None:
        self._moment = moment
        self._act = act
        self._seen = 0
        self.process = 0

    def __call__(self, request: Request) -> Fault | None:
        self._seen += self._moment.matches(request)
        if self._moment.matches(request) and self._seen == self._moment.nth:
            return Call(self._stop, after=self._moment.after)
        return None

    def _stop(self) -> None:
        os.kill(self.process, signal.SIGSTOP)
        try:
            self._act()
        finally:
            os.kill(self.process, signal.SIGCONT)


STOPS = [
    Moment(operation, key, nth, after)
    for operation, key, nth in (
        ("CreateMultipartUpload", "", 2),
        ("UploadPart", "", 1),
        ("PutObject", "_exports/intent.json", 1),
        ("CompleteMultipartUpload", "", 2),
        # The intent is the first.
        ("PutObject", ".json", 2),
    )
    for after in (False, True)
]
# With its record the export is published.
PUBLISHED = STOPS.pop()


def stop_and_take_over(server: S3Server, case: Case, place: Place, moment: Moment) -> tuple[int, str]:
    """The exit code and the message of a run that was stopped at the moment until another had published."""
    rule = Stopping(moment, lambda: take_over(server, case, place))
    with start_proxy(server, rule) as proxy, start_impatient(proxy.server, case.source, place.url) as process:
        rule.process = process.pid
        _, err = process.communicate(timeout=100)
    assert "a bug in" not in err
    assert "Traceback" not in err
    return process.returncode, err


@pytest.mark.slow
@pytest.mark.parametrize("moment", some(STOPS), ids=str)
def test_a_run_that_slept_through_a_takeover_ends_with_an_error_and_leaves_alone_what_is_published(
    moment: Moment, ministack: S3Server, case: Case
) -> None:
    place = Place.new(ministack)
    code, err = stop_and_take_over(ministack, case, place, moment)
    assert code == 5, err
    assert "the lease of the destination was lost" in err
    check_whole(case, place)
    done = run(ministack, case.source, place.url)
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stderr
    check_whole(case, place)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [PUBLISHED, Moment("DeleteObject", "_exports/intent.json")], ids=str)
def test_a_run_that_slept_when_all_was_published_ends_well(moment: Moment, ministack: S3Server, case: Case) -> None:
    place = Place.new(ministack)
    code, err = stop_and_take_over(ministack, case, place, moment)
    assert code == 0, err
    check_whole(case, place)


@pytest.mark.slow
def test_a_run_that_wakes_up_while_another_uploads_does_not_abort_the_uploads_of_that_one(
    ministack: S3Server, case: Case
) -> None:
    place = Place.new(ministack)
    ended: list[tuple[int, str]] = []

    def wake_up() -> None:
        os.kill(first.pid, signal.SIGCONT)
        _, err = first.communicate(timeout=60)
        ended.append((first.returncode, err))

    def stop() -> None:
        os.kill(first.pid, signal.SIGSTOP)
        stopped.set()

    stopped = Event()
    stopping = Moment("UploadPart", nth=1).rule(1, stop)
    with start_proxy(ministack, stopping) as proxy, start_impatient(proxy.server, case.source, place.url) as first:
        assert stopped.wait(60)
        waking = Moment("UploadPart", nth=3, after=True)
        rule = waking.rule(3, wake_up)
        with start_proxy(ministack, rule) as second:
            take_over(second.server, case, place)
    assert ended[0][0] == 5, ended
    check_whole(case, place)


@pytest.mark.slow
def test_an_intent_that_arrives_when_another_run_holds_the_lease_is_replaced_by_that_one(
    ministack: S3Server, case: Case
) -> None:
    place, stopped, go_on = Place.new(ministack), Event(), Event()

    def wait_for_other() -> None:
        stopped.set()
        assert go_on.wait(60)

    def wake_up() -> None:
        go_on.set()
        ended.extend(first.communicate(timeout=60))

    ended: list[str] = []
    rule = Stopping(Moment("PutObject", INTENT), wait_for_other)
    with start_proxy(ministack, rule) as proxy, start_impatient(proxy.server, case.source, place.url) as first:
        rule.process = first.pid
        assert stopped.wait(60)
        waking = Moment("UploadPart", after=True)
        with start_proxy(ministack, waking.rule(1, wake_up)) as second:
            take_over(second.server, case, place)
    assert first.returncode == 5, ended
    assert "the lease of the destination was lost" in ended[1]
    check_whole(case, place)
