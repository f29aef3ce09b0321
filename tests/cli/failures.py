"""What a user may expect of every failure."""

from __future__ import annotations

import subprocess
from pathlib import Path


def check_failure(done: subprocess.CompletedProcess[str], code: int, *said: str, dest: Path | None = None) -> str:
    """One message with a next step, this exit code, nothing on stdout, nothing at DEST. Returns the message."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "a bug in" not in done.stderr
    assert done.stderr.count("error: ") == 1, done.stderr
    message = done.stderr.partition("error: ")[2]
    what, _, hint = message.rstrip("\n").partition("\n")
    assert what.strip()
    assert hint.strip(), f"no next step: {message}"
    for text in said:
        assert text in message, message
    assert dest is None or not dest.exists(), sorted(dest.rglob("*"))
    return message
