"""Data files as blocks: nothing lost, cut at newlines, and damage always noticed."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from converter.errors import BadLineError, DataFileError, StorageError
from converter.export.blocks import BLOCK_BYTES, PADDING, Block, BlockReader, check_item_count
from converter.export.data_files import DataFile
from converter.export.line_limits import MAX_LINE_BYTES, MAX_LINE_COMMAS
from converter.export.locate import open_export
from converter.storage.source import Source
from converter.storage.stored_files import FileVersion

LINES = b"".join(b'{"Item":{"id":{"N":"%d"},"text":{"S":"%s"}}}\n' % (n, b"x" * n) for n in range(40))


class MemoryFile(io.RawIOBase):
    """Gives what it has little by little, as a network does."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._content.readinto(buffer[:1000])


class MemorySource(Source):
    """One file, `data/f`."""

    def __init__(self, content: bytes) -> None:
        self.root = "memory"
        self.content = content
        self.opened: list[MemoryFile] = []

    def open(self, path: str) -> io.RawIOBase:
        self.opened.append(MemoryFile(self.content))
        return self.opened[-1]

    def size(self, path: str) -> int | None:
        return len(self.content)

    def versions(self, path: str) -> dict[str, FileVersion]:
        return {"f": FileVersion(len(self.content), "")}

    def folders(self, path: str) -> list[str]:
        return []

    def child(self, path: str) -> str:
        return f"{self.root}/{path}"


def file_of(content: bytes) -> DataFile:
    return DataFile("data/f", 1, hashlib.md5(content).digest(), 0)


def read_all(
    content: bytes, *, verify: bool = True, block_bytes: int = 1 << 20, file: DataFile | None = None
) -> list[tuple[bytes, int]]:
    """Every block's lines and offset, each checked to be as promised while it is out."""
    blocks = []
    source = MemorySource(content)
    with BlockReader(source, file or file_of(content), verify=verify, block_bytes=block_bytes) as reader:
        for block in reader:
            check(block)
            blocks.append((block.data[: block.size].tobytes(), block.byte))
    assert all(opened.closed for opened in source.opened)
    return blocks


def check(block: Block) -> None:
    assert block.data.dtype == np.uint8
    assert block.data.flags.c_contiguous
    assert block.size > 0
    assert block.data[block.size - 1] == ord("\n")
    assert not block.data[block.size : block.size + PADDING].any()
    assert len(block.data) >= block.size + PADDING


contents = st.lists(st.binary(max_size=60) | st.just(b"\n" * 5) | st.just(b""), max_size=12).map(b"\n".join)


@given(contents, st.integers(1, 80), st.lists(st.integers(0, 400), max_size=3), st.integers(0, 3))
@example(b"", 1, [], 0)
@example(b"\n", 1, [], 0)
@example(b"a" * 300 + b"\nb", 1, [], 0)
@example(b"ab\ncd\n", 3, [], 0)
def test_blocks_put_together_are_the_content(content: bytes, block_bytes: int, cuts: list[int], zeros: int) -> None:
    edges = sorted({0, len(content), *(min(cut, len(content)) for cut in cuts)})
    members = [content[a:b] for a, b in itertools.pairwise(edges)] or [content]
    compressed = b"".join(gzip.compress(member) for member in members) + bytes(zeros)
    blocks = read_all(compressed, block_bytes=block_bytes)
    expected = content + (b"" if not content or content.endswith(b"\n") else b"\n")
    assert b"".join(lines for lines, _ in blocks) == expected
    byte = 0
    for lines, at in blocks:
        assert at == byte
        byte += len(lines)
    assert blocks == read_all(gzip.compress(content), block_bytes=block_bytes)


@given(contents.filter(bool), st.integers(1, 80), st.data())
def test_the_line_of_every_byte_is_found(content: bytes, block_bytes: int, data: st.DataObject) -> None:
    byte = data.draw(st.integers(0, len(content) - 1))
    compressed = gzip.compress(content)
    with BlockReader(MemorySource(compressed), file_of(compressed), verify=True, block_bytes=block_bytes) as reader:
        line = content[:byte].count(b"\n") + 1
        assert reader.line_at(byte) == line
        assert reader.where(byte) == f"memory/data/f line {line} (byte {byte})"
        assert b"".join(block.data[: block.size].tobytes() for block in reader).startswith(content)


def test_a_block_is_as_full_as_whole_lines_allow() -> None:
    content = b"12345678\n" * 50
    assert [len(lines) for lines, _ in read_all(gzip.compress(content), block_bytes=100)] == [99, 99, 99, 99, 54]


def test_a_line_that_just_does_not_fit_is_a_block_of_its_own() -> None:
    assert [len(lines) for lines, _ in read_all(gzip.compress(b"abc\nde\n"), block_bytes=3)] == [4, 3]


def test_memory_is_used_again() -> None:
    compressed = gzip.compress(LINES)
    with BlockReader(MemorySource(compressed), file_of(compressed), verify=True, block_bytes=200) as reader:
        places = {block.data.ctypes.data for block in reader}
    assert len(places) == 1


def test_blocks_after_a_long_line_are_small_again() -> None:
    content = b"a" * 1000 + b"\n" + b"b\n" * 500
    sizes = [len(lines) for lines, _ in read_all(gzip.compress(content), block_bytes=64)]
    assert sizes[0] > 1000
    assert max(sizes[1:]) <= 64 * 16
    assert sizes[-2] == 64


def test_the_longest_line_is_read_and_a_longer_one_is_refused() -> None:
    longest = b"a\n" + b"b" * (MAX_LINE_BYTES - 1) + b"\n"
    assert b"".join(lines for lines, _ in read_all(gzip.compress(longest, 1))) == longest
    for ending in (b"\n", b"", b"c" * MAX_LINE_BYTES):
        with pytest.raises(BadLineError, match="longer than 54 MiB") as raised:
            read_all(gzip.compress(b"a\n" + b"b" * MAX_LINE_BYTES + ending, 1))
        assert raised.value.where == "memory/data/f line 2 (byte 2)"


def test_a_long_line_with_more_values_than_an_item_can_have_is_refused() -> None:
    fine = b"a\n" + b"," * MAX_LINE_COMMAS + b" " * BLOCK_BYTES + b"\n"
    wrong = b"b\n" + b"," * MAX_LINE_COMMAS + b" " * BLOCK_BYTES + b",\n"
    assert b"".join(lines for lines, _ in read_all(gzip.compress(fine, 1))) == fine
    for content in (fine + wrong, fine + wrong + fine, fine + wrong[:-1]):
        with pytest.raises(BadLineError, match="more than 835,584 commas") as raised:
            read_all(gzip.compress(content, 1))
        assert raised.value.where == f"memory/data/f line 4 (byte {len(fine) + 2})"


def test_many_short_lines_have_as_many_commas_as_they_like() -> None:
    content = b",,,,,,,\n" * (BLOCK_BYTES // 8)
    assert b"".join(lines for lines, _ in read_all(gzip.compress(content * 2, 1))) == content * 2


@pytest.mark.parametrize("verify", [True, False])
def test_a_file_cut_at_any_byte_is_refused(verify: bool) -> None:
    compressed = gzip.compress(LINES)
    for end in range(len(compressed)):
        expected = "md5 mismatch" if verify else "not a complete gzip file"
        with pytest.raises(DataFileError, match=expected):
            read_all(compressed[:end], verify=verify, block_bytes=256, file=file_of(compressed))


def member(content: bytes, *, name: bytes = b"", extra: bytes = b"", comment: bytes = b"", flags: int = 0) -> bytes:
    """A member of a gzip file, with all that its header may have."""
    parts = struct.pack("<H", len(extra)) + extra if extra else b""
    for flag, text in ((8, name), (16, comment)):
        if text:
            flags |= flag
            parts += text + b"\0"
    head = b"\x1f\x8b\x08" + bytes([flags | (4 if extra else 0)]) + bytes(5) + b"\xff" + parts
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    sums = struct.pack("<II", zlib.crc32(content), len(content))
    return head + deflate.compress(content) + deflate.flush() + sums


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(member(LINES) * 3, id="members"),
        pytest.param(member(b"") + member(LINES) + member(b"") + member(LINES), id="empty members"),
        pytest.param(member(LINES[:11]) + member(LINES[11:]), id="a member that ends inside a line"),
        pytest.param(member(LINES, name=b"n" * 3000, extra=b"e" * 65535, comment=b"c" * 1000, flags=2), id="header"),
        pytest.param(member(LINES) + member(LINES, name=b"n" * 500_000), id="long name"),
        pytest.param(member(LINES, flags=1), id="marked as text"),
        *(pytest.param(member(LINES) + bytes(size), id=f"{size} zeros") for size in (1, 1000, 1_500_000)),
        pytest.param(member(LINES) + bytes(7) + member(LINES), id="zeros between members"),
    ],
)
def test_every_form_of_gzip_is_read_as_python_reads_it(content: bytes) -> None:
    assert b"".join(lines for lines, _ in read_all(content)) == gzip.decompress(content)


@pytest.mark.parametrize(
    "content",
    [
        *(pytest.param((member(LINES) * 2)[:-size], id=f"cut by {size}") for size in range(1, 40)),
        *(pytest.param(member(LINES) + end, id=repr(end)) for end in (b"hello", b"h", b"\x1f", b"\x1f\x8b", b"\0\0x")),
        *(pytest.param(member(LINES) + member(b"")[:size], id=f"header cut at {size}") for size in range(1, 20)),
        pytest.param(member(LINES)[:2] + b"\x07" + member(LINES)[3:], id="another method"),
        pytest.param(LINES, id="not compressed"),
        pytest.param(bytes(30), id="zeros"),
    ],
)
@pytest.mark.parametrize("verify", [True, False])
def test_what_python_refuses_as_gzip_is_refused(content: bytes, verify: bool) -> None:
    with pytest.raises((OSError, EOFError)):
        gzip.decompress(content)
    with pytest.raises(DataFileError, match="not a complete gzip file"):
        read_all(content, verify=verify)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (member(LINES, name=b"n" * 600_000), "its header is longer than 512 KB"),
        (member(LINES, comment=b"c" * 524_288), "its header is longer than 512 KB"),
        (member(LINES) + member(LINES, name=b"n" * 600_000), "its header is longer than 512 KB"),
        *((member(LINES, flags=flag), "reserved flags") for flag in (0x20, 0x40, 0x80)),
    ],
)
def test_headers_that_no_export_has_are_refused_with_their_reason(content: bytes, reason: str) -> None:
    with pytest.raises(DataFileError, match=reason):
        read_all(content)


def test_what_is_not_gzip_is_not_said_to_have_flags() -> None:
    with pytest.raises(DataFileError, match="Not a gzipped file"):
        read_all(LINES)


@pytest.mark.parametrize("bit", range(8))
def test_any_flipped_bit_is_an_md5_mismatch(bit: int) -> None:
    compressed = gzip.compress(LINES) + gzip.compress(b"more\n")
    for byte in range(len(compressed)):
        damaged = bytearray(compressed)
        damaged[byte] ^= 1 << bit
        with pytest.raises(DataFileError, match="md5 mismatch"):
            read_all(bytes(damaged), block_bytes=256, file=file_of(compressed))


def test_damage_that_the_manifest_knows_is_said_to_come_from_the_export() -> None:
    for damaged in (gzip.compress(LINES)[:-1], b"no gzip at all", b""):
        with pytest.raises(DataFileError, match="although the md5 matches"):
            read_all(damaged)


@pytest.mark.parametrize("verify", [True, False])
def test_what_follows_the_gzip_data_is_refused(verify: bool) -> None:
    with pytest.raises(DataFileError, match="not a complete gzip file"):
        read_all(gzip.compress(LINES) + b"rubbish", verify=verify)


def test_a_wrong_md5_is_known_before_the_last_block_and_shows_both() -> None:
    compressed = gzip.compress(LINES)
    other = DataFile("data/f", 1, bytes(16), 0)
    blocks: list[Block] = []
    with (
        BlockReader(MemorySource(compressed), other, verify=True) as reader,
        pytest.raises(DataFileError, match="md5 mismatch") as raised,
    ):
        blocks.extend(reader)
    assert blocks == []
    assert "AAAAAAAAAAAAAAAAAAAAAA==" in raised.value.what
    assert raised.value.hint
    assert b"".join(lines for lines, _ in read_all(compressed, verify=False, file=other)) == LINES


def test_the_rest_is_not_verified_when_nothing_is() -> None:
    compressed = gzip.compress(LINES)
    with BlockReader(MemorySource(compressed), file_of(b"other"), verify=False) as reader:
        reader.verify_rest()


def test_damage_anywhere_is_found_after_a_bad_line_in_the_first_block() -> None:
    compressed = gzip.compress(b"bad\n" * 1000 + np.random.default_rng(1).bytes(3 << 20), 1)
    damaged = compressed[:-1] + bytes([compressed[-1] ^ 1])
    for content, problem in ((compressed, ""), (damaged, "md5 mismatch"), (damaged[:-9], "md5 mismatch")):
        with BlockReader(MemorySource(content), file_of(compressed), verify=True, block_bytes=100) as reader:
            next(iter(reader))
            if problem:
                with pytest.raises(DataFileError, match=problem):
                    reader.verify_rest()
            else:
                reader.verify_rest()
    with pytest.raises(DataFileError, match="md5 mismatch"):
        read_all(bytes([0]) + compressed[1:], file=file_of(compressed))


def test_every_compressed_byte_is_told_once() -> None:
    compressed = gzip.compress(np.random.default_rng(1).bytes(3 << 20), 1) + bytes(1000)
    told: list[int] = []
    source = MemorySource(compressed)
    with BlockReader(source, file_of(compressed), verify=False, on_bytes=told.append) as reader:
        for _ in reader:
            pass
    assert sum(told) == len(compressed)
    assert min(told) > 0


@pytest.mark.parametrize("blocks", [0, 1])
def test_a_reader_that_is_left_early_closes_its_file(blocks: int) -> None:
    compressed = gzip.compress(LINES)
    source = MemorySource(compressed)
    with BlockReader(source, file_of(compressed), verify=True, block_bytes=100) as reader:
        iterator = iter(reader)
        for _ in range(blocks):
            next(iterator)
    assert source.opened[0].closed
    reader.close()


def test_storage_that_fails_while_reading_is_no_damaged_file() -> None:
    class Failing(MemoryFile):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            raise OSError(5, "Input/output error")

    class FailingSource(MemorySource):
        def open(self, path: str) -> io.RawIOBase:
            return Failing(b"")

    with (
        BlockReader(FailingSource(b""), file_of(b""), verify=True) as reader,
        pytest.raises(StorageError, match="Input/output error"),
    ):
        next(iter(reader))


def test_a_missing_file_is_a_data_file_error() -> None:
    class Missing(MemorySource):
        def open(self, path: str) -> io.RawIOBase:
            raise FileNotFoundError(path)

    with pytest.raises(DataFileError, match="missing"):
        BlockReader(Missing(b""), file_of(b""), verify=True)


@pytest.mark.parametrize("size", [0, -1, MAX_LINE_BYTES + 1])
def test_impossible_block_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="block_bytes"):
        BlockReader(MemorySource(b""), file_of(b""), verify=True, block_bytes=size)


@pytest.mark.parametrize(("items", "empty"), [(3, 0), (3, 2), (2, 1), (1, 2), (1, 5)])
def test_empty_objects_may_or_may_not_count_as_items(items: int, empty: int) -> None:
    check_item_count(DataFile("p", 3, bytes(16), 0), items, empty, "p")


@pytest.mark.parametrize(("items", "empty"), [(2, 0), (4, 0), (4, 1), (1, 1)])
def test_another_number_of_items_is_refused(items: int, empty: int) -> None:
    with pytest.raises(DataFileError, match=f"p: item count mismatch: 3 in the manifest, {items}"):
        check_item_count(DataFile("p", 3, bytes(16), 0), items, empty, "p")


def test_real_data_files_have_as_many_lines_as_their_manifest_says(real_export: Path) -> None:
    source, export = open_export(str(real_export))
    for file in export.files:
        with BlockReader(source, file, verify=True) as reader:
            lines = sum(int(np.count_nonzero(block.data[: block.size] == ord("\n"))) for block in reader)
            check_item_count(file, lines, 0, reader.place)
