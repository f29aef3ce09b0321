"""Lines of Ion in compiled code: what is translated there, what is left to Python, and room for any of it."""

from __future__ import annotations

import pytest

from converter.ion.lines import json_line
from converter.kernels.layout import DONE, GROW, IRREGULAR, NUMBER_ROOM, ROOM
from converter.kernels.value_limits import DEPTH
from tests.ion_translation import kernel_line, run_kernel
from tests.unit.ion.test_lines import BYTES, NAMES, REFUSED, VALUES

FOR_PYTHON = {
    # White space and comments
    *("{{ aG k= }}", "{{ A A = \t = }}", "/*{{A*/{{AAAA}}", "/**/ 1. /***/", '[1., "x", [null], {a: true,},]'),
    *("{'a b': 1., \"c\": {d: {{}}}}", "'$dynamodb_BS' :: [{{aGk=}}, {{}}]"),
    # Spellings that other writers use, and what the decoder refuses
    *("1_000.", "1_0.0_5d0", "0d99999999999", "null.null", "$dynamodb_SS::[]"),
}
LINES = [
    b"\n",
    b" \t\r\n",
    b" $ion_1_0 {Item:{}}\n",
    b"$ion_1_0{Item:{a:1.}}\n",
    b"\t$ion_1_0 \r{Item:{a:{},b:[],c:[{},[]],d:[[1.,{e:2.}],null]}}\n",
    b"$ion_1_0 {Record:{Keys:{id:1.},Metadata:{WriteTimestampMicros:5.}}}\n",
    b"$ion_1_0 {Record:{Keys:{},Metadata:{}}}\n",
    b'$ion_1_0 {Record:{Metadata:{},Keys:{id:"a"},NewImage:{id:"a"}}}\n',
    b'$ion_1_0 {Record:{Keys:{id:"%s"},Metadata:{WriteTimestampMicros:5.},OldImage:{a:1.},NewImage:{}}}\n'
    % (b"k" * 300),
    b"$ion_1_0 {Record:{Keys:{id:1.}}}\n",
]
LEFT = [
    b"$ion_1_0 {}\n",
    b"$ion_1_0 {Item:{}} \n",
    b"$ion_1_0 {Item:{a:1.},b:1.}\n",
    b"$ion_1_0 {Record:{Keys:{},Metadata:{},NewImage:{},OldImage:{}}}\n",
    b"$ion_1_0 {Record:{OldImage:{},Metadata:{}}}\n",
    b"$ion_1_0 {Record:{Keys:{},Who:{}}}\n",
    b"$ion_1_0 {'Item':{}}\n",
]


@pytest.mark.parametrize("value", VALUES)
def test_the_services_spelling_of_a_value_is_read_by_the_kernel(value: str) -> None:
    for line in (
        f"$ion_1_0 {{Item:{{a:{value}}}}}\n".encode(),
        f"$ion_1_0 {{Item:{{a:1.,b:[{value},{{c:{value}}}],d:{value}}}}}\n".encode(),
    ):
        assert kernel_line(line) == (None if value in FOR_PYTHON else json_line(line))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_by_the_kernel_unless_it_is_a_string(name: str) -> None:
    line = f"$ion_1_0 {{Item:{{{name}:1.,m:{{{name}:null}}}}}}\n".encode()
    assert kernel_line(line) == (None if name[0] == '"' else json_line(line))


@pytest.mark.parametrize("size", [1, 31, 62, 63, 64, 65, 127, 128, 1000])
@pytest.mark.parametrize("text", ["x", "é", "漢", "\\n", "'", "\t", "\\'", '\\"', "\\ud83d\\ude00"])
def test_texts_and_names_of_any_size_are_read_by_the_kernel(text: str, size: int) -> None:
    body = "y" * (size - 1) + text
    names = (body, f"'{body}'") if text == "x" else (f"'{body}'" if text != "'" else "a",)
    for name in names:
        line = f"$ion_1_0 {{Item:{{{name}:\"{body}{text}\",b:'''{body} '{text}.''',c:$dynamodb_SS::[\"{body}\"]}}}}\n"
        assert kernel_line(line.encode()) == json_line(line.encode())


@pytest.mark.parametrize("line", LINES)
def test_a_line_as_the_service_writes_it_is_read_by_the_kernel(line: bytes) -> None:
    assert kernel_line(line) == json_line(line)


@pytest.mark.parametrize("line", LEFT)
def test_a_correct_line_in_another_form_is_left_to_python(line: bytes) -> None:
    assert json_line(line)
    assert kernel_line(line) is None


@pytest.mark.parametrize("line", [*(f"$ion_1_0 {text}".encode() for text in REFUSED), *BYTES])
def test_a_line_that_python_refuses_is_left_to_it(line: bytes) -> None:
    assert kernel_line(line + b"\n") is None


@pytest.mark.parametrize(
    "number",
    [
        *(f"{sign}{digits}" for sign in ("", "-") for digits in ("1.", "0.", "10.10", "0.001", "100.", "0d0", "00d1")),
        *("1d125", "1d126", "9d-130", "9d-131", "9.9d-130", "1.5d1", "1.50d1", "150d-1", "0.015d3", "0.0150d-3"),
        *("1d+2", "1D-2", "1d0002", "1d00002", "12345.6789d-3", "12345.6789d3", "12345.6789d-9", "1.d2", "1.d", "1d-"),
        *(f"{'9' * count}." for count in (37, 38, 39, 59, 60, 61, 70)),
        *(f"0.{'9' * count}" for count in (37, 38, 39, 58, 59, 60, 70)),
        *(f"{'9' * count}d1" for count in (37, 38, 39, 60, 61)),
        *(f"{'9' * 20}.{'9' * count}d-10" for count in (17, 18, 19, 40, 41)),
        *(f"{'1' * 38}d{exponent}" for exponent in (-168, -167, -38, -37, 87, 88)),
        *(f"0.{'0' * zeros}1" for zeros in (57, 58, 59)),
        f"{'0' * 50}1.",
    ],
)
def test_decimals_have_the_digits_that_python_gives_them(number: str) -> None:
    line = f"$ion_1_0 {{Item:{{a:{number},b:[{number}]}}}}\n".encode()
    try:
        expected = json_line(line)
    except Exception:  # noqa: BLE001 - whatever it is, the kernel must not accept the line
        expected = b""
    found = kernel_line(line)
    assert found in (None, expected)
    # Numbers of up to 38 digits in DynamoDB's range.
    if expected and b"E" not in expected and len(number) < 60 and not number.endswith("d00002"):
        assert found is not None


def test_levels_are_counted_as_the_decoder_counts_them() -> None:
    for depth in (DEPTH, DEPTH + 1):
        line = b"$ion_1_0 {Item:{a:" + b"[" * depth + b"]" * depth + b"}}\n"
        assert (kernel_line(line) is None) == (depth > DEPTH)
        line = b"$ion_1_0 {Item:{a:" + b"{b:" * depth + b"1." + b"}" * depth + b"}}\n"
        assert (kernel_line(line) is None) == (depth > DEPTH)


def test_many_names_are_compared() -> None:
    names = [b"n%d" % number for number in range(3000)]
    line = b"$ion_1_0 {Item:{m:{%s},z:1.}}\n"
    assert kernel_line(line % b",".join(name + b":1." for name in names)) is not None
    assert kernel_line(line % b",".join(name + b":1." for name in [*names, names[7]])) is None


def test_a_line_that_may_have_more_values_than_an_item_is_left_to_python() -> None:
    line = b"$ion_1_0 {Item:{a:1.}}\n"
    assert run_kernel(line, 1000, len(line) - 2)[0] == DONE
    assert run_kernel(line, 1000, len(line) - 3)[0] == IRREGULAR


@pytest.mark.parametrize("line", [line for line in LINES if len(line) > 10])
def test_the_kernel_stops_at_a_line_that_does_not_fit(line: bytes) -> None:
    """At each size of the memory, whole lines are written or none; never a byte more than there is room for."""
    json = json_line(line)
    for room in range(len(json) * 2 + 2 * NUMBER_ROOM):
        status, found = run_kernel(line * 2, room)
        assert status in (DONE, GROW)
        assert found in (b"", json, json * 2)
        assert (status == DONE) == (found == json * 2)
    assert status == DONE
    assert run_kernel(line, ROOM - 1)[0] == GROW


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_cut_anywhere_is_left_to_python(line: bytes) -> None:
    for size in range(len(line.rstrip(b"\n"))):
        cut = line[:size] + b"\n"
        if cut.strip():
            assert kernel_line(cut) is None


def test_a_long_line_is_read_by_the_kernel() -> None:
    line = b'$ion_1_0 {Item:{a:"%s"}}\n' % (b"\\x01" * 200_000)
    assert kernel_line(line) == json_line(line)
