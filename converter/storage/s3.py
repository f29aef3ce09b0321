"""Sources and destinations in S3."""

from __future__ import annotations

import posixpath
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from io import RawIOBase

from converter.aws.access import Access, AwsOptions, Connection
from converter.aws.objects import Changed, ObjectFile, Objects, changed_under_read
from converter.aws.reader_settings import ReaderSettings, reach_bucket
from converter.aws.s3_uri import split_s3_uri
from converter.errors import ExportError, StorageError, UsageError
from converter.storage.destination import Destination, Lease
from converter.storage.leftovers import Leftover
from converter.storage.object_commit import hold_lease
from converter.storage.object_lease import check_unlocked
from converter.storage.object_leftovers import find_leftovers
from converter.storage.object_parts import in_parallel
from converter.storage.paths import is_path
from converter.storage.source import Source

# Files to come are fetched until they make up so many bytes or so many files.
_AHEAD_BYTES = 4 << 20
_AHEAD_FILES = 16
_AHEAD_ALWAYS = 2
_FETCHERS = 8
# What is read at once in the background; of larger objects only the beginning is under way.
_SMALL_BYTES = 512 << 10


class S3Source(Source):
    """A prefix to read from, taken for a folder. An object that is read twice must have the same ETag.

    Raises UsageError when it has no bucket.
    """

    def __init__(self, place: str, access: Access) -> None:
        self.root = place.rstrip("/")
        self._objects = Objects(*split_s3_uri(place), Connection(access, "s3"))
        self._begin()

    def _begin(self) -> None:
        self._etags: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._ahead: dict[str, _Ahead] = {}
        self._fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetch")

    def __getstate__(self) -> tuple[str, Objects]:
        return self.root, self._objects

    def __setstate__(self, state: tuple[str, Objects]) -> None:
        self.root, self._objects = state
        self._begin()

    def open(self, path: str) -> RawIOBase:
        """The object's bytes, to be read once from the beginning; they arrive while they are read."""
        ahead = self._ahead.get(path)
        return self._fetch(path) if ahead is None else ahead.take(path)

    def size(self, path: str) -> int | None:
        """The object's size in bytes, None when there is none of this name."""
        found = self._objects.find(self._inside(path)) if path else None
        return None if found is None else found.size

    def find(self, path: str) -> bytes | None:
        """A small object in one request, None when there is none of this name."""
        try:
            return self.read(path)
        except FileNotFoundError:
            return None

    def find_file(self, path: str) -> RawIOBase | None:
        """An object as `open` gives it, in one request, None when there is none of this name."""
        try:
            return self.open(path)
        except FileNotFoundError:
            return None

    def is_there(self) -> bool:
        """Whether there is an object with this prefix."""
        return next(self._objects.walk(""), None) is not None

    def sizes(self, path: str) -> dict[str, int]:
        """The size in bytes of the objects directly below, by their names."""
        sizes = self._objects.list_folder(self._inside(path))[1]
        self._sizes.update((posixpath.join(path, name), size) for name, size in sizes.items())
        return sizes

    def folders(self, path: str) -> list[str]:
        """Names of the folders directly below, sorted."""
        return sorted(self._objects.list_folder(self._inside(path))[0])

    @contextmanager
    def ahead(self, paths: Iterable[str]) -> Iterator[None]:
        """The paths will be opened in about this order: some are asked for before their turn."""
        paths = [path for path in paths if path not in self._ahead]
        ahead = _Ahead(paths, self._sizes, lambda path: self._fetchers.submit(self._fetch, path, small=True))
        self._ahead.update(dict.fromkeys(paths, ahead))
        try:
            yield
        finally:
            for path in paths:
                self._ahead.pop(path, None)
            ahead.close()

    def _fetch(self, path: str, *, small: bool = False) -> RawIOBase:
        """Ask for the object; small: read all of it if it is small."""
        try:
            answer = self._objects.begin_read(self._inside(path), etag=self._etags.get(path))
        except Changed:
            raise changed_under_read(self.child(path)) from None
        self._etags.setdefault(path, answer["ETag"])
        file = ObjectFile(self._objects, path, answer)
        if not small or file.found.size > _SMALL_BYTES:
            return file
        with file:
            return _Fetched(file.readall())

    def _inside(self, path: str) -> str:
        if path.startswith("/") or ".." in path.split("/") or "\0" in path:
            raise ExportError(
                "the path leads out of the export's folder", self.child(path), "see what wrote this manifest"
            )
        return path


class _Fetched(RawIOBase):
    """A file that was read whole before its turn."""

    def __init__(self, content: bytes) -> None:
        self._rest = memoryview(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class _Ahead:
    """Files that are opened in about a known order; a few are under way before their turn. For many threads."""

    def __init__(
        self, paths: Iterable[str], sizes: Mapping[str, int], fetch: Callable[[str], Future[RawIOBase]]
    ) -> None:
        self._coming = deque(paths)
        self._sizes = sizes
        self._fetch = fetch
        self._lock = threading.Lock()
        self._begun: dict[str, Future[RawIOBase]] = {}
        self._fill()

    def take(self, path: str) -> RawIOBase:
        """The file; those that come next are asked for."""
        with self._lock:
            begun = self._begun.pop(path, None)
            if begun is None:
                self._coming = deque(later for later in self._coming if later != path)
        if begun is None:
            begun = self._fetch(path)
        self._fill()
        return begun.result()

    def close(self) -> None:
        """Nothing more is wanted."""
        with self._lock:
            self._coming.clear()
            for begun in self._begun.values():
                if not begun.cancel():
                    begun.add_done_callback(_close)

    def _fill(self) -> None:
        with self._lock:
            while self._coming and self._has_room():
                path = self._coming.popleft()
                self._begun[path] = self._fetch(path)

    def _has_room(self) -> bool:
        if len(self._begun) < _AHEAD_ALWAYS:
            return True
        under_way = sum(self._sizes.get(path, _AHEAD_BYTES) for path in [*self._begun, self._coming[0]])
        return len(self._begun) < _AHEAD_FILES and under_way <= _AHEAD_BYTES


def _close(begun: Future[RawIOBase]) -> None:
    if begun.exception() is None:
        begun.result().close()


class S3Destination(Destination):
    """A prefix to publish to. Parts are uploads that are not completed until the commit.

    Raises UsageError for a prefix that can't be a folder.
    """

    def __init__(self, place: str, aws: AwsOptions) -> None:
        self.root = place.rstrip("/")
        bucket, prefix = split_s3_uri(place)
        if not is_path(prefix):
            raise UsageError(
                "a destination can't have empty, `.` or `..` parts or control characters in its name",
                place,
                "choose another",
            )
        self._objects = Objects(bucket, prefix, Connection(aws.for_dest(), "s3"), aws.on_write())
        self._part_arguments = {} if aws.storage_class is None else {"StorageClass": aws.storage_class}

    def lease(self, *, recover: bool = True) -> AbstractContextManager[Lease]:
        """Hold the destination; at the end, whatever was not committed is gone."""
        return hold_lease(self._objects, self._part_arguments, recover=recover)

    def check_free(self) -> None:
        """Raises BusyError when another run holds the destination."""
        check_unlocked(self._objects)

    def leftovers(self) -> list[Leftover]:
        """Uploads that are not completed, a lease, and a commit that has begun."""
        return find_leftovers(self._objects)

    def read(self, path: str) -> bytes | None:
        """A small object, None when it does not exist."""
        found = self._objects.read(self._inside(path))
        return None if found is None else found[0]

    def size(self, path: str) -> int | None:
        """The object's size in bytes, None when there is none of this name."""
        found = self._objects.find(self._inside(path)) if path else None
        return None if found is None else found.size

    def read_all(self, paths: Sequence[str]) -> list[bytes | None]:
        """As read, for each of the paths, many at once."""
        return in_parallel(self.read, paths)

    def sizes(self, folder: str) -> dict[str, int]:
        """The size in bytes of the objects directly below, by their names; empty when there are none."""
        return self._objects.list_folder(self._inside(folder))[1]

    def names(self, folder: str) -> list[str]:
        """Names of the objects and folders directly below, sorted; empty when there are none."""
        folders, sizes = self._objects.list_folder(self._inside(folder))
        return sorted({*folders, *sizes})

    def reach(self) -> ReaderSettings:
        """How libraries read the parts."""
        return reach_bucket(self._objects.connection, self._objects.bucket)

    def _inside(self, path: str) -> str:
        if not is_path(path):
            raise StorageError("the path leads out of the destination", self.child(path), "see what wrote this record")
        return path
