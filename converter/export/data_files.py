"""Compact list of the data files of an export: a million of them in 80 MB."""

from __future__ import annotations

import hashlib
import posixpath
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import RawIOBase
from typing import overload

import numpy as np

_READ_BYTES = 1 << 20
_MD5_BYTES = 16


@dataclass(frozen=True, slots=True)
class DataFile:
    """One entry of manifest-files.json.

    path: current path of the file, relative to the root of the source.
    md5: of the compressed file, 16 bytes.
    index: its position in the manifest, from 0.
    in_ion: whether its lines are Ion; they are JSON otherwise.
    """

    path: str
    items: int
    md5: bytes
    index: int
    in_ion: bool = False


@dataclass(frozen=True, slots=True)
class _Table:
    """Columns of the list. names: all names, concatenated; ends: the end of each name; md5s: 16 bytes for each file.

    in_ion: applies to all files.
    """

    names: bytes
    ends: array[int]
    items: array[int]
    md5s: bytes
    in_ion: bool


class DataFiles(Sequence[DataFile]):
    """Data files, created on access. Slices share their data.

    folder: the folder of the files, relative to the root of the source.
    """

    def __init__(self, folder: str, table: _Table, places: range) -> None:
        self._folder = folder
        self._table = table
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> DataFile: ...

    @overload
    def __getitem__(self, index: slice) -> DataFiles: ...

    def __getitem__(self, index: int | slice) -> DataFile | DataFiles:
        if isinstance(index, slice):
            return DataFiles(self._folder, self._table, self._places[index])
        return self._file(self._places[index])

    def __iter__(self) -> Iterator[DataFile]:
        return map(self._file, self._places)

    def _file(self, place: int) -> DataFile:
        table = self._table
        name = table.names[table.ends[place - 1] if place else 0 : table.ends[place]].decode()
        md5 = table.md5s[_MD5_BYTES * place : _MD5_BYTES * (place + 1)]
        return DataFile(f"{self._folder}/{name}", table.items[place], md5, place, table.in_ion)

    def __reduce__(self) -> tuple[type[tuple[DataFile, ...]], tuple[list[DataFile]]]:
        """The copy of a slice has these files alone, not the whole table."""
        return tuple, (list(self),)


class ListedTwiceError(ValueError):
    """A name is listed in two lines, counted from 1."""

    def __init__(self, name: str, first: int, second: int) -> None:
        super().__init__(name, first, second)
        self.name = name
        self.first = first
        self.second = second


def collect_files(folder: str, entries: Iterable[tuple[int, str, int, bytes]], *, in_ion: bool = False) -> DataFiles:
    """Collect entries of line number, name, items and md5. Raises ListedTwiceError."""
    names, md5s = bytearray(), bytearray()
    ends, items, lines, hashes = array("q"), array("q"), array("q"), array("q")
    for line, name, count, md5 in entries:
        names += name.encode()
        ends.append(len(names))
        items.append(count)
        md5s += md5
        lines.append(line)
        hashes.append(hash(name))
    files = DataFiles(folder, _Table(bytes(names), ends, items, bytes(md5s), in_ion), range(len(items)))
    _check_listed_once(files, lines, hashes)
    return files


def _check_listed_once(files: DataFiles, lines: array[int], hashes: array[int]) -> None:
    found = np.array(hashes, np.int64)
    order = np.argsort(found, kind="stable")
    equal = np.flatnonzero(found[order[1:]] == found[order[:-1]])
    pairs = [(int(order[k + 1]), int(order[k])) for k in equal]
    twice = [(second, first) for second, first in pairs if files[second].path == files[first].path]
    if twice:
        second, first = min(twice)
        raise ListedTwiceError(posixpath.basename(files[second].path), lines[first], lines[second])


class ManifestLines:
    """Iterator over the lines of a manifest, without newlines, that reads and hashes the file in chunks.

    size: maximum of bytes in a line; a longer line raises ValueError.
    """

    def __init__(self, file: RawIOBase, size: int) -> None:
        self._file = file
        self._size = size
        self._md5 = hashlib.md5(usedforsecurity=False)

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        while piece := self._read():
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            yield from lines
            if len(rest) > self._size:
                raise ValueError(f"a line of more than {self._size} bytes")
        yield rest

    def md5(self) -> bytes:
        """Read the rest of the file, and return the md5 of all of it."""
        while self._read():
            pass
        return self._md5.digest()

    def _read(self) -> bytes:
        piece = self._file.read(_READ_BYTES) or b""
        self._md5.update(piece)
        return piece
