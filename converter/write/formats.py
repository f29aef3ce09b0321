"""The writers of the formats, and the names of their parts."""

from __future__ import annotations

from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.write.csv import CsvPart
from converter.write.parquet import ParquetPart
from converter.write.part import PartWriter, Sink


def part_suffix(options: ConvertOptions) -> str:
    """The end of the names of parts: `.parquet`, `.csv` or `.csv.gz`."""
    if options.format == "parquet":
        return ".parquet"
    return ".csv.gz" if options.compression == "gzip" else ".csv"


def open_part(sink: Sink, schema: Schema, options: ConvertOptions) -> PartWriter:
    """A writer for the format and compression of the options."""
    writer = ParquetPart if options.format == "parquet" else CsvPart
    return writer(sink, schema, options)
