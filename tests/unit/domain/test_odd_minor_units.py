"""The odd minor unit: where halves go, and what becomes of amounts of nothing and one."""

import pytest

from schemas.commands import Refund
from streams.domain.amounts import beyond, bonus, shipping_tax
from streams.domain.decided import Share
from streams.domain.learn import learn
from streams.domain.learnt import Order
from tests.unit.domain.factories import Run, asked, inspected, line, order, refunded, unit


def sold(**more: int) -> Order:
    known = learn(None, order(taxes_included=False, **more)).order
    assert known is not None
    return known


@pytest.mark.req("MON-2")
@pytest.mark.parametrize(
    ("goods", "percent", "given"), [(49, 1, 0), (50, 1, 1), (149, 1, 1), (1000, 10, 100), (-500, 10, 0)]
)
def test_half_a_minor_unit_of_bonus_is_a_whole_one_and_less_is_none(goods: int, percent: int, given: int) -> None:
    assert bonus(goods, percent) == given


@pytest.mark.req("MON-2", "MON-12")
@pytest.mark.parametrize(
    ("shipping", "tax", "part", "within"), [(1, 1, 2, 1), (0, 1, 0, 0), (490, 10, 250, 5), (490, 10, 501, 0)]
)
def test_tax_of_shipping_goes_with_its_part(shipping: int, tax: int, part: int, within: int) -> None:
    assert shipping_tax(sold(shipping_minor=shipping, shipping_tax_minor=tax), part) == within


def test_units_of_a_line_that_was_never_bought_are_beyond_it() -> None:
    stray = Share(line_id="L9", quantity=1, amount_minor=5)
    fits = Share(line_id="L1", quantity=1, amount_minor=5)
    assert beyond([stray, fits], {}, {"L1": 1}) == (stray,)
    assert beyond([fits], {"L1": 1}, {"L1": 1}) == (fits,)


@pytest.mark.req("MON-10", "MON-11")
def test_the_last_minor_unit_paid_back_by_others_pays_for_every_unit() -> None:
    run = Run()
    run.feed(order(line(price=1)), *asked(unit()), refunded("R9", 1, hours=4), inspected(unit()))
    run.restock()
    assert (run.commands(Refund), run.stages()) == ([], {"u1": "closed"})
