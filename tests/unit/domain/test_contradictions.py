"""A fact that contradicts another becomes the matching exception with both values; nothing moves because of it, and
the rest of the case goes on."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Refund
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
    order,
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
    if name != "another SKU than the line's":  # its goods are held, its money is the line's
        assert [r for r in run.commands(Refund) if r.rma_id == "101"] == []
    assert [i for i in run.intents if i.rma_id == "101"] == [] or kind in MONEY_ONLY or name in MONEY_ONLY


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("a refund")])
def test_the_rest_of_the_case_goes_on(name: str) -> None:
    facts, _, _ = CASES[name]
    run = Run()
    run.feed(order(line("L1", "TEE", 2), line("L2", "CAP")), *facts, *sound())
    assert [r.amount_minor for r in run.commands(Refund) if r.rma_id == "102"] == [1000]
    assert [i.sku for i in run.intents if i.rma_id == "102"] == ["CAP"]


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
