"""An inspection on terminals of several widths, and in a pipe."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len

from converter.cli.render_inspection import render_inspection
from converter.conversion.inspection import AttributeReport, Inspection

LONG = "a rather long attribute name, as people do make them " * 3


def _attribute(name: str, types: dict[str, int], column: str | None, column_type: str | None) -> AttributeReport:
    return AttributeReport(
        attribute=name,
        types=types,
        nulls=types.get("NULL", 0),
        absent=1234,
        integer_digits=12 if "N" in types else 0,
        decimals=2 if "N" in types else 0,
        longest=0 if "N" in types else 56,
        column=column,
        column_type=column_type,
        origin=None,
    )


def _inspection(*more: AttributeReport, approximate: bool = False) -> Inspection:
    return Inspection(
        export_id="01701065507109-cce6a3f8",
        table="Orders",
        table_arn="arn:aws:dynamodb:eu-central-1:123456789012:table/Orders",
        kind="items",
        output_format="DYNAMODB_JSON",
        export_time="2023-11-27T06:11:47.109Z",
        from_time=None,
        to_time=None,
        output_view=None,
        operations={},
        items=1_000_000,
        data_files=34,
        data_bytes=123_456_789,
        approximate=approximate,
        items_seen=4000 if approximate else 1_000_000,
        attributes=(
            _attribute("price", {"N": 998_766}, "price", "decimal128(38, 2)"),
            _attribute("dt", {"S": 998_000, "NULL": 766}, "dt_1", "string"),
            _attribute("nothing", {"NULL": 5}, None, None),
            _attribute("mixed", {"S": 1, "N": 2, "BOOL": 3, "M": 4}, "mixed", "string"),
            _attribute("clear\x1b[2J", {"S": 1}, "clear\x1b[2J", "string"),
            _attribute(LONG, {"S": 1}, LONG, "string"),
            *more,
        ),
        columns=(),
        warnings=(),
    )


def _render(inspection: Inspection, width: int | None) -> list[str]:
    stream = io.StringIO()
    render_inspection(inspection, stream, width=width)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal_and_keeps_every_character(width: int) -> None:
    lines = _render(_inspection(), width)
    assert max(map(cell_len, lines)) <= width
    text = "".join("".join(line.split()) for line in lines)
    assert "…" not in text
    for cell in ("N998,766", "12+2", "dt_1:string", "M4", "nocolumn"):
        assert cell in text
    assert any(line.endswith("decimal128(38, 2)") for line in lines)


@pytest.mark.parametrize("width", range(70, 130, 7))
def test_a_line_never_ends_between_a_type_and_its_count(width: int) -> None:
    attribute = _attribute(
        "value", {"S": 1, "N": 12_345, "B": 1, "BOOL": 100, "M": 7, "L": 2, "SS": 1, "NS": 9}, "v", "string"
    )
    lines = _render(_inspection(attribute), width)
    text = "\n".join(lines)
    for pair in ("S 1", "N 12,345", "B 1", "BOOL 100", "M 7", "L 2", "SS 1", "NS 9"):
        assert pair in text


def test_a_long_column_name_is_wrapped_like_a_long_attribute() -> None:
    lines = _render(_inspection(_attribute("x", {"S": 1}, LONG, "string")), 80)
    assert max(map(cell_len, lines)) <= 80
    assert lines[-1].endswith("string")


def test_in_a_pipe_every_attribute_is_one_line() -> None:
    lines = _render(_inspection(), None)
    [row] = [line for line in lines if line.startswith("price")]
    assert row.split() == ["price", "N", "998,766", "1,234", "12+2", "decimal128(38,", "2)"]
    assert any(LONG.strip() in line for line in lines)
    assert all(line == line.rstrip() for line in lines)
    assert len(lines) == 6 + 1 + 2 + 6


def test_an_attribute_without_a_column_is_told_apart() -> None:
    [row] = [line for line in _render(_inspection(), None) if line.startswith("nothing")]
    assert row.split() == ["nothing", "NULL", "5", "1,234", "56", "no", "column"]


def test_names_cannot_command_the_terminal() -> None:
    text = "\n".join(_render(_inspection(), 120))
    assert "\x1b" not in text
    assert "clear\\x1b[2J" in text


def test_a_sample_is_called_approximate() -> None:
    assert "4,000 of 1,000,000 items: every figure below is approximate" in "\n".join(
        _render(_inspection(approximate=True), 80)
    )
    assert "approximate" not in "\n".join(_render(_inspection(), 80))
