"""Facts come in any order, twice, late: the same facts give the same state and commands, nothing is done twice."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Refund
from schemas.facts import OrderSnapshot, ReturnedUnit, ReturnEvent
from schemas.merchant import Merchant
from schemas.stock import RestockIntent
from streams.domain.decided import Crediting, Exchanging, Marking, Paying, Restocking
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
    at,
    counted,
    covers,
    deadline,
    event,
    inspected,
    line,
    order,
    payment,
    put_back,
    refunded,
    result,
    rules,
    unit,
    verdict,
)
from tests.unit.domain.judged import surveyed

MODELS = [
    rules(),
    rules(refunding={"after": "restocked", "tolerance_minor": 5}),
    rules(refunding={"damaged_is_refunded": False}, restocking={"damaged_to_stock": False}),
    rules(refunding={"shipping": "full_return"}, inspecting={"source": "warehouse"}),
    rules(inspecting={"source": "either"}),
    *(rules(system=system) for system in ("lightspeed-x", "sitoo", "linnworks", "patchworks")),
]
DISPOSITIONS = st.sampled_from(["sellable", "sellable", "damaged", "missing", "not_returned"])
RESOLUTIONS = st.sampled_from(["refund", "refund", "refund", "store_credit", "gift_card", "exchange", "keep", "none"])
Scenario = tuple[int, list[Fact]]  # which of the models, what happens


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """One order, one return per line, and everything that happens to it; nothing supersedes anything."""
    model = draw(st.integers(0, len(MODELS) - 1))
    merchant = MODELS[model]
    # with several returns, shipping goes to the one that is paid last: which one that is, the order of arrival decides
    most = 1 if merchant.model.refunding.shipping == "full_return" else 3
    bought = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(1, most)))]
    lines = [
        line(f"L{i}", f"SKU{i}", n, price=draw(st.integers(1, 5000)), order_discount_minor=draw(st.integers(0, n)))
        for i, n in enumerate(bought)
    ]
    facts: list[Fact] = [order(*lines, shipping_minor=draw(st.sampled_from([0, 499])))]
    for i, n in enumerate(bought):
        facts += draw(returns(i, n, merchant))
    return model, facts


@st.composite
def returns(draw: st.DrawFn, i: int, bought: int, merchant: Merchant) -> list[Fact]:
    rma, resolution = f"10{i}", draw(RESOLUTIONS)
    units = [
        unit(f"u{i}{k}", f"L{i}", f"SKU{i}", resolution=resolution, ships=resolution != "keep")
        for k in range(draw(st.integers(1, bought)))
    ]
    facts: list[Fact] = [*asked(*units, rma=rma)]
    facts += draw(st.sampled_from([[], [event("in_transit", *units, rma=rma, hours=2)]]))
    facts += draw(st.sampled_from([[], [event("exchange", *units, rma=rma, hours=3, exchange_draft_order_id="D1")]]))
    for k, each in enumerate(units):
        grade = draw(st.one_of(st.none(), DISPOSITIONS))
        if grade is None or not each.ships:
            continue
        if merchant.model.inspecting.source == "warehouse":
            facts.append(counted(1, grade, hours=5 + k, rma=rma, line_id=f"L{i}", sku=f"SKU{i}", n=k))
        else:
            facts.append(inspected(each, grade, draw(st.sampled_from(["dock", "dock", "?"])), hours=5 + k, rma=rma))
    return facts


def answered(scenario: Scenario) -> list[Fact]:
    """The facts with every answer that they lead to."""
    model, facts = scenario
    run = Run(MODELS[model])
    run.feed(*facts)
    for _ in range(3):  # a refund may follow a restock
        for intent in run.intents:
            answers: list[Fact] = [verdict(intent), result(intent.intent_id, "restock")]
            facts = facts + [a for a in answers if a not in facts]
        for command in run.payments:
            done = applied(command)
            facts = facts + ([] if done in facts else [done])
        run.feed(*facts)
    return facts


def essence(run: Run) -> Any:
    """A case without what people's clocks and the order of arrival put in: times, repeats, marks for people."""
    case = run.case
    assert case is not None
    effects = {i: replace(d, decided_at_ms=0) for i, d in case.decided.items() if not isinstance(d, Marking)}
    open_effects = {i for i in case.open if not isinstance(case.decided[i], Marking)}
    notices = {(i, n.type, n.digest) for i, n in case.notices.items() if n.open}
    waiting = {key: w.guard for key, w in case.waiting.items()}
    return case.learnt, effects, open_effects, notices, waiting, case.tag, case.attention, run.stages()


@pytest.mark.req("ELG-2", "INV-13", "MON-11")
@given(data=st.data(), scenario=scenarios())
@settings(max_examples=50, deadline=None)
def test_any_order_and_any_repetition_of_the_same_facts_gives_the_same_case(
    data: st.DataObject, scenario: Scenario
) -> None:
    facts = answered(scenario)
    straight, shuffled = Run(MODELS[scenario[0]]), Run(MODELS[scenario[0]])
    straight.feed(*facts)
    again = data.draw(st.lists(st.sampled_from(facts), max_size=6))
    shuffled.feed(*data.draw(st.permutations(facts + again)))
    assert essence(shuffled) == essence(straight)
    assert {c.command_id for c in shuffled.payments} <= set(straight.case.decided if straight.case else ())


@pytest.mark.req("INV-13", "MON-11")
@given(data=st.data(), scenario=scenarios())
@settings(max_examples=30, deadline=None)
def test_a_fact_about_several_units_is_the_same_as_a_fact_about_each(data: st.DataObject, scenario: Scenario) -> None:
    model, facts = scenario
    whole, split = Run(MODELS[model]), Run(MODELS[model])
    whole.feed(*facts)
    # a request is the list of all units of the return, and so is never told in parts
    parts: list[Fact] = [
        part
        for fact in facts
        for part in (
            [replace(fact, units=(each,), fact_id=f"{fact.fact_id}/{n}") for n, each in enumerate(fact.units)]
            if isinstance(fact, ReturnEvent) and fact.kind != "requested" and len(fact.units) > 1
            else [fact]
        )
    ]
    split.feed(*data.draw(st.permutations(parts)))
    # what was learnt names the facts, which are others now; everything that follows from it is the same
    assert essence(split)[1:] == essence(whole)[1:]


@pytest.mark.req("ELG-2", "MON-1", "MON-11")
@given(data=st.data(), n=st.integers(1, 4), keep=st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_approval_in_parts_pays_once_for_all_units_of_the_request(data: st.DataObject, n: int, keep: bool) -> None:
    units = [unit(f"u{k}", resolution="keep" if keep else "refund", ships=not keep) for k in range(n)]
    parts: list[Fact] = [event("approved", each, hours=1 + k) for k, each in enumerate(units)]
    parts += [] if keep else [inspected(each) for each in units]
    run = Run()
    run.feed(*data.draw(st.permutations([order(line(quantity=n)), event("requested", *units, hours=1), *parts])))
    assert [r.amount_minor for r in run.commands(Refund)] == [1000 * n]


@pytest.mark.req("INV-13")
@given(scenario=scenarios())
@settings(max_examples=25, deadline=None)
def test_processing_the_facts_again_emits_what_is_open_and_nothing_else(scenario: Scenario) -> None:
    model, facts = scenario
    run = Run(MODELS[model])
    run.feed(*facts)
    before = run.case
    assert before is not None
    for fact in facts:
        made = run.feed(fact)
        assert run.case is before
        assert {getattr(o.record, "command_id", None) or getattr(o.record, "intent_id", None) for o in made} == set(
            before.open
        )


@st.composite
def lives(draw: st.DrawFn) -> Scenario:
    """Anything that can happen to an order of two lines, contradictions included."""
    names = [("u1", "L1", "TEE"), ("u2", "L1", "TEE"), ("u3", "L2", "CAP"), ("u4", "L9", "CAP")]
    units = [unit(*name, resolution=draw(RESOLUTIONS), paid=draw(st.sampled_from([None, 1000]))) for name in names]
    split = (payment("P1", "card", draw(st.integers(0, 4000))), payment("P2", "gift_card", draw(st.integers(0, 1000))))
    base: list[Fact] = [order(line(quantity=2), line("L2", "CAP", price=999), payments=split)]
    for rma, mine in (("101", units[:2]), ("102", units[2:]), ("103", [units[0]])):
        if draw(st.booleans()):
            base += asked(*mine, rma=rma)
    edits = st.builds(
        lambda q: order(line(quantity=q), line("L2", "CAP", price=999), hours=50, payments=split), st.integers(1, 2)
    )
    return draw(st.integers(0, len(MODELS) - 1)), base + draw(
        st.lists(st.one_of(surprises(units), staff(), edits), max_size=25)
    )


def surprises(units: list[ReturnedUnit]) -> st.SearchStrategy[Fact]:
    rmas, hours = st.sampled_from(["101", "102", "103"]), st.integers(0, 60)
    one = st.sampled_from(units)
    kinds = st.sampled_from(["cancelled", "reopened", "rejected", "expired", "resolved", "received", "in_transit"])
    return st.one_of(
        st.builds(lambda u, d, h, r: inspected(u, d, "dock", hours=h, rma=r), one, DISPOSITIONS, hours, rmas),
        st.builds(lambda n, d, h, r: counted(n, d, hours=h, rma=r), st.integers(1, 3), DISPOSITIONS, hours, rmas),
        st.builds(lambda k, u, h, r: event(k, u, hours=h, rma=r), kinds, one, hours, rmas),
        st.builds(deadline, st.integers(0, 500)),
    )


def staff() -> st.SearchStrategy[Fact]:
    lines = st.sampled_from([(), (covers(),), (covers(restocked=True),), (covers("L2"),), (covers("L1", 2),)])
    name, amount, hours = st.integers(1, 2), st.integers(0, 2000), st.integers(-9, 60)
    return st.one_of(
        st.builds(lambda i, a, ls, h: refunded(f"R{i}", a, *ls, hours=h), name, amount, lines, hours),
        st.builds(lambda i, h: put_back(f"D{i}", covers(), hours=h), name, hours),
    )


# One piece inspected under two returns, taken out of the first: found by an earlier run.
TWICE_UNDER_TWO_RETURNS: list[Fact] = [
    order(line(quantity=2), line("L2", "CAP", price=999), payments=(payment("P1", "card", 0),)),
    *asked(unit("u1", "L1", "TEE"), unit("u2", "L1", "TEE"), rma="101"),
    inspected(unit("u3", "L2", "CAP"), "sellable", "dock", hours=0, rma="102"),
    inspected(unit("u3", "L2", "CAP"), "sellable", "dock", hours=0, rma="101"),
]


def check(run: Run, order_now: OrderSnapshot) -> None:
    """What must be true after every step of every run."""
    case = run.case
    assert case is not None
    assert surveyed(case, run.rules).wanted == ()
    live = [d for d in case.decided.values() if isinstance(d, Paying | Crediting | Exchanging)]
    assert sum(d.amount_minor for d in live) <= sum(p.amount_minor for p in order_now.payments)
    paid = [(d.rma_id, u) for d in live for u in d.unit_ids]
    assert len(paid) == len(set(paid))
    for payment_id in {p.payment_id for p in order_now.payments}:
        back = sum(
            t.amount_minor for d in live if isinstance(d, Paying) for t in d.tenders if t.payment_id == payment_id
        )
        assert back <= next(p.amount_minor for p in order_now.payments if p.payment_id == payment_id)
    for sold in order_now.lines:
        put = sum(d.quantity for d in case.decided.values() if isinstance(d, Restocking) and d.line_id == sold.line_id)
        known = sum(1 for r in case.learnt.rmas.values() for u in r.units.values() if u.said.line_id == sold.line_id)
        assert put <= known
        assert put <= sold.quantity
    looked_at = {(r.rma_id, u.unit_id) for r in case.learnt.rmas.values() for u in r.units.values() if u.inspections}
    if run.rules.model.inspecting.source == "returngo":
        for d in case.decided.values():
            if isinstance(d, Restocking):
                assert (d.rma_id, d.unit_ids[0]) in looked_at


@pytest.mark.req("INV-1", "INV-13", "MON-1", "MON-10", "MON-11")
@example(life=(4, TWICE_UNDER_TWO_RETURNS))
@given(life=lives())
@settings(max_examples=60, deadline=None)
def test_whatever_happens_money_and_stock_stay_within_their_bounds(life: Scenario) -> None:
    model, facts = life
    run = Run(MODELS[model])
    first = facts[0]
    assert isinstance(first, OrderSnapshot)
    for fact in facts:
        run.feed(fact)
        check(run, first)
    payments: dict[str, object] = {}
    for command in run.payments:
        assert payments.setdefault(command.command_id, command) == command
    intents: dict[str, RestockIntent] = {}
    for intent in run.records(RestockIntent):
        assert intents.setdefault(intent.intent_id, intent) == intent


def test_a_fact_from_the_far_future_trips_no_limit() -> None:
    run = Run()
    run.feed(
        order(), *asked(unit()), event("received", unit(), hours=3), replace(order(), version_ms=at(10**6), fact_id="x")
    )
    assert run.open == []
