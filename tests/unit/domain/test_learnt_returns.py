"""What is said of a return is learnt field by field: each here has another value."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.facts import ReturnedUnit, ReturnTransaction
from schemas.money import Money
from tests.unit.domain.factories import at as hour
from tests.unit.domain.factories import event
from tests.unit.domain.fields import at, learnt, named

UNIT = ReturnedUnit(
    unit_id="u1", line_id="L1", sku="TEE", quantity=2, variant_id="V1", reason="Too big", resolution="exchange",
    ships=False, paid=Money(minor=1000, currency="EUR"), paid_tax=Money(minor=160, currency="EUR"), tax_included=True,
    fees=Money(minor=50, currency="EUR"), exchange_price=Money(minor=1200, currency="USD"), disposition="damaged",
    disposition_reason="torn", location="dock", options=("M", "Red"),
)  # fmt: skip


@pytest.mark.parametrize(("system", "rank"), [("returngo", 1), ("warehouse", 0)])
def test_every_field_of_a_returned_unit_is_learnt(system: str, rank: int) -> None:
    fact = replace(event("inspected", UNIT, hours=0, system=system), occurred_at_ms=6000, fact_id="f4")
    assert named(learnt(fact).rmas["100"].units["u1"]) == {
        "unit_id": "u1", "scanned": None, "received": None,
        "said": (
            rank, at(6000, "f4"), "L1", "TEE", 2, "V1", "Too big", "exchange", False, 1000, 50, "EUR+USD", 160, 1200,
            0, 0, ("M", "Red"),
        ),
        "inspections": {system: learnt(fact).rmas["100"].units["u1"].inspections[system]},
    }  # fmt: skip
    found = learnt(fact).rmas["100"].units["u1"].inspections[system]
    assert named(found) == {"stamp": at(6000, "f4"), "disposition": "damaged", "location": "dock", "reason": "torn"}


def test_what_a_unit_does_not_say_is_empty() -> None:
    fact = replace(event("inspected", ReturnedUnit(unit_id="u1", line_id=None, sku="TEE", disposition="sellable"),
                         hours=0), occurred_at_ms=6000, fact_id="f4")  # fmt: skip
    unit = learnt(fact).rmas["100"].units["u1"]
    assert named(unit.said) == {
        "rank": 1, "stamp": at(6000, "f4"), "line_id": None, "sku": "TEE", "quantity": 1, "variant_id": None,
        "reason": "", "resolution": "unknown", "ships": True, "paid_minor": None, "fees_minor": 0, "currency": None,
        "tax_minor": None, "exchange_minor": None, "paid_rest": 0, "tax_rest": 0, "options": (),
    }  # fmt: skip
    assert (unit.inspections["returngo"].location, unit.inspections["returngo"].reason) == ("", "")


@pytest.mark.req("MON-12")
@pytest.mark.parametrize(
    ("field", "learns"),
    [
        ("paid", (70, None, 0, None)), ("paid_tax", (None, 70, 0, None)), ("fees", (None, None, 70, None)),
        ("exchange_price", (None, None, 0, 70)),
    ],
)  # fmt: skip
def test_each_figure_of_a_unit_is_learnt_alone_too(field: str, learns: Any) -> None:
    one = replace(ReturnedUnit(unit_id="u1", line_id="L1", sku="TEE"), **{field: Money(minor=70, currency="EUR")})
    said = learnt(event("requested", one, hours=1)).rmas["100"].units["u1"].said
    assert (said.paid_minor, said.tax_minor, said.fees_minor, said.exchange_minor) == learns
    assert said.currency == "EUR"


@pytest.mark.req("MON-12")
@pytest.mark.parametrize(("included", "paid"), [(True, 1000), (None, 1000), (False, 1160)])
def test_a_price_without_its_tax_is_learnt_with_it(included: bool | None, paid: int) -> None:
    fact = event("requested", replace(UNIT, tax_included=included), hours=1)
    assert learnt(fact).rmas["100"].units["u1"].said.paid_minor == paid


@pytest.mark.parametrize(("status", "rank"), [("requested", 0), ("unknown", 0), ("failed", 1), ("success", 2)])
def test_every_field_of_a_payment_step_is_learnt(status: Any, rank: int) -> None:
    step = ReturnTransaction(
        transaction_id="T1", kind="gift_card", status=status, amount=Money(minor=700, currency="EUR"), external_id="G1",
        unit_ids=("u2", "u1"),
    )  # fmt: skip
    fact = replace(event("transaction", hours=0, transaction=step), occurred_at_ms=7000, fact_id="f5")
    assert named(learnt(fact).rmas["100"].steps["T1"]) == {
        "rank": rank, "stamp": at(7000, "f5"), "transaction_id": "T1", "kind": "gift_card", "status": status,
        "amount_minor": 700, "currency": "EUR", "external_id": "G1", "unit_ids": ("u1", "u2"),
    }  # fmt: skip


@pytest.mark.req("INV-18")
@pytest.mark.parametrize(("kind", "graded"), [("inspected", "damaged"), ("received", None)])
def test_every_field_of_a_counted_piece_is_learnt(kind: str, graded: str | None) -> None:
    other = ReturnedUnit(unit_id="u9", line_id="L1", sku="TEE")
    fact = event(kind, other, replace(UNIT, unit_id=""), hours=0, system="warehouse")
    (claim,) = learnt(replace(fact, occurred_at_ms=8000, fact_id="f6")).claims
    assert named(claim) == {
        "stamp": at(8000, "f6"), "fact_id": "f6", "position": 1, "source": "warehouse", "rma_id": "100",
        "line_id": "L1", "sku": "TEE", "quantity": 2, "disposition": graded, "location": "dock", "reason": "torn",
    }  # fmt: skip
    bare = ReturnedUnit(unit_id="", line_id=None, sku="TEE")
    (claim,) = learnt(event(kind, bare, hours=0, system="warehouse")).claims
    assert (claim.line_id, claim.location, claim.reason) == ("", "", "")


@pytest.mark.req("INV-18")
def test_pieces_of_a_count_without_a_return_are_counted_though_they_are_named() -> None:
    known = learnt(event("inspected", UNIT, hours=0, rma="", system="warehouse"))
    assert ([each.rma_id for each in known.claims], known.rmas) == ([""], {})


def test_every_field_of_a_return_is_learnt_with_the_time_from_which_it_holds() -> None:
    fact = event(
        "requested", UNIT, hours=0, exchange_draft_order_id="D1", exchange_order_id="X1", tracking_number="TR1",
        carrier="Post",
    )  # fmt: skip
    rma = learnt(replace(fact, occurred_at_ms=9000, fact_id="f7")).rmas["100"]
    stamp = at(9000, "f7")
    assert named(rma) == {
        "rma_id": "100", "marks": {"requested": rma.marks["requested"]}, "units": rma.units, "steps": {},
        "draft_order": (stamp, "D1"), "exchange_order": (stamp, "X1"), "tracking": (stamp, "TR1"),
        "carrier": (stamp, "Post"), "roster": (stamp, ("u1",)), "ended": {},
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["in_transit", "received", "inspected", "approved"])
def test_a_milestone_of_named_units_is_one_of_the_return_only_where_it_is_about_the_return(kind: str) -> None:
    about_units = kind != "approved"
    assert list(learnt(event(kind, UNIT, hours=0)).rmas["100"].marks) == ([] if about_units else [kind])
    assert list(learnt(event(kind, hours=0)).rmas["100"].marks) == [kind]


@pytest.mark.req("STA-4")
def test_the_end_of_a_return_is_known_by_its_first_and_its_newest_word() -> None:
    first, again = event("cancelled", hours=3), event("cancelled", hours=5)
    for facts in ((first, again), (again, first)):
        rma = learnt(*facts, event("expired", hours=4), event("rejected", hours=2)).rmas["100"]
        assert {kind: stamp.at_ms for kind, stamp in rma.ended.items()} == {"cancelled": hour(3), "expired": hour(4)}
        assert rma.marks["cancelled"].at_ms == hour(5)
