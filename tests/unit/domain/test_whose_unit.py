"""Which unit an effect or a counted piece belongs to, where more than one could be meant."""

import pytest

from schemas.commands import Refund, Restock
from schemas.facts import ReturnedUnit
from schemas.stock import RestockVerdict
from streams.domain.learn import Fact
from streams.domain.stock import Item, decide_stock
from tests.unit.domain.factories import (
    Run,
    asked,
    counted,
    covers,
    event,
    inspected,
    item,
    line,
    order,
    put_back,
    refunded,
    rules,
    transaction,
    unit,
)


def paid_for(*first: Fact, other: ReturnedUnit, mine: ReturnedUnit) -> list[tuple[str, ...]]:
    """Units of each refund that is decided after staff paid one unit of the line by hand; there is money for more."""
    run = Run()
    run.feed(order(line(quantity=3)), *asked(mine, rma="101"), *asked(other, rma="102"), *first)
    run.feed(refunded("R9", 1000, covers(), hours=6))
    run.feed(inspected(mine, rma="101", hours=8), inspected(other, rma="102", hours=8))
    return [refund.unit_ids for refund in run.commands(Refund)]


@pytest.mark.req("MON-10", "MON-11")
def test_a_refund_by_staff_is_for_the_unit_that_we_are_not_paying_already() -> None:
    mine, other = unit("u1"), unit("u2")
    assert paid_for(inspected(mine, rma="101"), other=other, mine=mine) == [("u1",)]
    mine, other = unit("u2"), unit("u1")
    assert paid_for(inspected(mine, rma="101"), other=other, mine=mine) == [("u2",)]


@pytest.mark.req("MON-10", "EXG-6")
@pytest.mark.parametrize(("exchanged", "refunded_by_hand"), [("u1", "u2"), ("u2", "u1")])
def test_a_refund_by_staff_is_for_the_unit_that_is_to_be_refunded(exchanged: str, refunded_by_hand: str) -> None:
    units = {exchanged: unit(exchanged, resolution="exchange"), refunded_by_hand: unit(refunded_by_hand)}
    run = Run()
    run.feed(order(line(quantity=2)), *asked(units["u1"], units["u2"]), refunded("R9", 1000, covers(), hours=6))
    run.feed(inspected(units["u1"], hours=8), inspected(units["u2"], hours=8))
    assert run.commands(Refund) == []
    assert run.waits()[exchanged] == "exchange_made"
    assert run.raised("refund_outside_workflow").unit_ids == (refunded_by_hand,)
    assert run.raised("refund_outside_workflow").sku == "TEE"


@pytest.mark.req("INV-13")
def test_a_restock_by_staff_names_every_unit_that_it_covers() -> None:
    run = Run()
    units = unit("u1"), unit("u2", "L2", "CAP")
    run.feed(order(line(), line("L2", "CAP")), *asked(*units), put_back("D9", covers(), covers("L2"), hours=4))
    assert run.raised("restock_outside_workflow").unit_ids == ("u1", "u2")


@pytest.mark.req("INV-18", "INV-10")
def test_counted_pieces_of_another_sku_are_nobodys() -> None:
    run = Run(rules(inspecting={"source": "warehouse"}))
    run.feed(order(), *asked(unit()), counted(1, line_id=None, sku="MUG"))
    assert (run.intents, run.waits()) == ([], {"u1": "inspected"})
    run.feed(counted(1, line_id=None, sku="TEE", n=1))
    assert [intent.sku for intent in run.intents] == ["TEE"]


@pytest.mark.req("INV-18", "ELG-1")
@pytest.mark.parametrize("kind", ["requested", "approved"])
def test_a_piece_too_many_of_a_known_return_is_raised_at_once(kind: str) -> None:
    run = Run(rules(inspecting={"source": "warehouse"}))
    run.feed(order(), event(kind, unit(), hours=1), counted(2))
    shown = run.raised("over_quantity")
    assert (shown.line_id, shown.sku, shown.location) == ("L1", "TEE", "W1")


@pytest.mark.req("INV-13")
def test_what_was_commanded_is_not_commanded_again_when_its_item_changes() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    state: Item | None = None
    made = []
    for fact in (item(), run.intents[0], item(hours=9), item(hours=10, tracked=False)):
        state, outputs = decide_stock(state, fact, run.rules)
        made += [o.record for o in outputs if isinstance(o.record, Restock | RestockVerdict)]
    assert [type(record) for record in made] == [Restock, RestockVerdict]


@pytest.mark.req("MON-10", "MON-11", "INV-13")
def test_a_refund_that_names_a_line_twice_pays_for_and_puts_back_all_its_units() -> None:
    """As a shop writes it when one unit was put back with the refund and the other was not."""
    run = Run()
    units = unit("u1"), unit("u2"), unit("u3")
    run.feed(order(line(quantity=3)), *asked(*units))
    run.feed(refunded("R9", 2000, covers(), covers(restocked=True), hours=4), *(inspected(u) for u in units))
    assert [(r.unit_ids, r.amount_minor) for r in run.commands(Refund)] == [(("u3",), 1000)]
    assert [i.unit_ids for i in run.intents] == [("u2",), ("u3",)]
    twice = Run()
    twice.feed(order(line(quantity=3)), *asked(*units), put_back("D9", covers(), covers(), hours=4))
    twice.feed(*(inspected(u) for u in units))
    assert [i.unit_ids for i in twice.intents] == [("u3",)]


@pytest.mark.req("MON-10", "INV-9")
def test_a_refund_of_the_parts_of_a_bundle_names_the_bundle_once() -> None:
    run = Run()
    parts = (
        line("L1", "CUP", quantity=2, bundle_sku="BOX", bundle_quantity=1),
        line("L2", "TEA", bundle_sku="BOX", bundle_quantity=1),
    )
    run.feed(order(*parts), *asked(unit("u1", None, "BOX")))
    run.feed(refunded("R9", 3000, covers("L1", 2), covers("L2"), hours=4))
    assert run.raised("refund_outside_workflow").unit_ids == ("u1",)
    run.feed(inspected(unit("u1", None, "BOX")))
    assert (run.commands(Refund), "over_quantity" in run.open) == ([], False)


@pytest.mark.req("MON-10", "INV-13")
def test_a_refund_by_staff_beside_ours_is_for_the_unit_that_is_under_way() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.feed(refunded("R9", 1000, covers(restocked=True), hours=6))
    assert run.raised("refund_outside_workflow").unit_ids == ("u1",)
    assert run.raised("restock_outside_workflow").unit_ids == ("u1",)
    assert "over_quantity" not in run.open


@pytest.mark.req("MON-10", "MON-11")
def test_a_refund_by_returngo_is_for_the_unit_that_its_request_names() -> None:
    run = Run()
    units = unit("u1"), unit("u2")
    run.feed(order(line(quantity=2)), *asked(*units), transaction(1000, "success", units=("u2",), external_id="R7"))
    run.feed(refunded("R7", 1000, covers(), hours=7), *(inspected(u, hours=8) for u in units))
    assert [r.unit_ids for r in run.commands(Refund)] == [("u1",)]


@pytest.mark.req("MON-10", "MON-11")
def test_a_refund_at_the_very_time_of_the_request_is_for_its_unit() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit(), hours=1), refunded("R9", 1000, covers(), hours=1))
    run.feed(inspected(unit()))
    assert run.commands(Refund) == []


@pytest.mark.req("MON-11", "MON-2")
def test_our_own_refund_seen_in_the_shop_counts_once_for_the_next_return() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit("u1"), rma="101"), inspected(unit("u1"), rma="101"))
    (first,) = run.commands(Refund)
    run.feed(refunded("R1", 1000, covers(), hours=6, command_id=first.command_id, actor="returnflow"))
    run.feed(*asked(unit("u2"), rma="102", hours=7), inspected(unit("u2"), rma="102", hours=8))
    assert [(r.unit_ids, r.amount_minor) for r in run.commands(Refund)] == [(("u1",), 1000), (("u2",), 1000)]
