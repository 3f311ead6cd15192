"""No decision costs more than n log n of its case: steps of our code are counted, not seconds."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from ops.bench.growth import settled
from ops.bench.shapes import SHAPES, Shape
from ops.bench.shop import merchant

SMALL, LARGE = 32, 64
MOST = 2.6  # twice the case; a square would be four times, and is on its way there from three on

RULES = merchant()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_twice_the_case_costs_little_more_than_twice_as_much(shape: Shape) -> None:
    """The decision on all of it, and one more when all that was decided has its result."""
    small, large = (_steps(partial(settled, shape, n, RULES)) for n in (SMALL, LARGE))
    assert large <= MOST * small, f"{small} steps for {SMALL}, {large} for {LARGE}"


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
