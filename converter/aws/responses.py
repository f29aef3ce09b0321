"""Members of AWS' answers, each of which may be absent: botocore's models require none of those that are read here.

AWS sends what the program needs. Emulators and proxies may not: then the error names the request and the member.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.errors import StorageError

_HINT = "AWS itself sends it: see what answers at --endpoint-url, and use one that says it too"


def needed(answer: Mapping[str, Any], member: str, operation: str, where: str) -> Any:
    """A member of the answer to an operation, or of a part of it; StorageError if it is absent or empty.

    member: its name, or the names that lead to it with dots between them. where: what was asked about.
    """
    value: Any = answer
    for name in member.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None or value == "":
        raise missing_member_error(member, operation, where)
    return value


def missing_member_error(member: str, operation: str, where: str) -> StorageError:
    """The error for a member that the program needs and the answer does not have."""
    return StorageError(f"the answer to {operation} has no {member}", where, _HINT)
