"""A line that is no change ends the run like one that is no item, and `--old-image` is refused where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.testing import ExportPaths, WindowFacts, write_export, write_incremental_export
from tests.cli.failures import check_failure
from tests.cli.forking import ForkedCommands

HEAD = b'{"Metadata":{"WriteTimestampMicros":{"N":"1701065508109000"}},'
KEYS = b'"Keys":{"id":{"S":"a"}}'
GOOD = HEAD + KEYS + b',"NewImage":{"id":{"S":"a"},"n":{"N":"1"}}}'

LINES: dict[str, tuple[bytes, str, str]] = {
    "no JSON": (GOOD[:-1], "$", "not JSON"),
    "an item": (b'{"Item":{"id":{"S":"5ecret"}}}', "$", "there is a member 'Item'"),
    "an Ion record": (b"$ion_1_0 {Record:{}}", "$", "not JSON"),
    "neither keys nor an image": (HEAD[:-1] + b"}", "$", "there is no member Keys, but 'Metadata'"),
    "no keys": (HEAD + b'"NewImage":{"id":{"S":"5ecret"}}}', "$", "no member Keys, but 'Metadata', 'NewImage'"),
    "no metadata": (b"{" + KEYS + b"}", "$", "there is no member Metadata, but 'Keys'"),
    "no time": (b'{"Metadata":{},' + KEYS + b"}", "$.Metadata", "there is no member WriteTimestampMicros"),
    "a time that is none": (
        HEAD.replace(b"1701065508109000", b"5ecret") + KEYS + b"}",
        "$.Metadata.WriteTimestampMicros.N",
        "not a whole number of microseconds since 1970",
    ),
    "a member that may be an image": (HEAD + KEYS + b',"Newimage":{}}', "$", "there is a member 'Newimage'"),
    "another key": (HEAD + b'"Keys":{"pk":{"S":"5ecret"}}}', "$.Keys", "the keys are 'pk' (S), and those of the first"),
    "a key of another type": (HEAD + b'"Keys":{"id":{"N":"5"}}}', "$.Keys", "the keys are 'id' (N), and those of the"),
    "other keys than its image": (
        HEAD + KEYS + b',"NewImage":{"id":{"S":"5ecret"}}}',
        "$.NewImage",
        "the key 'id' differs from its value in Keys",
    ),
    "other keys than its old image": (
        HEAD + KEYS + b',"OldImage":{"id":{"S":"5ecret"}}}',
        "$.OldImage",
        "the key 'id' differs from its value in Keys",
    ),
    "its keys deeper in its image": (
        HEAD + KEYS + b',"NewImage":{"id":{"S":"5ecret"},"m":{"M":{"id":{"S":"a"}}}}}',
        "$.NewImage",
        "the key 'id' differs from its value in Keys",
    ),
    "its keys deeper in its old image": (
        HEAD + KEYS + b',"OldImage":{"x":{"S":"' + b'\\"}' * 30 + b'"},"m":{"M":{"id":{"S":"a"}}}}}',
        "$.OldImage",
        "the key 'id' differs from its value in Keys",
    ),
    "a number that is none": (GOOD.replace(b'"1"}}}', b'"5ecret"}}}'), "$.NewImage.n.N", "not a number"),
    "an old number that is none": (
        HEAD + KEYS + b',"OldImage":{"id":{"S":"a"},"m":{"M":{"n":{"N":"5ecret"}}}}}',
        "$.OldImage.m.M.n.N",
        "not a number",
    ),
    "invalid UTF-8": (GOOD.replace(b'"n"', b'"\xff"'), "$", "invalid UTF-8"),
}


def write_bad(folder: Path, bad: bytes) -> ExportPaths:
    return write_incremental_export(folder, [GOOD, GOOD, GOOD, bad, GOOD], files=1)


@pytest.mark.parametrize("name", LINES)
def test_a_bad_change_is_named_with_its_place_and_nothing_is_published(
    name: str, forked: ForkedCommands, tmp_path: Path
) -> None:
    bad, path, reason = LINES[name]
    export = write_bad(tmp_path / "bucket", bad)
    done = forked.run("convert", str(export.folder), "out", cwd=tmp_path)
    place = f"{export.data_files[0].name} line 4 (byte {3 * (len(GOOD) + 1)}): {path}"
    check_failure(done, 3, place, reason, dest=tmp_path / "out")
    assert "5ecret" not in done.stderr


def test_the_first_line_is_named_too_when_it_is_the_one(forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_incremental_export(tmp_path / "bucket", [b"", b"{}", b'{"Item":{}}', GOOD])
    for verb in (("inspect", str(export.folder)), ("convert", str(export.folder), "out")):
        done = forked.run(*verb, cwd=tmp_path)
        check_failure(done, 3, f"{export.data_files[0].name} line 3 (byte 4): $", "there is no member Keys, but 'Item'")


def test_an_old_image_in_a_view_without_is_a_bad_line(forked: ForkedCommands, tmp_path: Path) -> None:
    lines = [GOOD, HEAD + KEYS + b',"OldImage":{"id":{"S":"a"}}}']
    export = write_incremental_export(tmp_path / "bucket", lines, facts=WindowFacts(view="NEW_IMAGE"))
    done = forked.run("convert", str(export.folder), "out", cwd=tmp_path)
    check_failure(done, 3, "line 2", "the export's view is NEW_IMAGE", dest=tmp_path / "out")


def test_old_images_of_a_full_export_are_a_wrong_command_line(forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_export(tmp_path / "bucket", [{"id": "a"}])
    done = forked.run("convert", str(export.folder), "out", "--old-image", cwd=tmp_path)
    check_failure(done, 2, "a full export has no old images", "--old-image", dest=tmp_path / "out")


def test_what_is_said_of_changes_calls_them_so(forked: ForkedCommands, tmp_path: Path) -> None:
    export = write_incremental_export(tmp_path / "bucket", [GOOD, GOOD.replace(b'"a"', b'"b"')])
    done = forked.run("convert", str(export.folder), "out", cwd=tmp_path)
    assert "published 2 changes of Orders as 1 part" in done.stderr
    done = forked.run("inspect", str(export.folder), cwd=tmp_path)
    facts = dict(line.split(maxsplit=1) for line in done.stdout.split("\n\n")[0].splitlines())
    assert facts["window"] == "2023-11-27T06:11:47.109Z to 2023-11-27T06:26:47.109Z, NEW_AND_OLD_IMAGES"
    assert facts["operations"] == "2 inserts"
    assert facts["holds"].startswith("2 changes in 1 data file")
