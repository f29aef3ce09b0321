"""The public interface of the library. Names are imported on first use, so that `import converter` is fast."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from converter.version import VERSION

if TYPE_CHECKING:
    # With their names again, they count as exported for type checkers.
    from converter.api import clean as clean
    from converter.api import convert as convert
    from converter.api import inspect as inspect
    from converter.api import list_exports as list_exports
    from converter.api import merge as merge
    from converter.api import recipe as recipe
    from converter.api import scan as scan
    from converter.api import start_export as start_export
    from converter.api import sync as sync
    from converter.api import sync_changes as sync_changes
    from converter.api import wait_for_export as wait_for_export
    from converter.aws.access import AwsOptions as AwsOptions
    from converter.aws.export_request import Window as Window
    from converter.aws.export_state import ExportState as ExportState
    from converter.aws.target import ExportTarget as ExportTarget
    from converter.errors import BadLineError as BadLineError
    from converter.errors import BusyError as BusyError
    from converter.errors import ConvertError as ConvertError
    from converter.errors import DataFileError as DataFileError
    from converter.errors import EmptyLineError as EmptyLineError
    from converter.errors import ExportError as ExportError
    from converter.errors import ManifestError as ManifestError
    from converter.errors import SchemaError as SchemaError
    from converter.errors import StorageError as StorageError
    from converter.errors import UsageError as UsageError
    from converter.merging.increment_chain import MergeRules as MergeRules
    from converter.options import ConvertOptions as ConvertOptions
    from converter.options import SchemaText as SchemaText
    from converter.presets import options_for as options_for
    from converter.publishing.clean import Leftovers as Leftovers
    from converter.publishing.report import Report as Report
    from converter.syncing.daily import SyncReport as SyncReport
    from converter.syncing.incremental_options import Changes as Changes
    from converter.syncing.incremental_report import ChangesReport as ChangesReport

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

__version__ = VERSION
__all__ = sorted([*_MODULES, "__version__"])


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
