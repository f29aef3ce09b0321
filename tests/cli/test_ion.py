"""Exports in ION as a user meets them: what is wrong is named with its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from converter.testing import ExportFacts, ExportPaths, seal, write_split_export
from tests.cli.failures import check_failure
from tests.cli.forking import ForkedCommands

ION = ExportFacts(output_format="ION")
GOOD = b' $ion_1_0 {Item:{id:"a",n:6d2}}'
LINES: dict[str, tuple[bytes, str, str]] = {
    "no Ion": (b"$ion_1_0 {5ecret", "$", "not Ion text"),
    "DynamoDB JSON": (b'{"Item":{"s":{"S":"5ecret"}}}', "$", "does not begin with $ion_1_0"),
    "cut off": (b'$ion_1_0 {Item:{s:"5ecret",', "$", "the line ends inside a value"),
    "another type": (b'$ion_1_0 {Item:{s:[{b:"5ecret"},{b:52}]}}', "$.Item.s[1].b", "an int, which exports never have"),
    "another annotation": (b'$ion_1_0 {Item:{s:x::"5ecret"}}', "$.Item.s", "a string with the annotation 'x'"),
    "a duplicate attribute": (b'$ion_1_0 {Item:{s:"5ecret",t:1.,s:"b"}}', "$.Item", "'s' occurs twice"),
    "a number of too many digits": (b"$ion_1_0 {Item:{n:%s.}}" % (b"5" * 39), "$.Item.n.N", "39 significant digits"),
    "a number out of range": (b"$ion_1_0 {Item:{n:[1d126]}}", "$.Item.n.L[0].N", "outside of DynamoDB's range"),
    "an empty set": (b"$ion_1_0 {Item:{e:$dynamodb_SS::[]}}", "$.Item.e.SS", "a set is never empty"),
    "a change": (b'$ion_1_0 {Record:{Keys:{s:"5ecret"}}}', "$", "the member Item is missing; found 'Keys'"),
    "nested too deep": (b"$ion_1_0 {Item:{l:%s}}" % (b"[" * 100 + b"]" * 100), "$.Item.l.L[0]", "deeper than 64"),
    "binary Ion": (b"\xe0\x01\x00\xea\xd2", "$", "binary Ion, but exports are Ion text"),
}


def write_bad(folder: Path, bad: bytes) -> ExportPaths:
    """An export whose second data file has a bad third line, and more behind it."""
    return write_split_export(folder, [[GOOD, GOOD], [GOOD, b"", bad, GOOD]], facts=ION)


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_is_no_item_is_named_with_its_place_and_without_its_data(
    case: str, forked: ForkedCommands, tmp_path: Path
) -> None:
    bad, path, reason = LINES[case]
    export = write_bad(tmp_path, bad)
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    place = f"{export.data_files[1].name} line 3 (byte {len(GOOD) + 2}): {path}"
    check_failure(done, 3, place, reason, "| sed -n 3p", dest=tmp_path / "out")
    assert "5ecret" not in done.stderr


def test_a_file_that_ends_inside_a_value_is_told_as_that(forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [[GOOD] * 10], facts=ION)
    lines = gzip.decompress(export.data_files[0].read_bytes())
    export.data_files[0].write_bytes(gzip.compress(lines[:-5]))
    seal(export.folder)
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    check_failure(
        done, 3, f"line 10 (byte {9 * (len(GOOD) + 1)}): $", "the line ends inside a value", dest=tmp_path / "out"
    )


@pytest.mark.parametrize("bad", [False, True])
def test_a_damaged_file_is_told_before_its_lines(bad: bool, forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [[GOOD] * 10], facts=ION)
    lines = [GOOD] * 11
    if bad:
        lines[3] = b"$ion_1_0 {Item:{a:5}}"
    export.data_files[0].write_bytes(gzip.compress(b"\n".join(lines)))
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    check_failure(done, 3, f"{export.data_files[0].name}: md5 mismatch", dest=tmp_path / "out")


def test_a_wrong_count_of_items_is_told(forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [[GOOD] * 10], facts=ION)
    for manifest in (export.files, export.summary):
        manifest.write_bytes(manifest.read_bytes().replace(b'"itemCount":10', b'"itemCount":9'))
        manifest.with_suffix(".md5").unlink()
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    check_failure(done, 3, "item count mismatch: 9 in the manifest, 10 in the file", dest=tmp_path / "out")


def test_a_value_that_does_not_fit_its_column_is_named_with_its_place(forked: ForkedCommands, tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(
        json.dumps({"version": 1, "columns": [{"attribute": "n", "name": "n", "type": "int64"}]})
    )
    lines = [GOOD] * 50_000
    lines[40_000] = b'$ion_1_0 {Item:{id:"b",n:1.5}}'
    export = write_split_export(tmp_path, [[GOOD], lines], facts=ION)
    done = forked.run("convert", str(tmp_path), "out", "--schema", "schema.json", cwd=tmp_path)
    place = f"{export.data_files[1].name} line 40001 (byte {40_000 * (len(GOOD) + 1)}): $.Item.n.N"
    check_failure(done, 4, place, dest=tmp_path / "out")


@pytest.mark.parametrize("sample", [False, True])
def test_inspect_shows_the_attributes(sample: bool, forked: ForkedCommands, tmp_path: Path) -> None:
    write_split_export(tmp_path, [[GOOD] * 30, [GOOD]], facts=ION)
    options = ["--sample"] if sample else []
    done = forked.run("inspect", str(tmp_path), "--json", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["outputFormat"], shown["itemsSeen"]) == ("ION", 31)
    assert [(a["attribute"], a["types"]) for a in shown["attributes"]] == [("id", {"S": 31}), ("n", {"N": 31})]
