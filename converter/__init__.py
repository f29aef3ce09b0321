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

_NAMES = {
    "converter.api": (
        "clean convert inspect list_exports merge recipe scan start_export sync sync_changes wait_for_export"
    ),
    "converter.aws.access": "AwsOptions",
    "converter.aws.export_request": "Window",
    "converter.aws.export_state": "ExportState",
    "converter.aws.target": "ExportTarget",
    "converter.errors": (
        "BadLineError BusyError ConvertError DataFileError EmptyLineError ExportError ManifestError SchemaError"
        " StorageError UsageError"
    ),
    "converter.merging.increment_chain": "MergeRules",
    "converter.options": "ConvertOptions SchemaText",
    "converter.presets": "options_for",
    "converter.publishing.clean": "Leftovers",
    "converter.publishing.report": "Report",
    "converter.syncing.daily": "SyncReport",
    "converter.syncing.incremental_options": "Changes",
    "converter.syncing.incremental_report": "ChangesReport",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
