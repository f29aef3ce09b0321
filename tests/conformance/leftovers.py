"""Rules for what dead runs leave, how it is listed and how it is cleaned: suites that each kind of store subclasses."""

from __future__ import annotations

import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from converter import clean
from converter.aws.access import AwsOptions
from converter.errors import BusyError, StorageError, UsageError
from converter.publishing.clean import Leftovers
from converter.storage import open_destination
from converter.storage.leftovers import Leftover
from converter.storage.paths import INTENT, record_path
from tests.cli.command import REPOSITORY, environment
from tests.conformance import dying

EXPORT = "01701065507109-cce6a3f8"
OTHER = "01701065507110-aaaaaaaa"
FOLDER = f"dt=2023-11-27/{EXPORT}"
OTHER_FOLDER = f"dt=2023-11-27/{OTHER}"
PARTS = {f"{FOLDER}/00000-0000.parquet": b"part 0", f"{FOLDER}/00001-0000.parquet": b"part 1"}
PUBLISHED = {**PARTS, record_path(EXPORT): b'{"record": 1}'}
NOTHING: dict[str, list[str]] = {"removed": [], "completed": [], "kept": []}


def fates(found: Leftovers) -> dict[str, list[str]]:
    """The kinds of what was found, by what became of it; sorted."""
    groups = {"removed": found.removed, "completed": found.completed, "kept": found.kept}
    return {fate: sorted(left.kind for left in group) for fate, group in groups.items()}


class DeathsSuite(ABC):
    """Rules for runs that die, for every store and its servers.

    parts: the kinds of things that two pending parts are. parts_when_placed: the same when they are in place.
    """

    dest: str
    parts: tuple[str, ...]
    parts_when_placed: tuple[str, ...]
    aws = AwsOptions()

    @abstractmethod
    def listing(self) -> dict[str, bytes]:
        """Everything at the destination, hidden or not; uploads that are not completed as empty files."""

    def environment(self) -> dict[str, str]:
        return {}

    @contextmanager
    def run(self, moment: str, export: str = EXPORT, dest: str = "") -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", dying.__name__, dest or self.dest, moment, export]
        with subprocess.Popen(
            [*command, f"dt=2023-11-27/{export}"],
            cwd=REPOSITORY,
            env=environment(**self.environment()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def die(self, moment: str, export: str = EXPORT) -> None:
        """Leave what a run leaves that dies at the moment."""
        with self.run(moment, export) as process:
            assert process.wait() == -9

    @contextmanager
    def living(self, dest: str = "") -> Iterator[int]:
        """A run that lives, with two pending parts; the id of its process."""
        with self.run("living", dest=dest) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "living\n"
            yield process.pid
            process.communicate("")
            assert process.returncode == 0

    def publish(self) -> None:
        with open_destination(self.dest, self.aws).lease() as lease:
            staging = lease.begin(OTHER, OTHER_FOLDER)
            sink = staging.open_part("00000-0000.parquet")
            sink.write(b"other")
            staging.commit(b"{}", [sink.finish()])

    def clean(self, *, complete: bool = False, dry_run: bool = False) -> Leftovers:
        return clean(self.dest, complete=complete, dry_run=dry_run, aws=self.aws)

    def test_what_a_run_left_that_died_while_it_wrote_is_removed(self) -> None:
        self.publish()
        before = self.listing()
        self.die("writing")
        died = self.listing()
        expected = {**NOTHING, "removed": sorted(["lease", *self.parts])}
        assert fates(self.clean(dry_run=True)) == expected
        assert self.listing() == died
        assert fates(self.clean()) == expected
        assert self.listing() == before
        assert fates(self.clean()) == NOTHING

    @pytest.mark.parametrize("moment", ["begun", "placed"])
    def test_a_commit_that_has_begun_is_kept_until_it_is_to_be_completed(self, moment: str) -> None:
        self.publish()
        before = self.listing()
        self.die(moment)
        pending = self.parts if moment == "begun" else self.parts_when_placed
        kept = {"removed": ["lease"], "completed": [], "kept": sorted(["commit", *pending])}
        assert fates(self.clean(dry_run=True)) == kept
        found = self.clean()
        assert fates(found) == kept
        assert [left.state for left in found.kept] == ["begun"] * len(found.kept)
        [warning] = found.warnings
        assert "--complete" in warning
        assert INTENT in self.listing()
        completed = {"removed": [], "completed": sorted(["commit", *pending]), "kept": []}
        assert fates(self.clean(complete=True, dry_run=True)) == completed
        assert INTENT in self.listing()
        done = self.clean(complete=True)
        assert fates(done) == completed
        assert done.warnings == ()
        assert self.listing() == {**before, **PUBLISHED}

    def test_where_a_run_lives_nothing_is_touched(self) -> None:
        with self.living() as process:
            holder = f"process {process} on "
            before = set(self.listing())
            for complete in (False, True):
                with pytest.raises(BusyError, match=holder):
                    self.clean(complete=complete)
                found = self.clean(complete=complete, dry_run=True)
                assert (found.removed, found.completed) == ((), ())
                [lease] = [left for left in found.kept if left.kind == "lease"]
                assert lease.state == "live"
                assert holder in lease.detail
                assert holder in found.warnings[0]
            assert set(self.listing()) == before
        assert self.listing() == {}

    @abstractmethod
    def put(self, path: str, content: bytes) -> None:
        """Put a file there."""


class LeftoversSuite(DeathsSuite):
    """More rules for what is left, for every kind of store."""

    def test_where_nothing_is_left_nothing_is_done(self) -> None:
        self.publish()
        before = self.listing()
        assert open_destination(self.dest, self.aws).leftovers() == []
        for complete in (False, True):
            found = self.clean(complete=complete)
            assert fates(found) == NOTHING
            assert (found.destination, found.warnings) == (open_destination(self.dest, self.aws).root, ())
        assert self.listing() == before

    def test_where_nothing_is_at_all_there_is_nothing_to_clean(self) -> None:
        for dry_run in (False, True):
            with pytest.raises(StorageError, match="is empty or does not exist"):
                self.clean(dry_run=dry_run)
        assert self.listing() == {}

    def test_the_commit_is_completed_and_all_else_removed_at_once(self) -> None:
        self.die("begun")
        done = self.clean(complete=True)
        assert fates(done) == {"removed": ["lease"], "completed": sorted(["commit", *self.parts]), "kept": []}
        [commit] = [left for left in done.completed if left.kind == "commit"]
        assert commit.detail == f"export {EXPORT}, 2 parts"
        assert self.listing() == PUBLISHED

    def test_the_next_run_finishes_a_commit_that_was_kept(self) -> None:
        self.die("begun")
        self.clean()
        with open_destination(self.dest, self.aws).lease() as lease:
            assert [EXPORT in warning for warning in lease.warnings] == [True]
        assert self.listing() == PUBLISHED

    def test_under_the_lease_nothing_is_recovered_unasked(self) -> None:
        self.die("begun")
        left = self.listing()
        with open_destination(self.dest, self.aws).lease(recover=False) as lease:
            assert lease.warnings == []
            assert set(self.listing()) == set(left)

    @pytest.mark.parametrize(("version", "error"), [("1", StorageError), ("99", UsageError)])
    def test_a_commit_that_can_not_be_understood_is_an_error(self, version: str, error: type[Exception]) -> None:
        self.publish()
        self.put(INTENT, b'{"version": %s}' % version.encode())
        before = self.listing()
        for dry_run in (False, True):
            with pytest.raises(error, match=INTENT):
                self.clean(complete=True, dry_run=dry_run)
        assert self.listing() == before


class UploadDeathsSuite(DeathsSuite):
    """Rules for runs that die where pending parts are uploads."""

    parts = ("upload", "upload")
    parts_when_placed = ()
    prefix = "lake/orders"
    bucket_place: str

    @abstractmethod
    def begin_upload(self, key: str) -> str:
        """Begin an upload; its id."""

    @abstractmethod
    def open_uploads(self) -> list[str]:
        """The keys of all uploads that are not completed, sorted."""

    def uploads_found(self, found: tuple[Leftover, ...]) -> list[str]:
        return sorted(left.path for left in found if left.kind == "upload")

    def test_uploads_of_others_are_shown_and_kept(self) -> None:
        others = [
            "films/film.mp4",
            f"dt=1/{EXPORT}/notes.txt",
            f"dt=1/{EXPORT}/00000-0000.parquet.pending",
            "dt=1/2023-11-27/00000-0000.parquet",
            "00000-0000.parquet",
        ]
        ids = {self.begin_upload(f"{self.prefix}/{path}") for path in others}
        beside = [f"{self.prefix}-2/dt=1/{EXPORT}/00000-0000.parquet", f"dt=1/{EXPORT}/00000-0000.parquet"]
        for key in beside:
            self.begin_upload(key)
        self.die("writing")
        found = self.clean()
        assert self.uploads_found(found.kept) == sorted(others)
        assert {left.upload_id for left in found.kept} == ids
        assert {left.state for left in found.kept} == {"foreign"}
        assert self.uploads_found(found.removed) == sorted(PARTS)
        assert self.open_uploads() == sorted([*(f"{self.prefix}/{path}" for path in others), *beside])

    def test_a_whole_bucket_can_be_a_destination(self) -> None:
        self.prefix, self.dest = "", self.bucket_place
        self.die("writing")
        assert fates(self.clean()) == {**NOTHING, "removed": ["lease", "upload", "upload"]}
        assert self.open_uploads() == []


class UploadLeftoversSuite(UploadDeathsSuite, LeftoversSuite):
    """More rules for uploads that are left."""

    def test_uploads_without_a_lease_are_recognized_by_their_names(self) -> None:
        own = [
            f"dt=2023-11-27/{EXPORT}/00000-0000.parquet",
            f"csv/a=b/c/{EXPORT}/00012-0003.csv.gz",
            f"{EXPORT}/123456-12345.csv",
        ]
        for path in [*own, *own]:
            self.begin_upload(f"{self.prefix}/{path}")
        found = self.clean()
        assert self.uploads_found(found.removed) == sorted([*own, *own])
        assert self.listing() == {}

    def test_uploads_in_the_folders_of_a_dead_runs_lease_are_our_own_whatever_their_names(self) -> None:
        self.die("writing", "an-export")
        assert self.uploads_found(self.clean().removed) == [
            "dt=2023-11-27/an-export/00000-0000.parquet",
            "dt=2023-11-27/an-export/00001-0000.parquet",
        ]
        assert self.listing() == {}

    def test_a_run_that_takes_over_a_dead_runs_lease_and_dies_too_does_not_forget_its_uploads(self) -> None:
        self.die("writing", "an-export")
        self.die("taking", "another-export")
        assert len(self.uploads_found(self.clean(dry_run=True).removed)) == 2
        with open_destination(self.dest, self.aws).lease():
            assert self.open_uploads() == []

    def test_a_run_that_lives_at_a_destination_inside_this_one_keeps_its_uploads(self) -> None:
        self.publish()
        with self.living(f"{self.dest}inner"):
            found = self.clean()
            assert (found.removed, len(found.kept)) == ((), 2)
            assert all(f"{self.bucket_place}/{self.prefix}/inner" in left.detail for left in found.kept)

    def test_a_run_that_lives_at_a_destination_around_this_place_keeps_its_uploads(self) -> None:
        with self.living():
            found = clean(f"{self.dest}dt=2023-11-27", aws=self.aws)
            assert (found.removed, len(found.kept)) == ((), 2)
            assert all(left.detail.endswith(f"{self.bucket_place}/{self.prefix}") for left in found.kept)
