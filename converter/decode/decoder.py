"""A decoder: blocks in, batches and an observation out. One per shard; it answers what the kernel leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NoReturn

import numpy as np

from converter.decode.actions import BY_TAG, NUL_POLICIES, choose_action
from converter.decode.attribute_registry import AttributeRegistry
from converter.decode.batch import Batch
from converter.decode.buffers import BATCH_BYTES, Buffers
from converter.decode.learned import Learned
from converter.decode.line_source import LineSource
from converter.decode.strict_lines import LineProblem, nul_problem, path_step, time_problem, value_path
from converter.decode.time_rules import NO_TIME, NO_TIMES, OddTime, OddTimes, TimeRules, count_bad_types, wrong_tag
from converter.decode.unknown_members import ItemLines
from converter.errors import ConvertError
from converter.export.blocks import PADDING, Block
from converter.kernels import layout, time_reasons, value_actions
from converter.kernels.bindings import bind_decode_items, line_end, rollback_item
from converter.kernels.layout import GROW, IRREGULAR, Bytes
from converter.kernels.scratch import new_scratch
from converter.option_values import Nul
from converter.schema import tags
from converter.schema.added_columns import AddedValue
from converter.schema.change_columns import COLUMN_OF, DELETED
from converter.schema.column_types import Origin
from converter.schema.columns import Column, Schema
from converter.schema.observe import Observation

_ENDLESS = 1 << 62
_WEIGHED_BYTES = 512 << 10
"""The size of a batch is checked after this many bytes of lines, at the end of a block."""
_FIELDS_BESIDE = 256
"""Fields that there is room for beside one for each column."""
_FEW_ROWS = 64
"""The kernel is not called for fewer rows than that, unless the batch ends."""
_REFUSED = (layout.NOT_A_TIME, layout.HAS_NUL)
"""Statuses of values that are correct, and that the options do not allow."""


class Decoder:
    """Decodes the blocks of some data files into batches of `schema`, or only observes when there is none.

    wants: whether the user wants a column for an attribute. A value that the schema can't hold makes the decoder drop
    its rows and only observe from then on; `surprise` then describes it, and `surprise_place` has its place: the byte
    of the inflated file that its line begins at, and its path. times: which attributes must be timestamps, with or
    without a schema, and how other values are converted. added: values of the schema's added columns, by name. lines:
    translates the blocks into lines of items; None for the items of an export. nul: how the character NUL is converted
    in the texts of attributes that the user wants.
    """

    def __init__(
        self,
        schema: Schema | None,
        *,
        text: bool = False,
        wants: Callable[[str], bool],
        times: TimeRules = NO_TIMES,
        added: Mapping[str, AddedValue] | None = None,
        lines: LineSource | None = None,
        nul: Nul = "keep",
    ) -> None:
        self._schema = schema
        self._text = text
        self._wants = wants
        self._added = added or {}
        self._nul = NUL_POLICIES[nul]
        columns = schema.columns if schema else ()
        self._times = times
        self._time_types = {str(c.attribute): c.read_as for c in columns if c.origin is Origin.TIME}
        self._time_types |= {attribute: cast.type for attribute, cast in times.casts.items()}
        self._columns = {c.attribute: (i, c) for i, c in enumerate(columns, 1) if c.attribute is not None}
        self._facts = {c.name: (i, c) for i, c in enumerate(columns, 1) if c.origin is Origin.CHANGE}
        self.lines: LineSource = lines or ItemLines()
        self._unknown_places: dict[str, tuple[int, str]] = {}
        self._overflow = schema.overflow_place if schema else None
        self._registry = AttributeRegistry(len(columns) + _FIELDS_BESIDE, self.lines.facts)
        self._buffers = Buffers(schema.columns if schema else (), text=text)
        self._other_buffers: Buffers | None = None
        self._unweighed = 0
        self._scratch = new_scratch()
        self._decode_items = bind_decode_items()
        self._state = np.zeros(layout.STATE_SIZE, np.int64)
        self._batch_rows = self._buffers.rows
        self._state[layout.CAPACITY] = self._capacity() if schema else _ENDLESS
        self._state[layout.OVERFLOW_BEGIN] = -1
        self._state[layout.OVERFLOW_COLUMN] = self._overflow[0] if self._overflow else 0
        self._state[layout.NULLS_BAD_TIMES] = times.nulls_bad
        self._state[layout.CUTS_FINE_TIMES] = times.cuts_fine
        self._state[layout.WANTS_TIME] = times.time is not None
        self._state[[layout.FIRST_UNTIMED, layout.DELETE_ATTRIBUTE]] = -1
        self._odd_times = OddTimes(times)
        self._original: Callable[[int], tuple[int, bytes]] = _nowhere
        self.surprise = ""
        self.surprise_place: tuple[int, str] = (0, "")
        self._changed: dict[str, int] = {}

    def begin_with(self, learned: Learned) -> None:
        """Begin with what a decoder with the same arguments has learned."""
        self._registry = learned.registry
        if learned.buffers:
            self._buffers, *others = learned.buffers
            self._other_buffers = others[0] if others else None
        self._state[layout.CAPACITY] = self._capacity()

    def learned(self) -> Learned | None:
        """Return what another decoder may begin with, if anything; this one has finished, and is not used again."""
        # A new field of a time, or of a line of changes, does more than set its action.
        if self.observing or self._time_types or self.lines.facts or self._state[layout.ROW]:
            return None
        return Learned.of(self._registry, (self._buffers, self._other_buffers))

    @property
    def observing(self) -> bool:
        """True when no batches are made (any more)."""
        return self._schema is None

    @property
    def items(self) -> int:
        """Items read so far."""
        return int(self._state[layout.ITEMS])

    @property
    def changed(self) -> dict[str, int]:
        """Per column, values that it holds only rounded: in a double, or as whole seconds."""
        cut = {
            column.name: int(self._state[layout.CUTS]) for _, column in self._columns.values() if column.holds_unix_time
        }
        return self._changed | cut

    @property
    def empty_objects(self) -> int:
        """Lines `{}` read so far."""
        return int(self._state[layout.EMPTY_OBJECTS])

    @property
    def untimed(self) -> tuple[int, int]:
        """Items without a value for the column `time`, deletes apart, and deletes without one."""
        return int(self._state[layout.UNTIMED]), int(self._state[layout.UNTIMED_DELETES])

    def take_odd_times(self) -> list[OddTime]:
        """The places of the first odd times since the last call; they are of the blocks read since then."""
        return self._odd_times.take()

    @property
    def attributes(self) -> list[str]:
        """Names of the attributes seen so far."""
        return self._registry.attributes

    @property
    def attribute_count(self) -> int:
        """The number of attributes seen so far."""
        return self._registry.attribute_count

    def observation(self) -> Observation:
        """Return what was observed so far."""
        observation = replace(self._registry.observation(self.items), unknown=self._unknown_places)
        if self._times.nulls_bad:
            observation = count_bad_types(observation, self._time_types)
        return observation if self.lines.reports_facts else replace(observation, facts={})

    def observe_only(self, surprise: str = "") -> None:
        """Drop the rows at hand and make no more batches."""
        if self._schema is None:
            return
        self.surprise = surprise
        self._schema = None
        self._columns = {}
        self._facts = {}
        self._overflow = None
        self._buffers = Buffers((), text=False)
        self._other_buffers = None
        self._state[layout.ROW] = 0
        self._state[layout.CAPACITY] = _ENDLESS
        self._state[layout.OVERFLOW_BEGIN] = -1
        for field, name, tag in self._registry.each():
            self._to_sink(field, name, tag)

    def decode(self, block: Block) -> Iterator[Batch]:
        """Batches that get full in `block`. Raises LineProblem, its `byte` set, for a line that is not an item."""
        for lines in self.lines.translate(block):
            self._original = self.lines.original
            yield from self._decode_lines(lines)
        self._unweighed += block.size
        if not self.observing and self._unweighed >= _WEIGHED_BYTES:
            self._unweighed = 0
            if self._buffers.used_bytes(int(self._state[layout.ROW])) >= BATCH_BYTES:
                yield from self._flush()

    def _decode_lines(self, block: Block) -> Iterator[Batch]:
        """The same for lines of items."""
        state = self._state
        state[layout.POSITION] = 0
        state[layout.SIZE] = block.size
        while True:
            status = self._run(block.data)
            if status == layout.DONE:
                break
            if status == layout.FULL and state[layout.ROW] < self._batch_rows:
                self._make_room()
            elif status == layout.FULL:
                yield from self._flush()
            elif status in (IRREGULAR, *_REFUSED) or not self._answer(status, block.data):
                block = self._decode_irregular(block, status)

    def finish(self) -> Iterator[Batch]:
        """The last rows, if any."""
        if not self.observing and self._state[layout.ROW]:
            yield from self._flush()

    def _run(self, data: Bytes) -> int:
        state = self._state
        status = int(self._decode_items(data, self._registry.tables, self._buffers.arrays, state, self._scratch))
        if state[layout.FIRST_UNTIMED] >= 0 and not self._odd_times.has_untimed:
            byte, line = self._original(int(state[layout.FIRST_UNTIMED]))
            self._odd_times.add_untimed(byte, self.lines.root(line))
        return status

    def _flush(self) -> Iterator[Batch]:
        """The rows at hand; when the caller is done with them, their room is used again."""
        assert self._schema is not None
        rows = int(self._state[layout.ROW])
        if self._times.default is not None and self._times.time in self._columns:
            self._buffers.fill_absent(self._columns[self._times.time][0], self._times.default, rows)
        batch = Batch(rows, self._schema, self._buffers, self._changed, added=self._added)
        yield batch
        if batch.kept and not self.observing:
            self._buffers, self._other_buffers = self._other_buffers or self._buffers.empty_copy(), self._buffers
        self._buffers.reset()
        self._state[layout.ROW] = 0
        if not self.observing:
            self._state[layout.CAPACITY] = self._capacity()

    def _make_room(self) -> None:
        """Rows have come to where some column may be full: most have not had a value in each of them."""
        row = int(self._state[layout.ROW])
        if self._buffers.capacity(row) < min(row + _FEW_ROWS, self._batch_rows):
            self._buffers.grow(row)
        self._state[layout.CAPACITY] = self._capacity()

    def _capacity(self) -> int:
        return min(self._batch_rows, self._buffers.capacity(int(self._state[layout.ROW])))

    def _answer(self, status: int, data: Bytes) -> bool:
        """Handle NEW_FIELD, GROW, ODD_TIME or MISMATCH; False if the line has to take the slow path."""
        state = self._state
        if status == layout.NEW_FIELD:
            return self._add_field(data)
        if status == layout.ODD_TIME:
            self._report_time(int(state[layout.COLUMN]), int(state[layout.REASON]))
            return True
        if status == GROW:
            self._buffers.grow(0 if self.observing else int(state[layout.ROW]), int(state[layout.COLUMN]))
            if not self.observing:
                # The item at hand may have its value in the last place of a column already.
                state[layout.CAPACITY] = max(self._capacity(), int(state[layout.ROW]) + 1)
        else:
            field = int(state[layout.COLUMN])
            name, tag = self._registry.attribute_of(field), int(self._registry.tables.facts[field, layout.FIELD_TAG])
            other = "is in another unit of time than" if name in self._time_types else "is wider than"
            self._surprised(f"a number in {name!r} {other} those before", name, tag)
        return True

    def _report_time(self, field: int, reason: int) -> None:
        """Note the place of a value of this field that is not a time, or is cut."""
        byte, line = self._original(int(self._state[layout.LINE_START]))
        name, tag = self._registry.attribute_of(field), int(self._registry.tables.facts[field, layout.FIELD_TAG])
        self._odd_times.add_value(name, reason, byte, value_path(name, tags.TAGS[tag], self.lines.root(line)))
        self._registry.count_reported(field, fine=reason == time_reasons.TOO_FINE)

    def _add_field(self, data: Bytes) -> bool:
        state = self._state
        start = int(state[layout.NAME_START]) - 1
        spelling = data[start : int(state[layout.SPELLING_END])]
        added = self._registry.add(spelling, int(state[layout.NAME_END]) - start, int(state[layout.TAG_END]) - start)
        if added is None:
            # The slow path finds out what is wrong with it.
            rollback_item(self._registry.tables, self._buffers.arrays, state)
            return False
        field, name, tag = added
        if name == DELETED:
            state[layout.DELETE_ATTRIBUTE] = self._registry.tables.facts[field, layout.FIELD_ATTRIBUTE]
        index, column = self._place_of(name)
        action = choose_action(column, tag, text=self._text) if column is not None else value_actions.SKIP_NULL
        if self._becomes_null(name, tag):
            self._report_time(field, wrong_tag(self._time_types[name]))
            action = value_actions.SKIP_NULL
        if column is not None and action is not None and action != value_actions.SKIP_NULL:
            unit = self._times.unit_code(name, column)
            self._registry.direct(field, action, index, column.type.scale, nul=self._nul, unit=unit)
            return True
        self._to_sink(field, name, tag)
        if column is not None and action == value_actions.SKIP_NULL:
            return True
        if not self.observing and tag != tags.NULL and name not in COLUMN_OF and self._wants(name):
            seen = "has a type it didn't have before" if column is not None else "is new"
            self._surprised(f"attribute {name!r} {seen}", name, tag)
        return True

    def _place_of(self, name: str) -> tuple[int, Column | None]:
        """The number of the column that takes an attribute or a fact, and the column; (0, None) if there is none."""
        if name in COLUMN_OF:
            return self._facts.get(COLUMN_OF[name], (0, None))
        if not self._wants(name):
            return 0, None
        return self._columns.get(name) or self._overflow or (0, None)

    def _surprised(self, surprise: str, attribute: str, tag: int) -> None:
        byte, line = self._original(int(self._state[layout.LINE_START]))
        self.surprise_place = (byte, value_path(attribute, tags.TAGS[tag], self.lines.root(line)))
        self.observe_only(surprise)

    def _to_sink(self, field: int, name: str, tag: int) -> None:
        """Check and observe the field's values, and forget them."""
        unlike = {tags.BOOL: value_actions.BOOL, tags.NULL: value_actions.SKIP_NULL}
        action = {**BY_TAG, **unlike}.get(tag, value_actions.DOCUMENT)
        is_time = name in self._time_types and tag != tags.NULL and self._wants(name)
        if is_time and not self._becomes_null(name, tag):
            action = value_actions.UNIX_TIME if name == self._times.time else self._time_types[name].action or action
        nul = self._nul if self._wants(name) else layout.NUL_KEPT
        self._registry.direct(field, action, 0, 0, nul=nul, unit=self._times.unit_code(name, None))

    def _becomes_null(self, name: str, tag: int) -> bool:
        """Return whether this value must be a timestamp or a date, can't be one by its tag, and may be null then."""
        if tag == tags.NULL or not self._times.nulls_bad or name not in self._time_types:
            return False
        return tag not in self._time_types[name].cast_from and self._wants(name)

    def place_unknown(self, file: int, where: Callable[[int], str]) -> None:
        """Note where unknown members were first. file: number of the data file; where: the place of a byte in it."""
        for (path, name), byte in self.lines.unknown.take_new().items():
            self._unknown_places.setdefault(path_step(path, name), (file, where(byte)))

    def _decode_irregular(self, block: Block, status: int) -> Block:
        """Decode the line at the kernel's position by the slow path; return the block to continue with.

        Raises LineProblem, always for a refused value.
        """
        state = self._state
        start = int(state[layout.POSITION])
        end = int(line_end(block.data, start))
        original = self._original
        byte, line = original(start)
        try:
            compact, new = self.lines.compact(line, byte)
            # A line that is not an item is the worse problem, and has been raised by now.
            if status in _REFUSED:
                self._refuse(status, compact, line)
            self._original = lambda _: (byte, line)
            status = self._decode_compact(compact, line)
            self._original = original
        except LineProblem as problem:
            problem.byte = byte
            raise
        if status != layout.DONE:
            raise ConvertError(
                f"the decoder refuses the line at byte {byte}, which the strict check accepts",
                hint="this is a bug in ddb-convert: please report it with the line",
            )
        state[layout.POSITION] = end + 1
        state[layout.SIZE] = block.size
        state[layout.TRUSTED] = 0
        # The lines after it have the same members, most likely.
        return self.lines.unknown.remove_again(block, end + 1) if new else block

    def _decode_compact(self, compact: bytes, line: bytes) -> int:
        """Decode the line of an item that replaces `line`; DONE, or an unexpected status. Raises LineProblem."""
        state = self._state
        data = np.zeros(len(compact) + PADDING, np.uint8)
        data[: len(compact)] = np.frombuffer(compact, np.uint8)
        state[layout.POSITION] = 0
        state[layout.SIZE] = len(compact)
        state[layout.TRUSTED] = 1
        if not self.observing:
            # Values of the item that were written when columns grew have been taken back since.
            state[layout.CAPACITY] = self._capacity()
        while (status := self._run(data)) != layout.DONE:
            if status in _REFUSED:
                self._refuse(status, compact, line)
            if status in (IRREGULAR, layout.FULL) or not self._answer(status, data):
                return status
        return layout.DONE

    def _refuse(self, status: int, compact: bytes, line: bytes) -> NoReturn:
        """Raise the problem of the line in which the kernel found a value that the options do not allow."""
        attribute = self._registry.attribute_of(int(self._state[layout.COLUMN]))
        if status == layout.HAS_NUL:
            raise nul_problem(compact, attribute, self.lines.root(line))
        problem = time_problem(compact, attribute, NO_TIME[int(self._state[layout.REASON])], self.lines.root(line))
        problem.type = self._time_types[attribute]
        raise problem


def _nowhere(_: int) -> tuple[int, bytes]:
    raise ValueError("no block is being decoded")
