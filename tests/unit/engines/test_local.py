"""Threads that an interrupt stops: those at work see it, and nothing waits for tasks that no thread has taken."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from converter.conversion.pass_context import PassContext, Stopped
from converter.engines.local import run_threads


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_does_not_wait_for_tasks_that_have_not_begun(workers: int) -> None:
    context = PassContext()
    begun: list[int] = []

    def work(task: int) -> None:
        begun.append(task)
        if len(begun) == workers:
            signal.raise_signal(signal.SIGINT)
        while True:
            context.check(task)
            time.sleep(0.01)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_threads(work, range(20), context, workers)
    assert time.monotonic() - start < 2
    assert len(begun) == workers
    with pytest.raises(Stopped):
        context.check(0)


def test_a_thread_that_does_not_end_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("converter.engines.local._LAST_SECONDS", 0.2)
    release = threading.Event()

    def work(task: int) -> None:
        signal.raise_signal(signal.SIGINT)
        release.wait(60)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_threads(work, [0, 1], PassContext(), 1)
    assert time.monotonic() - start < 5
    release.set()
