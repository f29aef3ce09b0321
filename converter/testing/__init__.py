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

from converter.testing.changes import Change as Change
from converter.testing.changes import change_line as change_line
from converter.testing.changes import write_incremental_export as write_incremental_export
from converter.testing.ion import ion_line as ion_line
from converter.testing.maker import ExportPaths as ExportPaths
from converter.testing.maker import item_line as item_line
from converter.testing.maker import write_export as write_export
from converter.testing.maker import write_split_export as write_split_export
from converter.testing.manifest import DataFileFacts as DataFileFacts
from converter.testing.manifest import ExportFacts as ExportFacts
from converter.testing.manifest import OutputFormat as OutputFormat
from converter.testing.manifest import WindowFacts as WindowFacts
from converter.testing.manifest import etag as etag
from converter.testing.manifest import files_text as files_text
from converter.testing.manifest import md5_text as md5_text
from converter.testing.manifest import summary_text as summary_text
from converter.testing.seal import seal as seal
from converter.testing.values import DynamoValue as DynamoValue
from converter.testing.values import plain_number as plain_number
from converter.testing.values import to_dynamodb as to_dynamodb
from converter.testing.values import to_item as to_item
