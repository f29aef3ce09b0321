"""Members that the service may add one day: left out and reported once, on every path; never taken for a delete."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from converter import ConvertOptions, MergeRules, Report, convert, inspect, merge
from converter.errors import BadLineError
from converter.testing import ExportFacts, ExportPaths, OutputFormat, WindowFacts, ion_line, write_incremental_export
from converter.testing import write_export as write_full_export
from tests.end_to_end.exports import written_parts
from tests.oracle import read_parquet_rows

MORNING = datetime(2026, 11, 27, 6, tzinfo=UTC)
MICROS = 1_795_759_200_000_000
WHO = b'{"type":"Service","numbers":[1,-2.5e3,1e400],"more":{"a":[null,true,false,{},[]],"\\u00e9":"\\ud83d\\ude00"}}'
Item = dict[str, Any]


def item_line(number: int, unknown: bool) -> bytes:
    item = b'"Item":{"id":{"S":"k%d"},"n":{"N":"%d"}}' % (number, number)
    if not unknown:
        return b"{" + item + b"}"
    who = b'"Who":' + WHO
    return b"{" + b",".join(([item, who], [who, item], [item, b'"TTL":1', who])[number % 3]) + b"}"


def change_line(number: int, *images: str, unknown: bool) -> bytes:
    keys = b'{"id":{"S":"k%d"}}' % number
    image = b'{"id":{"S":"k%d"},"n":{"N":"%d"}}' % (number, number)
    members = [b'"Keys":' + keys, *(b'"%s":%s' % (name.encode(), image) for name in images)]
    metadata = b'"WriteTimestampMicros":{"N":"%d"}' % (MICROS + number)
    if unknown:
        members.insert(number % (len(members) + 1), b'"Who":' + WHO)
        metadata = metadata + b',"op":"x"' if number % 2 else b'"op":{"a":1},' + metadata
    return b'{"Metadata":{' + metadata + b"}," + b",".join(members) + b"}"


def full(folder: Path, lines: list[bytes], output_format: OutputFormat = "DYNAMODB_JSON") -> ExportPaths:
    return write_full_export(folder, lines, facts=ExportFacts(export_time=MORNING, output_format=output_format))


def window(folder: Path, lines: list[bytes], **facts: Any) -> ExportPaths:
    about = WindowFacts(from_time=MORNING, to_time=MORNING + timedelta(hours=1), **facts)
    return write_incremental_export(folder, lines, facts=about)


def rows(dest: Path, report: Report) -> list[tuple[object, ...]]:
    return sorted(read_parquet_rows(written_parts(dest, report))[1], key=repr)


def told(report: Any) -> list[str]:
    return [warning for warning in report.warnings if "is not known" in warning]


@pytest.mark.parametrize("count", [6, 7_000])
def test_of_items(count: int, tmp_path: Path) -> None:
    plain = full(tmp_path / "a", [item_line(n, unknown=False) for n in range(count)])
    other = full(tmp_path / "b", [b"{}", *(item_line(n, unknown=n > 2) for n in range(count))])
    expected = rows(tmp_path / "x", convert(plain.folder, tmp_path / "x"))
    report = convert(other.folder, tmp_path / "y")
    assert rows(tmp_path / "y", report) == expected
    ttl, who = told(report)
    first = other.data_files[0]
    byte = 3 + sum(len(item_line(n, unknown=False)) + 1 for n in range(3))
    assert f"$.Who (first in {first} line 5 (byte {byte}))" in who
    assert f"$.TTL (first in {first} line 7 " in ttl
    for sample in (False, True):
        assert told(inspect(other.folder, sample=sample)) == [ttl, who]
    assert told(convert(plain.folder, tmp_path / "z")) == []


@pytest.mark.parametrize("view", ["NEW_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_of_changes(view: str, tmp_path: Path) -> None:
    olds = ["OldImage"] if view == "NEW_AND_OLD_IMAGES" else []
    forms = (["NewImage"], [*olds, "NewImage"], olds)
    found = []
    for unknown in (False, True):
        lines = [change_line(n, *forms[n % 3], unknown=unknown) for n in range(3000)]
        export = window(tmp_path / f"{unknown}", lines, view=view)
        options = ConvertOptions(old_image=bool(olds))
        dest = tmp_path / f"out-{unknown}"
        report = convert(export.folder, dest, options)
        found.append(rows(dest, report))
        warnings = told(report)
        assert len(warnings) == (2 if unknown else 0)
        assert all(f"(first in {export.data_files[0]} line 1 (byte 0))" in warning for warning in warnings)
        assert told(inspect(export.folder)) == warnings
    assert found[0] == found[1]


@pytest.mark.parametrize("verify", [False, True])
def test_of_a_merge(verify: bool, tmp_path: Path) -> None:
    found = []
    count = 900
    for unknown in (False, True):
        base = full(tmp_path / f"b{unknown}", [item_line(n, unknown=unknown) for n in range(count)])
        forms = (["OldImage", "NewImage"], ["OldImage"], ["NewImage"])
        lines = [change_line(n + count * (n % 3 == 2), *forms[n % 3], unknown=unknown) for n in range(0, count, 2)]
        after = window(tmp_path / f"i{unknown}", lines)
        dest = tmp_path / f"out-{unknown}"
        report = merge(base.folder, [after.folder], dest, rules=MergeRules(verify=verify))
        found.append((rows(dest, report), report.merge and (report.merge.deleted, report.merge.different_images)))
        paths = [warning[warning.index("$") :].partition(" (first in ")[0] for warning in told(report)]
        assert paths == (["$.Metadata.op", "$.TTL", "$.Who"] if unknown else [])
    assert found[0] == found[1]


def test_of_items_and_changes_in_ion(tmp_path: Path) -> None:
    items = [ion_line(item_line(n, unknown=False))[:-1] for n in range(50)]
    items[7] = items[7][:-1] + b',who:{name:"x",deep:[{a:1.},{a:2d0}]}}'
    report = convert(full(tmp_path / "b", items, "ION").folder, tmp_path / "out")
    assert report.items == 50
    (warning,) = told(report)
    assert "$.who (first in" in warning
    assert "line 8 (byte" in warning
    changes = [ion_line(change_line(n, "NewImage", unknown=False))[:-1] for n in range(50)]
    changes[9] = changes[9][:-2] + b',who:"x"}}'
    changes[4] = changes[4].replace(b"Metadata:{", b'Metadata:{op:"put",')
    export = window(tmp_path / "i", changes, output_format="ION")
    report = convert(export.folder, tmp_path / "changes")
    assert report.items == 50
    assert [warning[warning.index("$") :][:14] for warning in told(report)] == ["$.Metadata.op ", "$.who (first i"]


KEYS = '"Keys":{"id":{"S":"k1"}}'
DANGEROUS = {
    "nearly NewImage": KEYS + ',"NewImge":{"id":{"S":"k1"},"n":{"N":"5"}}',
    "another case": KEYS + ',"newimage":{}',
    "an image by name": KEYS + ',"AfterImageV2":"x"',
    "an image by content": KEYS + ',"After":{"id":{"S":"k1"},"n":{"N":"5"}}',
    "an image further inside": KEYS + ',"States":[{"after":{"n":{"N":"5"},"id":{"S":"k1"}}}]',
    "twice": KEYS + ',"Who":1,"Who":1',
    "twice inside": KEYS + ',"Who":{"a":1,"a":1}',
    "not JSON": KEYS + ',"Who":{"a":01}',
    "a lone surrogate": KEYS + r',"Who":["\ud800"]',
    "too deep": KEYS + ',"Who":' + "[" * 65 + "]" * 65,
}
"""Lines of changes with members that must not be passed over, without an OldImage."""


@pytest.mark.parametrize("name", DANGEROUS)
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("view", ["NEW_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_what_may_be_an_image_is_refused_on_every_path(name: str, known: bool, view: str, tmp_path: Path) -> None:
    base = full(tmp_path / "b", [item_line(n, unknown=False) for n in range(3)])
    bad = f'{{"Metadata":{{"WriteTimestampMicros":{{"N":"{MICROS}"}}}},{DANGEROUS[name]}}}'.encode()
    if known:
        # Lines before it have shown the members that it has: the kernels take them out.
        names = [member for member in ("Who", "After", "States") if member in DANGEROUS[name]]
        extra = "".join(f',"{member}":{json.dumps({"x": 1})}' for member in names).encode()
        first = change_line(2, "NewImage", unknown=True)
        first = first[:-1] + (extra if b"Who" not in extra else b"") + b"}"
    else:
        first = change_line(2, "NewImage", unknown=False)
    export = window(tmp_path / "i", [first, first.replace(b'"k2"', b'"k0"'), bad], view=view)
    runs: list[Callable[[], object]] = [
        partial(inspect, export.folder),
        partial(convert, export.folder, tmp_path / "out"),
        partial(merge, base.folder, [export.folder], tmp_path / "merged"),
    ]
    if view == "NEW_AND_OLD_IMAGES":
        runs.append(partial(merge, base.folder, [export.folder], tmp_path / "m", rules=MergeRules(verify=True)))
    for run in runs:
        with pytest.raises(BadLineError, match="line 3 "):
            run()


def test_an_unknown_member_without_any_image_is_refused_where_deletes_have_one(tmp_path: Path) -> None:
    lines = [change_line(n, "NewImage", unknown=True) for n in range(5)] + [change_line(9, unknown=True)]
    both, new = window(tmp_path / "b", lines), window(tmp_path / "n", lines, view="NEW_IMAGE")
    assert convert(new.folder, tmp_path / "out").items == 6
    with pytest.raises(BadLineError, match=r"line 6 .*no image; in this export's view, a delete has its old image"):
        convert(both.folder, tmp_path / "both")


def test_a_line_of_unknown_members_alone_is_not_an_empty_object(tmp_path: Path) -> None:
    export = full(tmp_path / "b", [item_line(1, unknown=True), item_line(4, unknown=True), b'{"Who":1}'])
    with pytest.raises(BadLineError, match=r"line 3 .*the member Item is missing"):
        convert(export.folder, tmp_path / "out")


def test_an_item_of_a_base_can_not_say_what_changes_say_of_themselves(tmp_path: Path) -> None:
    bad = b'{"Item":{"id":{"S":"k1"},"\xffold":{"M":{}}}}'
    base = full(tmp_path / "b", [item_line(0, unknown=False), bad])
    after = window(tmp_path / "i", [change_line(7, "NewImage", unknown=False)])
    with pytest.raises(BadLineError, match=r"line 2 .*invalid UTF-8"):
        merge(base.folder, [after.folder], tmp_path / "out")
