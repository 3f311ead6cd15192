"""Where a return is: folded from its journal, unit by unit."""

import pytest

from ops.why import partition_of, returns, unknown
from tests.unit.ops_cli.samples import problem, step, waiting


@pytest.mark.req("EXC-1")
def test_units_at_the_same_point_are_one_line_others_are_not() -> None:
    (found,) = returns(
        [
            step(1, "learned", "received", unit_ids=("u1", "u2", "u3"), line_id="l1", sku="TEE-M", stage="received"),
            step(2, "waiting", "restock", unit_ids=("u1", "u2", "u3"), waiting_for=waiting("inspected")),
            step(3, "learned", "inspected", unit_ids=("u3",), stage="inspected"),
            step(4, "waiting", "restock", unit_ids=("u3",), waiting_for=waiting("mapped")),
        ],
        [],
    )
    assert [(each.unit_ids, each.sku, each.stage, each.waiting_for) for each in found.lines] == [
        (("u1", "u2"), "TEE-M", "received", waiting("inspected")),
        (("u3",), "TEE-M", "inspected", waiting("mapped")),
    ]


def test_a_closed_unit_waits_for_nothing() -> None:
    (found,) = returns(
        [step(1, "waiting", "refund", waiting_for=waiting("inspected")), step(2, "closed", "closed", stage="closed")],
        [],
    )
    assert [(each.stage, each.waiting_for) for each in found.lines] == [("closed", None)]


def test_history_is_told_in_order_of_time_and_once() -> None:
    late, early = step(5, "learned", "inspected"), step(1, "learned", "requested")
    (found,) = returns([late, early, late], [])
    assert [each.what for each in found.steps] == ["requested", "inspected"]


@pytest.mark.req("EXC-1")
def test_returns_are_kept_apart_and_have_their_own_exceptions_and_those_of_the_order() -> None:
    one, other = returns(
        [step(1, "learned", "requested"), step(2, "learned", "requested", rma_id="R2")],
        [
            problem("mine"),
            problem("other", rma_id="R2"),
            problem("order", rma_id=""),
            problem("foreign", merchant="n"),
            problem("elsewhere", rma_id="", order_id="9"),
        ],
    )
    assert [each.exception_id for each in one.exceptions] == ["mine", "order"]
    assert [each.exception_id for each in other.exceptions] == ["other", "order"]


@pytest.mark.req("EXC-1")
def test_a_return_that_never_reached_its_journal_is_known_from_what_went_wrong() -> None:
    raised = [problem("a"), problem("b", rma_id="R2")]
    (found,) = unknown(raised, rma="R1", order_id=None, merchant=None)
    assert [each.exception_id for each in found.exceptions] == ["a"]
    assert (found.lines, found.steps) == ((), ())
    assert unknown(raised, rma="R3", order_id=None, merchant=None) == []
    assert unknown(raised, rma="R1", order_id=None, merchant="n") == []


def test_an_orders_partition_is_kafkas_own_choice_for_its_key() -> None:
    """Golden values: another partition would make a given return look unknown."""
    assert [partition_of("demo-shop", str(order), 6) for order in range(1001, 1009)] == [5, 5, 5, 4, 0, 1, 1, 3]


def test_a_commands_own_grouping_of_units_is_no_line() -> None:
    (found,) = returns(
        [
            step(1, "learned", "inspected", stage="inspected"),
            step(2, "decided", "restock", unit_ids=("1001|l1|sellable|0",), line_id="l1", sku="TEE-M"),
        ],
        [],
    )
    assert [each.unit_ids for each in found.lines] == [("u1",)]
    assert len(found.steps) == 2
