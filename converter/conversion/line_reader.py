"""Readers of the lines of data files, in DynamoDB JSON and in Ion."""

from __future__ import annotations

from converter.conversion.pass_context import PassContext
from converter.export.blocks import BlockReader
from converter.export.data_files import DataFile
from converter.ion.reader import ION_BLOCK_BYTES, IonReader
from converter.storage.source import Source


def open_lines(file: DataFile, source: Source, context: PassContext, *, verify: bool) -> BlockReader | IonReader:
    """Open the file's lines as DynamoDB JSON, whatever its format is."""
    if not file.in_ion:
        return BlockReader(source, file, verify=verify, on_bytes=context.count)
    blocks = BlockReader(source, file, verify=verify, block_bytes=ION_BLOCK_BYTES, on_bytes=context.count)
    return IonReader(blocks, context.ion)
