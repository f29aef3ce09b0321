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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers.process import LOOPBACK
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


@contextmanager
def relay_to(server: S3Server) -> Iterator[Relay]:
    """A relay to the server while the block lasts."""
    target = urllib.parse.urlsplit(server.endpoint_url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _relay(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            path, _, query = self.path.partition("?")
            named = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
            relay.asked.append(Asked(self.command, urllib.parse.unquote(path), named, headers))
            if headers.get("x-amz-expected-bucket-owner", OWNER) != OWNER:
                self._answer(403, {"content-type": "application/xml"}, DENIED, len(DENIED))
                return
            connection = http.client.HTTPConnection(target, timeout=60)
            try:
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                size = int(answer.headers.get("content-length", 0)) if self.command == "HEAD" else len(content)
                self._answer(answer.status, dict(answer.headers), content, size)
            finally:
                connection.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _relay  # noqa: N815 (the base class looks for these)

        def _answer(self, status: int, headers: Mapping[str, str], content: bytes, size: int) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in OF_ONE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("content-length", str(size))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as listening:
        listening.daemon_threads = True
        relay = Relay(f"http://{LOOPBACK}:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield relay
        finally:
            listening.shutdown()
            thread.join()
