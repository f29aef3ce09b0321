"""Shows progress on stderr, of a run or of a wait: something that moves on a terminal, lines anywhere else."""

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
SECONDS_BETWEEN_POLLS_TOLD = 300.0
_LONGEST_PHASE = 20
"""What fits beside the bar and its figures in 80 columns."""
_BAR_COLUMNS = 16


@contextmanager
def show_progress(messages: Messages) -> Iterator[Listener]:
    """Give a listener that shows what it hears in the way that fits the messages' format and where stderr goes."""
    if messages.quiet or messages.log_format == "json" or not sys.stderr.isatty():
        yield LineProgress(messages)
        return
    with _open_bar() as bar:
        yield BarProgress(messages, bar)


class LineProgress:
    """A line for each phase; in the JSON form also one every ten seconds with the bytes read so far."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._lock = threading.Lock()
        self._phase = ""
        self.bytes_read = 0
        self._total = 0
        self._next_event = time.monotonic() + SECONDS_BETWEEN_EVENTS

    def started(self, total_bytes: int, files: int) -> None:
        """Count from zero towards the new total."""
        with self._lock:
            self.bytes_read = 0
            self._total = total_bytes
        if self._messages.log_format == "json":
            self._messages.info("started", "reading", {"totalBytes": total_bytes, "dataFiles": files})

    def advanced(self, compressed_bytes: int) -> None:
        """Count, and once in a while say so in the JSON form."""
        with self._lock:
            self.bytes_read += compressed_bytes
            now = time.monotonic()
            if self._messages.log_format != "json" or now < self._next_event:
                return
            self._next_event = now + SECONDS_BETWEEN_EVENTS
            phase, facts = self._phase, {"bytes": self.bytes_read, "totalBytes": self._total}
        self._messages.info("progress", phase, facts)

    def phase(self, text: str) -> None:
        """Say each phase once, however often it is announced in a row."""
        with self._lock:
            if text == self._phase:
                return
            self._phase = text
        self._messages.info("phase", text)

    def warned(self, text: str) -> None:
        """Pass the warning on."""
        self._messages.warning(text)


class BarProgress:
    """One live line: phase, bar, bytes of the export, speed and time left."""

    def __init__(self, messages: Messages, bar: Progress) -> None:
        self._messages = messages
        self._bar = bar
        self._task: TaskID = bar.add_task("starting", total=None)

    def started(self, total_bytes: int, files: int) -> None:  # noqa: ARG002 - the bar counts bytes alone
        """Draw the bar from its beginning."""
        self._bar.reset(self._task, total=total_bytes)

    def advanced(self, compressed_bytes: int) -> None:
        """Move the bar."""
        self._bar.advance(self._task, compressed_bytes)

    def phase(self, text: str) -> None:
        """Show the phase before the bar; a long one with a reason is said in full above it."""
        if len(text) > _LONGEST_PHASE and ": " in text:
            self._messages.info("phase", text)
            text = text.partition(": ")[0]
        self._bar.update(self._task, description=printable(text))

    def warned(self, text: str) -> None:
        """Print the warning above the bar."""
        self._messages.warning(text)


@contextmanager
def show_waiting(messages: Messages) -> Iterator[LineWatcher]:
    """Give what shows the polls of a wait for an export, in the way that fits the messages' format and stderr."""
    if messages.quiet or messages.log_format == "json" or not sys.stderr.isatty():
        yield LineWatcher(messages)
        return
    with _open_clock() as line:
        yield LiveWatcher(messages, line)


class LineWatcher:
    """A line for the first poll, and every five minutes."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._next = time.monotonic()

    def polled(self, state: ExportState) -> None:
        """Say that the export is in progress, if that was not said for long."""
        now = time.monotonic()
        if state.status != "IN_PROGRESS" or now < self._next:
            return
        self._next = now + SECONDS_BETWEEN_POLLS_TOLD
        self._messages.info(
            "waiting", f"export {state.export_id} is in progress{_age(state)}", {"export": state.to_json()}
        )

    def troubled(self, error: ConvertError) -> None:
        """Warn, once for each text."""
        self._messages.warning(f"{error.where}: {error.what}; the next poll may be answered")


class LiveWatcher(LineWatcher):
    """One live line: the status, and for how long the export has been under way."""

    def __init__(self, messages: Messages, line: Progress) -> None:
        super().__init__(messages)
        self._line = line
        self._task: TaskID = line.add_task("asking", total=None)

    def polled(self, state: ExportState) -> None:
        """Show the status."""
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
        # The service says when an export began.
        get_time=time.time,
    )


def _open_bar() -> Progress:
    # rich takes 70 ms to import: only who sees the bar pays for it.
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
        """A column that is empty unless bytes are counted, or unless they are not."""

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
