"""Goods that came back for an order of which the returns portal knows no return (ELG-3)."""

import itertools
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import ReturnedUnit
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    ORDER,
    Run,
    asked,
    counted,
    covers,
    deadline,
    event,
    order,
    put_back,
    recorded,
    refunded,
    rules,
    transaction,
    unit,
)

LATER = deadline(1_000)
RAISED = ["order_not_in_portal"]
BACK = covers(restocked=True)
TILL = replace(refunded("S1", 1000, covers(), hours=6), kind="store_return", system="sitoo", actor="till")
STAFF = replace(refunded("R1", 1000, BACK, hours=6), actor="staff")
ARRIVED = replace(counted(1, rma="", hours=6), kind="received")


@pytest.mark.req("ELG-3")
@pytest.mark.parametrize(
    "fact",
    [
        TILL,
        STAFF,
        put_back("D1", covers(), hours=6),
        order(refunds=(recorded("R1", 1000, BACK, hours=6),)),
        ARRIVED,
        counted(1, rma="", hours=6),
    ],
)
def test_goods_that_came_back_without_a_return_are_raised_in_time_and_clear_by_themselves(fact: Fact) -> None:
    run = Run()
    run.feed(order(hours=1), fact)
    assert run.case is not None
    run.feed(deadline(29.9))
    assert (run.open, run.case.due_ms) == ([], deadline(30).due_at_ms)
    run.feed(deadline(30))
    assert run.open == RAISED
    said = run.raised(RAISED[0])
    assert "wait for approval are not read" in said.detail
    assert "waits in the portal" in said.next_step
    run.feed(*asked(unit()))
    assert [c.type for c in run.records(ExceptionCleared)] == RAISED
    assert "order_not_in_portal" not in run.open


@pytest.mark.req("ELG-3")
def test_it_names_the_order_and_all_that_came_back_and_is_one_exception() -> None:
    run = Run()
    run.feed(order(), TILL, replace(ARRIVED, fact_id="x", units=(piece(sku="CAP"),)), LATER)
    (raised,) = run.records(ExceptionRaised)
    assert (raised.owner, raised.severity, raised.order_id, raised.rma_id) == ("cx", "info", ORDER, "")
    assert raised.detail == (
        "goods of order #1001 came back, no return of it was told by ReturnGO (requests that wait for approval are not "
        "read): 1 × CAP counted by warehouse; "
        "store return S1 of 1 unit in sitoo"
    )
    run.feed(replace(STAFF, occurred_at_ms=TILL.occurred_at_ms + 1))
    assert len(run.records(ExceptionRaised)) == 1  # the shop tells of the same goods as the till
    run.feed(replace(ARRIVED, fact_id="y"))
    again = run.records(ExceptionRaised)[-1]
    assert (again.exception_id, again.repeats, run.open) == (raised.exception_id, 2, RAISED)


def piece(**more: Any) -> ReturnedUnit:
    return unit("", "L2", **more)


@pytest.mark.req("ELG-3")
@pytest.mark.parametrize(
    "facts",
    [
        [order(), refunded("R1", 1000, hours=6)],
        [order(), refunded("R1", 1000, covers(), hours=6)],
        [order(), refunded("R1", 1000, replace(BACK, unsent=True), hours=6)],
        [order(), refunded("R1", 1000, replace(BACK, unsent=True), hours=6), replace(STAFF, system="linnworks")],
        [order(cancelled=True), STAFF],
        [order(source="pos"), TILL],
        [order(location_id="store-7"), TILL],
        [order(), replace(STAFF, actor="returngo")],
        [order(), replace(STAFF, rma_id="100")],
        [order(), replace(refunded("C1", 1000, covers(), hours=6), kind="chargeback")],
        [order(), counted(1, "missing", rma="", hours=6)],
        [TILL],
    ],
    ids=[
        "money alone", "lines without their goods", "never sent", "never sent, as two systems tell", "cancelled",
        "sold at a till", "sold in a store", "by ReturnGO", "names its return", "charge-back",
        "missing from the parcel", "order unknown",
    ],
)  # fmt: skip
def test_everyday_business_raises_nothing(facts: list[Fact]) -> None:
    run = Run()
    run.feed(*facts, LATER)
    assert "order_not_in_portal" not in run.open


@pytest.mark.req("ELG-3")
@pytest.mark.parametrize(
    "told",
    [event("requested", hours=1), event("rejected", unit(), hours=9), event("received", unit(), hours=9),
     transaction(1000)],
)  # fmt: skip
def test_any_word_of_the_portal_about_the_order_is_enough(told: Fact) -> None:
    for facts in itertools.permutations([order(), TILL, told, LATER]):
        run = Run()
        run.feed(*facts, LATER)
        assert "order_not_in_portal" not in run.open


@pytest.mark.req("ELG-3")
@pytest.mark.parametrize("system", ["carrier", "warehouse"])
def test_a_return_number_that_only_others_name_is_no_word_of_the_portal(system: str) -> None:
    run = Run()
    run.feed(order(), TILL, event("in_transit", hours=5, system=system), LATER)
    assert "order_not_in_portal" in run.open


@pytest.mark.req("ELG-2", "ELG-3")
def test_pieces_that_are_raised_as_orphans_are_not_raised_a_second_time() -> None:
    run = Run(rules(inspecting={"source": "warehouse"}))
    run.feed(order(), counted(1, rma="", hours=6), LATER)
    assert run.open == ["orphan_return"]


def test_a_store_sale_that_comes_in_a_parcel_is_raised_all_the_same() -> None:
    run = Run()
    run.feed(order(location_id="store-7"), ARRIVED, LATER)
    assert run.open == RAISED
