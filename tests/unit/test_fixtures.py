from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from converter.testing import seal
from fixtures import expect, make
from tests import oracle

NAMES = sorted(make.FACTS)
# What depends on the zlib that compressed the data files, and so may differ from one machine to another.
COMPRESSED = re.compile(rb'"(md5Checksum|etag)":"[^"]*"')


def contents(bucket: Path) -> dict[str, bytes]:
    """The files of a bucket, without what compression decides."""
    found = {}
    for path in bucket.rglob("AWSDynamoDB/**/*"):
        name = str(path.relative_to(bucket))
        if name.endswith(".gz"):
            found[name] = gzip.decompress(path.read_bytes())
        elif path.is_file() and not name.endswith("manifest-files.md5"):
            found[name] = COMPRESSED.sub(b"", path.read_bytes())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_script_makes_the_export(name: str, tmp_path: Path) -> None:
    make.make(tmp_path, name)
    committed = contents(make.HERE / name)
    assert committed
    assert contents(tmp_path) == committed


@pytest.mark.parametrize("name", NAMES)
def test_the_manifests_agree_with_the_data_files(name: str, tmp_path: Path) -> None:
    folder = expect.export_folder(name)
    copy = tmp_path / folder.name
    for path in folder.parent.rglob("*"):
        if path.is_file():
            (tmp_path / path.relative_to(folder.parent)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path.relative_to(folder.parent)).write_bytes(path.read_bytes())
    seal(copy)
    for path in folder.glob("manifest-*"):
        assert (copy / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("name", NAMES)
def test_the_expectations_are_the_oracles(name: str, tmp_path: Path) -> None:
    expect.write_expected(tmp_path, name)
    committed = {path.name: path.read_bytes() for path in (expect.HERE / name).glob("expected*")}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == committed


@pytest.mark.parametrize("name", NAMES)
def test_expectations_read_back_as_the_table_they_were(name: str) -> None:
    for path in (expect.HERE / name).glob("expected*.parquet.json"):
        options, read = expect.read_expected(path)
        assert read == expect.work_out(name, options)
        csv = path.with_name(path.name.replace(".parquet.json", ".csv"))
        oracle.assert_equal_to_table(read, [csv], "csv")


def test_every_type_is_in_a_fixture() -> None:
    tags = {
        tag for item in oracle.read_items(expect.export_folder("all-types")) for value in item.values() for tag in value
    }
    assert tags == {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}


def test_the_fixtures_stay_small() -> None:
    assert sum(path.stat().st_size for path in make.HERE.rglob("*") if path.suffix != ".pyc") < 330_000


def test_orders_has_an_empty_data_file() -> None:
    lines = (expect.export_folder("orders") / "manifest-files.json").read_bytes().splitlines()
    assert [json.loads(line)["itemCount"] for line in lines] == [90, 0, 80, 30]
