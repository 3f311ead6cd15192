"""Where goods go: dispositions, reasons, zones, stores. What is not mapped is raised."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.commands import Restock
from schemas.journal import CaseStep
from schemas.stock import RestockIntent
from streams.domain.output import Output
from streams.domain.stock import Item, decide_stock
from tests.unit.domain.factories import (
    Run,
    asked,
    bundle,
    covers,
    deadline,
    event,
    inspected,
    line,
    of,
    order,
    put_back,
    unit,
)
from tests.unit.domain.merchants import DOCK, PEN, merchant


def returned(run: Run, system: str, disposition: str = "sellable", location: str | None = "dock", **sold: Any) -> Run:
    reason = sold.pop("reason", "Does not fit")
    one = unit(reason=reason)
    run.feed(replace(order(**sold), system=system), *asked(one), event("received", one, hours=4))
    run.feed(inspected(one, disposition, location))
    return run


@pytest.mark.req("INV-2", "INV-4")
@pytest.mark.parametrize("system", ["lightspeed-x", "lightspeed-r", "sitoo", "linnworks"])
def test_damaged_goods_never_lie_beside_what_is_for_sale(system: str) -> None:
    open_shelf = DOCK | {"disposition": "any"}
    run = returned(Run(merchant(system, locations=(open_shelf,))), system, "damaged")
    assert (run.intents, run.open, run.waits()) == ([], ["unmapped_location"], {"u1": "kept_apart"})
    assert "quarantine" in run.raised("unmapped_location").detail
    run = returned(Run(merchant(system)), system, "damaged")
    assert [(i.location_id, i.stock_status) for i in run.intents] == [("12", "damaged")]


@pytest.mark.req("INV-2")
def test_a_platform_that_keeps_damaged_goods_apart_itself_needs_no_other_place() -> None:
    run = returned(Run(merchant(locations=(DOCK | {"disposition": "any"},))), "shopify", "damaged")
    assert [(i.location_id, i.stock_status) for i in run.intents] == [("11", "damaged")]


@pytest.mark.req("INV-2", "INV-4")
def test_nothing_in_quarantine_is_for_sale_however_it_was_graded() -> None:
    run = returned(Run(merchant("sitoo", locations=(PEN | {"disposition": "any"},))), "sitoo")
    assert [(i.location_id, i.stock_status) for i in run.intents] == [("12", "quality_control")]


REASONS = [
    {"reason": "Opened", "location_id": "12", "stock_status": "quality_control"},
    {"reason": "Opened", "disposition": "damaged", "stock_status": "damaged"},
    {"reason": "Does not fit", "disposition": "sellable", "stock_status": "available"},
]


@pytest.mark.req("INV-3")
@pytest.mark.parametrize(
    ("reason", "disposition", "goes"),
    [
        ("Opened", "sellable", ("12", "quality_control")),
        ("Opened", "damaged", ("12", "damaged")),
        ("Does not fit", "sellable", ("11", "available")),
    ],
)
def test_reason_and_disposition_decide_place_and_status(reason: str, disposition: str, goes: tuple[str, str]) -> None:
    run = returned(Run(merchant("sitoo", reasons=REASONS)), "sitoo", disposition, reason=reason)
    assert [(i.location_id, i.stock_status) for i in run.intents] == [goes]


@pytest.mark.req("INV-3", "EXC-4")
def test_a_reason_without_a_rule_is_raised_until_there_is_one() -> None:
    run = returned(Run(merchant("sitoo", reasons=REASONS)), "sitoo", reason="Gift")
    assert (run.intents, run.open) == ([], ["unmapped_reason"])
    raised = run.raised("unmapped_reason")
    assert (raised.owner, raised.actual) == ("cx", "Gift")
    any_other = {"reason": "*", "disposition": "sellable", "stock_status": "available"}
    run.rules = merchant("sitoo", reasons=[*REASONS, any_other])
    run.feed(event("in_transit", unit(), hours=6))
    assert (len(run.intents), run.open) == (1, [])


@pytest.mark.req("INV-3")
@pytest.mark.parametrize("turn", [1, -1])
def test_a_rule_for_the_reason_beats_one_for_every_reason_however_they_are_listed(turn: int) -> None:
    every = {"reason": "*", "disposition": "sellable", "stock_status": "available"}
    worn = {"reason": "Worn", "stock_status": "quality_control"}
    run = returned(Run(merchant(reasons=[every, worn][::turn])), "shopify", reason="Worn")
    assert [i.stock_status for i in run.intents] == ["quality_control"]


@pytest.mark.req("INV-11")
def test_goods_of_a_till_sale_go_back_to_the_store_of_the_sale_when_nobody_names_a_place() -> None:
    store = {"source": "lightspeed-x", "code": "outlet-3", "location_id": "outlet-3"}
    rules = merchant("lightspeed-x", locations=(DOCK, store))
    sold_there = returned(Run(rules), "lightspeed-x", location=None, location_id="outlet-3")
    assert [i.location_id for i in sold_there.intents] == ["outlet-3"]
    elsewhere = returned(Run(rules), "lightspeed-x", location="dock", location_id="outlet-3")
    assert [i.location_id for i in elsewhere.intents] == ["11"]
    unmapped = returned(Run(rules), "lightspeed-x", location=None, location_id="outlet-4")
    assert (unmapped.intents, unmapped.open) == ([], ["unmapped_location"])


# Bundles, in all four configurations (INV-9): what came back × what goes into stock.

SOAP = line("L1", "SOAP", 2, price=500, bundle_sku="SET", bundle_quantity=1)
DISH = line("L2", "DISH", 1, price=300, bundle_sku="SET", bundle_quantity=1)
CUPS = [unit("u1", "L1", "SOAP"), unit("u2", "L1", "SOAP")]
BOWL = unit("u3", "L2", "DISH")


def stocked(run: Run) -> list[tuple[str, int]]:
    """What the stock agent commands for all that the case wants."""
    made: list[Output] = []
    for intent in run.intents:
        row: Item | None = None
        for fact in (bundle("SET", ("SOAP", 2, "I-SOAP"), ("DISH", 1, "I-DISH")), intent):
            known = replace(fact, sku=intent.sku, components=()) if intent.sku != "SET" and fact is not intent else fact
            row, more = decide_stock(row, known, run.rules)
            made += more
    return [(c.sku, c.quantity) for c in of(Restock, made)]


@pytest.mark.req("INV-9")
@pytest.mark.parametrize(
    ("returned_as", "goes"), [("components", [("SOAP", 2), ("DISH", 1)]), ("bundle", [("SET", 1)])]
)
def test_a_bundle_that_came_back_goes_into_stock_as_configured(returned_as: str, goes: list[tuple[str, int]]) -> None:
    run = Run(merchant(model={"bundles": {"returned": returned_as}}))
    whole = unit("u1", None, "SET")
    run.feed(order(SOAP, DISH), *asked(whole), inspected(whole))
    assert stocked(run) == goes
    assert [(i.sku, i.line_id, i.item_id, i.variant_id) for i in run.intents] == [("SET", None, None, None)]


@pytest.mark.req("INV-9")
def test_a_component_that_came_back_goes_into_stock_by_itself_and_leaves_the_bundle() -> None:
    run = Run(merchant())
    run.feed(order(SOAP, DISH), *asked(*CUPS, BOWL), inspected(CUPS[0]))
    assert stocked(run) == [("SOAP", 1)]


@pytest.mark.req("INV-9")
def test_components_go_into_stock_as_their_bundle_once_all_are_here() -> None:
    for arrivals in ([*CUPS, BOWL], [BOWL, *CUPS[::-1]]):
        run = Run(merchant(model={"bundles": {"component": "bundle"}}))
        run.feed(order(SOAP, DISH), *asked(*CUPS, BOWL))
        for hours, one in enumerate(arrivals[:-1]):
            run.feed(inspected(one, hours=5 + hours))
        assert run.intents == []
        assert set(run.waits().values()) <= {"inspected", "bundle_here"}
        run.feed(inspected(arrivals[-1], hours=9))
        (intent,) = run.intents
        assert (intent.sku, intent.quantity, intent.unit_ids) == ("SET", 1, ("u1", "u2", "u3"))
        assert stocked(run) == [("SET", 1)]
        run.restock(10)
        assert set(run.stages().values()) == {"refunding"}


@pytest.mark.req("INV-9")
def test_a_part_of_a_bundle_that_nobody_says_how_many_are_of_goes_into_stock_by_itself() -> None:
    run = Run(merchant(model={"bundles": {"component": "bundle"}}))
    run.feed(order(replace(DISH, bundle_quantity=None)), *asked(BOWL), inspected(BOWL))
    assert [(i.sku, i.quantity) for i in run.intents] == [("DISH", 1)]


@pytest.mark.req("INV-9", "INV-13")
def test_a_bundle_of_two_parts_is_decided_and_told_once() -> None:
    run = Run(merchant(model={"bundles": {"component": "bundle"}}))
    cup = unit("u1", "L1", "SOAP")
    run.feed(order(replace(SOAP, quantity=1), DISH), *asked(cup, BOWL), inspected(cup), inspected(BOWL, hours=6))
    assert [i.unit_ids for i in of(RestockIntent, run.outputs)] == [("u1", "u3")]
    steps = [s for s in of(CaseStep, run.outputs) if s.step == "decided" and s.what == "restock"]
    assert [s.unit_ids for s in steps] == [("u1", "u3")]


@pytest.mark.req("INV-9")
@pytest.mark.parametrize("bad", ["damaged", "missing", "not in the return"])
def test_a_bundle_that_cannot_be_put_together_is_raised_to_the_warehouse(bad: str) -> None:
    run = Run(merchant(model={"bundles": {"component": "bundle"}}))
    units = CUPS if bad == "not in the return" else [*CUPS, BOWL]
    run.feed(order(SOAP, DISH), *asked(*units), inspected(CUPS[0]), inspected(CUPS[1], hours=6))
    if bad != "not in the return":
        run.feed(inspected(BOWL, bad, hours=7))
    assert run.intents == []
    assert "out_of_stock_component" in run.open
    raised = run.raised("out_of_stock_component")
    assert (raised.owner, raised.detail.partition(": ")[0]) == ("warehouse", "bundle SET")


@pytest.mark.req("INV-9", "INV-13")
def test_a_cancelled_bundle_is_taken_out_once() -> None:
    run = Run(
        merchant("linnworks", model={"bundles": {"component": "bundle"}, "refunding": {"needs_transaction": True}})
    )
    run.feed(replace(order(SOAP, DISH), system="linnworks"), *asked(*CUPS, BOWL))
    run.feed(*(inspected(one, hours=5) for one in (*CUPS, BOWL)))
    run.restock(6)
    run.feed(event("cancelled", *CUPS, BOWL, hours=7))
    assert [(i.sku, i.quantity) for i in run.intents] == [("SET", 1), ("SET", -1)]
    run.restock(8)
    assert run.open == []


def sets(system: str, late: str) -> Run:
    """Two sets of a cup and a dish were bought."""
    run = Run(merchant(system, model={"bundles": {"component": "bundle"}, "restocking": {"late_changes": late}}))
    run.feed(replace(order(*(replace(DISH, line_id=f"L{n}", sku=sku, quantity=2, bundle_quantity=2)
                             for n, sku in ((1, "CUP"), (2, "DISH")))), system=system))  # fmt: skip
    return run


CUP9, CUP10, DISH91, DISH92 = (unit(n, f"L{k}", sku) for n, k, sku in (
    ("9", 1, "CUP"), ("10", 1, "CUP"), ("91", 2, "DISH"), ("92", 2, "DISH"),
))  # fmt: skip


@pytest.mark.req("INV-9", "INV-13")
def test_a_bundle_in_stock_stays_that_bundle_when_items_are_added_to_its_return() -> None:
    run = sets("shopify", "raise")
    run.feed(*asked(CUP9, DISH91), inspected(CUP9), inspected(DISH91))
    run.restock(6)
    run.feed(*asked(CUP9, DISH91, CUP10, DISH92, hours=7), inspected(CUP10, hours=8), inspected(DISH92, hours=8))
    assert [i.unit_ids for i in run.intents] == [("9", "91"), ("10", "92")]


@pytest.mark.req("INV-9", "INV-13", "ELG-2")
def test_bundles_are_put_together_once_the_list_of_all_units_is_there() -> None:
    late, early = sets("shopify", "raise"), sets("shopify", "raise")
    seen = [inspected(each, hours=5) for each in (CUP9, DISH91, CUP10, DISH92)]
    request = asked(CUP9, DISH91, CUP10, DISH92)
    late.feed(*seen[:1])
    assert (late.waits(), late.open) == ({"9": "bundle_here"}, [])
    late.feed(seen[1])
    assert (late.intents, late.open) == ([], [])
    late.feed(*request, *seen[2:])
    early.feed(*request, *seen)
    assert [i.intent_id for i in late.intents] == [i.intent_id for i in early.intents]
    assert len(late.intents) == 2


@pytest.mark.req("INV-9", "INV-13", "STA-4")
def test_a_bundle_whose_part_is_taken_out_of_the_return_leaves_stock_before_another_is_made_of_the_rest() -> None:
    run = sets("linnworks", "compensate")
    run.feed(*asked(CUP9, DISH91), inspected(CUP9), inspected(DISH91))
    run.restock(6)
    run.feed(*asked(CUP9, DISH92, hours=7), inspected(DISH92, hours=8))
    assert [(i.unit_ids, i.quantity) for i in run.intents] == [(("9", "91"), 1), (("9", "91"), -1)]
    run.restock(9)
    assert [(i.unit_ids, i.quantity) for i in run.intents[2:]] == [(("9", "92"), 1)]
    run.restock(10)
    assert run.open == []


@pytest.mark.req("INV-9", "STA-4")
def test_a_bundle_whose_part_is_taken_out_of_the_return_is_raised_where_late_changes_are() -> None:
    run = sets("shopify", "raise")
    run.feed(*asked(CUP9, DISH91), inspected(CUP9), inspected(DISH91))
    run.restock(6)
    run.feed(*asked(CUP9, DISH92, hours=7), inspected(DISH92, hours=8))
    assert [i.unit_ids for i in run.intents] == [("9", "91")]
    assert run.open == ["out_of_stock_component", "status_conflict"]


@pytest.mark.req("INV-9", "INV-14", "EXC-3")
@pytest.mark.parametrize("hours", [4, 6])
def test_a_bundle_one_part_of_which_others_put_back_is_raised_for_the_rest(hours: int) -> None:
    run = sets("shopify", "raise")
    run.feed(*asked(CUP9, DISH91), inspected(CUP9, hours=5), put_back("E1", covers("L1"), hours=hours))
    assert run.waits()["91"] == "inspected"
    run.feed(inspected(DISH91, hours=7))
    assert (run.intents, run.waits()["91"]) == ([], "bundle_whole")
    assert run.raised("out_of_stock_component").detail == "bundle SET: others put parts of the bundle back"
    run.feed(put_back("E2", covers("L2"), hours=8))
    assert "out_of_stock_component" not in run.open


@pytest.mark.req("INV-14", "EXC-3")
def test_a_part_that_waits_too_long_for_the_rest_of_its_bundle_is_raised() -> None:
    run = sets("shopify", "raise")
    run.feed(*asked(CUP9, DISH91), inspected(CUP9, hours=5), deadline(5 + 47))
    assert "stuck_restock" not in run.open
    run.feed(deadline(5 + 48))
    assert run.raised("stuck_restock").unit_ids == ("9",)
    assert run.raised("stuck_restock").detail.endswith("the inspection of the other parts of its bundle is missing")
    run.feed(inspected(DISH91, hours=60))
    assert "stuck_restock" not in run.open


@pytest.mark.req("INV-9", "EXC-4")
def test_a_part_that_may_still_come_to_the_place_that_makes_bundles_is_waited_for() -> None:
    bench = {"name": "bench", "location": "dock", "bundles": {"component": "bundle"}}
    run = Run(merchant(models=[bench], locations=(DOCK, DOCK | {"code": "store"})))
    run.feed(order(replace(SOAP, quantity=1), DISH), *asked(CUPS[0], BOWL), inspected(CUPS[0]))
    assert (run.waits()["u1"], run.open) == ("bundle_here", [])
    elsewhere, here = inspected(BOWL, location="store", hours=6), inspected(BOWL, hours=7)
    run.feed(elsewhere)
    assert ([i.sku for i in run.intents], run.open) == (["DISH"], ["out_of_stock_component"])
    run = Run(run.rules)
    run.feed(order(replace(SOAP, quantity=1), DISH), *asked(CUPS[0], BOWL), inspected(CUPS[0]), here)
    assert [i.sku for i in run.intents] == ["SET"]


@pytest.mark.req("INV-3", "INV-4", "EXC-1")
def test_a_reason_whose_place_is_of_another_system_says_so() -> None:
    pen = PEN | {"system": "shopify"}
    rules = merchant("sitoo", locations=(DOCK, pen), reasons=[{"reason": "*", "location_id": "12"}])
    run = returned(Run(rules), "sitoo", reason="Opened")
    assert run.intents == []
    detail = run.raised("unmapped_location").detail
    assert detail == "place 12, where goods go that come back for 'Opened', is not mapped for sitoo"
