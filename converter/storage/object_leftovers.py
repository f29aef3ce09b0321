"""What dead runs have left at a destination in S3; what these things are says s3_commit.py.

Uploads of others may lie there too, even those of runs that live: a bucket may hold one destination inside another.
So an upload is taken for ours only when its lease or a commit names its folder, or when it is called like a part and
there is no other destination that it could belong to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from functools import cache, partial

from converter.aws.objects import Objects
from converter.storage.commit_messages import begun_commit
from converter.storage.intent import Intent
from converter.storage.leftovers import Leftover, LeftoverState, looks_like_part
from converter.storage.object_lease import LEASE, is_live, read_lease
from converter.storage.object_parts import Receipt
from converter.storage.paths import EXPORTS, INTENT


def find_leftovers(objects: Objects) -> list[Leftover]:
    """See Destination.leftovers."""
    found: list[Leftover] = []
    folders: set[str] = set()
    receipts: set[tuple[str, str]] = set()
    read = objects.read(INTENT)
    if read is not None:
        place = objects.place(INTENT)
        intent = Intent.from_json(read[0], place)
        found.append(begun_commit(intent, read[1].written.astimezone(UTC)))
        folders.update(intent.folders)
        receipts = {
            (f"{intent.folders[part.folder]}/{part.name}", Receipt.from_text(part.receipt, place).upload_id)
            for part in intent.parts
        }
    held = read_lease(objects)
    if held is not None:
        holder, facts = held
        state: LeftoverState = "live" if is_live(holder, facts) else "dead"
        found.append(Leftover("lease", LEASE, facts.written.astimezone(UTC), state, str(holder)))
        folders.update(holder.folders)
    return found + list(_uploads(objects, folders, receipts))


def _uploads(objects: Objects, ours: set[str], begun: set[tuple[str, str]]) -> Iterator[Leftover]:
    """ours: folders that are known to be of this destination. begun: paths and ids that a commit will complete."""
    owner = cache(partial(_other_destination, objects, cache(_has_records)))
    for upload in objects.uploads(""):
        left = Leftover("upload", upload.path, upload.begun.astimezone(UTC), "dead", upload_id=upload.upload_id)
        folder = upload.path.rpartition("/")[0]
        if (upload.path, upload.upload_id) in begun:
            left = replace(left, state="begun")
        elif folder in ours:
            pass
        elif not looks_like_part(upload.path):
            left = replace(left, state="foreign", detail="no part of ddb-convert is called so")
        elif other := owner(folder):
            left = replace(left, state="foreign", detail=f"it may belong to the destination {other}")
        yield left


def _other_destination(objects: Objects, is_destination: Callable[[Objects], bool], folder: str) -> str | None:
    """A destination below this one that the folder is in, or one that this one is only a folder of."""
    inner = posixpath.join(objects.prefix, folder)
    for prefix in _upwards(inner):
        place = replace(objects, prefix=prefix)
        if is_destination(place):
            return None if prefix == objects.prefix else place.place("").rstrip("/")
    return None


def _upwards(prefix: str) -> Iterator[str]:
    """The prefix, the one that holds it, and so on: the bucket, `""`, is the last."""
    while prefix:
        yield prefix
        prefix = prefix.rpartition("/")[0]
    yield ""


def _has_records(objects: Objects) -> bool:
    """Is this a destination: does it have a record, a lease or a commit?"""
    return any(True for _ in objects.walk(f"{EXPORTS}/"))
