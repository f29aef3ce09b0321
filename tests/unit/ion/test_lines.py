"""Lines of Ion as lines of DynamoDB JSON: each type, each spelling, and what the service never writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from converter.decode.strict_lines import LineProblem
from converter.ion.lines import json_line
from tests.ion_translation import json_lines, kernel_line

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
    "1_0.0_5d0": {"N": "10.05"},
    "-0.0": {"N": "0"},
    "-0d9": {"N": "0"},
    "0d99999999999": {"N": "0"},
    "0.10": {"N": "0.1"},
    "-0.5": {"N": "-0.5"},
    "120d+1": {"N": "1200"},
    "1.50d-01": {"N": "0.15"},
    "1d125": {"N": "1" + "0" * 125},
    "-1d-130": {"N": "-0." + "0" * 129 + "1"},
    "12345678901234567890123456789012345678.": {"N": "12345678901234567890123456789012345678"},
    "0.12345678901234567890123456789012345678": {"N": "0.12345678901234567890123456789012345678"},
    "{{aGk=}}": {"B": "aGk="},
    "{{ aG k= }}": {"B": "aGk="},
    "{{}}": {"B": ""},
    "{{//8=}}": {"B": "//8="},
    "{{ A A = \t = }}": {"B": "AA=="},
    "/*{{A*/{{AAAA}}": {"B": "AAAA"},
    "/**/ 1. /***/": {"N": "1"},
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
    "{Item:{$0:1.}}": ("$", "the symbol id $0"),
    '{Item:{a:"$10",b:$41701065507.109}}': ("$", "the symbol id $41701065507"),
    '{Item:{a:{{ "}}" }},b:$41701065507,c:"x"}}': ("$.Item.a", "a clob, "),
    '{Item:{a:"{{",b:$41701065507,c:"}}"}}': ("$", "the symbol id $41701065507"),
    '/* " */ $41701065507 /* " */ {Item:{}}': ("$", "the symbol id $41701065507"),
    "{Item:{a:''' a ' b ''',b:$41701065507,c:''' c ' '''}}": ("$", "the symbol id $41701065507"),
    "{Item:[]}": ("$.Item", "expected a struct, got a list"),
    "{Item:x::{}}": ("$.Item", "expected a struct, got a struct with the annotation 'x'"),
    "{item:{}}": ("$", "expected the member Item or Record, got 'item'"),
    "{Item:{},b:5}": ("$.b", "an int, "),
    "{Item:{},b:1.,b:2.}": ("$", "the name 'b' occurs twice"),
    "[]": ("$", "expected a struct with the member Item or Record, got a list"),
    "x::{Item:{}}": ("$", "got a struct with the annotation 'x'"),
    "null //": ("$", "got null"),
    "{Record:[]}": ("$.Record", "expected a struct, got a list"),
    "{Record:{Old:{}}}": ("$.Record", "a change without members; expected are Metadata, Keys"),
    "{Record:{Keys:{},Who:x}}": ("$.Record.Who", "a symbol, "),
    "{Record:{Keys:{a:5}}}": ("$.Record.Keys.a", "an int, "),
    "{Item:{}} {Item:{}}": ("$", "expected one value in the line, got more at character 19"),
    "{Item:{}} x": ("$", "expected one value in the line, got more at character 19"),
    "": ("$", "expected one value in the line, got none"),
    "x::": ("$", "not Ion text: the line ends inside a value (at character 12 of the line)"),
    "// {Item:{}}": ("$", "expected one value in the line, got none"),
    "{Item:{}}}": ("$", "expected one value in the line, got more at character 18"),
    "{Item:{a:1.": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{a:1": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{a:1.5d": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{a:{{AA": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{a:tr": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{a:nul": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{ab": ("$", "not Ion text: the line ends inside a value"),
    "{It": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{}": ("$", "not Ion text: the line ends inside a value"),
    '{Item:{a:"x': ("$", "not Ion text: a text does not end"),
    "{Item:{a:'''x''": ("$", "not Ion text: a text does not end"),
    "{Item:{a:/*1.}}": ("$", "not Ion text: a comment does not end"),
    "{Item:{a:[1.,": ("$", "not Ion text: the line ends inside a value"),
    "{Item:{a:007.}}": ("$", "not Ion text"),
    "{Item:{null:1.}}": ("$", "not Ion text"),
    '{Item:{a:"\\ud800"}}': ("$", "not Ion text: an escape that Ion does not have (at character 19 of the line)"),
    '{Item:{a:"\x01"}}': ("$", "a control character in a text (at character 19 of the line)"),
    "{Item:{a:[$dynamodb_NS::]}}": ("$", "an annotation without a value"),
    "{Item:{a:$dynamodb_NS::,b:1.}}": ("$", "an annotation without a value"),
    "{Item:{a:x::}}": ("$", "an annotation without a value"),
    "{Item:{a:$dynamodb_SS::[,]}}": ("$", "not Ion text"),
    '{Item:{a:$dynamodb_SS::[b::"x"]}}': ("$.Item.a[0]", "got a string with the annotation 'b'"),
    "{Item:{a:[1.,,2.]}}": ("$", "not Ion text"),
    "{Item:{a:[,1.]}}": ("$", "not Ion text"),
    "{Item:{a:[1. 2.]}}": ("$", "not Ion text"),
    "{Item:{a:1.,,}}": ("$", "not Ion text"),
    "{Item:{,}}": ("$", "not Ion text"),
    "{Item:{a:1. b:2.}}": ("$", "not Ion text"),
    "{Item:{a:}}": ("$", "not Ion text"),
    "{Item:{a}}": ("$", "not Ion text"),
    "{Item:{1:1.}}": ("$", "not Ion text"),
    "{Item:{a: :1.}}": ("$", "not Ion text"),
    "{Item:{a:+1.}}": ("$", "not Ion text"),
    "{Item:{a:.5}}": ("$", "not Ion text"),
    "{Item:{a:--1.}}": ("$", "not Ion text"),
    "{Item:{a:1_.}}": ("$", "not Ion text"),
    "{Item:{a:1__0.}}": ("$", "not Ion text"),
    "{Item:{a:1._0}}": ("$", "not Ion text"),
    "{Item:{a:1.0_}}": ("$", "not Ion text"),
    "{Item:{a:1d1_0}}": ("$", "not Ion text"),
    "{Item:{a:1d}}": ("$", "not Ion text"),
    "{Item:{a:01.}}": ("$", "not Ion text"),
    "{Item:{a:-01.}}": ("$", "not Ion text"),
    "{Item:{a:1./**/}}": ("$", "not Ion text"),
    "{Item:{a:1.b}}": ("$", "not Ion text"),
    "{Item:{a:１.}}": ("$", "not Ion text"),
    "{Item:{a:0x1}}": ("$.Item.a", "an int, "),
    "{Item:{a:-0b1}}": ("$.Item.a", "an int, "),
    "{Item:{a:-inf}}": ("$.Item.a", "a float, "),
    "{Item:{a:2007T}}": ("$.Item.a", "a timestamp, "),
    "{Item:{a:'x'}}": ("$.Item.a", "a symbol, "),
    "{Item:{a:true1}}": ("$.Item.a", "a symbol, "),
    "{Item:{a:null.x}}": ("$", "not Ion text"),
    "{Item:{a:null.null.null}}": ("$", "not Ion text"),
    "{Item:{a:null::1.}}": ("$", "not Ion text"),
    "{Item:{a:$4::1.}}": ("$", "the symbol id $4"),
    '{Item:{a:"\\q"}}': ("$", "an escape that Ion does not have"),
    '{Item:{a:"\\x4"}}': ("$", "an escape that Ion does not have"),
    '{Item:{a:"\\u00e"}}': ("$", "an escape that Ion does not have"),
    '{Item:{a:"\\udc00\\ud800"}}': ("$", "an escape that Ion does not have"),
    '{Item:{a:"\\ud800\\U0000dc00"}}': ("$", "an escape that Ion does not have"),
    '{Item:{a:"\\U0000d800"}}': ("$", "an escape that Ion does not have"),
    '{Item:{a:"\\U00110000"}}': ("$", "an escape that Ion does not have"),
    '{Item:{a:"x\r"}}': ("$", "a control character in a text"),
    '{Item:{a:"\\\r"}}': ("$", "an escape that Ion does not have"),
    "{Item:{'a\x1f':1.}}": ("$", "a control character in a text"),
    "{Item:{a:1.}}\ufeff": ("$", "got more at character"),
    "{Item:{a:\ufeff1.}}": ("$", "not Ion text (at character 18 of the line)"),
    "{Item:{a:1.\ufeff}}": ("$", "not Ion text"),
    "{Item:{a:\u00a01.}}": ("$", "not Ion text"),
    "{Item:{a:true\f}}": ("$", "not Ion text"),
    "{Item:{a:\v1.}}": ("$", "not Ion text"),
    "{Item:{a:{ {aGk=}}}}": ("$", "not Ion text"),
    "{Item:{a:{{aGk=} }}}": ("$", "not Ion text"),
    "{Item:{a:{{aGk=/**/}}}}": ("$.Item.a", "not base64"),
    "$ion_symbol_table::{} {Item:{}}": ("$", "got a struct with the annotation '$ion_symbol_table'"),
    "$ion_1_0 {Item:{}}": ("$", "got a symbol"),
    "{Record:{}}": ("$.Record", "a change without members"),
}
BYTES: dict[bytes, str] = {
    b'$ion_1_0 {Item:{a:"\xff"}}': "invalid UTF-8 at byte 19",
    b"$ion_1_0 {Item:{'a\xff':1.}}": "invalid UTF-8 at byte 18",
    b'$ion_1_0 {Item:{a:"\xed\xa0\x80"}}': "invalid UTF-8",
    b"$ion_1_0 {Item:{}}\0{Item:{}}": "got more at character 18",
    b"$ion_1_1 {Item:{}}": "the line does not begin with $ion_1_0",
    b"{Item:{}}": "the line does not begin with $ion_1_0",
    b'{"Item":{"a":{"N":"1"}}}': "the line does not begin with $ion_1_0",
    b"\xef\xbb\xbf$ion_1_0 {Item:{}}": "the line does not begin with $ion_1_0",
    b"\v$ion_1_0 {Item:{}}": "the line does not begin with $ion_1_0",
    b"\f": "the line does not begin with $ion_1_0",
    b"$ion_1_0::{Item:{}}": "the line does not begin with $ion_1_0",
    b"$ion_1_0 $ion_1_1 {Item:{}}": "got a symbol",
    b"\xe0\x01\x00\xea\xd2\x84\x21": "binary Ion, but exports are Ion text",
}


# What is not known goes on to the decoder, which decides.
UNKNOWN: dict[str, str] = {
    "{Item:{},b:1.}": '{"Item":{},"b":{"N":"1"}}',
    "{b:[1.,null],Item:{}}": '{"Item":{},"b":{"L":[{"N":"1"},{"NULL":true}]}}',
    "{Record:{Keys:{}},who:{}}": '{"Keys":{},"who":{"M":{}}}',
    '{Record:{Who:{name:"x"},Keys:{}}}': '{"Keys":{},"Who":{"M":{"name":{"S":"x"}}}}',
    '{Record:{Metadata:{WriteTimestampMicros:5.,op:"x"},Keys:{}}}': (
        '{"Metadata":{"WriteTimestampMicros":{"N":"5"},"op":{"S":"x"}},"Keys":{}}'
    ),
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


@pytest.mark.parametrize(
    "blob",
    [
        "AA",
        "A",
        "AA=A",
        "====",
        "uzrhb/k=null",
        "AAA=AAAA",
        "AA==AA==",
        "AA==zzzz",
        "AA=",
        "AAAAA",
        "A*AA",
        "AA-_",
        "AB==",
        "AAB=",
        "=",
        "A A",
        "é",
    ],
)
def test_a_blob_that_is_not_canonical_base64_is_refused(blob: str) -> None:
    for value, path in (
        (f"{{{{{blob}}}}}", "$.Item.a"),
        (f"[{{{{ {blob}}}}}]", "$.Item.a[0]"),
        (f"$dynamodb_BS::[{{{{{blob}}}}}]", "$.Item.a[0]"),
    ):
        problem = refusal(f"$ion_1_0 {{Item:{{a:{value}}}}}".encode())
        assert (problem.path, problem.reason) == (path, "not base64 (standard alphabet, padded)")


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


@pytest.mark.parametrize("text", ["{Item:" + "{a:" * 5000, "{Item:{a:" + "[" * 5000 + "]" * 5000 + "}}"])
def test_a_value_that_is_nested_far_too_deep_is_refused(text: str) -> None:
    problem = refusal(f"$ion_1_0 {text}".encode())
    assert problem.reason == "nested deeper than 128 levels; DynamoDB allows 32"
    assert problem.path.startswith("$.Item.a")


def test_a_comment_cannot_hide_that_a_name_occurs_twice() -> None:
    problem = refusal(b'$ion_1_0 {Item:{b:/* " */1.,a:1.,a:2. /* " */}}')
    assert problem.reason == "the name 'a' occurs twice in one struct"


def test_a_text_may_be_as_long_as_an_item() -> None:
    text = "x" * 400_000
    assert translated(f'$ion_1_0 {{Item:{{a:"{text}"}}}}') == {"Item": {"a": {"S": text}}}


def test_a_number_far_outside_of_the_range_is_left_to_the_decoder_and_not_written_out() -> None:
    json_bytes, problem = json_lines(b"$ion_1_0 {Item:{a:1d100000,b:-1.5d-100000,c:1d99999999999}}\n")
    written = b'{"Item":{"a":{"N":"1E+100000"},"b":{"N":"-1.5E-100000"},"c":{"N":"1E+999999999"}}}\n'
    assert (json_bytes, problem) == (written, None)


def test_more_values_than_an_item_can_have_are_refused_before_they_are_read() -> None:
    problem = refusal(b"$ion_1_0 {Item:{a:$dynamodb_NS::[%s]}}" % (b"1d-130," * 1_000_000))
    assert problem.reason == "more than 835,584 commas, more than a DynamoDB item of 400 KB can have"
    problem = refusal(b"$ion_1_0 {Item:{a:$dynamodb_NS::[%s]}}" % (b"-12d-131," * 500_000))
    assert problem.reason == "65 MiB in DynamoDB JSON, more than a DynamoDB item of 400 KB can have"
    text = "," * 400_000
    assert translated(f'$ion_1_0 {{Item:{{a:"{text}"}}}}') == {"Item": {"a": {"S": text}}}


HEAVY: dict[str, Callable[[int], bytes]] = {
    "digits": lambda n: b"1" * n,
    "digits of a decimal": lambda n: b"1" * n + b".",
    "digits after the point": lambda n: b"1." + b"1" * n,
    "digits of an exponent": lambda n: b"1d" + b"1" * n,
    "zeros": lambda n: b"1." + b"0" * n + b"x",
    "underscores": lambda n: b"1_" * n,
    "escaped quotes without an end": lambda n: b'"\\' * n,
    "backslashes without an end": lambda n: b'"' + b"\\" * n,
    "quotes after backslashes": lambda n: b'"' + b'\\"' * n,
    "escapes": lambda n: b'"' + b"\\n" * n + b'"',
    "surrogates": lambda n: b'"' + b"\\ud83d\\ude00" * (n // 6) + b'"',
    "long texts without an end": lambda n: b"'''a" * n,
    "long texts of escapes": lambda n: b"''' \\" * n,
    "short long texts": lambda n: b"''''''" * n,
    "quotes": lambda n: b"'" * n,
    "double quotes": lambda n: b'"' * n,
    "openings of comments": lambda n: b"/*" * n,
    "comments": lambda n: b"/**/" * n,
    "stars": lambda n: b"/" + b"*" * n,
    "white space": lambda n: b" " * n,
    "openings of blobs": lambda n: b"{{A" * n,
    "a blob": lambda n: b"{{" + b"AA==" * n + b"}}",
    "white space in a blob": lambda n: b"{{" + b" A" * n,
    "annotations": lambda n: b"a::" * n,
    "annotations and comments": lambda n: b"a/**/" * n,
    "letters": lambda n: b"a" * n,
    "a symbol by its number": lambda n: b"$" + b"1" * n,
    "brackets": lambda n: b"[" * n,
    "braces": lambda n: b"{a:" * n,
    "pairs of braces": lambda n: b"{}" * n,
    "commas": lambda n: b"[" + b"," * n,
    "elements": lambda n: b"[" + b"1.," * n + b"]",
    "elements in another spelling": lambda n: b"[" + b" 1_0. ," * n + b"]",
    "names": lambda n: b"{" + b"".join(b"a%d:1.," % k for k in range(n // 8)) + b"}",
    "names in another spelling": lambda n: b"{" + b"".join(b" 'a%d\\n' : 1. ," % k for k in range(n // 8)) + b"}",
    "a name": lambda n: b"{'" + b"\\n" * n + b"':1.}",
}


@pytest.mark.parametrize("case", HEAVY)
def test_the_time_that_a_line_takes_is_linear_in_its_length(case: str) -> None:
    # A quadratic scanner takes 64 times as long for 8 times as much.
    short, long = (min(cpu_seconds(HEAVY[case](size)) for _ in range(3)) for size in (6_000, 48_000))
    assert long < 24 * short + 0.02, (short, long)


def cpu_seconds(value: bytes) -> float:
    line = b"$ion_1_0 {Item:{id:" + value + b"}}\n"
    begun = time.process_time()
    with suppress(LineProblem):
        json_line(line)
    kernel_line(line)
    return time.process_time() - begun


@pytest.mark.parametrize("line", UNKNOWN)
def test_members_that_are_not_known_are_left_to_the_decoder(line: str) -> None:
    assert translated(f"$ion_1_0 {line}") == json.loads(UNKNOWN[line])
