"""Runs one command line, and reports its error as a message and an exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from itertools import count
from types import FrameType
from typing import NoReturn, TextIO, cast

import typer

from converter.cli.arguments import environment_name
from converter.cli.commands import PROGRAM, read_command
from converter.cli.messages import LogFormat, Messages, PatientStream
from converter.cli.output import give_up_stdout, writing_result
from converter.cpus import check_cpu
from converter.display import lines
from converter.errors import ConvertError, UsageError, means_no_memory, no_memory_error
from converter.subprocesses import leave_current_directory
from converter.version import VERSION

DEBUG = environment_name("debug")
EXIT_CLOSED_PIPE = 128 + signal.SIGPIPE


class Terminated(BaseException):
    """SIGTERM arrived. Not an Exception, so that handlers of exceptions don't catch it and all clean-up runs."""


def app(program: str = PROGRAM) -> NoReturn:
    """Run the `ddb-convert` command and exit. program: its name in messages."""
    leave_current_directory()
    # The imports create half a million permanent objects, which the collector would scan repeatedly.
    gc.set_threshold(100_000)
    # numpy's linear algebra is not used here, but would start a thread for each CPU.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = run(sys.argv[1:], program)
    sys.stdout.flush()
    sys.stderr.flush()
    # All output is on disk. An orderly shutdown of Arrow would take a quarter of a second.
    os._exit(code)


def run(arguments: Sequence[str], program: str = PROGRAM) -> int:
    """Run the command line and return the exit code."""
    _open_closed_streams()
    # A failed write to stderr must not end a conversion, for example with `2>&1 | head -1`.
    with redirect_stderr(cast(TextIO, PatientStream(sys.stderr))):
        return _run_to_the_end(arguments, program)


def _run_to_the_end(arguments: Sequence[str], program: str) -> int:
    messages = Messages(log_format=wanted_log_format(arguments))
    # A name that the terminal's encoding can't represent must not end a conversion.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        with _signals_raise(messages):
            return _run(list(arguments), program)
    except ConvertError as error:
        return _fail(messages, error)
    except typer.TyperException as error:
        return _fail(messages, _as_usage_error(error))
    except KeyboardInterrupt as error:
        return _end(messages, "interrupted", signal.SIGINT, error)
    except Terminated as error:
        return _end(messages, "terminated", signal.SIGTERM, error)
    except BrokenPipeError:
        # The reader of stdout has exited, for example `| head`.
        give_up_stdout()
        return EXIT_CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 - the top level: no caller could report it
        return _fail(messages, no_memory_error()) if means_no_memory(error) else _fail_unexpectedly(messages, error)


def _open_closed_streams() -> None:
    """Open streams that `>&-` closed on the null device, so that no file gets their descriptors and their messages."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The system assigns the lowest free descriptor, which is this one.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


def wanted_log_format(arguments: Sequence[str]) -> LogFormat:
    """Return the log format that the command line asks for.

    Read before the command line is parsed, because parse errors are reported in this format too.
    """
    wanted = os.environ.get(environment_name("log-format"), "")
    for number, argument in enumerate(arguments):
        if argument == "--log-format":
            wanted = "".join(arguments[number + 1 : number + 2])
        elif argument.startswith("--log-format="):
            wanted = argument.partition("=")[2]
    return "json" if wanted == "json" else "text"


def _run(arguments: list[str], program: str) -> int:
    # Typer exits with its own codes if a stream fails, so it must not write to the real ones.
    with redirect_stdout(StringIO()) as printed:
        job = read_command(arguments or ["--help"], program)
    if not arguments:
        sys.stderr.write(printed.getvalue())
        return UsageError.exit_code
    if job is not None:
        check_cpu()
        job()
    elif text := printed.getvalue():
        with writing_result():
            sys.stdout.write(text)
    return 0


@contextmanager
def _signals_raise(messages: Messages) -> Iterator[None]:
    """Raise an exception at the first SIGTERM or Ctrl-C, and ignore the following ones.

    A second signal must not interrupt the clean-up. The first two signals are acknowledged with a message.
    """
    signals = count(1)

    def end(number: int, _frame: FrameType | None) -> None:
        # A second signal may arrive while the first one is handled, so each one takes its number first.
        which = next(signals)
        # The signal may have arrived while this thread was writing, and writes are not reentrant.
        with suppress(RuntimeError):
            if which == 1:
                messages.info("stopping", "stopping: removing unfinished output")
            elif which == 2:
                messages.info("stopping", "already stopping: unfinished output is still being removed")
        if which == 1:
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    # A shell starts background jobs of scripts with Ctrl-C ignored, and that must remain.
    if before[signal.SIGINT] is signal.SIG_IGN:
        del before[signal.SIGINT]
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(messages: Messages, how: str, number: signal.Signals, error: BaseException) -> int:
    messages.error(lines(how, *_added_lines(error)), {"exitCode": 128 + number})
    return 128 + number


def _added_lines(error: BaseException) -> list[str]:
    added: list[str] = getattr(error, "__notes__", [])
    return added


def _fail(messages: Messages, error: ConvertError) -> int:
    facts = {
        "type": type(error).__name__,
        "what": error.what,
        "where": error.where,
        "hint": error.hint,
        "exitCode": error.exit_code,
    }
    messages.error(lines(str(error), *_added_lines(error)), facts)
    _print_traceback(error)
    return error.exit_code


def _fail_unexpectedly(messages: Messages, error: Exception) -> int:
    name = type(error).__name__
    text = lines(
        f"this is a bug in {PROGRAM} {VERSION}: {name}: {error}",
        f"report this message and the command line to the maintainers; {DEBUG}=1 shows the traceback",
    )
    messages.error(text, {"type": name, "what": str(error), "exitCode": ConvertError.exit_code})
    _print_traceback(error)
    return ConvertError.exit_code


def _print_traceback(error: Exception) -> None:
    if os.environ.get(DEBUG, "") not in ("", "0"):
        shown = "".join(traceback.format_exception(error))
        sys.stderr.write(f"{lines(*shown.rstrip().splitlines())}\n")


def _as_usage_error(error: typer.TyperException) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    # Typer checks choices with pydantic, and keeps the prefix of its messages.
    text = error.format_message().rstrip(".").replace(": Value error, ", ": ")
    return UsageError(text[:1].lower() + text[1:], hint=f"see `{command} --help`")
