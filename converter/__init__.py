"""The public interface of the library. Names are imported on first use, so that `import converter` is fast."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from converter.version import VERSION

if TYPE_CHECKING:
    from converter.api import (
        clean,
        convert,
        inspect,
        list_exports,
        merge,
        recipe,
        scan,
        start_export,
        sync,
        sync_changes,
        wait_for_export,
    )
    from converter.aws.access import AwsOptions
    from converter.aws.export_request import Window
    from converter.aws.export_state import ExportState
    from converter.aws.target import ExportTarget
    from converter.errors import (
        BadLineError,
        BusyError,
        ConvertError,
        DataFileError,
        EmptyLineError,
        ExportError,
        ManifestError,
        SchemaError,
        StorageError,
        UsageError,
    )
    from converter.merging.increment_chain import MergeRules
    from converter.options import ConvertOptions, SchemaText
    from converter.presets import options_for
    from converter.publishing.clean import Leftovers
    from converter.publishing.report import Report
    from converter.syncing.daily import SyncReport
    from converter.syncing.incremental_options import Changes
    from converter.syncing.incremental_report import ChangesReport

__all__ = [
    "AwsOptions",
    "BadLineError",
    "BusyError",
    "Changes",
    "ChangesReport",
    "ConvertError",
    "ConvertOptions",
    "DataFileError",
    "EmptyLineError",
    "ExportError",
    "ExportState",
    "ExportTarget",
    "Leftovers",
    "ManifestError",
    "MergeRules",
    "Report",
    "SchemaError",
    "SchemaText",
    "StorageError",
    "SyncReport",
    "UsageError",
    "Window",
    "__version__",
    "clean",
    "convert",
    "inspect",
    "list_exports",
    "merge",
    "options_for",
    "recipe",
    "scan",
    "start_export",
    "sync",
    "sync_changes",
    "wait_for_export",
]

__version__ = VERSION

_MODULES = {
    "BadLineError": "converter.errors",
    "BusyError": "converter.errors",
    "ConvertError": "converter.errors",
    "DataFileError": "converter.errors",
    "EmptyLineError": "converter.errors",
    "ExportError": "converter.errors",
    "ManifestError": "converter.errors",
    "SchemaError": "converter.errors",
    "StorageError": "converter.errors",
    "UsageError": "converter.errors",
    "AwsOptions": "converter.aws.access",
    "Changes": "converter.syncing.incremental_options",
    "ChangesReport": "converter.syncing.incremental_report",
    "ConvertOptions": "converter.options",
    "ExportState": "converter.aws.export_state",
    "ExportTarget": "converter.aws.target",
    "Leftovers": "converter.publishing.clean",
    "MergeRules": "converter.merging.increment_chain",
    "Report": "converter.publishing.report",
    "SchemaText": "converter.options",
    "SyncReport": "converter.syncing.daily",
    "Window": "converter.aws.export_request",
    "options_for": "converter.presets",
    "clean": "converter.api",
    "convert": "converter.api",
    "inspect": "converter.api",
    "list_exports": "converter.api",
    "merge": "converter.api",
    "recipe": "converter.api",
    "scan": "converter.api",
    "start_export": "converter.api",
    "sync": "converter.api",
    "sync_changes": "converter.api",
    "wait_for_export": "converter.api",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
