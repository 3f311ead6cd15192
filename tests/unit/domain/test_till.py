"""Shop, till and warehouse speak of the same goods; exchange orders of no value are no sales."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Annotate, Refund
from schemas.facts import ObservedEffect
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    asked,
    at,
    counted,
    covers,
    deadline,
    inspected,
    line,
    order,
    refunded,
    result,
    unit,
)
from tests.unit.domain.merchants import PLACES, merchant

W1 = {"source": "warehouse", "code": "W1", "location_id": "11", "disposition": "sellable"}
TILL = merchant("sitoo", model={"inspecting": {"source": "either"}}, locations=(*PLACES, W1))


def at_the_till(*, restocked: bool = True, quantity: int = 1, hours: float = 6, **more: Any) -> ObservedEffect:
    seen = refunded("S1", 1000, covers(quantity=quantity, restocked=restocked), hours=hours, tenders=(), **more)
    return replace(seen, kind="store_return", system="sitoo", actor="till")


def in_the_shop(hours: float = 7, amount: int = 1000, **more: Any) -> ObservedEffect:
    return replace(refunded("R1", amount, covers(**more), hours=hours), actor="other")


@pytest.mark.req("INV-12", "MON-10")
@pytest.mark.parametrize("turn", range(4))
def test_goods_taken_back_at_the_till_are_counted_once_when_shop_till_and_warehouse_speak(turn: int) -> None:
    run = Run(TILL)
    run.feed(replace(order(), system="shopify"), *asked(unit()))
    told: list[Fact] = [at_the_till(), in_the_shop(), counted(1, hours=8), inspected(unit(), hours=8)]
    run.feed(*told[turn:], *told[:turn])
    if turn == 0:
        assert (run.intents, run.records(Refund)) == ([], [])
    assert sum(i.quantity for i in run.intents) <= 1
    assert run.records(Refund) == []
    assert "over_quantity" not in run.open
    assert run.case is not None
    assert run.stages()["u1"] in ("closed", "refunded")


@pytest.mark.req("INV-12")
def test_a_return_at_the_till_is_told_to_returngo_and_to_the_channel_that_sold() -> None:
    run = Run(TILL)
    run.feed(order(), *asked(unit()), at_the_till())
    told = [(m.system, m.aspect) for m in run.commands(Annotate) if m.text and "Returned in a store" in m.text]
    assert sorted(told) == [("returngo", "comment"), ("shopify", "note")]
    run.feed(at_the_till(), inspected(unit(), hours=9))
    assert len([m for m in run.commands(Annotate) if m.text and "Returned in a store" in m.text]) == 2


@pytest.mark.req("INV-12", "MON-11")
def test_two_returns_that_both_can_have_happened_both_count() -> None:
    run = Run(TILL)
    units = [unit("u1"), unit("u2")]
    run.feed(order(line(quantity=2)), *asked(*units), at_the_till(), in_the_shop())
    assert [s for s in run.stages().values() if s in ("refunded", "closed")] == ["closed", "refunded"]


@pytest.mark.req("INV-12", "MON-10")
def test_a_refund_of_another_amount_is_no_echo() -> None:
    run = Run(merchant())
    run.feed(order(), *asked(unit()), at_the_till(restocked=False), in_the_shop(amount=900))
    assert "over_quantity" in run.open


@pytest.mark.req("INV-12", "MON-11")
def test_our_own_refund_told_by_another_system_is_no_second_one() -> None:
    run = Run(merchant())
    run.feed(order(), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    run.feed(in_the_shop(hours=8), result(refund.command_id, "refund", hours=8, external_ids={"refund_id": "R1"}))
    run.restock(8)
    run.feed(at_the_till(restocked=False, hours=9))
    assert (run.open, run.stages()) == ([], {"u1": "closed"})


EXCHANGES = {"exchanges": {"tags": ["exchange"], "prefix": "EXC-", "mark": "no-sale"}}


@pytest.mark.req("EXG-1", "EXG-4")
@pytest.mark.parametrize("known_by", [{"tags": ("exchange",)}, {"name": "EXC-7"}])
def test_an_exchange_order_of_no_value_is_marked_out_of_sales(known_by: dict[str, Any]) -> None:
    run = Run(merchant("linnworks", model=EXCHANGES))
    free = replace(order(line(price=0)), system="linnworks", total_minor=0, **known_by)
    run.feed(free)
    (mark,) = run.commands(Annotate)
    assert (mark.system, mark.tags_add, mark.order_id) == ("linnworks", ("no-sale",), free.order_id)
    run.feed(deadline(-100 + 24))
    assert run.open == ["exchange_counted_as_sale"]
    assert free.name in run.raised("exchange_counted_as_sale").detail
    run.feed(replace(free, tags=(*free.tags, "no-sale"), version_ms=at(1), fact_id="marked"))
    assert run.open == []


@pytest.mark.req("EXG-4")
@pytest.mark.parametrize(
    "other",
    [
        {"total_minor": 500, "tags": ("exchange",)},
        {"total_minor": 0},
        {"total_minor": 0, "cancelled": True},
        {"shipping_minor": 1000, "tags": ("exchange",)},  # its goods cost as much as its shipping
        {"lines": (), "shipping_minor": 490, "tags": ("exchange",)},
    ],
)
def test_no_other_order_is_marked(other: dict[str, Any]) -> None:
    run = Run(merchant("linnworks", model=EXCHANGES))
    tags = ("exchange",) if other.get("cancelled") else other.pop("tags", ())
    run.feed(replace(order(), system="linnworks", tags=tags, **other), deadline(100))
    assert (run.commands(Annotate), run.open) == ([], [])


@pytest.mark.req("INV-12", "INV-13")
@pytest.mark.parametrize(("payer", "raised"), [("returnflow", True), ("pos", False)])
def test_goods_put_back_at_the_till_are_expected_only_where_the_till_pays(payer: str, raised: bool) -> None:
    run = Run(merchant("sitoo", model={"refunding": {"actor": payer}}))
    run.feed(replace(order(), system="sitoo"), *asked(unit()), at_the_till())
    assert ("restock_outside_workflow" in run.open) is raised


@pytest.mark.req("EXG-4", "OPS-7")
def test_an_exchange_order_is_known_by_the_model_of_its_own_channel() -> None:
    channel = {"name": "web", "system": "linnworks", "channel": "linnworks/web", **EXCHANGES}
    run = Run(merchant("linnworks", models=[channel]))
    free = replace(order(line(price=0)), system="linnworks", source="web", total_minor=0, tags=("exchange",))
    run.feed(free, deadline(-100 + 24))
    assert run.commands(Annotate)[0].tags_add == ("no-sale",)
    assert run.open == ["exchange_counted_as_sale"]


@pytest.mark.req("INV-12", "INV-13")
@pytest.mark.parametrize("payer", ["pos", "payment"])
@pytest.mark.parametrize(("bought", "restocked", "raised"), [(1, True, True), (1, False, False), (2, True, False)])
def test_goods_that_we_had_put_back_and_the_till_puts_back_again_are_raised(
    payer: str, bought: int, restocked: bool, raised: bool
) -> None:
    run = Run(merchant("sitoo", model={"refunding": {"actor": payer}}))
    run.feed(replace(order(line(quantity=bought)), system="sitoo"), *asked(unit()), inspected(unit()))
    run.feed(at_the_till(restocked=restocked))
    assert run.open == []  # whether ours was put back, too, is not known yet
    run.restock(7)
    assert ("restock_outside_workflow" in run.open) is raised


@pytest.mark.req("INV-12", "INV-13")
def test_each_till_that_puts_back_one_more_than_was_bought_is_raised() -> None:
    run = Run(merchant("sitoo"))
    both = [unit("u1"), unit("u2")]
    run.feed(replace(order(line(quantity=2)), system="sitoo"), *asked(*both), inspected(both[0]))
    run.restock()
    run.feed(at_the_till(hours=7))
    assert run.open == []
    run.feed(replace(at_the_till(hours=8), external_id="S2", fact_id="S2"))
    assert run.raised("restock_outside_workflow").detail.endswith("S2")


@pytest.mark.req("INV-12", "INV-13")
@pytest.mark.parametrize("mapped", [True, False])
def test_what_a_till_puts_back_with_our_own_refund_is_in_stock(mapped: bool) -> None:
    """The refund is told twice, the goods moved: by us and by the till, or by the till alone."""
    model = {"money": "shopify", "refunding": {"actor": "returnflow"}}
    run = Run(merchant("sitoo", model=model, locations=PLACES if mapped else PLACES[1:]))
    run.feed(order(), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    run.feed(in_the_shop(hours=6), result(refund.command_id, "refund", hours=6, external_ids={"refund_id": "R1"}))
    run.feed(at_the_till(restocked=True, hours=7))
    run.restock(8)
    run.rules = merchant("sitoo", model=model)
    run.feed(deadline(9))
    assert (len(run.intents), len(run.commands(Refund))) == (1 if mapped else 0, 1)
    assert (run.open, run.waits()) == (["restock_outside_workflow"], {"u1": "booked"})
