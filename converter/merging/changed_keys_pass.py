"""The first reading of a merge: the keys that the increments name, and the form of their lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from converter.conversion.change_form import find_form
from converter.conversion.line_reader import open_checked_lines
from converter.conversion.pass_context import PassContext
from converter.decode.strict_changes import ChangeForm
from converter.errors import ExportError
from converter.export.blocks import Block
from converter.export.data_files import DataFile
from converter.export.manifest import Export
from converter.merging.base_snapshot import BaseSnapshot
from converter.merging.changed_keys_builder import ChangedKeysBuilder
from converter.merging.merge_input import MergeInput
from converter.merging.old_images import OldImages
from converter.options import ConvertOptions
from converter.storage.source import Source


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
    uncounted = PassContext(ion=context.ion)
    forms = tuple(find_form(source, increment, options, uncounted) for increment in increments)
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
    orders: dict[str, int] = {}
    reads: list[Callable[[], None]] = []
    for order, (increment, form) in enumerate(zip(increments, forms, strict=True)):
        for file in increment.files:
            orders[file.path] = order
            add = partial(_add, builder, order, form, file, images)
            reads.append(partial(_read, file, source, options, context, add))
    # Old images are compared in the order of the increments.
    _run_all(reads, context, 1 if images is not None else options.threads)
    return MergeInput(builder.build(), forms, orders, base, images)


def _add(
    builder: ChangedKeysBuilder, order: int, form: ChangeForm, file: DataFile, images: OldImages | None, block: Block
) -> None:
    builder.add(block, order, form)
    if images is not None:
        images.add_block(block, form, file.path)


def _read(
    file: DataFile, source: Source, options: ConvertOptions, context: PassContext, add: Callable[[Block], None]
) -> None:
    """Call `add` with the blocks of a data file; its LineProblem becomes an error with the place."""
    # If it was edited by hand, a file may hold lines that the manifest does not count.
    if not file.items and options.verify:
        return
    with open_checked_lines(file, source, context, options) as reader:
        for block in reader:
            context.check(0)
            add(block)


def _run_all(tasks: Sequence[Callable[[], None]], context: PassContext, workers: int) -> None:
    """Run all tasks, some at once; of several that fail, the first one's error is raised."""
    pool = ThreadPoolExecutor(max(min(workers, len(tasks)), 1), thread_name_prefix="keys")
    try:
        for future in [pool.submit(task) for task in tasks]:
            future.result()
    finally:
        context.stop()
        # An interrupt does not wait for a server that does not answer.
        pool.shutdown(wait=False, cancel_futures=True)
