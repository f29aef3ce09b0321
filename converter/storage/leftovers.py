"""What runs that died have left at a destination, as any store tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

LeftoverKind = Literal["commit", "lease", "folder", "upload"]
LeftoverState = Literal["dead", "live", "begun", "foreign"]

# Names of parts and their folders. Other names are not removed: they may be uploads of other programs.
_PART = re.compile(r"(?:.*/)?\d{14}-[0-9a-f]{8}/\d{5,}-\d{4,}\.(?:parquet|csv|csv\.gz)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that is left.

    kind: commit: one that has begun and is not done. folder: a run's hidden folder. upload: one that is not completed.
    path: relative to the destination. time: an upload was begun then, anything else last written. state: dead: nobody
    needs it; live: a run holds it; begun: it belongs to a commit that has begun; foreign: it is not for us to remove.
    detail: whose it is. upload_id: the store's name for an upload, else "".
    """

    kind: LeftoverKind
    path: str
    time: datetime
    state: LeftoverState
    detail: str = ""
    upload_id: str = ""


def looks_like_part(path: str) -> bool:
    """Is this what the program calls a part: `<layout>/<ExportId>/00000-0000.parquet`?"""
    return _PART.fullmatch(path) is not None
