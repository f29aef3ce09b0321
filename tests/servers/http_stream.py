"""Just enough of HTTP/1.1 to pass messages on byte for byte: heads, lengths, chunks and `100 Continue`."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PIECE_BYTES = 1 << 20
MOST_HEAD_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the headers of a message, with their names in lower case, and all of its bytes."""

    first: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def chunked(self) -> bool:
        """Whether the length of the body is only known at its end."""
        return self.headers.get("transfer-encoding", "").lower().endswith("chunked")

    @property
    def length(self) -> int | None:
        """The bytes of the body, where the headers say them."""
        return int(self.headers["content-length"]) if "content-length" in self.headers else None

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this message."""
        return self.headers.get("connection", "").lower() == "close"

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.first.split(" ", 2)[1])


class Stream:
    """A connection with what was read from it too early. A piece that it gives is valid until the next one."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self._buffer = memoryview(bytearray(PIECE_BYTES))
        self._start = self._end = 0

    def send(self, data: bytes | memoryview) -> None:
        """All of it."""
        self.connection.sendall(data)

    def read_head(self) -> Head | None:
        """None: the other side has closed the connection instead."""
        raw = bytearray()
        while not raw.endswith(b"\r\n\r\n"):
            line = self._line()
            if not line or len(raw) > MOST_HEAD_BYTES:
                return None
            raw += line
        first, *lines = raw.decode("latin-1").split("\r\n")
        fields = (line.split(":", 1) for line in lines if line)
        return Head(first, {name.strip().lower(): value.strip() for name, value in fields}, bytes(raw))

    def read_body(self, head: Head) -> Iterator[memoryview | bytes]:
        """The body in pieces, as it is on the wire. Without a length it ends with the connection."""
        if head.chunked:
            yield from self._chunks()
        else:
            yield from self._pieces(head.length)

    def waits(self, *others: Stream) -> set[Stream]:
        """Which of this and the others can be read (or were closed), as soon as one can."""
        streams = {self, *others}
        early = {stream for stream in streams if stream._start < stream._end}
        if early:
            return early
        readable, _, _ = select.select([stream.connection for stream in streams], [], [])
        return {stream for stream in streams if stream.connection in readable}

    def is_stale(self) -> bool:
        """Whether a connection on which nothing is expected was closed by the other side."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)

    def close(self) -> None:
        """An orderly end."""
        self.connection.close()

    def reset(self) -> None:
        """An end that the other side sees as a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _fill(self) -> bool:
        if self._start == self._end:
            self._start, self._end = 0, self.connection.recv_into(self._buffer)
        return self._start < self._end

    def _take(self, most: int) -> memoryview:
        piece = self._buffer[self._start : min(self._end, self._start + most)]
        self._start += len(piece)
        return piece

    def _line(self) -> bytes:
        """To its line feed; shorter where the connection ends, or at 256 KiB."""
        line = bytearray()
        while not line.endswith(b"\n") and len(line) < MOST_HEAD_BYTES and self._fill():
            seen = bytes(self._buffer[self._start : self._end])
            end = seen.find(b"\n") + 1
            line += self._take(end or len(seen))
        return bytes(line)

    def _pieces(self, length: int | None) -> Iterator[memoryview]:
        left = length
        while left != 0:
            if not self._fill():
                if left is not None:
                    raise ConnectionResetError("the body ended too early")
                return
            piece = self._take(PIECE_BYTES if left is None else left)
            left = None if left is None else left - len(piece)
            yield piece

    def _chunks(self) -> Iterator[memoryview | bytes]:
        while True:
            line = self._line()
            if not line:
                raise ConnectionResetError("the body ended too early")
            yield line
            size = int(line.split(b";")[0], 16)
            if not size:
                break
            yield from self._pieces(size + 2)
        while line.strip():
            line = self._line()
            yield line
