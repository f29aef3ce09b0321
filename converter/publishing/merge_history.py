"""The history of a snapshot: the base, the increments, and how these have changed the items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from converter.export.manifest import EXPORT_ARN, ExportKind
from converter.storage.json_members import Members, members_of
from converter.storage.paths import is_name
from converter.utc import format_utc


@dataclass(frozen=True, slots=True)
class Link:
    """One export or snapshot of a chain. begin, end: of an increment its window; of a base both are its moment."""

    export_id: str
    export_arn: str
    kind: str
    begin: datetime
    end: datetime

    def to_json(self) -> dict[str, object]:
        """As records and reports show it."""
        return {
            "exportId": self.export_id,
            "exportArn": self.export_arn,
            "kind": self.kind,
            "from": format_utc(self.begin),
            "to": format_utc(self.end),
        }

    @staticmethod
    def from_json(members: Members) -> Link:
        """The reverse of to_json. Raises StorageError."""
        return Link(
            members.parsed("exportId", _name),
            members.matching("exportArn", EXPORT_ARN, "the ARN of an export"),
            members.parsed("kind", ExportKind).value,
            members.time("from"),
            members.time("to"),
        )


@dataclass(frozen=True, slots=True)
class MergeChain:
    """The base, and the increments in the order that they are applied in, one at least."""

    base: Link
    increments: tuple[Link, ...]

    @property
    def through(self) -> datetime:
        """The end of the last window: the snapshot has all that was written before."""
        return self.increments[-1].end

    @property
    def described(self) -> str:
        """In some words: `01716790307109-5f9d6aaa and 1 increment`."""
        count = len(self.increments)
        return f"{self.base.export_id} and {count} increment{'s' if count > 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReport:
    """The base and the increments of a merge, and its counts: None if it has not been carried out yet.

    inserted, updated, deleted: items that are new, other or gone. unknown_deletes: deletes of items that the base did
    not have, which do nothing. old_images, different_images: how many were compared with the items before, and how many
    are not like these; None if that was not asked for.
    """

    chain: MergeChain
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None
    unknown_deletes: int | None = None
    old_images: int | None = None
    different_images: int | None = None

    def to_json(self) -> dict[str, object]:
        """As records and reports show it."""
        counts = members_of(self)
        del counts["chain"]
        return {**members_of(self.chain), "through": format_utc(self.chain.through), **counts}

    @staticmethod
    def from_json(members: Members) -> MergeReport:
        """The reverse of to_json. Raises StorageError."""
        increments = tuple(Link.from_json(link) for link in members.inners("increments"))
        if not increments:
            raise members.error("increments", "there are none")
        return MergeReport(
            chain=MergeChain(Link.from_json(members.inner("base")), increments),
            inserted=_count(members, "inserted"),
            updated=_count(members, "updated"),
            deleted=_count(members, "deleted"),
            unknown_deletes=_count(members, "unknownDeletes"),
            old_images=_count(members, "oldImages"),
            different_images=_count(members, "differentImages"),
        )


def _count(members: Members, name: str) -> int | None:
    return None if members.values().get(name) is None else members.count(name)


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f"{text!r} is not the id of an export")
    return text
