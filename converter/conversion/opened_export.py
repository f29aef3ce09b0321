"""The export that a run reads, opened: its manifests are read, and its data files are there."""

from __future__ import annotations

from dataclasses import dataclass

from converter.aws.access import AwsOptions
from converter.conversion.change_form import check_old_image
from converter.export.locate import open_export
from converter.export.manifest import Export, check_files
from converter.options import ConvertOptions
from converter.storage.source import Source


@dataclass(frozen=True, slots=True)
class OpenedExport:
    """source: that the paths of its files are relative to. bytes_in: compressed, of all data files."""

    source: Source
    export: Export
    bytes_in: int


def open_files(place: str, options: ConvertOptions, aws: AwsOptions) -> OpenedExport:
    """Open the export of a SOURCE, and check that its data files are there.

    Raises ExportError, StorageError, and UsageError for old images that the export does not have.
    """
    source, export = open_export(place, aws, latest=options.latest, export_id=options.export_id, verify=options.verify)
    check_old_image(export, options)
    return OpenedExport(source, export, check_files(source, export))
