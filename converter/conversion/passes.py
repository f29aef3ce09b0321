"""Passes over the data files: over all of them by an engine, or over the first blocks of some."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from converter.aws.access import AwsOptions
from converter.conversion.job import Engine, Job, PassResult, Purpose
from converter.conversion.line_reader import bad_line_error, open_lines
from converter.conversion.pass_context import PassContext
from converter.conversion.progress import Listener
from converter.conversion.run_plan import RunPlan, sampled_files
from converter.decode.decoder import Decoder
from converter.decode.odd_times import OddTimesSeen, merge_odd_times
from converter.decode.strict_lines import LineProblem
from converter.decode.time_rules import TimeRules
from converter.errors import ExportError
from converter.export.data_files import DataFile
from converter.schema.added_columns import unix_seconds
from converter.schema.columns import Schema
from converter.schema.observe import Observation
from converter.storage.destination import PartStore


@dataclass(frozen=True, slots=True)
class Execution:
    """Means of a run: the access to AWS, the engine of its shards, and the listener of its progress."""

    aws: AwsOptions
    engine: Engine
    listener: Listener


class PassRunner:
    """Runs the passes of one run, and counts them.

    passes: over all data files. bytes_read: compressed, by all passes and samples.
    """

    def __init__(self, execution: Execution) -> None:
        self._engine = execution.engine
        self.listener = execution.listener
        self.passes = 0
        self.bytes_read = 0

    @contextmanager
    def counted(self, on_bytes: Callable[[int], None] | None = None) -> Iterator[PassContext]:
        """Yield a context whose bytes are counted."""
        context = PassContext(on_bytes)
        yield context
        self.bytes_read += context.bytes_read

    def run(
        self,
        plan: RunPlan,
        purpose: Purpose,
        phase: str,
        schema: Schema | None = None,
        parts: PartStore | None = None,
    ) -> PassResult:
        """Run all shards once."""
        self.listener.phase(phase)
        self.listener.started(plan.opened.bytes_in, len(plan.opened.export.files))
        with self.counted(self.listener.advanced) as context:
            result = self._engine(plan.shards, plan.job(purpose, schema, parts), context)
        for shard in result.shards:
            plan.input.absorb(shard.findings)
        self.passes += 1
        return result


def observe_first_blocks(plan: RunPlan, runner: PassRunner, purpose: Purpose) -> Observation:
    """Observe the first blocks of files spread over the export; ExportError only if that is the run's purpose."""
    is_inspection = purpose is Purpose.INSPECT
    runner.listener.phase("reading first blocks")
    job, observation = plan.job(purpose), plan.input.known
    files = sampled_files(plan.line_files)
    with runner.counted() as context, plan.opened.source.prefetch(file.path for file in files):
        for file in files:
            try:
                observation = observation.merge(_observe_first_block(file, job, context))
            except ExportError:
                if is_inspection:
                    raise
    return observation


def odd_times(plan: RunPlan, result: PassResult) -> OddTimesSeen:
    """Return the odd times that a pass has found."""
    is_filled = plan.options.time_default == "export_time"
    default = unix_seconds(plan.opened.export.instant()) if is_filled else None
    return merge_odd_times((shard.times for shard in result.shards), default)


def _observe_first_block(file: DataFile, job: Job, context: PassContext) -> Observation:
    """Raises DataFileError and, in an inspection, errors for bad lines.

    Otherwise another pass will read all of the file, and reports what is wrong with a line.
    """
    times = replace(TimeRules.of(job.options), requires_time=False)
    decoder = Decoder(None, wants=job.options.wants, times=times, lines=job.lines())
    decoder.lines.begin(file)
    with open_lines(file, job.source, verify=False, on_bytes=context.count) as reader:
        try:
            for block in reader:
                for _ in decoder.decode(block):
                    pass
                decoder.place_unknown(file.index, reader.where)
                break
        except LineProblem as problem:
            if job.purpose is Purpose.INSPECT:
                raise bad_line_error(problem, reader, job.options) from None
    return decoder.observation()
