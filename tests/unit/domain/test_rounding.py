"""The odd minor unit of a line is the platform's: what was really paid counts, and the line adds up all the same."""

import pytest

from schemas.commands import Exchange, Leeway, Refund
from schemas.facts import RefundedLine
from schemas.money import Money
from streams.domain.learn import learn
from streams.domain.rounding import leeway
from tests.unit.domain.factories import (
    RMA,
    Run,
    applied,
    asked,
    covers,
    event,
    inspected,
    line,
    order,
    paid,
    payment,
    refunded,
    result,
    rules,
    transaction,
    unit,
)

THREE = line(quantity=3, price=400, discount_minor=200)  # 10.00 for three
SIX = line(quantity=6, price=4285, discount_minor=250, tax_minor=4837, tax_lines=1)


def back(run: Run, name: str, rma: str, price: int | None = None) -> None:
    one = unit(name, paid=price)
    run.feed(*asked(one, rma=rma), inspected(one, rma=rma))


def settle(run: Run, *amounts: int) -> None:
    """The shop pays what it rounds to, one refund after the other."""
    for minor in amounts:
        (due,) = [r for r in run.commands(Refund) if run.case and r.command_id not in run.case.learnt.results]
        run.feed(result(due.command_id, "refund", amount=Money(minor=minor, currency="EUR")))


@pytest.mark.req("MON-2", "MON-6")
def test_what_the_platform_rounds_to_is_booked_and_the_last_unit_takes_what_is_left() -> None:
    run = Run()
    run.feed(order(SIX, taxes_included=False))
    for i in range(6):
        back(run, f"u{i}", f"10{i}")
    assert paid(run) == [5050]  # the others wait for what it comes to
    settle(run, 5049, 5049, 5050, 5049, 5050)
    assert paid(run)[-1] == 25460 + 4837 - 5049 - 5049 - 5050 - 5049 - 5050
    settle(run, paid(run)[-1])
    assert (set(run.stages().values()), run.open) == ({"refunded"}, [])


@pytest.mark.req("MON-2")
def test_a_refund_waits_while_the_amount_of_an_earlier_one_may_still_be_rounded() -> None:
    run = Run()
    run.feed(order(THREE))
    back(run, "u1", "101")
    back(run, "u2", "102")
    assert (paid(run), run.waits()["u2"]) == ([334], "earlier_settled")
    run.feed(result(run.commands(Refund)[0].command_id, "refund", "rejected", code="amount_mismatch"))
    assert paid(run) == [334, 334]


def test_goods_that_divide_evenly_wait_for_nothing() -> None:
    run = Run()
    run.feed(order(line(quantity=2)))
    back(run, "u1", "101")
    back(run, "u2", "102")
    assert paid(run) == [1000, 1000]


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(("answer", "raised"), [(333, []), (335, []), (332, ["amount_mismatch"])])
def test_more_than_rounding_explains_is_raised(answer: int, raised: list[str]) -> None:
    run = Run()
    run.feed(order(THREE))
    back(run, "u1", "101")
    settle(run, answer)
    assert run.open == raised


@pytest.mark.req("MON-2", "MON-11")
def test_a_cent_more_is_booked_on_a_payment_that_had_it() -> None:
    run = Run()
    run.feed(order(THREE, payments=(payment("P1", "card", 334), *(payment(p, "voucher", 333) for p in ("P2", "P3")))))
    back(run, "u1", "101")
    settle(run, 335)
    for number, payment_id, paid_now in (("2", "P3", 333), ("3", "P2", 332)):
        back(run, f"u{number}", f"10{number}")
        assert [(t.payment_id, t.amount_minor) for t in run.commands(Refund)[-1].tenders] == [(payment_id, paid_now)]
        settle(run, paid_now)
    assert run.open == []


@pytest.mark.req("MON-2")
def test_the_command_says_how_far_rounding_may_take_it() -> None:
    run = Run()
    run.feed(order(SIX, line("L2", "CAP", quantity=1), taxes_included=False))
    run.feed(*asked(unit("u1"), unit("u2", "L2", "CAP")), inspected(unit("u1")), inspected(unit("u2", "L2", "CAP")))
    (refund,) = run.commands(Refund)
    odd = 25460 % 6 + 4837 % 6
    assert refund.leeways == (Leeway(line_id="L1", minor=odd), Leeway(line_id="L2", minor=0, last=True))


@pytest.mark.parametrize(("units", "before", "far"), [(1, 0, 1), (2, 0, 2), (1, 1, 2), (2, 1, 3), (1, 2, 3), (1, 3, 0)])
def test_leeway_grows_with_the_units_that_were_rounded_before(units: int, before: int, far: int) -> None:
    known = learn(None, order(THREE)).order
    assert known is not None
    assert leeway(known.lines[0], units, before) == far


@pytest.mark.req("MON-3", "MON-12")
@pytest.mark.parametrize(("price", "rest"), [(667, -333_333), (667, 0), (666, 0)])
def test_prices_that_others_have_divided_agree_with_the_line(price: int, rest: int) -> None:
    run = Run()
    run.feed(order(line(quantity=3, price=700, order_discount_minor=100)))
    units = [unit(f"u{i}", paid=price, paid_rest=rest) for i in range(3)]
    run.feed(*asked(*units), *(inspected(each) for each in units))
    assert (paid(run), run.open) == ([2000], [])


@pytest.mark.req("MON-3")
@pytest.mark.parametrize("price", [665, 669])
def test_prices_further_off_than_division_explains_are_held(price: int) -> None:
    run = Run()
    run.feed(order(line(quantity=3, price=700, order_discount_minor=100)))
    units = [unit(f"u{i}", paid=price) for i in range(3)]
    run.feed(*asked(*units), *(inspected(each) for each in units))
    assert (paid(run), run.open) == ([], ["amount_mismatch"])


@pytest.mark.req("MON-3")
def test_a_request_for_the_rounded_amount_is_answered_as_done() -> None:
    run = Run()
    run.feed(order(THREE))
    back(run, "u1", RMA, 333)
    run.feed(transaction(333, units=("u1",)))
    settle(run, 333)
    assert run.open == []


@pytest.mark.req("MON-10", "MON-11")
def test_a_refund_that_returngo_tells_of_first_counts_for_its_units() -> None:
    run = Run()
    run.feed(order(THREE))
    run.feed(*asked(unit("u1"), rma="101"), transaction(334, "success", ("u1",), "R9", rma="101"))
    back(run, "u2", "102")
    settle(run, 333)
    back(run, "u3", "103")
    settle(run, 333)
    run.feed(refunded("R9", 334, covers()))
    assert (sum(paid(run)) + 334, run.open) == (1000, ["refund_before_goods"])


@pytest.mark.req("MON-2", "MON-10")
@pytest.mark.parametrize(("staff", "ours"), [(333, 667), (334, 666), (100, 666)])
def test_what_staff_rounded_counts_and_a_part_amount_is_their_own_word(staff: int, ours: int) -> None:
    run = Run()
    run.feed(order(THREE), refunded("R9", staff, covers(), hours=0.5))
    units = [unit("u2"), unit("u3")]
    run.feed(*asked(*units), *(inspected(each) for each in units))
    assert paid(run) == [ours]


@pytest.mark.req("MON-2")
def test_a_refund_by_others_for_several_lines_counts_by_what_its_system_says_of_each() -> None:
    sold = THREE, line("L2", "CAP", 3, price=400, discount_minor=200)
    told = [RefundedLine(line_id=i, quantity=1, amount_minor=m) for i, m in (("L1", 333), ("L2", 334))]
    run = Run()
    run.feed(order(*sold), refunded("R9", 667, *told, hours=0.5))
    one = [unit("u2"), unit("u3")]
    run.feed(*asked(*one), *(inspected(each) for each in one))
    assert paid(run) == [667]


@pytest.mark.req("MON-11")
def test_a_cent_that_others_spread_in_their_own_way_refuses_nothing() -> None:
    run = Run()
    run.feed(order(THREE), refunded("R8", 2, hours=0.4), refunded("R9", 333, covers(), hours=0.5))
    units = [unit("u2"), unit("u3")]
    run.feed(*asked(*units), *(inspected(each) for each in units))
    assert paid(run) == [665]


@pytest.mark.req("EXG-6")
def test_an_exchange_that_costs_what_returngo_divided_is_even() -> None:
    run = Run()
    run.feed(order(THREE))
    one = unit(paid=333, resolution="exchange", exchange_price=Money(minor=333, currency="EUR"))
    run.feed(*asked(one), inspected(one), event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    (release,) = run.commands(Exchange)
    assert (release.difference_minor, release.leeway_minor) == (0, 1)
    run.feed(applied(release))
    assert paid(run) == []


def test_the_account_of_an_effect_before_its_result_is_closed_too() -> None:
    run = Run(rules())
    run.feed(order(THREE))
    back(run, "u1", "101")
    (due,) = run.commands(Refund)
    run.feed(refunded("R1", 333, covers(), hours=8, command_id=due.command_id, rma_id="101"))
    assert run.open == []
    back(run, "u2", "102")
    assert paid(run) == [334, 334]
