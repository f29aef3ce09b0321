"""A server that says what a test tells it to, in the place of S3."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest

from tests.servers.listening import ListeningServer
from tests.servers.process import LOOPBACK
from tests.servers.s3 import S3Server


@dataclass
class Stub:
    """A server that gives one answer to all requests: a status, and an error's XML but to HEAD.

    answer: says it for each request, by its headers. asked: method and path of each request. body: of the last one.
    """

    answer: Callable[[dict[str, str]], tuple[int, str]]
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    body: bytes = b""


def error(code: str, message: str = "Said by a test.", more: str = "") -> str:
    return f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"


def always(status: int, code: str) -> Callable[[dict[str, str]], tuple[int, str]]:
    return lambda _: (status, error(code))


@contextmanager
def start_stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The server, which the program in this process takes for AWS; a request is tried twice."""
    stub = Stub(lambda _: (500, error("InternalError")))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # See tests/servers/relay.py.
        disable_nagle_algorithm = True

        def answer(self) -> None:
            stub.body = self.rfile.read(int(self.headers.get("content-length", 0)))
            stub.asked.append(f"{self.command} {self.path}")
            status, text = stub.answer({name.lower(): value for name, value in self.headers.items()})
            body = b"" if self.command == "HEAD" else text.encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **stub.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with ListeningServer((LOOPBACK, 0), Handler) as server:
        stub.url = f"http://{LOOPBACK}:{server.server_address[1]}"
        S3Server(stub.url, "testing", "testing", "us-east-1", "stub", conditional=True).use(monkeypatch)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield stub
        server.shutdown()
