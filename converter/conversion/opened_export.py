"""The export that a run reads: its manifests are read, its data files are there, and its lines have a known form."""

from __future__ import annotations

from dataclasses import dataclass

from converter.conversion.line_reader import open_checked_lines
from converter.decode.strict_changes import ChangeForm, find_keys
from converter.decode.strict_lines import LineProblem
from converter.errors import UsageError
from converter.export.blocks import Block
from converter.export.manifest import Export, ExportKind
from converter.options import ConvertOptions
from converter.storage.source import Source

_OLD_IMAGES = "NEW_AND_OLD_IMAGES"


@dataclass(frozen=True, slots=True)
class OpenedExport:
    """source: that the paths of its files are relative to. bytes_in: compressed, of all data files."""

    source: Source
    export: Export
    bytes_in: int


def check_old_image(export: Export, options: ConvertOptions) -> None:
    """Raise UsageError if old images are asked for, and the export does not have them."""
    if not options.old_image or export.output_view == _OLD_IMAGES:
        return
    what = (
        "a full export"
        if export.kind is ExportKind.ITEMS
        else f"an incremental export with the view {export.output_view}"
    )
    raise UsageError(f"{what} has no old images", "--old-image", f"leave it out, or export with the view {_OLD_IMAGES}")


def find_form(source: Source, export: Export, options: ConvertOptions) -> ChangeForm:
    """Return the export's view, and the keys of its first change, which all others must have; no keys without changes.

    Raises DataFileError, and BadLineError when the first line that is not empty is not a change.
    """
    old_images = export.output_view == _OLD_IMAGES
    for file in export.files:
        # Edited by hand, a file may hold what the manifest doesn't know of.
        if not file.items and options.verify:
            continue
        with open_checked_lines(file, source, options) as reader:
            for block in reader:
                keys = _first_keys(block)
                if keys:
                    return ChangeForm(keys, old_images)
    return ChangeForm((), old_images)


def _first_keys(block: Block) -> tuple[tuple[str, str], ...]:
    """Return the keys of the block's first change; none without one. Raises LineProblem."""
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
