"""Movements follow each other: one still to come is waited for, and goods once in stock stay known as such."""

import pytest
from msgspec.structs import replace

from schemas.commands import Restock
from tests.unit.domain.factories import Run, asked, at, inspected, item, order, result, unit, verdict
from tests.unit.domain.merchants import merchant
from tests.unit.domain.test_compensation import moves, settled
from tests.unit.domain.world import AnyFact, World
from tests.unit.domain.world import settled as answered

SHOPIFY = merchant(model={"restocking": {"late_changes": "compensate"}})


@pytest.mark.req("INV-2", "INV-13", "INV-15")
def test_in_shopify_too_a_merchant_may_have_late_grades_compensated() -> None:
    run = Run(SHOPIFY)
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(inspected(unit(), "damaged", hours=7))
    settled(run, 8)
    assert moves(run) == [(1, "available", "11"), (-1, "available", "11"), (1, "damaged", "12")]
    assert [i.stocked_before for i in run.intents] == [False, True, True]
    assert run.open == []


def test_goods_whose_first_restock_was_refused_were_in_no_stock_before() -> None:
    run = Run(SHOPIFY)
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6, "rejected")
    run.feed(inspected(unit(), "damaged", hours=7))
    assert [i.stocked_before for i in run.intents] == [False, False]


def test_goods_that_were_in_stock_once_stay_known_as_such_when_a_later_restock_is_refused() -> None:
    run = Run(SHOPIFY)
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(inspected(unit(), "damaged", hours=7))
    settled(run, 8)
    settled(run, 9, "rejected")
    run.feed(inspected(unit(), hours=10))
    assert moves(run)[2:] == [(1, "damaged", "12"), (1, "available", "11")]
    assert [i.stocked_before for i in run.intents] == [False, True, True, True]


@pytest.mark.req("INV-13")
def test_a_restock_that_is_only_impossible_as_yet_comes_first_whatever_its_new_grade() -> None:
    """The stock agent keeps it and commands it in the end: a second one beside it would count the piece twice."""
    world = World(SHOPIFY)
    late = (inspected(unit(), "damaged", hours=6), item(hours=7))
    facts: tuple[AnyFact, ...] = (order(), item(tracked=False), *asked(unit()), inspected(unit(), hours=5), *late)
    for fact in facts:
        world.feed(fact)
    moved = []
    for hours in range(8, 12):
        for command in world.pending("restock"):
            assert isinstance(command, Restock)
            moved.append((command.quantity, command.stock_status))
            world.feed(answered(command, at_ms=at(hours)))
    assert moved == [(1, "available"), (-1, "available"), (1, "damaged")]


@pytest.mark.req("INV-9", "INV-13")
def test_a_bundle_that_was_put_back_in_part_is_not_put_back_again_by_its_new_grade() -> None:
    run = Run(SHOPIFY)
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    (intent,) = run.intents
    parts = replace(verdict(intent, hours=6), command_ids=("soap", "dish"))
    run.feed(parts, result("soap", "restock", hours=6), result("dish", "restock", "rejected", hours=6))
    run.feed(inspected(unit(), "damaged", hours=7))
    assert (len(run.intents), run.open) == (1, ["rejected_by_system"])
