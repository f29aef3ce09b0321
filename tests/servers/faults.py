"""What a proxy can do to a request, and the rules that choose it.

    with start_proxy(ministack, rule=at_random(7, {Reset(): 0.05, Answer(503, "SlowDown"): 0.05})) as proxy: ...

A rule sees each request once, one request at a time in the order in which they come, and returns a fault or None.
"""

from __future__ import annotations

import random
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Request:
    """A request that a proxy saw. count: 1 for the first. Names of headers are in lower case.

    server_status: what the server answered; None: it never got the request, or has not answered yet.
    status: what the client was answered; None: nothing.
    """

    count: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    fault: Fault | None = None
    server_status: int | None = None
    status: int | None = None

    @property
    def bucket(self) -> str:
        return urllib.parse.unquote(self.path.split("/")[1])

    @property
    def key(self) -> str:
        """Empty: the request is about the bucket."""
        return urllib.parse.unquote(self.path.partition("/")[2].partition("/")[2])

    @property
    def operation(self) -> str:
        """The name that S3 has for it, of those that a program that copies files uses; otherwise the method."""
        has = urllib.parse.parse_qs(self.query, keep_blank_values=True).keys()
        target = "object" if self.key else "bucket"
        copies = self.method == "PUT" and "x-amz-copy-source" in self.headers
        for method, kind, parameter, name in OPERATIONS:
            if (method, kind) == (self.method, target) and (not parameter or parameter in has):
                return {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}.get(name, name) if copies else name
        return self.method


OPERATIONS = (
    ("GET", "bucket", "uploads", "ListMultipartUploads"),
    ("GET", "bucket", "location", "GetBucketLocation"),
    ("GET", "bucket", "list-type", "ListObjectsV2"),
    ("HEAD", "bucket", "", "HeadBucket"),
    ("PUT", "bucket", "", "CreateBucket"),
    ("POST", "bucket", "delete", "DeleteObjects"),
    ("GET", "object", "uploadId", "ListParts"),
    ("GET", "object", "", "GetObject"),
    ("HEAD", "object", "", "HeadObject"),
    ("PUT", "object", "partNumber", "UploadPart"),
    ("PUT", "object", "", "PutObject"),
    ("POST", "object", "uploads", "CreateMultipartUpload"),
    ("POST", "object", "uploadId", "CompleteMultipartUpload"),
    ("DELETE", "object", "uploadId", "AbortMultipartUpload"),
    ("DELETE", "object", "", "DeleteObject"),
)


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset before the request reaches the server."""


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """The server acts, all of its answer has come, and then the connection is reset: the request took effect."""


@dataclass(frozen=True, slots=True)
class Truncate:
    """The connection is closed in the middle of the answer's body; of one without a body, in its first line."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer's body comes in pieces over this time, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """S3's error of this status and code instead of the server's answer; the server gets nothing."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Call:
    """The request goes on when the action is done, which may use the server behind the proxy; or in mid-body.

    middle: the action is called when the client has half of the answer's body. after: when the server has answered,
    and the client has nothing of it yet.
    """

    action: Callable[[], object]
    middle: bool = False
    after: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """The request is never answered; the connection stays open until the proxy ends."""


Fault = Reset | LoseAnswer | Truncate | Slow | Answer | Call | Hang
Rule = Callable[[Request], Fault | None]

SLOW_DOWN = Answer(503, "SlowDown")
INTERNAL_ERROR = Answer(500, "InternalError")


def at_random(seed: int, rates: Mapping[Fault, float]) -> Rule:
    """Each fault at its rate, at most one for a request: 0.05 is one request in twenty."""
    assert sum(rates.values()) <= 1
    source = random.Random(seed)

    def choose(_: Request) -> Fault | None:
        drawn = source.random()
        for fault, rate in rates.items():
            drawn -= rate
            if drawn < 0:
                return fault
        return None

    return choose


def once(fault: Fault, operation: str, nth: int = 1) -> Rule:
    """The fault for the nth request of an operation of S3, such as "GetObject"; all others are let through."""
    seen = 0

    def choose(request: Request) -> Fault | None:
        nonlocal seen
        seen += request.operation == operation
        return fault if request.operation == operation and seen == nth else None

    return choose
