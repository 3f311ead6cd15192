"""An exchange order that ReturnGO released by itself before anything was decided: nobody pays its difference back."""

import pytest

from schemas.merchant import Merchant
from schemas.money import Money
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    asked,
    at,
    covers,
    deadline,
    event,
    inspected,
    line,
    order,
    refunded,
    rules,
    transaction,
    unit,
)


def released_by_returngo(price: int | None = 700, *, fees: int = 0, merchant: Merchant | None = None) -> Run:
    """ReturnGO made an order of its draft by itself, before the goods came back at 5 h and anything was decided."""
    run = Run(merchant)
    wanted = None if price is None else Money(minor=price, currency="EUR")
    one = unit(resolution="exchange", exchange_price=wanted, fees=Money(minor=fees, currency="EUR"))
    run.feed(order(line(), line("L2", "CAP")), *asked(one))
    run.feed(event("exchange", one, hours=3, exchange_draft_order_id="D1", exchange_order_id="E1"), inspected(one))
    run.restock()
    return run


@pytest.mark.req("EXG-6", "EXC-1", "EXC-3")
def test_a_difference_that_nobody_pays_back_for_what_returngo_released_is_raised() -> None:
    run = released_by_returngo()
    run.feed(deadline(8.9))
    assert (run.stages(), run.payments, run.open) == ({"u1": "closed"}, [], [])
    assert run.case is not None
    assert run.case.due_ms == at(9)
    run.feed(deadline(9))
    assert (run.payments, run.open) == ([], ["stuck_refund"])
    told = run.raised("stuck_refund")
    assert (told.owner, told.unit_ids, told.expected, told.actual) == ("finance", ("u1",), "3.00 EUR", "0.00 EUR")
    assert told.detail == "exchange order E1 was released by ReturnGO, the difference is not paid back"


@pytest.mark.req("EXG-6", "EXC-1")
def test_a_difference_is_late_from_the_release_on_where_the_goods_came_before_it() -> None:
    run = Run()
    one = unit(resolution="exchange", exchange_price=Money(minor=700, currency="EUR"))
    run.feed(order(line(), line("L2", "CAP")), *asked(one), inspected(one))
    run.feed(event("exchange", one, hours=8, exchange_order_id="E1"))
    run.restock()
    run.feed(deadline(11.9))
    assert run.open == []
    run.feed(deadline(12))
    assert (run.payments, run.open) == ([], ["stuck_refund"])


@pytest.mark.req("EXG-6", "EXC-4", "MON-11")
@pytest.mark.parametrize(
    "paid",
    [
        transaction(300, "success", ("u1",), "302", hours=20),
        transaction(300, "success", (), "302", hours=20, kind="store_credit"),
        refunded("302", 300, hours=20),
        refunded("302", 300, hours=20, actor="returngo"),
        refunded("302", 300, covers(), hours=20),
    ],
    ids=["ReturnGO", "ReturnGO, as credit", "an amount", "an amount by ReturnGO", "its line"],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_difference_that_was_paid_back_is_raised_no_more(paid: Fact, *, first: bool) -> None:
    run = released_by_returngo()
    run.feed(paid, deadline(900)) if first else run.feed(deadline(900), paid)
    assert "stuck_refund" not in run.open
    assert run.stages() == {"u1": "closed"}


@pytest.mark.req("EXG-6", "MON-3", "MON-13")
def test_another_amount_than_the_difference_does_not_pay_it_back() -> None:
    run = released_by_returngo()
    run.feed(transaction(250, "success", ("u1",), "302", hours=7), refunded("302", 250, hours=7), deadline(900))
    assert run.open == ["stuck_refund"]
    assert (run.raised("stuck_refund").expected, run.raised("stuck_refund").actual) == ("3.00 EUR", "2.50 EUR")
    run.feed(refunded("303", 50, hours=8))
    assert "stuck_refund" not in run.open
    for odd in (
        transaction(300, "success", ("u1",), "302", currency="USD"), transaction(300, "requested", ("u1",), "302"),
        transaction(300, "success", ("u1", "u2"), "302"), refunded("302", 900), refunded("302", 0, covers()),
        refunded("302", 300, hours=0.5), refunded("302", 300, rma_id="999"),
    ):  # fmt: skip
        run = released_by_returngo()
        run.feed(odd, deadline(900))
        assert "stuck_refund" in run.open, odd


@pytest.mark.req("EXG-6")
@pytest.mark.parametrize(("price", "fees"), [(None, 0), (1000, 0), (1300, 0), (700, 300), (700, 299), (999, 0)])
def test_nothing_is_raised_where_no_difference_is_due(price: int | None, fees: int) -> None:
    run = released_by_returngo(price, fees=fees, merchant=rules(refunding={"tolerance_minor": 1}))
    run.feed(deadline(900))
    assert (run.open, run.stages()) == ([], {"u1": "closed"})


@pytest.mark.req("EXG-6", "MON-1")
def test_no_difference_is_due_for_goods_that_did_not_come_back() -> None:
    one = unit(resolution="exchange", exchange_price=Money(minor=700, currency="EUR"))
    released: list[Fact] = [order(), *asked(one), event("exchange", one, hours=3, exchange_order_id="E1")]
    ends: list[list[Fact]] = [[], [inspected(one, "missing")], [inspected(one), event("cancelled", hours=6)]]
    for more in ends:
        run = Run()
        run.feed(*released, *more, deadline(900))
        assert "stuck_refund" not in run.open
    damaged = Run(rules(refunding={"damaged_is_refunded": False}))
    damaged.feed(*released, inspected(one, "damaged"))
    damaged.restock()
    damaged.feed(deadline(900))
    assert (damaged.open, damaged.stages()) == ([], {"u1": "closed"})


@pytest.mark.req("EXG-6", "MON-11")
def test_a_refund_that_names_no_lines_pays_back_one_difference() -> None:
    run = Run()
    wanted = Money(minor=700, currency="EUR")
    one, two = (unit(f"u{n}", f"L{n}", sku, resolution="exchange", exchange_price=wanted)
                for n, sku in ((1, "TEE"), (2, "CAP")))  # fmt: skip
    run.feed(order(line(), line("L2", "CAP"), line("L3", "MUG")))
    for each, rma in ((one, "100"), (two, "101")):
        run.feed(*asked(each, rma=rma), inspected(each, rma=rma))
        run.feed(event("exchange", each, hours=6, rma=rma, exchange_order_id=f"E{rma}"))
    run.feed(refunded("302", 300), deadline(900))
    assert run.open.count("stuck_refund") == 1
    run.feed(refunded("303", 300, hours=8))
    assert "stuck_refund" not in run.open


@pytest.mark.req("EXG-6")
def test_a_dearer_and_a_cheaper_unit_of_one_released_order_make_one_difference() -> None:
    for dearer, due in ((1300, []), (1100, ["stuck_refund"])):
        run = Run()
        one, two = (unit(f"u{n}", f"L{n}", sku, resolution="exchange", exchange_price=Money(minor=p, currency="EUR"))
                    for n, sku, p in ((1, "TEE", 700), (2, "CAP", dearer)))  # fmt: skip
        run.feed(order(line(), line("L2", "CAP"), line("L3", "MUG")), *asked(one, two), inspected(one), inspected(two))
        run.feed(event("exchange", one, two, hours=6, exchange_order_id="E1"), deadline(900))
        assert [kind for kind in run.open if kind != "stuck_restock"] == due
    assert (run.raised("stuck_refund").unit_ids, run.raised("stuck_refund").expected) == (("u1", "u2"), "2.00 EUR")


@pytest.mark.req("EXG-6", "MON-13")
def test_a_released_order_with_prices_in_another_currency_is_for_a_person() -> None:
    run = Run()
    one = unit(resolution="exchange", exchange_price=Money(minor=700, currency="USD"))
    run.feed(order(), *asked(one), event("exchange", one, hours=3, exchange_order_id="E1"), inspected(one))
    run.restock()
    run.feed(deadline(8.9))
    assert run.open == []
    run.feed(deadline(9))
    assert run.open == ["currency_mismatch"]
    assert (run.raised("currency_mismatch").expected, run.raised("currency_mismatch").actual) == ("EUR", "USD")
