"""How results look: fitted tables on a terminal, tab-separated lines in a pipe, JSON on request. Prints them."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from ops.cli.layout import Column, described, fitted, in_pipe, piped

FIELDS = (Column("field"), Column("value"))

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")


def on_terminal() -> bool:
    """Whether people watch. Else standard output is a table with one header line and nothing beside it."""
    return sys.stdout is not None and sys.stdout.isatty()


def width() -> int:
    """Columns of the terminal (COLUMNS, where that is set)."""
    return shutil.get_terminal_size((80, 24)).columns


def print_json(value: Any) -> None:
    """A struct, or a list or dict of them, as indented JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """A header and the rows, in the form that the reader of standard output needs."""
    _lines(fitted(columns, rows, width()) if on_terminal() else piped(columns, rows))


def describe(fields: Sequence[tuple[str, object]]) -> None:
    """Name and value, one a line; in a pipe under the header field, value."""
    told = [each for each in fields if each[1] not in (None, "", ())]
    _lines(described(told, width()) if on_terminal() else piped(FIELDS, told))


def heading(text: str) -> None:
    """Sets off what follows, for people only."""
    if on_terminal():
        click.secho(f"\n{text}", bold=True)


def say(text: str) -> None:
    """A sentence about the result: beside the table for people, on standard error where that goes to a program."""
    click.echo(text, err=not on_terminal())


def more(*examples: str, columns: Sequence[Column] = ()) -> str:
    """What stands at the end of a command's help: examples, and the columns of its table in a pipe."""
    typed = "\n".join(f"  returnflow {each}" for each in examples)
    told = f"\b\nExamples:\n{typed}"
    return f"{told}\n\nColumns in a pipe: {', '.join(in_pipe(columns))}." if columns else told


def _lines(lines: Iterable[str]) -> None:
    click.echo("\n".join(lines))
