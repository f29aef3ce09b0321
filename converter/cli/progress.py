"""Shows the progress of a run or of a wait on stderr: a live line on a terminal, log lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from converter.cli.messages import Messages
from converter.display import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, TaskID

    from converter.aws.export_state import ExportState
    from converter.conversion.progress import Listener
    from converter.errors import ConvertError

SECONDS_BETWEEN_EVENTS = 10.0
SECONDS_BETWEEN_REPORTED_POLLS = 300.0
_LONGEST_PHASE = 20
"""Longest phase that fits beside the bar and its numbers in 80 columns."""
_BAR_COLUMNS = 16


@contextmanager
def show_progress(messages: Messages) -> Iterator[Listener]:
    """Yield a listener that shows progress as the message format and the target of stderr allow."""
    if messages.quiet or messages.log_format == "json" or not sys.stderr.isatty():
        yield LineProgress(messages)
        return
    with _open_bar() as bar:
        yield BarProgress(messages, bar)


class LineProgress:
    """A line per phase; in the JSON format also a line every ten seconds with the bytes read so far."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._lock = threading.Lock()
        self._phase = ""
        self.bytes_read = 0
        self._total = 0
        self._next_event = time.monotonic() + SECONDS_BETWEEN_EVENTS

    def started(self, total_bytes: int, files: int) -> None:
        with self._lock:
            self.bytes_read = 0
            self._total = total_bytes
        if self._messages.log_format == "json":
            self._messages.info("started", "reading", {"totalBytes": total_bytes, "dataFiles": files})

    def advanced(self, compressed_bytes: int) -> None:
        """Count the bytes, and report them every ten seconds in the JSON format."""
        with self._lock:
            self.bytes_read += compressed_bytes
            now = time.monotonic()
            if self._messages.log_format != "json" or now < self._next_event:
                return
            self._next_event = now + SECONDS_BETWEEN_EVENTS
            phase, facts = self._phase, {"bytes": self.bytes_read, "totalBytes": self._total}
        self._messages.info("progress", phase, facts)

    def phase(self, text: str) -> None:
        """Report a phase, unless it repeats the previous one."""
        with self._lock:
            if text == self._phase:
                return
            self._phase = text
        self._messages.info("phase", text)

    def warned(self, text: str) -> None:
        self._messages.warning(text)


class BarProgress:
    """A live line: phase, bar, bytes of the export, speed and remaining time."""

    def __init__(self, messages: Messages, bar: Progress) -> None:
        self._messages = messages
        self._bar = bar
        self._task: TaskID = bar.add_task("starting", total=None)

    def started(self, total_bytes: int, files: int) -> None:  # noqa: ARG002 - the bar counts bytes alone
        self._bar.reset(self._task, total=total_bytes)

    def advanced(self, compressed_bytes: int) -> None:
        self._bar.advance(self._task, compressed_bytes)

    def phase(self, text: str) -> None:
        """Show the phase beside the bar. A long phase with a reason is printed in full above the bar."""
        if len(text) > _LONGEST_PHASE and ": " in text:
            self._messages.info("phase", text)
            text = text.partition(": ")[0]
        self._bar.update(self._task, description=printable(text))

    def warned(self, text: str) -> None:
        self._messages.warning(text)


@contextmanager
def show_waiting(messages: Messages) -> Iterator[LineWatcher]:
    """Yield a watcher that shows the polls of a wait as the message format and the target of stderr allow."""
    if messages.quiet or messages.log_format == "json" or not sys.stderr.isatty():
        yield LineWatcher(messages)
        return
    with _open_clock() as line:
        yield LiveWatcher(messages, line)


class LineWatcher:
    """A line for the first poll, and then every five minutes."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._next = time.monotonic()

    def polled(self, state: ExportState) -> None:
        """Report that the export is in progress, at most every five minutes."""
        now = time.monotonic()
        if state.status != "IN_PROGRESS" or now < self._next:
            return
        self._next = now + SECONDS_BETWEEN_REPORTED_POLLS
        self._messages.info(
            "waiting", f"export {state.export_id} is in progress{_age(state)}", {"export": state.to_json()}
        )

    def troubled(self, error: ConvertError) -> None:
        """Write a warning once per text."""
        self._messages.warning(f"{error.where}: {error.what}; will poll again")


class LiveWatcher(LineWatcher):
    """A live line: the status, and the time since the export started."""

    def __init__(self, messages: Messages, line: Progress) -> None:
        super().__init__(messages)
        self._line = line
        self._task: TaskID = line.add_task("polling", total=None)

    def polled(self, state: ExportState) -> None:
        if state.start_time is not None:
            self._line.tasks[0].start_time = state.start_time.timestamp()
        status = state.status.lower().replace("_", " ")
        self._line.update(self._task, description=printable(f"export {state.export_id} is {status}"))


def _age(state: ExportState) -> str:
    if state.start_time is None:
        return ""
    minutes = max(int((time.time() - state.start_time.timestamp()) // 60), 0)
    return f", for {minutes} min" if minutes < 60 else f", for {minutes // 60} h {minutes % 60} min"


def _open_clock() -> Progress:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        # The start time of an export comes from the service.
        get_time=time.time,
    )


def _open_bar() -> Progress:
    # Imported here, because the import of rich takes 70 ms and only the bar needs it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class While(ProgressColumn):
        """A column that is visible only while bytes are counted, or only while they are not."""

        def __init__(self, column: ProgressColumn, *, counting: bool) -> None:
            super().__init__()
            self._column = column
            self._counting = counting

        def render(self, task: Task) -> RenderableType:
            return self._column.render(task) if (task.total is not None) == self._counting else Text("")

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *(
            While(column, counting=True)
            for column in (
                BarColumn(bar_width=_BAR_COLUMNS),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(compact=True),
            )
        ),
        While(TimeElapsedColumn(), counting=False),
        console=Console(stderr=True),
        transient=True,
    )
