"""Data files in Ion as blocks of JSON: in order, in memory of a fixed size, and with places in the file."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import pytest

from converter.decode.strict_lines import LineProblem
from converter.errors import DataFileError
from converter.export.blocks import PADDING, BlockReader
from converter.ion import reader as readers
from converter.ion.reader import IonReader
from tests.ion_translation import json_lines, kernel_line
from tests.unit.export.test_blocks import MemorySource, file_of

LINES = [b' $ion_1_0 {Item:{id:"i%d",text:"%s"}}\n' % (n, b"x" * (n % 40)) for n in range(400)]
ODD = b"$ion_1_0 { Item : {a:5.} } // for Python\n"
BAD = b"$ion_1_0 {Item:{a:5}}\n"


@pytest.fixture(autouse=True)
def _new_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory of the size that a test sets, and not that of the reader before."""
    monkeypatch.setattr(readers._cache, "translator", None)


def open_reader(content: bytes, block_bytes: int = 1000, *, verify: bool = True) -> IonReader:
    return IonReader(BlockReader(MemorySource(content), file_of(content), verify=verify, block_bytes=block_bytes))


def read_on(reader: IonReader) -> tuple[bytes, Exception | None]:
    """All lines until the end, or until something is wrong."""
    read = b""
    try:
        for block in reader:
            assert block.byte == len(read)
            assert not block.data[block.size : block.size + PADDING].any()
            read += block.data[: block.size].tobytes()
    except (LineProblem, DataFileError) as problem:
        return read, problem
    return read, None


def assert_located(lines: Sequence[bytes], block_bytes: int = 1000) -> None:
    """Each line is located in the file, whatever the blocks are."""
    begins = [sum(map(len, lines[:n])) for n in range(len(lines))]
    located = []
    with open_reader(gzip.compress(b"".join(lines)), block_bytes) as reader:
        for block in reader:
            begin = 0
            while begin < block.size:
                located.append(reader.locate(block.byte + begin))
                assert reader.where(block.byte + begin) == "memory/data/f line {} (byte {})".format(*located[-1])
                begin += block.data[begin : block.size].tobytes().index(b"\n") + 1
    assert located == [(n + 1, begin) for n, begin in enumerate(begins)]


@pytest.mark.parametrize("block_bytes", [50, 1000, 1 << 20])
def test_the_blocks_are_the_files_lines_in_order(block_bytes: int) -> None:
    ion = b"".join(LINES)
    with open_reader(gzip.compress(ion), block_bytes) as reader:
        assert read_on(reader) == json_lines(ion)


@pytest.mark.parametrize("every", [1, 2, 7])
def test_lines_for_python_are_in_their_place_among_the_others(every: int) -> None:
    assert kernel_line(ODD) is None
    lines = [ODD if n % every == 0 else line for n, line in enumerate(LINES)]
    with open_reader(gzip.compress(b"".join(lines))) as reader:
        assert read_on(reader) == json_lines(b"".join(lines))
    assert_located([*lines[:60], lines[60][:-1]])


def test_each_line_is_located_in_the_file() -> None:
    assert_located([*LINES[:50], b"\n", *LINES[50:60], LINES[60][:-1]])


def test_json_that_does_not_fit_comes_in_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_ROOM", 300)
    lines = [line if n % 5 else ODD * (n % 2) + line for n, line in enumerate(LINES[:100])]
    lines = b"".join(lines).splitlines(keepends=True)
    assert_located(lines)
    with open_reader(gzip.compress(b"".join(lines)), 1000) as reader:
        assert {block.size > 300 for block in reader} == {False}


@pytest.mark.parametrize("odd", [b"", b" "])
def test_a_line_with_more_json_than_fits_is_translated_by_either_path(
    odd: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "_ROOM", 500)
    monkeypatch.setattr(readers, "_MOST_ROOM", 2000)
    for size in (600, 1500, 5000):
        lines = [LINES[0], b'$ion_1_0 {Item:{a:"%s"%s}}\n' % (b"x" * size, odd), *LINES[:3]]
        assert_located(lines, 10_000)
        with open_reader(gzip.compress(b"".join(lines)), 10_000) as reader:
            assert read_on(reader) == json_lines(b"".join(lines))


@pytest.mark.parametrize("before", [0, 1, 100, 399])
@pytest.mark.parametrize("odd", [b"", ODD])
def test_a_bad_line_is_raised_after_all_lines_before_it(before: int, odd: bytes) -> None:
    good = [*LINES[:before], odd]
    ion = b"".join([*good, BAD, *LINES[before:], BAD])
    with open_reader(gzip.compress(ion)) as reader:
        read, problem = read_on(reader)
        assert isinstance(problem, LineProblem)
        assert reader.locate(problem.byte) == (before + 1 + bool(odd), sum(map(len, good)))
    assert read == json_lines(b"".join(good))[0]


def test_a_bad_line_comes_before_the_end_of_a_file_that_is_cut() -> None:
    ion = b"".join([*LINES[:200], BAD, *LINES[200:]])
    with open_reader(gzip.compress(ion)[:-10], verify=False) as reader:
        read, problem = read_on(reader)
    assert isinstance(problem, LineProblem)
    assert read == json_lines(b"".join(LINES[:200]))[0]
    with open_reader(gzip.compress(b"".join(LINES))[:-10], verify=False) as reader:
        read, problem = read_on(reader)
    assert isinstance(problem, DataFileError)
    assert read


def test_a_file_is_closed_before_its_end() -> None:
    source = MemorySource(gzip.compress(b"".join(LINES)))
    reader = IonReader(BlockReader(source, file_of(source.content), verify=True, block_bytes=100))
    next(iter(reader))
    reader.close()
    reader.close()
    assert all(opened.closed for opened in source.opened)


def test_readers_that_are_open_at_once_have_memory_of_their_own() -> None:
    content, other = (gzip.compress(b"".join(lines)) for lines in (LINES, LINES[::-1]))
    expected = [json_lines(b"".join(lines))[0] for lines in (LINES, LINES[::-1])]
    for _ in range(2):
        with open_reader(content) as first, open_reader(other) as second:
            pairs = [
                (a.data[: a.size].tobytes(), b.data[: b.size].tobytes()) for a, b in zip(first, second, strict=False)
            ]
            first.close()
        assert [b"".join(column)[:10_000] for column in zip(*pairs, strict=True)] == [
            json[:10_000] for json in expected
        ]


def test_a_reader_that_was_closed_early_leaves_nothing_to_the_next() -> None:
    with open_reader(gzip.compress(b"".join([ODD, BAD])), 1000) as reader:
        assert isinstance(read_on(reader)[1], LineProblem)
    with open_reader(gzip.compress(b"".join(LINES))) as reader:
        next(iter(reader))
    with open_reader(gzip.compress(b"".join(LINES))) as reader:
        assert read_on(reader) == json_lines(b"".join(LINES))


def test_an_empty_file_has_no_blocks() -> None:
    with open_reader(gzip.compress(b"")) as reader:
        assert list(reader) == []
