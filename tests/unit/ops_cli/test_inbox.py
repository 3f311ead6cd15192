"""The exceptions topic folded to what is open."""

import pytest

from ops.inbox import fold
from schemas.exceptions import ExceptionCleared
from tests.unit.ops_cli.samples import CODEC, T0, problem, record, seen


def cleared(exception_id: str) -> ExceptionCleared:
    return ExceptionCleared(
        exception_id=exception_id, type="unmapped_location", merchant="m", cleared_at_ms=T0 + 5, why="mapped now"
    )


@pytest.mark.req("EXC-4")
def test_the_last_word_counts() -> None:
    found = fold(
        [
            record(problem("a", at_ms=T0 + 2)),
            record(problem("b", at_ms=T0 + 1)),
            record(problem("a", at_ms=T0 + 2, repeats=2)),
            record(cleared("b")),
            record(cleared("unheard-of")),
        ],
        CODEC,
    )
    assert [(item.raised.exception_id, item.state, item.raised.repeats) for item in found.items] == [
        ("b", "cleared", 1),
        ("a", "open", 2),
    ]
    assert found.items[0].why_cleared == "mapped now"


@pytest.mark.req("EXC-4")
def test_what_comes_back_is_open_again() -> None:
    found = fold([record(problem("a")), record(cleared("a")), record(problem("a", repeats=2))], CODEC)
    assert [item.state for item in found.items] == ["open"]


def test_a_tombstone_forgets_and_a_broken_record_is_counted() -> None:
    found = fold([record(problem("a")), seen(None, key=b"a"), seen(b"?"), record(problem("b"))], CODEC)
    assert [item.raised.exception_id for item in found.items] == ["b"]
    assert found.undecodable == 1
