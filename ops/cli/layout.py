"""How a table becomes lines: tab-separated for a pipe, fitted to a terminal's width for people. Pure."""

import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

GAP = "  "
LEAST_ROOM = 24  # for the long column beside the others; with less it goes below them
LEAST_WIDTH = 20  # of a terminal that says it is narrower
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


class Column(NamedTuple):
    """`name` is the header in both forms. `long` takes the room that is left; `short` is how people see a value."""

    name: str
    long: bool = False
    short: Callable[[str], str] | None = None
    only: Literal["", "pipe", "terminal"] = ""


def in_pipe(columns: Sequence[Column]) -> list[str]:
    """The header of a pipe."""
    return [each.name for each in columns if each.only != "terminal"]


def piped(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """A header and a line for each row, tabs between, nothing cut; a tab or a line break in a value is escaped."""
    kept = [i for i, each in enumerate(columns) if each.only != "terminal"]
    yield "\t".join(in_pipe(columns))
    for row in rows:
        yield "\t".join(escaped(_text(row[i])) for i in kept)


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[object]], width: int) -> Iterator[str]:
    """No line is wider than `width`: the long column is broken into lines beside the others or below them; where not
    even the others fit, each row becomes a block of its own."""
    width = max(width, LEAST_WIDTH)
    kept = [i for i, each in enumerate(columns) if each.only != "pipe"]
    heads = [columns[i] for i in kept]
    cells = [[_shown(columns[i], row[i]) for i in kept] for row in rows]
    widths = [max(_wide(text) for text in (head.name, *(row[i] for row in cells))) for i, head in enumerate(heads)]
    at = next((i for i, head in enumerate(heads) if head.long), None)
    others = sum(wide + len(GAP) for i, wide in enumerate(widths) if i != at) - (len(GAP) if at is None else 0)
    if at is None or others + widths[at] <= width or width - others >= LEAST_ROOM:
        if others <= width:
            room = width if at is None else min(widths[at], width - others)
            return _beside(heads, cells, widths, at, room)
    elif others - len(GAP) <= width:
        return _below(heads, cells, widths, at, width)
    return _blocks(heads, cells, width)


def described(fields: Sequence[tuple[str, object]], width: int) -> Iterator[str]:
    """Name and value, one a line; long values are broken."""
    told = [(_printable(name), _printable(_text(value))) for name, value in fields]
    names = max((_wide(name) for name, _ in told), default=0)
    room = max(width, LEAST_WIDTH) - names - len(GAP)
    for name, value in told:
        if room < LEAST_WIDTH // 2:
            yield from broken(f"{name}: {value}", max(width, LEAST_WIDTH))
            continue
        first, *rest = broken(value, room)
        yield _pad(name, names) + GAP + first
        yield from (" " * (names + len(GAP)) + line for line in rest)


def broken(text: str, room: int) -> list[str]:
    """Lines of a text, none wider than `room`; a word that is wider is cut."""
    lines: list[str] = []
    for part in text.split("\n"):
        narrow = room if _wide(part) == len(part) else max(room // 2, 1)  # letters of double width
        lines += textwrap.wrap(part, narrow, break_on_hyphens=False) or [""]
    return lines


def escaped(text: str) -> str:
    """A value as one cell of a pipe."""
    return "".join(_ESCAPES.get(letter) or (letter if _harmless(letter) else ascii(letter)[1:-1]) for letter in text)


def _beside(
    heads: Sequence[Column], cells: Sequence[Sequence[str]], widths: Sequence[int], at: int | None, room: int
) -> Iterator[str]:
    fixed = [room if i == at else wide for i, wide in enumerate(widths)]
    for row in ([head.name for head in heads], *cells):
        parts = [broken(text, fixed[i]) for i, text in enumerate(row)]
        for line in range(max(map(len, parts))):
            texts = [part[line] if line < len(part) else "" for part in parts]
            yield GAP.join(_pad(text, fixed[i]) for i, text in enumerate(texts)).rstrip()


def _below(
    heads: Sequence[Column], cells: Sequence[Sequence[str]], widths: Sequence[int], at: int, width: int
) -> Iterator[str]:
    for row in ([head.name for head in heads], *cells):
        others = [_pad(text, widths[i]) for i, text in enumerate(row) if i != at]
        yield GAP.join(others).rstrip()
        yield from (f"{GAP}{line}" for line in broken(row[at], width - len(GAP)) if line)


def _blocks(heads: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    for number, row in enumerate(cells):
        if number:
            yield ""
        yield from described([(head.name, text) for head, text in zip(heads, row, strict=True) if text], width)


def _shown(column: Column, value: object) -> str:
    text = _printable(_text(value)) if column.long else escaped(_text(value))
    return column.short(text) if column.short else text


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _printable(text: str) -> str:
    """Values come from elsewhere: what would move a terminal's cursor is shown, not obeyed."""
    return "".join(letter if letter == "\n" or _harmless(letter) else ascii(letter)[1:-1] for letter in text)


def _harmless(letter: str) -> bool:
    return unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _wide(text: str) -> int:
    return max(sum(map(_letter, line)) for line in text.split("\n"))


def _letter(letter: str) -> int:
    return 0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _pad(text: str, wide: int) -> str:
    return text + " " * (wide - _wide(text))
