"""Writes the terminal picture of the README from what the program prints: `python -m tests.golden.make_pictures`."""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from converter.testing import seal
from tests.cli.command import REPOSITORY
from tests.cli.pages import prepare_folder, run_line

PICTURE = REPOSITORY / "docs" / "images" / "terminal.svg"
COMMANDS = (
    "ddb-convert convert fixtures/orders out --key order_id --cast placed_at=timestamp",
    "ddb-convert convert fixtures/orders out --key order_id --cast placed_at=timestamp",
    "ddb-convert convert damaged-orders out-damaged; echo exit code $?",
)
_COLUMNS = 108
# In a terminal, the phases are one line that is gone at the end.
_PHASES = re.compile(r"\A(?:[a-z ]+\n)+")
_SECONDS = re.compile(r"[0-9.]+ s$", re.MULTILINE)
# A picture in a page can't load fonts.
_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_TEMPLATE = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", _FONTS
)


def make_picture() -> str:
    """Run the commands and draw the terminal."""
    console = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = prepare_folder(folder)
        _damage_a_copy(folder)
        for command in COMMANDS:
            done = run_line(command, folder, env)
            console.print(Text.assemble(("$ ", "green"), (command, "bold")))
            said = Text(_SECONDS.sub("0.1 s", _PHASES.sub("", done.stderr)) + done.stdout)
            said.highlight_regex(r"(?m)^error:", "red")
            console.print(said)
    return console.export_svg(title="ddb-convert", theme=MONOKAI, code_format=_TEMPLATE, unique_id="terminal")


def _damage_a_copy(folder: Path) -> None:
    """Copy the export of orders with a decimal comma in a price, as a careless edit would leave it."""
    shutil.copytree(folder / "fixtures" / "orders", folder / "damaged-orders")
    (export,) = (folder / "damaged-orders" / "AWSDynamoDB").iterdir()
    path = max((export / "data").glob("*.gz"), key=lambda path: path.stat().st_size)
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content.replace(b'"price":{"N":"3', b'"price":{"N":"3,', 1), mtime=0))
    seal(export)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(make_picture(), "utf-8")
