"""Policies for column names: which names each value of `names` allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Names = Literal["preserve", "treasure-data", "snake"]


@dataclass(frozen=True, slots=True)
class NamePolicy:
    """Rules of a policy of `names` for column names.

    pattern: matches the whole name. longest: maximum of characters. reserved: names that the consumer reserves.
    """

    pattern: str
    longest: int | None = None
    reserved: tuple[str, ...] = ()

    def objection(self, name: str, *, reserved: bool = False) -> str:
        """Return the reason why a column can't have this name, or an empty text. reserved: allow reserved names."""
        if not re.fullmatch(self.pattern, name, re.DOTALL):
            return "only a-z, 0-9 and _ are allowed, and the first character can't be a digit"
        if self.longest is not None and len(name) > self.longest:
            return f"it is longer than {self.longest} characters"
        return "the name is reserved" if name in self.reserved and not reserved else ""


_WORD = "[a-z_][a-z0-9_]*"
NAME_POLICIES: dict[str, NamePolicy] = {
    "preserve": NamePolicy(".*"),
    "treasure-data": NamePolicy(_WORD, 128, ("time", "v")),
    "snake": NamePolicy(_WORD, 255),
}
