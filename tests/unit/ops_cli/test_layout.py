"""A table for a pipe and for a terminal of any width."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.cli.layout import Column, described, escaped, fitted, piped

COLUMNS = (
    Column("id", short=lambda text: text[:8]), Column("merchant"), Column("owner", only="pipe"),
    Column("place", only="terminal"), Column("what is wrong", long=True),
)  # fmt: skip
ROW = ("6a9a1d3bffff", "demo-shop", "cx", "10000041", "more units of the line are returned than the 1 bought")
CELLS = st.text(max_size=60) | st.sampled_from(["", "a\tb", "two\nlines", "\x1b[2Jgone", "宇宙" * 20, "x" * 300])
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), max_size=4)


def width_of(line: str) -> int:
    narrow = [letter for letter in line if not unicodedata.combining(letter)]
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in narrow)


def test_a_pipe_has_one_header_and_everything_uncut() -> None:
    assert list(piped(COLUMNS, [ROW])) == [
        "id\tmerchant\towner\twhat is wrong",
        "6a9a1d3bffff\tdemo-shop\tcx\tmore units of the line are returned than the 1 bought",
    ]


def test_a_wide_terminal_has_a_line_for_each_row() -> None:
    assert list(fitted(COLUMNS, [ROW], 120)) == [
        "id        merchant   place     what is wrong",
        "6a9a1d3b  demo-shop  10000041  more units of the line are returned than the 1 bought",
    ]


def test_the_long_column_is_broken_beside_the_others_where_there_is_room() -> None:
    assert list(fitted(COLUMNS, [ROW], 60)) == [
        "id        merchant   place     what is wrong",
        "6a9a1d3b  demo-shop  10000041  more units of the line are",
        "                               returned than the 1 bought",
    ]


def test_else_below_them() -> None:
    assert list(fitted(COLUMNS, [ROW], 40)) == [
        "id        merchant   place",
        "  what is wrong",
        "6a9a1d3b  demo-shop  10000041",
        "  more units of the line are returned",
        "  than the 1 bought",
    ]


def test_where_not_even_the_others_fit_a_row_is_a_block() -> None:
    assert list(fitted(COLUMNS, [ROW, ("b", "", "", "", "z")], 26)) == [
        "id             6a9a1d3b",
        "merchant       demo-shop",
        "place          10000041",
        "what is wrong  more units",
        "               of the line",
        "               are",
        "               returned",
        "               than the 1",
        "               bought",
        "",
        "id             b",
        "what is wrong  z",
    ]


@given(ROWS, st.integers(20, 130))
def test_no_line_is_wider_than_the_terminal_and_nothing_obeys_a_value(rows: list[tuple[str, ...]], width: int) -> None:
    for lines in (fitted(COLUMNS, rows, width), described([("a name", cell) for row in rows for cell in row], width)):
        for line in lines:
            assert width_of(line) <= width
            assert all(unicodedata.category(letter) not in ("Cc", "Cf", "Cs") for letter in line)


@given(ROWS)
def test_every_row_of_a_pipe_has_the_columns_of_its_header(rows: list[tuple[str, ...]]) -> None:
    head, *lines = piped(COLUMNS, rows)
    assert len(lines) == len(rows)
    assert {line.count("\t") for line in (head, *lines)} == {3}
    assert not any(letter in "".join(lines) for letter in "\n\r\x1b")


@pytest.mark.parametrize(("value", "cell"), [("a\tb\\n\n", "a\\tb\\\\n\\n"), ("\x1b[2J", "\\x1b[2J"), ("é 宇", "é 宇")])
def test_what_would_break_a_cell_is_escaped(value: str, cell: str) -> None:
    assert escaped(value) == cell
