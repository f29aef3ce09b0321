"""Where a test's export lies and where it is published: in a folder, or in a bucket of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from converter.run.report import Report
from tests.servers.s3 import S3Server

Sides = Literal["s3-s3", "s3-local", "local-s3"]
SIDES: tuple[Sides, ...] = ("s3-s3", "s3-local", "local-s3")
PREFIX = "some/where"


@dataclass(slots=True)
class Places:
    """The two sides of conversions on a server: which of them are in S3, the folder for the others."""

    server: S3Server
    sides: Sides
    folder: Path
    bucket: str = ""

    def __post_init__(self) -> None:
        self.bucket = self.server.new_bucket()

    def source(self, export: Path) -> str:
        """The export's name as a SOURCE: where it is, or a copy in the bucket."""
        if self.sides.startswith("local"):
            return str(export)
        client = self.server.client()
        key = f"exports/{export.name}"
        for path in export.rglob("*"):
            if path.is_file():
                client.upload_file(str(path), self.bucket, f"{key}/{path.relative_to(export)}")
        return f"s3://{self.bucket}/{key}/"

    def dest(self, name: str = "out") -> str:
        """The name of a DEST, nothing in it yet."""
        return str(self.folder / name) if self.sides.endswith("local") else f"s3://{self.bucket}/{PREFIX}/{name}/"

    def listing(self, name: str = "out") -> dict[str, bytes]:
        """All that lies in a DEST, by its path."""
        if self.sides.endswith("local"):
            root = self.folder / name
            return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        prefix = f"{PREFIX}/{name}/"
        found = self.server.listing(self.bucket, prefix)
        return {key.removeprefix(prefix): content for key, content in found.items()}

    def parts(self, report: Report, name: str = "out") -> list[Path]:
        """The parts of a report, in its order, as files; there is nothing else in DEST but the record and they."""
        listing = self.listing(name)
        paths = [part.path for part in report.parts]
        assert set(listing) == {*paths, f"_exports/{report.export_id}.json"}
        assert self.server.uploads(self.bucket) == []
        copies = [self.folder / "copies" / name / path for path in paths]
        for path, copy in zip(paths, copies, strict=True):
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(listing[path])
        return copies


def use_environment(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process reach the server, and nothing of the machine's own."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
