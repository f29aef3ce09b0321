"""A relay between the program and a server: it keeps what was asked, and judges what MiniStack does not.

As S3 does, it refuses requests that expect another owner of the bucket than the one there is.
"""

from __future__ import annotations

import http.client
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.servers.listening import ListeningServer
from tests.servers.process import LOOPBACK, connecting
from tests.servers.s3 import S3Server

OWNER = "000000000000"
OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; the names of its headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def access_key(self) -> str:
        """Who has signed it."""
        return self._scope()[0]

    @property
    def region(self) -> str:
        """The region that it is signed for."""
        return self._scope()[2]

    @property
    def service(self) -> str:
        """The service that it is signed for."""
        return self._scope()[3]

    def _scope(self) -> list[str]:
        return self.headers["authorization"].partition("Credential=")[2].partition(",")[0].split("/")


@dataclass(frozen=True, slots=True)
class Relay:
    """Where the relay is, and what it was asked, in order."""

    endpoint_url: str
    asked: list[Asked] = field(default_factory=list)

    def of(self, bucket: str) -> list[Asked]:
        """What was asked of a bucket."""
        return [request for request in self.asked if request.path.split("/")[1] == bucket]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says. size: of its body, which a HEAD has none of."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    size: int


class Relaying(BaseHTTPRequestHandler):
    """Takes requests and gives what `decide` says: the server's own answer, another one, or none (None)."""

    protocol_version = "HTTP/1.1"
    # An answer's body would wait 40 ms for the client's acknowledgment of its headers.
    disable_nagle_algorithm = True
    server_netloc = ""

    def decide(self, headers: dict[str, str], body: bytes) -> Answer | None:
        """The answer to a request; the names of its headers are in lower case."""
        raise NotImplementedError

    def ask(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What the server answers to this request, with this body and these headers."""
        connection = http.client.HTTPConnection(self.server_netloc, timeout=60)
        try:
            connecting(connection.connect)
            connection.request(self.command, self.path, body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
            size = int(answer.headers.get("content-length", 0)) if self.command == "HEAD" else len(content)
            return Answer(answer.status, dict(answer.headers), content, size)
        finally:
            connection.close()

    def _relay(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.decide(headers, self.rfile.read(int(headers.get("content-length", 0))))
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in OF_ONE_CONNECTION:
                self.send_header(name, value)
        self.send_header("content-length", str(answer.size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _relay  # noqa: N815 (the base class looks for these)


@contextmanager
def listen(handler: type[Relaying], server: S3Server) -> Iterator[str]:
    """The address at which requests for the server are taken while the block lasts."""
    handler.server_netloc = urllib.parse.urlsplit(server.endpoint_url).netloc
    with ListeningServer((LOOPBACK, 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@contextmanager
def relay_to(server: S3Server) -> Iterator[Relay]:
    """A relay to the server while the block lasts."""

    class Handler(Relaying):
        def decide(self, headers: dict[str, str], body: bytes) -> Answer:
            path, _, query = self.path.partition("?")
            named = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
            asked.append(Asked(self.command, urllib.parse.unquote(path), named, headers))
            if headers.get("x-amz-expected-bucket-owner", OWNER) != OWNER:
                return Answer(403, {"content-type": "application/xml"}, DENIED, len(DENIED))
            return self.ask(body, headers)

    asked: list[Asked] = []
    with listen(Handler, server) as url:
        yield Relay(url, asked)
