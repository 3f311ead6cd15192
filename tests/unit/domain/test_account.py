"""The double-entry account of an order: both sides are equal after every step, and nothing is paid that it lacks."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Exchange, Refund, StoreCredit
from schemas.facts import ObservedEffect, RefundedTender
from schemas.money import Money
from streams.domain.account import Account, Balance, Unbalanced, account, commit, spread
from streams.domain.decided import Crediting, Paying, Repaid, Share
from streams.domain.learn import Fact
from streams.domain.own import tell_apart
from streams.domain.settled import Settled
from tests.unit.domain.factories import (
    Run,
    applied,
    asked,
    covers,
    event,
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

SPLIT = (payment("P1", "card", 2000), payment("P2", "gift_card", 500), payment("P3", "voucher", 500))


def books(run: Run) -> Account:
    assert run.case is not None
    assert run.case.learnt.order is not None
    return account(run.case.learnt.order, tell_apart(run.case.learnt, run.case.decided))


def balances(run: Run) -> dict[str, tuple[int, int, int, int, int]]:
    """(paid, refunded, credited, exchanged, refundable) per payment."""
    each = books(run).balances
    return {i: (b.paid, b.refunded, b.credited, b.exchanged, b.refundable) for i, b in each.items()}


@pytest.mark.req("MON-11")
def test_refund_credit_and_exchange_each_leave_their_payment_on_their_own_side() -> None:
    run = Run()
    units = unit("u1"), unit("u2", resolution="store_credit"), unit("u3", resolution="exchange")
    run.feed(order(line(quantity=3), payments=SPLIT), *asked(*units), *(inspected(u) for u in units))
    assert books(run).total == Balance(3000, 1000, 1000, 0, 1000)
    run.feed(event("exchange", units[2], hours=6, exchange_draft_order_id="D1"))
    assert books(run).total == Balance(3000, 1000, 1000, 1000, 0)
    for balance in books(run).balances.values():
        assert balance.refundable == 0


@pytest.mark.req("MON-6")
def test_what_the_paying_system_says_it_paid_is_what_the_account_books() -> None:
    run = Run()
    run.feed(order(line(quantity=2)), *asked(unit("u1")), inspected(unit("u1")))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", amount=Money(minor=990, currency="EUR")))
    assert balances(run) == {"P1": (2000, 990, 0, 0, 1010)}


@pytest.mark.req("MON-6", "MON-11")
def test_credit_of_more_than_was_decided_is_booked_as_credit() -> None:
    run = Run()
    one = unit(resolution="store_credit")
    run.feed(order(line(quantity=2)), *asked(one), inspected(one))
    (credit,) = run.commands(StoreCredit)
    run.feed(result(credit.command_id, "store_credit", amount=Money(minor=1100, currency="EUR")))
    assert balances(run) == {"P1": (2000, 0, 1100, 0, 900)}


@pytest.mark.req("MON-10", "MON-11")
def test_a_refund_of_ours_that_returngo_reports_by_one_of_its_ids_counts_once() -> None:
    run = Run()
    run.feed(order(line(quantity=3)), *asked(unit()), inspected(unit()))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_ids": "R1,R2"}))
    run.feed(transaction(1000, "success", external_id="R2", hours=9))
    assert balances(run) == {"P1": (3000, 1000, 0, 0, 2000)}


@pytest.mark.req("MON-10", "MON-11")
def test_money_that_others_took_without_naming_a_payment_still_counts() -> None:
    run = Run()
    run.feed(order(line(quantity=3), payments=SPLIT), *asked(unit()))
    run.feed(refunded("R9", 700, covers(), hours=4, tenders=(), total_minor=700))
    assert balances(run)[""] == (0, 700, 0, 0, -700)
    assert books(run).total == Balance(3000, 700, 0, 0, 2300)
    alone = Run()
    alone.feed(order(), *asked(unit()), refunded("R9", 700, hours=4, tenders=(), total_minor=700))
    assert balances(alone) == {"P1": (1000, 700, 0, 0, 300)}


@pytest.mark.req("MON-11")
def test_a_tender_named_twice_or_a_payment_listed_twice_is_repaid_once() -> None:
    run = Run(rules(refunding={"tenders": ["card", "card"]}))
    run.feed(order(line(price=1500), payments=(payment("P1", "card", 1000),)), *asked(unit()), inspected(unit()))
    assert (run.commands(Refund), run.open) == ([], ["amount_mismatch"])
    assert run.case is not None
    known = run.case.learnt.order
    assert known is not None
    twice = replace(known, tenders=known.tenders * 2)
    assert spread(twice, books(run), 1500, ("*",))[1] == 500


@pytest.mark.req("MON-11", "MON-13")
def test_coins_that_are_kept_back_are_taken_from_the_cash_and_from_no_other_payment() -> None:
    run = Run(rules(refunding={"tenders": ["card", "cash"], "cash": {"tenders": ["cash"], "smallest_minor": 5}}))
    run.feed(order(line(price=1003), payments=(payment("P1", "cash", 503), payment("P2", "card", 500))), *asked(unit()))
    run.feed(inspected(unit()))
    assert [r.amount_minor for r in run.commands(Refund)] == [1000]
    assert balances(run) == {"P1": (503, 503, 0, 0, 0), "P2": (500, 500, 0, 0, 0)}


@pytest.mark.req("MON-11")
def test_a_payment_that_was_taken_in_two_parts_gives_back_both() -> None:
    run = Run()
    parts = payment("P1", "card", 600), payment("P1", "card", 400)
    run.feed(order(line(quantity=2, price=500), payments=parts), *asked(unit()), inspected(unit()))
    assert balances(run) == {"P1": (1000, 500, 0, 0, 500)}
    assert [[(t.payment_id, t.amount_minor) for t in r.tenders] for r in run.commands(Refund)] == [[("P1", 500)]]


def paying(amount: int, *shares: tuple[str, int]) -> Paying:
    tenders = tuple(Repaid(payment_id=i, tender="card", amount_minor=a) for i, a in shares)
    return Paying(
        decision_id="c1", system="shopify", rma_id="100", unit_ids=("u1",), decided_at_ms=1, currency="EUR",
        amount_minor=amount, shares=(Share(line_id="L1", quantity=1, amount_minor=amount),), tenders=tenders,
        tolerance_minor=0, shipping_minor=0, fees_minor=0,
    )  # fmt: skip


@pytest.mark.req("MON-11")
@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (paying(1000, ("P1", 999)), "expected shares of 1000"),
        (paying(-1, ("P1", -1)), "expected no amount below zero"),
        (paying(500, ("P1", 600), ("P2", -100)), "expected no amount below zero"),
        (paying(1100, ("P1", 1100)), "at most 1000"),
        (paying(600, ("P2", 600)), "payment P2: expected at most 400, got 600"),
    ],
)
def test_a_payment_that_the_account_does_not_cover_raises_instead_of_being_sent(decision: Paying, why: str) -> None:
    full = Account({"P1": Balance(600, refundable=600), "P2": Balance(400, refundable=400)}, Settled({}, {}))
    with pytest.raises(Unbalanced, match=why):
        commit(full, decision)


def test_both_sides_of_a_balance_are_kept_apart_and_compared() -> None:
    with pytest.raises(Unbalanced, match="both sides"):
        Balance(paid=1000, refunded=400, refundable=500).check("P1")


def test_the_merchants_bonus_is_no_money_of_the_customers() -> None:
    full = Account({"P1": Balance(1000, refundable=1000)}, Settled({}, {}))
    credit = Crediting(
        decision_id="c1", system="shopify", rma_id="100", unit_ids=("u1",), decided_at_ms=1, currency="EUR",
        amount_minor=1100, shares=(), form="store_credit", customer_id="C1", bonus_minor=100,
        tenders=(Repaid(payment_id="P1", tender="card", amount_minor=1000),),
    )  # fmt: skip
    commit(full, credit)
    assert full.total == Balance(1000, 0, 1000, 0, 0)


MEANS = st.sampled_from(["refund", "store_credit", "gift_card", "exchange"])
AMOUNTS = st.integers(0, 1500)


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    """An order of four units, each with a return of its own by some means, while staff and banks refund as well."""
    facts: list[Fact] = []
    for i in range(4):
        wanted = draw(st.one_of(st.none(), st.integers(100, 900).map(lambda p: Money(minor=p, currency="EUR"))))
        one = unit(f"u{i}", resolution=draw(MEANS), exchange_price=wanted)
        facts += [*asked(one, rma=f"10{i}"), inspected(one, rma=f"10{i}")]
        facts.append(event("exchange", one, hours=6, rma=f"10{i}", exchange_draft_order_id=f"D{i}"))
    names = st.sampled_from(["R1", "R2"])
    others = st.one_of(
        st.builds(lambda r, a: refunded(r, a, hours=7), names, AMOUNTS),
        st.builds(lambda r, a: refunded(r, a, tenders=(), total_minor=a, hours=7), names, AMOUNTS),
        st.builds(lambda r, a: replace(refunded(r, a, covers(), hours=7), kind="chargeback"), names, AMOUNTS),
    )
    return draw(st.permutations(facts + draw(st.lists(others, max_size=3))))


def payments(run: Run) -> Sequence[Refund | StoreCredit | Exchange]:
    return [*run.commands(Refund), *run.commands(StoreCredit), *run.commands(Exchange)]


@pytest.mark.req("MON-11")
@given(life=lives(), tenders=st.permutations(["gift_card", "card", "voucher", "*"]), final=st.data())
@settings(deadline=None, max_examples=40)
def test_every_payment_balances_after_every_step_of_any_run(
    life: list[Fact], tenders: list[str], final: st.DataObject
) -> None:
    run = Run(rules(refunding={"tenders": tenders}))
    run.feed(order(line(quantity=4, price=750), payments=SPLIT))
    for fact in life:
        made = {p.command_id for p in payments(run)}
        run.feed(fact)
        for command in payments(run):
            if command.command_id not in made and final.draw(st.booleans()):
                run.feed(applied(command))
        now = books(run)
        for payment_id, balance in now.balances.items():
            balance.check(payment_id)
        assert now.total.paid == 3000
        ours = [d for d in run.case.decided.values() if isinstance(d, Paying | Crediting)] if run.case else []
        given_back = sum(d.amount_minor for d in ours)
        assert given_back <= 3000


def _half(refund: Refund, payment_id: str, amount: int) -> ObservedEffect:
    """A refund of ours of which one payment's part is seen."""
    part = RefundedTender(
        transaction_id="t1", payment_id=payment_id, tender="card", amount_minor=amount, status="success"
    )
    return refunded("R1", amount, covers(), command_id=refund.command_id, actor="returnflow", tenders=(part,))


@pytest.mark.req("MON-11")
def test_what_is_not_seen_yet_of_an_unanswered_refund_is_not_paid_to_anybody_else() -> None:
    run, units = Run(), (unit("u1"), unit("u2", "L2", "CAP"))
    run.feed(order(line(), line("L2", "CAP"), paid=1500), *asked(units[0], rma="101"), inspected(units[0], rma="101"))
    (refund,) = run.commands(Refund)
    run.feed(_half(refund, "P1", 400), *asked(units[1], rma="102"), inspected(units[1], rma="102"))
    assert books(run).total == Balance(1500, 1000, 0, 0, 500)
    assert run.commands(Refund) == [refund]


@pytest.mark.req("MON-11")
def test_what_left_with_a_refused_refund_in_coins_is_not_asked_of_its_payment_again() -> None:
    run = Run(rules(refunding={"tenders": ["card", "*"], "cash": {"tenders": ["cash"], "smallest_minor": 5}}))
    units = unit("u1"), unit("u2", "L2", "CAP")
    took = payment("P1", "card", 500), payment("P2", "cash", 1496)
    run.feed(order(line(price=998), line("L2", "CAP", price=998), payments=took))
    run.feed(*asked(units[0], rma="101"), inspected(units[0], rma="101"))
    (refund,) = run.commands(Refund)
    assert (refund.amount_minor, refund.rounding_minor) == (1000, 2)
    run.feed(_half(refund, "P1", 500), result(refund.command_id, "refund", "rejected", code="rejected_by_system"))
    run.feed(*asked(units[1], rma="102"), inspected(units[1], rma="102"))
    assert [(t.payment_id, t.amount_minor) for t in run.commands(Refund)[1].tenders] == [("P2", 1000)]
