"""Writes exports exactly as DynamoDB does, for fixtures, tests, benchmarks, and to try out a pipeline.

    from converter.testing import ExportFacts, write_export

    export = write_export("bucket", [{"id": "a1", "price": Decimal("12.5")}], facts=ExportFacts(table="Orders"))
    export.folder           # bucket/AWSDynamoDB/01701065507109-…

`write_incremental_export` does the same for the changes of a window. The same arguments give the same bytes. Values
that DynamoDB can't write raise an error, except in lines that are given as bytes, which are written as is. To damage an
export, edit its files, then call `seal` if the manifests should match the damaged files.

The layout is the one of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html,
checked byte by byte against exports that the service wrote.
"""

from __future__ import annotations

from converter.testing.changes import Change, change_line, write_incremental_export
from converter.testing.ion import ion_line
from converter.testing.maker import ExportPaths, item_line, write_export, write_split_export
from converter.testing.manifest import (
    DataFileFacts,
    ExportFacts,
    OutputFormat,
    WindowFacts,
    etag,
    files_text,
    md5_text,
    summary_text,
)
from converter.testing.seal import seal
from converter.testing.values import DynamoValue, plain_number, to_dynamodb, to_item

__all__ = [
    "Change",
    "DataFileFacts",
    "DynamoValue",
    "ExportFacts",
    "ExportPaths",
    "OutputFormat",
    "WindowFacts",
    "change_line",
    "etag",
    "files_text",
    "ion_line",
    "item_line",
    "md5_text",
    "plain_number",
    "seal",
    "summary_text",
    "to_dynamodb",
    "to_item",
    "write_export",
    "write_incremental_export",
    "write_split_export",
]
