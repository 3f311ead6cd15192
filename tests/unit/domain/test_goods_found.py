"""Which item is meant: ids say it, a SKU only finds it, and a guess is never made (INV-19)."""

import itertools
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Refund, Restock
from schemas.facts import OrderLine
from schemas.stock import Component, RestockIntent, RestockVerdict, StockItem, row_key
from streams.domain import stock
from streams.domain.stock import decide_stock
from tests.unit.domain.factories import MERCHANT, Run, asked, at, counted, inspected, item, line, of, order, rules, unit
from tests.unit.domain.goods import found_by_sku
from tests.unit.domain.test_stock import Row, intent, out_of
from tests.unit.domain.world import AnyFact, World

RED = item("MUG", item_id="I-RED", variant_id="V-RED", options=("Red",))
BLUE = item("MUG", item_id="I-BLUE", variant_id="V-BLUE", options=("Blue",))
OLD = replace(RED, active=False)


def passed(row: Row) -> list[tuple[str | None, str]]:
    return [(i.item_id, i.sku) for i in of(RestockIntent, row.outputs)]


def mug(name: str = "i1", **more: Any) -> RestockIntent:
    return intent(name, "mug ", **more)


@pytest.mark.req("INV-19")
@pytest.mark.parametrize(
    ("found", "more", "item_id"),
    [
        ((RED,), {}, "I-RED"),
        ((RED, BLUE), {"variant_id": "V-BLUE"}, "I-BLUE"),
        ((RED, BLUE), {"options": ("blue ",)}, "I-BLUE"),
        ((OLD, BLUE), {}, "I-BLUE"),
        ((OLD,), {"variant_id": "V-RED"}, "I-RED"),  # the archived item is the one that came back
        ((RED,), {"options": ("Default Title",)}, "I-RED"),
        ((replace(RED, options=()),), {"options": ("Blue",)}, "I-RED"),
        ((replace(RED, options=("EU 38 / UK 5", "Red")), BLUE), {"options": ("EU 38", "UK 5", "Red")}, "I-RED"),
    ],
)
def test_the_one_item_that_is_meant_gets_the_intent(
    found: tuple[StockItem, ...], more: dict[str, Any], item_id: str
) -> None:
    row = Row()
    row.feed(found_by_sku(*found), mug(**more))
    assert passed(row) == [(item_id, "MUG")]
    assert not [*of(RestockVerdict, row.outputs), *of(Restock, row.outputs)]  # its own row gives the word
    assert row.outputs[-1].key == f"{MERCHANT}|shopify:{item_id}".encode()


@pytest.mark.req("INV-7", "INV-8", "INV-19")
@pytest.mark.parametrize(
    ("found", "more", "reason"),
    [
        ((RED, BLUE), {}, "ambiguous_sku"),
        ((RED, BLUE), {"options": ("Green",)}, "variant_missing_in_matrix"),
        ((RED,), {"options": ("Blue",)}, "variant_missing_in_matrix"),
        ((RED, BLUE), {"variant_id": "V-GONE"}, "variant_missing_in_matrix"),
        ((OLD,), {}, "archived_item"),
        ((OLD, replace(BLUE, active=False)), {}, "archived_item"),
        ((), {}, "unknown_sku"),
        ((), {"variant_id": "V-GONE"}, "deleted_item"),
    ],
)
def test_none_several_and_archived_hits_are_raised_apart(
    found: tuple[StockItem, ...], more: dict[str, Any], reason: str
) -> None:
    row = Row()
    index = found_by_sku(*found) if found else item("MUG", exists=False)
    row.feed(mug(**more), index)
    assert (passed(row), row.word) == ([], ("impossible", reason))
    told = row.outputs[-1].record
    assert isinstance(told, RestockVerdict)
    assert told.detail
    row.feed(replace(found_by_sku(replace(RED, options=more.get("options", ()))), version_ms=at(9), fact_id="later"))
    assert (passed(row) == [("I-RED", "MUG")]) == ("variant_id" not in more)


@pytest.mark.req("INV-19")
@pytest.mark.parametrize("found", [(), (RED,), (OLD,), (RED, BLUE)])
def test_nothing_is_judged_from_a_list_that_was_cut_off(found: tuple[StockItem, ...]) -> None:
    index = replace(found_by_sku(*found) if found else item("MUG", exists=False), cut=True)
    for more in ({}, {"variant_id": "V-GONE"}, {"options": ("Green",)}):
        row = Row()
        row.feed(mug(**more), index)
        assert (passed(row), row.word) == ([], ("impossible", "ambiguous_sku"))
    row.feed(replace(found_by_sku(RED), version_ms=at(9), fact_id="whole"))
    assert passed(row) == []  # whole now, and what was returned is green
    named = Row()
    named.feed(mug(variant_id="V-RED"), replace(found_by_sku(RED, BLUE), cut=True))
    assert passed(named) == [("I-RED", "MUG")]  # an id that was found needs no more


@pytest.mark.req("INV-13", "INV-19")
def test_whatever_comes_first_the_item_gets_one_command_and_the_case_its_word() -> None:
    for facts in itertools.permutations([RED, found_by_sku(RED), mug(), intent("i2", "MUG", item_id="I-RED")]):
        rows: dict[bytes, Row] = {}
        queue: list[Any] = [*facts, mug()]
        made: list[Any] = []
        while queue:
            fact = queue.pop(0)
            outputs = rows.setdefault(row_key(fact), Row()).feed(fact)
            made += outputs
            queue += of(RestockIntent, outputs)
        assert set(rows) == {f"{MERCHANT}|sku:mug".encode(), f"{MERCHANT}|shopify:I-RED".encode()}
        commands = {c.command_id: (c.item_id, c.sku) for c in of(Restock, made)}
        assert commands == {"i1": ("I-RED", "MUG"), "i2": ("I-RED", "MUG")}
        assert {o.key for o in made if isinstance(o.record, Restock)} == {f"{MERCHANT}|shopify:I-RED".encode()}
        words = [v for v in of(RestockVerdict, made) if v.intent_id == "i1"]
        assert max(words, key=lambda v: v.decided_at_ms).verdict == "commanded"


@pytest.mark.req("INV-19")
@pytest.mark.parametrize(
    ("told", "ends"),
    [("X1", ["I-2"]), (" X1", ["I-2"]), ("x1", ["I-1"]), ("OLD", "archived_item"), ("Old", ["I-4"]), ("oLD", ["I-4"])],
)
def test_of_skus_that_differ_in_case_alone_the_one_that_is_spelled_so_is_meant(told: str, ends: object) -> None:
    upper, lower = item("X1", item_id="I-2"), item("x1", item_id="I-1")
    gone, new = item("OLD", item_id="I-3", active=False), item("Old", item_id="I-4")
    row = Row()
    index = found_by_sku(upper, lower) if told.strip().lower() == "x1" else found_by_sku(gone, new)
    row.feed(index, intent("i1", told))
    assert ([each for each, _ in passed(row)] or row.word[1]) == ends


@pytest.mark.req("INV-18", "INV-19")
@pytest.mark.parametrize(("told", "item_id"), [("X1", "I-2"), ("x1 ", "I-1")])
def test_a_door_that_spells_a_sku_as_one_line_has_it_means_that_line(told: str, item_id: str) -> None:
    two = [replace(line(f"L{n}", s), item_id=f"I-{n}", variant_id=f"V-{n}") for n, s in ((1, "x1"), (2, "X1"))]
    run = Run(rules(inspecting={"source": "warehouse"}))
    back = (unit("u1", "L1", "x1"), unit("u2", "L2", "X1"))
    run.feed(order(*two), *asked(*back), counted(1, sku=told, line_id=None))
    assert [i.item_id for i in run.intents] == [item_id]
    run.feed(counted(1, sku="X1" if item_id == "I-1" else "x1", line_id=None, hours=6))
    assert sorted(i.item_id or "" for i in run.intents) == ["I-1", "I-2"]
    named = Run()
    named.feed(order(*two), *asked(unit("u1", None, told)), inspected(unit("u1", None, told)))
    assert [i.item_id for i in named.intents] == [item_id]


@pytest.mark.req("INV-8", "INV-13", "INV-19")
def test_what_its_sku_found_once_is_what_goes_out_although_it_finds_another_by_now() -> None:
    row = Row()
    put = mug()
    row.feed(found_by_sku(RED), put, replace(found_by_sku(BLUE), version_ms=at(6), fact_id="later"), out_of(put))
    assert passed(row) == [("I-RED", "MUG"), ("I-RED", "MUG")]
    row.feed(mug("i2", unit_ids=("u2",)))
    assert passed(row)[-1] == ("I-BLUE", "MUG")


@pytest.mark.req("INV-19")
def test_what_names_no_item_ends_at_once_and_leaves_nothing_in_any_row() -> None:
    row = Row()
    for number in range(3):
        row.feed(intent(f"i{number}", ""))
        assert row.word == ("impossible", "no_item")
    assert row.item is not None
    assert row.item.asks == {}
    assert row_key(intent("i1", " ")) == f"{MERCHANT}|sku:".encode()


@pytest.mark.req("INV-14", "INV-19")
def test_a_row_of_what_cannot_be_done_stays_bounded_and_nobody_is_left_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stock, "KEPT_WAITING", 3)
    row = Row()
    row.feed(found_by_sku(RED, BLUE), *(mug(f"i{n}", unit_ids=(f"u{n}",)) for n in range(9)))
    assert row.item is not None
    assert sorted(row.item.asks) == ["i0", "i1", "i2"]
    assert [v.intent_id for v in of(RestockVerdict, row.outputs)] == [f"i{n}" for n in range(9)]
    row.feed(replace(found_by_sku(BLUE), version_ms=at(9), fact_id="later"), mug("i7", unit_ids=("u7",)))
    assert [i.intent_id for i in of(RestockIntent, row.outputs)] == ["i0", "i1", "i2", "i7"]


def test_a_variant_without_a_sku_is_found_by_its_id() -> None:
    asked_for = intent("i1", "", variant_id="V-RED")
    index = replace(found_by_sku(replace(RED, sku="")), variant_id="V-RED")
    assert row_key(index) == row_key(asked_for) == f"{MERCHANT}|shopify:variant:V-RED".encode()
    row = Row()
    row.feed(asked_for, index)
    assert passed(row) == [("I-RED", "")]
    row.feed(intent("i2", "", variant_id="V-RED"), replace(index, hits=(), exists=False, version_ms=at(9), fact_id="n"))
    row.feed(intent("i3", "", variant_id="V-RED"))
    assert row.word == ("impossible", "deleted_item")


@pytest.mark.req("INV-9", "INV-19")
@pytest.mark.parametrize("skus", [("", ""), ("CUP", "CUP"), ("CUP", "")])
def test_each_component_gets_its_own_items_stock_whatever_its_sku(skus: tuple[str, str]) -> None:
    parts = ((skus[0], 2, "I-A"), (skus[1], 1, "I-B"), (skus[0], 1, "I-A"))
    master = replace(item("SET"), components=tuple(Component(sku=s, quantity=q, item_id=i) for s, q, i in parts))
    row = Row()
    put = intent(sku="SET", bundle="components")
    row.feed(master, put)
    came = of(Restock, row.outputs)
    assert [(c.item_id, c.quantity) for c in came] == [("I-A", 3), ("I-B", 1)]
    assert len({c.command_id for c in came}) == 2
    assert [o.key.decode().rpartition(":")[2] for o in row.outputs[:4]] == ["I-A", "I-B", "I-A", "I-B"]
    row.feed(out_of(put))
    went = [c for c in of(Restock, row.outputs) if c.quantity < 0]
    assert [(c.item_id, c.quantity) for c in went] == [("I-A", -3), ("I-B", -1)]
    assert len({c.command_id for c in (*came, *went)}) == 4


@pytest.mark.req("INV-9")
def test_a_bundle_of_more_pieces_than_a_command_can_hold_is_raised() -> None:
    master = replace(item("SET"), components=(Component(sku="CUP", quantity=1000, item_id="I-CUP"),))
    row = Row()
    row.feed(master, intent(sku="SET", bundle="components", quantity=1001))
    assert (row.word, of(Restock, row.outputs)) == (("impossible", "over_quantity"), [])
    row.feed(intent("i2", sku="SET", bundle="components", quantity=1000))
    assert [c.quantity for c in of(Restock, row.outputs)] == [1_000_000]


# from the case on


def bare(line_id: str, **more: Any) -> OrderLine:
    """A line that its variant names, or nothing at all."""
    return replace(line(line_id, ""), **more)


@pytest.mark.req("INV-1", "INV-19")
def test_a_line_without_a_sku_is_restocked_by_the_item_of_its_variant() -> None:
    one, two = bare("L1", item_id="I-1", variant_id="V-1"), bare("L2", item_id="I-2", variant_id="V-2")
    run = Run()
    back = (unit("u1", "L1", ""), unit("u2", "L2", ""))
    run.feed(order(one, two), *asked(*back), *(inspected(each) for each in back))
    assert [(i.sku, i.item_id, i.variant_id) for i in run.intents] == [("", "I-1", "V-1"), ("", "I-2", "V-2")]
    assert len({row_key(i) for i in run.intents}) == 2
    assert run.open == []


@pytest.mark.req("INV-19", "MON-1", "EXC-1")
def test_a_line_that_names_no_item_is_raised_at_once_for_its_own_units_and_paid() -> None:
    custom = bare("L1", item_id=None, variant_id=None)
    run = Run()
    back = (unit("u1", "L1", ""), unit("u2", "L2", "CAP"))
    run.feed(order(custom, line("L2", "CAP", price=500)), *asked(*back))
    assert run.open == []
    run.feed(*(inspected(each) for each in back))
    assert [i.unit_ids for i in run.intents] == [("u2",)]
    raised = run.raised("no_item")
    assert (raised.unit_ids, raised.owner) == (("u1",), "warehouse")
    assert "u1" in {u for r in run.commands(Refund) for u in r.unit_ids}


@pytest.mark.req("INV-19")
def test_nothing_is_raised_for_such_goods_that_would_go_into_no_stock() -> None:
    custom = bare("L1", item_id=None, variant_id=None)
    for disposition in ("missing", "not_returned"):
        run = Run()
        run.feed(order(custom), *asked(unit(sku="")), inspected(unit(sku=""), disposition=disposition))
        assert "no_item" not in run.open
    run = Run(rules(restocking={"actor": "returngo"}))
    run.feed(order(custom), *asked(unit(sku="")), inspected(unit(sku="")))
    assert "no_item" not in run.open


@pytest.mark.req("INV-8", "INV-19")
@pytest.mark.parametrize("named", [{"line_id": "L2"}, {"line_id": None, "variant_id": "V-2"}])
def test_of_two_variants_with_one_sku_the_one_that_was_sold_comes_back(named: dict[str, Any]) -> None:
    two = [replace(line(f"L{n}", "MUG"), item_id=f"I-{n}", variant_id=f"V-{n}") for n in (1, 2)]
    run = Run()
    back = unit(sku="MUG", **named)
    run.feed(order(*two), *asked(back), inspected(back))
    assert [(i.line_id, i.item_id) for i in run.intents] == [("L2", "I-2")]


@pytest.mark.req("INV-18", "INV-19")
@pytest.mark.parametrize("told", ["TEE ", " tee", "Tee"])
def test_a_door_may_spell_the_sku_as_it_likes(told: str) -> None:
    run = Run(rules(inspecting={"source": "warehouse"}))
    back = unit(line_id=None, sku=told)
    run.feed(order(), *asked(back), counted(1, sku=told, line_id=None))
    assert [(i.item_id, i.line_id, i.sku) for i in run.intents] == [("I-TEE", "L1", "TEE")]
    assert run.open == []


@pytest.mark.req("INV-7", "INV-19")
def test_a_line_whose_variant_is_deleted_is_found_by_its_sku_with_what_the_return_says_of_it() -> None:
    gone = replace(line("L1", "MUG"), item_id=None, variant_id=None)
    world = World(rules())
    back = unit(sku="mug", variant_id="V-OLD", options=("Red",))
    facts: list[AnyFact] = [order(gone), *asked(back), inspected(back)]
    for fact in facts:
        world.feed(fact)
    world.feed(item("MUG", exists=False))
    words = [o.record for o in world.outputs if isinstance(o.record, RestockVerdict)]
    assert [(w.verdict, w.reason) for w in words] == [("waiting", None), ("impossible", "deleted_item")]
    (wanted,) = {i.options for i in of(RestockIntent, world.outputs)}
    assert wanted == ("Red",)


def test_one_item_found_by_its_id_and_by_its_sku_is_one_row() -> None:
    world = World(rules())
    sold = replace(line("L2", "TEE"), item_id=None, variant_id=None)
    back = (unit("u1", "L1"), unit("u2", "L2"))
    facts: list[AnyFact] = [order(line("L1"), sold), item(), *asked(*back), *(inspected(each) for each in back)]
    for fact in facts:
        world.feed(fact)
    assert {c.item_id for c in of(Restock, world.outputs)} == {"I-TEE"}
    assert len({o.key for o in world.outputs if isinstance(o.record, Restock)}) == 1
    assert sorted(world.items) == [f"{MERCHANT}|shopify:I-TEE", f"{MERCHANT}|sku:tee"]


def test_a_row_keyed_by_its_item_decides_as_one_that_knows_only_the_sku() -> None:
    state, _ = decide_stock(None, item(), rules())
    _, made = decide_stock(state, intent(), rules())
    assert [(c.item_id, c.command_id) for c in of(Restock, made)] == [("I-TEE", "i1")]
