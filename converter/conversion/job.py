"""Shards, jobs and their results: values that an engine may send to other processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce

from converter.conversion.parts import WrittenPart
from converter.conversion.pass_context import PassContext
from converter.conversion.shard_input import ShardInput
from converter.decode.decoder import Decoder
from converter.decode.filtered_lines import Filtered, filter_lines
from converter.decode.line_source import LineSource
from converter.decode.odd_times import NO_ODD_TIMES, OddTimesSeen
from converter.decode.time_rules import TimeRules
from converter.export.data_files import DataFile
from converter.options import ConvertOptions
from converter.schema.added_columns import AddedValue
from converter.schema.columns import Schema
from converter.schema.contract import NOTHING_PROMISED, Contract
from converter.schema.observe import Observation
from converter.storage.destination import PartStore
from converter.storage.source import Source


class Purpose(StrEnum):
    """The reason for a pass over the data.

    INSPECT only observes. TRY writes with a schema that may turn out to be wrong, and observes from then on. WRITE
    knows the final schema.
    """

    INSPECT = "inspect"
    TRY = "try"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Shard:
    """Data files, in the manifest's order, that become one part, or several when they are large."""

    index: int
    files: Sequence[DataFile]

    @property
    def items(self) -> int:
        """Items by the manifest."""
        return sum(file.items for file in self.files)


@dataclass(frozen=True, slots=True)
class Job:
    """All that the shards of a pass have in common. Picklable: places are described, and opened where they are used.

    input: the form of the data files. contract: the promised columns. schema: None means observe only; parts is needed
    otherwise. parts: where parts are written. added: values of added columns, by name. export_time: in Unix seconds.
    """

    source: Source
    options: ConvertOptions
    purpose: Purpose
    input: ShardInput
    contract: Contract = NOTHING_PROMISED
    schema: Schema | None = None
    parts: PartStore | None = None
    added: Mapping[str, AddedValue] = field(default_factory=dict)
    export_time: int | None = None

    def lines(self) -> LineSource:
        """Return a new source of the lines that the options keep, for one decoder."""
        lines, condition = self.input.lines(), self.options.condition()
        return lines if condition is None else filter_lines(lines, condition)

    def decoder(self) -> Decoder:
        """Return a decoder for one shard."""
        options = self.options
        return Decoder(
            self.schema,
            text=options.text,
            wants=options.wants,
            times=TimeRules.of(options, self.export_time),
            added=self.added,
            lines=self.lines(),
            nul=options.nul,
        )


@dataclass(frozen=True, slots=True)
class ShardResult:
    """The result of one shard; without parts if it observed only.

    json_bytes: inflated; of Ion, those of the JSON that it becomes. changed: per column, values that it holds only
    rounded. complete: the parts hold all items. times: odd times that were found. findings: see ShardInput.
    filtered: what the condition of the options left out.
    """

    index: int
    parts: tuple[WrittenPart, ...]
    observation: Observation
    json_bytes: int
    changed: dict[str, int]
    complete: bool
    times: OddTimesSeen = NO_ODD_TIMES
    findings: object = None
    filtered: Filtered = field(default_factory=Filtered)


@dataclass(frozen=True, slots=True)
class PassResult:
    """The result of a pass: its shards in their order, and all observations merged (the shards' own are empty then).

    surprise: why the shards have stopped writing, if they have.
    """

    shards: tuple[ShardResult, ...]
    observation: Observation
    surprise: str = ""

    @property
    def filtered(self) -> Filtered:
        """Lines that the condition of the options left out."""
        return reduce(Filtered.merge, (shard.filtered for shard in self.shards), Filtered())

    @property
    def complete(self) -> bool:
        """Whether the parts hold all items."""
        return all(shard.complete for shard in self.shards)

    @property
    def parts(self) -> tuple[WrittenPart, ...]:
        """All parts: of each format, which has its folder, in the order of their rows."""
        parts = (part for shard in self.shards for part in shard.parts)
        return tuple(sorted(parts, key=lambda part: part.pending.folder))


Engine = Callable[[Sequence[Shard], Job, PassContext], PassResult]
"""Runs convert_shard for each shard somewhere: all results, or the first failing shard's error."""
