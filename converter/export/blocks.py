"""From a data file to blocks of whole lines: read, checked against its md5, inflated, and cut at newlines."""

from __future__ import annotations

import base64
import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from types import TracebackType
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
_SPARE = len(_NEWLINE) + PADDING
_READ_BYTES = 1 << 19
# isal's stub declares the class as an instance.
_ISAL_ERROR = cast(type[Exception], igzip_lib.IsalError)
_FLAGS_AT = 3
_RESERVED_FLAGS = 0xE0
_COPY_AGAIN = "copy the file again from the export's bucket; if it is the same there, export the table again"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Whole lines of a data file, valid until the next block is asked for: the memory is used again.

    data: data[:size] are the lines, each ends in a newline; data[size : size + PADDING] are zeros.
    byte: offset of the first byte in the inflated file.
    """

    data: NDArray[np.uint8]
    size: int
    byte: int


class BlockReader:
    """The blocks of one data file:

        with BlockReader(source, file, verify=True) as reader:
            for block in reader:
                ...

    Where blocks begin and end depends on the file and on block_bytes alone. A block has at most block_bytes, unless a
    single line is longer. A last line without a newline gets one.

    Raises DataFileError when the file is missing, when its md5 is not the manifest's (verify only; known before the
    last block is handed out) or when it is no complete gzip file, and BadLineError for a line over MAX_LINE_BYTES, or
    one over BLOCK_BYTES that has more than MAX_LINE_COMMAS commas.
    Damaged bytes may come out as lines before the damage is noticed. So who finds a bad line calls verify_rest(),
    which raises if the file is damaged, before blaming the line.

    on_bytes: told the number of compressed bytes after each read.
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file. The reader can't be used any more; closing twice is fine."""
        self._compressed.close()
        if self._memory is not None:
            _spare.memory, self._memory = self._memory, None

    def verify_rest(self) -> None:
        """Reads what is left of the file, without inflating it, and raises DataFileError if the md5 is wrong."""
        if not self._verify:
            return
        self._compressed.drain()
        actual = self._compressed.md5()
        if actual != self._file.md5:
            raise DataFileError(
                f"md5 mismatch: the manifest says {_base64(self._file.md5)}, the file has {_base64(actual)}",
                self.place,
                f"{_COPY_AGAIN}. Pass --no-verify only if it was edited on purpose",
            )

    def line_at(self, byte: int) -> int:
        """Number, from 1, of the line that holds this byte of the inflated file.

        Reads the file a second time up to that place: counting while reading would slow every conversion by 5 %, and
        only errors need the number.
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
        """The line in the file, from 1, and the byte in the file, for a byte of a block: a line's first one."""
        return self.line_at(byte), byte

    def where(self, byte: int) -> str:
        """The place of a byte of the inflated file, as errors name it: `path line 12 (byte 3456)`."""
        return f"{self.place} line {self.line_at(byte)} (byte {byte})"

    def __iter__(self) -> Iterator[Block]:
        limit, filled, searched, byte = self._block_bytes, 0, 0, 0
        memory, data = self._memory = _take_spare(limit) or _allocate(limit)
        while True:
            wanted = max(limit - filled, 0)
            read = self._inflate(memoryview(memory)[filled : filled + wanted])
            filled += read
            if read < wanted:
                break
            size = memory.rfind(_NEWLINE, searched, filled) + 1
            if not size:
                if limit == MAX_LINE_BYTES:
                    raise self._too_long(byte)
                limit, searched = min(2 * limit, MAX_LINE_BYTES), filled
                if len(data) < limit + _SPARE:
                    longer, data = _allocate(limit)
                    longer[:filled] = memoryview(memory)[:filled]
                    memory = longer
                continue
            self._check_long_lines(memory, size, byte)
            behind = memory[size : size + PADDING]
            memory[size : size + PADDING] = _ZEROS
            yield Block(data, size, byte)
            memory[size : size + PADDING] = behind
            data[: filled - size] = data[size:filled]
            byte, filled, limit, searched = byte + size, filled - size, self._block_bytes, 0
        self._finish()
        if filled:
            if memory[filled - 1 : filled] != _NEWLINE:
                memory[filled : filled + 1] = _NEWLINE
                filled += 1
            memory[filled : filled + PADDING] = _ZEROS
            self._check_long_lines(memory, filled, byte)
            yield Block(data, filled, byte)

    def _inflate(self, into: memoryview) -> int:
        """Fills the memory as far as the file goes and returns how many bytes that were."""
        filled = 0
        try:
            while filled < len(into) and (read := self._inflater.readinto(into[filled:])):
                filled += read
        except (EOFError, gzip.BadGzipFile, _ISAL_ERROR) as error:
            raise self._damaged(str(error)) from None
        except OverflowError:
            raise self._damaged(f"a header of more than {_READ_BYTES >> 10} KB, which no export has") from None
        if self._compressed.has_reserved_flags:
            # RFC 1952: the header may have a part that this program would take for data.
            raise self._damaged("reserved flags in its header")
        return filled

    def _finish(self) -> None:
        self.verify_rest()
        if not self._compressed.read_bytes:
            raise self._damaged("the file is empty")

    def _damaged(self, reason: str) -> DataFileError:
        self.verify_rest()
        if self._verify:
            what, hint = f"no complete gzip file ({reason}), although the md5 is right", "export the table again"
        else:
            what, hint = f"no complete gzip file ({reason})", _COPY_AGAIN
        return DataFileError(what, self.place, hint)

    def _check_long_lines(self, memory: bytearray, size: int, byte: int) -> None:
        """Raise BadLineError for a long line with more values than an item can have: they would take gigabytes."""
        start = 0
        while size - start > BLOCK_BYTES:
            end = memory.index(_NEWLINE, start, size)
            if end - start > BLOCK_BYTES and memory.count(b",", start, end) > MAX_LINE_COMMAS:
                raise self._not_an_item(f"has more than {MAX_LINE_COMMAS:,} commas", byte + start)
            start = end + 1

    def _too_long(self, byte: int) -> BadLineError:
        return self._not_an_item(f"is longer than {MAX_LINE_BYTES >> 20} MiB", byte)

    def _not_an_item(self, fact: str, byte: int) -> BadLineError:
        self.verify_rest()
        return BadLineError(
            f"the line {fact}, more than an item of DynamoDB's {ITEM_BYTES >> 10} KB can have",
            self.where(byte),
            "see whether this is a data file of a DynamoDB export",
        )


class _CompressedBytes(RawIOBase):
    """The file as isal reads it: every byte that passes is hashed and counted."""

    def __init__(self, file: RawIOBase, place: str, verify: bool, on_bytes: Callable[[int], None] | None) -> None:
        self._file = file
        self._place = place
        self._md5 = hashlib.md5(usedforsecurity=False) if verify else None
        self._on_bytes = on_bytes
        self._ended = False
        self.read_bytes = 0
        self.has_reserved_flags = False

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # Thousands of small files feel each call to the system: there is none once the file's end has been seen.
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
        """Reads to the end."""
        buffer = memoryview(b"" if self._ended else bytearray(_READ_BYTES))
        while self.readinto(buffer):
            pass

    def md5(self) -> bytes:
        """Of all bytes read so far; empty if they were not to be hashed."""
        return self._md5.digest() if self._md5 else b""

    def close(self) -> None:
        self._file.close()
        super().close()


def check_item_count(file: DataFile, items: int, empty_objects: int, place: str) -> None:
    """Raises DataFileError unless the file has as many items as the manifest says.

    empty_objects: lines that are only `{}`; the service may or may not have counted them. Blank lines are no items.
    """
    if not items <= file.items <= items + empty_objects:
        raise DataFileError(f"the manifest says {file.items} items, the file has {items}", place, _COPY_AGAIN)


def _inflater(compressed: _CompressedBytes) -> isal_zlib._GzipReader:
    """Reads all members of a gzip file; raises EOFError, BadGzipFile or IsalError where it is damaged.

    The class that igzip.IGzipFile is a shell of. Through the shell, each block is copied once more (5 % of the time),
    because gzip.GzipFile has no readinto of its own before Python 3.14.
    """
    return isal_zlib._GzipReader(cast(BinaryIO, compressed), _READ_BYTES)


_Memory = tuple[bytearray, NDArray[np.uint8]]
"""The same memory twice: to search and to hand out."""


def _allocate(limit: int) -> _Memory:
    """Memory for a block of `limit` bytes and what may follow it."""
    memory = bytearray(limit + _SPARE)
    return memory, np.frombuffer(memory, dtype=np.uint8)


class _Spare(threading.local):
    """Memory that the thread's last reader has let go of: thousands of small files would each pay for its pages."""

    memory: _Memory | None = None


_spare = _Spare()


def _take_spare(limit: int) -> _Memory | None:
    memory, _spare.memory = _spare.memory, None
    return memory if memory is not None and len(memory[0]) == limit + _SPARE else None


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
