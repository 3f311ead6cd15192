"""What the journal says of returned units in fields of their own, so that people can count them."""

import pytest
from msgspec.structs import replace

from schemas.facts import ReturnedUnit, ReturnEvent
from schemas.journal import CaseStep
from tests.unit.domain.factories import Run, asked, counted, event, order, unit

TORN = unit("u1", reason="Torn", disposition="damaged", location="dock")
SMALL = unit("u2", reason="Too small", disposition="sellable", location="dock")
ALSO_SMALL = replace(SMALL, unit_id="u3")
OTHER = unit("u4", "L2", "CAP", reason="Too small", disposition="sellable", location="dock")


def steps(*facts: ReturnEvent, run: Run | None = None) -> list[CaseStep]:
    run = run or Run()
    run.feed(*facts)
    return [s for s in run.records(CaseStep) if s.step == "learned" and s.what != "order"]


def fields(step: CaseStep) -> tuple[object, ...]:
    return (step.unit_ids, step.sku, step.reason, step.disposition, step.location, step.quantity)


@pytest.mark.req("EXC-7")
def test_units_that_people_count_apart_have_steps_of_their_own() -> None:
    told = steps(event("inspected", TORN, SMALL, ALSO_SMALL, OTHER, hours=5))
    assert [fields(s) for s in told] == [
        (("u1",), "TEE", "Torn", "damaged", "dock", 1),
        (("u2", "u3"), "TEE", "Too small", "sellable", "dock", 2),
        (("u4",), "CAP", "Too small", "sellable", "dock", 1),
    ]
    assert len({s.step_id for s in told}) == 3
    assert [s.detail for s in told][:2] == [
        "1 × TEE: damaged at dock",
        "1 × TEE: sellable at dock; 1 × TEE: sellable at dock",
    ]


@pytest.mark.req("EXC-7")
def test_a_request_tells_why_each_unit_comes_back() -> None:
    told = steps(asked(TORN, SMALL)[0])
    assert [(s.unit_ids, s.reason) for s in told] == [(("u1",), "Torn"), (("u2",), "Too small")]


def test_other_milestones_and_equal_units_stay_one_step() -> None:
    assert len(steps(event("received", TORN, SMALL, OTHER, hours=3))) == 1
    assert len(steps(event("inspected", SMALL, ALSO_SMALL, hours=5))) == 1


@pytest.mark.req("EXC-7")
def test_counted_pieces_have_no_unit_but_a_quantity() -> None:
    (told,) = steps(counted(3, "damaged"))
    assert fields(told) == ((), "TEE", None, "damaged", "W1", 3)


def test_the_same_fact_has_the_same_steps_whatever_was_known_before() -> None:
    fact, late = event("inspected", TORN, SMALL, hours=5), Run()
    late.feed(order(), *asked(TORN, SMALL))
    first, known = steps(fact), len(steps(run=late))
    assert steps(fact, run=late)[known:] == first
    assert len(steps(fact, run=late)) == known + len(first)


def test_pieces_and_units_never_share_a_step() -> None:
    piece: ReturnedUnit = replace(SMALL, unit_id="")
    told = steps(event("inspected", SMALL, piece, hours=5, system="warehouse"))
    assert [(s.unit_ids, s.quantity) for s in told] == [(("u2",), 1), ((), 1)]
