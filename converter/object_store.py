"""The interface of object stores: the requests that sources and destinations in a bucket are made of.

An object is written at once or not at all, and a listing shows it from then on. A multipart upload sends an object in
pieces, and no reader sees anything of it until it is completed. Two conditions let several writers agree on who wins:
"only if there is no such object", and "only if the object still has this ETag".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import RawIOBase

from converter.errors import ExportError, StorageError

Data = bytes | bytearray

Credentials = tuple[dict[str, str], int | None]
"""The members that object stores name `aws_…`, and when they expire, in Unix seconds; None for never."""

# Records, intents and leases are read whole.
_MOST_BYTES = 256 << 20


class ConditionFailedError(Exception):
    """The object is not as the request's condition says: another writer has changed it, or it exists already."""


class ConditionsUnsupportedError(Exception):
    """The store can't write on the condition that an object is unchanged."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """Facts of an object.

    written: when it was last written. age: seconds from then to this answer, both by the server's clock.
    """

    size: int
    etag: str
    metadata: Mapping[str, str]
    written: datetime
    age: float


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A small object, read whole."""

    content: bytes
    info: ObjectInfo


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object in a listing. size: in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class FolderListing:
    """Names of the folders directly below a folder, and of the objects, with their sizes in bytes and their ETags.

    An ETag is missing if the store did not send it.
    """

    folders: tuple[str, ...]
    sizes: Mapping[str, int]
    etags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that is not completed."""

    path: str
    upload_id: str
    begun: datetime


@dataclass(frozen=True, slots=True)
class Piece:
    """The facts of an uploaded piece that complete its upload. crc32: in base64."""

    etag: str
    crc32: str


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """Settings for libraries that read a bucket by themselves.

    options: settings in the names of the Rust crate object_store, which Polars, DataFusion and others take.
    credentials: returns the current ones at each call; raises StorageError and UsageError.
    retries: how often a request that fails is tried again.
    """

    options: Mapping[str, str]
    credentials: Callable[[], Credentials]
    retries: int


class ObjectReader(RawIOBase):
    """An object's bytes as they arrive.

    info: the object's facts.
    """

    info: ObjectInfo


class ObjectStore(ABC):
    """The objects of a bucket below a prefix, called by their path relative to it. For many threads; can be pickled.

    Every method raises StorageError and UsageError, which name the object and what the store refused.
    """

    @property
    @abstractmethod
    def prefix(self) -> str:
        """The prefix, without a slash at its end; `""` for the whole bucket."""

    @abstractmethod
    def at_prefix(self, prefix: str) -> ObjectStore:
        """Return the same bucket below another prefix."""

    @abstractmethod
    def place(self, path: str) -> str:
        """Return the object's address, for messages."""

    @abstractmethod
    def open(self, path: str, *, etag: str | None = None) -> ObjectReader:
        """Open an object to read it once from the beginning.

        Raises FileNotFoundError, ConditionFailedError if it has another ETag than `etag`. Reading raises ExportError if
        the object is replaced meanwhile.
        """

    def get(self, path: str) -> StoredObject | None:
        """Return a small object, None if it does not exist. Raises StorageError for one too large for memory."""
        try:
            reader = self.open(path)
        except FileNotFoundError:
            return None
        with reader:
            if reader.info.size > _MOST_BYTES:
                raise StorageError(
                    f"the object has {reader.info.size:,} bytes, which is more than ddb-convert would write",
                    self.place(path),
                    "find out what was put there, and remove it",
                )
            return StoredObject(reader.readall(), reader.info)

    @abstractmethod
    def head(self, path: str) -> ObjectInfo | None:
        """Return the facts of an object, None if it does not exist."""

    @abstractmethod
    def list_objects(self, prefix: str) -> Iterator[ListedObject]:
        """Yield the objects whose paths begin with the prefix, in the store's order, page by page."""

    @abstractmethod
    def list_folder(self, folder: str) -> FolderListing:
        """List what is directly below a folder."""

    @abstractmethod
    def put(self, path: str, content: Data) -> str:
        """Write a small object at once and return its ETag."""

    @abstractmethod
    def put_if_absent(self, path: str, content: Data) -> str:
        """As put, but only if there is no such object. Raises ConditionFailedError."""

    @abstractmethod
    def put_if_match(self, path: str, content: Data, etag: str) -> str:
        """As put, but only if the object has this ETag. Raises ConditionFailedError, ConditionsUnsupportedError."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Delete an object; no-op if it does not exist."""

    @abstractmethod
    def create_upload(self, path: str, metadata: Mapping[str, str]) -> str:
        """Begin a multipart upload of an object with this metadata, and return the upload's id."""

    @abstractmethod
    def upload_piece(self, path: str, upload_id: str, number: int, data: Data, crc32: str) -> Piece:
        """Upload the piece of this number, from 1. The store refuses bytes with another CRC-32, given in base64.

        Every piece but the last has at least 5 MiB. Raises FileNotFoundError if there is no such upload.
        """

    @abstractmethod
    def complete_upload(self, path: str, upload_id: str, pieces: Sequence[Piece], size: int) -> None:
        """Make the object of its pieces, `size` bytes in total. Raises FileNotFoundError if there is no such upload."""

    @abstractmethod
    def abort_upload(self, path: str, upload_id: str) -> None:
        """Drop an upload and its pieces; no-op if there is no such upload."""

    @abstractmethod
    def list_uploads(self, prefix: str) -> Iterator[Upload]:
        """Yield the uploads that are not completed, of paths that begin with the prefix, page by page."""

    @abstractmethod
    def may_take_effect(self, error: BaseException) -> bool:
        """Whether the request that ended in this error may still arrive, because the store did not answer it."""

    @abstractmethod
    def reader_settings(self) -> ReaderSettings:
        """Return how libraries read the bucket by themselves. Raises StorageError, UsageError."""


def object_changed_error(place: str) -> ExportError:
    """The error for an object that was replaced since it was first read."""
    return ExportError(
        "the object has changed while it was read",
        place,
        "find out what writes there; exports are never changed by the service. Then run the same command again",
    )
