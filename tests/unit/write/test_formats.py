"""Which writer and which name a part gets."""

from __future__ import annotations

from io import BytesIO

import pytest

from converter.options import ConvertOptions
from converter.schema.column_types import STRING, Origin
from converter.schema.columns import Column, Schema
from converter.write.csv import CsvPart
from converter.write.formats import open_part, part_suffix
from converter.write.parquet import ParquetPart
from converter.write.part import PartWriter


@pytest.mark.parametrize(
    ("format", "compression", "suffix", "writer"),
    [
        ("parquet", None, ".parquet", ParquetPart),
        ("parquet", "gzip", ".parquet", ParquetPart),
        ("csv", None, ".csv", CsvPart),
        ("csv", "gzip", ".csv.gz", CsvPart),
    ],
)
def test_each_format_has_its_suffix_and_writer(
    format: str, compression: str | None, suffix: str, writer: type[PartWriter]
) -> None:
    options = ConvertOptions(format=format, compression=compression)  # type: ignore[arg-type]
    assert part_suffix(options) == suffix
    part = open_part(BytesIO(), Schema((Column("a", "a", STRING, Origin.TEXT),)), options)
    assert type(part) is writer
    part.close()
    assert part.rows == 0
