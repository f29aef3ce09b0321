"""Things that dead runs have left at a destination in an object store; object_commit.py describes them.

Uploads of other programs may be there too, even those of live runs: a bucket may have one destination inside another.
So an upload counts as our own only if this destination's lease or commit names its folder, or if it has the name of a
part and there is no other destination that it could belong to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from functools import cache, partial

from converter.object_store import ObjectStore
from converter.storage.intent import Intent
from converter.storage.leftovers import Leftover, LeftoverState, begun_commit, looks_like_part
from converter.storage.object_lease import LEASE, is_live, read_lease
from converter.storage.object_parts import Receipt
from converter.storage.paths import EXPORTS, INTENT


def find_leftovers(store: ObjectStore) -> list[Leftover]:
    """List leftovers; see Destination.leftovers."""
    found: list[Leftover] = []
    folders: set[str] = set()
    receipts: set[tuple[str, str]] = set()
    read = store.get(INTENT)
    if read is not None:
        place = store.place(INTENT)
        intent = Intent.from_json(read.content, place)
        found.append(begun_commit(intent, read.info.written.astimezone(UTC)))
        folders.update(intent.folders)
        receipts = {
            (f"{intent.folders[part.folder]}/{part.name}", Receipt.from_text(part.receipt, place).upload_id)
            for part in intent.parts
        }
    held = read_lease(store)
    if held is not None:
        holder, info = held
        state: LeftoverState = "live" if is_live(holder, info) else "dead"
        found.append(Leftover("lease", LEASE, info.written.astimezone(UTC), state, str(holder)))
        folders.update(holder.folders)
    return found + list(_uploads(store, folders, receipts))


def _uploads(store: ObjectStore, own: set[str], begun: set[tuple[str, str]]) -> Iterator[Leftover]:
    """own: folders that are known to be of this destination. begun: paths and ids that a commit will complete."""
    owner = cache(partial(_other_destination, store, cache(_has_records)))
    for upload in store.list_uploads(""):
        left = Leftover("upload", upload.path, upload.begun.astimezone(UTC), "dead", upload_id=upload.upload_id)
        folder = upload.path.rpartition("/")[0]
        if (upload.path, upload.upload_id) in begun:
            left = replace(left, state="begun")
        elif folder in own:
            pass
        elif not looks_like_part(upload.path):
            left = replace(left, state="foreign", detail="no part of ddb-convert is called so")
        elif other := owner(folder):
            left = replace(left, state="foreign", detail=f"it may belong to the destination {other}")
        yield left


def _other_destination(store: ObjectStore, is_destination: Callable[[ObjectStore], bool], folder: str) -> str | None:
    """Return the destination below this one that contains the folder, or one that contains this one, or None."""
    inner = posixpath.join(store.prefix, folder)
    for prefix in _upwards(inner):
        other = store.at_prefix(prefix)
        if is_destination(other):
            return None if prefix == store.prefix else other.place("").rstrip("/")
    return None


def _upwards(prefix: str) -> Iterator[str]:
    """Yield the prefix, the one that contains it, and so on; the bucket, `""`, is the last."""
    while prefix:
        yield prefix
        prefix = prefix.rpartition("/")[0]
    yield ""


def _has_records(store: ObjectStore) -> bool:
    """Return whether this is a destination: whether it has a record, a lease or a commit."""
    return any(True for _ in store.list_objects(f"{EXPORTS}/"))
