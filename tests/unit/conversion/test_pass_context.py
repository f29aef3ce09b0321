"""Idle threads: only as many tasks at once as there are idle threads, and what a task raises is not lost."""

from __future__ import annotations

import threading

import pytest

from converter.conversion.pass_context import IdleThreads, PassContext
from converter.decode.attribute_registry import AttributeRegistry
from converter.decode.learned import Learned


def nothing() -> None:
    return None


def test_where_no_thread_is_idle_nothing_is_run() -> None:
    idle = IdleThreads(0, 0)
    assert idle.run(nothing) is None
    idle.close()


def test_a_thread_that_is_done_is_idle_again() -> None:
    idle = IdleThreads(1, 1)
    done = threading.Event()

    def wait() -> None:
        done.wait(10)

    first = idle.run(wait)
    assert first is not None
    assert idle.run(nothing) is None
    done.set()
    first.result(10)
    # The callback that gives the thread back runs just behind the result.
    for _ in range(1000):
        second = idle.run(nothing)
        if second is not None:
            break
        threading.Event().wait(0.01)
    assert second is not None
    idle.close()
    second.result(10)


def test_a_worker_without_a_shard_helps_the_others() -> None:
    idle = IdleThreads(0, 1)
    assert idle.run(nothing) is None
    idle.add()
    future = idle.run(nothing)
    assert future is not None
    idle.close()


def test_what_a_task_raises_is_raised_where_its_result_is_asked_for() -> None:
    def fail() -> None:
        raise ValueError("from afar")

    idle = IdleThreads(1, 1)
    future = idle.run(fail)
    idle.close()
    assert future is not None
    with pytest.raises(ValueError, match="from afar"):
        future.result()


def test_two_shards_never_use_the_same_learned_fields() -> None:
    context = PassContext()
    assert context.take_learned() is None
    learned = Learned.of(AttributeRegistry(), (None,))
    context.keep_learned(learned)
    context.keep_learned(None)
    assert context.take_learned() is learned
    assert context.take_learned() is None
