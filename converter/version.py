"""The one place that says which version this is; the packaging reads it from here too."""

from typing import Final

VERSION: Final = "0.1.0"
