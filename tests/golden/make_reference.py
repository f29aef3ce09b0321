"""Writes the reference pages of the documentation from the program: `python -m tests.golden.make_reference`."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import typer

from converter import errors
from converter.cli.arguments import environment_name
from converter.cli.commands import PROGRAM, commands
from converter.errors import ConvertError
from tests.cli.command import REPOSITORY
from tests.golden.json_schemas import SCHEMAS, members_page, schema_text
from tests.golden.python_reference import code, python_page

PAGES = REPOSITORY / "docs" / "reference"
_GENERATED = "<!-- Generated from the program by `make fixtures`. -->\n"
_SIGNALS = {0: "done, or nothing to do", 130: "interrupted (SIGINT)", 141: "closed pipe", 143: "terminated (SIGTERM)"}

_OTHER_VARIABLES = {
    "DDB_CONVERT_KERNELS": "`vector` or `plain`: the form of the kernels; for tests",
    "DDB_CONVERT_BOUNDS_CHECK": "`1`: compile the kernels with bounds checks; for tests, about ten times slower",
}


def make_pages() -> dict[str, str]:
    """Return the text of each page and schema, by its file name."""
    pages = {
        "commands.md": _commands_page(),
        "environment.md": _environment_page(),
        "errors.md": _errors_page(),
        "json.md": members_page(),
        "python.md": python_page(),
    }
    texts = {name: f"{_GENERATED}\n{text.rstrip()}\n" for name, text in pages.items()}
    return texts | {name: schema_text(name) for name in SCHEMAS}


def _verbs() -> Iterator[tuple[str, Any, Any]]:
    """Yield name, command, and context of each verb; those of groups have the group's name in front."""
    top: Any = typer.main.get_command(commands)
    context = top.make_context(PROGRAM, [], resilient_parsing=True)
    for name, command in top.commands.items():
        if not hasattr(command, "commands"):
            yield f"{PROGRAM} {name}", command, command.make_context(name, [], parent=context, resilient_parsing=True)
            continue
        group = command.make_context(name, [], parent=context, resilient_parsing=True)
        for inner, verb in command.commands.items():
            inside = verb.make_context(inner, [], parent=group, resilient_parsing=True)
            yield f"{PROGRAM} {name} {inner}", verb, inside


def _commands_page() -> str:
    pieces = ["# Commands\n", f"`{PROGRAM} --help` and `{PROGRAM} COMMAND --help` print the same.\n"]
    pieces.append("| command | |\n|---|---|")
    for name, command, _ in _verbs():
        summary = inspect.cleandoc(command.help).split("\n\n")[0]
        pieces.append(f"| [{name}](#{name.replace(' ', '-')}) | {_cell(' '.join(summary.split()))} |")
    pieces.append("")
    for name, command, context in _verbs():
        pieces.append(f"## {name}\n")
        pieces.append(inspect.cleandoc(command.help) + "\n")
        rows: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None and "--help" not in record[0]:
                rows["Options" if parameter.param_type_name == "option" else "Arguments"].append(record)
        for heading, records in rows.items():
            if records:
                pieces.append(f"| {heading} | |\n|---|---|")
                pieces += [
                    f"| {code(re.sub(r' <(str|list.str.)>$', '', left))} | {_cell(' '.join(right.split()))} |"
                    for left, right in records
                ]
                pieces.append("")
        # Without their numbers, each can be copied.
        examples = [line[5:] for line in command.epilog.splitlines()[2:]]
        pieces.append("\n".join(["```text", *examples, "```\n"]))
    return "\n".join(pieces)


def _environment_page() -> str:
    by_name: dict[str, list[str]] = {}
    for name, command, context in _verbs():
        for parameter in command.get_params(context):
            option = next((each for each in parameter.opts if each.startswith("--")), None)
            if option not in (None, "--help"):
                by_name.setdefault(option, []).append(name.removeprefix(f"{PROGRAM} "))
    rows = [
        f"| `{environment_name(option.removeprefix('--'))}` | `{option}` | {', '.join(verbs)} |"
        for option, verbs in sorted(by_name.items())
    ]
    return "\n".join(
        [
            "# Environment variables\n",
            "Every option also reads an environment variable. An option on the command line takes precedence. A"
            " variable for an option that can be repeated takes the same form as one option: `a,b`. For example,"
            " `DDB_CONVERT_PART_SIZE=64MiB` is the same as `--part-size 64MiB`.\n",
            "| variable | option | commands |\n|---|---|---|",
            *rows,
            "",
            "## Other variables\n",
            "| variable | effect |\n|---|---|",
            *(f"| `{name}` | {text} |" for name, text in _OTHER_VARIABLES.items()),
            "",
            "Credentials, region, and endpoint of AWS come from the variables of the AWS SDKs, such as `AWS_PROFILE`.",
        ]
    )


def _errors_page() -> str:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ConvertError)]
    codes: dict[int, list[str]] = {}
    for kind in kinds:
        codes.setdefault(kind.exit_code, []).append(f"`{kind.__name__}`: {_first_sentence(kind)}")
    rows = {code: "<br>".join(texts) for code, texts in codes.items()} | _SIGNALS
    tree = textwrap.dedent((errors.__doc__ or "").split("\n\n")[1])
    return "\n".join(
        [
            "# Errors and exit codes\n",
            "Every error that the program raises on purpose is a `converter.errors.ConvertError` with three parts:"
            " `what` happened, `where` (a path, or `path line 12 (byte 3456): $.Item.price.N`), and a `hint` about what"
            " to do next.\n",
            "| exit code | errors |\n|---|---|",
            *(f"| {code} | {text} |" for code, text in sorted(rows.items())),
            "",
            f"```text\n{tree}\n```",
        ]
    )


def _first_sentence(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write_pages() -> None:
    """Write the pages below docs/reference."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in make_pages().items():
        (PAGES / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write_pages()
