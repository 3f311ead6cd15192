"""Under every operating model the same facts in any order give the same case, places and bundles included."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.facts import ReturnedUnit
from schemas.merchant import Merchant
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
    event,
    inspected,
    line,
    order,
    result,
    transaction,
    unit,
    verdict,
)
from tests.unit.domain.merchants import PLACES, merchant
from tests.unit.domain.test_any_order import essence
from tests.unit.domain.test_bad_facts import DEADLINES, EFFECTS, EVENTS, ORDERS, RESULTS, VERDICTS
from tests.unit.domain.world import CODEC

COUNTER = {"name": "counter", "system": "lightspeed-x", "money": "shopify", "location": "counter"}
OVER_THE_COUNTER = {"source": "returngo", "code": "counter", "location_id": "o3", "system": "lightspeed-x"}
STORE = {"source": "lightspeed-x", "code": "S1", "location_id": "S1"}
SETS = {"bundles": {"component": "bundle"}}
REASONS = [
    {"reason": "Does not fit", "disposition": "sellable", "stock_status": "available"},
    {"reason": "Opened", "location_id": "12", "stock_status": "quality_control"},
]
COMPENSATED = {"restocking": {"late_changes": "compensate"}}
MODELS: list[tuple[str, Merchant]] = [
    ("lightspeed-x", merchant("lightspeed-x", locations=(*PLACES, STORE))),
    ("sitoo", merchant("sitoo", model={"inspecting": {"source": "either"}, "refunding": {"actor": "returnflow"}})),
    ("sitoo", merchant("sitoo", reasons=REASONS)),
    ("linnworks", merchant("linnworks", model=SETS)),
    ("linnworks", merchant("linnworks", model=SETS | {"refunding": {"actor": "returnflow", "after": "restocked"}})),
    ("patchworks", merchant("patchworks")),
    ("shopify", merchant(models=[COUNTER], locations=(*PLACES, OVER_THE_COUNTER))),
    ("shopify", merchant(models=[COUNTER], locations=(*PLACES, OVER_THE_COUNTER), model=COMPENSATED)),
]
UNITS = [unit("u1", "L1", "SOAP"), unit("u2", "L1", "SOAP"), unit("u3", "L2", "DISH"), unit("u4", "L3", "TEE")]
SOLD = [
    line("L1", "SOAP", 2, price=500, bundle_sku="SET", bundle_quantity=1),
    line("L2", "DISH", 1, price=300, bundle_sku="SET", bundle_quantity=1),
    line("L3", "TEE", 2),
]


def look(draw: st.DrawFn, one: ReturnedUnit, hours: int) -> Fact:
    grade = draw(st.sampled_from(["sellable", "sellable", "sellable", "damaged", "missing"]))
    return inspected(one, grade, draw(st.sampled_from(["dock", "dock", "counter", None])), hours=hours)


@st.composite
def returns(draw: st.DrawFn) -> tuple[Merchant, list[Fact]]:
    system, rules = draw(st.sampled_from(MODELS))
    reason, resolution = st.sampled_from(["Does not fit", "Opened", "Gift"]), st.sampled_from(["refund", "exchange"])
    chosen = draw(st.lists(st.sampled_from(UNITS), min_size=1, max_size=4, unique_by=lambda u: u.unit_id))
    units = [replace(each, reason=draw(reason), resolution=draw(resolution)) for each in chosen]
    facts: list[Fact] = [replace(order(*SOLD, location_id="S1"), system=system), *asked(*units)]
    facts += [event("received", *units, hours=3)] if draw(st.booleans()) else []
    facts += [event("exchange", *units, hours=4, exchange_order_id="X1")] if draw(st.booleans()) else []
    facts += [transaction(None, hours=6)] if draw(st.booleans()) else []
    facts += [look(draw, each, 5 + i) for i, each in enumerate(units) if draw(st.integers(0, 5))]
    return rules, with_answers(rules, facts)


def with_answers(rules: Merchant, facts: list[Fact]) -> list[Fact]:
    run = Run(rules)
    run.feed(*facts)
    for _ in range(3):  # a refund may follow a restock
        new: list[Fact] = [answer for i in run.intents for answer in (verdict(i), result(i.intent_id, "restock"))]
        new += [applied(command) for command in run.payments]
        new = [each for i, each in enumerate(new) if each not in facts and each not in new[:i]]
        facts = facts + new
        run.feed(*new)
    return facts


@pytest.mark.req("ELG-2", "INV-9", "INV-13", "MON-11")
@given(case=returns(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_order_gives_the_same_case_under_every_model(
    case: tuple[Merchant, list[Fact]], data: st.DataObject
) -> None:
    rules, facts = case
    straight, shuffled = Run(rules), Run(rules)
    straight.feed(*facts, *facts)
    again = data.draw(st.lists(st.sampled_from(facts), max_size=3))
    shuffled.feed(*data.draw(st.permutations(facts + again)))
    assert essence(shuffled) == essence(straight)


@pytest.mark.req("INV-4", "INV-13")
def test_where_both_sources_count_units_at_different_places_are_different_pieces() -> None:
    run = Run(merchant(model={"inspecting": {"source": "either"}}))
    run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")), inspected(unit("u2"), hours=5))
    run.restock(5.5)
    run.feed(inspected(unit("u1"), location="?", hours=6))
    run.restock(7)
    assert ([i.quantity for i in run.intents], run.open) == ([1], ["unmapped_location"])


@pytest.mark.req("INV-13", "OPS-7")
def test_a_piece_stays_the_same_when_the_merchant_maps_its_place_anew() -> None:
    run = Run(merchant(model={"inspecting": {"source": "either"}}))
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    run.restock(6)
    moved = ({"source": "returngo", "code": "dock", "location_id": "77"},)
    run.rules = merchant(
        model={"inspecting": {"source": "either"}, "refunding": {"tolerance_minor": 1}}, locations=moved
    )
    run.feed(event("in_transit", unit(), hours=7))
    assert len(run.intents) == 1


WORKING = {"opens": "09:00", "closes": "17:00"}
COUNTED_SETS = merchant("sitoo", model=SETS | {"inspecting": {"source": "either"}}, working=WORKING)


@given(
    rules=st.sampled_from([*(rules for _, rules in MODELS), COUNTED_SETS]),
    facts=st.lists(st.one_of(EVENTS, EVENTS, ORDERS, EFFECTS, RESULTS, VERDICTS, DEADLINES), max_size=14),
)
@settings(max_examples=60, deadline=None)
def test_no_fact_raises_under_any_model(rules: Merchant, facts: list[Fact]) -> None:
    run = Run(rules)
    for fact in facts:
        for output in run.feed(fact):
            assert CODEC.decode(CODEC.encode(output.record)) == output.record
