"""The worker: one shard's data files in, pending parts and an observation out. Every engine runs this function."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum

from converter.aws.s3_uri import is_in_s3
from converter.conversion.base_snapshot import RowReader
from converter.conversion.merge_job import MergeJob
from converter.conversion.parts import Output, Parts, WrittenPart
from converter.conversion.pass_control import Control
from converter.conversion.plan import Shard, sampled_files
from converter.decode.batch import Batch
from converter.decode.changed_keys import MergeLines
from converter.decode.decoder import Decoder
from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem, NulProblem, TimeProblem
from converter.decode.time_rules import TimeRules
from converter.errors import BadLineError, ConvertError, EmptyLineError, SchemaError
from converter.export.blocks import BlockReader, check_item_count
from converter.export.data_files import DataFile
from converter.ion.reader import ION_BLOCK_BYTES, IonReader
from converter.ion.workers import IonWorkers
from converter.options import ConvertOptions
from converter.publishing.odd_times import (
    NO_ODD_TIMES,
    OddTimesSeen,
    TimePlace,
    explain_time,
    fill_time,
    place_of,
    untimed_place,
)
from converter.schema.added_columns import AddedValue
from converter.schema.contract import NOTHING_PROMISED, Contract
from converter.schema.derive import fit_schema
from converter.schema.observe import Observation
from converter.schema.types import Schema
from converter.schema.units import UnitError
from converter.storage.destination import Staging
from converter.storage.source import Source
from converter.time_options import UNIT_NAMES

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
    added columns hold, by name. changes: what the lines of an incremental export have in common, None for items.
    merge: what is known of the increments of a merge; None in other runs. ion: reads the data files where they are in
    ION; ion_files: the paths of those, None for all. export_time: in Unix seconds.
    """

    source: Source
    options: ConvertOptions
    purpose: Purpose
    contract: Contract = NOTHING_PROMISED
    schema: Schema | None = None
    staging: Staging | None = None
    added: Mapping[str, AddedValue] = field(default_factory=dict)
    changes: ChangeForm | None = None
    merge: MergeJob | None = None
    ion: IonWorkers | None = None
    ion_files: Collection[str] | None = None
    export_time: int | None = None

    def decoder(self) -> Decoder:
        """A decoder for one shard."""
        options = self.options
        return Decoder(
            self.schema,
            text=options.text,
            wants=options.wants,
            times=TimeRules.of(options, self.export_time),
            added=self.added,
            changes=self.changes,
            merge=self.merge_lines(),
            nul=options.nul,
        )

    def merge_lines(self) -> MergeLines | None:
        """What one decoder of a merge needs."""
        return None if self.merge is None else self.merge.lines()

    def base_rows(self, file: DataFile) -> RowReader | None:
        """In a merge with a snapshot, what reads the file if it is one of its parts."""
        return None if self.merge is None else self.merge.rows(file, self.source, verify=self.options.verify)

    def is_ion(self, file: DataFile) -> bool:
        """Is the data file in ION?"""
        return self.ion is not None and (self.ion_files is None or file.path in self.ion_files)

    def increment_of(self, file: DataFile) -> int | None:
        """In a merge, the number of the increment that the file is of."""
        return None if self.merge is None else self.merge.orders.get(file.path)


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What one shard gave; without parts if it observed only.

    json_bytes: inflated; of ION, those of the JSON that it becomes. changed: per column, values that it holds only
    rounded. complete: the parts hold all items. times: what was odd about times.
    """

    index: int
    parts: tuple[WrittenPart, ...]
    observation: Observation
    json_bytes: int
    changed: dict[str, int]
    complete: bool
    times: OddTimesSeen = NO_ODD_TIMES


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
    output = Output(shard.index, job.options, job.staging, control.spare)
    json_bytes = 0
    places: list[TimePlace] = []
    copied: list[RowReader] = []
    copied_untimed = 0
    try:
        with job.source.ahead(file.path for file in shard.files):
            for file in shard.files:
                rows = job.base_rows(file)
                if rows is None:
                    json_bytes += _convert_file(file, shard, job, control, decoder, output, places)
                else:
                    copied.append(rows)
                    untimed = _copy_rows(rows, file, shard, job, control, decoder, output)
                    places += [untimed_place(job.options, job.source.child(file.path))] if untimed else []
                    copied_untimed += untimed
        _write(decoder.finish(), job, control, decoder, output)
        with _surprised_by_empty_lines(job, control, decoder, output):
            output.settle()
        parts = output.finish()
    except BaseException:
        output.drop()
        raise
    observation, changed = decoder.observation(), Counter(decoder.changed)
    for rows in copied:
        observation = observation.merge(rows.observed)
        changed.update(rows.changed)
    untimed, untimed_deletes = decoder.untimed
    times = OddTimesSeen(tuple(places), untimed + copied_untimed, untimed_deletes)
    complete = not decoder.observing
    return ShardResult(shard.index, parts, observation, json_bytes, dict(changed), complete, times)


def _convert_file(
    file: DataFile,
    shard: Shard,
    job: Job,
    control: Control,
    decoder: Decoder,
    output: Output,
    places: list[TimePlace],
) -> int:
    before, empty_objects, size = decoder.items + decoder.dropped, decoder.empty_objects, 0
    known = 0
    decoder.begin(job.increment_of(file), keep=job.is_ion(file))
    with open_lines(file, job, control, verify=job.options.verify) as reader:
        try:
            for block in reader:
                control.check(shard.index)
                if control.surprise and not decoder.observing:
                    decoder.observe_only()
                    output.drop()
                _write(decoder.decode(block), job, control, decoder, output)
                places += (place_of(odd, reader.where(odd.byte)) for odd in decoder.take_odd_times())
                decoder.place_unknown(file.index, reader.where)
                size += block.size
                if decoder.observing:
                    output.drop()
                    if job.purpose is Purpose.TRY and decoder.attribute_count > max(known, job.options.max_columns):
                        # Too many columns end the run: there is no need to read on.
                        known = decoder.attribute_count
                        fit_schema(decoder.observation(), job.options, job.contract, partial=True)
        except LineProblem as problem:
            reader.verify_rest()
            raise bad_line(problem, reader, job.options) from None
    if job.options.verify:
        found = decoder.items + decoder.dropped - before
        check_item_count(file, found, decoder.empty_objects - empty_objects, job.source.child(file.path))
    return size


def _copy_rows(
    rows: RowReader, file: DataFile, shard: Shard, job: Job, control: Control, decoder: Decoder, output: Output
) -> int:
    """Write the rows of a base's part that no change touches; the decoder is asked whether rows are still written.

    Return how many have no time.
    """
    untimed = 0
    control.count(job.source.size(file.path) or 0)
    for table in rows.groups(file):
        control.check(shard.index)
        if control.surprise and not decoder.observing:
            decoder.observe_only()
        if decoder.observing:
            output.drop()
        elif table.num_rows and job.schema is not None:
            batch = rows.batch(table, job.schema, job.added)
            untimed += fill_time(batch, job.options, job.export_time)
            _write(iter((batch,)), job, control, decoder, output)
    return untimed


def _write(batches: Iterator[Batch], job: Job, control: Control, decoder: Decoder, output: Output) -> None:
    """Write what the decoder gives; a surprise goes to all shards."""
    for batch in batches:
        with _surprised_by_empty_lines(job, control, decoder, output):
            output.write(batch)
    if decoder.surprise:
        control.surprised(decoder.surprise)


@contextmanager
def _surprised_by_empty_lines(job: Job, control: Control, decoder: Decoder, output: Output) -> Iterator[None]:
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
    merge = job.merge_lines()
    times = replace(TimeRules.of(job.options), requires_time=False)
    decoder = Decoder(None, wants=job.options.wants, times=times, changes=job.changes, merge=merge)
    decoder.begin(job.increment_of(file), keep=job.is_ion(file))
    with open_lines(file, job, control, verify=False) as reader:
        try:
            for block in reader:
                for _ in decoder.decode(block):
                    pass
                decoder.place_unknown(file.index, reader.where)
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
    rules = TimeRules.of(job.options)
    # The unit is the schema's: that is what is asked about.
    times = TimeRules(nulls_bad=rules.nulls_bad, cuts_fine=rules.cuts_fine)
    decoder = Decoder(schema, wants=attributes.__contains__, times=times, changes=job.changes, merge=job.merge_lines())
    for file in files:
        decoder.begin(job.increment_of(file), keep=job.is_ion(file))
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


def find_units(job: Job, files: Sequence[DataFile], error: UnitError, *, sampled: bool) -> UnitError:
    """The error, with the places of the first numbers that can't be in one of its units.

    sampled: look at the first blocks alone, where they have shown it.
    """
    assert error.column is not None
    looked_at = sampled_files(files) if sampled else files
    places = []
    for unit in error.units:
        schema = Schema((replace(error.column, unit=unit),))
        place = find_surprise(job, looked_at, schema, beginnings=sampled)
        places += [f"{place} is not in {UNIT_NAMES[unit]}"] if place else []
    return UnitError(error.what, "; ".join(places), error.hint, error.column, error.units)


def write_empty_parts(job: Job) -> tuple[WrittenPart, ...]:
    """Parts without rows, one in each format, for an export without items whose columns are known."""
    assert job.schema is not None
    written: list[WrittenPart] = []
    for folder, options in enumerate(job.options.by_format()):
        parts = Parts(0, job.staging, folder, options)
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
    if job.ion is None or not job.is_ion(file):
        return BlockReader(job.source, file, verify=verify, on_bytes=on_bytes)
    blocks = BlockReader(job.source, file, verify=verify, block_bytes=ION_BLOCK_BYTES, on_bytes=on_bytes)
    return IonReader(blocks, job.ion)


def bad_line(problem: LineProblem, reader: BlockReader | IonReader, options: ConvertOptions) -> ConvertError:
    """The error for a problem that was found in the reader's file, with the line's number."""
    reason = problem.reason
    line, byte = reader.locate(problem.byte)
    # A name that begins with a dash would be an option.
    place = shlex.quote(f"./{reader.place}" if reader.place.startswith("-") else reader.place)
    inflate = f"aws s3 cp {place} - | gzip -dc" if is_in_s3(reader.place) else f"gzip -dc {place}"
    hint = f"see the line with: {inflate} | sed -n {line}p"
    if problem.value and options.show_values:
        reason += f": {problem.value[:_SHOWN]!r}"
    elif problem.value:
        hint += "; --show-values shows the value here"
    where = f"{reader.place} line {line} (byte {byte}): {problem.path}"
    if isinstance(problem, TimeProblem):
        return SchemaError(*explain_time(reason, where, hint))
    if isinstance(problem, NulProblem):
        way = "--nul keep, drop or replace converts it, or correct the item and export again"
        return SchemaError(f"the text holds the character NUL: {reason}", where, f"{way}; {hint}")
    return BadLineError(reason, where, hint)
