"""Commands run as on a terminal of a given width, within this process."""

import pytest
from click.testing import CliRunner, Result, _NamedTextIOWrapper

from ops.cli import main


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 80) -> None:
    """From now on what `CliRunner` runs writes to a terminal."""
    monkeypatch.setattr(_NamedTextIOWrapper, "isatty", lambda _: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))


def typed(*words: str) -> Result:
    """`returnflow …`"""
    return CliRunner().invoke(main, list(words))


def widest(result: Result) -> int:
    """Columns that the output needs."""
    return max(len(line.rstrip()) for line in result.stdout.splitlines())
