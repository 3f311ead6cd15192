"""Which of two effects is the echo of the other: what could have happened twice counts twice."""

import pytest
from msgspec.structs import replace

from schemas.facts import ObservedEffect, OrderSnapshot
from streams.domain.learnt import Effect
from streams.domain.own import tell_apart
from tests.unit.domain.factories import covers, line, order, put_back, refunded
from tests.unit.domain.fields import learnt

THREE = order(line(quantity=3), line("L2", "CAP"))


def shop(effect_id: str, amount: int = 1000, quantity: int = 1, line_id: str = "L2") -> ObservedEffect:
    return refunded(effect_id, amount, covers(line_id, quantity), hours=7, tenders=())


def till(effect_id: str, amount: int = 1000, quantity: int = 1, line_id: str = "L2") -> ObservedEffect:
    seen = shop(effect_id, amount, quantity, line_id)
    return replace(seen, kind="store_return", system="sitoo", actor="till", fact_id=f"z{effect_id}")


def kept(*effects: ObservedEffect, snapshot: OrderSnapshot = THREE) -> tuple[Effect, ...]:
    return tell_apart(learnt(snapshot, *effects), {}).foreign


@pytest.mark.req("INV-12")
@pytest.mark.parametrize(
    ("effects", "count"),
    [
        ([shop("R1"), till("S1")], ["R1"]),
        ([shop("R1"), till("S1", 900)], ["R1", "S1"]),  # another amount
        ([shop("R1"), till("S1", 0)], ["R1"]),  # the till names no amount
        ([shop("R1"), till("S1", line_id="L1")], ["R1", "S1"]),  # another line
        ([shop("R1", quantity=1, line_id="L1"), till("S1", quantity=1, line_id="L1")], ["R1", "S1"]),  # 2 of 3
        ([shop("R1", quantity=2, line_id="L1"), till("S1", quantity=2, line_id="L1")], ["R1"]),  # 4 of 3
        ([shop("R1", line_id="L9"), till("S1", line_id="L9")], ["R1"]),  # of a line that was never bought
        ([shop("R1"), shop("R2"), till("S9", line_id="L1")], ["R1", "R2", "S9"]),  # one system tells of both
        ([replace(shop("R1"), kind="chargeback"), till("S1")], ["R1", "S1"]),
        ([put_back("D1", covers("L2")), till("S1")], ["D1", "S1"]),
        ([replace(shop("R1"), lines=()), replace(till("S1"), lines=())], ["R1", "S1"]),  # of no line at all
        ([shop("R1"), replace(till("S1"), system="")], ["R1", "S1"]),  # nobody knows who told it
    ],
)
def test_an_effect_counts_unless_another_system_tells_what_cannot_have_happened_twice(
    effects: list[ObservedEffect], count: list[str]
) -> None:
    assert [e.external_id for e in kept(*effects)] == count


@pytest.mark.req("INV-12", "MON-10")
def test_an_echo_adds_what_its_original_does_not_tell() -> None:
    silent = till("S1", 0)
    loud = replace(shop("R1", 950), lines=(covers("L2", restocked=True),))
    (one,) = kept(replace(silent, occurred_at_ms=loud.occurred_at_ms - 1), loud)
    assert (one.external_id, one.total_minor) == ("S1", 950)
    assert [(m.line_id, m.quantity, m.restocked) for m in one.moved] == [("L2", 1, True)]
    (one,) = kept(loud, replace(silent, occurred_at_ms=loud.occurred_at_ms + 1))
    assert (one.external_id, one.total_minor) == ("R1", 950)


@pytest.mark.req("INV-12", "MON-11")
def test_what_others_tell_of_our_own_refund_is_no_effect_of_theirs() -> None:
    ours = replace(shop("R1"), command_id="c1")
    assert kept(ours, till("S1")) == ()
    assert [e.external_id for e in kept(ours, till("S1", 900))] == ["S1"]


@pytest.mark.req("INV-12", "INV-13")
def test_goods_that_went_into_stock_with_the_echo_of_our_own_refund_did_so() -> None:
    ours, both = replace(shop("R1"), command_id="c1"), (covers("L2", restocked=True),)
    (one,) = kept(ours, replace(till("S1"), lines=both))
    assert (one.kind, one.external_id, one.total_minor, one.tenders) == ("restock", "S1", 0, ())
    assert [(m.line_id, m.quantity) for m in one.moved] == [("L2", 1)]
    assert kept(replace(ours, lines=both), replace(till("S1"), lines=both)) == ()
