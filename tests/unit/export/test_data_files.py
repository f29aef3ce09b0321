"""The list of data files: small in memory, whole, and the same however its manifest is spelled."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import tracemalloc
from collections.abc import Iterator

import pytest

from converter.errors import ManifestError
from converter.export.data_files import DataFile, ListedTwiceError, ManifestLines, collect_files
from converter.export.manifest import read_export
from converter.storage.local import LocalSource
from tests.unit.export.manifests import FULL_ID, MakeExport, md5_base64


def entries(count: int) -> Iterator[tuple[int, str, int, bytes]]:
    for number in range(count):
        yield number + 1, f"{number:026}.json.gz", number % 7, hashlib.md5(str(number).encode()).digest()


def test_files_are_a_sequence_and_slices_are_too() -> None:
    files = collect_files("a/data", entries(5))
    listed = [DataFile(f"a/data/{name}", items, md5, line - 1) for line, name, items, md5 in entries(5)]
    assert list(files) == [files[place] for place in range(5)] == listed
    assert (len(files), files[-1], list(files[1:4]), list(files[1:4][1:])) == (5, listed[4], listed[1:4], listed[2:4])
    assert list(collect_files("data", [])) == []


def test_a_file_takes_less_than_two_hundred_bytes_while_a_manifest_is_read() -> None:
    tracemalloc.start()
    files = collect_files("data", entries(20_000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(files) == 20_000
    assert most < 20_000 * 200


def test_the_first_name_that_is_listed_twice_is_named_with_its_lines() -> None:
    listed = list(entries(50))
    listed[40:40] = [(100, listed[30][1], 1, bytes(16)), (101, listed[3][1], 1, bytes(16))]
    with pytest.raises(ListedTwiceError) as caught:
        collect_files("data", listed)
    assert (caught.value.name, caught.value.first, caught.value.second) == (listed[30][1], 31, 100)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("content", [b"", b"\n", b"a", b"a\n", b"a\n\nbc\r\nd", b"abc\ndef\n"])
def test_lines_are_cut_at_newlines_however_the_file_arrives(size: int, content: bytes) -> None:
    class Slow(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            return super().read(size)

    lines = ManifestLines(Slow(content), 100)  # type: ignore[arg-type]
    assert list(lines) == content.split(b"\n")
    assert lines.md5() == hashlib.md5(content).digest()


def test_a_line_without_an_end_is_not_gathered() -> None:
    lines = ManifestLines(io.BytesIO(b"a\n" + b"b" * 3_000_000), 1000)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        list(lines)
    assert lines.md5() == hashlib.md5(b"a\n" + b"b" * 3_000_000).digest()


@pytest.mark.parametrize("verify", [True, False])
def test_entries_are_equal_however_they_are_spelled(make_export: MakeExport, verify: bool) -> None:
    folder = make_export(files=3)
    path = folder / "manifest-files.json"
    compact = [json.dumps(json.loads(line), separators=(",", ":")) for line in path.read_text().splitlines()]
    spaced = [json.dumps(json.loads(line)) for line in compact]
    found = []
    for lines in (compact, spaced, [compact[0], spaced[1], compact[2]], [spaced[0], compact[1], compact[2]]):
        content = "\n".join(lines).encode()
        path.write_bytes(content)
        (folder / "manifest-files.md5").write_text(md5_base64(content))
        found.append(list(read_export(LocalSource(str(folder)), verify=verify).files))
    assert found == [found[0]] * 4


@pytest.mark.parametrize("name", ["../a", "..", ".", "", "a\\\\b", "a\\u0000"])
def test_a_name_that_leads_elsewhere_is_refused_after_right_ones(make_export: MakeExport, name: str) -> None:
    folder = make_export(files=3)
    path = folder / "manifest-files.json"
    lines = [json.dumps(json.loads(line), separators=(",", ":")) for line in path.read_text().splitlines()]
    last = json.loads(lines[-1])["dataFileS3Key"].rpartition("/")[2]
    path.write_text("\n".join([*lines[:2], lines[2].replace(last, name)]))
    with pytest.raises(ManifestError, match="line 3") as caught:
        read_export(LocalSource(str(folder)), verify=False)
    assert FULL_ID in caught.value.where or "manifest-files" in caught.value.where


def test_a_wrong_checksum_is_said_before_what_is_wrong_with_a_line(make_export: MakeExport) -> None:
    folder = make_export(files=2)
    path = folder / "manifest-files.json"
    path.write_bytes(b"no JSON\n" + path.read_bytes())
    with pytest.raises(ManifestError, match="md5 mismatch"):
        read_export(LocalSource(str(folder)))
    with pytest.raises(ManifestError, match="line 1: not JSON"):
        read_export(LocalSource(str(folder)), verify=False)


def test_a_pickled_slice_has_its_own_files_alone() -> None:
    files = collect_files("data", entries(5_000), in_ion=True)
    copy = pickle.dumps(files[7:9])
    assert pickle.loads(copy) == tuple(files[7:9])
    assert all(file.in_ion for file in files)
    assert len(copy) < 1000
