"""Facts that contradict each other or are absurd never raise out of a decision; its outputs always fit the wire."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.commands import CommandResult
from schemas.facts import (
    DeadlineReached,
    ObservedEffect,
    OrderLine,
    OrderSnapshot,
    Payment,
    RecordedRefund,
    RefundedLine,
    RefundedTender,
    ReturnedUnit,
    ReturnEvent,
    ReturnTransaction,
)
from schemas.money import Money
from schemas.stock import RestockVerdict
from streams.domain import row
from tests.unit.domain.factories import Run, asked, at, inspected, order, rules, unit
from tests.unit.domain.world import CODEC

NAMES = st.sampled_from(["", "a", "b", "100", "dock", "TEE"])
MAYBE = st.one_of(st.none(), NAMES)
TIMES = st.sampled_from([-(2**62), 0, at(1), at(5), at(900), 2**62])
COUNTS = st.sampled_from([-1, 0, 1, 2, 10**9])
AMOUNTS = st.sampled_from([-(10**15), -1, 0, 1, 1000, 10**15])
CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "", "money"])
MONEY = st.one_of(st.none(), st.builds(Money, minor=AMOUNTS, currency=CURRENCIES))


LINES = st.lists(st.builds(RefundedLine, line_id=NAMES, quantity=COUNTS, restocked=st.booleans()), max_size=2).map(
    tuple
)
STATUSES = st.sampled_from(["success", "pending", "failed"])
TENDERS = st.lists(
    st.builds(
        RefundedTender,
        transaction_id=NAMES,
        payment_id=MAYBE,
        tender=NAMES,
        amount_minor=AMOUNTS,
        status=STATUSES,
        shop_amount_minor=st.one_of(st.none(), AMOUNTS),
    ),
    max_size=2,
).map(tuple)
UNITS = st.lists(
    st.builds(
        ReturnedUnit, unit_id=NAMES, line_id=MAYBE, sku=NAMES, quantity=COUNTS, paid=MONEY, fees=MONEY,
        paid_tax=MONEY, exchange_price=MONEY,
        ships=st.booleans(), location=MAYBE,
        resolution=st.sampled_from(["refund", "store_credit", "exchange", "unknown"]),
        disposition=st.sampled_from([None, "sellable", "damaged", "missing"]),
    ),
    max_size=3,
).map(tuple)  # fmt: skip
OURS: dict[str, Any] = {"fact_id": NAMES, "merchant": st.just("demo-shop"), "order_id": st.just("5001")}
EVENTS = st.builds(
    ReturnEvent, **OURS, rma_id=NAMES, system=st.sampled_from(["returngo", "warehouse"]), occurred_at_ms=TIMES,
    kind=st.sampled_from(["requested", "approved", "inspected", "received", "in_transit", "cancelled", "transaction"]),
    units=UNITS, transaction=st.one_of(st.none(), st.builds(
        ReturnTransaction, transaction_id=NAMES, kind=st.just("refund"), amount=MONEY, external_id=MAYBE,
        status=st.sampled_from(["requested", "success", "failed"]), unit_ids=st.lists(NAMES, max_size=2).map(tuple),
    )),
)  # fmt: skip
ORDERS = st.builds(
    OrderSnapshot, **OURS, system=st.just("shopify"), version_ms=TIMES, name=NAMES, created_at_ms=TIMES,
    currency=CURRENCIES, shop_currency=CURRENCIES, taxes_included=st.booleans(), customer_id=MAYBE,
    shipping_minor=AMOUNTS, archived=st.booleans(), complete=st.booleans(),
    lines=st.lists(st.builds(
        OrderLine, line_id=NAMES, sku=NAMES, quantity=COUNTS, unit_price_minor=AMOUNTS, discount_minor=AMOUNTS,
        tax_minor=AMOUNTS, duty_minor=AMOUNTS, order_discount_minor=AMOUNTS, bundle_sku=MAYBE,
        bundle_quantity=st.one_of(st.none(), COUNTS),
    ), max_size=3).map(tuple),
    payments=st.lists(st.builds(
        Payment, payment_id=NAMES, tender=NAMES, status=STATUSES, amount_minor=AMOUNTS,
        shop_amount_minor=st.one_of(st.none(), AMOUNTS),
    ), max_size=2).map(tuple),
    refunds=st.lists(st.builds(
        RecordedRefund, refund_id=NAMES, created_at_ms=TIMES, total_minor=AMOUNTS, lines=LINES, tenders=TENDERS,
        command_id=MAYBE,
    ), max_size=2).map(tuple),
)  # fmt: skip
EFFECTS = st.builds(
    ObservedEffect, **OURS, system=st.just("shopify"), external_id=NAMES, occurred_at_ms=TIMES, total_minor=AMOUNTS,
    kind=st.sampled_from(["refund", "restock", "store_return", "credit", "chargeback"]), lines=LINES, tenders=TENDERS,
    currency=st.one_of(st.none(), CURRENCIES), command_id=MAYBE, rma_id=MAYBE, tax_minor=st.one_of(st.none(), AMOUNTS),
)  # fmt: skip
RESULTS = st.builds(
    CommandResult, command_id=NAMES, merchant=OURS["merchant"], system=st.just("shopify"), order_id=OURS["order_id"],
    rma_id=NAMES, unit_ids=st.just(()), kind=st.sampled_from(["refund", "restock", "annotate"]), settled_at_ms=TIMES,
    outcome=st.sampled_from(["applied", "rejected"]), attempts=COUNTS, code=MAYBE, amount=MONEY,
    tax_minor=st.one_of(st.none(), AMOUNTS),
    external_ids=st.dictionaries(NAMES, NAMES, max_size=2),
)  # fmt: skip
VERDICTS = st.builds(
    RestockVerdict, **OURS, rma_id=NAMES, intent_id=NAMES, unit_ids=st.just(()), sku=NAMES, decided_at_ms=TIMES,
    verdict=st.sampled_from(["commanded", "impossible", "waiting", "drift"]), reason=MAYBE,
)  # fmt: skip
DEADLINES = st.builds(DeadlineReached, **OURS, due_at_ms=TIMES)
EVERYTHING: dict[str, Any] = {
    "duties": "with_goods", "shipping": "full_return", "bonus_percent": {"store_credit": 50},
    "cash": {"tenders": ["", "a"], "smallest_minor": 7}, "tenders": ["a", "*"],
}  # fmt: skip
MODELS = [
    rules(),
    rules(inspecting={"source": "either"}),
    rules(inspecting={"source": "warehouse"}),
    rules(books="linnworks", refunding=EVERYTHING),
    rules(books="linnworks", refunding=EVERYTHING | {"actor": "returngo"}),
]


@given(
    model=st.integers(0, len(MODELS) - 1),
    facts=st.lists(st.one_of(EVENTS, EVENTS, ORDERS, EFFECTS, RESULTS, VERDICTS, DEADLINES), max_size=14),
)
@settings(max_examples=50, deadline=None)
def test_no_fact_raises_and_every_output_fits_its_schema(model: int, facts: list[Any]) -> None:
    run = Run(MODELS[model])
    for fact in facts:
        for output in run.feed(fact):
            assert CODEC.decode(CODEC.encode(output.record)) == output.record
        if run.case is not None:
            assert row.load(row.dump(run.case)) == run.case
            assert run.case.due_ms is None or run.case.due_ms > run.case.learnt.clock_ms


@pytest.mark.req("MON-13")
def test_an_order_in_no_currency_that_we_know_is_held_without_breaking() -> None:
    run = Run()
    run.feed(order(currency="money"), *asked(unit(paid=1000)), inspected(unit(paid=1000)))
    assert run.open == ["currency_mismatch"]
