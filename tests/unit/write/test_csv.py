"""CSV parts: header, rows and gzip."""

from __future__ import annotations

import gzip
from io import BytesIO
from itertools import chain
from pathlib import Path

import pytest

from converter.decode import buffers
from converter.decode.decoder import Decoder
from converter.errors import UsageError
from converter.options import ConvertOptions
from converter.schema.column_types import INT64, STRING, Origin
from converter.schema.columns import Column, Schema
from converter.write.csv import CsvPart
from tests import oracle
from tests.unit.decode.decoding import everything, lines_of, make_block, schema_of, write_batch, write_part

CSV = ConvertOptions(format="csv")


def part_of(lines: bytes, tmp_path: Path, schema: Schema | None = None) -> str:
    write_part(lines, tmp_path / "part", schema or schema_of(lines), CSV)
    return (tmp_path / "part").read_bytes().decode()


def test_a_part_is_a_header_and_a_line_for_each_item(tmp_path: Path) -> None:
    lines = lines_of(
        {"a": {"S": ""}, "b": {"N": "1.50"}, "c": {"BOOL": True}},
        {"a": {"S": 'x,"y"'}, "d": {"B": "AQID"}, "e": {"M": {"k": {"N": "1"}}}},
        {},
    )
    assert part_of(lines, tmp_path) == 'a,b,c,d,e\n"",1.5,true,,\n"x,""y""",,,AQID,"{""k"":1}"\n,,,,\n'


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("a b", "a b"),
        ('q"', '"q"""'),
        ("a,b", '"a,b"'),
        ("a\nb", '"a\nb"'),
        ("\r", '"\r"'),
        ("", '""'),
        ("é", "é"),
        (" a", '" a"'),
        ("NaN", '"NaN"'),
        ("\\N", '"\\N"'),
        ("\ufeffa", '"\ufeffa"'),
    ],
)
def test_names_in_the_header_are_quoted_like_any_field(name: str, field: str, tmp_path: Path) -> None:
    lines = lines_of({name: {"N": "1"}, "last": {"N": "2"}})
    options = ConvertOptions(format="csv", key=(name,))
    write_part(lines, tmp_path / "part", schema_of(lines, key=(name,)), options)
    assert (tmp_path / "part").read_bytes().decode() == f"{field},last\n1,2\n"


def test_a_part_without_rows_is_its_header(tmp_path: Path) -> None:
    schema = Schema((Column("a", "a", STRING, Origin.TEXT), Column("b", "b", INT64, Origin.NUMBER)))
    assert part_of(b"\n", tmp_path, schema) == "a,b\n"


def test_a_row_that_would_be_an_empty_line_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        part_of(lines_of({"a": {"S": "x"}}, {}), tmp_path)
    assert caught.value.hint == "select a second column"


def test_rows_longer_than_the_output_buffer_are_written_whole(tmp_path: Path) -> None:
    texts = ["x" * (3 << 20), '"' * (1 << 20), "short", "é" * (1 << 20)]
    lines = lines_of(*[{"k": {"N": str(n)}, "s": {"S": text}} for n, text in enumerate(texts)])
    write_part(lines, tmp_path / "part", schema_of(lines), CSV)
    header, rows = oracle.read_csv_rows([tmp_path / "part"])
    assert header == ["k", "s"]
    assert rows == [(str(n), text) for n, text in enumerate(texts)]


def test_gzip_holds_the_same_bytes_and_no_time(tmp_path: Path) -> None:
    lines = lines_of(*[{"k": {"N": str(n)}, "s": {"S": "x" * n}} for n in range(300)])
    zipped = ConvertOptions(format="csv", compression="gzip")
    for name in ("one", "two"):
        write_part(lines, tmp_path / name, schema_of(lines), zipped)
    data = (tmp_path / "one").read_bytes()
    assert data == (tmp_path / "two").read_bytes()
    assert data[4:8] == bytes(4)
    assert gzip.decompress(data).decode() == part_of(lines, tmp_path)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_writer_counts_its_rows_and_bytes(compression: str) -> None:
    lines = lines_of(*[{"k": {"N": str(n)}} for n in range(5)])
    sink = BytesIO()
    schema = schema_of(lines)
    writer = CsvPart(sink, schema, ConvertOptions(format="csv", compression=compression))
    decoder = Decoder(schema, text=True, wants=everything)
    list(decoder.decode(make_block(lines)))
    for batch in decoder.finish():
        write_batch(writer, batch)
    writer.close()
    assert (writer.rows, writer.bytes) == (5, len(sink.getvalue()))
    assert not sink.closed


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_sink_gets_the_same_bytes_at_the_same_rows_however_they_come(
    compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = lines_of(*[{"k": {"N": f"{n}.5"}, "b": {"B": "AAE="}, "s": {"S": "x" * (n % 999)}} for n in range(9000)])
    schema = schema_of(lines)
    options = ConvertOptions(format="csv", compression=compression)
    found = []
    for rows, text in ((100_000, True), (100_000, False), (777, True), (1234, False)):
        monkeypatch.setattr(buffers, "BATCH_ROWS", rows)
        decoder = Decoder(schema, text=text, wants=everything)
        sink = BytesIO()
        writer = CsvPart(sink, schema, options)
        stops, before = [], 0
        for batch in chain(decoder.decode(make_block(lines)), decoder.finish()):
            row = 0
            while row < batch.rows:
                row = writer.write(batch, row)
                if writer.bytes > before:
                    before = writer.bytes
                    stops.append((writer.rows, before))
        writer.close()
        found.append((sink.getvalue(), stops))
    assert compression == "gzip" or len(found[0][1]) > 3
    assert found == [found[0]] * 4
