"""The stock journal of the system of record: what was applied must show in it (INV-17)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import CommandResult, Restock
from schemas.exceptions import ExceptionRaised
from schemas.facts import OrderLine, OrderSnapshot
from schemas.stock import Component, RestockIntent, RestockVerdict, StockItem, StockLevel
from streams.domain.output import Output
from streams.domain.stock import Item, decide_stock
from tests.unit.domain.factories import (
    MERCHANT,
    Run,
    asked,
    at,
    deadline,
    inspected,
    item,
    line,
    of,
    order,
    result,
    unit,
    verdict,
)
from tests.unit.domain.merchants import merchant
from tests.unit.domain.world import AnyFact, World


def sale(*lines: OrderLine) -> OrderSnapshot:
    return replace(order(*lines), system="linnworks")


@pytest.mark.req("INV-17")
def test_a_restock_that_the_journal_does_not_show_in_time_is_drift_until_it_does() -> None:
    run = Run(merchant("linnworks"))
    run.feed(sale(), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    run.feed(verdict(intent), result(intent.intent_id, "restock", hours=8), deadline(8 + 23.9))
    assert "stock_drift" not in run.open
    run.feed(deadline(8 + 24))
    assert "stock_drift" in run.open
    assert run.raised("stock_drift").command_id == intent.intent_id
    run.feed(verdict(intent, "confirmed", hours=40, command_ids=(intent.intent_id,)))
    assert "stock_drift" not in run.open


@pytest.mark.req("INV-17")
@pytest.mark.parametrize("entry_first", [False, True])
def test_the_journal_entry_that_names_the_command_confirms_it(entry_first: bool) -> None:
    run = Run(merchant("linnworks"))
    run.feed(sale(), *asked(unit()), inspected(unit()))
    (intent,) = run.intents
    entry = StockLevel(
        fact_id="e1", merchant=MERCHANT, sku="TEE", system="linnworks", item_id="I", location_id="11",
        observed_at_ms=at(9), available=4, reference=intent.intent_id,
    )  # fmt: skip
    facts: list[StockItem | RestockIntent | StockLevel] = [replace(item(), system="linnworks"), intent, entry]
    row: Item | None = None
    made: list[Output] = []
    for fact in [entry, *facts[:2]] if entry_first else facts:
        row, more = decide_stock(row, fact, run.rules)
        made += more
    assert [v.verdict for v in of(RestockVerdict, made)] == ["commanded", "confirmed"]
    assert len(of(Restock, made)) == 1
    again = decide_stock(row, intent, run.rules)[1]
    assert [v.verdict for v in of(RestockVerdict, again)] == ["confirmed"]
    run.feed(*of(RestockVerdict, made))
    run.feed(result(intent.intent_id, "restock"), deadline(100))
    assert "stock_drift" not in run.open


def composite(*parts: str) -> tuple[World, list[Restock], list[CommandResult | StockLevel]]:
    """A composite went into stock as these components: the commands, and everything that comes of them."""
    box = StockItem(
        fact_id="box", merchant=MERCHANT, sku="BOX", system="linnworks", version_ms=at(0), item_id="I-BOX",
        components=tuple(Component(sku=sku, quantity=1, item_id=f"I-{sku}") for sku in parts),
    )  # fmt: skip
    world, one = World(merchant("linnworks")), unit(sku="BOX")
    facts: list[AnyFact] = [sale(line(sku="BOX")), box, *asked(one), inspected(one)]
    for fact in facts:
        world.feed(fact)
    commands = [each for each in world.commands.values() if isinstance(each, Restock)]
    assert [each.sku for each in commands] == [*parts]
    return world, commands, [*(result(c.command_id, "restock") for c in commands), *map(shown, commands)]


def shown(command: Restock) -> StockLevel:
    return StockLevel(
        fact_id=f"entry/{command.sku}", merchant=MERCHANT, sku=command.sku, system=command.system,
        item_id=command.item_id, location_id=command.location_id, observed_at_ms=at(9), available=4,
        reference=command.command_id,
    )  # fmt: skip


def drift(world: World) -> list[ExceptionRaised]:
    raised = {r.exception_id: r for r in of(ExceptionRaised, world.outputs) if r.type == "stock_drift"}
    open_now = world.case.notices if world.case is not None else {}
    return [record for i, record in raised.items() if open_now[i].open]


@pytest.mark.req("INV-9", "INV-17", "INV-13")
@given(parts=st.sampled_from([("CUP",), ("CUP", "TEA"), ("CUP", "TEA", "TIN")]), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_bundle_is_confirmed_once_the_journal_shows_all_of_its_components(
    parts: tuple[str, ...], data: st.DataObject
) -> None:
    world, commands, facts = composite(*parts)
    missing = data.draw(st.sampled_from(commands))
    entry = shown(missing)
    rest = [fact for fact in facts if fact != entry]
    again = data.draw(st.lists(st.sampled_from([*rest, *of(RestockIntent, world.outputs)]), max_size=4))
    for fact in data.draw(st.permutations(rest + again)):
        world.feed(fact)
    world.feed(deadline(8 + 23.9))
    assert drift(world) == []
    world.feed(deadline(8 + 24))
    assert [record.command_id for record in drift(world)] == [missing.command_id]
    assert "does not show one of its components" in drift(world)[0].detail
    world.feed(entry)
    assert drift(world) == []
    assert [c for c in world.commands.values() if isinstance(c, Restock)] == commands


@pytest.mark.req("INV-17")
def test_a_component_that_was_not_put_back_lacks_no_journal_entry() -> None:
    world, (cup, tea), _ = composite("CUP", "TEA")
    world.feed(result(cup.command_id, "restock"))
    world.feed(result(tea.command_id, "restock", "rejected", code="unknown_sku"))
    world.feed(shown(cup))
    world.feed(deadline(100))
    assert drift(world) == []
