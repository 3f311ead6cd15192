"""Whatever changes late, and whenever systems answer: never more in stock than came back, never one thing twice."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.merchant import Merchant
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
    covers,
    deadline,
    event,
    inspected,
    order,
    refunded,
    result,
    unit,
    verdict,
)
from tests.unit.domain.merchants import merchant
from tests.unit.domain.test_models_any_order import MODELS, SOLD, UNITS

Step = tuple[str, Any]
NAMES = [each.unit_id for each in UNITS]
BY_NAME = {each.unit_id: each for each in UNITS}
GRADES = st.tuples(
    st.sampled_from(NAMES), st.sampled_from(["sellable", "sellable", "damaged", "missing"]),
    st.sampled_from(["dock", "dock", "counter"]),
)  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grade"), GRADES),
        st.tuples(st.just("grade"), GRADES),
        st.tuples(st.just("answer"), st.booleans()),
        st.tuples(st.just("roster"), st.lists(st.sampled_from(NAMES), min_size=1, unique=True)),
        st.tuples(st.sampled_from(["cancelled", "reopened", "pay"]), st.none()),
    ),
    max_size=14,
)


class Shelf:
    """What the systems hold after all that they were told and agreed to."""

    def __init__(self, rules: Merchant, system: str) -> None:
        self.run = Run(rules)
        self.run.feed(replace(order(*SOLD, location_id="S1"), system=system), *asked(*UNITS))
        self.run.feed(event("received", *UNITS, hours=3))
        self.hours = 5
        self.told: set[str] = set()
        self.holds: Counter[tuple[str, str, str]] = Counter()

    def do(self, step: Step) -> None:
        self.hours += 1
        match step:
            case ("grade", (name, grade, place)):
                self.run.feed(inspected(BY_NAME[name], grade, place, hours=self.hours))
            case ("roster", names):
                self.run.feed(event("requested", *(BY_NAME[name] for name in names), hours=self.hours))
            case ("answer", agrees):
                self.answer(agrees=agrees)
            case ("pay", _):
                self.run.feed(*(applied(c, hours=self.hours) for c in self.run.payments))
            case (kind, _):
                self.run.feed(event(kind, hours=self.hours))

    def answer(self, *, agrees: bool) -> bool:
        waiting = [i for i in self.run.intents if i.intent_id not in self.told]
        for intent in waiting:
            self.told.add(intent.intent_id)
            if agrees:
                self.holds[intent.sku, intent.location_id, intent.stock_status] += intent.quantity
            outcome: Any = "applied" if agrees else "rejected"
            self.run.feed(verdict(intent, hours=self.hours))
            self.run.feed(result(intent.intent_id, "restock", outcome, hours=self.hours))
        return bool(waiting)

    def check(self) -> None:
        assert min(self.holds.values(), default=0) >= 0
        there: Counter[str] = Counter()
        for (sku, _, _), count in self.holds.items():
            there[sku] += count
        came_back = Counter(each.sku for each in UNITS) + Counter({"SET": 1})
        assert all(count <= came_back[sku] for sku, count in there.items())
        assert not (there["SET"] and (there["SOAP"] or there["DISH"]))


@pytest.mark.req("INV-10", "INV-13", "INV-15", "STA-4")
@given(model=st.sampled_from(MODELS), steps=STEPS)
@settings(max_examples=120, deadline=None)
def test_late_changes_never_leave_more_in_stock_than_came_back(model: tuple[str, Merchant], steps: list[Step]) -> None:
    system, rules = model
    shelf = Shelf(rules, system)
    for step in steps:
        shelf.do(step)
        shelf.check()
    for _ in range(8):  # out, in, out again: every chain of movements ends
        if not shelf.answer(agrees=True):
            break
        shelf.check()
    assert not shelf.answer(agrees=True)


@pytest.mark.req("STA-4", "MON-10")
def test_goods_of_a_cancelled_return_that_staff_paid_stay_in_stock() -> None:
    run = Run(merchant("linnworks", model={"refunding": {"actor": "returnflow", "needs_transaction": True}}))
    run.feed(replace(order(), system="linnworks"), *asked(unit()), inspected(unit()))
    run.restock(6)
    run.feed(refunded("R9", 1000, covers(), hours=7), event("cancelled", unit(), hours=8))
    assert [i.quantity for i in run.intents] == [1]
    assert run.open == ["refund_outside_workflow", "status_conflict"]


@pytest.mark.req("STA-4", "EXC-1")
@pytest.mark.parametrize("change", ["cancelled", "graded anew"])
def test_a_removal_that_nobody_answers_is_raised(change: str) -> None:
    run = Run(merchant("linnworks", model={"refunding": {"actor": "returnflow", "needs_transaction": True}}))
    run.feed(replace(order(), system="linnworks"), *asked(unit()), inspected(unit()))
    run.restock(6)
    run.feed(event("cancelled", unit(), hours=7) if change == "cancelled" else inspected(unit(), "damaged", hours=7))
    assert run.intents[-1].quantity == -1
    run.feed(verdict(run.intents[-1], hours=7), deadline(100))
    assert "stuck_restock" in run.open
    run.feed(result(run.intents[-1].intent_id, "restock", hours=101))
    assert "stuck_restock" not in run.open
