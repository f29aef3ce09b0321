"""An object store in memory, for tests of the protocols: with the semantics of S3, and without HTTP.

Conditional writes are atomic, ETags are those of S3 (equal for equal bytes), a multipart upload shows nothing until it
is completed, and listings come in pages, in the order of the keys' bytes. A test can refuse requests, lose their
answers, move the clock, and cut a client off, as if its process had been killed.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TypeVar

import pytest

from converter.aws.access import AwsOptions, Side
from converter.errors import StorageError
from converter.object_store import (
    ConditionFailedError,
    ConditionsUnsupportedError,
    Data,
    FolderListing,
    ListedObject,
    ObjectInfo,
    ObjectReader,
    ObjectStore,
    Piece,
    ReaderSettings,
    Upload,
)
from converter.storage.schemes import SCHEMES

SCHEME = "memory://"
LEAST_PIECE = 5 << 20

_T = TypeVar("_T")


class UnansweredError(StorageError):
    """The request took effect, but its answer was lost."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a client. operation: the name of the store's method. number, size: of an uploaded piece."""

    operation: str
    key: str
    number: int = 0
    size: int = 0


Rule = Callable[[Request], Exception | None]
"""The error that ends a request, if any. A rule may also change the bucket."""


@dataclass(slots=True)
class _Object:
    content: bytes
    etag: str
    metadata: Mapping[str, str]
    written: datetime


@dataclass(slots=True)
class _Upload:
    key: str
    metadata: Mapping[str, str]
    begun: datetime
    pieces: dict[int, tuple[bytes, Piece]] = field(default_factory=dict)


class MemoryBucket:
    """A bucket.

    refuse: the error of a request that has no effect. lose: the error of one that has taken effect.
    conditional: whether it knows `put_if_match`. requests: all that were received.
    """

    def __init__(self, *, page_size: int = 3) -> None:
        self.name = f"bucket-{uuid.uuid4().hex[:12]}"
        self.page_size = page_size
        self.refuse: Rule | None = None
        self.lose: Rule | None = None
        self.conditional = True
        self.requests: list[Request] = []
        self.objects: dict[str, _Object] = {}
        self.open_uploads: dict[str, _Upload] = {}
        self.lock = threading.RLock()
        self._offset = timedelta()
        _BUCKETS[self.name] = self

    def now(self) -> datetime:
        """The server's clock."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._offset += timedelta(seconds=seconds)

    @property
    def place(self) -> str:
        """The bucket as a user would write it."""
        return f"{SCHEME}{self.name}"

    def store(self, prefix: str = "") -> MemoryStore:
        """A new client."""
        return MemoryStore(self, prefix)

    def listing(self) -> dict[str, bytes]:
        """All objects: their bytes by their keys."""
        with self.lock:
            return {key: found.content for key, found in sorted(self.objects.items())}

    def uploads(self) -> list[str]:
        """The keys of the uploads that are neither completed nor aborted, sorted."""
        with self.lock:
            return sorted(upload.key for upload in self.open_uploads.values())

    def operations(self) -> list[str]:
        """The operations of all requests."""
        return [request.operation for request in self.requests]


_BUCKETS: dict[str, MemoryBucket] = {}


class MemoryStore(ObjectStore):
    """One client of a bucket. `cut_off` ends it: no later request has an effect."""

    def __init__(self, bucket: MemoryBucket, prefix: str, cut: threading.Event | None = None) -> None:
        self.bucket = bucket
        self._prefix = prefix
        self._cut = cut or threading.Event()

    def __reduce__(self) -> tuple[Callable[[str, str], MemoryStore], tuple[str, str]]:
        return open_memory_store, (self.bucket.name, self._prefix)

    @property
    def prefix(self) -> str:
        return self._prefix

    def cut_off(self) -> None:
        """Let no request of this client arrive any more, as if its process had been killed."""
        self._cut.set()

    def at_prefix(self, prefix: str) -> MemoryStore:
        return MemoryStore(self.bucket, prefix, self._cut)

    def place(self, path: str) -> str:
        return f"{SCHEME}{self.bucket.name}/{self._key(path)}"

    def open(self, path: str, *, etag: str | None = None) -> ObjectReader:
        def read(key: str) -> ObjectReader:
            found = self._found(key, etag)
            return _Reader(self.info(found), found.content)

        return self._do("open", path, read)

    def head(self, path: str) -> ObjectInfo | None:
        try:
            return self._do("head", path, lambda key: self.info(self._found(key)))
        except FileNotFoundError:
            return None

    def list_objects(self, prefix: str) -> Iterator[ListedObject]:
        after = ""
        while True:
            page = self._do("list_objects", prefix, lambda key, after=after: self._page(key, after))  # type: ignore[misc]
            yield from (ListedObject(self._path(key), size) for key, size in page)
            if len(page) < self.bucket.page_size:
                return
            after = page[-1][0]

    def list_folder(self, folder: str) -> FolderListing:
        prefix = self._key(f"{folder}/" if folder else "")

        def find(_: str) -> FolderListing:
            names = {key[len(prefix) :]: found for key, found in self.bucket.objects.items() if key.startswith(prefix)}
            folders = {name.partition("/")[0] for name in names if "/" in name} - {""}
            files = {name: len(found.content) for name, found in names.items() if name and "/" not in name}
            etags = {name: names[name].etag for name in files}
            return FolderListing(tuple(sorted(folders)), dict(sorted(files.items())), etags)

        return self._do("list_folder", folder, find)

    def put(self, path: str, content: Data) -> str:
        return self._do("put", path, lambda key: self._write(key, content))

    def put_if_absent(self, path: str, content: Data) -> str:
        def write(key: str) -> str:
            if key in self.bucket.objects:
                raise ConditionFailedError
            return self._write(key, content)

        return self._do("put_if_absent", path, write)

    def put_if_match(self, path: str, content: Data, etag: str) -> str:
        def write(key: str) -> str:
            if not self.bucket.conditional:
                raise ConditionsUnsupportedError
            found = self.bucket.objects.get(key)
            if found is None or found.etag != etag:
                raise ConditionFailedError
            return self._write(key, content)

        return self._do("put_if_match", path, write)

    def delete(self, path: str) -> None:
        self._do("delete", path, lambda key: self.bucket.objects.pop(key, None))

    def create_upload(self, path: str, metadata: Mapping[str, str]) -> str:
        def create(key: str) -> str:
            upload_id = uuid.uuid4().hex
            self.bucket.open_uploads[upload_id] = _Upload(key, dict(metadata), self.bucket.now())
            return upload_id

        return self._do("create_upload", path, create)

    def upload_piece(self, path: str, upload_id: str, number: int, data: Data, crc32: str) -> Piece:
        def add(key: str) -> Piece:
            content = bytes(data)
            if base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode() != crc32:
                raise StorageError("the checksum is wrong", self.place(path))
            piece = Piece(_etag(content), crc32)
            self._upload(key, upload_id).pieces[number] = content, piece
            return piece

        return self._do("upload_piece", path, add, number, len(data))

    def complete_upload(self, path: str, upload_id: str, pieces: Sequence[Piece], size: int) -> None:
        def complete(key: str) -> None:
            upload = self._upload(key, upload_id)
            sent = [upload.pieces.get(number, (b"", None)) for number in range(1, len(pieces) + 1)]
            if not pieces or [piece for _, piece in sent] != list(pieces):
                raise StorageError("the pieces are not those that were sent", self.place(path))
            if any(len(content) < LEAST_PIECE for content, _ in sent[:-1]):
                raise StorageError("a piece is too small", self.place(path))
            content = b"".join(content for content, _ in sent)
            if len(content) != size:
                raise StorageError("the size is wrong", self.place(path))
            digests = b"".join(hashlib.md5(content).digest() for content, _ in sent)
            self._write(key, content, f'"{hashlib.md5(digests).hexdigest()}-{len(sent)}"', upload.metadata)
            del self.bucket.open_uploads[upload_id]

        self._do("complete_upload", path, complete)

    def abort_upload(self, path: str, upload_id: str) -> None:
        self._do("abort_upload", path, lambda _: self.bucket.open_uploads.pop(upload_id, None))

    def list_uploads(self, prefix: str) -> Iterator[Upload]:
        def find(key: str) -> list[Upload]:
            found = sorted(self.bucket.open_uploads.items(), key=lambda item: (item[1].key, item[1].begun))
            return [Upload(self._path(u.key), name, u.begun) for name, u in found if u.key.startswith(key)]

        yield from self._do("list_uploads", prefix, find)

    def may_take_effect(self, error: BaseException) -> bool:
        return isinstance(error, UnansweredError)

    def reader_settings(self) -> ReaderSettings:
        return ReaderSettings({}, lambda: ({}, None), 0)

    def info(self, found: _Object) -> ObjectInfo:
        """The facts of an object, as an answer tells them now."""
        age = (self.bucket.now() - found.written).total_seconds()
        return ObjectInfo(len(found.content), found.etag, found.metadata, found.written, age)

    def _do(self, operation: str, path: str, act: Callable[[str], _T], number: int = 0, size: int = 0) -> _T:
        request = Request(operation, self._key(path), number, size)
        if self._cut.is_set():
            raise StorageError("the client was cut off", self.place(path))
        self.bucket.requests.append(request)
        refused = self.bucket.refuse and self.bucket.refuse(request)
        if refused:
            raise refused
        with self.bucket.lock:
            # A request under way when the process is killed may arrive or not: here it does not.
            if self._cut.is_set():
                raise StorageError("the client was cut off", self.place(path))
            answer = act(request.key)
        lost = self.bucket.lose and self.bucket.lose(request)
        if lost:
            raise lost
        return answer

    def _found(self, key: str, etag: str | None = None) -> _Object:
        found = self.bucket.objects.get(key)
        if found is None:
            raise FileNotFoundError(f"{SCHEME}{self.bucket.name}/{key} does not exist")
        if etag not in (None, found.etag):
            raise ConditionFailedError
        return found

    def _upload(self, key: str, upload_id: str) -> _Upload:
        upload = self.bucket.open_uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise FileNotFoundError(f"{SCHEME}{self.bucket.name}/{key} does not exist")
        return upload

    def _write(self, key: str, content: Data, etag: str = "", metadata: Mapping[str, str] | None = None) -> str:
        found = _Object(bytes(content), etag or _etag(content), metadata or {}, self.bucket.now())
        self.bucket.objects[key] = found
        return found.etag

    def _page(self, prefix: str, after: str) -> list[tuple[str, int]]:
        keys = sorted((key for key in self.bucket.objects if key.startswith(prefix)), key=str.encode)
        later = [key for key in keys if not after or key.encode() > after.encode()]
        return [(key, len(self.bucket.objects[key].content)) for key in later[: self.bucket.page_size]]

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _path(self, key: str) -> str:
        return key[len(self._prefix) + 1 :] if self._prefix else key


class _Reader(ObjectReader):
    """An answer, which has the bytes of the object as it was when it was requested."""

    def __init__(self, info: ObjectInfo, content: bytes) -> None:
        self.info = info
        self._body = BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._body.readinto(buffer)


def open_memory_store(name: str, prefix: str) -> MemoryStore:
    """Open a bucket of this process by its name."""
    return _BUCKETS[name].store(prefix)


def register_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program open `memory://bucket/prefix/` during a test."""

    def open_place(place: str, aws: AwsOptions, side: Side) -> MemoryStore:
        name, _, prefix = place.removeprefix(SCHEME).partition("/")
        return open_memory_store(name, prefix.rstrip("/"))

    monkeypatch.setitem(SCHEMES, SCHEME, open_place)


def _etag(content: Data) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'
