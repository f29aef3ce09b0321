"""What the shards of a merge have in common: which lines of which data files are the items that it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from converter.conversion.base_snapshot import BaseParts, RowReader
from converter.decode.changed_keys import MergeLines, TouchedKeys
from converter.decode.old_images import OldImages
from converter.decode.strict_changes import ChangeForm
from converter.export.data_files import DataFile
from converter.publishing.merge_history import MergeChain, MergeReport
from converter.storage.source import Source


@dataclass(frozen=True, slots=True)
class MergeJob:
    """What is to be known of all increments before any item is decoded.

    touched: the keys that they name. forms: of their lines. orders: by the path of a data file, the number of its
    increment in both. base: its parts, if the base is a snapshot. images: the old images of the changes, if they are to
    be compared with the base.
    """

    touched: TouchedKeys
    forms: tuple[ChangeForm, ...]
    orders: Mapping[str, int]
    base: BaseParts | None = None
    images: OldImages | None = None

    def or_none(self) -> MergeJob | None:
        """This; None if there is no change at all, and so nothing to look for."""
        return self if self.touched.count or self.base is not None else None

    def report(self, chain: MergeChain) -> MergeReport:
        """What the merge has done, when all items of the base have been looked up."""
        done = self.touched.applied()
        images = None if self.images is None else self.images.compared()
        return MergeReport(
            chain=chain,
            inserted=done.inserted,
            updated=done.updated,
            deleted=done.deleted,
            unknown_deletes=done.unknown,
            old_images=None if images is None else images.images,
            different_images=None if images is None else images.different,
        )

    def warnings(self, source: Source) -> list[str]:
        """Of old images that are not the items before. source: of the run."""
        compared = None if self.images is None else self.images.compared()
        if compared is None or not compared.different:
            return []
        places = [f"{source.child(path)} line {line}" for path, line in compared.places]
        more = f", and {compared.different - len(places):,} more" if compared.different > len(places) else ""
        return [
            f"{compared.different:,} of {compared.images:,} old images are not the items before them: the base or an"
            f" increment is not what it seems to be, or an export is missing ({', '.join(places)}{more})"
        ]

    def rows(self, file: DataFile, source: Source, *, verify: bool) -> RowReader | None:
        """What reads the file, if it is a part of the base. source: of the run."""
        if self.base is None or file.path not in self.base.parts:
            return None
        return RowReader(self.base, self.touched, source, verify)

    def lines(self) -> MergeLines:
        """For one decoder."""
        images, keys = self.images, self.touched.keys
        compare = None if images is None else lambda line: images.compare(line, keys)
        return MergeLines(self.touched, self.forms, compare)
