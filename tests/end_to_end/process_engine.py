"""An engine that runs shards in other processes: all that they know comes from a pickled job and shard."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from converter.conversion.job import Engine, Job, PassResult, Shard
from converter.conversion.pass_context import PassContext
from converter.conversion.shard import convert_shard
from converter.schema.observe import merge_observations


@contextmanager
def process_engine() -> Iterator[Engine]:
    """Two new processes, which are not forked from this one."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:

        def run(shards: Sequence[Shard], job: Job, context: PassContext) -> PassResult:
            environment = dict(os.environ)
            copies = [processes.submit(_convert_copy, pickle.dumps((shard, job)), environment) for shard in shards]
            results = [pickle.loads(copy.result()) for copy in copies]
            assert os.getpid() not in {process for _, process in results}
            context.count(sum(result.json_bytes for result, _ in results))
            observation = merge_observations(result.observation for result, _ in results)
            return PassResult(tuple(result for result, _ in results), observation)

        yield run


def _convert_copy(copy: bytes, environment: dict[str, str]) -> bytes:
    # On another machine the current folder is another one; credentials are the same.
    os.chdir("/")
    os.environ.update(environment)
    shard, job = pickle.loads(copy)
    return pickle.dumps((convert_shard(shard, job, PassContext()), os.getpid()))
