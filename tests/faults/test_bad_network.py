"""A bad network and a server that fails: a run ends whole and equal to the oracle, or clearly and with nothing visible.

Each request fails at random in each of the ways with a chance of one in twenty, by a seed that is the conversion's
number.
"""

from __future__ import annotations

import gzip
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest

from converter import convert
from converter.aws.access import AwsOptions
from converter.errors import ConvertError
from converter.options import ConvertOptions
from tests.faults.counts import times
from tests.faults.s3_runs import (
    BEGUN,
    LEASE,
    MAY_BE_LEFT,
    Case,
    Place,
    at_once,
    check_nothing,
    check_record,
    check_whole,
    folder_contents,
    make_case,
    run,
    source_of,
    twenty_files,
    use,
)
from tests.servers.faults import (
    INTERNAL_ERROR,
    SLOW_DOWN,
    Answer,
    Call,
    Fault,
    LoseAnswer,
    Request,
    Reset,
    Rule,
    Slow,
    Truncate,
    at_random,
)
from tests.servers.proxy import Proxy, start_proxy
from tests.servers.s3 import S3Server

WAYS: tuple[Fault, ...] = (Reset(), LoseAnswer(), Truncate(), Slow(0.3), SLOW_DOWN, INTERNAL_ERROR)
RATES = dict.fromkeys(WAYS, 0.05)
# They differ in format, in the number of parts, and in that of a part's pieces.
OPTIONS = (
    ConvertOptions(workers=2),
    ConvertOptions(workers=2, part_size=1 << 20),
    ConvertOptions(workers=2, format="csv"),
    ConvertOptions(workers=1, format="csv", compression="gzip"),
)
AT_ONCE = 3
PUBLISHED = "published"

_T = TypeVar("_T")


@dataclass(frozen=True)
class Kind:
    """What some of the conversions have in common."""

    case: Case
    options: ConvertOptions


@dataclass
class Tally:
    """How conversions ended, and which faults their requests met."""

    ends: Counter[str]
    faults: Counter[str]

    def __init__(self) -> None:
        self.ends = Counter()
        self.faults = Counter()

    def add(self, end: str, proxy: Proxy) -> None:
        """One more."""
        self.ends[end] += 1
        for request in proxy.requests:
            if request.fault is not None:
                self.faults[word_for(request.fault)] += 1

    def show(self) -> None:
        """For who runs the test with -s."""
        print(f"\n{dict(self.ends)}\n{dict(self.faults)}")  # noqa: T201 - the figures that the test is for


def word_for(fault: Fault) -> str:
    """Its kind."""
    return fault.code if isinstance(fault, Answer) else type(fault).__name__


@pytest.fixture(scope="module")
def kinds(ministack: S3Server, tmp_path_factory: pytest.TempPathFactory) -> list[Kind]:
    """Each kind of conversion, with what it gives without faults, checked by the oracle."""
    folder = tmp_path_factory.mktemp("bad-network")
    exports = [twenty_files(folder / f"bucket{surprise}", surprise=surprise) for surprise in (False, True)]
    return [
        Kind(make_case(ministack, export, options, folder / f"out{number}-{turn}"), options)
        for number, export in enumerate(exports)
        for turn, options in enumerate(OPTIONS)
    ]


def delay_of(number: int) -> float:
    """Every third conversion has a server that is 30 ms away."""
    return 0.03 if number % 3 == 2 else 0.0


def end_of(error: ConvertError) -> str:
    """The word for how a conversion failed; it must say what to do."""
    assert error.exit_code in (3, 5, 6), error
    assert error.what
    assert error.where
    assert error.hint
    assert BEGUN not in str(error)
    return f"{type(error).__name__} {error.exit_code}"


def convert_over(
    proxy: Proxy,
    kind: Kind,
    source: str,
    dest: str,
    check_published: Callable[[], None],
    check_failed: Callable[[], None],
) -> str:
    """One conversion over the proxy, and how it ended."""
    try:
        report = convert(source, dest, kind.options, aws=AwsOptions(endpoint_url=proxy.server.endpoint_url))
    except ConvertError as error:
        check_failed()
        return end_of(error)
    assert report.status == PUBLISHED
    check_published()
    return PUBLISHED


@pytest.mark.slow
def test_fifty_conversions_over_a_bad_network_end_whole_or_with_nothing(
    ministack: S3Server, kinds: list[Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(ministack, monkeypatch)
    tally = Tally()

    def conversion(number: int) -> None:
        kind = kinds[number % len(kinds)]
        place = Place.new(ministack)
        with start_proxy(ministack, at_random(number, RATES), delay_of(number)) as proxy:
            end = convert_over(
                proxy,
                kind,
                kind.case.source,
                place.url,
                lambda: check_whole(kind.case, place),
                lambda: check_nothing(place),
            )
            tally.add(end, proxy)

    at_once(conversion, range(times(50)), AT_ONCE)
    tally.show()
    assert sum(tally.ends.values()) == times(50)
    # Each request is tried eight times: hardly any has so much bad luck.
    assert tally.ends[PUBLISHED] >= times(50) - 2
    assert set(tally.faults) == set(map(word_for, WAYS))


@pytest.mark.slow
@pytest.mark.parametrize("local", ["source", "dest"])
def test_conversions_with_one_local_end_survive_a_bad_network(
    local: str, ministack: S3Server, kinds: list[Kind], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(ministack, monkeypatch)
    tally = Tally()

    def conversion(number: int) -> None:
        kind = kinds[number % len(kinds)]
        with start_proxy(ministack, at_random(1_000 + number, RATES), delay_of(number)) as proxy:
            if local == "source":
                place = Place.new(ministack)
                source, dest = str(kind.case.export.folder), place.url
                checks = lambda: check_whole(kind.case, place), lambda: check_nothing(place)
            else:
                folder = tmp_path / str(number)
                source, dest = kind.case.source, str(folder)
                checks = lambda: check_folder(kind.case, folder), lambda: check_no_folder(folder)
            tally.add(convert_over(proxy, kind, source, dest, *checks), proxy)

    at_once(conversion, range(times(16)), AT_ONCE)
    tally.show()
    assert tally.ends[PUBLISHED] >= times(16) - 1


def check_folder(case: Case, folder: Path) -> None:
    """As check_whole, for a folder."""
    contents = folder_contents(folder)
    check_record(contents)
    assert {path: contents[path] for path in contents if path != case.record} == case.parts()


def check_no_folder(folder: Path) -> None:
    """As check_nothing."""
    assert not folder.exists()


class Overwriting:
    """Overwrites a data file when it is read for the second time, or in the middle of the first; others fail at random.

    The new object has the same lines in another order: only its ETag and the manifest's md5 tell.
    """

    def __init__(self, server: S3Server, kind: Kind, source: str, seed: int) -> None:
        self._server = server
        self._others = at_random(seed, RATES)
        draw = random.Random(seed)
        self._path = draw.choice(kind.case.export.data_files)
        self._nth = draw.choice((1, 2))
        self._seen = 0
        self._bucket = source.removeprefix("s3://").partition("/")[0]
        self._key = str(self._path.relative_to(kind.case.export.bucket))
        self.overwritten = threading.Event()

    def __call__(self, request: Request) -> Fault | None:
        fault = self._others(request)
        # Before it was read at all, its successor would be as good.
        if request.operation == "GetObject" and request.key == self._key and fault is None:
            self._seen += 1
            if self._seen == self._nth:
                return Call(self._overwrite, middle=self._nth == 1)
        return fault

    def _overwrite(self) -> None:
        lines = gzip.decompress(self._path.read_bytes()).splitlines(keepends=True)
        other = gzip.compress(b"".join(reversed(lines)))
        self._server.client().put_object(Bucket=self._bucket, Key=self._key, Body=other)
        self.overwritten.set()


@pytest.mark.slow
@pytest.mark.parametrize("verify", [True, False])
def test_an_object_that_changes_under_the_read_is_never_mixed_with_its_successor(
    verify: bool, ministack: S3Server, kinds: list[Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(ministack, monkeypatch)
    tally = Tally()

    def conversion(number: int) -> None:
        kind = kinds[number % len(kinds)]
        kind = replace(kind, options=replace(kind.options, verify=verify))
        source, place = source_of(ministack, kind.case.export), Place.new(ministack)
        rule = Overwriting(ministack, kind, source, number)
        with start_proxy(ministack, rule, delay_of(number)) as proxy:
            end = convert_over(
                proxy, kind, source, place.url, lambda: check_whole(kind.case, place), lambda: check_nothing(place)
            )
            tally.add(f"{end}, overwritten: {rule.overwritten.is_set()}", proxy)

    at_once(conversion, range(times(16)), AT_ONCE)
    tally.show()
    assert tally.ends["ExportError 3, overwritten: True"] >= max(times(16) // 4, 1)


@pytest.mark.slow
def test_runs_that_hardly_try_again_fail_clearly_and_the_next_run_is_whole(
    ministack: S3Server, kinds: list[Kind]
) -> None:
    tally = Tally()

    def conversion(number: int) -> None:
        case, place = kinds[0].case, Place.new(ministack)
        with start_proxy(ministack, at_random(2_000 + number, dict.fromkeys(WAYS, 0.02))) as proxy:
            done = run(proxy.server, case.source, place.url, AWS_MAX_ATTEMPTS="2")
            tally.add(f"{done.returncode}{' ' + BEGUN if BEGUN in done.stderr else ''}", proxy)
        assert "Traceback" not in done.stderr
        assert "a bug in" not in done.stderr
        check_record(place.contents())
        if done.returncode:
            assert done.returncode in (3, 5, 6), done.stderr
            if BEGUN not in done.stderr:
                assert set(place.contents()) <= {LEASE}, done.stderr
                assert place.uploads() == [] or MAY_BE_LEFT in done.stderr, done.stderr
        again = run(ministack, case.source, place.url)
        assert again.returncode == 0, again.stderr
        check_whole(case, place)

    at_once(conversion, range(times(24)), 2)
    tally.show()
    assert tally.ends["5"] >= max(times(24) // 6, 1)


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[pytest.mark.slow] if way == SLOW_DOWN else [], id=word_for(way)) for way in WAYS]
)
def test_a_small_conversion_survives_each_way_of_failing(
    way: Fault, ministack: S3Server, small: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(ministack, monkeypatch)
    place = Place.new(ministack)
    with start_proxy(ministack, every_first(replace(way, seconds=0.1) if isinstance(way, Slow) else way)) as proxy:
        end = convert_over(
            proxy,
            Kind(small, ConvertOptions()),
            small.source,
            place.url,
            lambda: check_whole(small, place),
            lambda: check_nothing(place),
        )
    assert end == PUBLISHED


def every_first(fault: Fault) -> Rule:
    """The fault for the first request of each operation."""
    seen: set[str] = set()

    def choose(request: Request) -> Fault | None:
        first = request.operation not in seen
        seen.add(request.operation)
        return fault if first else None

    return choose
