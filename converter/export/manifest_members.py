"""Strict JSON objects of manifests, and typed access to their members."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime

from converter.errors import ManifestError, json_reason
from converter.storage.json_members import Members, refuse_constant

WRITTEN_BY_OTHERS = (
    "if DynamoDB wrote this export, copy it again from its bucket, completely and unchanged;"
    " exports in the form of emulators and migration tools are not supported"
)
"""Hint for contents that DynamoDB does not write."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


def parse_object(content: bytes, place: str, first_line: int) -> dict[str, object]:
    """Parse a JSON object. An editor may have added a byte order mark."""
    try:
        value = _STRICT.decode(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        line = first_line + (error.lineno - 1 if isinstance(error, json.JSONDecodeError) else 0)
        reason = json_reason(error) if isinstance(error, json.JSONDecodeError) else str(error)
        raise ManifestError(f"not JSON: {reason}", f"{place} line {line}", WRITTEN_BY_OTHERS) from None
    if not isinstance(value, dict):
        raise ManifestError("not a JSON object", f"{place} line {first_line}", WRITTEN_BY_OTHERS)
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=refuse_constant)


class ManifestMembers(Members):
    """Typed access to the members of a JSON object of a manifest. Unknown members are ignored."""

    def error(self, name: str, problem: str) -> ManifestError:
        """Return the error for a member."""
        return ManifestError(f"{name}: {problem}", self._place, WRITTEN_BY_OTHERS)

    def text_or_none(self, name: str) -> str | None:
        """Return an optional text."""
        return None if self._members.get(name) is None else self.text(name)

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return one of the allowed texts."""
        value = self.text(name)
        if value not in allowed:
            raise self.error(name, f"{value!r} is neither {' nor '.join(allowed)}")
        return value

    def time(self, name: str) -> datetime:
        """Return a time in UTC."""
        value = self.text(name)
        try:
            if _TIME.fullmatch(value):
                return datetime.fromisoformat(value)
        except ValueError:
            pass
        raise self.error(name, f"{value!r} is not a time such as 2024-05-27T06:11:47.109Z")

    def md5(self, name: str) -> bytes:
        """Return the 16 bytes of an md5 in base64."""
        value = self.text(name)
        try:
            digest = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) != 16:
            raise self.error(name, f"{value!r} is not the base64 of an md5")
        return digest
