"""The same bundle sold in two groups of one order, at two prices: a returned one is one of them, never both."""

import itertools
from typing import Any

import pytest

from schemas.commands import Refund
from schemas.facts import OrderLine, RefundedLine
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    asked,
    covers,
    inspected,
    line,
    order,
    paid,
    refunded,
    result,
    rules,
    unit,
)


def sold(group: str, cup: int, tea: int, quantity: int = 1, **more: Any) -> tuple[OrderLine, OrderLine]:
    """A set of two cups and one tea, `quantity` times, at these prices for each."""
    of: dict[str, Any] = {"bundle_sku": "SET", "bundle_quantity": quantity, "bundle_id": group} | more
    cups = line(f"{group}1", "CUP", 2 * quantity, price=cup, **of)
    return cups, line(f"{group}2", "TEA", quantity, price=tea, **of)


TEN, SEVEN = sold("A", 300, 400), sold("B", 200, 300)


def a_set(unit_id: str, line_id: str | None = None, **more: Any) -> Any:
    return unit(unit_id, line_id, "SET", **more)


def come(*units: Any, rma: str = "100", hours: float = 1) -> list[Fact]:
    return [*asked(*units, rma=rma, hours=hours), *(inspected(each, rma=rma, hours=hours + 1) for each in units)]


@pytest.mark.req("ELG-1", "INV-9")
@pytest.mark.parametrize("groups", [("A",), ("A", "B")])
@pytest.mark.parametrize("bundles", [0, 1])
def test_a_bundle_of_which_nothing_was_sold_is_neither_put_back_nor_paid(groups: tuple[str, ...], bundles: int) -> None:
    of: dict[str, Any] = {"quantity": 0, "bundle_sku": "SET", "bundle_quantity": bundles}
    lines = [line(f"{group}{sku}", sku, bundle_id=group, **of) for group in groups for sku in ("CUP", "TEA")]
    run = Run()
    run.feed(order(*lines, line("L9", "MUG")), *asked(a_set("u1")), inspected(a_set("u1")))
    assert (run.intents, paid(run), run.open) == ([], [], ["unknown_line"])


@pytest.mark.req("INV-9", "MON-2")
@pytest.mark.parametrize(
    ("said", "due"),
    [
        ({}, 1000), ({"paid": 1000}, 1000), ({"paid": 700}, 700), ({"line_id": "A"}, 1000), ({"line_id": "B"}, 700),
        ({"line_id": "B1"}, 400), ({"line_id": "Z"}, 1000),
    ],
)  # fmt: skip
def test_one_of_two_pays_its_own_price(said: dict[str, Any], due: int) -> None:
    run = Run()
    sku = "CUP" if said.get("line_id") == "B1" else "SET"
    one = unit("u1", sku=sku, quantity=2 if sku == "CUP" else 1, **({"line_id": None} | said))
    run.feed(order(*TEN, *SEVEN), *come(one))
    assert (paid(run), run.open, [i.sku for i in run.intents]) == ([due], [], [sku])


@pytest.mark.req("INV-9", "MON-2", "MON-4")
@pytest.mark.parametrize("prices", [(None, None), (700, None), (None, 700), (700, 1000)])
@pytest.mark.parametrize("together", [False, True])
def test_both_pay_what_both_cost_in_whatever_returns_and_order(
    prices: tuple[int | None, int | None], *, together: bool
) -> None:
    units = [a_set(f"u{n}", paid=price) for n, price in enumerate(prices, 1)]
    returns = [come(*units)] if together else [come(each, rma=f"10{n}") for n, each in enumerate(units)]
    parts: list[list[Fact]] = [[order(*TEN, *SEVEN)], *returns]
    for sequence in itertools.permutations(parts):
        run = Run()
        run.feed(*(fact for part in sequence for fact in part))
        assert (sum(paid(run)), run.open) == (1700, [])
        lines = [(share.line_id, share.quantity) for refund in run.commands(Refund) for share in refund.lines]
        assert sorted(lines) == [("A1", 2), ("A2", 1), ("B1", 2), ("B2", 1)]


def test_what_was_paid_keeps_its_group_when_another_return_comes_that_would_have_been_first() -> None:
    run = Run()
    run.feed(order(*TEN, *SEVEN), *come(a_set("u1"), rma="200"))
    run.feed(result(run.commands(Refund)[0].command_id, "refund", external_ids={"refund_id": "R1"}))
    run.feed(refunded("R1", 1000, covers("A1", 2), covers("A2")), *come(a_set("u1"), rma="100", hours=20))
    assert (paid(run), run.open) == ([1000, 700], [])


@pytest.mark.req("MON-4")
@pytest.mark.parametrize(("hours", "ours"), [(-5, [700]), (1.5, [])])
def test_a_group_that_others_paid_for_is_theirs(hours: float, ours: list[int]) -> None:
    run = Run()
    run.feed(order(*TEN, *SEVEN), *asked(a_set("u1")), refunded("R9", 1000, covers("A1", 2), covers("A2"), hours=hours))
    run.feed(inspected(a_set("u1")))
    assert paid(run) == ours


@pytest.mark.parametrize("gone", [{"removed_quantity": 2}, {"fulfilled_quantity": 0}, {"fulfilled_quantity": 1}])
def test_a_bundle_that_is_off_the_order_or_was_never_sent_is_not_the_one_that_comes_back(gone: dict[str, int]) -> None:
    run = Run()
    run.feed(order(*sold("A", 300, 400, **gone), *SEVEN), *come(a_set("u1")))
    assert (paid(run), run.open) == ([700], [])


def test_a_part_of_one_group_leaves_the_other_whole() -> None:
    run = Run()
    run.feed(order(*TEN, *SEVEN), *come(unit("u1", "A2", "TEA"), a_set("u2")))
    assert (paid(run), run.open) == ([400 + 700], [])


def test_several_of_one_group_and_more_than_there_are() -> None:
    run = Run()
    run.feed(order(*sold("A", 300, 400, 2), *SEVEN), *come(*(a_set(f"u{n}") for n in range(4))))
    assert (paid(run), run.open) == ([700], ["over_quantity"])
    run = Run()
    run.feed(order(*sold("A", 300, 400, 2), *SEVEN), *come(a_set("u1", quantity=2), a_set("u2")))
    assert (paid(run), run.open) == ([2700], [])


def test_a_cancelled_bundle_does_not_stand_for_the_one_that_was_sent() -> None:
    run = Run()
    cancelled = [RefundedLine(line_id=each, quantity=n, unsent=True) for each, n in (("A1", 2), ("A2", 1))]
    unsent = sold("A", 300, 400, fulfilled_quantity=0)
    run.feed(order(*unsent, *SEVEN), *asked(a_set("u1")), refunded("R9", 1000, *cancelled, hours=1.5))
    run.feed(inspected(a_set("u1")))
    assert (paid(run), run.open) == ([700], [])


@pytest.mark.req("INV-9")
def test_parts_of_two_sold_bundles_are_put_together_each_by_itself() -> None:
    run = Run(rules(bundles={"component": "bundle"}))
    parts = [
        unit(f"{group}{n}", f"{group}{1 + n // 2}", "CUP" if n < 2 else "TEA") for group in "AB" for n in range(3)
    ]  # fmt: skip
    run.feed(order(*TEN, *SEVEN), *come(*parts))
    assert sorted(i.unit_ids for i in run.intents) == [("A0", "A1", "A2"), ("B0", "B1", "B2")]
    assert ({i.sku for i in run.intents}, paid(run), run.open) == ({"SET"}, [1700], [])


@pytest.mark.req("INV-9", "MON-2")
def test_a_bundle_that_was_sold_as_a_line_by_itself_too_is_one_of_both() -> None:
    alone = line("S1", "SET", price=900)
    returns = {"1": a_set("u1", paid=900), "2": a_set("u2", paid=1000)}
    for first in itertools.permutations(returns):
        for sold_as in ((*TEN, alone), (alone, *TEN)):
            run = Run()
            run.feed(order(*sold_as), *(fact for rma in first for fact in come(returns[rma], rma=rma)))
            assert ({r.rma_id: r.amount_minor for r in run.commands(Refund)}, run.open) == ({"1": 900, "2": 1000}, [])
            assert [each.sku for each in run.intents] == ["SET", "SET"]


@pytest.mark.parametrize("named", [{"line_id": "S1"}, {"variant_id": "V-SET"}])
def test_a_line_by_itself_that_is_named_is_no_bundle(named: dict[str, Any]) -> None:
    run = Run()
    one = unit("u1", sku="SET", **({"line_id": None} | named))
    run.feed(order(*TEN, line("S1", "SET", price=900)), *come(one, rma="1"), *come(a_set("u2"), rma="2"))
    assert ({r.rma_id: r.amount_minor for r in run.commands(Refund)}, run.open) == ({"1": 900, "2": 1000}, [])
    run.feed(*come(a_set("u3"), rma="3"))
    assert (len(run.commands(Refund)), run.open) == (2, ["over_quantity"])
