"""Exchanges: the goods' value goes into the new order, and only the difference is charged or paid back."""

import pytest

from schemas.commands import Exchange, Refund
from schemas.money import Money
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
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
)


def exchanged(price: int | None, *, currency: str = "EUR", fees: int = 0) -> Run:
    """One unit of 10.00 comes back for goods of another price, and its draft order is known."""
    run = Run()
    wanted = None if price is None else Money(minor=price, currency=currency)
    one = unit(resolution="exchange", exchange_price=wanted, fees=Money(minor=fees, currency="EUR"))
    run.feed(order(line(), line("L2", "CAP")), *asked(one), inspected(one))
    run.feed(event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    return run


@pytest.mark.req("EXG-6")
@pytest.mark.parametrize(
    ("price", "fees", "difference"), [(None, 0, 0), (1000, 0, 0), (1300, 0, 300), (1000, 200, 200), (700, 0, -300)]
)
def test_the_exchange_says_what_is_to_be_paid_on_top_or_back(price: int | None, fees: int, difference: int) -> None:
    run = exchanged(price, fees=fees)
    (command,) = run.commands(Exchange)
    assert (command.difference_minor, run.commands(Refund), run.open) == (difference, [], [])


@pytest.mark.req("EXG-6", "MON-1")
def test_the_difference_to_cheaper_goods_is_paid_back_once_the_order_is_released() -> None:
    run = exchanged(700)
    run.restock()
    (command,) = run.commands(Exchange)
    assert run.waits() == {"u1": "exchange_released"}
    run.feed(applied(command), applied(command))
    (refund,) = run.commands(Refund)
    assert (refund.amount_minor, refund.exchange_id, refund.lines) == (300, command.command_id, ())
    assert refund.amount_minor + refund.fees_minor == 0  # no line is refunded: the shop suggests nothing
    assert run.stages() == {"u1": "refunding"}
    run.feed(applied(refund))
    assert (run.stages(), run.open, len(run.commands(Refund))) == ({"u1": "closed"}, [], 1)


@pytest.mark.req("EXG-6", "MON-4")
def test_a_difference_goes_back_to_the_tenders_that_the_merchant_names() -> None:
    run = exchanged(700)
    run.rules = rules(refunding={"tenders": ["gift_card", "card"]})
    run.feed(applied(run.commands(Exchange)[0]))
    assert [[(t.tender, t.amount_minor) for t in r.tenders] for r in run.commands(Refund)] == [[("card", 300)]]
    unnamed = exchanged(700)
    unnamed.rules = rules(refunding={"tenders": ["gift_card"]})
    unnamed.feed(applied(unnamed.commands(Exchange)[0]))
    assert (unnamed.commands(Refund), unnamed.open) == ([], ["unmapped_tender"])


@pytest.mark.req("EXG-6")
def test_no_difference_is_paid_for_an_exchange_that_was_refused() -> None:
    run = exchanged(700)
    run.feed(result(run.commands(Exchange)[0].command_id, "exchange", "rejected", code="exchange_not_released"))
    assert (run.commands(Refund), run.open) == ([], ["exchange_not_released"])


@pytest.mark.req("EXG-6", "MON-3")
def test_a_difference_that_returngo_sees_otherwise_is_held_for_a_person() -> None:
    run = exchanged(700)
    run.feed(transaction(250), applied(run.commands(Exchange)[0]))
    assert (run.commands(Refund), run.open) == ([], ["amount_mismatch"])
    assert (run.raised("amount_mismatch").expected, run.raised("amount_mismatch").actual) == ("3.00 EUR", "2.50 EUR")
    assert "difference to the cheaper goods 3.00 EUR" in run.raised("amount_mismatch").detail
    run.feed(deadline(900))
    assert "exchange_not_released" not in run.open  # it was released; what is missing is the refund
    assert "stuck_refund" in run.open


@pytest.mark.req("MON-13")
def test_a_price_in_another_currency_holds_the_exchange() -> None:
    run = exchanged(700, currency="USD")
    assert (run.commands(Exchange), run.open) == ([], ["currency_mismatch"])


def test_goods_for_less_than_nothing_hold_the_exchange() -> None:
    run = exchanged(-1)
    assert (run.commands(Exchange), run.open) == ([], ["amount_mismatch"])


@pytest.mark.req("EXG-6", "MON-3")
def test_a_request_for_the_refund_of_other_units_says_nothing_about_a_difference() -> None:
    run = Run()
    one = unit("u1", resolution="exchange", exchange_price=Money(minor=700, currency="EUR"))
    two = unit("u2", "L2", "CAP")
    run.feed(order(line(), line("L2", "CAP")), *asked(one, two), transaction(1000), inspected(one), inspected(two))
    run.feed(event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    run.feed(applied(run.commands(Exchange)[0]))
    assert (sorted(r.amount_minor for r in run.commands(Refund)), run.open) == ([300, 1000], [])


@pytest.mark.req("EXG-6", "MON-11")
@pytest.mark.parametrize("units", [("u1",), ()])
@pytest.mark.parametrize(("kind", "shown"), [("refund", False), ("refund", True), ("store_credit", False)])
def test_a_difference_that_returngo_paid_back_itself_is_not_paid_again(
    units: tuple[str, ...], kind: str, shown: bool
) -> None:
    run = exchanged(700)
    run.restock()
    run.feed(transaction(300, "success", units, "302", hours=7, kind=kind))
    if shown:
        run.feed(refunded("302", 300, hours=7))
    run.feed(applied(run.commands(Exchange)[0]))
    assert (run.commands(Refund), run.open, run.stages()) == ([], [], {"u1": "closed"})


@pytest.mark.req("EXG-6", "MON-11", "MON-13")
def test_a_difference_that_returngo_paid_back_in_another_currency_is_for_a_person() -> None:
    run = exchanged(700)
    run.feed(transaction(300, "success", ("u1",), "302", hours=7, currency="USD"))
    run.feed(applied(run.commands(Exchange)[0]))
    assert (run.commands(Refund), run.open, run.stages()) == ([], ["currency_mismatch"], {"u1": "refunding"})


@pytest.mark.req("EXG-6", "MON-3", "MON-11")
def test_another_amount_paid_back_by_returngo_holds_the_difference_for_a_person() -> None:
    run = Run()
    wanted = Money(minor=700, currency="EUR")
    one, two = (unit(f"u{n}", f"L{n}", sku, resolution="exchange", exchange_price=wanted)
                for n, sku in ((1, "TEE"), (2, "CAP")))  # fmt: skip
    run.feed(order(line(), line("L2", "CAP"), line("L3", "MUG")), *asked(one, two), inspected(one), inspected(two))
    run.feed(event("exchange", one, two, hours=6, exchange_draft_order_id="D1"))
    run.feed(transaction(300, "success", ("u1",), "302", hours=7), applied(run.commands(Exchange)[0]))
    assert (run.commands(Refund), run.open) == ([], ["amount_mismatch"])
    assert run.raised("amount_mismatch").detail.endswith("may have paid it: 302")
    run.feed(transaction(300, "success", ("u2",), "303", hours=9, number="T2"))
    assert (run.commands(Refund), run.open) == ([], [])


@pytest.mark.req("EXG-6", "MON-11")
def test_goods_without_a_price_are_exchanged_even_beside_cheaper_ones() -> None:
    run = Run()
    wanted = Money(minor=700, currency="EUR")
    units = (
        unit("u1", resolution="exchange", exchange_price=wanted), unit("u2", resolution="exchange"),
        unit("u3", "L2", "CAP", resolution="exchange"),
    )  # fmt: skip
    run.feed(order(line(quantity=3, price=333, order_discount_minor=-1), line("L2", "CAP")), *asked(*units))
    run.feed(*(inspected(u) for u in units), event("exchange", *units, hours=6, exchange_draft_order_id="D1"))
    assert [c.difference_minor for c in run.commands(Exchange)] == [700 - 334]
    cheap = Run()
    pair = unit("u1", resolution="exchange", exchange_price=wanted), unit("u2", "L2", "CAP", resolution="exchange")
    cheap.feed(order(line(), line("L2", "CAP"), line("L3", "MUG")), *asked(*pair), *(inspected(u) for u in pair))
    cheap.feed(event("exchange", *pair, hours=6, exchange_draft_order_id="D1"))
    cheap.restock()
    cheap.feed(applied(cheap.commands(Exchange)[0]))
    assert [r.amount_minor for r in cheap.commands(Refund)] == [300]
    cheap.feed(applied(cheap.commands(Refund)[0]))
    assert (cheap.open, cheap.stages()) == ([], {"u1": "closed", "u2": "closed"})
