"""The protocol of what a decoder reads: lines of data files as lines of items."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from converter.decode.unknown_members import UnknownMembers
from converter.export.blocks import Block
from converter.export.data_files import DataFile


class LineSource(Protocol):
    """Translates the blocks of some data files, one file after the other, for one decoder.

    facts: names in the lines of items that are not attributes; they begin with the byte 0xFF. reports_facts: whether
    observations contain them.
    """

    facts: Collection[str]
    reports_facts: bool

    @property
    def dropped(self) -> int:
        """Lines skipped so far, which are not items."""

    @property
    def unknown(self) -> UnknownMembers:
        """The unknown members of the lines of the current file."""

    def begin(self, file: DataFile) -> None:
        """Begin another file: the next blocks are from it."""

    def translate(self, block: Block) -> Iterator[Block]:
        """Lines of items for the block's lines, in order, valid until the next ones are asked for.

        Raises LineProblem, its `byte` set, for a bad line, when the lines in front of it have been handed out.
        """

    def original(self, position: int) -> tuple[int, bytes]:
        """The line of the data file for the line of an item at a position, and the byte that it begins at."""

    def compact(self, line: bytes, byte: int) -> tuple[bytes, bool]:
        """Return the line of an item in the service's form, and whether the lines after it have new members to remove.

        byte: where the line begins in the inflated file. Raises LineProblem.
        """

    def root(self, line: bytes) -> str:
        """Return the path to the attributes in a line of the data file."""
