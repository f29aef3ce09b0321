"""Lines of Ion as lines of DynamoDB JSON: each type, each spelling, and what the service never writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from converter.decode.lines import LineProblem
from converter.ion.lines import json_lines

VALUES: dict[str, dict[str, Any]] = {
    '"x"': {"S": "x"},
    '""': {"S": ""},
    '"say \\"hi\\"\\n\\t\\\\ \\/"': {"S": 'say "hi"\n\t\\ /'},
    '"\\0\\a\\b\\v\\f\\r\\x1b\\x7f"': {"S": "\0\a\b\v\f\r\x1b\x7f"},
    '"\\u00e9\\U0001F600\\ud83d\\ude00"': {"S": "é😀😀"},
    '"é漢😀\u2028\u0085"': {"S": "é漢😀\u2028\u0085"},
    '"{a:1, b::2} // /* \'"': {"S": "{a:1, b::2} // /* '"},
    "'''long''' '''er'''": {"S": "longer"},
    "'''a \"b\" : c'''": {"S": 'a "b" : c'},
    "103.": {"N": "103"},
    "6d2": {"N": "600"},
    "616d2": {"N": "61600"},
    "6D2": {"N": "600"},
    "6.16d2": {"N": "616"},
    "-12.50": {"N": "-12.5"},
    "0.00": {"N": "0"},
    "-0.": {"N": "0"},
    "0d5": {"N": "0"},
    "5d-3": {"N": "0.005"},
    "1_000.": {"N": "1000"},
    "1d125": {"N": "1" + "0" * 125},
    "-1d-130": {"N": "-0." + "0" * 129 + "1"},
    "12345678901234567890123456789012345678.": {"N": "12345678901234567890123456789012345678"},
    "0.12345678901234567890123456789012345678": {"N": "0.12345678901234567890123456789012345678"},
    "{{aGk=}}": {"B": "aGk="},
    "{{ aG k= }}": {"B": "aGk="},
    "{{}}": {"B": ""},
    "{{//8=}}": {"B": "//8="},
    "true": {"BOOL": True},
    "false": {"BOOL": False},
    "null": {"NULL": True},
    "null.null": {"NULL": True},
    "[]": {"L": []},
    '[1., "x", [null], {a: true,},]': {
        "L": [{"N": "1"}, {"S": "x"}, {"L": [{"NULL": True}]}, {"M": {"a": {"BOOL": True}}}]
    },
    "{}": {"M": {}},
    "{'a b': 1., \"c\": {d: {{}}}}": {"M": {"a b": {"N": "1"}, "c": {"M": {"d": {"B": ""}}}}},
    '$dynamodb_SS::["b","a"]': {"SS": ["b", "a"]},
    "$dynamodb_NS::[6d2,1.50]": {"NS": ["600", "1.5"]},
    "'$dynamodb_BS' :: [{{aGk=}}, {{}}]": {"BS": ["aGk=", ""]},
    "$dynamodb_SS::[]": {"SS": []},
}
NAMES = {
    "a": "a",
    "_b$1": "_b$1",
    "'a b'": "a b",
    '"quoted"': "quoted",
    "'null'": "null",
    "'$4'": "$4",
    "'it\\'s'": "it's",
    "'say \"hi\":'": 'say "hi":',
    "''": "",
    "'é😀'": "é😀",
    "'\\n'": "\n",
}
REFUSED: dict[str, tuple[str, str]] = {
    "{Item:{a:5}}": ("$.Item.a", "an int, which exports never have"),
    "{Item:{a:5e0}}": ("$.Item.a", "a float, "),
    "{Item:{a:nan}}": ("$.Item.a", "a float, "),
    "{Item:{a:2007-01-01T}}": ("$.Item.a", "a timestamp, "),
    "{Item:{a:sym}}": ("$.Item.a", "a symbol, "),
    "{Item:{a:(x y)}}": ("$.Item.a", "a sexp, "),
    '{Item:{a:{{"clob"}}}}': ("$.Item.a", "a clob, "),
    "{Item:{a:null.string}}": ("$.Item.a", "a null.string, "),
    "{Item:{a:null.list}}": ("$.Item.a", "a null.list, "),
    "{Item:{a:$dynamodb_SS::null.list}}": ("$.Item.a", "a null.list with the annotation '$dynamodb_SS', "),
    '{Item:{a:other::"x"}}': ("$.Item.a", "a string with the annotation 'other', "),
    "{Item:{a:other::[]}}": ("$.Item.a", "a list with the annotation 'other', "),
    "{Item:{a:$dynamodb_SS::$dynamodb_NS::[]}}": ("$.Item.a", "a list with the annotation '$dynamodb_SS', "),
    '{Item:{a:$dynamodb_SS::("x")}}': ("$.Item.a", "a sexp with the annotation"),
    '{Item:{a:$dynamodb_SS::"x"}}': ("$.Item.a", "a string with the annotation"),
    "{Item:{a:$dynamodb_SS::{}}}": ("$.Item.a", "a struct with the annotation"),
    '{Item:{a:$dynamodb_SS::["x",1.]}}': ("$.Item.a[1]", "expected a string in a set SS, got a decimal"),
    "{Item:{a:$dynamodb_NS::[5]}}": ("$.Item.a[0]", "expected a decimal in a set NS, got an int"),
    '{Item:{a:$dynamodb_BS::["aGk="]}}': ("$.Item.a[0]", "expected a blob in a set BS, got a string"),
    "{Item:{a:[{'b c':[1.,5]}]}}": ('$.Item.a[0]["b c"][1]', "an int, "),
    "{Item:{a:1.,b:2.,a:3.}}": ("$.Item", "the name 'a' occurs twice"),
    "{Item:{m:[{a:1.,'a':2.}]}}": ("$.Item.m[0]", "the name 'a' occurs twice"),
    "{Item:{a:'''x''',a:1.}}": ("$.Item", "the name 'a' occurs twice"),
    "{Item:{},Item:{}}": ("$", "the name 'Item' occurs twice"),
    "{Item:{$0:1.}}": ("$", "the symbol $0"),
    '{Item:{a:"$10",b:$41701065507.109}}': ("$", "the symbol $41701065507"),
    '{Item:{a:{{ "}}" }},b:$41701065507,c:"x"}}': ("$", "the symbol $41701065507"),
    '/* " */ $41701065507 /* " */ {Item:{}}': ("$", "the symbol $41701065507"),
    "{Item:{a:''' a ' b ''',b:$41701065507,c:''' c ' '''}}": ("$", "the symbol $41701065507"),
    "{Item:[]}": ("$.Item", "expected a struct, got a list"),
    "{Item:x::{}}": ("$.Item", "expected a struct, got a struct with the annotation 'x'"),
    "{Item:{},b:1.}": ("$", "expected the member Item or Record alone, got 'Item', 'b'"),
    "{item:{}}": ("$", "expected the member Item or Record alone, got 'item'"),
    "[]": ("$", "expected a struct with the member Item or Record, got a list"),
    "x::{Item:{}}": ("$", "got a struct with the annotation 'x'"),
    "null": ("$", "got null"),
    "{Record:[]}": ("$.Record", "expected a struct, got a list"),
    "{Record:{Keys:{},Old:{}}}": ("$.Record", "there is a member 'Old'; expected are Metadata, Keys"),
    "{Record:{Keys:{a:5}}}": ("$.Record.Keys.a", "an int, "),
    "{Item:{}} {Item:{}}": ("$", "expected one value in the line, got 2"),
    "{Item:{}} x": ("$", "expected one value in the line, got 2"),
    "": ("$", "expected one value in the line, got none"),
    "x::": ("$", "expected one value in the line, got none"),
    "// {Item:{}}": ("$", "expected one value in the line, got none"),
    "{Item:{}}}": ("$", "not Ion text (IERR_INVALID_SYNTAX)"),
    "{Item:{a:1.": ("$", "not Ion text: the line ends inside a value"),
    '{Item:{a:"x': ("$", "not Ion text: the line ends inside a value"),
    "{Item:{a:[1.,": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{a:007.}}": ("$", "not Ion text"),
    "{Item:{a:1d99999999999}}": ("$", "not Ion text (IERR_NUMERIC_OVERFLOW)"),
    "{Item:{null:1.}}": ("$", "not Ion text"),
    '{Item:{a:"\\ud800"}}': ("$", "not Ion text (IERR_INVALID_UTF8)"),
    '{Item:{a:"\x01"}}': ("$", "not Ion text"),
    "{Item:{a:{{aG}}}}": ("$", "not Ion text (IERR_BAD_BASE64_BLOB)"),
    "{Item:" + "{a:" * 5000: ("$", "not Ion text"),
    "{Item:{l:" + "[" * 5000 + "]" * 5000 + "}}": ("$", "not Ion text"),
}
BYTES: dict[bytes, str] = {
    b'$ion_1_0 {Item:{a:"\xff"}}': "invalid UTF-8 at byte 19",
    b"$ion_1_0 {Item:{'a\xff':1.}}": "invalid UTF-8 at byte 18",
    b'$ion_1_0 {Item:{a:"\xed\xa0\x80"}}': "invalid UTF-8",
    b"$ion_1_0 {Item:{}}\0{Item:{}}": "byte 18 of the line is NUL",
    b"$ion_1_1 {Item:{}}": "the line does not begin with $ion_1_0",
    b"{Item:{}}": "the line does not begin with $ion_1_0",
    b'{"Item":{"a":{"N":"1"}}}': "the line does not begin with $ion_1_0",
    b"$ion_1_0::{Item:{}}": "the line does not begin with $ion_1_0",
    b"$ion_1_0 $ion_1_1 {Item:{}}": "not Ion text (IERR_INVALID_ION_VERSION)",
    b"\xe0\x01\x00\xea\xd2\x84\x21": "binary Ion, and exports are Ion text",
}


def translated(line: str) -> Any:
    """One line, as Python has it; it comes out the same among others."""
    for text in (line, f" {line}", f"{line} ", f"{line}\r"):
        json_bytes, problem = json_lines(f"{text}\n".encode())
        assert problem is None, problem
        assert json_bytes.endswith(b"}\n")
    beside = b" $ion_1_0 {Item:{a:1.}}\n"
    together, problem = json_lines(beside + f"{line}\n".encode() + beside)
    assert problem is None
    assert together.split(b"\n")[1] == json_bytes.rstrip(b"\n")
    return json.loads(json_bytes)


def refusal(line: bytes) -> LineProblem:
    """Of one line, which stands behind a good one and before another."""
    good = b" $ion_1_0 {Item:{a:1.}}\n"
    json_bytes, problem = json_lines(good + line + b"\n" + good)
    assert json_bytes == b'{"Item":{"a":{"N":"1"}}}\n'
    assert problem is not None
    return problem


@pytest.mark.parametrize("value", VALUES)
def test_a_value_has_the_type_that_its_spelling_in_ion_stands_for(value: str) -> None:
    assert translated(f"$ion_1_0 {{Item:{{a:{value}}}}}") == {"Item": {"a": VALUES[value]}}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_text_of_its_symbol(name: str) -> None:
    assert translated(f"$ion_1_0 {{Item:{{{name}:1.,b:2.}}}}") == {"Item": {NAMES[name]: {"N": "1"}, "b": {"N": "2"}}}


def test_the_sample_of_the_developer_guide_is_read() -> None:
    line = (
        '$ion_1_0 {Item:{Authors:$dynamodb_SS::["Author1","Author2"],Dimensions:"8.5 x 11.0 x 1.5",'
        'ISBN:"333-3333333333",Id:103.,InPublication:false,PageCount:6d2,Price:2d3,ProductCategory:"Book",'
        'Title:"Book 103 Title"}}'
    )
    assert translated(line) == {
        "Item": {
            "Authors": {"SS": ["Author1", "Author2"]},
            "Dimensions": {"S": "8.5 x 11.0 x 1.5"},
            "ISBN": {"S": "333-3333333333"},
            "Id": {"N": "103"},
            "InPublication": {"BOOL": False},
            "PageCount": {"N": "600"},
            "Price": {"N": "2000"},
            "ProductCategory": {"S": "Book"},
            "Title": {"S": "Book 103 Title"},
        }
    }


def test_a_change_has_the_members_of_the_services_json_in_its_order() -> None:
    line = (
        b'$ion_1_0 {Record:{Keys:{id:"a"},Metadata:{WriteTimestampMicros:1684374845117899.},OldImage:{n:6d2},'
        b'NewImage:{id:"a",n:7.}}}\n'
    )
    assert json_lines(line) == (
        b'{"Metadata":{"WriteTimestampMicros":{"N":"1684374845117899"}},"Keys":{"id":{"S":"a"}},'
        b'"OldImage":{"n":{"N":"600"}},"NewImage":{"id":{"S":"a"},"n":{"N":"7"}}}\n',
        None,
    )
    assert json_lines(b"$ion_1_0 {Record:{Keys:{},Metadata:{}}}\n")[0] == b'{"Metadata":{},"Keys":{}}\n'


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_service_never_writes_is_refused_with_its_path(text: str) -> None:
    path, reason = REFUSED[text]
    problem = refusal(f"$ion_1_0 {text}".encode())
    assert problem.path == path
    assert reason in problem.reason
    assert len(problem.reason) < 200


@pytest.mark.parametrize("line", BYTES)
def test_bytes_that_are_no_ion_text_are_refused(line: bytes) -> None:
    assert BYTES[line] in refusal(line).reason


def test_each_line_stays_a_line_where_nothing_is_in_it() -> None:
    lines = b"\n \t\r\n$ion_1_0 {}\n$ion_1_0 {Item:{}}\n"
    assert json_lines(lines) == (b'\n\n{}\n{"Item":{}}\n', None)
    assert json_lines(b"") == (b"", None)


SPANNING = [
    # As many values as lines, and yet not one a line.
    b"$ion_1_0 {Item:{a:1.}} {Item:{b:2.}}\n$ion_1_0\n",
    b"$ion_1_0 {Item:{a:1.}} /*\n$ion_1_0 {Item:{a:2.}} */\n",
    b"$ion_1_0 {Item:{a:1.}} /*\n$ion_1_0 {Item:{a:2.}} */ {Item:{b:1.}}\n",
    b"$ion_1_0 {Item:{a:'''\n$ion_1_0 {Item:{a:2.}} '''}} {Item:{b:1.}}\n",
    b"$ion_1_0 {Item:{a:1.,\n b:2.}}\n",
    b"$ion_1_0 x::\n$ion_1_0 {Item:{a:1.}}\n",
]


@pytest.mark.parametrize("lines", SPANNING)
def test_a_value_that_goes_on_in_the_next_line_is_refused_in_its_first(lines: bytes) -> None:
    json_bytes, problem = json_lines(b"$ion_1_0 {Item:{}}\n" + lines)
    assert problem is not None
    assert json_bytes == b'{"Item":{}}\n'


def test_a_comment_cannot_hide_that_a_name_occurs_twice() -> None:
    problem = refusal(b'$ion_1_0 {Item:{b:/* " */1.,a:1.,a:2. /* " */}}')
    assert problem.reason == "the name 'a' occurs twice in one struct"


def test_a_text_may_be_as_long_as_an_item() -> None:
    text = "x" * 400_000
    assert translated(f'$ion_1_0 {{Item:{{a:"{text}"}}}}') == {"Item": {"a": {"S": text}}}


def test_a_number_far_outside_of_the_range_is_left_to_the_decoder_and_not_written_out() -> None:
    json_bytes, problem = json_lines(b"$ion_1_0 {Item:{a:1d100000,b:-1.5d-100000}}\n")
    assert (json_bytes, problem) == (b'{"Item":{"a":{"N":"1E+100000"},"b":{"N":"-1.5E-100000"}}}\n', None)
