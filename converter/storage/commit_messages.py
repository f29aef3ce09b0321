"""Errors, warnings and notes of commits that every kind of store has."""

from __future__ import annotations

from datetime import datetime

from converter.errors import StorageError
from converter.storage.intent import Intent
from converter.storage.leftovers import Leftover
from converter.storage.paths import INTENT


def folder_taken_error(place: str) -> StorageError:
    """The error for a folder in which a commit would write, with files that it does not remove."""
    return StorageError("something was put there during this run", place, "run the same command again")


def part_lost_error(place: str) -> StorageError:
    """The error for a part that a commit which has begun can't find."""
    return StorageError(
        "a part of a commit that has begun is lost",
        place,
        f"remove {INTENT} from the destination, then convert the export again with --replace",
    )


def begun_commit(intent: Intent, time: datetime) -> Leftover:
    """The commit of a run that died. time: when the intent was written."""
    parts = f"{len(intent.parts):,} part{'' if len(intent.parts) == 1 else 's'}"
    return Leftover("commit", INTENT, time, "begun", f"export {intent.export_id}, {parts}")


def begun_message(export_id: str) -> str:
    """The message of a run that ends within the commit."""
    return f"The commit of export {export_id} has begun: the next run here finishes it first"


def finished_warning(intent: Intent) -> str:
    """The warning of a run that has finished the commit of one that died."""
    return f"an earlier run died while it published export {intent.export_id}: this is now done"
