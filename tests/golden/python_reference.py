"""The page of the Python API, from the signatures and docstrings of `converter.__all__`."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass

import converter


def python_page() -> str:
    """Return the text of the page."""
    names = [name for name in converter.__all__ if not name.startswith("_")]
    values = {name: getattr(converter, name) for name in names}
    functions = {name: value for name, value in values.items() if inspect.isfunction(value)}
    errors = {name for name, value in values.items() if _is_error(value)}
    classes = {name: value for name, value in values.items() if name not in functions and name not in errors}
    lines = [
        "# Python\n",
        "The package `converter` has the functions of the command line. Import everything on this page from `converter`"
        " itself; other modules may change without notice. [Notebooks](../guide/notebooks.md) has examples.\n",
        "## Functions\n",
    ]
    for name, value in functions.items():
        lines += [f"### {name}\n", f"```text\n{_signature(name, value)}\n```\n", *_prose(value)]
    lines.append("## Classes\n")
    for name, value in classes.items():
        lines += [f"### {name}\n", *_prose(value), *_fields(value)]
    lines += [
        "## Exceptions\n",
        f"{', '.join(f'`{name}`' for name in sorted(errors))}: see [errors and exit codes](errors.md).\n",
    ]
    return "\n".join(lines)


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def _signature(name: str, function: object) -> str:
    assert callable(function)
    signature = inspect.signature(function)
    words = [str(parameter) for parameter in signature.parameters.values()]
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds:
        words.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    # An object as a default prints all of its own members.
    words = [re.sub(r"= <function.*>$", "= …", re.sub(r"(= \w+)\(.*\)$", r"\1()", word)) for word in words]
    result = str(signature.return_annotation).strip("'")
    inside = "".join(f"\n    {word.replace(chr(39), '')}," for word in words)
    return f"{name}({inside}\n) -> {result}" if words else f"{name}() -> {result}"


def _prose(value: object) -> Iterator[str]:
    """Yield the docstring. What it says about members or parameters becomes a list."""
    known = "|".join(_members(value)) or "-"
    begin = re.compile(rf"(?:^|(?<=[.)] ))(?=(?:(?:{known}), )*(?:{known}): )")
    for paragraph in (inspect.getdoc(value) or "").split("\n\n"):
        text, raises, errors = _cell(" ".join(paragraph.split())).partition("Raises ")
        for item in begin.split(text.strip()):
            names, colon, meaning = item.strip().partition(": ")
            if colon and begin.match(item):
                yield f"- {', '.join(f'`{name}`' for name in names.split(', '))}: {meaning}"
            elif item:
                yield f"{item.strip()}\n"
        yield f"\n{raises}{errors}\n" if raises else ""


def _members(value: object) -> list[str]:
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    return list(inspect.signature(value).parameters) if inspect.isfunction(value) else []


def _fields(value: object) -> Iterator[str]:
    if not isinstance(value, type) or not is_dataclass(value):
        return
    yield "| field | type | default |\n|---|---|---|"
    for field in fields(value):
        yield f"| `{field.name}` | {code(str(field.type))} | {_default(field)} |"
    yield ""


def _default(field: Field[object]) -> str:
    if field.default is not MISSING:
        return f"`{field.default!r}`" if not is_dataclass(field.default) else f"`{type(field.default).__name__}()`"
    return "empty" if field.default_factory is not MISSING else "required"


def code(text: str) -> str:
    """Return the text as code in a cell. In tables, sites and GitHub read a bar between backticks differently."""
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
