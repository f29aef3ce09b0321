"""The library's one door. What lies behind it is imported when first used, so that `import converter` is quick."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from converter.version import VERSION

if TYPE_CHECKING:
    from converter.api import clean, convert, inspect, recipe, scan
    from converter.aws.access import AwsOptions
    from converter.options import ConvertOptions, SchemaText
    from converter.presets import options_for
    from converter.run.clean import Leftovers
    from converter.run.report import Report

__all__ = [
    "AwsOptions",
    "ConvertOptions",
    "Leftovers",
    "Report",
    "SchemaText",
    "__version__",
    "clean",
    "convert",
    "inspect",
    "options_for",
    "recipe",
    "scan",
]

__version__ = VERSION

_BEHIND = {
    "AwsOptions": "converter.aws.access",
    "ConvertOptions": "converter.options",
    "Leftovers": "converter.run.clean",
    "Report": "converter.run.report",
    "SchemaText": "converter.options",
    "options_for": "converter.presets",
    "clean": "converter.api",
    "convert": "converter.api",
    "inspect": "converter.api",
    "recipe": "converter.api",
    "scan": "converter.api",
}


def __getattr__(name: str) -> object:
    if name not in _BEHIND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_BEHIND[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
