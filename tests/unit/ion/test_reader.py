"""Data files in Ion as blocks of JSON: in order, with places in the file, and never far ahead."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from converter.decode.strict_lines import LineProblem
from converter.errors import DataFileError
from converter.export.blocks import BlockReader
from converter.ion.lines import json_lines
from converter.ion.reader import IonReader
from converter.ion.workers import IonWorkers
from tests.unit.export.test_blocks import MemorySource, file_of

LINES = [b' $ion_1_0 {Item:{id:"i%d",text:"%s"}}\n' % (n, b"x" * (n % 40)) for n in range(400)]
BAD = b"$ion_1_0 {Item:{a:5}}\n"
MOST = 2


@pytest.fixture(scope="module")
def workers() -> Iterator[IonWorkers]:
    with IonWorkers(MOST) as workers:
        yield workers


def open_reader(content: bytes, workers: IonWorkers, block_bytes: int = 1000, *, verify: bool = True) -> IonReader:
    blocks = BlockReader(MemorySource(content), file_of(content), verify=verify, block_bytes=block_bytes)
    return IonReader(blocks, workers)


def read_on(reader: IonReader) -> tuple[bytes, Exception | None]:
    """All lines until the end, or until something is wrong."""
    read = b""
    try:
        for block in reader:
            read += block.data[: block.size].tobytes()
    except (LineProblem, DataFileError) as problem:
        return read, problem
    return read, None


def free_rooms(workers: IonWorkers) -> int:
    rooms = 0
    while workers.acquire_slot():
        rooms += 1
    for _ in range(rooms):
        workers.release_slot()
    return rooms


@pytest.mark.parametrize("block_bytes", [50, 1000, 1 << 20])
def test_the_blocks_are_the_files_lines_in_order(workers: IonWorkers, block_bytes: int) -> None:
    ion = b"".join(LINES)
    read = b""
    with open_reader(gzip.compress(ion), workers, block_bytes) as reader:
        for block in reader:
            assert block.byte == len(read)
            read += block.data[: block.size].tobytes()
    assert read == json_lines(ion)[0]
    assert free_rooms(workers) == 2 * MOST


def test_each_line_is_located_in_the_file(workers: IonWorkers) -> None:
    lines = [*LINES[:50], b"\n", *LINES[50:60], LINES[60][:-1]]
    begins = [sum(map(len, lines[:n])) for n in range(len(lines))]
    located = []
    with open_reader(gzip.compress(b"".join(lines)), workers) as reader:
        for block in reader:
            begin = 0
            while begin < block.size:
                located.append(reader.locate(block.byte + begin))
                assert reader.where(block.byte + begin) == "memory/data/f line {} (byte {})".format(*located[-1])
                begin += block.data[begin : block.size].tobytes().index(b"\n") + 1
    assert located == [(n + 1, begin) for n, begin in enumerate(begins)]


@pytest.mark.parametrize("before", [0, 1, 100, 399])
def test_a_bad_line_is_raised_after_all_that_stand_before_it(workers: IonWorkers, before: int) -> None:
    ion = b"".join([*LINES[:before], BAD, *LINES[before:], BAD])
    with open_reader(gzip.compress(ion), workers) as reader:
        read, problem = read_on(reader)
        assert isinstance(problem, LineProblem)
        assert reader.locate(problem.byte) == (before + 1, sum(map(len, LINES[:before])))
    assert read == json_lines(b"".join(LINES[:before]))[0]
    assert free_rooms(workers) == 2 * MOST


def test_a_bad_line_comes_before_the_end_of_a_file_that_is_cut(workers: IonWorkers) -> None:
    ion = b"".join([*LINES[:200], BAD, *LINES[200:]])
    with open_reader(gzip.compress(ion)[:-10], workers, verify=False) as reader:
        read, problem = read_on(reader)
    assert isinstance(problem, LineProblem)
    assert read == json_lines(b"".join(LINES[:200]))[0]
    with open_reader(gzip.compress(b"".join(LINES))[:-10], workers, verify=False) as reader:
        read, problem = read_on(reader)
    assert isinstance(problem, DataFileError)
    assert read


def test_no_more_blocks_wait_than_there_is_room_for(workers: IonWorkers) -> None:
    content = gzip.compress(b"".join(LINES))
    with open_reader(content, workers, 100) as first, open_reader(content, workers, 100) as second:
        assert next(iter(first)).byte == 0
        assert free_rooms(workers) in (0, 1)
        # Who finds no room goes on with one block at a time.
        assert sum(block.size for block in second) == len(json_lines(b"".join(LINES))[0])
    assert free_rooms(workers) == 2 * MOST


def test_a_file_is_closed_with_blocks_still_waiting(workers: IonWorkers) -> None:
    source = MemorySource(gzip.compress(b"".join(LINES)))
    reader = IonReader(BlockReader(source, file_of(source.content), verify=True, block_bytes=100), workers)
    next(iter(reader))
    reader.close()
    reader.close()
    assert all(opened.closed for opened in source.opened)
    assert free_rooms(workers) == 2 * MOST


def test_an_empty_file_has_no_blocks(workers: IonWorkers) -> None:
    with open_reader(gzip.compress(b""), workers) as reader:
        assert list(reader) == []
