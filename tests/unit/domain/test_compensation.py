"""Grades and returns that change late: against what was applied, never against what was only wanted."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Refund
from schemas.stock import RestockIntent
from tests.unit.domain.factories import (
    Run,
    asked,
    counted,
    covers,
    event,
    inspected,
    line,
    order,
    refunded,
    result,
    rules,
    unit,
    verdict,
)
from tests.unit.domain.merchants import DOCK, PLACES, merchant

RULES = merchant("sitoo", model={"refunding": {"actor": "returnflow"}})
SALE = replace(order(), system="sitoo")


def moves(run: Run) -> list[tuple[int, str, str]]:
    return [(i.quantity, i.stock_status, i.location_id) for i in run.intents]


def settled(run: Run, hours: float, outcome: Any = "applied") -> None:
    """The last movement gets its answer."""
    last = run.intents[-1]
    run.feed(verdict(last, hours=hours), result(last.intent_id, "restock", outcome, hours=hours))


@pytest.mark.req("INV-2", "INV-13", "INV-15")
def test_a_unit_graded_anew_is_taken_out_of_where_it_was_put_and_put_where_it_belongs() -> None:
    run = Run(RULES)
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(inspected(unit(), "damaged", hours=7))
    assert moves(run) == [(1, "available", "11"), (-1, "available", "11")]
    settled(run, 8)
    assert moves(run)[2:] == [(1, "damaged", "12")]
    settled(run, 9)
    first, out, anew = run.intents
    assert [i.generation for i in run.intents] == [0, 1, 2]
    assert [i.stocked_before for i in run.intents] == [False, True, True]
    same = {"intent_id": "", "generation": 0, "decided_at_ms": 0, "quantity": 1, "stocked_before": False}
    assert (first.item_id, first.variant_id) == ("I-TEE", "V-TEE")
    assert replace(out, **same) == replace(first, **same)  # taken out as it was put in
    assert replace(anew, **same, stock_status="available", location_id="11") == replace(first, **same)
    assert len({i.intent_id for i in run.intents}) == 3
    assert run.open == []
    run.feed(inspected(unit(), "damaged", hours=7), inspected(unit(), hours=5))
    assert len(run.intents) == 3


@pytest.mark.req("INV-13")
def test_nothing_is_taken_out_before_it_is_known_to_be_in() -> None:
    run = Run(RULES)
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5), inspected(unit(), "damaged", hours=6))
    assert len(run.intents) == 1
    settled(run, 7)
    assert moves(run)[1:] == [(-1, "available", "11")]


@pytest.mark.req("INV-13")
def test_a_refused_restock_moved_nothing_so_the_new_grade_starts_afresh() -> None:
    run = Run(RULES)
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6, "rejected")
    assert run.open == ["rejected_by_system"]
    run.feed(inspected(unit(), "damaged", hours=7))
    assert moves(run) == [(1, "available", "11"), (1, "damaged", "12")]
    assert run.open == []


def test_the_same_grade_said_again_or_a_changed_map_moves_nothing() -> None:
    run = Run(RULES)
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(inspected(unit(), hours=8))
    run.rules = merchant("sitoo", locations=(DOCK, DOCK | {"code": "bench"}))
    run.feed(inspected(unit(), location="bench", hours=8.5))  # another name of the same place
    assert len(run.intents) == 1
    run.feed(inspected(unit(), hours=8.7))
    run.rules = merchant("sitoo", locations=(DOCK | {"location_id": "77"},))
    run.feed(inspected(unit(), hours=9))
    assert len(run.intents) == 1


@pytest.mark.req("STA-4")
def test_goods_found_missing_after_all_leave_stock_and_are_raised_when_they_were_paid() -> None:
    run = Run(RULES)
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(result(run.commands(Refund)[0].command_id, "refund", hours=6))
    run.feed(inspected(unit(), "missing", hours=7))
    assert moves(run)[1:] == [(-1, "available", "11")]
    settled(run, 8)
    assert "refund_before_goods" in run.open
    assert len(run.intents) == 2
    assert len(run.commands(Refund)) == 1


@pytest.mark.req("INV-4")
def test_a_new_grade_without_a_place_is_taken_out_and_waits_for_one() -> None:
    run = Run(merchant("sitoo", locations=PLACES[:1], model={"refunding": {"actor": "returnflow"}}))
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(inspected(unit(), "damaged", hours=7))
    settled(run, 8)
    assert (len(run.intents), run.open) == (2, ["unmapped_location"])


def unpaid() -> Run:
    """Restocked, and nobody was asked to pay yet."""
    run = Run(merchant("sitoo", model={"refunding": {"actor": "returnflow", "needs_transaction": True}}))
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    return run


@pytest.mark.req("STA-4", "INV-13")
def test_a_return_cancelled_after_receipt_leaves_stock_again_and_comes_back_when_reopened() -> None:
    run = unpaid()
    run.feed(event("cancelled", unit(), hours=7))
    assert moves(run) == [(1, "available", "11"), (-1, "available", "11")]
    assert run.waits() == {"u1": "restock_applied"}
    settled(run, 8)
    assert (run.open, run.waits()) == ([], {"u1": ""})
    run.feed(event("reopened", unit(), hours=9))
    assert moves(run)[2:] == [(1, "available", "11")]
    settled(run, 10)
    assert sum(q for q, _, _ in moves(run)) == 1


@pytest.mark.req("STA-4")
def test_reopened_before_anything_was_taken_out_is_taken_out_and_put_back() -> None:
    run = unpaid()
    run.feed(event("cancelled", unit(), hours=7), event("reopened", unit(), hours=8))
    settled(run, 9)
    settled(run, 10)
    assert [q for q, _, _ in moves(run)] == [1, -1, 1]


@pytest.mark.req("STA-4", "MON-11")
def test_a_return_cancelled_after_its_refund_is_a_conflict_and_its_goods_stay() -> None:
    run = Run(RULES)
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(result(run.commands(Refund)[0].command_id, "refund", hours=6), event("cancelled", unit(), hours=7))
    assert (len(run.intents), run.open) == (1, ["status_conflict"])


@pytest.mark.req("STA-4", "INV-14")
@pytest.mark.parametrize("seen", [6.5, 7.5, 9])
def test_goods_of_a_cancelled_return_that_others_have_paid_for_are_in_stock_whenever_that_is_seen(seen: float) -> None:
    run = Run(merchant("sitoo"))
    refund = replace(refunded("R1", 1000, covers(), hours=6.2), system="sitoo")
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(*([refund] if seen == 6.5 else []), event("cancelled", unit(), hours=7))
    run.feed(*([refund] if seen == 7.5 else []))
    run.restock(8)
    run.feed(refund)
    run.restock(10)
    assert sum(i.quantity for i in run.intents) == 1
    assert (run.open, run.stages()) == (["status_conflict"], {"u1": "cancelled"})


@pytest.mark.req("EXC-1")
def test_a_refused_removal_is_raised_and_not_repeated() -> None:
    run = Run(RULES)
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(inspected(unit(), "damaged", hours=7))
    settled(run, 8, "rejected")
    assert (len(run.intents), run.open) == (2, ["rejected_by_system"])


@pytest.mark.req("INV-10", "MON-11")
@pytest.mark.parametrize("system", ["shopify", "sitoo"])
def test_an_item_added_late_is_put_back_and_paid_beside_what_was_applied(system: str) -> None:
    run = Run(merchant(system, model={"refunding": {"actor": "returnflow"}}))
    first, late = unit(), unit("u2")
    run.feed(replace(order(line(quantity=2)), system=system), *asked(first), inspected(first, hours=5))
    settled(run, 6)
    run.feed(result(run.commands(Refund)[0].command_id, "refund", hours=6))
    run.feed(event("requested", first, late, hours=7), event("approved", first, late, hours=7.1))
    run.feed(inspected(late, hours=8))
    assert [i.unit_ids for i in run.intents] == [("u1",), ("u2",)]
    assert [r.unit_ids for r in run.commands(Refund)] == [("u1",), ("u2",)]


@pytest.mark.req("INV-13")
@given(
    grades=st.lists(st.sampled_from(["sellable", "damaged", "missing"]), min_size=1, max_size=5),
    answered=st.lists(st.integers(0, 2), min_size=5, max_size=5),
    refusals=st.sets(st.integers(0, 12), max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_grades_the_net_of_all_movements_is_the_last_grade(
    grades: list[str], answered: list[int], refusals: set[int]
) -> None:
    run = Run(RULES)
    run.feed(SALE, *asked(unit()))
    clock, told = itertools.count(50), set[str]()
    net: dict[tuple[str, str], int] = {}

    def answer() -> bool:
        waiting = [i for i in run.intents if i.intent_id not in told]
        assert len(waiting) <= 1
        for intent in waiting:
            told.add(intent.intent_id)
            refused = len(told) in refusals
            apply(net, intent, refused=refused)
            settled(run, next(clock), "rejected" if refused else "applied")
        return bool(waiting)

    for hours, (grade, times) in enumerate(zip(grades, answered, strict=False)):
        run.feed(inspected(unit(), grade, hours=5 + hours))
        for _ in range(times):
            answer()
    while answer():
        pass
    there = {key: count for key, count in net.items() if count}
    assert all(count == 1 for count in there.values())
    assert len(there) <= 1
    if not refusals:
        wanted = {"sellable": {("available", "11"): 1}, "damaged": {("damaged", "12"): 1}, "missing": {}}[grades[-1]]
        assert there == wanted


def apply(net: dict[tuple[str, str], int], intent: RestockIntent, *, refused: bool) -> None:
    key = (intent.stock_status, intent.location_id)
    net[key] = net.get(key, 0) + (0 if refused else intent.quantity)
    assert net[key] in (0, 1)


def test_where_late_changes_are_raised_nothing_is_taken_out() -> None:
    run = Run(rules())
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    run.restock(6)
    run.feed(inspected(unit(), "damaged", hours=7))
    assert ([i.quantity for i in run.intents], run.open) == ([1], ["contradicting_fact"])


@pytest.mark.req("STA-4")
def test_goods_that_are_not_refunded_by_their_new_grade_are_raised_once_they_were_paid() -> None:
    run = Run(merchant("sitoo", model={"refunding": {"actor": "returnflow", "damaged_is_refunded": False}}))
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(result(run.commands(Refund)[0].command_id, "refund", hours=6), inspected(unit(), "damaged", hours=7))
    assert (len(run.intents), run.open) == (2, ["contradicting_fact"])


@pytest.mark.req("INV-13")
def test_what_lies_in_shopify_is_taken_out_of_shopify_when_another_system_governs_by_now() -> None:
    counter = {"name": "counter", "system": "lightspeed-x", "location": "counter"}
    place = {"source": "returngo", "code": "counter", "location_id": "outlet-3", "system": "lightspeed-x"}
    run = Run(merchant(models=[counter], locations=(*PLACES, place)))
    run.feed(order(), *asked(unit()), event("received", unit(), hours=4), inspected(unit(), hours=5))
    settled(run, 6)
    run.feed(inspected(unit(), location="counter", hours=7))
    settled(run, 8)
    assert [(i.system, i.quantity, i.location_id) for i in run.intents] == [
        ("shopify", 1, "11"), ("shopify", -1, "11"), ("lightspeed-x", 1, "outlet-3"),
    ]  # fmt: skip
    assert run.open == []


@pytest.mark.req("INV-13", "INV-18")
def test_a_counted_piece_of_a_cancelled_return_is_taken_out_too() -> None:
    w1 = {"source": "warehouse", "code": "W1", "location_id": "11", "disposition": "sellable"}
    model = {"inspecting": {"source": "warehouse"}, "refunding": {"needs_transaction": True}}
    run = Run(merchant("sitoo", model=model, locations=(w1,)))
    run.feed(SALE, *asked(unit()), counted(1, hours=5))
    settled(run, 6)
    run.feed(event("cancelled", unit(), hours=7))
    settled(run, 8)
    assert ([q for q, _, _ in moves(run)], run.open) == ([1, -1], [])


@pytest.mark.req("INV-13", "INV-18", "STA-4")
@pytest.mark.parametrize("late", ["compensate", "raise"])
@pytest.mark.parametrize(("source", "first", "second"), [
    ("either", ("returngo", 5), ("warehouse", 4)), ("either", ("returngo", 5), ("warehouse", 7)),
    ("warehouse", ("warehouse", 5), ("warehouse", 7)),
])  # fmt: skip
def test_disputed_goods_of_a_cancelled_return_do_not_stay_in_stock_without_a_word(
    source: str, first: tuple[str, float], second: tuple[str, float], late: str
) -> None:
    places = [
        {"source": who, "code": "dock", "location_id": where, "disposition": grade, "zone": zone}
        for who in ("returngo", "warehouse")
        for where, grade, zone in (("11", "sellable", "stock"), ("12", "damaged", "quarantine"))
    ]
    model = {"inspecting": {"source": source}, "restocking": {"late_changes": late}}
    run = Run(merchant("sitoo", model=model, locations=places))
    run.feed(SALE, *asked(unit()), inspected(unit(), hours=first[1], system=first[0]))
    settled(run, 6)
    run.feed(inspected(unit(), "damaged", hours=second[1], system=second[0]))
    assert (len(run.intents), run.open) == (1, ["contradicting_fact"])
    run.feed(event("cancelled", unit(), hours=8))
    if late == "raise":
        assert (len(run.intents), run.open) == (1, ["status_conflict"])
        return
    settled(run, 9)
    assert moves(run) == [(1, "available", "11"), (-1, "available", "11")]
    assert (run.open, run.waits()) == ([], {"u1": ""})


@pytest.mark.req("INV-13")
def test_a_counted_piece_graded_to_and_fro_is_never_in_two_places() -> None:
    run = Run(merchant("sitoo", model={"inspecting": {"source": "either"}, "refunding": {"needs_transaction": True}}))
    run.feed(SALE, *asked(unit()), inspected(unit(), "damaged", hours=5))
    settled(run, 6)
    run.feed(event("cancelled", unit(), hours=7))
    settled(run, 8)
    run.feed(inspected(unit(), "sellable", hours=9), event("reopened", unit(), hours=10))
    settled(run, 11)
    run.feed(inspected(unit(), "damaged", hours=12))
    assert moves(run) == [(1, "damaged", "12"), (-1, "damaged", "12"), (1, "available", "11")]
    assert run.open == ["contradicting_fact"]
