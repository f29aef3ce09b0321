"""Whatever the items and the options, what is written is what the oracle works out from the rules alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import converter
from converter.errors import ConvertError, SchemaError, UsageError
from converter.options import ConvertOptions
from converter.schema.derive import derive_schema
from converter.testing import write_export
from tests import oracle, strategies
from tests.examples import examples
from tests.unit.decode.decoding import lines_of, observe, write_part

ITEM_LISTS = st.booleans().flatmap(lambda mixed: strategies.item_lists(mixed=mixed))


@st.composite
def option_sets(draw: st.DrawFn, items: list[strategies.Item]) -> dict[str, Any]:
    """Options that decide what a table holds; they name attributes that occur."""
    names = sorted({name for item in items for name in item})
    some = st.lists(st.sampled_from(names), max_size=2, unique=True) if names else st.just([])
    options: dict[str, Any] = {
        "numbers": draw(st.sampled_from(["exact", "exact", "exact", "double", "text"])),
        "mixed": draw(st.sampled_from(["text", "json", "text", "json", "fail"])),
        "key": tuple(draw(some)),
    }
    match draw(st.integers(0, 3)):
        case 0:
            selected = tuple(draw(some))
            # Keys must have a column; no names at all select everything.
            options["select"] = tuple(dict.fromkeys((*selected, *options["key"]))) if selected else ()
        case 1:
            options["exclude"] = tuple(name for name in draw(some) if name not in options["key"])
    if draw(st.integers(0, 2)) == 0:
        options["overflow"] = draw(st.sampled_from(["_more", "rest"]))
        # With fewer columns than keys nothing may be left for the overflow column.
        options["max_columns"] = len(options["key"]) + draw(st.integers(1, 4))
    return options


def expected(items: list[strategies.Item], options: dict[str, Any]) -> oracle.ExpectedTable | type[Exception]:
    try:
        return oracle.expected_table_of(items, **options)
    except (oracle.MixedTypesError, oracle.TooManyColumnsError) as error:
        return type(error)


@settings(max_examples=examples(120))
@given(st.data(), ITEM_LISTS, st.sampled_from(["parquet", "csv"]), st.sampled_from([1, 100, 1 << 20]))
def test_items_are_decoded_to_what_the_oracle_expects(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    items: list[strategies.Item],
    format: str,
    block_bytes: int,
) -> None:
    options = data.draw(option_sets(items))
    table = expected(items, options)
    chosen = ConvertOptions(format=format, **options)  # type: ignore[arg-type]
    lines = lines_of(*items)
    observation = observe(lines, block_bytes) if lines else None
    if not isinstance(table, oracle.ExpectedTable):
        assert observation is not None
        with pytest.raises(SchemaError):
            derive_schema(observation, chosen)
        return
    if observation is None:
        return
    schema = derive_schema(observation, chosen)
    assert [(c.name, c.attribute, str(c.type), c.origin.value) for c in schema.columns] == [
        tuple(c) for c in table.columns
    ]
    if not schema.columns:
        return
    part = tmp_path_factory.getbasetemp() / "part"
    try:
        decoder = write_part(lines, part, schema, chosen, block_bytes)
    except UsageError:
        assert format == "csv"
        assert len(table.columns) == 1
        assert (None,) in table.texts
        return
    assert not decoder.observing, decoder.surprise
    oracle.assert_equal_to_table(table, [part], format)


@settings(max_examples=examples(40))
@given(st.data(), ITEM_LISTS, st.sampled_from(["parquet", "csv"]))
def test_an_export_is_converted_to_what_the_oracle_expects(
    data: st.DataObject, items: list[strategies.Item], format: str
) -> None:
    options = data.draw(option_sets(items))
    with tempfile.TemporaryDirectory() as folder:
        export = write_export(Path(folder, "bucket"), items, files=data.draw(st.integers(1, 4)), empty_files=1)
        table = expected(list(oracle.read_items(export.folder)), options)
        chosen = ConvertOptions(format=format, workers=2, **options)  # type: ignore[arg-type]
        destination = Path(folder, "out")
        try:
            report = converter.convert(str(export.folder), str(destination), chosen)
        except ConvertError:
            if isinstance(table, oracle.ExpectedTable) and table.columns:
                assert format == "csv"
                assert len(table.columns) == 1
                assert (None,) in table.texts
            assert not list(destination.glob("dt=*"))
            return
        assert isinstance(table, oracle.ExpectedTable)
        if table.columns:
            parts = [destination / part.path for part in report.parts]
            oracle.assert_equal_to_table(table, parts, format)
        assert report.items == len(items)


def test_an_attribute_that_turns_out_to_be_frequent_leaves_the_overflow_column_with_its_exact_type(
    tmp_path: Path,
) -> None:
    # The first block ends among the padded items: by it, `b` is the rarest.
    padded: list[strategies.Item] = [{"a": {"N": str(n)}, "pad": {"S": "x" * 60_000}} for n in range(30)]
    frequent: list[strategies.Item] = [{"b": {"N": f"{n}.25"}} for n in range(100)]
    export = write_export(tmp_path / "bucket", [{"b": {"N": "1"}}, *padded, *frequent])
    options = ConvertOptions(max_columns=2, overflow="_more")
    report = converter.convert(str(export.folder), str(tmp_path / "out"), options)
    parts = [tmp_path / "out" / part.path for part in report.parts]
    oracle.assert_equal_to_oracle(export.folder, parts, "parquet", max_columns=2, overflow="_more")
