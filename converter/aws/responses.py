"""Required members of AWS responses, which are optional in the models of botocore.

AWS sends these members. Emulators and proxies may not; then the error names the request and the member.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.errors import StorageError

_HINT = "AWS sends it: check which server is at --endpoint-url, and use one that sends it too"


def needed(answer: Mapping[str, Any], member: str, operation: str, where: str) -> Any:
    """Return a member of the response to an operation. Raises StorageError if it is missing or empty.

    member: its name, or a path with dots. where: the subject of the request.
    """
    value: Any = answer
    for name in member.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None or value == "":
        raise missing_member_error(member, operation, where)
    return value


def missing_member_error(member: str, operation: str, where: str) -> StorageError:
    """Return the error for a missing member of a response."""
    return StorageError(f"the response to {operation} has no {member}", where, _HINT)
