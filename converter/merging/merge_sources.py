"""Opens the base and the increments of a merge, which are read like one source."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from io import RawIOBase

from converter.aws.access import AwsOptions
from converter.errors import ExportError
from converter.export.data_files import DataFile
from converter.export.locate import check_export_arn, open_export
from converter.export.manifest import Export, ExportKind
from converter.merging.base_snapshot import find_snapshot
from converter.options import ConvertOptions
from converter.publishing.record import Record
from converter.storage import open_source
from converter.storage.paths import EXPORTS
from converter.storage.source import Source
from converter.storage.stored_files import FileVersion


@dataclass(frozen=True, slots=True)
class MergeSource:
    """An export of a merge. source: that the paths of its files are relative to."""

    source: Source
    export: Export


@dataclass(frozen=True, slots=True)
class BaseSource(MergeSource):
    """The base. record: of a snapshot, whose parts are the files of its export; None for a full export."""

    record: Record | None = None

    @property
    def moment(self) -> datetime:
        """The moment of its items: all that was written earlier is in it."""
        return self.export.instant() if self.record is None else self.record.moment


def split_record(text: str) -> tuple[str, str | None]:
    """Return the destination that BASE may be, and the file name of its record if BASE names one."""
    folder, name = posixpath.split(text)
    if name.endswith(".json") and posixpath.basename(folder) == EXPORTS:
        return posixpath.dirname(folder) or ".", name
    return text, None


def open_base(text: str, options: ConvertOptions, aws: AwsOptions) -> BaseSource:
    """Open the export or the snapshot that BASE names. Raises ExportError, UsageError, StorageError."""
    place, name = split_record(text)
    if not text.startswith("arn:"):
        source = open_source(place, aws)
        record = find_snapshot(source, name)
        if record is not None:
            return BaseSource(source, _as_export(record, source), record)
    source, export = open_export(text, aws, verify=options.verify)
    if export.kind is not ExportKind.ITEMS:
        raise ExportError(
            "the base is an incremental export",
            export.source,
            "name a full export first, and the increments after it",
        )
    return BaseSource(source, export)


def _as_export(record: Record, source: Source) -> Export:
    """Return a snapshot as an export whose data files are its parts."""
    parts = record.parts_of("parquet")
    files = [DataFile(part.path, part.rows, b"", index) for index, part in enumerate(parts)]
    return Export(**{**asdict(record.to_summary()), "source": source.root}, files=tuple(files))


def check_unfiltered(text: str, aws: AwsOptions) -> None:
    """Raise ExportError for an increment that was made with a filter, by the service: manifests don't tell."""
    if not text.startswith("arn:"):
        return
    from converter.aws.exports import describe_export

    if describe_export(check_export_arn(text), aws.for_source()).filtered:
        raise ExportError(
            "the increment was made with a filter: an item that stopped matching just disappears, and would stay as it"
            " was before",
            text,
            "export the window without a filter; or pass --allow-filtered if items never stop matching",
        )


def open_increment(text: str, base: Export, options: ConvertOptions, aws: AwsOptions) -> MergeSource:
    """Open an incremental export. Raises ExportError if it is not one, or not of the base's table."""
    source, export = open_export(text, aws, verify=options.verify)
    if export.kind is not ExportKind.CHANGES:
        raise ExportError(
            "this is a full export; only BASE can be a full export",
            export.source,
            "name the incremental exports that were made after the base",
        )
    if (export.table_arn, export.table_id) != (base.table_arn, base.table_id):
        raise ExportError(
            f"the increment is of {export.table_arn} with id {export.table_id}, and the base of {base.table_arn} with"
            f" id {base.table_id}",
            export.source,
            "a table that was deleted and created again has another id: begin with a full export of it",
        )
    return MergeSource(source, export)


class CombinedSource(Source):
    """Sources under one root; a path begins with the number of its source: `0/data/x.json.gz`."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.root = sources[0].root
        self._sources = tuple(sources)

    def open(self, path: str) -> RawIOBase:
        """See Source."""
        source, inner = self._find(path)
        return source.open(inner)

    @contextmanager
    def prefetch(self, paths: Iterable[str]) -> Iterator[None]:
        """See Source; each of the sources prefetches its own paths."""
        by_source: dict[int, list[str]] = {}
        for path in paths:
            number, _, inner = path.partition("/")
            by_source.setdefault(int(number), []).append(inner)
        with ExitStack() as stack:
            for place, inners in by_source.items():
                stack.enter_context(self._sources[place].prefetch(inners))
            yield

    def size(self, path: str) -> int | None:
        """See Source."""
        source, inner = self._find(path)
        return source.size(inner)

    def versions(self, path: str) -> dict[str, FileVersion]:
        """See Source."""
        source, inner = self._find(path)
        return source.versions(inner)

    def folders(self, path: str) -> list[str]:
        """See Source."""
        source, inner = self._find(path)
        return source.folders(inner)

    def child(self, path: str) -> str:
        """See Source."""
        source, inner = self._find(path)
        return source.child(inner)

    def _find(self, path: str) -> tuple[Source, str]:
        number, _, inner = path.partition("/")
        return self._sources[int(number)], inner
