"""What the stock agent makes of an intent: commands, or the reason why not."""

import itertools
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Restock
from schemas.stock import RestockIntent, RestockVerdict, StockItem, StockLevel
from streams.domain import stock
from streams.domain.output import Output
from streams.domain.stock import Item, StockFact, decide_stock
from tests.unit.domain.factories import MAIN, MERCHANT, ORDER, Run, at, bundle, item, of, place, rules


def intent(name: str = "i1", sku: str = "TEE", hours: float = 5, **more: Any) -> RestockIntent:
    fields: dict[str, Any] = {"rma_id": "100", "unit_ids": ("u1",), "line_id": "L1", "quantity": 1}
    return RestockIntent(
        intent_id=name, merchant=MERCHANT, sku=sku, order_id=ORDER, system="shopify", location_id=MAIN,
        stock_status="available", generation=0, decided_at_ms=at(hours), **(fields | more),
    )  # fmt: skip


def level(location_id: str = MAIN, hours: float = 1, *, active: bool = True) -> StockLevel:
    return StockLevel(
        fact_id=f"level@{hours}{active}", merchant=MERCHANT, sku="TEE", system="shopify", item_id="I-TEE",
        location_id=location_id, observed_at_ms=at(hours), available=3, active=active,
    )  # fmt: skip


class Row:
    """A SKU fed with facts."""

    def __init__(self, **model: Any) -> None:
        self.rules = rules(**model)
        self.item: Item | None = None
        self.outputs: list[Output] = []

    def feed(self, *facts: StockFact) -> list[Output]:
        start = len(self.outputs)
        for fact in facts:
            self.item, made = decide_stock(self.item, fact, self.rules)
            self.outputs += made
        return self.outputs[start:]

    @property
    def word(self) -> tuple[str, str]:
        last = of(RestockVerdict, self.outputs)[-1]
        return last.verdict, last.reason or ""


@pytest.mark.req("INV-9")
@pytest.mark.parametrize("stocked", ["I-B", None])
def test_a_component_of_no_pieces_moves_nothing(stocked: str | None) -> None:
    row = Row()
    row.feed(bundle("SET", ("A", 2, "I-A"), ("B", 0, stocked)), intent(sku="SET", item_id="I-SET"))
    assert [(c.item_id, c.quantity) for c in of(Restock, row.outputs)] == [("I-A", 2)]
    assert [i.item_id for i in of(RestockIntent, row.outputs)] == ["I-A"]


@pytest.mark.req("INV-9", "EXC-1")
@pytest.mark.parametrize("counts", [(0,), (0, 0)])
def test_a_bundle_that_is_made_of_no_pieces_is_held_with_its_components(counts: tuple[int, ...]) -> None:
    row = Row()
    parts = [(f"C{n}", count, f"I-C{n}") for n, count in enumerate(counts)]
    row.feed(bundle("SET", *parts), intent(sku="SET", item_id="I-SET"))
    assert (row.word, of(Restock, row.outputs)) == (("impossible", "out_of_stock_component"), [])
    assert f"{counts[-1]} × C{len(counts) - 1}" in (of(RestockVerdict, row.outputs)[-1].detail or "")


@pytest.mark.req("INV-7", "INV-15", "OPS-2")
def test_an_intent_on_a_known_item_is_one_relative_command_with_the_intents_own_id() -> None:
    row = Row()
    row.feed(item(locations=(place(),)), intent(quantity=2))
    (command,) = of(Restock, row.outputs)
    assert (command.command_id, command.item_id, command.location_id, command.quantity) == ("i1", "I-TEE", MAIN, 2)
    assert (row.word, of(RestockVerdict, row.outputs)[0].command_ids) == (("commanded", ""), ("i1",))
    assert [o.topic for o in row.outputs] == ["shopify-commands", "restock-verdicts"]
    assert [o.key for o in row.outputs] == [f"{MERCHANT}|shopify:I-TEE".encode(), f"{MERCHANT}|{ORDER}".encode()]


def test_an_intent_waits_for_the_item_master_and_says_so() -> None:
    row = Row()
    row.feed(intent())
    assert row.word == ("waiting", "")
    row.feed(item())
    assert row.word == ("commanded", "")


@pytest.mark.req("INV-5", "INV-6", "INV-7", "INV-8")
@pytest.mark.parametrize(
    ("master", "more", "reason"),
    [
        (item(exists=False), {}, "unknown_sku"),
        (item(item_id=None), {}, "unknown_sku"),
        (item(is_parent=True), {}, "parent_item_targeted"),
        (item(variant_id="V2"), {"variant_id": "V1"}, "variant_missing_in_matrix"),
        (item(tracked=False), {}, "untracked_item"),
        (item(locations=(place(active=False),)), {}, "inactive_location"),
    ],
)
def test_what_cannot_be_put_back_is_stopped_before_any_call(
    master: StockItem, more: dict[str, str], reason: str
) -> None:
    row = Row()
    asked = replace(intent(), variant_id=more.get("variant_id"))
    row.feed(master, asked)
    assert (of(Restock, row.outputs), row.word) == ([], ("impossible", reason))
    row.feed(item(hours=9, variant_id=more.get("variant_id"), locations=(place(),)))
    assert row.word == ("commanded", "")


@pytest.mark.req("INV-5")
def test_the_newest_word_on_a_location_counts() -> None:
    row = Row()
    row.feed(item(locations=(place(),)), level(hours=3, active=False), level(hours=2), intent())
    assert row.word == ("impossible", "inactive_location")
    row.feed(level(hours=4))
    assert row.word == ("commanded", "")


def test_an_archived_product_still_takes_its_stock_back() -> None:
    row = Row()
    row.feed(item(active=False), intent())
    assert row.word == ("commanded", "")


@pytest.mark.req("INV-9")
def test_a_bundle_comes_back_as_its_components() -> None:
    row = Row()
    row.feed(bundle("SET", ("SOAP", 2, "I-SOAP"), ("DISH", 1, "I-DISH")), intent(sku="SET", quantity=3))
    commands = of(Restock, row.outputs)
    assert [(c.sku, c.item_id, c.quantity) for c in commands] == [("SOAP", "I-SOAP", 6), ("DISH", "I-DISH", 3)]
    assert of(RestockVerdict, row.outputs)[0].command_ids == tuple(c.command_id for c in commands)
    assert len({c.command_id for c in commands} | {"i1"}) == 3
    assert [o.key for o in row.outputs[:2]] == [f"{MERCHANT}|shopify:{name}".encode() for name in ("I-SOAP", "I-DISH")]


@pytest.mark.req("INV-9", "INV-13", "INV-17")
def test_a_component_is_told_its_part_of_a_bundle_and_never_commands_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "KEPT_INTENTS", 2)
    whole, soap = Row(), Row()
    made = whole.feed(bundle("SET", ("SOAP", 2, "I-SOAP")), *(intent(f"i{n}", sku="SET", hours=n) for n in range(3)))
    parts = of(RestockIntent, made)
    assert [p.intent_id for p in parts] == [c.command_id for c in of(Restock, made)]
    assert [(p.sku, p.quantity, p.part_of) for p in parts] == [("SOAP", 2, f"i{n}") for n in range(3)]
    assert soap.feed(*parts, item("SOAP"), *parts) == []
    assert soap.item is not None
    assert sorted(soap.item.asks) == sorted(part.intent_id for part in parts[1:])


@pytest.mark.req("INV-9")
def test_a_bundle_comes_back_whole_where_the_merchant_keeps_it_so() -> None:
    row = Row(bundles={"returned": "bundle"})
    row.feed(bundle("SET", ("SOAP", 2, "I-SOAP")), intent(sku="SET"))
    assert [(c.sku, c.item_id) for c in of(Restock, row.outputs)] == [("SET", "I-SET")]


@pytest.mark.req("INV-9")
def test_a_component_without_an_item_stops_the_bundle() -> None:
    row = Row()
    row.feed(bundle("SET", ("SOAP", 2, "I-SOAP"), ("DISH", 1, None)), intent(sku="SET"))
    assert (of(Restock, row.outputs), row.word) == ([], ("impossible", "out_of_stock_component"))


@pytest.mark.req("INV-13")
def test_a_repeated_intent_gives_the_same_commands_and_verdict_whatever_changed_since() -> None:
    row = Row()
    first = row.feed(item(), intent())
    row.feed(item(hours=9, item_id="I-OTHER"))
    assert row.feed(intent()) == first
    before = row.item
    row.feed(intent())
    assert row.item is before


@pytest.mark.req("INV-13")
def test_the_order_of_facts_changes_no_command() -> None:
    facts: list[StockFact] = [item(hours=1, item_id="I-OLD", exists=False), item(hours=2), intent("i1"), intent("i2")]
    ends = []
    for shuffled in itertools.permutations(facts):
        row = Row()
        row.feed(*shuffled)
        ends.append(sorted({c.command_id for c in of(Restock, row.outputs)}))
    assert all(end == ["i1", "i2"] for end in ends)


def test_unchanged_reasons_are_not_told_again() -> None:
    row = Row()
    row.feed(intent(), item(exists=False))
    assert row.feed(item(hours=3, exists=False)) == []
    assert row.feed(level()) == []


@pytest.mark.req("EXC-4")
def test_the_last_word_is_the_newest_whatever_the_clocks_of_the_systems_say() -> None:
    row = Row()
    row.feed(intent(hours=5), item(hours=1, tracked=False), item(hours=2, exists=False), item(hours=3, is_parent=True))
    said = of(RestockVerdict, row.outputs)
    assert [each.reason for each in said] == [None, "untracked_item", "unknown_sku", "parent_item_targeted"]
    assert [each.decided_at_ms - at(5) for each in said] == [0, 1, 2, 3]
    run = Run()
    run.feed(*said)
    assert run.case is not None
    assert run.case.learnt.answers["i1"].reason == "parent_item_targeted"


def test_only_the_latest_settled_intents_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "KEPT_INTENTS", 3)
    row = Row()
    row.feed(item())
    first = row.feed(intent("i0", hours=1))
    row.feed(*(intent(f"i{n}", hours=n + 1) for n in range(1, 6)))
    assert row.item is not None
    assert sorted(row.item.asks) == ["i3", "i4", "i5"]
    again = row.feed(intent("i0", hours=1))
    assert [c.command_id for c in of(Restock, again)] == [c.command_id for c in of(Restock, first)]


def test_the_verdicts_id_is_its_content() -> None:
    one, other = Row(), Row()
    one.feed(intent(), item(exists=False))
    other.feed(item(exists=False), intent())
    last = [of(RestockVerdict, row.outputs)[-1] for row in (one, other)]
    assert last[0].fact_id == last[1].fact_id
    assert replace(last[0], decided_at_ms=0) == replace(last[1], decided_at_ms=0)


def out_of(put: RestockIntent, **more: Any) -> RestockIntent:
    """The intent that undoes another one."""
    fields = {"intent_id": f"{put.intent_id}-out", "quantity": -put.quantity, "generation": put.generation + 1}
    return replace(put, **(fields | more))


@pytest.mark.req("INV-8", "INV-13")
def test_what_was_put_in_is_what_goes_out_although_the_sku_is_another_item_by_now() -> None:
    row = Row()
    put = intent()
    row.feed(item(), put, item(hours=6, item_id="I-NEW"), out_of(put))
    assert [(c.command_id, c.item_id, c.quantity) for c in of(Restock, row.outputs)] == [
        ("i1", "I-TEE", 1), ("i1-out", "I-TEE", -1),
    ]  # fmt: skip
    other = intent("i2", unit_ids=("u2",))
    row.feed(other, out_of(other))
    assert [(c.item_id, c.quantity) for c in of(Restock, row.outputs)[2:]] == [("I-NEW", 1), ("I-NEW", -1)]


@pytest.mark.req("INV-9", "INV-13")
def test_a_bundles_components_go_out_as_they_came_in_although_it_holds_others_by_now() -> None:
    row = Row()
    put = intent(sku="SET", bundle="components")
    row.feed(bundle("SET", ("SOAP", 2, "I-SOAP"), ("DISH", 1, "I-DISH")), put)
    came = of(Restock, row.outputs)
    row.feed(replace(bundle("SET", ("SOAP", 1, "I-OTHER")), fact_id="new", version_ms=at(6)), out_of(put))
    went = of(Restock, row.outputs)[len(came) :]
    assert [(c.sku, c.item_id, -c.quantity) for c in went] == [(c.sku, c.item_id, c.quantity) for c in came]
    assert len({c.command_id for c in (*came, *went)}) == 2 * len(came)


@pytest.mark.req("INV-13")
def test_the_newest_movement_into_that_place_is_the_one_that_goes_out() -> None:
    row = Row()
    first, again = intent(), replace(intent("i3"), generation=2)
    row.feed(item(), first, out_of(first), item(hours=6, item_id="I-NEW"), again, out_of(again))
    assert [(c.item_id, c.quantity) for c in of(Restock, row.outputs)] == [
        ("I-TEE", 1), ("I-TEE", -1), ("I-NEW", 1), ("I-NEW", -1),
    ]  # fmt: skip


def test_what_goes_out_of_a_row_that_forgot_how_it_came_in_goes_by_the_item_as_it_is() -> None:
    row = Row()
    row.feed(item(), out_of(intent()))
    assert [(c.item_id, c.quantity) for c in of(Restock, row.outputs)] == [("I-TEE", -1)]


@pytest.mark.req("INV-17")
def test_a_journal_entry_that_comes_before_its_intent_outlives_the_confirmation_of_others() -> None:
    row = Row()
    row.feed(item(), intent("i1"))
    assert row.feed(replace(level(), fact_id="e2", reference="i2")) == []
    confirmed = row.feed(replace(level(), fact_id="e1", reference="i1"))
    assert [(v.intent_id, v.verdict) for v in of(RestockVerdict, confirmed)] == [("i1", "confirmed")]
    later = of(RestockVerdict, row.feed(intent("i2")))
    assert [(v.intent_id, v.verdict) for v in later] == [("i2", "commanded"), ("i2", "confirmed")]


@pytest.mark.req("INV-17")
def test_entries_that_are_read_again_do_not_push_out_one_that_waits_for_its_intent() -> None:
    row = Row()
    row.feed(item(), *(intent(f"i{n}") for n in range(60)), replace(level(), fact_id="new", reference="late"))
    for reading in range(2):
        row.feed(*(replace(level(), fact_id=f"e{n}/{reading}", reference=f"i{n}") for n in range(60)))
    later = of(RestockVerdict, row.feed(intent("late")))
    assert [(v.intent_id, v.verdict) for v in later] == [("late", "commanded"), ("late", "confirmed")]


@pytest.mark.req("INV-9", "INV-14")
def test_a_component_that_is_listed_twice_is_put_back_with_both_its_quantities() -> None:
    row = Row()
    row.feed(bundle("SET", ("CUP", 1, "I-CUP"), ("DISH", 1, "I-DISH"), ("CUP", 2, "I-CUP")), intent(sku="SET"))
    made = of(Restock, row.outputs)
    assert [(c.sku, c.quantity) for c in made] == [("CUP", 3), ("DISH", 1)]
    assert len({c.command_id for c in made}) == 2
    row.feed(replace(intent("i2", "SET"), quantity=-1, generation=1))
    assert [(c.sku, c.quantity) for c in of(Restock, row.outputs)[2:]] == [("CUP", -3), ("DISH", -1)]
