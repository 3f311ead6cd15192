"""Money by every means at once: whatever order the facts come in, the same amounts go to the same places."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import CommandResult, Exchange, Journal, Refund, StoreCredit, kind_of
from schemas.money import Money
from streams.domain.account import account
from streams.domain.decided import Booking, Crediting, Exchanging, Paying
from streams.domain.learn import Fact
from streams.domain.own import tell_apart
from tests.unit.domain.factories import Run, asked, event, inspected, line, order, result, rules, transaction, unit

MEANS = ["refund", "store_credit", "gift_card", "exchange"]
RULES = rules(
    books="linnworks",
    refunding={
        "duties": "with_goods", "bonus_percent": {"store_credit": 10}, "tolerance_minor": 5,
    },
)  # fmt: skip


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    """A return of one or two units for each line of an order, each line by another means."""
    facts: list[Fact] = []
    lines = []
    for i, means in enumerate(MEANS):
        bought, price = draw(st.integers(1, 2)), draw(st.integers(500, 2000))
        tax, off = draw(st.integers(0, 99)), draw(st.integers(0, 3))
        lines.append(
            line(f"L{i}", f"SKU{i}", bought, price=price, order_discount_minor=off, tax_minor=tax, duty_minor=7)
        )
        other = draw(st.sampled_from([None, price // 2, price, price * 2]))
        wanted = None if other is None else Money(minor=other, currency="EUR")
        fees = Money(minor=draw(st.integers(0, 99)), currency="EUR")
        units = [
            unit(f"u{i}{k}", f"L{i}", f"SKU{i}", resolution=means, exchange_price=wanted, fees=fees)
            for k in range(draw(st.integers(1, bought)))
        ]
        facts += [*asked(*units, rma=f"10{i}"), *(inspected(u, hours=5 + k, rma=f"10{i}") for k, u in enumerate(units))]
        if means == "exchange":
            facts.append(event("exchange", *units, rma=f"10{i}", hours=3, exchange_draft_order_id="D1"))
    paid = sum(each.unit_price_minor * each.quantity - each.order_discount_minor + 7 for each in lines)
    return [order(*lines, paid=paid), *facts]


def answers(run: Run) -> list[CommandResult]:
    made: list[Refund | StoreCredit | Exchange | Journal] = [
        *run.commands(Refund), *run.commands(StoreCredit), *run.commands(Exchange), *run.commands(Journal),
    ]  # fmt: skip
    return [result(c.command_id, kind_of(c), hours=20, external_ids={"refund_id": c.command_id[:8]}) for c in made]


def answered(facts: list[Fact]) -> list[Fact]:
    """The facts with every answer that they lead to: a difference follows its exchange, books follow both."""
    run = Run(RULES)
    run.feed(*facts)
    for _ in range(3):
        new = [a for a in answers(run) if a not in facts]
        facts = [*facts, *new]
        run.feed(*new)
    return facts


def moved(run: Run) -> dict[str, object]:
    """Every decision about money, without its time."""
    assert run.case is not None
    kinds = Paying | Crediting | Exchanging | Booking
    return {i: replace(d, decided_at_ms=0) for i, d in run.case.decided.items() if isinstance(d, kinds)}


@pytest.mark.req("MON-2", "MON-6", "MON-7", "MON-11", "EXG-6", "ELG-2")
@given(life=lives(), data=st.data())
@settings(deadline=None, max_examples=40)
def test_any_order_of_the_facts_moves_and_books_the_same_money(life: list[Fact], data: st.DataObject) -> None:
    facts = answered(life)
    straight, shuffled = Run(RULES), Run(RULES)
    straight.feed(*facts)
    shuffled.feed(*data.draw(st.permutations(facts)))
    assert moved(shuffled) == moved(straight)
    assert shuffled.open == straight.open == []
    case = straight.case
    assert case is not None
    assert case.learnt.order is not None
    balance = account(case.learnt.order, tell_apart(case.learnt, case.decided)).total
    assert balance.paid == balance.refunded + balance.credited + balance.exchanged + balance.refundable
    assert balance.refundable >= 0
    booked = [d for d in case.decided.values() if isinstance(d, Booking)]
    back = [d for d in case.decided.values() if isinstance(d, Paying | Crediting)]
    assert sum(d.amount_minor for d in booked) == sum(d.amount_minor for d in back)


@pytest.mark.req("EXG-6")
@given(price=st.integers(1, 3000), fees=st.integers(0, 1500), asks=st.booleans())
@settings(deadline=None, max_examples=40)
def test_an_exchange_and_its_difference_come_to_the_value_of_the_goods(price: int, fees: int, asks: bool) -> None:
    run = Run()
    one = unit(
        resolution="exchange", exchange_price=Money(minor=price, currency="EUR"),
        fees=Money(minor=fees, currency="EUR"),
    )  # fmt: skip
    run.feed(order(), *asked(one), inspected(one), event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    (command,) = run.commands(Exchange)
    value = max(1000 - fees, 0)
    assert command.difference_minor == price - value
    if asks and price < value:
        run.feed(transaction(value - price))
    run.feed(result(command.command_id, "exchange"))
    assert sum(r.amount_minor for r in run.commands(Refund)) == max(value - price, 0)
    assert run.open == (["amount_mismatch"] if fees > 1000 else [])  # nothing is left to keep the rest from
