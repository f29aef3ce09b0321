"""The worker: one shard's data files in, pending parts and an observation out. Every engine runs this function."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from converter.decode.batch import Batch
from converter.decode.change_lines import ChangeForm
from converter.decode.decoder import Decoder
from converter.decode.lines import LineProblem, TimeProblem
from converter.errors import BadLineError, ConvertError, EmptyLineError, SchemaError
from converter.export.blocks import BlockReader, check_item_count
from converter.export.manifest import DataFile
from converter.ion.reader import ION_BLOCK_BYTES, IonReader
from converter.ion.workers import IonWorkers
from converter.options import ConvertOptions
from converter.run.control import Control
from converter.run.plan import Shard
from converter.run.spare import SpareThreads
from converter.schema.added import Value
from converter.schema.contract import NOTHING_PROMISED, Contract
from converter.schema.derive import fit_schema
from converter.schema.observe import Observation
from converter.schema.types import Schema
from converter.storage.destination import PartSink, PendingPart, Staging
from converter.storage.source import Source
from converter.write.formats import open_part, part_suffix
from converter.write.part import PartWriter

_SHOWN = 200


class Purpose(StrEnum):
    """What a pass over the data is for.

    INSPECT only looks. TRY writes with a schema that may turn out to be wrong, and observes from then on. WRITE knows
    the final schema.
    """

    INSPECT = "inspect"
    TRY = "try"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Job:
    """What all shards of a pass have in common.

    contract: the columns that are promised. schema None means: observe only; staging is needed otherwise. added: what
    added columns hold, by name. changes: what the lines of an incremental export have in common, None for items. ion:
    reads the data files where they are in ION.
    """

    source: Source
    options: ConvertOptions
    purpose: Purpose
    contract: Contract = NOTHING_PROMISED
    schema: Schema | None = None
    staging: Staging | None = None
    added: Mapping[str, Value] = field(default_factory=dict)
    changes: ChangeForm | None = None
    ion: IonWorkers | None = None

    def decoder(self) -> Decoder:
        """A decoder for one shard."""
        options = self.options
        return Decoder(
            self.schema,
            text=options.text,
            wants=options.wants,
            times=options.times(),
            added=self.added,
            changes=self.changes,
        )


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part that waits for the commit."""

    pending: PendingPart
    rows: int


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What one shard gave; without parts if it observed only.

    json_bytes: inflated; of ION, those of the JSON that it becomes. changed: per column, values that it holds only
    rounded. complete: the parts hold all items.
    """

    index: int
    parts: tuple[WrittenPart, ...]
    observation: Observation
    json_bytes: int
    changed: dict[str, int]
    complete: bool


@dataclass(frozen=True, slots=True)
class PassResult:
    """What a pass gave: the shards in their order, and all observations merged (the shards' own are empty then)."""

    shards: tuple[ShardResult, ...]
    observation: Observation

    @property
    def complete(self) -> bool:
        """Do the parts hold all items?"""
        return all(shard.complete for shard in self.shards)

    @property
    def parts(self) -> tuple[WrittenPart, ...]:
        """All parts: of each format, which has its folder, in the order of their rows."""
        parts = (part for shard in self.shards for part in shard.parts)
        return tuple(sorted(parts, key=lambda part: part.pending.folder))


def convert_shard(shard: Shard, job: Job, control: Control) -> ShardResult:
    """Decode the shard's files; write parts as long as the schema holds, and observe in any case.

    Raises DataFileError, BadLineError, SchemaError, StorageError, and Stopped when another shard has failed.
    """
    decoder = job.decoder()
    output = _Output(shard, job, control.spare)
    json_bytes = 0
    try:
        with job.source.ahead(file.path for file in shard.files):
            for file in shard.files:
                json_bytes += _convert_file(file, shard, job, control, decoder, output)
        _write(decoder.finish(), job, control, decoder, output)
        with _surprised_by_empty_lines(job, control, decoder, output):
            output.settle()
        parts = output.finish()
    except BaseException:
        output.drop()
        raise
    return ShardResult(
        shard.index, parts, decoder.observation(), json_bytes, decoder.changed, complete=not decoder.observing
    )


def _convert_file(file: DataFile, shard: Shard, job: Job, control: Control, decoder: Decoder, output: _Output) -> int:
    items, empty_objects, size = decoder.items, decoder.empty_objects, 0
    known = 0
    with open_lines(file, job, control, verify=job.options.verify) as reader:
        try:
            for block in reader:
                control.check(shard.index)
                if control.surprise and not decoder.observing:
                    decoder.observe_only()
                    output.drop()
                _write(decoder.decode(block), job, control, decoder, output)
                size += block.size
                if decoder.observing:
                    output.drop()
                    if job.purpose is Purpose.TRY and decoder.attribute_count > max(known, job.options.max_columns):
                        # Too many columns end the run: there is no need to read on.
                        known = decoder.attribute_count
                        fit_schema(decoder.observation(), job.options, job.contract)
        except LineProblem as problem:
            reader.verify_rest()
            raise bad_line(problem, reader, job.options) from None
    if job.options.verify:
        found = decoder.items - items
        check_item_count(file, found, decoder.empty_objects - empty_objects, job.source.child(file.path))
    return size


def _write(batches: Iterator[Batch], job: Job, control: Control, decoder: Decoder, output: _Output) -> None:
    """Write what the decoder gives; a surprise goes to all shards."""
    for batch in batches:
        with _surprised_by_empty_lines(job, control, decoder, output):
            output.write(batch)
    if decoder.surprise:
        control.surprised(decoder.surprise)


@contextmanager
def _surprised_by_empty_lines(job: Job, control: Control, decoder: Decoder, output: _Output) -> Iterator[None]:
    """A row without a value is an error only once all columns are known: with later ones it may have a value."""
    try:
        yield
    except EmptyLineError as error:
        if job.purpose is Purpose.WRITE:
            raise
        output.drop()
        decoder.observe_only(error.what)
        control.surprised(error.what)


def first_blocks(file: DataFile, job: Job, control: Control) -> Observation:
    """What the first block of a file shows. Raises DataFileError and, if the pass is there to look, what a line raises.

    Another pass will read all of the file: it is left to that one to say what is wrong with a line.
    """
    times = job.options.times() if job.purpose is Purpose.INSPECT else ()
    decoder = Decoder(None, wants=job.options.wants, times=times, changes=job.changes)
    with open_lines(file, job, control, verify=False) as reader:
        try:
            for block in reader:
                for _ in decoder.decode(block):
                    pass
                break
        except LineProblem as problem:
            if job.purpose is Purpose.INSPECT:
                raise bad_line(problem, reader, job.options) from None
    return decoder.observation()


def find_surprise(job: Job, files: Iterable[DataFile], schema: Schema, *, beginnings: bool = False) -> str:
    """The place of the first value that a column of `schema` can't hold, as errors name it; "" if there is none.

    beginnings: look at the first block of each file only. Behind a bad line, of which a pass tells, nothing is read.
    """
    attributes = {column.attribute for column in schema.columns}
    decoder = Decoder(schema, wants=attributes.__contains__, changes=job.changes)
    for file in files:
        with open_lines(file, job, verify=False) as reader:
            with suppress(LineProblem):
                for block in reader:
                    for _ in decoder.decode(block):
                        pass
                    if decoder.surprise or beginnings:
                        break
            if decoder.surprise:
                byte, path = decoder.surprise_place
                return f"{reader.where(byte)}: {path}"
    return ""


def write_empty_parts(job: Job) -> tuple[WrittenPart, ...]:
    """Parts without rows, one in each format, for an export without items whose columns are known."""
    assert job.schema is not None
    written: list[WrittenPart] = []
    for folder, options in enumerate(job.options.by_format()):
        parts = _Parts(Shard(0, ()), job, folder, options)
        try:
            parts.open(job.schema)
            written += parts.finish()
        except BaseException:
            parts.drop()
            raise
    return tuple(written)


def open_lines(file: DataFile, job: Job, control: Control | None = None, *, verify: bool) -> BlockReader | IonReader:
    """The file's lines in DynamoDB JSON, whatever they are in."""
    on_bytes = control.count if control is not None else None
    if job.ion is None:
        return BlockReader(job.source, file, verify=verify, on_bytes=on_bytes)
    blocks = BlockReader(job.source, file, verify=verify, block_bytes=ION_BLOCK_BYTES, on_bytes=on_bytes)
    return IonReader(blocks, job.ion)


def bad_line(problem: LineProblem, reader: BlockReader | IonReader, options: ConvertOptions) -> ConvertError:
    """The error for a problem that was found in the reader's file, with the line's number."""
    reason = problem.reason
    line, byte = reader.locate(problem.byte)
    place = shlex.quote(reader.place)
    inflate = f"aws s3 cp {place} - | gzip -dc" if reader.place.startswith("s3://") else f"gzip -dc {place}"
    hint = f"see the line with: {inflate} | sed -n {line}p"
    if problem.value and options.show_values:
        reason += f": {problem.value[:_SHOWN]!r}"
    elif problem.value:
        hint += "; --show-values shows the value here"
    where = f"{reader.place} line {line} (byte {byte}): {problem.path}"
    if isinstance(problem, TimeProblem):
        way = "correct the item and export again, or convert without --cast or --time for this attribute (where the"
        way += " destination has it as a timestamp, --schema FILE with --evolve sets another type)"
        return SchemaError(f"the value is no timestamp: {reason}", where, f"{way}; {hint}")
    return BadLineError(reason, where, hint)


class _Output:
    """What a shard writes: parts in each format."""

    def __init__(self, shard: Shard, job: Job, spare: SpareThreads) -> None:
        self._spare = spare
        self._formats = [_Parts(shard, job, folder, options) for folder, options in enumerate(job.options.by_format())]
        self._writing: list[Future[None]] = []

    def write(self, batch: Batch) -> None:
        """Write the batch, in other threads if some are spare: what goes wrong there is raised by the next call."""
        self.settle()
        if len(self._formats) > 1:
            batch.to_text()
        here = []
        # Parquet, the last one, takes longest.
        for parts in reversed(self._formats):
            writing = self._spare.run(partial(parts.append, batch))
            if writing is None:
                here.append(parts)
            else:
                batch.kept = True
                self._writing.append(writing)
        for parts in here:
            parts.append(batch)

    def finish(self) -> tuple[WrittenPart, ...]:
        return tuple(part for parts in self._formats for part in parts.finish())

    def drop(self) -> None:
        """Forget all parts: they are stale, or the run has failed."""
        while self._writing:
            self._writing.pop().exception()
        for parts in self._formats:
            parts.drop()

    def settle(self) -> None:
        """Wait for the batch that other threads write."""
        while self._writing:
            self._writing.pop().result()


class _Parts:
    """The shard's parts in one format: a new one is begun when the last has reached the part size."""

    def __init__(self, shard: Shard, job: Job, folder: int, options: ConvertOptions) -> None:
        self._shard = shard
        self._staging = job.staging
        self._folder = folder
        self._options = options
        self._done: list[WrittenPart] = []
        self._writer: PartWriter | None = None
        self._sink: PartSink | None = None

    def append(self, batch: Batch) -> None:
        row = 0
        while row < batch.rows:
            writer = self._writer or self.open(batch.schema)
            row = writer.write(batch, row)
            if writer.bytes >= self._options.part_size:
                self._close()

    def open(self, schema: Schema) -> PartWriter:
        assert self._staging is not None
        # The number of the shard makes the names sort in the manifest's order, and no shard waits for another.
        name = f"{self._shard.index:05}-{len(self._done):04}{part_suffix(self._options)}"
        self._sink = self._staging.open_part(name, self._folder)
        self._writer = open_part(self._sink, schema, self._options)
        return self._writer

    def finish(self) -> list[WrittenPart]:
        self._close()
        return self._done

    def drop(self) -> None:
        self._writer = None
        if self._sink is not None:
            self._sink.abort()
            self._sink = None
        for part in self._done:
            assert self._staging is not None
            self._staging.discard(part.pending)
        self._done.clear()

    def _close(self) -> None:
        if self._writer is not None and self._sink is not None:
            self._writer.close()
            self._done.append(WrittenPart(self._sink.finish(), self._writer.rows))
            self._writer = self._sink = None
