"""Prefetch: which files are requested before they are taken."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from io import RawIOBase

import pytest

from converter.storage.object_source import FetchedFile, Prefetch

MIB = 1 << 20


class Requests:
    """Requested files, in order; each is answered at once with its path, unless its answer is given."""

    def __init__(self, answers: Mapping[str, Future[RawIOBase]] | None = None) -> None:
        self.paths: list[str] = []
        self._answers = answers or {}

    def fetch(self, path: str) -> Future[RawIOBase]:
        self.paths.append(path)
        if path in self._answers:
            return self._answers[path]
        done = Future[RawIOBase]()
        done.set_result(FetchedFile(path.encode()))
        return done


@pytest.mark.parametrize(
    ("sizes", "requested"),
    [
        ([1] * 40, 16),  # at most 16 files
        ([MIB] * 40, 4),  # at most 4 MiB
        ([3 * MIB, MIB, 1], 2),
        ([100 * MIB] * 5, 2),  # at least two
        ([None] * 5, 2),  # a file of unknown size may be large
    ],
)
def test_files_are_requested_up_to_16_or_4_mib_but_always_two(sizes: list[int | None], requested: int) -> None:
    paths = [f"{number:02}" for number in range(len(sizes))]
    known = {path: size for path, size in zip(paths, sizes, strict=True) if size is not None}
    requests = Requests()
    prefetch = Prefetch(paths, known, requests.fetch)
    assert requests.paths == paths[:requested]
    assert prefetch.take("00").read() == b"00"
    assert requests.paths == paths[: requested + 1]


def test_every_file_is_requested_once_in_whatever_order_they_are_taken() -> None:
    paths = [str(number) for number in range(9)]
    requests = Requests()
    prefetch = Prefetch(paths, {}, requests.fetch)
    for path in ("8", "0", "4", "1", "2", "3", "7", "5", "6"):
        assert prefetch.take(path).read() == path.encode()
    assert sorted(requests.paths) == paths
    # A second time, and a path that was not announced.
    assert prefetch.take("0").read() == b"0"
    assert prefetch.take("other").read() == b"other"


def test_closing_cancels_requests_and_closes_answers_even_those_that_come_later() -> None:
    waiting, running, done = Future[RawIOBase](), Future[RawIOBase](), Future[RawIOBase]()
    assert running.set_running_or_notify_cancel()
    answers = {"waiting": waiting, "running": running, "done": done}
    done.set_result(FetchedFile(b""))
    Prefetch(answers, dict.fromkeys(answers, 1), Requests(answers).fetch).close()
    late = FetchedFile(b"")
    running.set_result(late)
    assert waiting.cancelled()
    assert late.closed
    assert done.result().closed


def test_an_error_is_raised_when_the_file_is_taken() -> None:
    failed = Future[RawIOBase]()
    failed.set_exception(FileNotFoundError("x"))
    prefetch = Prefetch(["x", "y"], {}, Requests({"x": failed}).fetch)
    assert prefetch.take("y").read() == b"y"
    with pytest.raises(FileNotFoundError):
        prefetch.take("x")
    prefetch.close()


def test_a_fetched_file_is_read_in_any_steps() -> None:
    file = FetchedFile(b"abcde")
    assert [file.read(2), file.read(2), file.read(2), file.read(2)] == [b"ab", b"cd", b"e", b""]
    assert file.readable()
