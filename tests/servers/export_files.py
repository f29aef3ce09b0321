"""The files of an export that a played service has begun, as the service would write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from converter.testing import (
    Change,
    ExportFacts,
    ExportPaths,
    WindowFacts,
    write_export,
    write_incremental_export,
)
from tests.servers.history import Items
from tests.servers.windows import moment_of

FILES, EMPTY_FILES = 2, 1


def write_files(folder: Path, description: Mapping[str, Any], items: Items, changes: Sequence[Change]) -> ExportPaths:
    """Write the export of this ExportDescription: a full one of the items, or one of the changes in its window."""
    facts = facts_of(description)
    if isinstance(facts, WindowFacts):
        return write_incremental_export(folder, changes, files=FILES, empty_files=EMPTY_FILES, facts=facts)
    return write_export(folder, items, files=FILES, empty_files=EMPTY_FILES, facts=facts)


def facts_of(description: Mapping[str, Any]) -> ExportFacts | WindowFacts:
    """What the files of a described export say of it."""
    *_, region, account, resource = str(description["ExportArn"]).split(":")
    export_id = resource.rpartition("/")[2]
    common: dict[str, Any] = {
        "table": resource.split("/")[1],
        "prefix": description.get("S3Prefix"),
        "start_time": moment_of(description["StartTime"]),
        "end_time": moment_of(description["EndTime"]),
        "id": export_id,
        # Incremental exports share a folder of data files: those of two that begin at once have other names.
        "seed": int(export_id.rpartition("-")[2], 16),
        "bucket": description["S3Bucket"],
        "region": region,
        "account": account,
        "table_id": description["TableId"],
        "sse_algorithm": description.get("S3SseAlgorithm", "AES256"),
        "sse_kms_key_id": description.get("S3SseKmsKeyId"),
        "output_format": description["ExportFormat"],
    }
    window = description.get("IncrementalExportSpecification")
    if window is None:
        return ExportFacts(export_time=moment_of(description["ExportTime"]), **common)
    return WindowFacts(
        from_time=moment_of(window["ExportFromTime"]),
        to_time=moment_of(window["ExportToTime"]),
        view=window["ExportViewType"],
        **common,
    )
