"""Lines of exports in ION, as the service writes them."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from converter.testing import ExportFacts, ion_line, item_line, write_export
from converter.testing.values import to_item

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html shows this item in both.
SAMPLE: dict[object, object] = {
    "Authors": {"Author1", "Author2"},
    "Dimensions": "8.5 x 11.0 x 1.5",
    "ISBN": "333-3333333333",
    "Id": 103,
    "InPublication": False,
    "PageCount": 600,
    "Price": 2000,
    "ProductCategory": "Book",
    "Title": "Book 103 Title",
}
SAMPLE_LINE = (
    b' $ion_1_0 {Item:{Authors:$dynamodb_SS::["Author1","Author2"],Dimensions:"8.5 x 11.0 x 1.5",'
    b'ISBN:"333-3333333333",Id:103.,InPublication:false,PageCount:6d2,Price:2d3,ProductCategory:"Book",'
    b'Title:"Book 103 Title"}}\n'
)


def spelled(value: object) -> str:
    line = ion_line(item_line(to_item({"a": value}))).decode()
    return line.removeprefix(" $ion_1_0 {Item:{a:").removesuffix("}}\n")


def test_the_sample_of_the_developer_guide_is_written() -> None:
    assert ion_line(item_line(to_item(SAMPLE))) == SAMPLE_LINE


@pytest.mark.parametrize(
    ("value", "ion"),
    [
        (103, "103."),
        (600, "6d2"),
        (61600, "616d2"),
        (0, "0."),
        (-5, "-5."),
        (Decimal("12.50"), "12.5"),
        (Decimal("-0.5"), "-5d-1"),
        (Decimal("0.0123"), "1.23d-2"),
        (Decimal("1E+125"), "1d125"),
        ("", '""'),
        ('"\\\n\0\x85é\u2028😀', '"\\"\\\\\\n\\0\\x85é\u2028😀"'),
        (b"hi", "{{aGk=}}"),
        (b"", "{{}}"),
        (None, "null"),
        (True, "true"),
        (
            [1, [], {"b c": "x", "null": 1, "$4": 1, "d$_1": 1, "'": 1}],
            "[1.,[],{'b c':\"x\",'null':1.,'$4':1.,d$_1:1.,'\\'':1.}]",
        ),
        ({10, 2}, "$dynamodb_NS::[2.,1d1]"),
        ({b"a"}, "$dynamodb_BS::[{{YQ==}}]"),
    ],
)
def test_a_value_is_spelled_as_the_service_does(value: object, ion: str) -> None:
    assert spelled(value) == ion


def test_a_change_is_a_record() -> None:
    line = {
        "Metadata": {"WriteTimestampMicros": {"N": "1684374845117899"}},
        "Keys": {"id": {"S": "a"}},
        "NewImage": {"id": {"S": "a"}},
    }
    assert ion_line(json.dumps(line).encode()) == (
        b' $ion_1_0 {Record:{Keys:{id:"a"},Metadata:{WriteTimestampMicros:1684374845117899.},NewImage:{id:"a"}}}\n'
    )


def test_a_value_without_a_type_is_refused() -> None:
    with pytest.raises(ValueError, match="Q is not a type"):
        ion_line(b'{"Item":{"a":{"Q":"x"}}}')


def test_an_export_in_ion_says_so_and_its_files_are_called_so(tmp_path: Path) -> None:
    export = write_export(tmp_path, [to_item(SAMPLE), b"as it is"], facts=ExportFacts(output_format="ION"))
    assert json.loads(export.summary.read_bytes())["outputFormat"] == "ION"
    assert export.data_files[0].name.endswith(".ion.gz")
    assert export.data_files[0].name in export.files.read_text()
    assert gzip.decompress(export.data_files[0].read_bytes()) == SAMPLE_LINE + b"as it is\n"
