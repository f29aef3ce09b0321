"""Exports that tests ask a played service for through a client of their own, and the files that these end with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any


def begin(client: Any, **arguments: Any) -> dict[str, Any]:
    """An export that begins, as the service describes it."""
    description: dict[str, Any] = client.export_table_to_point_in_time(**arguments)["ExportDescription"]
    return description


def begin_window(
    client: Any, begins: datetime, ends: datetime, view: str = "NEW_AND_OLD_IMAGES", **arguments: Any
) -> dict[str, Any]:
    """An export of changes that begins."""
    window = {"ExportFromTime": begins, "ExportToTime": ends, "ExportViewType": view}
    return begin(client, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window, **arguments)


def poll(client: Any, description: dict[str, Any]) -> dict[str, Any]:
    """The export as it is described by now."""
    described: dict[str, Any] = client.describe_export(ExportArn=description["ExportArn"])["ExportDescription"]
    return described


def folder_of(bucket: Path, description: dict[str, Any]) -> Path:
    """Where the manifests of a completed export are in such a folder."""
    return (bucket / str(description["ExportManifest"])).parent
