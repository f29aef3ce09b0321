"""Arguments and options of verbs, declared as fields of dataclasses, and their conversion to Typer commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from converter.cli.messages import LogFormat, Messages

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_EXAMPLE_COLUMNS = 74
ENV_PREFIX = "DDB_CONVERT_"
_DECLARE = "declare"
"""Key in the metadata of a field: a function from the name of the option to its declaration for Typer."""

Arguments = TypeVar("Arguments", bound="DataclassInstance")


def environment_name(option: str) -> str:
    """Return the environment variable of an option: `DDB_CONVERT_PART_SIZE` for `part-size`."""
    return ENV_PREFIX + option.upper().replace("-", "_")


class _Command(typer.core.TyperCommand):
    """A command whose help lists each panel of options under its own heading."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the arguments without the braces that Typer puts around them."""
        # Typer appends dots to an argument with several values. `INCREMENT... DEST` already has them.
        pieces = (
            re.sub(r"(\.\.\. \S+)\.\.\.$", r"\1", re.sub("[{}]", "", p)) for p in super().collect_usage_pieces(ctx)
        )
        return list(pieces)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the options without a panel, and each panel."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None:
                is_option = parameter.param_type_name == "option"
                panel = getattr(parameter, "rich_help_panel", None)
                # Typer appends the type `<str>` to each argument.
                shown = (re.sub(r" <(str|list\[str\])>$", "", row[0]), row[1])
                sections.setdefault(panel or ("Options" if is_option else "Arguments"), []).append(shown)
        for heading, rows in sections.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


def add_verb(
    commands: typer.Typer, arguments: type[Arguments], run: Callable[[Arguments], None], examples: tuple[str, ...]
) -> None:
    """Add a command that takes the fields of the dataclass `arguments`, and runs `run` with the object.

    The command's name is the name of `run` without a trailing underscore; its help is the docstring of `run`. The Typer
    callback returns the job instead of running it, so that Typer's handlers don't intercept the job's errors, signals
    and closed pipes.
    """

    def command(**values: Any) -> Callable[[], None]:
        return lambda: run(arguments(**values))

    hints = get_type_hints(arguments)
    parameters = []
    for each in _in_help_order(arguments):
        declared = each.metadata[_DECLARE](each.name.rstrip("_").replace("_", "-"))
        parameters.append(
            inspect.Parameter(
                each.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if each.default is MISSING else each.default,
                annotation=Annotated[hints[each.name], declared],
            )
        )
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    numbered = (f"  {_fit(f'{number}. {example}')}" for number, example in enumerate(examples, 1))
    # \b keeps Typer from joining the following lines into one paragraph.
    epilog = "\n".join(["\b", "Examples:", *numbered])
    commands.command(run.__name__.rstrip("_"), cls=_Command, help=inspect.cleandoc(run.__doc__ or ""), epilog=epilog)(
        command
    )


def _in_help_order(arguments: type[DataclassInstance]) -> list[Field[Any]]:
    """Return the fields: those of the class itself, then those of its bases from left to right."""
    declared = {each.name: each for each in fields(arguments)}
    names = dict.fromkeys(name for kind in arguments.__mro__ for name in inspect.get_annotations(kind))
    return [declared[name] for name in names if name in declared]


def _fit(example: str) -> str:
    """Break an example into shell lines of at most 80 columns: before options or, if necessary, before other words."""
    lines = [""]
    for piece in re.split(r" (?=--)", example):
        words = [piece] if len(piece) < _EXAMPLE_COLUMNS else piece.split(" ")
        for word in words:
            joined = f"{lines[-1]} {word}" if lines[-1] else word
            if len(joined) <= _EXAMPLE_COLUMNS:
                lines[-1] = joined
            else:
                lines.append(f"       {word}")
    return " \\\n".join(lines)


def option(
    help: str,
    default: object = None,
    *,
    metavar: str | None = None,
    show_default: str | bool = True,
    panel: str | None = None,
    minimum: int | None = None,
) -> Any:
    """Declare the option of a field, which also reads its environment variable.

    default: MISSING for a required option; show_default: its description in the help; panel: the heading in the help;
    minimum: the smallest number accepted.
    """

    def declare(name: str) -> Any:
        return typer.Option(
            f"--{name}",
            envvar=environment_name(name),
            show_envvar=False,
            help=help,
            metavar=metavar,
            show_default=show_default,
            rich_help_panel=panel,
            min=minimum,
        )

    return field(default=default, metadata={_DECLARE: declare})


def names_option(help: str, metavar: str = "NAMES") -> Any:
    """Declare an option that can be repeated."""
    # No envvar=: Typer splits lists from the environment at white space. `parse.read_names` reads the variable instead.
    return field(default=None, metadata={_DECLARE: lambda name: typer.Option(f"--{name}", help=help, metavar=metavar)})


def argument(metavar: str, help: str, default: object = MISSING) -> Any:
    """Declare the positional argument of a field."""
    declared = typer.Argument(metavar=metavar, help=help, show_default=False)
    return field(default=default, metadata={_DECLARE: lambda _: declared})


def same_option(verb: type[DataclassInstance], name: str) -> Any:
    """Declare the option that a field of another verb declares."""
    [declared] = (each for each in fields(verb) if each.name == name)
    return field(default=declared.default, metadata=declared.metadata)


@dataclass(frozen=True, kw_only=True)
class MessageArguments:
    """Options for messages on stderr, which every verb has."""

    quiet: bool = option("Print only warnings and errors to stderr.", False)
    log_format: LogFormat = option("Format of the messages on stderr.", "text")

    def messages(self) -> Messages:
        """Return what writes the messages of the verb."""
        return Messages(log_format=self.log_format, quiet=self.quiet)


@dataclass(frozen=True, kw_only=True)
class ResultArguments(MessageArguments):
    """Options of a verb with a result on stdout."""

    json: bool = option("Print the result to stdout as one JSON object.", False)
