"""Threads for requests: results in order, the first error, and functions that were canceled in time."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from converter.storage.threads import in_background, in_parallel


def test_a_function_that_was_canceled_before_its_thread_began_does_not_run() -> None:
    done: list[str] = []
    canceled, ended = Future[None](), Future[None]()
    assert canceled.cancel()
    in_background(lambda: done.append("canceled"), canceled)
    in_background(lambda: done.append("ended"), ended).result()
    assert not ended.cancel()
    assert done == ["ended"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_in_the_background_is_raised_to_the_thread_that_waits(error: type[BaseException]) -> None:
    def fail() -> None:
        raise error("why")

    with pytest.raises(error, match="why"):
        in_background(fail, Future()).result()


def test_results_come_in_the_order_of_the_items_from_several_threads() -> None:
    together = threading.Barrier(16, timeout=10)

    def square(number: int) -> int:
        together.wait()
        return number * number

    assert in_parallel(square, range(32)) == [number * number for number in range(32)]
    assert in_parallel(square, []) == []


def test_the_error_of_the_first_item_is_raised_and_no_more_are_begun() -> None:
    begun = []

    def fail(number: int) -> None:
        begun.append(number)
        raise ValueError(str(number))

    with pytest.raises(ValueError, match=r"\A0\Z"):
        in_parallel(fail, range(10_000))
    assert len(begun) < 10_000
