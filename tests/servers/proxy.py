"""A proxy between the program and a server, on the loopback interface, that plays a bad network and counts requests.

    with start_proxy(ministack, rule=once(LoseAnswer(), "CompleteMultipartUpload"), delay=0.03) as proxy:
        ... proxy.server.environment() ...
        assert proxy.operations().count("CompleteMultipartUpload") == 2

Messages pass byte for byte, the Host header too, so that signatures hold. A thread serves each connection: its bodies
pass in large pieces while Python's lock is free.
"""

from __future__ import annotations

import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from tests.servers.faults import Answer, Call, Fault, Hang, LoseAnswer, Request, Reset, Rule, Slow, Truncate
from tests.servers.http_stream import Head, Stream
from tests.servers.listening import QUEUE
from tests.servers.process import LOOPBACK
from tests.servers.s3 import S3Server

SECONDS_BETWEEN_LOOKS = 0.05
SLOW_PIECES = 20
WITHOUT_BODY = (204, 304)
# Of `HTTP/1.1 200 OK`. Python's http.client takes headers that end too early for all that there are.
CUT_STATUS_BYTES = 6


class Proxy:
    """server: the server as seen through the proxy. requests: all that came, in order. rule, delay: may be changed.

    delay: seconds that each request takes longer.
    """

    def __init__(self, server: S3Server, rule: Rule | None, delay: float) -> None:
        self.rule = rule
        self.delay = delay
        self.requests: list[Request] = []
        self.closing = threading.Event()
        target = urllib.parse.urlsplit(server.endpoint_url)
        self.target = (str(target.hostname), target.port or 80)
        self._listener = socket.create_server((LOOPBACK, 0), backlog=QUEUE)
        self._listener.settimeout(SECONDS_BETWEEN_LOOKS)
        self.server = replace(server, endpoint_url=f"http://{LOOPBACK}:{self._listener.getsockname()[1]}")
        self._lock = threading.Lock()
        self._sessions: set[_Session] = set()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def operations(self) -> list[str]:
        """The names that S3 has for the requests, in order."""
        return [request.operation for request in self.requests]

    def connections(self) -> int:
        """How many a client has open now."""
        with self._lock:
            return len(self._sessions)

    def close(self) -> None:
        """Ends all connections, also those that hang, and waits for all threads."""
        self.closing.set()
        self._threads[0].join()
        with self._lock:
            for session in self._sessions:
                session.interrupt()
        for thread in self._threads:
            thread.join()

    def admit(self, head: Head) -> Request:
        """Notes a request and chooses its fault."""
        method, target, _ = head.first.split(" ", 2)
        path, _, query = target.partition("?")
        with self._lock:
            count = len(self.requests) + 1
            request = Request(count=count, method=method, path=path, query=query, headers=head.headers)
            self.requests.append(request)
            request.fault = self.rule(request) if self.rule else None
        return request

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with self._listener:
            while not self.closing.is_set():
                with suppress(TimeoutError):
                    connection, _ = self._listener.accept()
                    session = _Session(self, connection)
                    with self._lock:
                        self._sessions.add(session)
                    self._start(self._serve, session)

    def _serve(self, session: _Session) -> None:
        try:
            session.run()
        finally:
            with self._lock:
                self._sessions.remove(session)
                session.close()


class _Broken(Exception):
    """This connection of a client ends here. reset: not in order."""

    def __init__(self, reset: bool = False) -> None:
        super().__init__(reset)
        self.reset = reset


class _Session:
    """The requests of one connection of a client, over one connection to the server where that stays open."""

    def __init__(self, proxy: Proxy, connection: socket.socket) -> None:
        self._proxy = proxy
        self._client = Stream(connection)
        self._server: Stream | None = None

    def run(self) -> None:
        """Until either side ends it or a fault does."""
        try:
            while head := self._client.read_head():
                self._answer(self._proxy.admit(head), head)
                if head.closes:
                    break
        except _Broken as broken:
            if broken.reset:
                self._client.reset()
        except OSError:
            pass

    def interrupt(self) -> None:
        """From another thread: what waits for either side goes on, and ends."""
        for stream in (self._client, self._server):
            if stream is not None:
                with suppress(OSError):
                    stream.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Both connections."""
        self._client.close()
        if self._server is not None:
            self._server.close()

    def _answer(self, request: Request, head: Head) -> None:
        fault = request.fault
        time.sleep(self._proxy.delay)
        if isinstance(fault, Reset):
            raise _Broken(reset=True)
        if isinstance(fault, Hang):
            self._proxy.closing.wait()
            raise _Broken
        if isinstance(fault, Answer):
            self._refuse(request, head, fault)
            return
        if isinstance(fault, Call) and not (fault.middle or fault.after):
            _call(fault)
        server = self._connect()
        answer, taken = self._exchange(head, server)
        request.server_status = answer.status
        if isinstance(fault, Call) and fault.after:
            _call(fault)
        self._pass_answer(request, answer, server, fault)
        if answer.closes or not taken:
            raise _Broken

    def _refuse(self, request: Request, head: Head, fault: Answer) -> None:
        waits = "expect" in head.headers
        if not waits and (head.chunked or head.length):
            for _ in self._client.read_body(head):
                pass
        request.status = fault.status
        self._client.send(_error(fault, waits, request.method != "HEAD"))
        if waits:
            raise _Broken

    def _connect(self) -> Stream:
        """The connection to the server: the one that there is, unless the server has closed it."""
        if self._server is not None and self._server.is_stale():
            self._server.close()
            self._server = None
        if self._server is None:
            self._server = Stream(socket.create_connection(self._proxy.target))
        return self._server

    def _exchange(self, head: Head, server: Stream) -> tuple[Head, bool]:
        """The server's final answer, and whether it has taken the whole request: it may answer without, and close."""
        server.send(head.raw)
        answer, taken = None, True
        if head.chunked or head.length:
            if "expect" in head.headers and self._client not in self._client.waits(server):
                answer = self._read_answer(server)
            taken = self._pass_body(head, server) if answer is None else False
        while answer is None:
            answer = self._read_answer(server)
        return answer, taken

    def _read_answer(self, server: Stream) -> Head | None:
        """None: it was not the final answer, and the client has it."""
        answer = server.read_head()
        if answer is None:
            raise _Broken
        if answer.status >= 200:
            return answer
        self._client.send(answer.raw)
        return None

    def _pass_body(self, head: Head, server: Stream) -> bool:
        for piece in self._client.read_body(head):
            try:
                server.send(piece)
            except OSError:
                return False
        return True

    def _pass_answer(self, request: Request, answer: Head, server: Stream, fault: Fault | None) -> None:
        has_body = request.method != "HEAD" and answer.status not in WITHOUT_BODY and answer.length != 0
        body: Iterable[memoryview | bytes] = server.read_body(answer) if has_body else ()
        if isinstance(fault, LoseAnswer):
            for _ in body:
                pass
            raise _Broken(reset=True)
        if isinstance(fault, Truncate) and not has_body:
            self._client.send(answer.raw[:CUT_STATUS_BYTES])
            raise _Broken
        request.status = answer.status
        self._client.send(answer.raw)
        if isinstance(fault, Truncate | Slow | Call):
            body = self._disturb(fault, answer, body)
        for piece in body:
            self._client.send(piece)
        if has_body and not answer.chunked and answer.length is None:
            raise _Broken

    def _disturb(
        self, fault: Truncate | Slow | Call, answer: Head, body: Iterable[memoryview | bytes]
    ) -> Iterator[memoryview | bytes]:
        """The same body, with what the fault does at its places."""
        total = answer.length
        if total is None:
            whole_body = b"".join(body)
            body, total = [whole_body], len(whole_body)
        events = SLOW_PIECES if isinstance(fault, Slow) else 2
        places = [total * number // events for number in range(1, events)]
        done = 0
        for whole in body:
            piece = whole
            while places and places[0] - done <= len(piece):
                before = places.pop(0) - done
                done += before
                yield piece[:before]
                piece = piece[before:]
                self._happen(fault)
            done += len(piece)
            yield piece

    def _happen(self, fault: Truncate | Slow | Call) -> None:
        if isinstance(fault, Slow):
            self._proxy.closing.wait(fault.seconds / (SLOW_PIECES - 1))
        elif isinstance(fault, Truncate):
            raise _Broken
        elif fault.middle:
            _call(fault)


def _call(fault: Call) -> None:
    """An error of the action is the test's, and not taken for one of the connection."""
    try:
        fault.action()
    except OSError as error:
        raise RuntimeError("a proxy's action failed") from error


def _error(fault: Answer, closes: bool, with_body: bool) -> bytes:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{fault.code}</Code><Message>Made by a test.</Message><RequestId>0</RequestId></Error>"
    ).encode()
    lines = (
        f"HTTP/1.1 {fault.status} {fault.code}",
        "Content-Type: application/xml",
        f"Content-Length: {len(body)}",
        *(["Connection: close"] if closes else []),
    )
    return "\r\n".join((*lines, "\r\n")).encode() + (body if with_body else b"")


@contextmanager
def start_proxy(server: S3Server, rule: Rule | None = None, delay: float = 0.0) -> Iterator[Proxy]:
    """A proxy to the server, until the block ends."""
    proxy = Proxy(server, rule, delay)
    try:
        yield proxy
    finally:
        proxy.close()
