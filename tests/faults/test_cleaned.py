"""`kill -9`, then `clean`: what is left is gone, what had begun can be completed, and a reader finds all or nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from converter.storage.paths import INDEX, INTENT
from converter.testing import ExportPaths, write_split_export
from tests.cli.command import REPOSITORY, ddb_convert, environment
from tests.end_to_end.exports import small_lines
from tests.faults.counts import ALL, times
from tests.servers.s3 import S3Server


class Place(ABC):
    """A destination that a run dies at."""

    dest: str
    env: Mapping[str, str] = {}

    @abstractmethod
    def listing(self) -> dict[str, bytes]:
        """All files there, hidden or not."""

    @abstractmethod
    def has_begun(self) -> bool:
        """Has a run begun to write parts?"""

    @abstractmethod
    def has_intent(self) -> bool:
        """Has a commit begun that is not done?"""

    @abstractmethod
    def hidden(self) -> list[str]:
        """What is there beside files: uploads, and folders without files."""

    def files(self) -> dict[str, str]:
        """sha256 of all files by their paths; a record says when it was made, so only that there is one."""
        hashes = {path: hashlib.sha256(content).hexdigest() for path, content in self.listing().items()}
        # A run that dies after its commit leaves the index as it was.
        hashes.pop(INDEX, None)
        return {path: "" if path.startswith("_exports/") else sha256 for path, sha256 in hashes.items()}

    def run(self, verb: str, *arguments: str) -> Any:
        done = ddb_convert(verb, *arguments, "--json", env=self.env)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, export: ExportPaths) -> subprocess.Popen[bytes]:
        """A run that has just begun to write parts."""
        command = [sys.executable, str(REPOSITORY / "cli.py"), "convert", str(export.folder), self.dest, "--quiet"]
        process = subprocess.Popen(command, env=environment(**self.env), stderr=subprocess.PIPE)
        while process.poll() is None and not self.has_begun():
            time.sleep(0.001)
        return process


class Folder(Place):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dest = str(folder)

    def listing(self) -> dict[str, bytes]:
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def has_begun(self) -> bool:
        return bool(list(self.folder.glob("_exports/.run-*")))

    def has_intent(self) -> bool:
        return (self.folder / INTENT).exists()

    def hidden(self) -> list[str]:
        empty = [path for path in self.folder.rglob("*") if path.is_dir() and not list(path.iterdir())]
        return [str(path) for path in empty if path.name != "_exports"]


class Prefix(Place):
    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.bucket = server.new_bucket()
        self.client = server.client()
        self.dest = f"s3://{self.bucket}/lake"
        self.env = server.environment()

    def listing(self) -> dict[str, bytes]:
        return {key.removeprefix("lake/"): content for key, content in self.server.listing(self.bucket).items()}

    def has_begun(self) -> bool:
        return bool(self.hidden())

    def has_intent(self) -> bool:
        # Only listed: it may be gone before it can be read.
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=f"lake/{INTENT}")
        return "Contents" in found

    def hidden(self) -> list[str]:
        return self.server.uploads(self.bucket)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> ExportPaths:
    lines = list(small_lines(40_000))
    return write_split_export(tmp_path_factory.mktemp("bucket"), [lines] * 4)


@pytest.fixture(params=["folder", "prefix"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> list[Place]:
    """Many empty destinations of a kind."""
    if request.param == "folder":
        return [Folder(tmp_path / f"out{number}") for number in range(31)]
    server = request.getfixturevalue("ministack")
    return [Prefix(server) for _ in range(31)]


def whole(export: ExportPaths, place: Place) -> tuple[dict[str, str], float]:
    """All files of a run that does not die, and its seconds from its first part to its end."""
    with place.start(export) as process:
        begun = time.perf_counter()
        assert process.wait() == 0
        seconds = time.perf_counter() - begun
    assert len(place.files()) > 3
    return place.files(), seconds


def check_cleaned(place: Place, expected: dict[str, str]) -> bool:
    """Clean what a dead run left, in steps; had its commit begun?"""
    died, hidden = place.listing(), place.hidden()
    shown = place.run("clean", place.dest, "--dry-run")
    assert (place.listing(), place.hidden()) == (died, hidden)
    done = place.run("clean", place.dest)
    assert [done[fate] for fate in ("removed", "completed", "kept")] == [
        shown[fate] for fate in ("removed", "completed", "kept")
    ]
    begun = place.has_intent()
    assert bool(done["kept"]) == begun
    if begun:
        assert place.run("clean", place.dest, "--complete")["completed"] == done["kept"]
        assert place.files() == expected
    assert place.files() in ({}, expected)
    assert place.hidden() == []
    return begun


def kill_and_clean(export: ExportPaths, places: list[Place], moments: int) -> None:
    """Runs that die at so many moments, spread evenly over their time."""
    expected, seconds = whole(export, places.pop())
    deaths = 0
    for moment, place in zip(range(moments), places, strict=False):
        with place.start(export) as process:
            time.sleep(seconds * moment / moments)
            deaths += process.poll() is None
            process.kill()
            process.wait()
        check_cleaned(place, expected)
        place.run("convert", str(export.folder), place.dest)
        assert (place.files(), place.hidden()) == (expected, [])
    assert deaths >= moments // 2


@pytest.mark.slow
def test_what_runs_left_that_were_killed_at_any_of_thirty_moments_is_cleaned(
    export: ExportPaths, places: list[Place]
) -> None:
    kill_and_clean(export, places, times(30))


@pytest.mark.slow
def test_a_commit_whose_run_was_killed_in_it_is_completed(export: ExportPaths, places: list[Place]) -> None:
    expected, _ = whole(export, places.pop())
    begun = 0
    for place in places[:10]:
        if begun == (10 if ALL else 2):
            break
        with place.start(export) as process:
            while process.poll() is None and not place.has_intent():
                pass
            process.kill()
            process.wait()
        begun += check_cleaned(place, expected)
    assert begun
