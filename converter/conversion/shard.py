"""The worker: one shard's data files in, pending parts and an observation out. Every engine runs this function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from converter.conversion.job import Job, Purpose, Shard, ShardResult
from converter.conversion.line_reader import open_checked_lines
from converter.conversion.parts import Output, Parts, WrittenPart
from converter.conversion.pass_context import PassContext
from converter.conversion.shard_input import RowReader
from converter.decode.batch import Batch
from converter.decode.filtered_lines import count_filtered
from converter.decode.odd_times import OddTimesSeen, TimePlace, fill_time, place_of, untimed_place
from converter.errors import EmptyLineError
from converter.export.blocks import check_item_count
from converter.export.data_files import DataFile
from converter.schema.derive import fit_schema


def convert_shard(shard: Shard, job: Job, context: PassContext) -> ShardResult:
    """Decode the shard's files; write parts as long as the schema holds, and observe in any case.

    A function of the shard, the job and the files: it may run in any process. Raises DataFileError, BadLineError,
    SchemaError, StorageError, and Stopped when another shard has failed.
    """
    return _ShardConversion(shard, job, context).run()


class _ShardConversion:
    """The state of one conversion."""

    def __init__(self, shard: Shard, job: Job, context: PassContext) -> None:
        self._shard = shard
        self._job = job
        self._context = context
        self._decoder = job.decoder()
        learned = context.take_learned()
        if learned is not None:
            self._decoder.begin_with(learned)
        self._output = Output(shard.index, job.options, job.parts, context.idle)
        self._json_bytes = 0
        self._places: list[TimePlace] = []
        self._copied: list[RowReader] = []
        self._untimed_rows = 0

    def run(self) -> ShardResult:
        """Convert all files."""
        job, decoder = self._job, self._decoder
        try:
            with job.source.prefetch(file.path for file in self._shard.files):
                for file in self._shard.files:
                    rows = job.input.rows(file, job.source, verify=job.options.verify)
                    if rows is None:
                        self._convert_lines(file)
                    else:
                        self._copy_rows(rows, file)
            self._write(decoder.finish())
            with self._observing_after_empty_lines():
                self._output.settle()
            parts = self._output.finish()
        except BaseException:
            self._output.drop()
            raise
        observation, changed = decoder.observation(), Counter(decoder.changed)
        for rows in self._copied:
            observation = observation.merge(rows.observed)
            changed.update(rows.changed)
        untimed, untimed_deletes = decoder.untimed
        result = ShardResult(
            index=self._shard.index,
            parts=parts,
            observation=observation,
            json_bytes=self._json_bytes,
            changed=dict(changed),
            complete=not decoder.observing,
            times=OddTimesSeen(tuple(self._places), untimed + self._untimed_rows, untimed_deletes),
            findings=job.input.findings(),
            filtered=count_filtered(decoder.lines),
        )
        self._context.keep_learned(decoder.learned())
        return result

    def _convert_lines(self, file: DataFile) -> None:
        job, decoder, lines = self._job, self._decoder, self._decoder.lines
        before, empty_objects = decoder.items + lines.dropped, decoder.empty_objects
        known = 0
        lines.begin(file)
        with open_checked_lines(file, job.source, job.options, self._context.count) as reader:
            for block in reader:
                self._check()
                self._write(decoder.decode(block))
                self._places += (place_of(odd, reader.where(odd.byte)) for odd in decoder.take_odd_times())
                decoder.place_unknown(file.index, reader.where)
                self._json_bytes += block.size
                if decoder.observing:
                    self._output.drop()
                    known = self._check_columns(known)
        if job.options.verify:
            found = decoder.items + lines.dropped - before
            check_item_count(file, found, decoder.empty_objects - empty_objects, job.source.child(file.path))

    def _check(self) -> None:
        """Stop after a failure of another shard, and observe only after a surprise in one."""
        self._context.check(self._shard.index)
        if self._context.surprise and not self._decoder.observing:
            self._decoder.observe_only()
            self._output.drop()

    def _check_columns(self, known: int) -> int:
        """Raise SchemaError for too many columns: they end the run, so there is no need to read on.

        known: the number of attributes at the last check. Returns the current number.
        """
        job, count = self._job, self._decoder.attribute_count
        if job.purpose is not Purpose.TRY or count <= max(known, job.options.max_columns):
            return known
        fit_schema(self._decoder.observation(), job.options, job.contract, partial=True)
        return count

    def _copy_rows(self, rows: RowReader, file: DataFile) -> None:
        """Write the rows of a file, as long as the decoder makes batches of the lines of others."""
        job, untimed = self._job, 0
        self._copied.append(rows)
        self._context.count(job.source.size(file.path) or 0)
        for table in rows.groups(file):
            self._check()
            if self._decoder.observing:
                self._output.drop()
            elif table.num_rows and job.schema is not None:
                batch = rows.batch(table, job.schema, job.added)
                untimed += fill_time(batch, job.options, job.export_time)
                self._write((batch,))
        if untimed:
            self._places.append(untimed_place(job.options, job.source.child(file.path)))
        self._untimed_rows += untimed

    def _write(self, batches: Iterable[Batch]) -> None:
        """Write the batches; a surprise goes to all shards."""
        for batch in batches:
            with self._observing_after_empty_lines():
                self._output.write(batch)
        if self._decoder.surprise:
            self._context.surprised(self._decoder.surprise)

    @contextmanager
    def _observing_after_empty_lines(self) -> Iterator[None]:
        """A row without a value is an error only once all columns are known: with later ones it may have a value."""
        try:
            yield
        except EmptyLineError as error:
            if self._job.purpose is Purpose.WRITE:
                raise
            self._output.drop()
            self._decoder.observe_only(error.what)
            self._context.surprised(error.what)


def write_empty_parts(job: Job) -> tuple[WrittenPart, ...]:
    """Write parts without rows, one in each format, for an export without items whose columns are known."""
    assert job.schema is not None
    written: list[WrittenPart] = []
    for folder, options in enumerate(job.options.by_format()):
        parts = Parts(0, job.parts, folder, options)
        try:
            parts.open(job.schema)
            written += parts.finish()
        except BaseException:
            parts.drop()
            raise
    return tuple(written)
