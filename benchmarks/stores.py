"""Stores of exports and outputs: folders, or S3 on this machine, with or without a delay of 30 ms."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDERS, S3, FAR_S3 = "folders", "S3", "S3, 30 ms away"
FAR_SECONDS = 0.03
"""How much longer each request takes in `FAR_S3`."""

EXPORTS, OUTPUTS = "exports", "outputs"


@dataclass(frozen=True, slots=True)
class Store:
    """Folders. env: what a contender needs to reach the store."""

    env: Mapping[str, str] = field(default_factory=dict)

    def source(self, export: Path) -> str:
        """Return the name of an export in this store."""
        return str(export.resolve())

    def out(self, folder: Path) -> str:
        """Return the name of an output in this store."""
        return str(folder.resolve())

    def fetch(self, folder: Path) -> None:
        """Bring an output into its folder."""


@dataclass(frozen=True, slots=True)
class S3Store(Store):
    """Buckets. client: reaches the server directly."""

    client: Any = None

    def source(self, export: Path) -> str:
        """Return the name of an export in this store."""
        return f"s3://{EXPORTS}{export.resolve()}"

    def out(self, folder: Path) -> str:
        """Empty an output, because the server keeps everything in memory, and return its name in this store."""
        prefix = str(folder.resolve())
        for key in self._keys(prefix):
            self.client.delete_object(Bucket=OUTPUTS, Key=key)
        return f"s3://{OUTPUTS}{prefix}"

    def fetch(self, folder: Path) -> None:
        """Bring an output into its folder."""
        shutil.rmtree(folder, ignore_errors=True)
        for key in self._keys(str(folder.resolve())):
            path = Path("/", key)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.client.download_file(OUTPUTS, key, str(path))

    def put(self, export: Path) -> None:
        """Copy an export there."""
        for path in export.resolve().rglob("*"):
            if path.is_file():
                self.client.upload_file(str(path), EXPORTS, str(path).lstrip("/"))

    def _keys(self, prefix: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=OUTPUTS, Prefix=prefix.lstrip("/") + "/")
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


@contextmanager
def open_stores(names: Iterable[str], exports: Iterable[Path]) -> Iterator[Mapping[str, Store]]:
    """The stores of these names. One server is started for all that are S3, and holds the exports."""
    names = set(names)
    with ExitStack() as stack:
        stores: dict[str, Store] = {FOLDERS: Store()}
        if names - {FOLDERS}:
            from tests.servers.ministack import start_ministack
            from tests.servers.proxy import start_proxy

            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(start_ministack(folder))
            client = server.client()
            for bucket in (EXPORTS, OUTPUTS):
                client.create_bucket(Bucket=bucket)
            far = stack.enter_context(start_proxy(server, delay=FAR_SECONDS)).server
            near = S3Store(server.environment(), client)
            for export in sorted(set(exports)):
                near.put(export)
            stores |= {S3: near, FAR_S3: S3Store(far.environment(), client)}
        yield stores
