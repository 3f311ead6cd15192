"""A confirmed refund is booked once where the books are kept, with the value that was paid, and can be traced."""

import pytest
from msgspec.structs import replace

from schemas.commands import Annotate, Journal, Refund, StoreCredit
from schemas.journal import CaseStep
from schemas.merchant import Merchant
from schemas.money import Money
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    asked,
    at,
    covers,
    deadline,
    inspected,
    line,
    order,
    payment,
    refunded,
    result,
    rules,
    transaction,
    unit,
)
from tests.unit.domain.judged import judged


def euros(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


def refunding(merchant: Merchant, *units: str, resolution: str = "refund") -> tuple[Run, Refund | StoreCredit]:
    """A return of units of one line that we pay in Shopify."""
    run = Run(merchant)
    each = [unit(u, resolution=resolution) for u in units]
    run.feed(order(line(quantity=3, tax_minor=480)), *asked(*each), *(inspected(u) for u in each))
    run.restock()
    made: list[Refund | StoreCredit] = [*run.commands(Refund), *run.commands(StoreCredit)]
    return run, made[0]


BOOKED = rules(books="linnworks")


@pytest.mark.req("MON-6", "MON-7")
def test_a_refund_is_booked_on_the_order_once_it_is_confirmed_with_what_was_paid() -> None:
    run, refund = refunding(BOOKED, "u1", "u2")
    assert run.commands(Journal) == []
    run.feed(result(refund.command_id, "refund", external_ids={"refund_id": "R1"}, amount=euros(2000)))
    (journal,) = run.commands(Journal)
    assert (journal.system, journal.order_id, journal.refund_id, journal.refunded_by) == (
        "linnworks", "5001", "R1", "shopify",
    )  # fmt: skip
    assert (journal.amount_minor, journal.tax_minor, journal.lines[0].amount_minor) == (2000, 320, 2000)
    assert run.waits() == {"u1": "booked", "u2": "booked"}
    run.feed(result(journal.command_id, "journal", hours=9, external_ids={"credit_note": "5521"}))
    assert (run.stages(), run.open) == ({"u1": "closed", "u2": "closed"}, [])


@pytest.mark.req("MON-6", "MON-3")
def test_the_paying_systems_value_is_booked_and_a_difference_is_raised() -> None:
    run, refund = refunding(BOOKED, "u1")
    run.feed(result(refund.command_id, "refund", amount=euros(995), tax_minor=159))
    (journal,) = run.commands(Journal)
    assert (journal.amount_minor, journal.tax_minor, journal.lines[0].amount_minor) == (995, 159, 995)
    raised = run.raised("amount_mismatch")
    assert (raised.expected, raised.actual, raised.owner) == ("10.00 EUR", "9.95 EUR", "finance")


@pytest.mark.req("MON-6", "MON-7")
def test_store_credit_is_booked_too_and_a_merchant_without_books_books_nothing() -> None:
    run, credit = refunding(BOOKED, "u1", resolution="store_credit")
    run.feed(result(credit.command_id, "store_credit"))
    assert [j.amount_minor for j in run.commands(Journal)] == [1000]
    without, refund = refunding(rules(), "u1")
    without.feed(result(refund.command_id, "refund"))
    assert (without.commands(Journal), without.stages()) == ([], {"u1": "closed"})


@pytest.mark.req("MON-6")
def test_what_was_paid_in_the_books_own_system_is_there_already() -> None:
    run, refund = refunding(rules(books="shopify"), "u1")
    run.feed(result(refund.command_id, "refund"))
    assert (run.commands(Journal), run.stages()) == ([], {"u1": "closed"})


BY_RETURNGO = rules(books="linnworks", refunding={"actor": "returngo"})


@pytest.mark.req("MON-6", "MON-7")
def test_a_refund_by_returngo_is_booked_with_returngos_figure() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")), inspected(unit("u1")), inspected(unit("u2")))
    run.restock()
    run.feed(transaction(1990, "success", external_id="R7"))
    (journal,) = run.commands(Journal)
    assert (journal.amount_minor, journal.refund_id, journal.refunded_by, journal.unit_ids) == (
        1990, "R7", "returngo", ("u1", "u2"),
    )  # fmt: skip
    assert [share.amount_minor for share in journal.lines] == [1990]
    run.feed(refunded("R7", 1980, covers(quantity=2), hours=9))
    assert (len(run.commands(Journal)), run.open) == (1, ["amount_mismatch"])
    raised = run.raised("amount_mismatch")
    assert (raised.expected, raised.actual, raised.unit_ids) == ("19.80 EUR", "19.90 EUR", ("u1", "u2"))


@pytest.mark.req("MON-6", "MON-11")
def test_one_refund_for_two_returns_is_booked_in_parts_that_add_up() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(line(quantity=3, price=333)), *asked(unit("u1"), rma="101"), *asked(unit("u2"), rma="102", hours=2))
    run.feed(refunded("R7", 701, covers(quantity=2), hours=5, actor="staff"))
    assert sorted(j.amount_minor for j in run.commands(Journal)) == [350, 351]
    late = Run(BY_RETURNGO)
    late.feed(order(line(quantity=3, price=333)), *asked(unit("u1"), rma="101"))
    late.feed(refunded("R7", 701, covers(quantity=2), hours=5, actor="staff"), *asked(unit("u2"), rma="102", hours=2))
    assert sorted(j.amount_minor for j in late.commands(Journal)) == [350, 351]


@pytest.mark.req("MON-7", "EXC-1", "EXC-3")
def test_a_booking_that_is_late_or_refused_is_raised() -> None:
    run, refund = refunding(BOOKED, "u1")
    run.feed(result(refund.command_id, "refund"), deadline(8 + 24))
    assert run.open == ["stuck_booking"]
    (journal,) = run.commands(Journal)
    run.feed(result(journal.command_id, "journal", "rejected", hours=40, code="rejected_by_system", detail="no order"))
    assert (run.open, run.waits()) == (["rejected_by_system"], {"u1": "booking_accepted"})
    assert run.raised("rejected_by_system").unit_ids == ("u1",)


def test_a_charge_back_is_for_finance_to_book() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(), *asked(unit()), replace(refunded("C1", 1000, covers(), hours=4), kind="chargeback"))
    assert (run.commands(Journal), "refund_outside_workflow" in run.open) == ([], True)


@pytest.mark.req("MON-5")
@pytest.mark.parametrize("seen_first", [True, False])
def test_a_refund_that_is_a_new_sale_leads_from_the_return_to_the_original_sale(*, seen_first: bool) -> None:
    run = Run()
    run.feed(order(), *asked(unit()), transaction(1000), inspected(unit()))
    (refund,) = run.commands(Refund)
    done = result(refund.command_id, "refund", external_ids={"sale_id": "S9"})
    sale = refunded("S9", 1000, covers(), hours=9)
    order_of_arrival: list[Fact] = [sale, done] if seen_first else [done, sale]
    run.feed(*order_of_arrival)
    assert run.open == []
    mapped = [s for s in run.records(CaseStep) if "S9" in (s.external_id or "") and s.rma_id == "100"]
    assert {(s.order_id, s.command_id) for s in mapped if s.step == "done"} == {("5001", refund.command_id)}
    assert seen_first or {s.unit_ids for s in mapped} == {("u1",)}
    (told,) = [m.transaction for m in run.commands(Annotate) if m.aspect == "transaction"]
    assert told is not None
    assert (told.transaction_id, told.external_id) == ("T1", "S9")


@pytest.mark.req("MON-14")
def test_every_id_amount_time_and_actor_of_a_line_is_in_the_journal() -> None:
    run = Run(BOOKED)
    split = (payment("P1", "card", 1500), payment("P2", "gift_card", 500))
    units = unit("u1", "L1"), unit("u2", "L2", "CAP")
    run.feed(order(line(), line("L2", "CAP"), payments=split), *asked(*units), *(inspected(u) for u in units))
    run.restock()
    run.feed(transaction(2000))
    (refund,) = run.commands(Refund)
    run.feed(result(refund.command_id, "refund", external_ids={"refund_id": "R1"}, amount=euros(2000)))
    (journal,) = run.commands(Journal)
    run.feed(result(journal.command_id, "journal", hours=9, external_ids={"credit_note": "N1"}, amount=euros(2000)))
    steps = run.records(CaseStep)
    money = {
        (s.step, s.what, s.line_id, s.tender, s.external_id, s.amount_minor, s.actor) for s in steps
        if s.amount_minor is not None and s.what != "order"
    }  # fmt: skip
    assert money == {
        ("learned", "payment", None, "P1", "P1", 1500, "customer"),
        ("learned", "payment", None, "P2", "P2", 500, "customer"),
        ("decided", "refund", None, None, None, 2000, "returnflow"),
        ("decided", "refund_line", "L1", None, None, 1000, "returnflow"),
        ("decided", "refund_line", "L2", None, None, 1000, "returnflow"),
        ("decided", "refund_tender", None, "P2", None, 500, "returnflow"),
        ("decided", "refund_tender", None, "P1", None, 1500, "returnflow"),
        ("learned", "transaction", None, None, "T1", 2000, "returngo"),
        ("done", "refund", None, None, "refund_id R1", 2000, "shopify"),
        ("decided", "journal", None, None, "R1", 2000, "returnflow"),
        ("decided", "journal_line", "L1", None, None, 1000, "returnflow"),
        ("decided", "journal_line", "L2", None, None, 1000, "returnflow"),
        ("done", "journal", None, None, "credit_note N1", 2000, "shopify"),
    }
    assert len({s.step_id for s in steps}) == len(steps)
    assert all(s.at_ms > 0 for s in steps)
    of_line = [s for s in steps if s.line_id == "L2" and s.amount_minor is not None]
    assert {s.unit_ids for s in of_line} == {("u2",)}


@pytest.mark.req("MON-7", "MON-2")
def test_the_shipping_within_a_refund_is_booked_beside_its_lines() -> None:
    run = Run(rules(books="linnworks", refunding={"shipping": "full_return"}))
    run.feed(order(shipping_minor=490, shipping_tax_minor=78), *asked(unit()), inspected(unit()))
    run.feed(result(run.commands(Refund)[0].command_id, "refund"))
    (journal,) = run.commands(Journal)
    assert (journal.amount_minor, journal.shipping_minor, journal.tax_minor) == (1490, 490, 78)
    assert [share.amount_minor for share in journal.lines] == [1000]


@pytest.mark.req("MON-9")
@pytest.mark.parametrize("minutes", [5, 40])  # two refunds that are confirmed within the same hour
def test_a_merchants_bookings_leave_together_where_it_wants_that(minutes: int) -> None:
    hour = 3_600_000
    run, refund = refunding(rules(books="linnworks", books_seconds=3600), "u1")
    run.feed(result(refund.command_id, "refund", hours=8 + minutes / 60))
    assert run.waits() == {"u1": "booked"}
    assert run.case is not None
    together = (at(8) // hour + 1) * hour
    assert together in judged(run.case, run.rules).due_ms
    run.feed(replace(deadline(0), fact_id="early", due_at_ms=together - 1))
    assert run.commands(Journal) == []
    run.feed(replace(deadline(0), fact_id="due", due_at_ms=together))
    assert [j.amount_minor for j in run.commands(Journal)] == [1000]


@pytest.mark.req("MON-6", "MON-11")
def test_a_refund_of_the_whole_order_without_lines_is_booked_once_over_its_returns() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(line(quantity=2), line("L2", "CAP")), *asked(unit("u1"), rma="101"), *asked(unit("u2"), rma="102"))
    run.feed(*asked(unit("u3", "L2", "CAP"), rma="103"), refunded("R7", 3000, hours=5, actor="staff"))
    assert sorted((j.rma_id, j.amount_minor) for j in run.commands(Journal)) == [
        ("101", 1000), ("102", 1000), ("103", 1000),
    ]  # fmt: skip


def test_a_unit_of_an_unknown_line_that_others_paid_breaks_no_booking() -> None:
    run = Run(BY_RETURNGO)
    run.feed(order(), *asked(unit("u1", "L9", "MUG")), refunded("R7", 1000, hours=5, actor="staff"))
    assert run.commands(Journal) == []
