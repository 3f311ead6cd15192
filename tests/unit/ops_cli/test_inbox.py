"""The exceptions topic folded to what is open."""

import msgspec
import pytest

from ops.inbox import fold
from schemas.exceptions import ExceptionCleared, ExceptionRaised, raised
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


def by_hand(
    exception_id: str, at_ms: int, *, resolvable: bool | None = True, kind: str = "undecodable"
) -> ExceptionRaised:
    made = raised(kind, exception_id=exception_id, merchant="m", detail="no Avro", at_ms=at_ms)
    return msgspec.structs.replace(made, resolvable=resolvable)


@pytest.mark.req("EXC-4")
@pytest.mark.parametrize(
    ("again", "state"),
    [
        (by_hand("a", T0), "cleared"),  # the same record, read again
        (by_hand("a", T0, resolvable=None), "cleared"),  # told by an older version
        (by_hand("a", T0 + 6), "open"),  # the same content came again later
        (by_hand("a", T0, resolvable=False), "open"),  # a state that holds again
        (by_hand("a", T0, resolvable=None, kind="unmapped_location"), "open"),
    ],
)
def test_what_is_closed_stays_closed_when_the_same_record_is_told_again(again: ExceptionRaised, state: str) -> None:
    found = fold([record(by_hand("a", T0)), record(cleared("a")), record(again)], CODEC)
    assert [item.state for item in found.items] == [state]
