from __future__ import annotations

import gzip
import hashlib
import json
import re
import tracemalloc
from base64 import b64encode
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given

from converter.testing import ExportFacts, ExportPaths, item_line, to_dynamodb, write_export, write_split_export
from tests import oracle, strategies

Counts = list[int]


def read_counts(export: ExportPaths) -> Counts:
    return [json.loads(line)["itemCount"] for line in export.files.read_bytes().splitlines()]


def all_bytes(bucket: Path) -> dict[str, bytes]:
    return {str(path.relative_to(bucket)): path.read_bytes() for path in bucket.rglob("*") if path.is_file()}


def test_an_export_has_the_services_layout(tmp_path: Path) -> None:
    export = write_export(tmp_path, [{"id": 1}, {"id": 2}], files=2, facts=ExportFacts(prefix="raw/dynamodb"))
    assert export.folder == tmp_path / "raw/dynamodb/AWSDynamoDB" / export.export_id
    found = sorted(str(path.relative_to(export.folder)) for path in export.folder.rglob("*") if path.is_file())
    names = [f"data/{path.name}" for path in export.data_files]
    manifests = [f"manifest-{name}.{end}" for name in ("files", "summary") for end in ("json", "md5")]
    assert found == sorted(["_started", *manifests, *names])
    assert all(re.fullmatch(r"[a-z2-7]{26}\.json\.gz", path.name) for path in export.data_files)
    assert (export.folder / "_started").read_bytes() == b""


def test_manifests_name_count_and_checksum_the_data_files(tmp_path: Path) -> None:
    export = write_export(tmp_path, ({"id": index} for index in range(10)), files=3, facts=ExportFacts(prefix="p"))
    lines = [json.loads(line) for line in export.files.read_bytes().splitlines()]
    for line, path in zip(lines, export.data_files, strict=True):
        assert line["dataFileS3Key"] == str(path.relative_to(tmp_path))
        md5 = hashlib.md5(path.read_bytes()).digest()
        assert line["md5Checksum"] == b64encode(md5).decode()
        assert line["etag"] == hashlib.md5(md5).hexdigest() + "-1"
    assert [line["itemCount"] for line in lines] == [4, 3, 3]
    summary = json.loads(export.summary.read_bytes())
    assert summary["itemCount"] == 10
    assert summary["s3Prefix"] == "p"
    assert summary["manifestFilesS3Key"] == str(export.files.relative_to(tmp_path))
    for path in (export.files, export.summary):
        md5 = hashlib.md5(path.read_bytes()).digest()
        assert path.with_suffix(".md5").read_text() == b64encode(md5).decode()


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_export(tmp_path / name, [{"id": index} for index in range(100)], files=3, empty_files=1)
    assert all_bytes(tmp_path / "one") == all_bytes(tmp_path / "two")


def test_another_seed_gives_other_names_and_the_same_items(tmp_path: Path) -> None:
    one, two = (write_export(tmp_path, [{"id": 1}], facts=ExportFacts(seed=seed)) for seed in (1, 2))
    assert one.data_files[0].name != two.data_files[0].name
    assert one.data_files[0].read_bytes() == two.data_files[0].read_bytes()


def test_items_are_dealt_in_turn(tmp_path: Path) -> None:
    export = write_export(tmp_path, [{"id": index} for index in range(5)], files=2)
    read = [
        [int(item["id"]["N"]) for item in oracle.read_lines(gzip.decompress(p.read_bytes()))] for p in export.data_files
    ]
    assert read == [[0, 2, 4], [1, 3]]


def test_an_empty_partition_is_a_gzip_file_of_twenty_bytes(tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [[]])
    data = export.data_files[0].read_bytes()
    assert data == bytes.fromhex("1f8b08000000000000ff0300" + "00" * 8)
    assert gzip.decompress(data) == b""


@pytest.mark.parametrize(
    ("files", "empty_files", "counts"),
    [(3, 0, [1, 1, 1]), (1, 1, [0, 3]), (3, 3, [0, 1, 0, 1, 0, 1]), (1, 4, [0, 0, 0, 0, 3]), (2, 1, [0, 2, 1])],
)
def test_empty_files_lie_among_the_others(tmp_path: Path, files: int, empty_files: int, counts: Counts) -> None:
    export = write_export(tmp_path, [{"id": index} for index in range(3)], files=files, empty_files=empty_files)
    assert read_counts(export) == counts


def test_an_export_may_have_no_data_files(tmp_path: Path) -> None:
    export = write_export(tmp_path, [], files=0)
    assert export.files.read_bytes() == b""
    assert json.loads(export.summary.read_bytes())["itemCount"] == 0


def test_items_without_a_data_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one data file"):
        write_export(tmp_path, [{"id": 1}], files=0, empty_files=2)


def test_a_negative_number_of_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="negative"):
        write_export(tmp_path, [], files=-1)


def test_an_export_is_never_written_over(tmp_path: Path) -> None:
    write_export(tmp_path, [])
    with pytest.raises(FileExistsError):
        write_export(tmp_path, [])


def test_lines_are_compact_raw_utf_8_in_the_order_given() -> None:
    item = {"z": "é😀\u2028", "a": Decimal("1.50"), "m": to_dynamodb({"S": "x"}), "typed": {"N": "007"}}
    expected = '{"Item":{"z":{"S":"é😀\u2028"},"a":{"N":"1.5"},"m":{"M":{"S":{"S":"x"}}},"typed":{"N":"007"}}}\n'
    assert item_line(item) == expected.encode()


@pytest.mark.parametrize("item", [{"m": {}}, {"m": {"a": 1}}, {"m": {"S": "x", "N": "1"}}, {"x": 1.5}])
def test_an_item_that_the_service_cannot_write_is_refused(item: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        item_line(item)


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        item_line({"s": "\ud800"})


def test_raw_lines_are_written_as_they_are(tmp_path: Path) -> None:
    lines = [b'{"Item": {"id": {"S": "spaced"}}}', b"", b"{}", b"  ", b"\xff not json", b'{"Item":{}}']
    export = write_split_export(tmp_path, [lines])
    assert gzip.decompress(export.data_files[0].read_bytes()) == b"".join(line + b"\n" for line in lines)
    assert read_counts(export) == [3]


def test_a_raw_line_with_newlines_counts_each_of_its_items(tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [[b'{"Item":{}}\n\n{"Item":{}}']])
    assert read_counts(export) == [2]


def test_memory_does_not_grow_with_the_number_of_items(tmp_path: Path) -> None:
    line = b'{"Item":{"id":{"S":"' + b"x" * 2000 + b'"}}}'
    tracemalloc.start()
    try:
        export = write_export(tmp_path, (line for _ in range(20_000)), files=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read_counts(export) == [10_000, 10_000]
    assert peak < 5_000_000


@given(strategies.items())
def test_a_line_reads_back_as_its_item(item: strategies.Item) -> None:
    (read,) = oracle.read_lines(item_line(item))
    assert read == item
