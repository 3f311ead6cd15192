"""Two items of one order that carry one SKU: a count by that SKU alone tells which came back only once it covers both
(INV-19)."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Refund
from schemas.facts import ReturnedUnit, ReturnEvent
from streams.domain.learn import Fact
from tests.unit.domain.factories import Run, asked, counted, event, inspected, line, order, paid, rules, unit
from tests.unit.domain.merchants import merchant

WAREHOUSE = rules(inspecting={"source": "warehouse"})
EITHER = rules(inspecting={"source": "either"})
RED = replace(line("L1", "MUG", price=1000), item_id="I-RED", variant_id="V-RED")
BLUE = replace(line("L2", "MUG", price=3000), item_id="I-BLUE", variant_id="V-BLUE")
U1, U2 = unit("u1", "L1", "MUG"), unit("u2", "L2", "MUG")
SOLD: Fact = order(RED, BLUE)
BOTH: list[Fact] = [SOLD, *asked(U1, U2)]


def mugs(quantity: int, disposition: Any = "sellable", hours: float = 5, **more: Any) -> ReturnEvent:
    """Counted by SKU alone."""
    return counted(quantity, disposition, hours, **({"line_id": None, "sku": "MUG"} | more))


def told(facts: Sequence[Fact], model: Any = WAREHOUSE) -> Run:
    run = Run(model)
    run.feed(*facts)
    return run


def items(run: Run) -> list[str]:
    return sorted(str(intent.item_id) for intent in run.intents)


@pytest.mark.req("INV-19", "INV-13")
@pytest.mark.parametrize("rma", ["100", ""])
@pytest.mark.parametrize("disposition", ["sellable", "damaged"])
def test_one_piece_of_two_items_is_held_until_it_is_told_which(rma: str, disposition: str) -> None:
    run = told([*BOTH, mugs(1, disposition, rma=rma)])
    assert (run.intents, run.commands(Refund), run.open) == ([], [], ["ambiguous_sku"])
    assert run.waits() == {"u1": "item_told", "u2": "item_told"}
    shown = run.raised("ambiguous_sku")
    assert (shown.unit_ids, shown.sku, shown.rma_id) == (("u1", "u2"), "MUG", "100")
    assert "L1, L2" in shown.detail


@pytest.mark.req("INV-19")
@pytest.mark.parametrize("counts", [[mugs(2)], [mugs(1), mugs(1, n=1)], [mugs(1, rma=""), mugs(1)]])
def test_a_count_that_covers_both_whole_needs_no_line(counts: list[ReturnEvent]) -> None:
    for facts in itertools.permutations([*BOTH[1:], *counts]):
        run = told([SOLD, *facts])
        run.restock()
        assert (items(run), paid(run), run.open) == (["I-BLUE", "I-RED"], [4000], [])


@pytest.mark.req("INV-19")
@pytest.mark.parametrize("other", [mugs(1, "damaged"), mugs(1, "missing"), mugs(1, location="W2", n=1)])
def test_pieces_that_are_not_alike_are_held_however_many_they_are(other: ReturnEvent) -> None:
    run = told([*BOTH, mugs(1), other])
    assert (run.intents, run.open) == ([], ["ambiguous_sku"])


@pytest.mark.req("INV-19")
def test_a_later_count_by_line_tells_which_piece_was_held() -> None:
    named = mugs(1, hours=9, line_id="L2")
    for facts in itertools.permutations([*BOTH[1:], mugs(1), named]):
        run = told([SOLD, *facts])
        assert (items(run), run.waits()["u1"], run.open) == (["I-BLUE"], "inspected", [])
    run.feed(mugs(1, hours=10))
    assert items(run) == ["I-BLUE", "I-RED"]  # a piece of its own, and only one item is left that it can be


@pytest.mark.req("INV-19")
def test_a_piece_is_that_of_the_only_item_that_is_left() -> None:
    run = told([*BOTH, mugs(1, line_id="L1"), mugs(1, hours=9)])
    assert (items(run), run.open) == (["I-BLUE", "I-RED"], [])


@pytest.mark.req("INV-19")
def test_the_unit_that_the_platform_inspected_alike_is_the_one_that_was_counted() -> None:
    run = told([*BOTH, mugs(1), inspected(U2, hours=6)], EITHER)
    assert (items(run), run.waits()["u1"], run.open) == (["I-BLUE"], "inspected", [])


@pytest.mark.req("INV-13", "INV-19")
@pytest.mark.parametrize("disposition", ["sellable", "damaged"])
@pytest.mark.parametrize("first", ["L1", "L2"])
def test_what_was_put_back_before_the_other_item_was_asked_for_stays_so(first: str, disposition: str) -> None:
    mine, other = (U1, U2) if first == "L1" else (U2, U1)
    run = told([SOLD, *asked(mine, rma="200"), mugs(1, disposition, rma="")])
    run.restock()
    before = (items(run), paid(run))
    assert before == ([f"I-{'RED' if first == 'L1' else 'BLUE'}"], [1000 if first == "L1" else 3000])
    run.feed(*asked(other, rma="100", hours=20))
    assert ((items(run), paid(run)), run.open) == (before, [])
    assert run.waits()[other.unit_id] == "inspected"
    run.feed(mugs(1, disposition, rma="", hours=21))
    assert items(run) == ["I-BLUE", "I-RED"]


@pytest.mark.req("INV-19", "ELG-1")
def test_more_pieces_than_both_items_have_units_are_raised() -> None:
    run = told([*BOTH, mugs(3)])
    assert (items(run), run.open) == (["I-BLUE", "I-RED"], ["over_quantity"])


@pytest.mark.req("INV-19")
def test_two_lines_of_one_item_need_no_word() -> None:
    again = replace(BLUE, item_id="I-RED", variant_id="V-RED")
    run = told([order(RED, again), *asked(U1, U2), mugs(1)])
    assert (items(run), run.open, run.waits()["u2"]) == (["I-RED"], [], "inspected")


@pytest.mark.req("INV-19")
def test_a_cancelled_return_of_the_other_item_makes_nothing_unclear() -> None:
    run = told([SOLD, *asked(U1, rma="100"), *asked(U2, rma="200"), event("cancelled", rma="200", hours=3)])
    run.feed(mugs(1, rma=""))
    assert (items(run), run.open) == (["I-RED"], ["status_conflict"])


@pytest.mark.req("INV-19")
def test_a_count_that_names_its_return_means_the_item_of_that_return() -> None:
    run = told([SOLD, *asked(U1, rma="100"), *asked(U2, rma="200"), mugs(1, rma="200")])
    assert (items(run), run.open, run.waits()["u1"]) == (["I-BLUE"], [], "inspected")


@pytest.mark.req("INV-19")
def test_spellings_that_differ_in_case_are_two_items_and_each_arrives_by_itself() -> None:
    one, other = line("L1", "x1"), line("L2", "X1")
    units = unit("u1", "L1", "x1"), unit("u2", "L2", "X1")
    run = told([order(one, other), *asked(*units)])
    run.feed(replace(counted(1, line_id=None, sku="X1", hours=6, rma=""), kind="received", fact_id="door/arrival"))
    assert (run.stages()["u1"], run.stages()["u2"]) == ("approved", "received")
    run.feed(counted(1, line_id=None, sku="X1", hours=7))
    assert (items(run), run.stages()["u1"]) == (["I-X1"], "approved")


@pytest.mark.req("INV-19", "EXC-1")
@pytest.mark.parametrize(("sku", "raised"), [("CAP", ["contradicting_fact"]), ("TEE-2", []), ("", []), (" tee", [])])
def test_a_line_that_is_counted_with_the_sku_of_another_line_is_held(sku: str, raised: list[str]) -> None:
    run = told([order(line(), line("L2", "CAP")), *asked(unit()), counted(1, sku=sku)])
    assert (run.open, len(run.intents), len(run.commands(Refund))) == (raised, int(not raised), int(not raised))
    if raised:
        assert "line L1: TEE / warehouse: CAP" in run.raised(raised[0]).detail


def _box(name: str, line_id: str, item: str, price: int) -> Any:
    return replace(
        line(line_id, f"CUP-{name}", price=price, bundle_sku="BOX", bundle_quantity=1, bundle_id=name), item_id=item
    )


@pytest.mark.req("INV-9", "INV-19")
@pytest.mark.parametrize(("other", "held"), [("I-CUP", False), ("I-POT", True)])
def test_bundles_of_one_sku_are_one_item_where_their_components_are(other: str, held: bool) -> None:
    boxes = order(_box("G1", "L1", "I-CUP", 1000), _box("G2", "L2", other, 700))
    run = told([boxes, *asked(unit("u1", None, "BOX"), unit("u2", None, "BOX")), mugs(1, sku="BOX")])
    assert (run.open == ["ambiguous_sku"], len(run.intents)) == (held, 0 if held else 1)


@pytest.mark.req("INV-9", "INV-19")
@pytest.mark.parametrize(("item", "held"), [("I-CUP", False), ("I-POT", True)])
def test_a_component_and_a_single_of_its_sku_are_one_item_where_their_ids_say_so(item: str, held: bool) -> None:
    part = line("L1", "CUP", bundle_sku="BOX", bundle_quantity=1)
    single = replace(line("L2", "CUP", price=700), item_id=item)
    run = told([order(part, single), *asked(unit("u1", "L1", "CUP"), unit("u2", "L2", "CUP")), mugs(1, sku="CUP")])
    assert (run.open == ["ambiguous_sku"], len(run.intents)) == (held, 0 if held else 1)


@pytest.mark.req("INV-19")
@pytest.mark.parametrize(("options", "held"), [(("Red",), True), ((), False)])
def test_where_another_system_keeps_the_stock_its_sku_is_one_item_unless_options_differ(
    options: tuple[str, ...], held: bool
) -> None:
    rules_ = merchant("lightspeed-x")
    rules_ = rules_.model_copy(
        update={"model": rules_.model.model_copy(update={"inspecting": WAREHOUSE.model.inspecting})}
    )
    units: list[ReturnedUnit] = [replace(U1, options=options), replace(U2, options=("Blue",))]
    run = told([order(RED, BLUE), *asked(*units), mugs(1)], rules_)
    assert ("ambiguous_sku" in run.open) == held
