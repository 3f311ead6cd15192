"""The demo's judge: a good day is good, and nothing that is wrong with a day escapes it."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.console import Console

from ops.demo import conclude
from ops.demo.books import read_books
from ops.demo.judge import Verdict, judge
from ops.demo.play import Played
from ops.demo.records import Records
from ops.demo.story import End, Moved, Paid
from schemas.commands import Restock
from schemas.exceptions import raised
from schemas.money import Money
from tests.unit.demo.day import (
    CREDIT,
    CREDIT_RMA,
    MERCHANT,
    REFUND,
    RESTOCK,
    RMA,
    RMAS,
    SHOP_ID,
    STORIES,
    books,
    credit,
    movement,
    payment,
    records,
    result,
)

Spoil = Callable[[dict[str, Any]], object]


def verdict(spoil: Spoil = lambda _: None, ours: Records | None = None) -> Verdict:
    """Of the day, with its books spoiled."""
    there = books()
    spoil(there)
    return judge(STORIES, RMAS, read_books(there), ours or records())


def ended(found: Verdict) -> tuple[int, str]:
    """Exit status and last line of what is printed."""
    out = StringIO()
    status = conclude(Console(file=out, width=200), found, Played(rmas=RMAS, ready_ms={"tee": 1}))
    return status, out.getvalue().splitlines()[-1]


def test_a_good_day_ends_with_one_good_line_and_status_0() -> None:
    found = verdict()
    assert (found.wrong, found.lost, found.doubled) == ((), (), ())
    assert ended(found) == (0, "2 returns, 3 effects: nothing lost, nothing doubled")


@pytest.mark.req("INV-13", "MON-11")
@pytest.mark.parametrize(
    ("spoil", "counts"),
    [
        (lambda b: b["movements"].append(movement()), "1 doubled, 1 not as expected"),
        (lambda b: b["movements"].pop(), "1 lost, 1 not as expected"),
        (lambda b: b["movements"].append(movement(reference=None)), "1 doubled"),
        (lambda b: b["movements"].append(movement(reference=None, order="#2")), "1 not as expected"),
        (lambda b: b["movements"][1].update(applied=False), "1 not as expected"),
        (lambda b: b["movements"][1].update(location_id=102), "1 not as expected"),
        (lambda b: b["movements"][1].update(name="damaged"), "1 not as expected"),
        (lambda b: b["money"].append(payment(id=9)), "1 doubled, 1 not as expected"),
        (lambda b: b["money"].append(payment(id=9, note=None, order=None)), "1 doubled"),
        (lambda b: b["money"][1].update(status="FAILURE"), "1 lost, 1 not as expected"),
        (lambda b: b["money"][1].update(amount="198.99"), "1 lost, 1 not as expected"),
        (lambda b: b["money"].append(credit(id=9)), "1 doubled, 1 not as expected"),
        (lambda b: b["orders"]["#1"].update(tags=["return-inspected"]), "1 not as expected"),
        (lambda b: b["findings"].append({"kind": "refunded_more_than_paid", "about": "#1"}), "1 doubled"),
    ],
)  # fmt: skip
def test_an_entry_too_many_too_few_or_another_is_seen(spoil: Spoil, counts: str) -> None:
    status, said = ended(verdict(spoil))
    assert (status, said.split(": ")[1]) == (1, counts)


@pytest.mark.parametrize(
    "end",
    [
        End(),
        End(stock=(Moved(sku="TEE-M", quantity=2),), paid=(Paid(amount="199.00"),), tags=("return-completed",)),
        End(stock=(Moved(sku="TEE-M", quantity=1),), paid=(Paid(amount="199.01"),), tags=("return-completed",)),
        End(stock=(Moved(sku="TEE-M", quantity=1),), paid=(Paid(amount="199.00"),)),
        End(
            stock=(Moved(sku="TEE-M", quantity=1),),
            paid=(Paid(amount="199.00"),),
            tags=("return-completed",),
            open=("unknown_sku",),
        ),
    ],
)
def test_another_expectation_is_seen(end: End) -> None:
    other = msgspec.structs.replace(STORIES[0], end=end)
    found = judge((other, STORIES[1]), RMAS, read_books(books()), records())
    assert found.wrong
    assert ended(found)[0] == 1


def test_an_exception_that_nobody_expects_is_seen() -> None:
    problem = raised(
        "unknown_sku", exception_id="e", merchant=MERCHANT, detail="d", at_ms=1, order_id=str(SHOP_ID), rma_id=RMA
    )
    found = verdict(ours=records(exceptions=(problem,)))
    assert found.wrong == ("tee: exceptions: expected none, found ['unknown_sku']",)


def test_a_command_without_a_result_is_lost() -> None:
    there = {RESTOCK: [result(RESTOCK)], REFUND: [result(REFUND)]}
    found = verdict(ours=records(results=there))
    # its effect is in the books, but nobody has said so: lost and too much at once
    assert found.lost == (f"StoreCredit {CREDIT} of RMA {CREDIT_RMA} has no result",)
    assert found.doubled == (f"payment {CREDIT}: 14900 ZAR left where 0 were due",)


@pytest.mark.parametrize(("told", "lost", "doubled"), [(19900, 0, 0), (None, 0, 0), (19901, 1, 0), (19899, 0, 1)])
def test_a_payment_is_judged_by_what_its_result_says_was_paid(told: int | None, lost: int, doubled: int) -> None:
    every = {each: [result(each)] for each in (RESTOCK, REFUND, CREDIT)}
    amount = None if told is None else Money(minor=told, currency="ZAR")
    paid = [msgspec.structs.replace(each, amount=amount) for each in every[REFUND]]
    found = verdict(ours=records(results=every | {REFUND: paid}))
    assert (len(found.lost), len(found.doubled)) == (lost, doubled)


def test_a_result_that_the_ledger_does_not_know_is_lost() -> None:
    found = verdict(ours=records(effects={}))
    assert len(found.lost) == 3


def test_an_effect_of_a_command_that_was_rejected_is_too_much() -> None:
    there = {RESTOCK: [result(RESTOCK)], CREDIT: [result(CREDIT)], REFUND: [result(REFUND, "rejected")]}
    found = verdict(ours=records(results=there))
    assert found.doubled == (f"payment {REFUND}: 19900 ZAR left where 0 were due",)


def test_a_dead_letter_is_a_loss_until_a_person_has_looked() -> None:
    found = verdict(ours=records(dead_letters={"cases-dead-letters": 2}))
    assert found.lost == ("2 dead letters in cases-dead-letters",)


def test_a_command_with_two_ends_and_a_result_without_a_command_are_seen() -> None:
    every = {each: [result(each)] for each in (RESTOCK, REFUND, CREDIT)}
    stray = {"e": [msgspec.structs.replace(result(REFUND), command_id="e")]}
    found = verdict(ours=records(results=every | stray | {RESTOCK: [result(RESTOCK), result(RESTOCK, "rejected")]}))
    assert found.doubled == (
        f"command {RESTOCK} was both carried out and rejected",
        "a result for e, which was never commanded",
    )


@pytest.mark.parametrize(
    ("deltas", "lost", "doubled"),
    [((-1,), 0, 0), ((), 1, 0), ((1,), 1, 0), ((-2,), 0, 1), ((-1, -1), 0, 1)],
)
def test_what_was_to_leave_stock_is_judged_by_what_left(deltas: tuple[int, ...], lost: int, doubled: int) -> None:
    day = records()
    known = day.commands[RESTOCK]
    assert isinstance(known, Restock)
    changed = day.commands | {RESTOCK: msgspec.structs.replace(known, quantity=-1)}
    ours = msgspec.structs.replace(day, commands=changed)
    there = books()
    (usual,) = [each for each in there["movements"] if each["reference"] == movement()["reference"]]
    there["movements"].remove(usual)
    there["movements"] += [movement(delta=delta) for delta in deltas]
    found = judge(STORIES, RMAS, read_books(there), ours)
    assert (len(found.lost), len(found.doubled)) == (lost, doubled)
