"""MiniStack: everything of AWS that the program talks to, over real HTTP, with its objects in memory.

Its conditional writes are atomic. It takes any credentials, parts of any size and keys that S3 refuses.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import LOOPBACK, free_port, installation, running
from tests.servers.s3 import S3Server


@contextmanager
def start_ministack(folder: Path, **settings: str) -> Iterator[S3Server]:
    """A server of its own; `settings` are environment variables of MiniStack, such as AUTH="true"."""
    python = installation("ministack") / "bin" / "python"
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    environment = {
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **settings,
    }
    with running([python, "-m", "ministack"], folder, lambda: is_healthy(f"{url}/_ministack/health"), environment):
        yield S3Server(url, "testing", "testing", "us-east-1", "ministack", conditional=True)


def is_healthy(url: str) -> bool:
    """Whether a server answers 200 there by now."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
