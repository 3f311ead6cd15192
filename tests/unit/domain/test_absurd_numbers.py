"""Absurd numbers in any numeric field of any fact: no decision raises, nothing is made that no schema holds, and
nothing is paid that the order's money does not cover."""

import typing
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.codec import Undecodable
from schemas.commands import Refund
from schemas.facts import RecordedRefund, RefundedTender
from schemas.money import LARGEST_MINOR, Money
from schemas.stock import RestockIntent, StockItem, StockLevel
from streams.domain import row
from streams.domain.learn import Fact
from streams.domain.stock import decide_stock
from tests.unit.domain.factories import (
    Run,
    asked,
    bundle,
    covers,
    deadline,
    inspected,
    item,
    line,
    order,
    payment,
    refunded,
    result,
    rules,
    transaction,
    unit,
    verdict,
)
from tests.unit.domain.world import CODEC

ABSURD = st.sampled_from([
    -(2**200), -(2**63), -(10**30), -(10**15), -(10**9), -1, 0, 10**6 + 1, 10**9, 10**15 + 1, 2**53, 2**63 - 1, 2**63,
    10**30, 2**200,
])  # fmt: skip
MODELS = [
    rules(),
    rules(inspecting={"source": "warehouse"}),
    rules(refunding={"duties": "with_goods", "shipping": "full_return", "bonus_percent": {"store_credit": 50}}),
]


def scene() -> list[Any]:
    """Facts with a value in every numeric field."""
    euros = Money(minor=1000, currency="EUR")
    back = unit(paid=1000, fees=euros, paid_tax=euros, exchange_price=euros)
    sold = line(
        discount_minor=1, order_discount_minor=1, tax_minor=1, duty_minor=1, refundable_quantity=1,
        fulfilled_quantity=1, bundle_quantity=1, bundle_sku="SET",
    )  # fmt: skip
    tender = RefundedTender(
        transaction_id="t", payment_id="P1", tender="card", amount_minor=5, status="failed", shop_amount_minor=5
    )
    made = RecordedRefund(
        refund_id="R2", created_at_ms=1, total_minor=5, tenders=(tender,), lines=(covers(),), tax_minor=1,
        updated_at_ms=2,
    )  # fmt: skip
    money = order(
        sold, payments=(replace(payment("P1", "card", 1000), shop_amount_minor=1000),), refunds=(made,),
        shipping_minor=1, shipping_tax_minor=1, total_minor=1000, shop_total_minor=1000, read_order=1,
    )  # fmt: skip
    seen = refunded("R1", 5, covers(), tenders=(tender,), tax_minor=1, updated_at_ms=3, read_order=1)
    looked = inspected(replace(back, inspected_at_ms=5))
    intent = RestockIntent(
        intent_id="i1", merchant="demo-shop", sku="TEE", order_id="5001", rma_id="100", unit_ids=("u1",), line_id="L1",
        system="shopify", location_id="11", quantity=1, stock_status="available", generation=0, decided_at_ms=1,
    )  # fmt: skip
    return [
        money, *asked(back), looked, seen, transaction(1000), result("c1", "refund", amount=euros, tax_minor=1),
        verdict(intent), deadline(500),
    ]  # fmt: skip


def stock_scene() -> list[Any]:
    level = StockLevel(
        fact_id="l", merchant="demo-shop", sku="SET", system="shopify", item_id="I", location_id="11",
        observed_at_ms=1, available=3, read_order=1,
    )  # fmt: skip
    intent = RestockIntent(
        intent_id="i1", merchant="demo-shop", sku="SET", order_id="5001", rma_id="100", unit_ids=("u1",), line_id="L1",
        system="shopify", location_id="11", quantity=1, stock_status="available", generation=0, decided_at_ms=1,
    )  # fmt: skip
    return [bundle("SET", ("TEE", 2, "I-TEE")), item("SET", read_order=1), level, intent]


def numbers(record: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a record holds a number."""
    if isinstance(record, msgspec.Struct):
        for name in record.__struct_fields__:
            yield from numbers(getattr(record, name), (*path, name))
    elif isinstance(record, tuple):
        for i, each in enumerate(record):
            yield from numbers(each, (*path, i))
    elif isinstance(record, int) and not isinstance(record, bool):
        yield path


def put(record: Any, path: tuple[Any, ...], value: int) -> Any:
    if not path:
        return value
    if isinstance(record, tuple):
        return tuple(put(each, path[1:], value) if i == path[0] else each for i, each in enumerate(record))
    return msgspec.structs.replace(record, **{path[0]: put(getattr(record, path[0]), path[1:], value)})


def places(facts: list[Any]) -> list[tuple[int, tuple[Any, ...]]]:
    return [(i, path) for i, fact in enumerate(facts) for path in numbers(fact)]


def test_every_numeric_field_is_tried() -> None:
    """Of every kind of fact that the agents read."""
    tried = {(type(scene()[i]), path[-1]) for i, path in places(scene())}
    assert len(tried) >= 40
    assert {type(each).__name__ for each in scene()} == {kind.__name__ for kind in typing.get_args(Fact)}


def fits(outputs: list[Any]) -> None:
    for output in outputs:
        try:
            assert CODEC.decode(CODEC.encode(output.record)) == output.record
        except Undecodable as refused:
            raise AssertionError(f"made what nobody reads: {output.record}") from refused


@pytest.mark.req("MON-2", "MON-11")
@given(
    data=st.data(), model=st.sampled_from(MODELS),
    where=st.lists(st.tuples(st.sampled_from(places(scene())), ABSURD), min_size=1, max_size=3),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_no_number_makes_a_decision_raise_or_pay_what_is_not_there(data: st.DataObject, model: Any, where: Any) -> None:
    facts = scene()
    for (i, path), value in where:
        facts[i] = put(facts[i], path, value)
    run = Run(model)
    for fact in data.draw(st.permutations(facts)):
        fits(run.feed(fact))
        if run.case is not None:
            assert row.load(row.dump(run.case)) == run.case
    assert all(0 <= each.amount_minor <= LARGEST_MINOR for each in run.commands(Refund))


@pytest.mark.req("INV-13")
@given(
    data=st.data(),
    where=st.lists(st.tuples(st.sampled_from(places(stock_scene())), ABSURD), min_size=1, max_size=2),
)
@settings(max_examples=50, deadline=None)
def test_no_number_makes_the_stock_agent_raise(data: st.DataObject, where: Any) -> None:
    facts = stock_scene()
    for (i, path), value in where:
        facts[i] = put(facts[i], path, value)
    state = None
    for fact in data.draw(st.permutations(facts)):
        assert isinstance(fact, StockItem | StockLevel | RestockIntent)
        state, made = decide_stock(state, fact, rules())
        fits(made)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state)) == state


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("quantity", [-(10**15), 10**15, 10**9])
def test_units_beyond_all_sense_on_a_refund_that_failed_are_set_aside_and_told(quantity: int) -> None:
    run = Run()
    tender = RefundedTender(transaction_id="t", payment_id="P1", tender="card", amount_minor=1000, status="failed")
    failed = refunded("R1", 1000, covers(), tenders=(tender,))
    run.feed(order(), *asked(unit()), failed)
    known = run.case
    run.feed(inspected(unit(quantity=quantity)))
    assert run.case is known
    told = run.raised("undecodable")
    assert "$.units.quantity: expected a number from -1000000 to 1000000, got" in told.detail
    assert str(quantity) in told.detail


@pytest.mark.req("EXC-6", "MON-13")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"currency": "eur"}, "Expected an ISO-4217 code such as EUR - at `$.currency`, got 'eur'"),
        ({"currency": ""}, "Expected an ISO-4217 code such as EUR - at `$.currency`, got ''"),
        ({"version_ms": -5}, "Expected `int` >= 0 - at `$.version_ms`, got -5"),
        ({"total_minor": 10**16}, "Expected `int` <= 1000000000000000 - at `$.total_minor`, got 10000000000000000"),
        ({"lines": (line(quantity=10**9),)}, "Expected `int` <= 1000000 - at `$.lines[0].quantity`, got 1000000000"),
        ({"lines": (line(quantity=-1),)}, "Expected `int` >= 0 - at `$.lines[0].quantity`, got -1"),
    ],
)
def test_a_record_says_what_was_expected_and_what_came(change: dict[str, Any], told: str) -> None:
    with pytest.raises(Undecodable) as refused:
        CODEC.decode(CODEC.encode(order(**change)))
    assert told in str(refused.value)
