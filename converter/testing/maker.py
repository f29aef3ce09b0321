"""Writes an export to a folder that represents the bucket, streaming, with the same bytes for the same arguments."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b32encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from converter.testing.ion import in_format
from converter.testing.manifest import (
    DataFileFacts,
    ExportFacts,
    WindowFacts,
    compact,
    files_text,
    md5_text,
    summary_text,
)
from converter.testing.values import TAGS, to_dynamodb

Item = Mapping[str, object]
"""Attributes by name: a dict with a type tag is taken as it is, any other value goes through `to_dynamodb`."""

# Ten bytes without a name or a time, written by "unknown": what the service's gzip files begin with.
GZIP_HEADER = bytes.fromhex("1f8b08000000000000ff")
BUFFER_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class ExportPaths:
    """Paths of an export. `data_files` are in the order of the manifest."""

    bucket: Path
    folder: Path
    export_id: str
    data_files: tuple[Path, ...]

    @property
    def summary(self) -> Path:
        """manifest-summary.json"""
        return self.folder / "manifest-summary.json"

    @property
    def files(self) -> Path:
        """manifest-files.json"""
        return self.folder / "manifest-files.json"


def write_export(
    bucket: str | PathLike[str],
    items: Iterable[Item | bytes],
    *,
    files: int = 1,
    empty_files: int = 0,
    facts: ExportFacts = ExportFacts(),  # noqa: B008 (frozen)
) -> ExportPaths:
    """Write a full export of the items below `bucket` and return its paths.

    Items are dealt to `files` data files in turn, like cards, in bounded memory: item i goes to file i mod files.
    `empty_files` more hold nothing, as the empty partitions of a table do; they are among the others.
    An item given as bytes is written as it is, plus a newline, and counts as an item unless it is blank or `{}`.
    Raises TypeError and ValueError for what the service can't write, FileExistsError if the export is there already.
    """
    lines = (_line(item, facts) for item in items)
    return deal_lines(Path(bucket), lines, files, empty_files, facts)


def write_split_export(
    bucket: str | PathLike[str],
    data_files: Iterable[Iterable[Item | bytes]],
    *,
    facts: ExportFacts = ExportFacts(),  # noqa: B008 (frozen)
) -> ExportPaths:
    """Write a full export with exactly these data files, in this order; otherwise as `write_export`.

    One file is written after the other, so the inner iterables may be generators of any length.
    """
    export = _OpenExport(Path(bucket), facts)
    for items in data_files:
        file = export.add_data_file()
        for item in items:
            file.write(_line(item, facts))
        file.close()
    return export.close()


def deal_lines(
    bucket: Path, lines: Iterable[bytes], files: int, empty_files: int, facts: ExportFacts | WindowFacts
) -> ExportPaths:
    """Write an export of these lines, which have no newlines yet; see write_export."""
    if files < 0 or empty_files < 0:
        raise ValueError("a number of data files can't be negative")
    export = _OpenExport(bucket, facts)
    dealt: list[_DataFile] = []
    for index in range(files + empty_files):
        file = export.add_data_file()
        # True for `files` of the indices, spread evenly.
        if (index + 1) * files // (files + empty_files) > index * files // (files + empty_files):
            dealt.append(file)
    for index, line in enumerate(lines):
        if not dealt:
            raise ValueError("items need at least one data file")
        dealt[index % files].write(line)
    return export.close()


def item_line(item: Item) -> bytes:
    """The line of an item, with its newline: compact, raw UTF-8, attributes in the order given."""
    return compact({"Item": typed_item(item)}) + b"\n"


def _line(item: Item | bytes, facts: ExportFacts) -> bytes:
    """The line of an item in the export's format, without its newline; bytes are a line already."""
    return item if isinstance(item, bytes) else in_format(item_line(item), facts.output_format)[:-1]


def typed_item(item: Item) -> dict[str, object]:
    """The attributes, each with its type tag. Raises TypeError and ValueError for what DynamoDB doesn't hold."""
    return {name: _typed(name, value) for name, value in item.items()}


def count_items(lines: bytes) -> int:
    """Count the lines that are items: all except blank lines and `{}`."""
    return sum(line.strip() not in (b"", b"{}") for line in lines.split(b"\n"))


def _typed(name: object, value: object) -> object:
    if not isinstance(name, str):
        raise TypeError(f"an attribute name is text, not {type(name).__name__}: {name!r}")
    if not isinstance(value, Mapping):
        return to_dynamodb(value)
    if len(value) == 1 and next(iter(value)) in TAGS:
        return value
    raise TypeError(f"attribute {name!r} is a map without a type tag; wrap it in to_dynamodb(…)")


class _OpenExport:
    """An export while it is written."""

    def __init__(self, bucket: Path, facts: ExportFacts | WindowFacts) -> None:
        self._bucket = bucket
        self._facts = facts
        self._folder = bucket / facts.key_prefix
        self._data = bucket / facts.data_prefix
        self._files: list[_DataFile] = []
        self._folder.mkdir(parents=True)
        (self._folder / "_started").touch()
        self._data.mkdir(exist_ok=isinstance(facts, WindowFacts))

    def add_data_file(self) -> _DataFile:
        """A new data file, after those that were added before."""
        # The service's names are 16 random bytes in base 32 without padding.
        digest = self._facts.digest("data", len(self._files))
        name = b32encode(digest).decode("ascii").rstrip("=").lower()
        suffix = "ion" if self._facts.output_format == "ION" else "json"
        file = _DataFile(self._data / f"{name}.{suffix}.gz")
        self._files.append(file)
        return file

    def close(self) -> ExportPaths:
        """Finish the data files and write the manifests."""
        listed: list[DataFileFacts] = []
        for file in self._files:
            file.close()
            key = f"{self._facts.data_prefix}{file.path.name}"
            listed.append(DataFileFacts(key, file.items, file.md5.digest()))
        write_manifest(self._folder, "files", files_text(listed))
        items = sum(file.items for file in self._files)
        size = sum(file.size for file in self._files)
        write_manifest(self._folder, "summary", summary_text(self._facts, items, size))
        paths = tuple(file.path for file in self._files)
        return ExportPaths(self._bucket, self._folder, self._facts.export_id, paths)


def write_manifest(folder: Path, name: str, text: bytes) -> None:
    """Write manifest-`name`.json and its checksum."""
    (folder / f"manifest-{name}.json").write_bytes(text)
    md5 = hashlib.md5(text, usedforsecurity=False).digest()
    (folder / f"manifest-{name}.md5").write_text(md5_text(md5), encoding="ascii")


class _DataFile:
    """One data file while it is written. It is open only for a moment at a time, so that there may be thousands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.items = 0
        self.size = 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self._lines: list[bytes] = []
        self._buffered = 0
        self._crc = 0
        self._deflate: zlib._Compress | None = None
        self._closed = False

    def write(self, line: bytes) -> None:
        self.items += count_items(line)
        self._lines.append(line + b"\n")
        self._buffered += len(line) + 1
        if self._buffered >= BUFFER_BYTES:
            self._append(self._drain())

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        rest = self._drain()
        assert self._deflate is not None
        isize = (self.size & 0xFFFFFFFF).to_bytes(4, "little")
        self._append(rest + self._deflate.flush() + self._crc.to_bytes(4, "little") + isize)
        self._deflate = None

    def _drain(self) -> bytes:
        """The compressed form of the buffered lines, as far as the compressor gives it already."""
        head = b""
        if self._deflate is None:
            self._deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
            head = GZIP_HEADER
        lines = b"".join(self._lines)
        self._lines.clear()
        self._buffered = 0
        self.size += len(lines)
        self._crc = zlib.crc32(lines, self._crc)
        return head + self._deflate.compress(lines)

    def _append(self, compressed: bytes) -> None:
        self.md5.update(compressed)
        with self.path.open("ab") as stream:
            stream.write(compressed)
