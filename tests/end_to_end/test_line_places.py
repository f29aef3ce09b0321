"""A bad line is named with its own line, byte, path and file, wherever it is and on every path that reads lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from converter import ConvertOptions, MergeRules, convert, inspect, merge
from converter.errors import BadLineError
from converter.testing import (
    ExportFacts,
    ExportPaths,
    OutputFormat,
    WindowFacts,
    ion_line,
    write_incremental_export,
    write_split_export,
)

MORNING = datetime(2026, 11, 27, 6, tzinfo=UTC)
MICROS = 1_795_759_200_000_000
MANY = 300
"""Lines that are more than a block of 1 MB."""
TEXT = b"x" * 4000

PLACES: dict[str, tuple[int, tuple[int, ...]]] = {
    "the first line": (0, ()),
    "a line in the middle": (20, ()),
    "the last line": (39, ()),
    "after blank lines and empty objects": (20, (3, 4, 11)),
    "in a later block": (MANY - 10, ()),
    "in a later block after blank lines": (MANY - 10, (0, 1, 100, MANY - 1)),
}
"""The number of the bad line, and the numbers of good ones that are blank or `{}` in its file."""


def item(number: int, value: str) -> bytes:
    return b'{"Item":{"id":{"S":"k%d"},"text":{"S":"%s"},"n":{"N":"%s"}}}' % (number, TEXT, value.encode())


def change(number: int, value: str, *images: str) -> bytes:
    image = b'{"id":{"S":"k%d"},"text":{"S":"%s"},"n":{"N":"%s"}}' % (number, TEXT, value.encode())
    written = b',"'.join([b""] + [b'%s":%s' % (name.encode(), image) for name in images])
    head = b'{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":{"id":{"S":"k%d"}}' % (MICROS + number, number)
    return head + written + b"}"


def _change(images: tuple[str, ...], number: int, value: str) -> bytes:
    return change(number, value, *images)


def lines_of(make: Callable[[int, str], bytes], place: str) -> tuple[list[bytes], int]:
    """The lines of a data file, and the number of the bad one, from 0."""
    bad, blank = PLACES[place]
    count = MANY if bad > 100 else 40
    lines = [make(number, "1.x5" if number == bad else "1.5") for number in range(count)]
    for number in blank:
        lines[number] = (b"", b"{}")[number % 2]
    return lines, bad


def full(folder: Path, *files: list[bytes], output_format: OutputFormat = "DYNAMODB_JSON") -> ExportPaths:
    return write_split_export(folder, files, facts=ExportFacts(export_time=MORNING, output_format=output_format))


def window(
    folder: Path, lines: list[bytes], hour: int = 0, output_format: OutputFormat = "DYNAMODB_JSON"
) -> ExportPaths:
    begin = MORNING + timedelta(hours=hour)
    facts = WindowFacts(from_time=begin, to_time=begin + timedelta(hours=1), output_format=output_format)
    return write_incremental_export(folder, lines, facts=facts)


def check(run: Callable[[], object], export: ExportPaths, lines: list[bytes], bad: int, path: str) -> None:
    byte = sum(len(line) + 1 for line in lines[:bad])
    place = f"{export.data_files[0]} line {bad + 1} (byte {byte}): {path}"
    with pytest.raises(BadLineError, match=re.escape(place)):
        run()


def in_ion(lines: list[bytes]) -> list[bytes]:
    return [ion_line(line)[:-1] if len(line) > 2 else line.replace(b"{}", b"$ion_1_0 {}") for line in lines]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("output_format", ["DYNAMODB_JSON", "ION"])
def test_of_items(place: str, output_format: OutputFormat, tmp_path: Path) -> None:
    lines, bad = lines_of(item, place)
    if output_format == "ION":
        # A value that the service never writes, and a number beyond the range: found by the reader and by the decoder.
        lines = [line.replace(b"1.x5", b"1.5") for line in lines]
        for value in (b"1e5", b"1d999"):
            wrong = in_ion(lines)
            wrong[bad] = wrong[bad].replace(b"1.5", value)
            export = full(tmp_path / value.decode(), wrong, output_format="ION")
            path = "$.Item.n" if value == b"1e5" else "$.Item.n.N"
            check(partial(convert, export.folder, tmp_path / "out"), export, wrong, bad, path)
        return
    export = full(tmp_path / "b", lines, [item(1, "1")])
    check(lambda: convert(export.folder, tmp_path / "out"), export, lines, bad, "$.Item.n.N")
    check(
        lambda: convert(export.folder, tmp_path / "c", ConvertOptions(format="csv", exclude=("n",))),
        export,
        lines,
        bad,
        "$.Item.n.N",
    )
    check(lambda: inspect(export.folder), export, lines, bad, "$.Item.n.N")
    if bad < 100:
        check(lambda: inspect(export.folder, sample=True), export, lines, bad, "$.Item.n.N")


@pytest.mark.parametrize("place", PLACES)
def test_of_changes(place: str, tmp_path: Path) -> None:
    for name, images, path in (
        ("new", ("NewImage",), "$.NewImage.n.N"),
        ("old", ("OldImage", "NewImage"), "$.OldImage.n.N"),
        ("delete", ("OldImage",), "$.OldImage.n.N"),
    ):
        lines, bad = lines_of(partial(_change, images), place)
        export = window(tmp_path / name, lines)
        options = ConvertOptions(old_image=name == "old")
        check(partial(convert, export.folder, tmp_path / "out", options), export, lines, bad, path)


@pytest.mark.parametrize("place", PLACES)
def test_of_changes_in_ion(place: str, tmp_path: Path) -> None:
    lines, bad = lines_of(lambda number, value: change(number, value.replace("x", ""), "OldImage", "NewImage"), place)
    lines = in_ion(lines)
    lines[bad] = lines[bad].replace(b"1.5", b"1d999", 1)
    export = window(tmp_path / "i", lines, output_format="ION")
    base = full(tmp_path / "b", [item(number, "1") for number in range(9)])
    check(lambda: convert(export.folder, tmp_path / "out"), export, lines, bad, "$.OldImage.n.N")
    for verify in (False, True):
        run = partial(merge, base.folder, [export.folder], tmp_path / "m", rules=MergeRules(verify=verify))
        check(run, export, lines, bad, "$.OldImage.n.N")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("verify", [False, True])
def test_of_the_changes_of_a_merge(place: str, verify: bool, tmp_path: Path) -> None:
    base = full(tmp_path / "b", [item(number, "1") for number in range(9)])
    rules = MergeRules(verify=verify)
    for name, images, path in (
        ("in force", ("NewImage",), "$.NewImage.n.N"),
        ("old image", ("OldImage", "NewImage"), "$.OldImage.n.N"),
        ("delete", ("OldImage",), "$.OldImage.n.N"),
        ("superseded", ("NewImage",), "$.NewImage.n.N"),
    ):
        lines, bad = lines_of(partial(_change, images), place)
        export = window(tmp_path / name, lines)
        increments = [export.folder]
        if name == "superseded":
            later = [change(number, "1") for number in range(len(lines))]
            increments.append(window(tmp_path / name, later, hour=1).folder)
        check(partial(merge, base.folder, increments, tmp_path / "out", rules=rules), export, lines, bad, path)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("touched", ["kept", "dropped", "dropped, --verify"])
def test_of_the_base_of_a_merge(place: str, touched: str, tmp_path: Path) -> None:
    lines, bad = lines_of(item, place)
    base = full(tmp_path / "b", lines, [item(10**6, "1")])
    numbers = [10**6] if touched == "kept" else [n for n in range(len(lines)) if len(lines[n]) > 2]
    after = window(tmp_path / "i", [change(number, "1.5", "OldImage") for number in numbers])
    rules = MergeRules(verify=touched.endswith("--verify"))
    check(lambda: merge(base.folder, [after.folder], tmp_path / "out", rules=rules), base, lines, bad, "$.Item.n.N")
