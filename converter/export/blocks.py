"""Reads a data file as blocks of whole lines: checks its md5, decompresses it, and splits it at newlines."""

from __future__ import annotations

import base64
import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from typing import BinaryIO, cast

import numpy as np
from isal import igzip_lib, isal_zlib
from numpy.typing import NDArray

from converter.errors import BadLineError, DataFileError, StorageError
from converter.export.data_files import DataFile
from converter.export.line_limits import ITEM_BYTES, MAX_LINE_BYTES, MAX_LINE_COMMAS
from converter.storage.source import Source

PADDING = 128
BLOCK_BYTES = 1 << 20

_NEWLINE = b"\n"
_ZEROS = bytes(PADDING)
_EXTRA_BYTES = len(_NEWLINE) + PADDING
_READ_BYTES = 1 << 19
# isal's stub declares the class as an instance.
_ISAL_ERROR = cast(type[Exception], igzip_lib.IsalError)
_FLAGS_AT = 3
_RESERVED_FLAGS = 0xE0
_COPY_AGAIN = "copy the file again from the bucket of the export; if that file is damaged too, export the table again"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Whole lines of a data file. Valid until the next block is read, which reuses the memory.

    data: data[:size] are the lines, each with a newline at its end; data[size : size + PADDING] are zeros.
    byte: offset of the first byte in the decompressed file.
    """

    data: NDArray[np.uint8]
    size: int
    byte: int


class BlockReader:
    """Iterator over the blocks of one data file:

        with BlockReader(source, file, verify=True) as reader:
            for block in reader:
                ...

    The limits of blocks depend only on the file and on block_bytes. A block has at most block_bytes, unless a single
    line is longer. A newline is appended to a last line without one.

    Raises DataFileError if the file is missing, if its md5 differs from the manifest (only with verify, and before the
    last block is returned), or if it is not a complete gzip file; and BadLineError for a line over MAX_LINE_BYTES, or a
    line over BLOCK_BYTES with more than MAX_LINE_COMMAS commas.
    Damaged bytes may be returned as lines before the damage is detected. So a caller that finds a bad line calls
    verify_rest() before it reports the line; this raises an error if the file is damaged.

    on_bytes: called with the number of compressed bytes after each read.
    """

    def __init__(
        self,
        source: Source,
        file: DataFile,
        *,
        verify: bool,
        block_bytes: int = BLOCK_BYTES,
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        if not 0 < block_bytes <= MAX_LINE_BYTES:
            raise ValueError(f"block_bytes must be from 1 to {MAX_LINE_BYTES}")
        self.place = source.child(file.path)
        self._source = source
        self._file = file
        self._verify = verify
        self._block_bytes = block_bytes
        self._memory: _Memory | None = None
        try:
            opened = source.open(file.path)
        except FileNotFoundError:
            raise DataFileError("the data file is missing", self.place, _COPY_AGAIN) from None
        self._compressed = _CompressedBytes(opened, self.place, verify, on_bytes)
        self._inflater = _inflater(self._compressed)

    def __enter__(self) -> BlockReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. May be called more than once."""
        self._compressed.close()
        if self._memory is not None:
            _cache.memory, self._memory = self._memory, None

    def verify_rest(self) -> None:
        """Read the rest of the file without decompressing it, and raise DataFileError if the md5 differs."""
        if not self._verify:
            return
        self._compressed.drain()
        actual = self._compressed.md5()
        if actual != self._file.md5:
            raise DataFileError(
                f"md5 mismatch: {_base64(self._file.md5)} in the manifest, {_base64(actual)} in the file",
                self.place,
                f"{_COPY_AGAIN}. Add --no-verify only if it was edited on purpose",
            )

    def line_at(self, byte: int) -> int:
        """Return the number, from 1, of the line with this byte of the decompressed file.

        Reads the file again up to this byte: counting lines in each pass would slow conversions by 5 %, and only errors
        need the number.
        """
        newlines = 0
        if byte:
            with BlockReader(self._source, self._file, verify=False, block_bytes=self._block_bytes) as again:
                for block in again:
                    before = min(block.size, byte - block.byte)
                    newlines += int(np.count_nonzero(block.data[:before] == ord(_NEWLINE)))
                    if block.byte + block.size >= byte:
                        break
        return newlines + 1

    def locate(self, byte: int) -> tuple[int, int]:
        """Return the line, from 1, and the byte in the file of the first byte of a line in a block."""
        return self.line_at(byte), byte

    def where(self, byte: int) -> str:
        """Return the place of a byte of the decompressed file for an error: `path line 12 (byte 3456)`."""
        return f"{self.place} line {self.line_at(byte)} (byte {byte})"

    def __iter__(self) -> Iterator[Block]:
        limit, filled, searched, byte = self._block_bytes, 0, 0, 0
        memory, data = self._memory = _take_cached(limit) or _allocate(limit)
        while True:
            wanted = max(limit - filled, 0)
            read = self._inflate(memoryview(memory)[filled : filled + wanted])
            filled += read
            if read < wanted:
                break
            size = memory.rfind(_NEWLINE, searched, filled) + 1
            if not size:
                if limit == MAX_LINE_BYTES:
                    raise self._not_an_item_error(f"is longer than {MAX_LINE_BYTES >> 20} MiB", byte)
                limit, searched = min(2 * limit, MAX_LINE_BYTES), filled
                if len(data) < limit + _EXTRA_BYTES:
                    longer, data = _allocate(limit)
                    longer[:filled] = memoryview(memory)[:filled]
                    memory = longer
                continue
            self._check_long_lines(memory, size, byte)
            following = memory[size : size + PADDING]
            memory[size : size + PADDING] = _ZEROS
            yield Block(data, size, byte)
            memory[size : size + PADDING] = following
            data[: filled - size] = data[size:filled]
            byte, filled, limit, searched = byte + size, filled - size, self._block_bytes, 0
        self.verify_rest()
        if not self._compressed.read_bytes:
            raise self._damaged_error("the file is empty")
        if filled:
            if memory[filled - 1 : filled] != _NEWLINE:
                memory[filled : filled + 1] = _NEWLINE
                filled += 1
            memory[filled : filled + PADDING] = _ZEROS
            self._check_long_lines(memory, filled, byte)
            yield Block(data, filled, byte)

    def _inflate(self, into: memoryview) -> int:
        """Fill the memory, or as much of it as the file has, and return the number of bytes."""
        filled = 0
        try:
            while filled < len(into) and (read := self._inflater.readinto(into[filled:])):
                filled += read
        except (EOFError, gzip.BadGzipFile, _ISAL_ERROR) as error:
            raise self._damaged_error(str(error)) from None
        except OverflowError:
            raise self._damaged_error(
                f"its header is longer than {_READ_BYTES >> 10} KB, unlike that of an export"
            ) from None
        if self._compressed.has_reserved_flags:
            # RFC 1952: the header may have a part that this program would read as data.
            raise self._damaged_error("reserved flags in its header")
        return filled

    def _damaged_error(self, reason: str) -> DataFileError:
        self.verify_rest()
        if self._verify:
            what, hint = f"not a complete gzip file ({reason}), although the md5 matches", "export the table again"
        else:
            what, hint = f"not a complete gzip file ({reason})", _COPY_AGAIN
        return DataFileError(what, self.place, hint)

    def _check_long_lines(self, memory: bytearray, size: int, byte: int) -> None:
        """Raise BadLineError for a long line with more values than an item can have, which would need gigabytes."""
        start = 0
        while size - start > BLOCK_BYTES:
            end = memory.index(_NEWLINE, start, size)
            if end - start > BLOCK_BYTES and memory.count(b",", start, end) > MAX_LINE_COMMAS:
                raise self._not_an_item_error(f"has more than {MAX_LINE_COMMAS:,} commas", byte + start)
            start = end + 1

    def _not_an_item_error(self, fact: str, byte: int) -> BadLineError:
        self.verify_rest()
        return BadLineError(
            f"the line {fact}, more than a DynamoDB item of {ITEM_BYTES >> 10} KB can have",
            self.where(byte),
            "check that this is a data file of a DynamoDB export",
        )


class _CompressedBytes(RawIOBase):
    """The compressed file for isal, with a hash and a count of the bytes read."""

    def __init__(self, file: RawIOBase, place: str, verify: bool, on_bytes: Callable[[int], None] | None) -> None:
        self._file = file
        self._place = place
        self._md5 = hashlib.md5(usedforsecurity=False) if verify else None
        self._on_bytes = on_bytes
        self._ended = False
        self.read_bytes = 0
        self.has_reserved_flags = False

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # Each system call matters for thousands of small files, so none is made after the end of the file.
        if self._ended:
            return 0
        try:
            size = self._file.readinto(buffer) or 0
        except StorageError:
            raise
        except OSError as error:
            raise StorageError(
                f"the data file can't be read: {error}", self._place, "run the same command again"
            ) from error
        self._ended = size == 0
        if size:
            flags_at = _FLAGS_AT - self.read_bytes
            self.read_bytes += size
            if self._md5:
                self._md5.update(buffer[:size])
            if self._on_bytes:
                self._on_bytes(size)
            if 0 <= flags_at < size:
                self.has_reserved_flags = buffer[flags_at] & _RESERVED_FLAGS != 0
        return size

    def drain(self) -> None:
        """Read to the end."""
        buffer = memoryview(b"" if self._ended else bytearray(_READ_BYTES))
        while self.readinto(buffer):
            pass

    def md5(self) -> bytes:
        """Return the md5 of the bytes read so far, or an empty value without verification."""
        return self._md5.digest() if self._md5 else b""

    def close(self) -> None:
        self._file.close()
        super().close()


def check_item_count(file: DataFile, items: int, empty_objects: int, place: str) -> None:
    """Raise DataFileError if the number of items in the file differs from the manifest.

    empty_objects: lines that are only `{}`, which DynamoDB may or may not count. Blank lines are not items.
    """
    if not items <= file.items <= items + empty_objects:
        raise DataFileError(
            f"item count mismatch: {file.items} in the manifest, {items} in the file", place, _COPY_AGAIN
        )


def _inflater(compressed: _CompressedBytes) -> isal_zlib._GzipReader:
    """Return a reader of all members of a gzip file. It raises EOFError, BadGzipFile or IsalError for damaged files.

    igzip.IGzipFile wraps this class, but copies each block once more (5 % of the time), because gzip.GzipFile does not
    implement readinto before Python 3.14.
    """
    return isal_zlib._GzipReader(cast(BinaryIO, compressed), _READ_BYTES)


_Memory = tuple[bytearray, NDArray[np.uint8]]
"""The same memory in two forms: to search, and to return."""


def _allocate(limit: int) -> _Memory:
    """Allocate memory for a block of `limit` bytes, a newline and padding."""
    memory = bytearray(limit + _EXTRA_BYTES)
    return memory, np.frombuffer(memory, dtype=np.uint8)


class _MemoryCache(threading.local):
    """Memory of the last reader of a thread, so that thousands of small files don't each allocate pages."""

    memory: _Memory | None = None


_cache = _MemoryCache()


def _take_cached(limit: int) -> _Memory | None:
    memory, _cache.memory = _cache.memory, None
    return memory if memory is not None and len(memory[0]) == limit + _EXTRA_BYTES else None


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
