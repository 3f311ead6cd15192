"""Every word about a case says in which record it can be read what taught it."""

from typing import Any

import pytest

from schemas.exceptions import Evidence
from schemas.journal import CaseStep
from streams.domain.case import decide_case
from streams.domain.learn import Fact
from streams.domain.output import Output
from streams.domain.state import Case
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
    covers,
    deadline,
    event,
    inspected,
    line,
    order,
    refunded,
    result,
    rules,
    transaction,
    unit,
    verdict,
)

HERE = Evidence(topic="returns", partition=1, offset=7)


def told(*facts: Fact) -> list[Output]:
    """What the last of these facts tells; the ones before are known."""
    case: Case | None = None
    made: list[Output] = []
    for fact in facts:
        case, made = decide_case(case, fact, RULES, HERE if fact is facts[-1] else None)
    return made


RULES = rules(books="linnworks")
ONE = unit()
BASIS: tuple[Fact, ...] = (order(line(quantity=2)), *asked(ONE))
KNOWN = Run(RULES)
KNOWN.feed(*BASIS, inspected(ONE))
REFUND, INTENT = KNOWN.payments[0], KNOWN.intents[0]
PAID: tuple[Fact, ...] = (*BASIS, inspected(ONE), verdict(INTENT), result(INTENT.intent_id, "restock"), applied(REFUND))
LIVES: list[tuple[tuple[Fact, ...], set[str]]] = [
    ((BASIS[0],), {"learned order", "learned payment"}),
    ((BASIS[0], BASIS[1]), {"learned requested", "waiting inspected"}),
    ((*BASIS, transaction(1000)), {"learned transaction"}),
    ((*BASIS, inspected(ONE)), {"learned inspected", "decided restock", "decided refund", "waiting restock_applied"}),
    ((*BASIS, refunded("R9", 1000, covers(), hours=4)), {"learned refund", "raised refund_outside_workflow"}),
    ((*BASIS, inspected(ONE, location="new")), {"raised unmapped_location", "waiting location_mapped"}),
    (
        (*BASIS, inspected(ONE, location="new"), inspected(ONE, hours=6)),
        {"cleared unmapped_location", "learned inspected", "decided restock"},
    ),
    ((*BASIS, inspected(ONE), verdict(INTENT, "waiting")), {"learned restock_waiting"}),
    (PAID[:-1], {"done restock", "waiting money_applied"}),
    (PAID, {"done refund", "decided journal", "waiting booked"}),
    ((*BASIS, event("cancelled", ONE, hours=3)), {"learned cancelled", "closed cancelled"}),
    ((*BASIS, event("in_transit", ONE, hours=2), deadline(1000)), {"raised stuck_in_transit"}),
]


@pytest.mark.req("EXC-1", "MON-14")
@pytest.mark.parametrize(("facts", "words"), LIVES)
def test_every_step_and_exception_names_the_record_that_taught_it(facts: tuple[Fact, ...], words: set[str]) -> None:
    made = [output.record for output in told(*facts)]
    steps: list[Any] = [record for record in made if isinstance(record, CaseStep)]
    assert words <= {f"{step.step} {step.what}" for step in steps}
    carriers = [*steps, *(step.waiting_for for step in steps if step.waiting_for is not None)]
    carriers += [record for record in made if "evidence" in record.__struct_fields__]
    assert {carrier.evidence for carrier in carriers} == {HERE}
