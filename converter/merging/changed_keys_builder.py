"""The first reading of a merge: the keys of all changes, and the last change of each, before any item is decoded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from converter.conversion.line_reader import open_checked_lines
from converter.conversion.opened_export import find_form
from converter.conversion.pass_context import PassContext
from converter.decode.change_translation import patterns_of, unknown_of
from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem, Member
from converter.decode.unknown_members import UnknownMembers
from converter.errors import ExportError
from converter.export.blocks import Block
from converter.export.data_files import DataFile
from converter.export.manifest import Export
from converter.kernels import layout, scratch
from converter.kernels.bindings import bind_merge_lines, index_keys, line_end, record_key
from converter.kernels.merge import key_table
from converter.kernels.merge.key_table import KeyTable
from converter.merging.base_snapshot import BaseSnapshot
from converter.merging.changed_keys import ChangedKeys, key_bytes, read_change
from converter.merging.merge_input import MergeInput
from converter.merging.old_images import OldImages
from converter.options import ConvertOptions
from converter.storage.source import Source

_FIRST_KEYS = 1 << 12
_FIRST_BYTES = 1 << 17
_KEY_ROOM = 1 << 13
"""A partition key has up to 2 KB and a sort key 1 KB, without escapes."""


class ChangedKeysBuilder:
    """For many threads, one after the other. keys: see ChangedKeys."""

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        self._keys = tuple(keys)
        self._table = KeyTable(
            np.zeros(4 * _FIRST_KEYS, np.int64),
            np.zeros(_FIRST_BYTES, np.uint8),
            np.zeros((_FIRST_KEYS, key_table.KEY_FACTS), np.int64),
            scratch.new_secret(),
        )
        self._state = np.zeros(key_table.MERGE_STATE_SIZE, np.int64)
        self._state[key_table.MERGE_KEYS] = len(self._keys)
        self._state[key_table.MERGE_RECORDS] = 1
        self._patterns = patterns_of(ChangeForm(self._keys, old_images=True))
        self._merge_lines = bind_merge_lines()
        # If no line is blanked, no values are checked.
        self._copy, self._scratch = np.zeros(_KEY_ROOM, np.uint8), scratch.new_scratch(0)
        self._unknown: dict[ChangeForm, UnknownMembers] = {}
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """The number of keys so far."""
        return int(self._state[key_table.MERGE_COUNT])

    def build(self) -> ChangedKeys:
        """Return the keys; no change can be added after that."""
        slots, values, facts, secret = self._table
        return ChangedKeys(self._keys, KeyTable(slots, values, facts[: self.count], secret))

    def add(self, block: Block, order: int, form: ChangeForm) -> None:
        """Add the changes of a block of increment number `order`. Raises LineProblem, its `byte` set."""
        with self._lock:
            state = self._state
            state[key_table.MERGE_POSITION] = 0
            state[key_table.MERGE_SIZE] = block.size
            state[key_table.MERGE_ORDER] = order
            state[key_table.MERGE_OLD_IMAGES] = form.old_images
            unknown = self._unknown.setdefault(form, unknown_of(form))
            block = unknown.remove(block)
            while True:
                status = self._merge_lines(block.data, self._patterns, self._table, state, self._copy, self._scratch)
                if status == layout.DONE:
                    return
                if status == layout.GROW:
                    self._grow()
                    continue
                at = int(state[key_table.MERGE_POSITION])
                state[key_table.MERGE_POSITION] = line_end(block.data, at) + 1
                found: list[Member] = []
                try:
                    if status == layout.DUPLICATE_CHANGE:
                        raise _duplicate_error()
                    self._add_line(unknown.line(at), form, found)
                except LineProblem as problem:
                    problem.byte = block.byte + at
                    raise
                if unknown.add(found, block.byte + at):
                    block = unknown.remove_again(block, int(state[key_table.MERGE_POSITION]))

    def _add_line(self, line: bytes, form: ChangeForm, unknown: list[Member]) -> None:
        change = read_change(line, form, unknown)
        if change is None:
            return
        data, first, size = key_bytes(change.key)
        self._state[key_table.MERGE_TIME] = change.micros
        self._state[key_table.MERGE_DELETES] = change.deletes
        while (status := record_key(data, first, size, self._table, self._state)) == layout.GROW:
            self._grow(size)
        if status == layout.DUPLICATE_CHANGE:
            raise _duplicate_error()

    def _grow(self, size: int = 0) -> None:
        """Make room for twice as many keys, or for `size` bytes more and twice as many."""
        slots, values, facts, secret = self._table
        count, used = self.count, int(self._state[key_table.MERGE_BYTES])
        if 2 * (count + 1) > slots.size or count >= len(facts):
            more = np.zeros((2 * len(facts), key_table.KEY_FACTS), np.int64)
            more[:count] = facts[:count]
            slots, facts = np.zeros(4 * len(more), np.int64), more
        else:
            longer = np.zeros(2 * (values.size + size), np.uint8)
            longer[:used] = values[:used]
            values = longer
        table = KeyTable(slots, values, facts, secret)
        if slots is not self._table.slots:
            index_keys(table, self._state)
        self._table = table


def _duplicate_error() -> LineProblem:
    return LineProblem("$.Keys", "another change of this increment has the same keys and time")


def read_changed_keys(
    increments: Sequence[Export],
    source: Source,
    options: ConvertOptions,
    context: PassContext,
    *,
    base: BaseSnapshot | None,
    images: OldImages | None,
) -> MergeInput:
    """Read the increments, which come in the order of their windows, with paths that the source knows.

    base: the parts of a snapshot, if that is the base. images: compares old images with the items before. Raises
    DataFileError, BadLineError, ExportError for increments with different keys, and UsageError for a base without them.
    """
    # The same bytes are read again for the keys, and counted then.
    forms = tuple(find_form(source, increment, options) for increment in increments)
    keys = next((form.keys for form in forms if form.keys), ())
    for form, increment in zip(forms, increments, strict=True):
        if form.keys not in ((), keys):
            one, other = (", ".join(f"{name!r} ({tag})" for name, tag in names) for names in (form.keys, keys))
            raise ExportError(
                f"the keys of this increment are {one}, and those of the one before are {other}",
                increment.source,
                "see whether all increments are of one table",
            )
    if base is not None:
        base.check_keys(keys)
    builder = ChangedKeysBuilder(keys)
    orders = {file.path: order for order, increment in enumerate(increments) for file in increment.files}

    def read(file: DataFile) -> None:
        # If it was edited by hand, a file may hold lines that the manifest does not count.
        if not file.items and options.verify:
            return
        order, form = orders[file.path], forms[orders[file.path]]
        with open_checked_lines(file, source, options, context.count) as reader:
            for block in reader:
                context.check(0)
                builder.add(block, order, form)
                if images is not None:
                    images.add_block(block, form, file.path)

    files = [file for increment in increments for file in increment.files]
    # Old images are compared in the order of the increments.
    workers = 1 if images is not None else options.threads
    pool = ThreadPoolExecutor(max(min(workers, len(files)), 1), thread_name_prefix="keys")
    try:
        # If several files fail, the error of the first one is raised.
        for future in [pool.submit(read, file) for file in files]:
            future.result()
    finally:
        context.stop()
        # An interrupt does not wait for a server that does not answer.
        pool.shutdown(wait=False, cancel_futures=True)
    return MergeInput(builder.build(), forms, orders, base, images)
