"""No decision costs more than n log n of its case: steps of our code and comparisons are counted, not seconds."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest
from msgspec.structs import replace

from ops.bench.growth import EVERY, settled
from ops.bench.shapes import Shape
from ops.bench.shop import merchant
from schemas.facts import ReturnEvent
from streams.domain.learn import Fact

SMALL, LARGE = 32, 64
MOST = 2.6  # twice the case; a square would be four times, and is on its way there from three on

RULES = merchant()


@pytest.mark.parametrize("shape", EVERY.values(), ids=EVERY)
def test_twice_the_case_costs_little_more_than_twice_as_much(shape: Shape) -> None:
    """The decision on all of it, and one more when all that was decided has its result."""
    small, large = (_steps(partial(settled, shape, n, RULES)) for n in (SMALL, LARGE))
    assert large <= MOST * small, f"{small} steps for {SMALL}, {large} for {LARGE}"


@pytest.mark.parametrize("name", ["lines", "units", "pieces", "returns", "transactions", "same_bundle", "exchanges"])
def test_no_list_of_units_is_searched_for_each_of_them(name: str) -> None:
    """That is one step of our code, however long the list is. Of shapes that raise nothing: what is raised is packed,
    and only ids proper can be."""
    small, large = (_compared(EVERY[name], n) for n in (SMALL, LARGE))
    assert large <= MOST * small, f"{small} comparisons for {SMALL}, {large} for {LARGE}"


class Id(str):
    """An id that counts how often it was compared; a row that is read has one for each place where it stands."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Id.compared += 1
        return str.__eq__(self, other)


def _compared(shape: Shape, n: int) -> int:
    before = Id.compared
    settled(lambda n: map(_told, shape(n)), n, RULES)
    return Id.compared - before


def _told(fact: Fact) -> Fact:
    if not isinstance(fact, ReturnEvent):
        return fact
    return replace(fact, units=tuple(replace(unit, unit_id=Id(unit.unit_id)) for unit in fact.units))


def _steps(work: Callable[[], object]) -> int:
    """Lines of the decisions that ran, each turn of a loop counting."""
    counted = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal counted
        if "streams/domain" not in frame.f_code.co_filename:
            return None
        counted += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted
