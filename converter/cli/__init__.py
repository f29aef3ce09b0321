"""The command line: parse, call the api, render."""

from converter.cli.main import app

__all__ = ["app"]
