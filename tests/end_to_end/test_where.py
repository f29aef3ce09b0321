"""Conversions with a condition: exactly the items that satisfy it are published, and all others were checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from converter import ConvertOptions, convert, inspect, merge, scan
from converter.errors import BadLineError, UsageError
from converter.testing import ExportFacts, write_export
from tests.cli.command import ddb_convert
from tests.end_to_end.exports import export_of, line
from tests.end_to_end.test_merge import base, change, increment

LINES = [
    line(id=f'{{"S":"k{n}"}}', n=f'{{"N":"{n}"}}', kind=f'{{"S":"{"even" if n % 2 == 0 else "odd"}"}}')
    for n in range(40)
]
EVEN = ConvertOptions(where="kind = 'even' AND n >= 10")


def column(dest: Path, name: str) -> list[Any]:
    return sorted(scan(dest).select(name).collect().get_column(name).to_list())


@pytest.mark.parametrize("workers", [1, 3])
def test_the_items_that_satisfy_the_condition_are_published(tmp_path: Path, workers: int) -> None:
    source = export_of(tmp_path / "in", LINES[:15], LINES[15:]).folder
    report = convert(source, tmp_path / "out", ConvertOptions(where=EVEN.where, workers=workers))
    assert column(tmp_path / "out", "n") == list(range(10, 40, 2))
    assert (report.items, report.filtered, report.rows) == (15, 25, 15)
    assert not report.warnings
    assert convert(source, tmp_path / "out", EVEN).status == "unchanged"
    with pytest.raises(UsageError, match="where"):
        convert(source, tmp_path / "out")


def test_types_follow_from_the_items_that_are_kept(tmp_path: Path) -> None:
    source = export_of(
        tmp_path / "in", [line(id='{"S":"a"}', v='{"N":"1"}'), line(id='{"S":"b"}', v='{"S":"x"}')]
    ).folder
    report = convert(source, tmp_path / "out", ConvertOptions(where="attribute_type(v, 'N')"))
    assert [(c.name, c.type) for c in report.columns] == [("id", "string"), ("v", "int64")]


def test_a_bad_line_is_an_error_whether_it_is_kept_or_not(tmp_path: Path) -> None:
    bad = b'{"Item":{"id":{"S":"k"},"kind":{"S":"odd"},"n":{"N":"1x"}}}\n'
    source = export_of(tmp_path / "in", [*LINES[:3], bad]).folder
    for where in ("kind = 'odd'", "kind = 'even'"):
        with pytest.raises(BadLineError) as refused:
            convert(source, tmp_path / "out", ConvertOptions(where=where))
        assert refused.value.where.endswith(f"line 4 (byte {sum(map(len, LINES[:3])) + 3}): $.Item.n.N")


def test_an_attribute_that_no_item_has_is_a_warning(tmp_path: Path) -> None:
    source = export_of(tmp_path / "in", LINES).folder
    report = convert(source, tmp_path / "out", ConvertOptions(where="kindd = 'even' OR n = 3"))
    assert report.warnings == ("no item has an attribute 'kindd' (--where)",)
    assert report.items == 1


def test_nothing_that_satisfies_it_is_an_empty_export(tmp_path: Path) -> None:
    source = export_of(tmp_path / "in", LINES).folder
    report = convert(source, tmp_path / "out", ConvertOptions(where="n > 1000"))
    assert (report.items, report.filtered, report.parts) == (0, 40, ())


def test_an_inspection_counts_what_is_kept(tmp_path: Path) -> None:
    source = export_of(tmp_path / "in", LINES).folder
    seen = inspect(source, ConvertOptions(where=EVEN.where, select=("n",)))
    assert (seen.items, seen.items_seen) == (40, 15)
    assert [column.name for column in seen.columns] == ["n"]


def test_ion_is_filtered_like_json(tmp_path: Path) -> None:
    items = [{"id": f"k{n}", "n": n} for n in range(30)]
    source = write_export(tmp_path / "in", items, facts=ExportFacts(output_format="ION")).folder
    convert(source, tmp_path / "out", ConvertOptions(where="n < 7 OR id = 'k20'"))
    assert column(tmp_path / "out", "n") == [*range(7), 20]


def test_deletes_that_are_left_out_are_a_warning(tmp_path: Path) -> None:
    source = increment(tmp_path / "in", 0, 1, change("a", None, {"n": 1}), change("b", {"n": 2}, None))
    report = convert(source, tmp_path / "one", ConvertOptions(where="n = 1"))
    assert (report.items, report.filtered) == (1, 1)
    assert any("1 delete does not satisfy --where" in warning for warning in report.warnings)
    report = convert(source, tmp_path / "two", ConvertOptions(where="n = 1 OR _op = 'delete'"))
    assert (report.items, report.filtered) == (2, 0)
    assert not report.warnings


def test_a_merge_takes_neither_the_option_nor_what_was_published_with_it(tmp_path: Path) -> None:
    whole = base(tmp_path / "base")
    later = increment(tmp_path / "later", 0, 1, change("i-1", {"n": 1}, {"n": 2}))
    with pytest.raises(UsageError, match="--where"):
        merge(whole, [later], tmp_path / "out", ConvertOptions(where="n = 1"))
    convert(whole, tmp_path / "some", ConvertOptions(where="id = 'i-1'"))
    with pytest.raises(UsageError, match="another --where"):
        merge(tmp_path / "some", [later], tmp_path / "out")


def test_the_command_names_the_column_of_a_mistake(tmp_path: Path) -> None:
    source = export_of(tmp_path / "in", LINES).folder
    done = ddb_convert("convert", str(source), str(tmp_path / "out"), "--where", "kind = 'odd' AND")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --where: column 17: expected an attribute or a value, the text ends here\n")
    assert not (tmp_path / "out").exists()
