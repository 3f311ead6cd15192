"""How results look: tables for people, JSON for programs. Prints to standard output."""

from collections.abc import Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Narrower than this, tables would break every word; a pipe has no width of its own.
WIDTH = 100

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")


def console() -> Console:
    """Standard output at the terminal's width, or at WIDTH when nobody watches."""
    wide = Console(highlight=False)
    return wide if wide.is_terminal and wide.width >= WIDTH else Console(width=WIDTH, highlight=False)


def print_json(value: Any) -> None:
    """A struct, or a list or dict of them, as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, wrap: str = "") -> Table:
    """A table whose columns keep their words together but for `wrap`, which takes the room that is left."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=name != wrap)
    for row in rows:
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return made


def heading(text: str) -> Text:
    """Set off from what follows; never read as markup."""
    return Text(text, style="bold")


def describe(fields: Sequence[tuple[str, object]]) -> Table:
    """Name and value, one a line."""
    made = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in fields:
        if value not in (None, "", ()):
            made.add_row(Text(name), Text(str(value)))
    return made
