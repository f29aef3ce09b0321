"""A server whose answers lack members: what emulators and proxies leave out of the answers of AWS.

    with drop_members(service.server) as server:
        server.drop(("DescribeTable", "Table.TableId"))

Members are in `seen` when an answer had them: of JSON and XML by the names that lead to them, with dots between (those
of the elements of a list have the list's name); of S3's headers by their names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

from tests.servers.faults import Request
from tests.servers.relay import Answer, Relaying, listen
from tests.servers.s3 import S3Server

HEADERS = ("etag", "last-modified", "date")
Member = tuple[str, str]
"""An operation, and a member of its answers."""


@dataclass(slots=True)
class Dropping:
    """The server. seen: the members of all answers, in order; dropped: those that are left out."""

    server: S3Server
    seen: dict[Member, None] = field(default_factory=dict)
    dropped: frozenset[Member] = frozenset()

    def drop(self, *members: Member) -> None:
        """Leave out these from now on, and no others."""
        self.dropped = frozenset(members)


@contextmanager
def drop_members(behind: S3Server) -> Iterator[Dropping]:
    """Such a server in front of another one, while the block lasts."""

    class Handler(Relaying):
        def decide(self, headers: dict[str, str], body: bytes) -> Answer | None:
            answer = self.ask(body, headers)
            if answer.status >= 300:
                return answer
            path, _, query = self.path.partition("?")
            request = Request(count=0, method=self.command, path=path, query=query, headers=headers)
            target = headers.get("x-amz-target", "").rpartition(".")[2]
            action = re.search(rb"Action=(\w+)", body) if self.command == "POST" and not query else None
            operation = target or (action[1].decode() if action else request.operation)
            return _Answered(dropping, operation, bool(target)).without(answer)

    dropping = Dropping(behind)
    with listen(Handler, behind) as url:
        dropping.server = replace(behind, endpoint_url=url)
        yield dropping


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer to an operation. is_json: it is DynamoDB's."""

    dropping: Dropping
    operation: str
    is_json: bool

    def without(self, answer: Answer) -> Answer:
        """The answer without the member that is dropped."""
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() not in HEADERS or not self.drops(name.lower())
        }
        content = answer.content
        if self.is_json:
            content = json.dumps(self._json(json.loads(content), "")).encode()
            # botocore compares it with the body that it was of.
            headers = {name: value for name, value in headers.items() if name.lower() != "x-amz-crc32"}
        elif self.operation != "GetObject" and content.startswith(b"<"):
            root = ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", content))
            self._xml(root, "")
            content = ElementTree.tostring(root)
        return Answer(
            answer.status, headers, content, answer.size if self.operation.startswith("Head") else len(content)
        )

    def drops(self, name: str) -> bool:
        member = (self.operation, name)
        self.dropping.seen[member] = None
        return member in self.dropping.dropped

    def _json(self, value: Any, path: str) -> Any:
        if isinstance(value, dict):
            within = f"{path}." if path else ""
            kept = {name: member for name, member in value.items() if not self.drops(f"{within}{name}")}
            return {name: self._json(member, f"{within}{name}") for name, member in kept.items()}
        return [self._json(element, path) for element in value] if isinstance(value, list) else value

    def _xml(self, element: ElementTree.Element, path: str) -> None:
        for child in list(element):
            name = f"{path}.{child.tag}" if path else child.tag
            if self.drops(name):
                element.remove(child)
            else:
                self._xml(child, name)
