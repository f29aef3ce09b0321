"""Threads for requests to stores that are far away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_MANY = 16

_T = TypeVar("_T")
_R = TypeVar("_R")


def in_background(act: Callable[[], None], ended: Future[None]) -> Future[None]:
    """Run a function in a thread that does not keep the process alive, and return `ended`, which it ends.

    If `ended` is canceled before the thread begins, the function does not run.
    """

    def run() -> None:
        if not ended.set_running_or_notify_cancel():
            return
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - for the thread that waits
            ended.set_exception(error)
        else:
            ended.set_result(None)

    threading.Thread(target=run, name="background", daemon=True).start()
    return ended


def in_parallel(act: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    """Return the results for all items, 16 at a time. After an error no more are begun."""
    if not items:
        return []
    pool = ThreadPoolExecutor(min(len(items), _MANY), thread_name_prefix="parallel")
    try:
        return [done.result() for done in [pool.submit(act, item) for item in items]]
    except Exception:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        # After an interrupt, the run must not wait for a server that does not answer.
        pool.shutdown(wait=False, cancel_futures=True)
