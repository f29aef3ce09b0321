"""An object store in memory keeps the rules for object stores, and so do sources, destinations and leftovers in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import pytest

from converter.object_store import ObjectStore
from converter.storage import open_destination, open_source
from converter.storage.destination import Destination
from converter.storage.object_destination import ObjectDestination
from converter.storage.object_lease import STALE_SECONDS
from converter.storage.source import Source
from tests.conformance.dying import run_until
from tests.conformance.leftovers import EXPORT, UploadLeftoversSuite
from tests.conformance.object_stores import ObjectStoreSuite
from tests.conformance.suites import DestinationSuite, SourceSuite
from tests.memory_store import MemoryBucket, register_scheme

PREFIX = "some/where"


class InMemory:
    """A new bucket for each test."""

    @pytest.fixture(autouse=True)
    def _bucket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        register_scheme(monkeypatch)
        self.bucket = MemoryBucket()
        self.place = f"{self.bucket.place}/{PREFIX}/"


class TestMemoryStore(InMemory, ObjectStoreSuite):
    def open_store(self) -> ObjectStore:
        return self.bucket.store(PREFIX)


class TestSourceInMemory(InMemory, SourceSuite):
    def make_source(self, files: Mapping[str, bytes]) -> Source:
        store = self.bucket.store(PREFIX)
        for path, content in files.items():
            store.put(path, content)
        return open_source(self.place)


class TestDestinationInMemory(InMemory, DestinationSuite):
    def open_destination(self) -> Destination:
        return open_destination(self.place)

    def listing(self) -> dict[str, bytes]:
        objects = self.bucket.listing()
        assert all(key.startswith(f"{PREFIX}/") for key in objects)
        return {key.removeprefix(f"{PREFIX}/"): content for key, content in objects.items()}

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, _bucket: None) -> Iterator[None]:
        yield
        assert self.bucket.uploads() == []


class Died(BaseException):
    """The process was killed."""


class TestLeftoversInMemory(UploadLeftoversSuite):
    @pytest.fixture(autouse=True)
    def _bucket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        register_scheme(monkeypatch)
        self.bucket = MemoryBucket()
        self.bucket_place = self.bucket.place
        self.dest = f"{self.bucket_place}/{self.prefix}/"

    def die(self, moment: str, export: str = EXPORT) -> None:
        store = self.bucket.store(self.prefix)

        def die(*_: object) -> NoReturn:
            store.cut_off()
            raise Died

        with pytest.raises(Died):
            run_until(moment, ObjectDestination(self.dest, store), export, f"dt=2023-11-27/{export}", die)
        # This process lives, so only time tells that the run is dead.
        self.bucket.advance(STALE_SECONDS + 1)

    @contextmanager
    def living(self, dest: str = "") -> Iterator[int]:
        with open_destination(dest or self.dest).lease() as lease:
            staging = lease.begin(EXPORT, f"dt=2023-11-27/{EXPORT}")
            for number in range(2):
                staging.open_part(f"{number:05}-0000.parquet").finish()
            yield os.getpid()

    def listing(self) -> dict[str, bytes]:
        found = {**dict.fromkeys(self.bucket.uploads(), b""), **self.bucket.listing()}
        return {key.removeprefix(f"{self.prefix}/"): content for key, content in found.items()}

    def put(self, path: str, content: bytes) -> None:
        self.bucket.store(self.prefix).put(path, content)

    def begin_upload(self, key: str) -> str:
        return self.bucket.store().create_upload(key, {})

    def open_uploads(self) -> list[str]:
        return self.bucket.uploads()
