"""Servers of tests under load: no port is given away twice, and many connections wait without being refused."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler

import pytest

from tests.servers import process
from tests.servers.listening import ListeningServer
from tests.servers.process import LOOPBACK, REPOSITORY, accepts, connecting, free_port


def test_a_port_is_given_to_one_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    taken = f"""
import random
from tests.servers import process

class Chooser(random.Random):
    numbers = [{port}, {port}, {port + 1}]
    def randrange(self, *bounds):
        return self.numbers.pop(0) if self.numbers else super().randrange(*bounds)

process.random.SystemRandom = Chooser
print(process.free_port())
"""
    done = subprocess.run([sys.executable, "-c", taken], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert int(done.stdout) != port
    assert not accepts(port)


def test_many_connections_wait_until_a_busy_server_takes_them() -> None:
    with ListeningServer((LOOPBACK, 0), BaseHTTPRequestHandler) as server, ExitStack() as stack:
        # Nothing takes them yet.
        for _ in range(300):
            stack.enter_context(socket.create_connection((LOOPBACK, server.server_port), timeout=5))


def test_a_connection_that_is_refused_is_tried_again_until_a_server_listens() -> None:
    port = free_port()

    def listen() -> None:
        time.sleep(0.3)
        with socket.create_server((LOOPBACK, port)) as listener, suppress(OSError):
            listener.settimeout(10)
            listener.accept()[0].close()

    thread = threading.Thread(target=listen)
    thread.start()
    connecting(lambda: socket.create_connection((LOOPBACK, port), timeout=5).close())
    thread.join()


def test_a_server_that_never_listens_is_an_error_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SECONDS_TO_CONNECT", 0.2)
    port = free_port()
    with pytest.raises(ConnectionRefusedError):
        connecting(lambda: socket.create_connection((LOOPBACK, port), timeout=5).close())
