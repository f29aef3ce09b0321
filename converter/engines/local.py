"""The local engine: one thread a worker. The kernels, inflating, hashing and writing all run without the GIL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeVar

from converter.conversion.pass_control import Control, Stopped
from converter.conversion.plan import Shard
from converter.conversion.shard import Job, PassResult, ShardResult, convert_shard
from converter.conversion.spare_threads import SpareThreads
from converter.schema.observe import Observation

_T = TypeVar("_T")
_R = TypeVar("_R")

_LAST_SECONDS = 3.0
"""For a thread that is still at work: between two blocks it sees that it must stop."""


def run_shards(shards: Sequence[Shard], job: Job, control: Control, workers: int) -> PassResult:
    """Run the shards. Raises what the first failing shard (in their order) raised.

    Observations are merged as they come: what is kept of a shard doesn't depend on how many attributes there are.
    """
    lock = threading.Lock()
    observation = Observation()
    begun = 0
    control.spare = SpareThreads(idle=max(workers - len(shards), 0), most=workers - 1)

    def work(shard: Shard) -> ShardResult:
        nonlocal observation, begun
        with lock:
            begun += 1
        control.check(shard.index)
        try:
            result = convert_shard(shard, job, control)
        except BaseException:
            control.failed(shard.index)
            raise
        with lock:
            observation = observation.merge(result.observation)
            if begun == len(shards):
                control.spare.add()
        return replace(result, observation=Observation())

    try:
        # Where a shard begins, its worker has nothing else to do than wait.
        with job.source.ahead(shard.files[0].path for shard in shards if shard.files):
            results = run_threads(work, shards, control, workers)
    finally:
        control.spare.close()
    return PassResult(tuple(results), observation)


def run_threads(work: Callable[[_T], _R], tasks: Sequence[_T], control: Control, workers: int) -> list[_R]:
    """work(task) for each task in `workers` threads; an interrupt of the main thread stops them all.

    A thread that waits for a server which does not answer is left behind then: what it has not published is dropped.
    """
    pool = ThreadPoolExecutor(max(min(workers, len(tasks)), 1), thread_name_prefix="convert")
    futures: list[Future[_R]] = []
    try:
        futures += (pool.submit(work, task) for task in tasks)
        waiting = set(futures)
        while waiting:
            # With a timeout the main thread stays open to signals everywhere.
            _, waiting = wait(waiting, timeout=0.5, return_when=FIRST_EXCEPTION)
    except BaseException:
        control.stop()
        pool.shutdown(wait=False, cancel_futures=True)
        # What was cancelled before a thread took it never counts as done.
        wait([future for future in futures if not future.cancelled()], timeout=_LAST_SECONDS)
        raise
    pool.shutdown()
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, Stopped):
            raise error
    return [future.result() for future in futures]
