"""The first reading of a merge: which keys the increments touch, and of which form their lines are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from converter.conversion.base_snapshot import BaseParts
from converter.conversion.change_form import find_form
from converter.conversion.merge_job import MergeJob
from converter.conversion.pass_control import Control
from converter.conversion.shard import Job, bad_line, open_lines
from converter.decode.changed_keys import TouchedKeys
from converter.decode.old_images import OldImages
from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem
from converter.errors import ExportError
from converter.export.blocks import Block
from converter.export.data_files import DataFile
from converter.export.manifest import Export


def note_changes(
    increments: Sequence[Export], job: Job, control: Control, *, base: BaseParts | None, images: OldImages | None
) -> MergeJob:
    """Read the increments, which come in the order of their windows, with paths that the job's source knows.

    base: the parts of a snapshot, if that is the base. images: compares old images with the items before. Raises
    DataFileError, BadLineError, ExportError for increments with different keys, and UsageError for a base without them.
    """
    forms = tuple(find_form(job, increment) for increment in increments)
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
    touched = TouchedKeys(keys)
    orders: dict[str, int] = {}
    reads: list[Callable[[], None]] = []
    for order, (increment, form) in enumerate(zip(increments, forms, strict=True)):
        for file in increment.files:
            orders[file.path] = order
            reads.append(partial(_read, file, job, control, partial(_note, touched, order, form, file, images)))
    # Old images are compared in the order of the increments.
    _run_all(reads, control, 1 if images is not None else job.options.threads)
    return MergeJob(touched, forms, orders, base, images)


def _note(
    touched: TouchedKeys, order: int, form: ChangeForm, file: DataFile, images: OldImages | None, block: Block
) -> None:
    touched.note(block, order, form)
    if images is not None:
        images.note_block(block, form, file.path)


def _read(file: DataFile, job: Job, control: Control, note: Callable[[Block], None]) -> None:
    """Hand on the blocks of a data file; what is wrong with a line is told with its place."""
    verify = job.options.verify
    # Edited by hand, a file may hold what the manifest doesn't know of.
    if not file.items and verify:
        return
    with open_lines(file, job, control, verify=verify) as reader:
        try:
            for block in reader:
                control.check(0)
                note(block)
        except LineProblem as problem:
            reader.verify_rest()
            raise bad_line(problem, reader, job.options) from None


def _run_all(tasks: Sequence[Callable[[], None]], control: Control, workers: int) -> None:
    """All tasks, some at once; of several that fail the first one's error."""
    pool = ThreadPoolExecutor(max(min(workers, len(tasks)), 1), thread_name_prefix="keys")
    try:
        for future in [pool.submit(task) for task in tasks]:
            future.result()
    finally:
        control.stop()
        # An interrupt does not wait for a server that does not answer.
        pool.shutdown(wait=False, cancel_futures=True)
