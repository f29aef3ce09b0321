"""The common part of the verbs that publish: run with progress on stderr, and report the outcome and its warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from converter.cli.output import PUBLISHED, print_json
from converter.cli.progress import show_progress

if TYPE_CHECKING:
    from converter.cli.conversion_arguments import ConversionArguments
    from converter.conversion.progress import Listener


class _Outcome(Protocol):
    @property
    def warnings(self) -> Sequence[str]: ...

    def to_json(self) -> Mapping[str, object]: ...


Outcome = TypeVar("Outcome", bound=_Outcome)


def run_and_report(
    arguments: ConversionArguments,
    preset: str,
    run: Callable[[Listener], Outcome],
    *,
    event: str,
    line: Callable[[Outcome], str],
    text: Callable[[Outcome], str],
) -> None:
    """Run, then print the warnings and the outcome to stderr, and with --json also to stdout.

    preset: a message about the options of --for; event: the name of the outcome in JSON messages;
    line, text: render the outcome in one line, for JSON messages, or in several.
    """
    messages = arguments.messages()
    if preset:
        messages.info("preset", preset)
    with show_progress(messages) as listener:
        outcome = run(listener)
    for warning in outcome.warnings:
        messages.warning(warning)
    facts = outcome.to_json()
    render = line if messages.log_format == "json" else text
    messages.info(event, render(outcome), {event: facts})
    if arguments.json:
        print_json(facts, PUBLISHED)
