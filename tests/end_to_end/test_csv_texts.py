"""Texts that readers of CSV take for something else: quoted, they come back as they were. NULs and byte order marks."""

from __future__ import annotations

import csv
import gzip
from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from converter import convert, merge, options_for, recipe, scan
from converter.errors import SchemaError, UsageError
from converter.option_values import Nul
from converter.options import Consumer, ConvertOptions
from tests.end_to_end.days import Read, run_duckdb, run_polars
from tests.end_to_end.exports import export_of, written_parts
from tests.end_to_end.test_merge import base, change, increment
from tests.unit.decode.decoding import lines_of

# Each is changed by a reader below, or by one that is not at hand here, unless it is quoted.
HARD = (
    *(" a", "a ", " ", "\ta", "a\t", "\t", "\x0ba", "a\x0c", "\x01", "a\x1f", "null ", "\\N "),
    *("\\N", "\\.", "\\", "#", "#a", "'a'", "'", "''"),
    *("NULL", "null", "Null", "nil", "None", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-NaN", "-nan", "1.#IND"),
    *("", '""', "a,b", '"', "\r", "\n", "true", "TRUE", "007", "1e5", "=1+1", "+1", "-1", "@a", "{}", "[1]"),
    *("\ufeffa", "\xa0a", "\u3000a\u3000", "\x85", "\u2028", "a\\", "'a", "`a`", "--a", "//a", "%a", "$a"),
)
READERS: dict[str, Callable[[Path], list[object]]] = {}


def reader(read: Callable[[Path], list[object]]) -> Callable[[Path], list[object]]:
    READERS[read.__name__] = read
    return read


@reader
def sniffing_duckdb(part: Path) -> list[object]:
    with duckdb.connect() as connection:
        query = "select text from read_csv(?, all_varchar = true, header = true, allow_quoted_nulls = false)"
        return [text for (text,) in connection.execute(query, [str(part)]).fetchall()]


@reader
def polars(part: Path) -> list[object]:
    return pl.read_csv(part, infer_schema=False)["text"].to_list()


@reader
def arrow_with_its_words_for_null(part: Path) -> list[object]:
    types = pa.csv.ConvertOptions(
        column_types={"text": pa.string()}, strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    return list(pa.csv.read_csv(part, parse_options=parse, convert_options=types)["text"].to_pylist())


@reader
def python(part: Path) -> list[object]:
    with part.open(newline="", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


@reader
def python_that_skips_blanks(part: Path) -> list[object]:
    return [row["text"] for row in csv.DictReader(StringIO(part.read_bytes().decode()), skipinitialspace=True)]


def clickhouse(part: Path, type_: str = "Nullable(String)") -> list[object]:
    chdb = pytest.importorskip("chdb")
    # In base64, because the answer is text again.
    query = (
        f"select if(isNull(text), '-', base64Encode(assumeNotNull(text))) from file('{part}', 'CSVWithNames',"
        f" 'key String, text {type_}, other String') format TSV"
    )
    lines = str(chdb.query(query)).split("\n")[:-1]
    return [None if line == "-" else b64decode(line).decode() for line in lines]


def hard_part(tmp_path: Path, texts: tuple[str, ...] = HARD, **options: Any) -> Path:
    lines = [{"key": {"S": f"k{n:03}"}, "text": {"S": text}, "zother": {"S": "x"}} for n, text in enumerate(texts)]
    export = export_of(tmp_path / "bucket", lines_of(*lines).splitlines())
    report = convert(export.folder, tmp_path / "out", ConvertOptions(format="csv", **options))
    (part,) = written_parts(tmp_path / "out", report)
    return part


@pytest.mark.parametrize("name", READERS)
def test_a_reader_finds_every_text_as_it_was(name: str, tmp_path: Path) -> None:
    part = hard_part(tmp_path)
    assert READERS[name](part) == list(HARD)


@pytest.mark.slow
@pytest.mark.parametrize("type_", ["String", "Nullable(String)"])
def test_clickhouse_finds_every_text_as_it_was(type_: str, tmp_path: Path) -> None:
    assert clickhouse(hard_part(tmp_path), type_) == list(HARD)


@pytest.mark.parametrize("text", ["'a'", "#a"])
def test_a_sniffer_does_not_take_what_all_texts_begin_with_for_a_quote_or_a_comment(text: str, tmp_path: Path) -> None:
    assert sniffing_duckdb(hard_part(tmp_path, (text,) * 50)) == [text] * 50


def test_a_column_whose_name_begins_like_a_byte_order_mark_keeps_its_name(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", lines_of({"\ufeffa": {"S": "x"}, "b": {"S": "y"}}).splitlines())
    options = ConvertOptions(format="csv", key=("\ufeffa",))
    (part,) = written_parts(tmp_path / "out", convert(export.folder, tmp_path / "out", options))
    assert pl.read_csv(part).columns == ["\ufeffa", "b"]
    assert pa.csv.read_csv(part).column_names == ["\ufeffa", "b"]


NULS = ("a\0b", "\0", "plain", "x\0", "y\0\0z")
TREATED: dict[Nul, tuple[str, ...]] = {
    "keep": NULS,
    "drop": ("ab", "", "plain", "x", "yz"),
    "replace": ("a\ufffdb", "\ufffd", "plain", "x\ufffd", "y\ufffd\ufffdz"),
}


@pytest.mark.parametrize("nul", TREATED)
def test_nuls_are_treated_alike_in_both_formats_and_counted(nul: Nul, tmp_path: Path) -> None:
    lines = [{"key": {"N": str(n)}, "text": {"S": text}} for n, text in enumerate(NULS)]
    export = export_of(tmp_path / "bucket", lines_of(*lines).splitlines())
    options = ConvertOptions(format="csv,parquet", nul=nul)
    report = convert(export.folder, tmp_path / "out", options)
    in_csv, in_parquet = written_parts(tmp_path / "out", report)
    assert python(in_csv) == list(TREATED[nul])
    assert pq.ParquetFile(in_parquet).read()["text"].to_pylist() == list(TREATED[nul])
    assert {column.name: column.nuls for column in report.columns} == {"key": 0, "text": 4}
    assert report.warnings == ()


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_run_that_must_not_meet_a_nul_ends_at_the_first(format: Any, tmp_path: Path) -> None:
    lines = [{"key": {"N": str(n)}, "text": {"S": text}} for n, text in enumerate(("x", "y", "ab\0", "\0"))]
    export = export_of(tmp_path / "bucket", lines_of(*lines).splitlines())
    with pytest.raises(SchemaError, match="holds the character NUL: it is character 3") as caught:
        convert(export.folder, tmp_path / "out", ConvertOptions(format=format, nul="fail"))
    assert "line 3 " in caught.value.where
    assert caught.value.where.endswith("$.Item.text.S")
    assert "--nul" in caught.value.hint
    assert not list((tmp_path / "out").rglob("*.csv"))
    report = convert(export.folder, tmp_path / "out", ConvertOptions(nul="fail", exclude=("text",)))
    assert report.items == 4


def test_for_treasure_data_a_nul_that_is_kept_is_warned_of(tmp_path: Path) -> None:
    lines = [{"key": {"S": "a\0"}, "text": {"S": text}} for text in NULS]
    export = export_of(tmp_path / "bucket", lines_of(*lines).splitlines())
    report = convert(export.folder, tmp_path / "out", options_for("treasure-data"))
    assert ["NUL" in warning for warning in report.warnings] == [True, True]
    assert "column 'key': 5 texts hold" in report.warnings[0]
    dropped = convert(export.folder, tmp_path / "other", options_for("treasure-data", nul="drop"))
    assert dropped.warnings == ()


def test_a_snapshot_counts_its_nuls_and_treats_those_of_changes_as_its_base(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "v": "x\0"}, {"id": "b", "v": "y\0"}])
    first = increment(tmp_path / "b", 0, 1, change("b", None, {"v": "\0new"}))
    for nul, texts in (("keep", ["x\0", "\0new"]), ("drop", ["x", "new"])):
        items, out = tmp_path / f"items-{nul}", tmp_path / f"out-{nul}"
        options = ConvertOptions(nul=nul)  # type: ignore[arg-type]
        convert(full, items, options)
        report = merge(items, [first], out, options)
        (part,) = written_parts(out, report)
        assert pq.ParquetFile(part).read()["v"].to_pylist() == texts
        other = ConvertOptions(nul="drop" if nul == "keep" else "keep")
        with pytest.raises(UsageError, match="published with another --nul"):
            merge(items, [first], tmp_path / "never", other)
        if nul == "keep":
            assert {column.name: column.nuls for column in report.columns} == {"id": 0, "v": 2}


def test_changes_are_not_merged_into_items_whose_keys_have_lost_their_nuls(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a\0", "v": "x"}])
    first = increment(tmp_path / "b", 0, 1, change("a\0", None, {"v": "new"}))
    options = ConvertOptions(nul="drop")
    convert(full, tmp_path / "items", options)
    with pytest.raises(UsageError, match="without its NULs"):
        merge(tmp_path / "items", [first], tmp_path / "out", options)
    convert(full, tmp_path / "kept")
    report = merge(tmp_path / "kept", [first], tmp_path / "out")
    (part,) = written_parts(tmp_path / "out", report)
    assert pq.ParquetFile(part).read().to_pylist() == [{"id": "a\0", "v": "new"}]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_each_part_begins_with_a_byte_order_mark_if_asked_and_readers_skip_it(compression: str, tmp_path: Path) -> None:
    lines = [{"a,b": {"S": "é"}, "n": {"N": "1.50"}, "text": {"S": "x" * 1000}}] * 2000
    export = export_of(tmp_path / "bucket", lines_of(*lines).splitlines())
    options = ConvertOptions(format="csv", csv_bom=True, compression=compression, part_size=4096)
    report = convert(export.folder, tmp_path / "out", options)
    parts = written_parts(tmp_path / "out", report)
    assert len(parts) == (2 if compression == "none" else 1)
    for part in parts:
        data = part.read_bytes()
        assert (gzip.decompress(data) if compression == "gzip" else data).startswith(b'\xef\xbb\xbf"a,b",n,text\n')
    frame = scan(tmp_path / "out").collect()
    assert (frame.height, frame["a,b"].unique().to_list()) == (2000, ["é"])
    plain = convert(export.folder, tmp_path / "plain", ConvertOptions(format="csv"))
    assert plain.bytes_out < report.bytes_out or compression == "gzip"
    readers: dict[Consumer, Callable[[str], Read]] = {"duckdb": run_duckdb, "polars": run_polars}
    for consumer, run in readers.items():
        [text] = recipe(consumer, tmp_path / "out").files.values()
        names, rows = run(text)
        assert list(names[:3]) == ["a,b", "n", "text"]
        assert {row[:2] for row in rows} == {("é", Decimal("1.5"))}
        assert len(rows) == 2000
