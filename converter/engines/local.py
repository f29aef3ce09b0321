"""The local engine: one thread for each worker. The kernels, inflating, hashing and writing all run without the GIL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeVar

from converter.conversion.job import Job, PassResult, Shard, ShardResult
from converter.conversion.pass_context import IdleThreads, PassContext, Stopped
from converter.conversion.shard import convert_shard
from converter.schema.observe import Observation

_T = TypeVar("_T")
_R = TypeVar("_R")

_LAST_SECONDS = 3.0
"""For a thread that is still at work: between two blocks it checks whether it must stop."""


def run_shards(shards: Sequence[Shard], job: Job, context: PassContext, workers: int) -> PassResult:
    """Run the shards. Raises the error of the first failing shard, in their order.

    Observations are merged as they come, so that memory does not grow with shards times attributes.
    """
    lock = threading.Lock()
    observation = Observation()
    begun = 0
    context.idle = IdleThreads(idle=max(workers - len(shards), 0), most=workers - 1)

    def work(shard: Shard) -> ShardResult:
        nonlocal observation, begun
        with lock:
            begun += 1
        context.check(shard.index)
        try:
            result = convert_shard(shard, job, context)
        except BaseException:
            context.failed(shard.index)
            raise
        with lock:
            observation = observation.merge(result.observation)
            if begun == len(shards):
                context.idle.add()
        return replace(result, observation=Observation())

    try:
        # At the beginning of a shard, its worker would wait for the first file.
        with job.source.prefetch(shard.files[0].path for shard in shards if shard.files):
            results = run_threads(work, shards, context, workers)
    finally:
        context.idle.close()
    return PassResult(tuple(results), observation, context.surprise)


def run_threads(work: Callable[[_T], _R], tasks: Sequence[_T], context: PassContext, workers: int) -> list[_R]:
    """Call work(task) for each task in `workers` threads; an interrupt of the main thread stops them all.

    A thread that waits for a server which does not answer is abandoned then: its unpublished parts are dropped.
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
        context.stop()
        pool.shutdown(wait=False, cancel_futures=True)
        # A task that was cancelled before a thread took it never counts as done.
        wait([future for future in futures if not future.cancelled()], timeout=_LAST_SECONDS)
        raise
    pool.shutdown()
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, Stopped):
            raise error
    return [future.result() for future in futures]
