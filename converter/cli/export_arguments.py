"""The arguments and options about exports that are to be made, each declared once."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from converter.aws.target import OPTIONS, ExportFormat, ExportSse, ExportTarget
from converter.cli import arguments

option = partial(arguments.option, panel="Options for the export")

Table = Annotated[str, typer.Argument(metavar="TABLE", help="The table's name, or its ARN.")]
Bucket = Annotated[str, option("bucket", "The bucket that the service writes exports to.", metavar="NAME")]
ExportPrefix = Annotated[
    str | None,
    option("export-prefix", "Folders of the bucket to export to, such as dynamodb/orders.", metavar="FOLDERS"),
]
BucketOwner = Annotated[
    str | None,
    option("bucket-owner", "Account of the bucket, if it is not the caller's.", metavar="ACCOUNT"),
]
ExportFormatAs = Annotated[ExportFormat, option("export-format", "What the service writes.")]
ExportSseAs = Annotated[ExportSse | None, option("export-sse", "Encryption of the export's objects.", default="AES256")]
ExportKmsKeyId = Annotated[
    str | None, option("export-kms-key-id", "KMS key for --export-sse KMS.", metavar="KEY", default="AWS' own")
]


def export_target(given: object) -> ExportTarget:
    """What a verb's arguments say; UsageError for what the service would refuse."""
    named = {field: option.removeprefix("--").replace("-", "_") for field, option in OPTIONS.items()}
    return ExportTarget(**{field: getattr(given, name) for field, name in named.items() if hasattr(given, name)})
