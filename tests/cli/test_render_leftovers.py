"""What dead runs left, as people see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from converter.cli.clean import leftovers_line, render_leftovers
from converter.publishing.clean import Leftovers
from converter.storage.leftovers import Leftover

NOW = datetime(2023, 11, 27, 12, tzinfo=UTC)
LEASE = Leftover("lease", "_exports/lease", NOW - timedelta(minutes=2), "dead", "process 7 on host, since then")
COMMIT = Leftover("commit", "_exports/intent.json", NOW - timedelta(hours=30), "begun", "export x, 1 part")
FILM = Leftover("upload", "film.mp4", NOW + timedelta(seconds=3), "foreign", "no part", "id")


def uploads(count: int) -> tuple[Leftover, ...]:
    return tuple(Leftover("upload", f"{number}.csv", NOW, "dead", "", "id") for number in range(count))


def test_each_thing_has_a_line_with_its_age() -> None:
    found = Leftovers(destination="out", dry_run=False, removed=(LEASE,), completed=(COMMIT,), kept=(FILM,))
    assert render_leftovers(found, NOW).splitlines() == [
        "out: completed 1 commit, removed 1 lease, kept 1 upload",
        "  completed commit _exports/intent.json, 30 h 0 min old: export x, 1 part",
        "  removed   lease  _exports/lease, 2 min 0 s old: process 7 on host, since then",
        # The server's clock may be ahead.
        "  kept      upload film.mp4, 0.00 s old: no part",
    ]


def test_what_only_would_be_done_is_said_so() -> None:
    found = Leftovers(destination="out", dry_run=True, removed=(LEASE,), completed=(COMMIT,))
    assert render_leftovers(found, NOW).splitlines() == [
        "out: would complete 1 commit, would remove 1 lease; nothing was changed",
        "  complete  commit _exports/intent.json, 30 h 0 min old: export x, 1 part",
        "  remove    lease  _exports/lease, 2 min 0 s old: process 7 on host, since then",
    ]


def test_of_a_sort_twenty_are_listed_and_the_others_counted() -> None:
    few = render_leftovers(Leftovers(destination="out", dry_run=False, removed=uploads(20)), NOW).splitlines()
    assert len(few) == 21
    many = render_leftovers(Leftovers(destination="out", dry_run=False, removed=uploads(1234)), NOW).splitlines()
    assert many[:2] == ["out: removed 1,234 uploads", "  removed   upload 0.csv, 0.00 s old"]
    assert many[21:] == ["  removed   1,214 more, which --json lists"]


def test_nothing_is_nothing_whatever_others_have_there() -> None:
    assert leftovers_line(Leftovers(destination="out", dry_run=True)) == "nothing to clean at out"
    found = Leftovers(destination="out", dry_run=False, kept=(FILM, FILM))
    assert leftovers_line(found) == "nothing to clean at out; kept 2 uploads of other programs"
