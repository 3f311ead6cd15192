"""A fact that contradicts another becomes the matching exception with both values; nothing moves because of it, and
the rest of the case goes on."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Refund
from schemas.journal import CaseStep
from schemas.money import Money
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    asked,
    counted,
    covers,
    event,
    inspected,
    line,
    of,
    order,
    put_back,
    refunded,
    rules,
    unit,
)
from tests.unit.domain.factories import transaction as said

SOUND = unit("u9", "L2", "CAP")
EUR, USD = "EUR", "USD"


def returned(**more: Any) -> list[Fact]:
    one = unit("u1", **more)
    return [*asked(one, rma="101"), event("received", one, hours=3, rma="101"), inspected(one, rma="101")]


def sound() -> list[Fact]:
    return [*asked(SOUND, rma="102"), event("received", SOUND, hours=3, rma="102"), inspected(SOUND, rma="102")]


# what is wrong: the facts, the exception that follows, and the two values that it must show
CASES: dict[str, tuple[list[Fact], str, tuple[str, ...]]] = {
    "more returned than bought": (returned(quantity=5), "over_quantity", ("2", "5")),
    "less than one returned": (returned(quantity=-1), "over_quantity", ("1", "-1")),
    "a line that is not on the order": (returned(line_id="L7"), "unknown_line", ("L7", "L1")),
    "another SKU than the line's": (returned(sku="MUG"), "contradicting_fact", ("TEE", "MUG")),
    "a price in another currency": (returned(paid=1000, currency=USD), "currency_mismatch", (EUR, USD)),
    "a price below zero": (returned(paid=-1000), "amount_mismatch", ("10.00 EUR", "-10.00 EUR")),
    "a price that is not the order's": (returned(paid=1200), "amount_mismatch", ("10.00 EUR", "12.00 EUR")),
    "a fee below zero": (returned(fees=Money(minor=-500, currency=EUR)), "amount_mismatch", ("-5.00 EUR",)),
    "a fee in another currency": (returned(fees=Money(minor=5, currency=USD)), "currency_mismatch", (EUR, USD)),
    "a request below zero": (
        [said(-1000, rma="101", units=("u1",), hours=2), *returned()], "amount_mismatch", ("10.00 EUR", "-10.00 EUR"),
    ),
    "a request in another currency": (
        [said(1000, rma="101", units=("u1",), hours=2, currency=USD), *returned()], "currency_mismatch", (EUR, USD),
    ),
    "a refund in another currency": (
        [replace(refunded("R9", 700, covers(), hours=4), currency=USD), *returned()], "currency_mismatch", (EUR, USD),
    ),
    "a refund of more than was paid": (
        [refunded("R9", 90_000, hours=4), *returned()], "amount_mismatch", ("900.00 EUR", "30.00 EUR"),
    ),
    "a refund below zero": (
        [refunded("R9", -700, covers(), hours=4), *returned()], "contradicting_fact", ("-7.00 EUR",),
    ),
}  # fmt: skip


# the figures are in doubt, the goods are not
MONEY_ONLY = ("amount_mismatch", "currency_mismatch", "a refund below zero")


@pytest.mark.req("EXC-1", "MON-3", "MON-11", "MON-13", "ELG-1", "INV-7")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("late", [False, True], ids=["in-order", "backwards"])
def test_a_contradiction_moves_nothing_and_is_raised_with_both_values(name: str, late: bool) -> None:
    facts, kind, values = CASES[name]
    bought: list[Fact] = [order(line("L1", "TEE", 2), line("L2", "CAP"))]
    run = Run()
    run.feed(*(reversed(bought + facts) if late else bought + facts))
    assert kind in run.open
    shown = run.raised(kind)
    text = f"{shown.detail} {shown.expected} {shown.actual}"
    assert [value for value in values if value not in text] == [], text
    assert [r for r in run.commands(Refund) if r.rma_id == "101"] == []
    assert [i for i in run.intents if i.rma_id == "101"] == [] or kind in MONEY_ONLY or name in MONEY_ONLY


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("a refund")])
def test_the_rest_of_the_case_goes_on(name: str) -> None:
    facts, _, _ = CASES[name]
    run = Run()
    run.feed(order(line("L1", "TEE", 2), line("L2", "CAP")), *facts, *sound())
    assert [r.amount_minor for r in run.commands(Refund) if r.rma_id == "102"] == [1000]
    assert [i.sku for i in run.intents if i.rma_id == "102"] == ["CAP"]


MUG, TEE = unit(sku="MUG"), unit(sku="TEE")
# how goods of another SKU than the line's turn out to be those that were sold
RESOLVED: dict[str, tuple[Fact, list[int]]] = {
    "the return is corrected": (event("requested", TEE, hours=9), [1000]),
    "the order is corrected": (order(line(sku="MUG"), hours=9), [1000]),
    "the shop puts it back on the line": (put_back("D1", covers(), hours=9), [1000]),
    "the shop pays it by hand": (refunded("R9", 1000, covers(), hours=9), []),
}


@pytest.mark.req("MON-1", "ELG-1", "INV-7", "EXC-4")
@pytest.mark.parametrize("how", RESOLVED)
def test_goods_of_another_sku_hold_their_money_until_they_are_those_that_were_sold(how: str) -> None:
    fact, paid = RESOLVED[how]
    run = Run()
    run.feed(order(), *asked(MUG), inspected(MUG))
    assert (run.commands(Refund), run.open, run.waits()) == ([], ["contradicting_fact"], {"u1": "sku_agrees"})
    assert (run.raised("contradicting_fact").expected, run.raised("contradicting_fact").actual) == ("TEE", "MUG")
    run.feed(fact)
    assert [refund.amount_minor for refund in run.commands(Refund)] == paid
    assert ("contradicting_fact" in run.open) == (how == "the shop pays it by hand")  # the goods still wait
    assert {i.sku for i in run.intents} == ({"TEE"} if "return" in how else {"MUG"} if "order" in how else set())


@pytest.mark.req("MON-1", "MON-8", "EXG-3")
@pytest.mark.parametrize("resolution", ["refund", "store_credit", "gift_card", "exchange"])
@pytest.mark.parametrize("restocks", ["returnflow", "returngo"])
def test_no_money_of_any_kind_goes_out_for_goods_of_another_sku(resolution: str, restocks: str) -> None:
    run = Run(rules(restocking={"actor": restocks}))
    one = unit(sku="MUG", resolution=resolution)
    run.feed(order(), *asked(one), event("exchange", one, hours=3, exchange_draft_order_id="D1"), inspected(one))
    assert (run.payments, run.intents, run.open) == ([], [], ["contradicting_fact"])


@pytest.mark.req("MON-1", "ELG-1", "INV-19")
def test_a_renamed_sku_of_the_same_variant_is_the_same_item_and_the_history_names_both() -> None:
    one = unit(sku="TEE-2026", variant_id="V-TEE")
    run = Run()
    run.feed(order(), *asked(one), inspected(one))
    assert [(i.item_id, i.sku) for i in run.intents] == [("I-TEE", "TEE")]
    assert run.open == []
    (step,) = [s for s in of(CaseStep, run.outputs) if (s.step, s.what) == ("decided", "restock")]
    assert step.detail.endswith("the return calls it TEE-2026, its variant is the one that was sold")


@pytest.mark.req("INV-8", "INV-19")
def test_a_unit_of_another_variant_than_its_line_is_held_although_the_sku_is_the_same() -> None:
    one = unit(variant_id="V-OTHER")
    run = Run()
    run.feed(order(), *asked(one), inspected(one))
    assert (run.intents, run.open) == ([], ["contradicting_fact"])
    raised = run.raised("contradicting_fact")
    assert (raised.expected, raised.actual) == ("V-TEE", "V-OTHER")


@pytest.mark.req("MON-1")
def test_what_the_customer_keeps_is_paid_whatever_its_sku() -> None:
    run = Run()
    run.feed(order(), *asked(unit(sku="MUG", resolution="keep", ships=False)))
    assert ([r.amount_minor for r in run.commands(Refund)], run.open) == ([1000], [])


@pytest.mark.req("INV-2", "EXC-1")
def test_two_sources_that_disagree_hold_the_goods() -> None:
    run = Run(rules(inspecting={"source": "either"}))
    run.feed(order(), *asked(unit()), inspected(unit()), counted(1, "damaged", hours=5, n=1))
    assert run.open == ["contradicting_fact"]
    assert "sellable" in run.raised("contradicting_fact").detail
    assert "damaged" in run.raised("contradicting_fact").detail


@pytest.mark.parametrize("hours", [-(10**7), 10**9])
@pytest.mark.parametrize("kind", ["received", "inspected", "approved", "cancelled"])
def test_a_fact_of_an_impossible_time_breaks_no_clock(kind: str, hours: int) -> None:
    run = Run()
    odd = inspected(unit(), hours=hours) if kind == "inspected" else event(kind, unit(), hours=hours)
    run.feed(order(), *asked(unit()), odd)
    impossible = kind in ("received", "inspected")
    # what arrived a thousand years ago is overdue as well
    assert set(run.open) - {"stuck_received"} == ({"contradicting_fact"} if impossible else set())
    if impossible:
        shown = run.raised("contradicting_fact")
        assert (shown.expected, shown.actual) == ("after the order was made", f"{hours + 100:+} h from it")
    assert run.case is not None
    assert run.case.learnt.now_ms <= 253_402_300_799_000


@pytest.mark.req("ELG-1", "EXC-1")
@pytest.mark.parametrize(("sku", "where"), [("TEE", "on 2 lines of the order"), ("MUG", "not on the order")])
def test_a_return_that_names_no_line_is_told_why_its_sku_finds_none(sku: str, where: str) -> None:
    run = Run()
    one = unit(line_id=None, sku=sku)
    run.feed(order(line("L1"), line("L2")), *asked(one), inspected(one))
    assert (run.intents, run.payments, run.open) == ([], [], ["unknown_line"])
    assert run.raised("unknown_line").detail == f"SKU {sku} is {where}, and the return names no line"
