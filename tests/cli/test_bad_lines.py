"""A line that is no item ends the run: its place is named, its data are not, and nothing is published."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from converter.testing import ExportPaths, write_split_export
from tests.cli.failures import check_failure
from tests.cli.forking import ForkedCommands

GOOD = b'{"Item":{"id":{"S":"a"}}}'
SECRET = "5ecret"
"""Stands in every bad line where a value is."""

NOT_A_NUMBER = ["007", "+1", "", " 1", "1 ", "NaN", "Infinity", ".5", "5.", "--1", "0x10", "1_0", "1e", "१", "1,5", "-"]
OUT_OF_RANGE = ["1E126", "1E-131", "9E99999999999999999999", "-1" + "0" * 126, "0." + "0" * 130 + "1"]


def number_line(text: str) -> bytes:
    return b'{"Item":{"n":{"N":"%s"}}}' % text.encode()


LINES: dict[str, tuple[bytes, str, str]] = {
    "no JSON": (b"5ecret", "$", "not JSON"),
    "cut off": (b'{"Item":{"s":{"S":"5ecret"', "$", "not JSON"),
    "cut off in a string": (b'{"Item":{"s":{"S":"5ecret', "$", "not JSON"),
    "something behind the item": (b'{"Item":{"s":{"S":"5ecret"}}}5ecret', "$", "not JSON"),
    "two items": (GOOD + GOOD, "$", "not JSON"),
    "a comma too many": (b'{"Item":{"s":{"S":"5ecret"},}}', "$", "not JSON"),
    "single quotes": (b"{'Item':{'s':{'S':'5ecret'}}}", "$", "not JSON"),
    "an Ion line": (b'$ion_1_0 {Item:{s:"5ecret"}}', "$", "not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, "$", "not JSON"),
    "a bad escape": (b'{"Item":{"s":{"S":"5ecret\\x"}}}', "$", "not JSON"),
    "a raw control character": (b'{"Item":{"s":{"S":"5ecret\x01"}}}', "$", "not JSON"),
    "a raw tab": (b'{"Item":{"s":{"S":"5ecret\t"}}}', "$", "not JSON"),
    "a null byte": (b'{"Item":{"s":{"S":"5ecret"}}}\x00', "$", "not JSON"),
    "invalid UTF-8": (b'{"Item":{"s":{"S":"5ecret\xff"}}}', "$", "invalid UTF-8 at byte 25"),
    "an overlong form": (b'{"Item":{"s":{"S":"5ecret\xc0\xaf"}}}', "$", "invalid UTF-8"),
    "a surrogate in UTF-8": (b'{"Item":{"s":{"S":"5ecret\xed\xa0\x80"}}}', "$", "invalid UTF-8"),
    "a cut character": (b'{"Item":{"s":{"S":"5ecret\xe2\x82"}}}', "$", "invalid UTF-8"),
    "invalid UTF-8 in a name": (b'{"Item":{"\xff":{"S":"5ecret"}}}', "$", "invalid UTF-8"),
    "a lone surrogate": (b'{"Item":{"s":{"S":"5ecret\\ud800"}}}', "$.Item.s.S", "lone surrogate \\ud800"),
    "a lone low surrogate": (b'{"Item":{"s":{"S":"5ecret\\udc00x"}}}', "$.Item.s.S", "lone surrogate \\udc00"),
    "a lone surrogate in a name": (b'{"Item":{"\\ud800":{"S":"5ecret"}}}', "$.Item", "lone surrogate"),
    "an array": (b'["5ecret"]', "$", "expected an object with the member Item, got an array"),
    "null": (b"null", "$", "got null"),
    "a number": (b"52", "$", "got a number"),
    "no Item": (b'{"item":{"s":{"S":"5ecret"}}}', "$", "the member Item is missing; found 'item'"),
    "a second Item": (
        b'{"Item":{"s":{"S":"5ecret"}},"Items":1}',
        "$",
        "member 'Items', which is not known and resembles",
    ),
    "two Items": (b'{"Item":{"s":{"S":"5ecret"}},"Item":{}}', "$", "'Item' occurs twice"),
    "an item that is no object": (b'{"Item":["5ecret"]}', "$.Item", "expected an object, got an array"),
    "a value without a type": (b'{"Item":{"s":"5ecret"}}', "$.Item.s", "expected an object with one type tag"),
    "an empty value": (b'{"Item":{"s":{}}}', "$.Item.s", "an object with 0 members"),
    "an unknown tag": (b'{"Item":{"s":{"Q":"5ecret"}}}', "$.Item.s", "unknown type tag 'Q'"),
    "a tag in small letters": (b'{"Item":{"s":{"s":"5ecret"}}}', "$.Item.s", "unknown type tag 's'"),
    "two tags": (b'{"Item":{"s":{"S":"5ecret","N":"1"}}}', "$.Item.s", "an object with 2 members"),
    "a doubled tag": (b'{"Item":{"s":{"S":"5ecret","S":"5ecret"}}}', "$", "'S' occurs twice"),
    "a duplicate attribute": (b'{"Item":{"s":{"S":"5ecret"},"t":{"N":"1"},"s":{"S":"b"}}}', "$", "'s' occurs twice"),
    "a duplicate attribute of other types": (b'{"Item":{"s":{"S":"5ecret"},"s":{"N":"1"}}}', "$", "'s' occurs twice"),
    "a duplicate attribute in disguise": (b'{"Item":{"s":{"S":"5ecret"},"\\u0073":{"S":"b"}}}', "$", "'s' occurs"),
    "a duplicate map key": (b'{"Item":{"m":{"M":{"k":{"S":"5ecret"},"k":{"S":"b"}}}}}', "$", "'k' occurs twice"),
    "a deep duplicate": (b'{"Item":{"m":{"L":[{"M":{"k":{"N":"1"},"k":{"N":"1"}}}]}}}', "$", "'k' occurs twice"),
    "a text that is none": (b'{"Item":{"s":{"S":52}}}', "$.Item.s.S", "expected a string, got a number"),
    "a bare number": (b'{"Item":{"n":{"N":52}}}', "$.Item.n.N", "expected a string, got a number"),
    "bool as text": (b'{"Item":{"b":{"BOOL":"true"}}}', "$.Item.b.BOOL", "expected true or false, got a string"),
    "null as false": (b'{"Item":{"z":{"NULL":false}}}', "$.Item.z.NULL", "expected true, got false"),
    "a map that is none": (b'{"Item":{"m":{"M":[]}}}', "$.Item.m.M", "expected an object, got an array"),
    "a list that is none": (b'{"Item":{"l":{"L":{}}}}', "$.Item.l.L", "expected an array, got an object"),
    "an empty set": (b'{"Item":{"e":{"SS":[]}}}', "$.Item.e.SS", "a set is never empty"),
    "a set with a number in it": (b'{"Item":{"e":{"SS":["5ecret",5]}}}', "$.Item.e.SS[1]", "expected a string"),
    "a set of bad numbers": (b'{"Item":{"e":{"NS":["1","5ecret"]}}}', "$.Item.e.NS[1]", "not a number"),
    "a set of bad binaries": (b'{"Item":{"e":{"BS":["AAE=","5ecret"]}}}', "$.Item.e.BS[1]", "not base64"),
    "base64 with other letters": (b'{"Item":{"b":{"B":"5ecret*="}}}', "$.Item.b.B", "not base64"),
    "base64 without padding": (b'{"Item":{"b":{"B":"AAE"}}}', "$.Item.b.B", "not base64"),
    "base64 for addresses": (b'{"Item":{"b":{"B":"_-8="}}}', "$.Item.b.B", "not base64"),
    "base64 with bits to spare": (b'{"Item":{"b":{"B":"AAF="}}}', "$.Item.b.B", "not base64"),
    "base64 with a newline": (b'{"Item":{"b":{"B":"AA\\nE="}}}', "$.Item.b.B", "not base64"),
    "deep inside": (
        b'{"Item":{"m":{"M":{"a b":{"L":[{"S":"x"},{"M":{"n":{"N":"5ecret"}}}]}}}}}',
        '$.Item.m.M["a b"].L[1].M.n.N',
        "not a number",
    ),
    "nested too deep": (
        b'{"Item":{"l":' + b'{"L":[' * 100 + b'{"N":"1"}' + b"]}" * 100 + b"}}",
        "$.Item.l.L[0]",
        "nested deeper than 64 levels; DynamoDB allows 32",
    ),
    "nested endlessly": (b'{"Item":{"l":' + b'{"L":[' * 100_000, "$", "nested too deep"),
    "an exponent of many digits": (b'{"Item":{"n":{"N":"1e' + b"0" * 6000 + b'126"}}}', "$.Item.n.N", "range"),
    "39 digits": (b'{"Item":{"n":{"N":"' + b"5" * 39 + b'"}}}', "$.Item.n.N", "39 significant digits"),
    **{f"the number {text!r}": (number_line(text), "$.Item.n.N", "not a number") for text in NOT_A_NUMBER},
    **{f"the number {text[:25]}": (number_line(text), "$.Item.n.N", "range") for text in OUT_OF_RANGE},
}


def write_bad(folder: Path, bad: bytes) -> ExportPaths:
    """An export whose second data file has a bad third line, and more behind it."""
    return write_split_export(folder, [[GOOD, GOOD], [GOOD, b"", bad, GOOD, GOOD]])


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_is_no_item_is_named_with_its_place_and_without_its_data(
    case: str, forked: ForkedCommands, tmp_path: Path
) -> None:
    bad, path, reason = LINES[case]
    export = write_bad(tmp_path, bad)
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    place = f"{export.data_files[1].name} line 3 (byte {len(GOOD) + 2}): {path}"
    message = check_failure(done, 3, place, reason, dest=tmp_path / "out")
    assert "export the table again; if DynamoDB writes such a line again, report it" in done.stderr
    assert SECRET not in done.stderr
    assert len(message) < 1000


@pytest.mark.parametrize(
    "folder", ["it's; echo PWNED >&2; '", "$(echo PWNED >&2)", "`echo PWNED >&2`", "-x", "a b\\", '"; echo PWNED >&2 #']
)
def test_the_command_that_shows_the_line_is_one_command_whatever_the_folder_is_called(
    folder: str, forked: ForkedCommands, tmp_path: Path
) -> None:
    write_bad(tmp_path / folder, b"broken")
    done = forked.run("convert", "--", folder, "out", cwd=tmp_path)
    message = check_failure(done, 3, dest=tmp_path / "out")
    command = message.split("see the line with: ")[1].split("; --show-values")[0].strip()
    shown = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "broken\n", "")


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_only_show_values_shows_the_value(format: str, forked: ForkedCommands, tmp_path: Path) -> None:
    write_bad(tmp_path, b'{"Item":{"n":{"N":"5ecret"}}}')
    hidden = forked.run("convert", str(tmp_path), "out", "--format", format, cwd=tmp_path)
    assert "--show-values" in check_failure(hidden, 3, dest=tmp_path / "out")
    assert SECRET not in hidden.stderr
    shown = forked.run("convert", str(tmp_path), "out", "--format", format, "--show-values", cwd=tmp_path)
    check_failure(shown, 3, "not a number: '5ecret'", dest=tmp_path / "out")


def test_no_value_is_told_to_log_collectors_either(forked: ForkedCommands, tmp_path: Path) -> None:
    write_bad(tmp_path, b'{"Item":{"n":{"N":"5ecret"}}}')
    done = forked.run("convert", str(tmp_path), "out", "--json", "--log-format", "json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert SECRET not in done.stderr
    assert '"exitCode": 3' in done.stderr.splitlines()[-1]


def test_a_long_value_is_shown_in_part(forked: ForkedCommands, tmp_path: Path) -> None:
    write_bad(tmp_path, b'{"Item":{"n":{"N":"%s"}}}' % (b"x" * 50_000))
    done = forked.run("convert", str(tmp_path), "out", "--show-values", cwd=tmp_path)
    assert "xxxx" in check_failure(done, 3, "not a number", dest=tmp_path / "out")
    assert len(done.stderr) < 1000


@pytest.mark.parametrize(
    "bad",
    [
        b'{"%s":{}}' % (b"x" * 50_000),
        b'{"Item":{},"%simage":{}}' % (b"x" * 50_000),
        b'{"Item":{"%s":{"S":5}}}' % (b"x" * 50_000),
        b'{"Item":{"%s":{"S":"a"},"%s":{"S":"b"}}}' % (b"x" * 50_000, b"x" * 50_000),
        b'{"Item":{"s":{"%s":"a"}}}' % (b"x" * 50_000),
        b'{"Item":{"n":{"N":"%s"}}}' % (b"1" * 50_000),
    ],
    ids=["no Item", "beside Item", "attribute", "duplicate", "tag", "digits"],
)
def test_a_message_stays_readable_however_long_the_names(bad: bytes, forked: ForkedCommands, tmp_path: Path) -> None:
    write_bad(tmp_path, bad)
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    check_failure(done, 3, "line 3", dest=tmp_path / "out")
    assert len(done.stderr) < 1000


def test_a_name_can_not_command_the_terminal(forked: ForkedCommands, tmp_path: Path) -> None:
    write_bad(tmp_path, b'{"Item":{"\\u001b[2J":{"S":5}}}')
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    check_failure(done, 3, "expected a string", dest=tmp_path / "out")
    assert "\x1b" not in done.stderr


def test_a_line_without_end_is_refused(forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_bad(tmp_path, b'{"Item":{"s":{"S":"%s"}}}' % (b"x" * (55 << 20)))
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    check_failure(done, 3, f"{export.data_files[1].name} line 3", "longer than 54 MiB", dest=tmp_path / "out")


@pytest.mark.parametrize("workers", ["1", "4"])
def test_of_several_bad_lines_the_first_is_named_whatever_the_number_of_workers(
    workers: str, forked: ForkedCommands, tmp_path: Path
) -> None:
    bad = b'{"Item":{"n":{"N":"007"}}}'
    # Three shards; the first bad line comes many blocks late in the first of them, and the others begin with theirs.
    files = [[*[GOOD] * 300_000, bad, bad], [bad, *[GOOD] * 30_000], [bad, *[GOOD] * 30_000]]
    export = write_split_export(tmp_path, files)
    done = forked.run("convert", str(tmp_path), "out", "--workers", workers, cwd=tmp_path)
    check_failure(done, 3, f"{export.data_files[0].name} line 300001 (byte", dest=tmp_path / "out")


def test_a_bad_line_in_a_later_block_has_the_right_place(forked: ForkedCommands, tmp_path: Path) -> None:
    lines = [GOOD] * 100_000
    export = write_split_export(tmp_path, [[*lines, b'{"Item":{"n":{"N":"007"}}}', GOOD]])
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    place = f"{export.data_files[0].name} line 100001 (byte {100_000 * (len(GOOD) + 1)}): $.Item.n.N"
    check_failure(done, 3, place, dest=tmp_path / "out")


def test_a_wrong_md5_is_named_rather_than_the_bad_line_that_came_of_it(forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_bad(tmp_path, b"garbage")
    manifest = export.files.read_bytes().split(b"\n")
    # The second file's md5 becomes the first's.
    digest = manifest[0].partition(b'"md5Checksum":')[2][:26]
    manifest[1] = manifest[1].replace(manifest[1].partition(b'"md5Checksum":')[2][:26], digest)
    export.files.write_bytes(b"\n".join(manifest))
    export.files.with_suffix(".md5").unlink()
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    message = check_failure(done, 3, export.data_files[1].name, "md5 mismatch", dest=tmp_path / "out")
    assert "line 3" not in message
    unchecked = forked.run("convert", str(tmp_path), "out", "--no-verify", cwd=tmp_path)
    check_failure(unchecked, 3, "line 3 (byte", "not JSON", dest=tmp_path / "out")


def test_a_wrong_md5_is_named_rather_than_a_bad_line_far_before_the_end(forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [[b"garbage", *[GOOD] * 100_000]])
    data_file = export.data_files[0]
    data_file.write_bytes(data_file.read_bytes()[:-1] + b"x")
    done = forked.run("convert", str(tmp_path), "out", cwd=tmp_path)
    message = check_failure(done, 3, data_file.name, "md5 mismatch", dest=tmp_path / "out")
    assert "line 1" not in message


@pytest.mark.parametrize("verb", [["inspect"], ["inspect", "--json"]])
def test_inspect_names_a_bad_line_just_the_same(verb: list[str], forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_bad(tmp_path, b'{"Item":{"n":{"N":"5ecret"}}}')
    done = forked.run(*verb, str(tmp_path), cwd=tmp_path)
    check_failure(done, 3, f"{export.data_files[1].name} line 3 (byte", "$.Item.n.N")
    assert SECRET not in done.stderr
