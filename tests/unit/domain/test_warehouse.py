"""A warehouse that counts pieces instead of naming units, and which inspection counts (INV-18)."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.commands import Refund
from streams.domain.learn import Fact
from tests.unit.domain.factories import ORDER, Run, asked, counted, deadline, event, inspected, line, order, rules, unit
from tests.unit.domain.merchants import merchant

WAREHOUSE = rules(inspecting={"source": "warehouse"})
EITHER = rules(inspecting={"source": "either"})


def moved(run: Run) -> list[tuple[str, str, int]]:
    return sorted((i.stock_status, i.location_id, i.quantity) for i in run.intents)


@pytest.mark.req("INV-18")
@pytest.mark.parametrize("by_sku", [True, False])
@pytest.mark.parametrize("rma", ["100", ""])
def test_counted_pieces_have_the_standing_of_an_item_validation(rma: str, by_sku: bool) -> None:
    run = Run(WAREHOUSE)
    run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")))
    run.feed(counted(2, rma=rma, line_id=None if by_sku else "L1"))
    assert moved(run) == [("available", "11", 1), ("available", "11", 1)]
    assert [r.amount_minor for r in run.commands(Refund)] == [2000]
    run.restock()
    assert set(run.stages().values()) == {"refunding"}


@pytest.mark.req("INV-18")
@pytest.mark.parametrize(("source", "named", "by_count"), [("returngo", 1, 0), ("warehouse", 0, 1), ("either", 1, 1)])
def test_only_the_configured_inspection_counts(source: str, named: int, by_count: int) -> None:
    merchant = rules(inspecting={"source": source})
    one, other = Run(merchant), Run(merchant)
    one.feed(order(), *asked(unit()), inspected(unit()))
    other.feed(order(), *asked(unit()), counted(1))
    assert (len(one.intents), len(other.intents)) == (named, by_count)


@pytest.mark.req("INV-13", "INV-18")
def test_a_piece_that_both_inspected_is_put_back_once_whoever_comes_first() -> None:
    for facts in itertools.permutations([inspected(unit(), location="dock"), counted(1, location="W1")]):
        run = Run(EITHER)
        run.feed(order(), *asked(unit()), *facts)
        assert len(run.intents) == 1
        assert run.open == []


@pytest.mark.req("INV-18", "EXC-1")
@pytest.mark.parametrize("rma", ["100", ""])
def test_a_receipt_that_lists_its_pieces_is_of_no_others_of_its_return(rma: str) -> None:
    run = Run(WAREHOUSE)
    piece = replace(counted(1, rma=rma), kind="received", fact_id="door/receipt")
    run.feed(order(line(), line("L2", "CAP")), *asked(unit(), unit("u2", "L2", "CAP")), piece)
    assert run.stages() == {"u1": "received", "u2": "approved"}
    run.feed(deadline(600))
    assert (run.open, run.raised("stuck_received").unit_ids) == (["stuck_received"], ("u1",))


@pytest.mark.req("INV-18")
def test_inspections_that_disagree_are_raised() -> None:
    run = Run(EITHER)
    run.feed(order(), *asked(unit()), inspected(unit(), "damaged"), counted(1, "sellable"))
    assert len(run.intents) == 1
    assert "contradicting_fact" in run.open


@pytest.mark.req("INV-13")
def test_pieces_have_the_same_restocks_in_whatever_order_they_were_counted() -> None:
    facts = [
        counted(1, "sellable", 5),
        counted(1, "damaged", 6),
        counted(2, "sellable", 7),
        *asked(*(unit(f"u{i}") for i in range(4))),
    ]
    runs = []
    for shuffled in itertools.permutations(facts):
        run = Run(WAREHOUSE)
        run.feed(order(line(quantity=4)), *shuffled)
        runs.append((frozenset(i.intent_id for i in run.intents), tuple(r.command_id for r in run.commands(Refund))))
    assert len(runs[0][0]) == 4
    assert set(runs) == {runs[0]}


@pytest.mark.req("ELG-1")
def test_more_pieces_than_units_are_raised_and_not_put_back() -> None:
    run = Run(WAREHOUSE)
    run.feed(order(line(quantity=5)), *asked(unit()), counted(3))
    assert [i.quantity for i in run.intents] == [1]
    assert run.open == ["over_quantity"]
    assert "2 pieces more" in run.raised("over_quantity").detail


@pytest.mark.req("ELG-2")
def test_pieces_that_no_return_is_known_for_wait_and_are_raised_in_time() -> None:
    run = Run(WAREHOUSE)
    run.feed(order(), counted(1, rma="", hours=5), deadline(28.9))
    assert run.open == []
    run.feed(deadline(29))
    assert run.open == ["orphan_return"]
    run.feed(*asked(unit()))
    assert (run.open, len(run.intents)) == ([], 1)


def test_a_receipt_at_the_door_moves_nothing_but_is_seen() -> None:
    run = Run(WAREHOUSE)
    other_line = replace(counted(1, hours=3, rma="", line_id=None, sku="MUG"), kind="received")
    run.feed(order(), *asked(unit()), other_line, replace(counted(1, hours=3, rma="999"), kind="received"))
    assert run.stages() == {"u1": "approved"}
    run.feed(replace(counted(1, hours=4), kind="received"))
    assert (run.intents, run.stages()) == ([], {"u1": "received"})


@pytest.mark.req("EXC-1", "EXC-4", "STA-4")
@pytest.mark.parametrize("word", ["received", "inspected"])
@pytest.mark.parametrize("rma", ["100", ""])
@pytest.mark.parametrize("source", ["warehouse", "returngo", "either"])
def test_pieces_that_are_counted_after_the_end_of_their_return_are_raised(source: str, rma: str, word: Any) -> None:
    run = Run(rules(inspecting={"source": source}))
    run.feed(order(), *asked(unit()), event("cancelled", unit(), hours=4))
    run.feed(replace(counted(1, rma=rma), kind=word))
    assert (run.open, run.intents) == (["status_conflict"], [])
    run.feed(event("reopened", unit(), hours=6))
    assert run.open == []


@pytest.mark.req("EXC-4", "STA-4")
@pytest.mark.parametrize("word", ["received", "inspected"])
def test_a_piece_that_names_no_return_is_that_of_the_return_that_is_open(word: Any) -> None:
    run = Run(WAREHOUSE)
    run.feed(order(), *asked(unit()), event("cancelled", unit(), hours=3), *asked(unit(), rma="103", hours=4))
    run.feed(replace(counted(1, rma=""), kind=word))
    assert run.open == []
    run.feed(replace(counted(1, hours=6), kind="received"))
    assert run.open == ["status_conflict"]


@pytest.mark.req("INV-18")
def test_a_piece_counted_after_a_named_inspection_is_the_unit_that_was_graded_alike() -> None:
    run = Run(EITHER)
    run.feed(order(line(quantity=3)), *asked(unit("u1"), unit("u2"), unit("u3")))
    run.feed(inspected(unit("u3")), inspected(unit("u2"), "damaged"), counted(1, hours=6))
    assert run.waits()["u1"] == "inspected"
    assert [i.unit_ids for i in run.intents if "u1" in i.unit_ids] == []
    assert "contradicting_fact" not in run.open


def test_a_count_without_a_return_number_finds_the_return_that_still_waits() -> None:
    run = Run(WAREHOUSE)
    run.feed(order(line(quantity=2)), *asked(unit("u1"), rma="101"), *asked(unit("u2"), rma="102"))
    run.feed(counted(1, rma="101"), counted(1, rma="", hours=6))
    assert len(run.intents) == 2
    assert len(run.commands(Refund)) == 2


@pytest.mark.req("INV-13")
def test_a_new_return_does_not_make_counted_pieces_new() -> None:
    run = Run(WAREHOUSE)
    run.feed(order(line(quantity=2)), *asked(unit("u2"), rma="102"), counted(1, rma=""))
    run.feed(*asked(unit("u1"), rma="101"))
    assert len(run.intents) == 1


@pytest.mark.req("INV-13", "ELG-1", "EXC-4")
@pytest.mark.parametrize("grades", [("damaged", "sellable"), ("sellable", "damaged")])
def test_a_second_piece_for_one_unit_is_one_too_many_and_may_be_the_first_one_graded_anew(grades: Any) -> None:
    first, second = grades
    run = Run(WAREHOUSE)
    run.feed(order(), *asked(unit()), counted(1, first, hours=5))
    run.feed(counted(1, second, hours=6))
    assert [i.stock_status for i in run.intents] == ["available" if first == "sellable" else "damaged"]
    assert run.open == ["over_quantity"]
    assert f"1 piece more than the return has units: {second}" in run.raised("over_quantity").detail
    assert f"graded anew what it had counted as {first}" in run.raised("over_quantity").detail


GRADES = st.sampled_from(["sellable", "damaged"])
COUNTS = st.lists(st.tuples(st.integers(1, 3), GRADES, st.sampled_from(["L1", None])), min_size=1, max_size=5)


@pytest.mark.req("INV-13", "INV-18", "ELG-1", "MON-11")
@given(counts=COUNTS, units=st.integers(1, 4), data=st.data(), returns=st.sampled_from(["100", ""]))
@settings(max_examples=80, deadline=None)
def test_pieces_beyond_the_units_contradict_nothing(counts: Any, units: int, data: st.DataObject, returns: str) -> None:
    facts: list[Fact] = [
        order(line(quantity=4)),
        *asked(*(unit(f"u{i}") for i in range(units))),
        *(counted(n, g, 5 + i, returns, by) for i, (n, g, by) in enumerate(counts)),
    ]
    run, pieces = Run(WAREHOUSE), sum(n for n, _, _ in counts)
    run.feed(*data.draw(st.permutations(facts)))
    assert sum(i.quantity for i in run.intents) == min(pieces, units)
    assert "contradicting_fact" not in run.open
    assert ("over_quantity" in run.open) == (pieces > units)
    assert len([u for r in run.commands(Refund) for u in r.unit_ids]) == (units if pieces >= units else 0)


@pytest.mark.req("INV-13", "ELG-1")
@given(
    counts=st.lists(st.tuples(st.integers(1, 3), GRADES, st.sampled_from(["101", "102", ""])), min_size=1, max_size=6),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_pieces_beyond_the_units_of_two_returns_contradict_nothing(counts: Any, data: st.DataObject) -> None:
    facts: list[Fact] = [
        order(line(quantity=4)),
        *asked(unit("u1"), rma="101"),
        *asked(unit("u2"), rma="102"),
        *(counted(n, grade, 5 + i, rma) for i, (n, grade, rma) in enumerate(counts)),
    ]
    run = Run(WAREHOUSE)
    run.feed(*data.draw(st.permutations(facts)))
    assert sum(i.quantity for i in run.intents) <= 2
    assert "contradicting_fact" not in run.open


@pytest.mark.req("INV-13", "EXC-4")
def test_a_named_unit_graded_anew_is_a_contradiction_however_many_pieces_are_counted() -> None:
    run = Run(EITHER)
    run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")), inspected(unit("u1"), "damaged"))
    run.feed(inspected(unit("u1"), "sellable", hours=6), counted(1, hours=7), counted(2, hours=8))
    assert [i.stock_status for i in run.intents] == ["damaged", "available"]
    assert run.open == ["contradicting_fact", "over_quantity"]


def test_the_order_is_part_of_a_counted_piece() -> None:
    run = Run(WAREHOUSE)
    run.feed(order(), *asked(unit()), counted(1))
    assert run.intents[0].unit_ids[0].startswith(f"{ORDER}|")


def test_a_carrier_scan_without_units_is_for_the_whole_return() -> None:
    run = Run()
    run.feed(
        order(), *asked(unit("u1"), unit("u2")), event("in_transit", hours=2, system="carrier", tracking_number="T")
    )
    assert set(run.stages().values()) == {"in_transit"}


@pytest.mark.req("INV-1", "MON-1")
@pytest.mark.parametrize("gone", ["missing", "not_returned"])
def test_a_piece_that_is_counted_as_not_there_is_no_receipt(gone: str) -> None:
    run = Run(merchant("lightspeed-x"))
    run.feed(replace(order(), system="lightspeed-x"), *asked(unit()), counted(1, gone, hours=4), inspected(unit()))
    assert (run.intents, run.waits(), run.stages()) == ([], {"u1": "received"}, {"u1": "inspected"})
    run.feed(counted(1, hours=6))
    assert moved(run) == [("available", "11", 1)]


@pytest.mark.req("INV-9", "INV-18", "MON-1")
@pytest.mark.parametrize("piece", [{"sku": "CUP"}, {"sku": ""}, {"line_id": None, "sku": "CUP"}])
def test_a_part_of_a_bundle_that_is_counted_is_not_the_bundle(piece: dict[str, Any]) -> None:
    """Else the whole of it would be put back and paid for one cup."""
    cups = line("L1", "CUP", 2, bundle_sku="SET", bundle_quantity=1)
    dish = line("L2", "DISH", 1, bundle_sku="SET", bundle_quantity=1)
    run = Run(WAREHOUSE)
    run.feed(order(cups, dish), *asked(unit(line_id=None, sku="SET")), counted(1, **piece))
    assert (run.intents, run.payments) == ([], [])
    run.feed(deadline(5 + 24))
    assert run.open == ["orphan_return"]
    run.feed(counted(1, line_id="L1", sku="SET", hours=30))  # the bundle, on the line of one of its parts
    assert [(i.sku, i.quantity) for i in run.intents] == [("SET", 1)]


@pytest.mark.req("INV-13", "INV-18", "MON-1")
def test_a_message_that_arrived_twice_counts_its_pieces_once() -> None:
    """Without a time of its own a message is dated when it came: its second copy has the same id and a later date."""
    once = counted(1)
    again = replace(once, occurred_at_ms=once.occurred_at_ms + 3_000)
    for facts in itertools.permutations([once, again]):
        run = Run(WAREHOUSE)
        run.feed(order(line(quantity=2)), *asked(unit("u1"), unit("u2")), *facts, deadline(10_000))
        assert moved(run) == [("available", "11", 1)]
        assert [r.amount_minor for r in run.commands(Refund)] == [1000]
        assert run.case is not None
        assert [c.stamp.at_ms for c in run.case.learnt.claims] == [once.occurred_at_ms]
