"""Exports in a bucket, runs that publish them in another, and what has to hold of a destination at any moment."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from converter import convert
from converter.options import ConvertOptions
from converter.storage.paths import INDEX
from converter.testing import ExportFacts, ExportPaths, write_split_export
from tests.cli.command import REPOSITORY, environment
from tests.end_to_end.exports import incompressible_lines, line, small_lines
from tests.oracle import assert_equal_to_oracle
from tests.servers.s3 import S3Server

LEASE = "_exports/lease"
INTENT = "_exports/intent.json"
BEGUN = "the next run here finishes it first"
"""What a run says that stopped in the commit."""
MAY_BE_LEFT = "uploads that are not completed may be left"

Contents = Mapping[str, bytes]
"""What lies below a destination: bytes by path."""


@dataclass(frozen=True)
class Place:
    """A destination in a bucket of its own."""

    server: S3Server
    bucket: str
    prefix: str = "lake/orders"

    @staticmethod
    def new(server: S3Server) -> Place:
        """An empty one."""
        return Place(server, server.new_bucket())

    @property
    def url(self) -> str:
        """As the command takes it."""
        return f"s3://{self.bucket}/{self.prefix}/"

    def contents(self) -> dict[str, bytes]:
        """All objects but the index, by their paths relative to the destination; no other is in the bucket."""
        found = {key.removeprefix(f"{self.prefix}/"): data for key, data in self.server.listing(self.bucket).items()}
        found.pop(INDEX, None)
        return found

    def put(self, contents: Contents) -> None:
        """Objects as an earlier run left them."""
        client = self.server.client()
        for path, data in contents.items():
            client.put_object(Bucket=self.bucket, Key=f"{self.prefix}/{path}", Body=data)

    def uploads(self) -> list[str]:
        """Keys of the uploads that are not completed."""
        return self.server.uploads(self.bucket)


@dataclass(frozen=True)
class Case:
    """An export, on disk and in a bucket, and what a run without faults makes of it: bytes by path."""

    export: ExportPaths
    source: str
    published: Contents

    @property
    def record(self) -> str:
        """The path of its record."""
        return f"_exports/{self.export.export_id}.json"

    def parts(self) -> dict[str, bytes]:
        """The published parts."""
        return {path: data for path, data in self.published.items() if path != self.record}


def use(server: S3Server, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """Conversions in this process reach the server, through whatever endpoint they are told."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in {**server.environment(), **more}.items():
        monkeypatch.setenv(name, value)


def upload_folder(server: S3Server, bucket: str, folder: Path) -> None:
    """Every file below the folder, as an object of this key."""
    client = server.client()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            client.put_object(Bucket=bucket, Key=str(path.relative_to(folder)), Body=path.read_bytes())


def source_of(server: S3Server, export: ExportPaths) -> str:
    """The export in a new bucket."""
    bucket = server.new_bucket()
    upload_folder(server, bucket, export.bucket)
    return f"s3://{bucket}/{export.folder.relative_to(export.bucket)}/"


def twenty_files(folder: Path, *, surprise: bool = False) -> ExportPaths:
    """20 data files in three shards; the lines of four make a part of several pieces.

    surprise: far from where the first blocks are taken, an attribute appears, so that all is written once more.
    """
    files = [list(small_lines(3_500, start=number * 10_000)) for number in range(16)]
    large = [list(incompressible_lines(3_000, start=1_000_000 + number * 10_000)) for number in range(4)]
    if surprise:
        large[2][-1] = line(id='{"S":"late"}', n='{"N":"1.5"}', late='{"L":[{"S":"x"},{"NULL":true}]}')
    return write_split_export(folder, [*files[:7], *large, *files[7:]])


def folder_contents(folder: Path) -> dict[str, bytes]:
    """All files below it but the index, by their relative paths."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pop(INDEX, None)
    return found


def make_case(server: S3Server, export: ExportPaths, options: ConvertOptions, folder: Path) -> Case:
    """A local run gives the bytes; the oracle says that they are right."""
    report = convert(export.folder, folder, options)
    assert_equal_to_oracle(export.folder, [folder / part.path for part in report.parts], options.format)
    return Case(export, source_of(server, export), folder_contents(folder))


def check_record(contents: Contents) -> None:
    """Every record that is there has all its parts as they were published."""
    for path, data in contents.items():
        if path.startswith("_exports/") and path.endswith(".json") and path != INTENT:
            for part in json.loads(data)["parts"]:
                found = contents.get(part["path"])
                assert found is not None, f"{path} without {part['path']}"
                assert hashlib.sha256(found).hexdigest() == part["sha256"], part["path"]


def check_whole(case: Case, place: Place) -> None:
    """The export is published once, as without faults, and nothing else is there."""
    contents = place.contents()
    check_record(contents)
    assert sorted(contents) == sorted(case.published)
    for path, data in case.parts().items():
        assert contents[path] == data, path
    assert place.uploads() == []


def check_nothing(place: Place, *, earlier: Contents | None = None) -> None:
    """Nothing is visible but what was there before, and no upload is left."""
    assert place.contents() == (earlier or {})
    assert place.uploads() == []


def command(source: str, dest: str, *options: str) -> list[str]:
    """The command line of a conversion."""
    return [sys.executable, str(REPOSITORY / "cli.py"), "convert", source, dest, *options]


def s3_environment(server: S3Server, **more: str) -> dict[str, str]:
    """The environment of a process that uses the server alone."""
    env = {name: value for name, value in environment().items() if not name.startswith("AWS_")}
    return {**env, **server.environment(), **more}


def start(server: S3Server, source: str, dest: str, *options: str, **env: str) -> subprocess.Popen[str]:
    """A conversion in a process of its own."""
    return subprocess.Popen(
        command(source, dest, *options),
        env=s3_environment(server, **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(server: S3Server, source: str, dest: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The same to its end."""
    with start(server, source, dest, *options, **env) as process:
        out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def at_once(act: Callable[[Any], Any], things: Sequence[Any], threads: int) -> list[Any]:
    """What it gives for each of them, in so many threads."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(act, things))


def one_shard(folder: Path, items: int = 2_000, suffix: str | None = None) -> ExportPaths:
    """A small export of 5 data files in one shard."""
    facts = ExportFacts() if suffix is None else ExportFacts(id_suffix=suffix)
    return write_split_export(folder, [list(small_lines(items // 5, start=n * items)) for n in range(5)], facts=facts)
