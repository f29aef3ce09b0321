"""A line may be spelled in many ways, and blocks may be cut anywhere: the rows are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.options import ConvertOptions
from converter.schema.derive import derive_schema
from tests import oracle, strategies
from tests.examples import examples
from tests.unit.decode.decoding import lines_of, observe, write_part

ITEM_LISTS = st.booleans().flatmap(lambda mixed: strategies.item_lists(mixed=mixed, max_items=5))


@settings(max_examples=examples(100))
@given(st.data(), ITEM_LISTS, st.sampled_from(["text", "json"]), st.sampled_from(["parquet", "csv"]), st.booleans())
def test_every_legal_spelling_gives_the_rows_of_the_compact_one(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    items: list[strategies.Item],
    mixed: str,
    format: str,
    everywhere: bool,
) -> None:
    spelled = b"".join(data.draw(strategies.lines(item, everywhere=everywhere)) + b"\n" for item in items)
    table = oracle.expected_table_of(items, mixed=mixed)
    if not table.columns or (len(table.columns) == 1 and format == "csv"):
        return
    options = ConvertOptions(format=format, mixed=mixed)  # type: ignore[arg-type]
    schema = derive_schema(observe(spelled), options)
    assert schema == derive_schema(observe(lines_of(*items)), options)
    part = tmp_path_factory.getbasetemp() / "part"
    assert not write_part(spelled, part, schema, options).observing
    oracle.assert_equal_to_table(table, [part], format)


@settings(max_examples=examples(60))
@given(ITEM_LISTS, st.lists(st.integers(1, 400), min_size=2, max_size=4))
def test_where_blocks_are_cut_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, items: list[strategies.Item], sizes: list[int]
) -> None:
    lines = lines_of(*items)
    options = ConvertOptions(format="csv")
    whole = observe(lines) if lines else None
    if whole is None or len(derive_schema(whole, options).columns) < 2:
        return
    schema = derive_schema(whole, options)
    part = tmp_path_factory.getbasetemp() / "part"
    written = set()
    for size in (*sizes, 1 << 20):
        assert observe(lines, size) == whole
        write_part(lines, part, schema, options, size)
        written.add(part.read_bytes())
    assert len(written) == 1


@settings(max_examples=examples(60))
@given(ITEM_LISTS, st.integers(0, 5))
def test_blank_lines_and_empty_objects_are_no_rows(items: list[strategies.Item], place: int) -> None:
    compact = [lines_of(item) for item in items]
    between = [b"\n", b" \t\r\n", b"{}\n", b" { } \r\n", b"\r\n"][place % 5]
    compact[min(place, len(compact)) : 0] = [between]
    expected = observe(lines_of(*items)) if items else None
    found = observe(between + b"".join(compact) + between)
    assert expected is None or found == expected
    assert found.items == len(items)


@given(strategies.deep_values(), st.data())
def test_documents_of_every_legal_depth_are_read_in_every_spelling(value: dict[str, Any], data: st.DataObject) -> None:
    item = {"deep": value}
    spelled = data.draw(strategies.lines(item)) + b"\n"
    assert observe(spelled).attributes["deep"].counts == observe(lines_of(item)).attributes["deep"].counts


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_the_same_lines_give_the_same_bytes_twice(format: str, tmp_path: Path) -> None:
    lines = lines_of(*[{"pk": {"S": f"k{n}"}, "n": {"N": f"{n}.5"}, "b": {"BOOL": n % 2 == 0}} for n in range(1000)])
    options = ConvertOptions(format=format)  # type: ignore[arg-type]
    schema = derive_schema(observe(lines), options)
    for name in ("one", "two"):
        write_part(lines, tmp_path / name, schema, options, 777)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
