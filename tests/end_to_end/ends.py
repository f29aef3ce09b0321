"""Sources and destinations that are folders or places in S3, for tests that run with both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from converter.publishing.report import Report
from converter.storage.paths import INDEX, record_path
from tests.servers.s3 import S3Server

End = Literal["local", "s3"]


@dataclass
class Ends:
    """Where a conversion reads and writes. scratch: an empty folder; in S3, each end has a bucket of its own."""

    server: S3Server
    source_end: End
    dest_end: End
    scratch: Path

    def __post_init__(self) -> None:
        self._buckets: dict[str, str] = {}

    def place_source(self, folder: Path) -> str:
        """A copy of the folder, as SOURCE."""
        if self.source_end == "local":
            return str(folder)
        bucket = self._bucket("source")
        client = self.server.client()
        for path in folder.rglob("*"):
            if path.is_file():
                key = f"exports/{folder.name}/{path.relative_to(folder).as_posix()}"
                client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        return f"s3://{bucket}/exports/{folder.name}/"

    @property
    def dest(self) -> str:
        """DEST; always the same."""
        return str(self.scratch / "out") if self.dest_end == "local" else f"s3://{self._bucket('dest')}/lake/orders"

    def files(self) -> dict[str, bytes]:
        """All that is at DEST, by its path."""
        if self.dest_end == "s3":
            found = self.server.listing(self._bucket("dest"))
            assert all(key.startswith("lake/orders/") for key in found)
            return {key.removeprefix("lake/orders/"): content for key, content in found.items()}
        root = Path(self.dest)
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def times(self) -> Mapping[str, object]:
        """When each file at DEST was last written."""
        if self.dest_end == "local":
            return {str(path): path.stat().st_mtime_ns for path in Path(self.dest).rglob("*") if path.is_file()}
        listed = self.server.client().list_objects_v2(Bucket=self._bucket("dest"))
        return {entry["Key"]: entry["LastModified"] for entry in listed.get("Contents", [])}

    def parts(self, report: Report, format: str | None = None) -> list[Path]:
        """Copies of the report's parts, in its order; of one format."""
        files = self.files()
        copies = []
        for part in report.parts:
            if format in (None, part.format):
                copy = self.scratch / "copies" / part.path
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(files[part.path])
                copies.append(copy)
        return copies

    def assert_only(self, report: Report) -> None:
        """DEST has the report's parts and its record, and nothing else: no upload either."""
        assert set(self.files()) == {*(part.path for part in report.parts), record_path(report.export_id), INDEX}
        if self.dest_end == "s3":
            assert self.server.uploads(self._bucket("dest")) == []

    def _bucket(self, name: str) -> str:
        if name not in self._buckets:
            self._buckets[name] = self.server.new_bucket()
        return self._buckets[name]
