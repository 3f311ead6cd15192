"""A merchant's rules are mended: what waited for them goes on, and the case's history says by which rules."""

from typing import Any

import pytest

from schemas import ids, topics
from schemas.codec import Codec
from schemas.commands import Refund, Restock
from schemas.journal import CaseStep
from schemas.merchant import Merchant
from schemas.stock import RestockIntent, RestockVerdict, row_key
from streams.agents.cases import Cases
from streams.agents.edge import Edge
from streams.agents.stock import Stock
from streams.domain.learn import Fact
from streams.domain.state import Case
from streams.shell.contract import Record
from tests.unit.domain.factories import MERCHANT, ORDER, asked, at, bundle, inspected, order, unit
from tests.unit.domain.merchants import DOCK, merchant

CODEC = Codec()
KEY = ids.order_key(MERCHANT, ORDER)
UNMAPPED, MAPPED = merchant(locations=()), merchant(locations=(DOCK,))


def record(topic: str, value: bytes | None, key: bytes, offset: int = 7) -> Record:
    return Record(topic=topic, partition=3, offset=offset, timestamp_ms=at(9), key=key, value=value)


def intent(sku: str, item_id: str | None) -> RestockIntent:
    return RestockIntent(
        intent_id="i1", merchant=MERCHANT, sku=sku, order_id=ORDER, rma_id="100", unit_ids=("u1",), line_id="L1",
        quantity=1, system="shopify", location_id="11", stock_status="available", generation=0, decided_at_ms=at(5),
        item_id=item_id,
    )  # fmt: skip


class World:
    """Both cores, the rows as they are stored, and rules that may change."""

    def __init__(self, rules: Merchant) -> None:
        self.merchants = {MERCHANT: rules}
        edge = Edge(CODEC, self.merchants)
        self.cases, self.stock = Cases(edge), Stock(edge)
        self.rows: dict[tuple[Any, bytes], bytes] = {}

    def decide(self, core: Any, topic: str, value: bytes | None, key: bytes) -> list[Any]:
        row = self.rows.get((core, key))
        decided = core.decide(None if row is None else core.load(row), record(topic, value, key))
        if decided.state is not None:
            self.rows[core, key] = core.dump(decided.state)
        return [CODEC.decode(each.value) for each in decided.outputs]

    def order(self, *facts: Fact) -> list[Any]:
        made: list[Any] = []
        for fact in facts:
            topic = topics.ORDER_SNAPSHOTS if "Snapshot" in type(fact).__name__ else topics.RETURN_EVENTS
            made += self.decide(self.cases, topic, CODEC.encode(fact), KEY)
        return made

    def reviewed(self, core: Any, key: bytes = KEY) -> list[Any]:
        """What follows when the shell has a stale row decided on anew."""
        row = self.rows[core, key]
        assert core.stale(key, row)
        output = core.again(key, row)
        made = self.decide(core, output.topic, output.value, output.key)
        assert not core.stale(key, self.rows[core, key])
        return made


def waiting_for_a_location(world: World) -> None:
    world.order(order(), *asked(unit()), inspected(unit()))
    case: Case = world.cases.load(world.rows[world.cases, KEY])
    assert [n.type for n in case.notices.values() if n.open] == ["unmapped_location"]
    assert not world.cases.stale(KEY, world.rows[world.cases, KEY])


@pytest.mark.req("INV-2", "OPS-2")
def test_a_line_at_an_unmapped_location_goes_on_when_the_location_is_mapped() -> None:
    world = World(UNMAPPED)
    waiting_for_a_location(world)
    world.merchants[MERCHANT] = MAPPED
    made = world.reviewed(world.cases)
    (intent,) = [each for each in made if isinstance(each, RestockIntent)]
    assert intent.location_id == "11"
    steps = [each for each in made if isinstance(each, CaseStep)]
    (told,) = [each for each in steps if each.what == "configuration"]
    assert (told.step, told.rma_id, told.unit_ids) == ("learned", intent.rma_id, intent.unit_ids)
    assert told.detail == f"judged by the configuration {MAPPED.digest}, before by {UNMAPPED.digest}"
    assert [each.what for each in steps].index("configuration") < [each.what for each in steps].index("restock")
    assert "cleared" in {each.step for each in steps}


@pytest.mark.req("INV-13")
def test_a_review_that_comes_again_orders_nothing_again() -> None:
    world = World(UNMAPPED)
    waiting_for_a_location(world)
    world.merchants[MERCHANT] = MAPPED
    output = world.cases.again(KEY, world.rows[world.cases, KEY])
    first = world.decide(world.cases, output.topic, output.value, output.key)
    assert any(isinstance(each, RestockIntent) for each in first)
    row = world.rows[world.cases, KEY]
    assert world.decide(world.cases, output.topic, output.value, output.key) == []
    assert world.rows[world.cases, KEY] == row


def test_the_next_fact_does_as_well_and_says_so_too() -> None:
    world = World(UNMAPPED)
    waiting_for_a_location(world)
    world.merchants[MERCHANT] = MAPPED
    made = world.order(inspected(unit(), hours=6))
    assert any(isinstance(each, RestockIntent) for each in made)
    assert [each.what for each in made if isinstance(each, CaseStep)].count("configuration") == 1
    assert not world.cases.stale(KEY, world.rows[world.cases, KEY])


def test_rules_that_change_nothing_for_a_case_say_nothing_in_its_history() -> None:
    world = World(UNMAPPED)
    waiting_for_a_location(world)
    world.merchants[MERCHANT] = merchant(locations=({**DOCK, "code": "elsewhere"},))
    assert [each for each in world.reviewed(world.cases) if isinstance(each, CaseStep)] == []


@pytest.mark.req("MON-1")
def test_money_that_waited_for_rules_is_paid_once() -> None:
    after_restock = {"refunding": {"after": "restocked"}}
    world = World(merchant(model=after_restock))
    made = world.order(order(), *asked(unit()), inspected(unit()))
    assert not [each for each in made if isinstance(each, Refund)]
    world.merchants[MERCHANT] = merchant()
    assert len([each for each in world.reviewed(world.cases) if isinstance(each, Refund)]) == 1


def test_a_closed_case_is_left_alone_and_so_is_one_without_a_file() -> None:
    world = World(UNMAPPED)
    waiting_for_a_location(world)
    row = world.rows[world.cases, KEY]
    del world.merchants[MERCHANT]
    assert not world.cases.stale(KEY, row)
    world.merchants[MERCHANT] = MAPPED
    world.order(order())
    case = world.cases.load(row)
    assert world.cases.stale(KEY, row)
    closed = world.cases.dump(Case(None, case.learnt, walked=True, judged_by="another"))
    assert not world.cases.stale(KEY, closed)


def test_rows_from_before_there_were_digests_are_judged_once() -> None:
    world = World(UNMAPPED)
    waiting_for_a_location(world)
    case = world.cases.load(world.rows[world.cases, KEY])
    old = world.cases.dump(Case(None, case.learnt, case.decided, case.open, case.notices, case.waiting))
    world.rows[world.cases, KEY] = old
    assert world.reviewed(world.cases) is not None


@pytest.mark.req("INV-8")
def test_an_intent_that_was_impossible_by_the_old_rules_is_commanded_by_the_new_ones() -> None:
    world = World(merchant(locations=(DOCK,), model={"bundles": {"returned": "components"}}))
    item = bundle("SET", ("CUP", 2, None))  # a part without an item of its own
    key = row_key(item)
    world.decide(world.stock, topics.STOCK_ITEMS, CODEC.encode(item), key)
    asked_for = intent("SET", item_id=item.item_id)
    (word,) = world.decide(world.stock, topics.RESTOCK_INTENTS, CODEC.encode(asked_for), key)
    assert (word.verdict, word.reason) == ("impossible", "out_of_stock_component")
    assert not world.stock.stale(key, world.rows[world.stock, key])
    world.merchants[MERCHANT] = merchant(locations=(DOCK,), model={"bundles": {"returned": "bundle"}})
    made = world.reviewed(world.stock, key)
    assert [type(each) for each in made] == [Restock, RestockVerdict]
    assert not world.stock.stale(key, world.rows[world.stock, key])
    world.merchants[MERCHANT] = merchant(locations=(DOCK,))
    assert not world.stock.stale(key, world.rows[world.stock, key])  # nothing waits


def test_an_intent_that_waits_for_its_item_waits_for_no_rules() -> None:
    world = World(merchant(locations=(DOCK,)))
    asked_for = intent("CUP", item_id="1")
    key = row_key(asked_for)
    world.decide(world.stock, topics.RESTOCK_INTENTS, CODEC.encode(asked_for), key)
    world.merchants[MERCHANT] = merchant(locations=())
    assert world.stock.again(key, world.rows[world.stock, key]) is None


def test_a_fact_that_is_faster_than_its_merchants_file_is_not_set_aside() -> None:
    """A source may take a new file up before the agent does."""
    merchants: dict[str, Merchant] = {}
    core = Cases(Edge(CODEC, merchants, lambda: merchants.update({MERCHANT: MAPPED})))
    assert core.decide(None, record(topics.ORDER_SNAPSHOTS, CODEC.encode(order()), KEY)).state is not None
