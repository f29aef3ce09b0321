"""What has to be known of an incremental export before its changes are decoded."""

from __future__ import annotations

from converter.conversion.shard import Job, bad_line, open_lines
from converter.decode.strict_changes import ChangeForm, find_keys
from converter.decode.strict_lines import LineProblem
from converter.errors import UsageError
from converter.export.blocks import Block
from converter.export.manifest import Export, ExportKind
from converter.options import ConvertOptions

_OLD_IMAGES = "NEW_AND_OLD_IMAGES"


def check_old_image(export: Export, options: ConvertOptions) -> None:
    """Raises UsageError where old images are asked for and there can be none."""
    if not options.old_image or export.output_view == _OLD_IMAGES:
        return
    what = (
        "a full export"
        if export.kind is ExportKind.ITEMS
        else f"an incremental export with the view {export.output_view}"
    )
    raise UsageError(f"{what} has no old images", "--old-image", f"leave it out, or export with the view {_OLD_IMAGES}")


def find_form(job: Job, export: Export) -> ChangeForm:
    """The export's view, and the keys of its first change, which all others must have too; no keys without changes.

    Raises DataFileError, and BadLineError when the line of the first change is none.
    """
    old_images, verify = export.output_view == _OLD_IMAGES, job.options.verify
    for file in export.files:
        # Edited by hand, a file may hold what the manifest doesn't know of.
        if not file.items and verify:
            continue
        with open_lines(file, job, verify=verify) as reader:
            try:
                for block in reader:
                    keys = _first_keys(block)
                    if keys:
                        return ChangeForm(keys, old_images)
            except LineProblem as problem:
                reader.verify_rest()
                raise bad_line(problem, reader, job.options) from None
    return ChangeForm((), old_images)


def _first_keys(block: Block) -> tuple[tuple[str, str], ...]:
    """The keys of the block's first change; none without one. Raises LineProblem."""
    byte = block.byte
    for line in block.data[: block.size].tobytes().split(b"\n"):
        try:
            keys = find_keys(line)
        except LineProblem as problem:
            problem.byte = byte
            raise
        if keys:
            return keys
        byte += len(line) + 1
    return ()
