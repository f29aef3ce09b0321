"""Leftovers of dead runs at a destination, as every kind of store lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from converter.storage.intent import Intent
from converter.storage.json_members import members_of
from converter.storage.paths import INTENT

LeftoverKind = Literal["commit", "lease", "folder", "upload"]
LeftoverState = Literal["dead", "live", "begun", "foreign"]

# Names of parts and their folders. Other names are not removed: they may be uploads of other programs.
_PART = re.compile(r"(?:.*/)?\d{14}-[0-9a-f]{8}/\d{5,}-\d{4,}\.(?:parquet|csv|csv\.gz)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Leftover:
    """A leftover.

    kind: commit: one that has begun and is not done. folder: a run's hidden folder. upload: one that is not completed.
    path: relative to the destination. time: when an upload was begun, or anything else was last written.
    state: dead: no run needs it; live: a run holds it; begun: it belongs to a commit that has begun; foreign: another
    program may need it. detail: its owner. upload_id: the store's name for an upload, or "".
    """

    kind: LeftoverKind
    path: str
    time: datetime
    state: LeftoverState
    detail: str = ""
    upload_id: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the leftover as `--json` shows it."""
        return {**members_of(self), "uploadId": self.upload_id or None}


def looks_like_part(path: str) -> bool:
    """Return whether this is the name of a part: `<layout>/<ExportId>/00000-0000.parquet`."""
    return _PART.fullmatch(path) is not None


def begun_commit(intent: Intent, time: datetime) -> Leftover:
    """The commit of a run that died. time: when the intent was written."""
    parts = f"{len(intent.parts):,} part{'' if len(intent.parts) == 1 else 's'}"
    return Leftover("commit", INTENT, time, "begun", f"export {intent.export_id}, {parts}")
