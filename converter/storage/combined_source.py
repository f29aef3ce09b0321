"""Several sources as one: the base of a merge and its increments, wherever each of them is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import RawIOBase

from converter.storage.source import Source
from converter.storage.stored_files import FileVersion


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
