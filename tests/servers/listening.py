"""An HTTP server of a test's own process: it takes many connections at once, on a port that the system chooses."""

from __future__ import annotations

from http.server import ThreadingHTTPServer

QUEUE = 1024
"""With the usual queue of five, connections are dropped when a run opens many while the machine is busy."""


class ListeningServer(ThreadingHTTPServer):
    """Connections are taken from when it is made, and answered from when it serves."""

    daemon_threads = True
    request_queue_size = QUEUE
