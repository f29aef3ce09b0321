"""Swift's four servers, forked off one process of Swift's own Python: importing Swift four times takes seconds.

    python -I swift_node.py FOLDER ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT

Reads FOLDER/etc, which tests.servers.swift writes. Ends, with all four, when one of them ends or at SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from swift.common.ring import RingBuilder
from swift.common.wsgi import run_wsgi

KINDS = ("account", "container", "object")
PARTITION_POWER = 4


def main(folder: Path, ports: list[int]) -> NoReturn:
    """Runs until it is told to end."""
    etc = folder / "etc"
    for kind, port in zip(KINDS, ports, strict=True):
        save_ring(etc / f"{kind}.ring.gz", port)
    children = [start(etc, kind) for kind in (*KINDS, "proxy")]
    signal.signal(signal.SIGTERM, lambda *_: end(children))
    os.wait()
    end(children)


def save_ring(path: Path, port: int) -> None:
    """One device holds everything once."""
    builder = RingBuilder(PARTITION_POWER, 1, 0)
    place = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "d1", "meta": "", **place})
    builder.rebalance()
    builder.get_ring().save(str(path))


def start(etc: Path, kind: str) -> int:
    """The process id of a server."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
    os._exit(run_wsgi(str(etc / f"{kind}-server.conf"), f"{kind}-server", verbose=True, capture_stderr=False))


def end(children: list[int]) -> NoReturn:
    """Nothing here is worth an orderly end, but all ports are free after it."""
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    for child in children:
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(port) for port in sys.argv[2:]])
