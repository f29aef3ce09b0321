"""Messages on stderr: plain lines for people, or one JSON object per line for log collectors."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from converter.display import Lines, lines, shorten_line, without_users
from converter.utc import format_utc

LogFormat = Literal["text", "json"]
_INDENT = 2
Level = Literal["info", "warning", "error"]


def _terminal_width() -> int | None:
    """Return the columns of the terminal on stderr, or None if stderr is not a terminal."""
    if not sys.stderr.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except (OSError, ValueError):
        return None


class PatientStream:
    """A stream for messages that ignores write errors: messages to a closed or full stream are dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        with self._tolerant():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the buffer, or drop it."""
        with self._tolerant():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            pass
        except (OSError, ValueError):
            # A flush of the remaining buffer at exit must not fail again.
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


class Messages:
    """Writes messages to stderr. Thread-safe.

    A text is one line, or several as `Lines`. quiet: writes only warnings and errors.
    """

    def __init__(self, *, log_format: LogFormat = "text", quiet: bool = False) -> None:
        self.log_format: LogFormat = log_format
        self.quiet = quiet
        # Reentrant, because a signal handler may write while this thread does.
        self._lock = threading.RLock()
        self._warned: set[str] = set()

    def info(self, event: str, text: str, facts: Mapping[str, object] | None = None) -> None:
        """Write an informational message. Only the JSON format includes `facts`."""
        if not self.quiet:
            self._say("info", event, text, facts)

    def warning(self, text: str) -> None:
        """Write a warning once per text: the report of a run repeats the warnings of its progress."""
        with self._lock:
            if text in self._warned:
                return
            self._warned.add(text)
        self._say("warning", "warning", text, None)

    def error(self, text: str, facts: Mapping[str, object] | None = None) -> None:
        """Write the reason why the command fails. Only the JSON format includes `facts`."""
        self._say("error", "error", text, facts)

    def _fit(self, line: str, level: Level) -> str:
        """Wrap a line for a terminal. The hint of an error is not wrapped, because users copy it."""
        width = _terminal_width()
        if width is None or len(line) <= width or (level == "error" and not line.startswith("error: ")):
            return line
        # Paths are copied too: the terminal breaks a long one better than a line of its own.
        if max(map(len, line.split())) > width - _INDENT:
            return line
        facts = re.match(r"  \S+ {2,}", line)
        indent = " " * (facts.end() if facts else _INDENT)
        pieces = textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        return "\n".join(pieces)

    def _say(self, level: Level, event: str, text: str, facts: Mapping[str, object] | None) -> None:
        if self.log_format == "json":
            now = format_utc(datetime.now(UTC))
            message = without_users(text) if isinstance(text, Lines) else shorten_line(without_users(text))
            record = {"time": now, "level": level, "event": event, "message": message}
            line = json.dumps({**record, **{name: _shown(fact) for name, fact in (facts or {}).items()}})
        else:
            line = lines(text) if level == "info" else f"{level}: {lines(text)}"
            line = "\n".join(self._fit(part, level) for part in line.split("\n"))
        # sys.stderr is looked up for each message: rich replaces it while a progress bar is visible.
        with self._lock:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def _shown(fact: object) -> object:
    """Return a fact without the user parts of URLs. JSON escapes everything else that is not printable."""
    if isinstance(fact, str):
        return without_users(fact)
    if isinstance(fact, Mapping):
        return {name: _shown(value) for name, value in fact.items()}
    return [_shown(value) for value in fact] if isinstance(fact, (list, tuple)) else fact
