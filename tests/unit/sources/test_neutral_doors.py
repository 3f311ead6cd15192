"""The warehouse's and the carrier's bodies, and how they find their return."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.facts import Delivery, ReturnEvent
from schemas.labels import OTHER
from sinks.ledger.ledger import Ledger
from streams.sources import carrier, warehouse
from streams.sources.envelope import envelope
from streams.sources.fields import Malformed
from streams.sources.memory import Memory
from streams.sources.returngo_rows import RmaNote
from streams.sources.source_doors import DoorSource
from tests.unit.sources.merchants import shop

GOOD: dict[str, Any] = {
    "type": "inspection", "rma": "RMA20000017", "order": 5001, "inspected_at": "2026-05-04T10:00:00+02:00",
    "lines": [
        {"line_id": 801, "sku": "MUG", "quantity": 2, "grade": "damaged", "location": "GRADING", "reason": "stain"},
    ],
}  # fmt: skip
TRACKED: dict[str, Any] = {
    "type": "tracking",
    "tracking_number": "T-1",
    "status": "in_transit",
    "rma": "20000017",
    "order": "5001",
}


def delivery(body: object, system: str = "warehouse", name: str = "w1") -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(
        delivery_id=name, merchant="shop-a", system=system, event="", resource_id="", headers={}, body=raw,
        received_at_ms=1_777_900_000_000,
    )  # fmt: skip


KNOWN = {"stain", "torn \ufffd off", "torn\ufffd off"}  # labels that the merchant's file names


def graded(body: object, name: str = "w1") -> ReturnEvent:
    sent = delivery(body, name=name)
    read = warehouse.read(sent)
    named = warehouse.named(read)
    return warehouse.event(sent, read, order_id=named.order_id, rma_id=named.rma_id, known=KNOWN)


@pytest.mark.req("INV-18")
def test_an_inspection_counts_pieces_with_grade_and_place() -> None:
    event = graded(GOOD)
    (unit,) = event.units
    assert (event.kind, event.rma_id, event.order_id, event.system) == ("inspected", "20000017", "5001", "warehouse")
    assert (unit.unit_id, unit.line_id, unit.sku, unit.quantity, unit.disposition) == ("", "801", "MUG", 2, "damaged")
    assert (unit.location, unit.disposition_reason) == ("GRADING", "stain")
    assert event.occurred_at_ms == unit.inspected_at_ms == 1_777_881_600_000


@pytest.mark.req("INV-1")
def test_a_receipt_grades_nothing() -> None:
    event = graded({**GOOD, "type": "receipt"})
    assert (event.kind, event.units[0].disposition, event.units[0].inspected_at_ms) == ("received", None, None)


@pytest.mark.req("INV-13", "INV-18")
def test_sent_again_it_counts_once_and_another_one_counts_too() -> None:
    assert graded(GOOD, "w1").fact_id == graded(GOOD, "w1").fact_id != graded(GOOD, "w2").fact_id


def test_without_a_time_it_happened_when_it_arrived() -> None:
    assert graded({**GOOD, "inspected_at": None}).occurred_at_ms == 1_777_900_000_000


@pytest.mark.parametrize(
    "change",
    [
        {"type": "guess"}, {"lines": []}, {"lines": "x"}, {"lines": [{"quantity": 1}]}, {"inspected_at": "noon"},
        {"lines": [{"sku": "MUG", "quantity": -1, "grade": "sellable"}]}, {"rma": None, "order": None},
        {"lines": [{"sku": "MUG", "quantity": 1e30, "grade": "sellable"}]}, {"rma": {"a": 1}},
        {"lines": [{"sku": "MUG", "quantity": 10**30, "grade": "sellable"}]},
        {"lines": [{"sku": "MUG", "quantity": 1, "grade": "perfect"}]}, {"lines": [{"sku": "MUG", "quantity": 1}]},
        {"lines": [{"sku": " ", "quantity": 1, "grade": "sellable"}]},
        {"lines": [{"line_id": "", "quantity": 1, "grade": "sellable"}]},
        {"lines": [{"sku": "M" * 500, "quantity": 1, "grade": "sellable"}]}, {"order": "a b"},
        {"lines": [{"sku": "MUG\x00", "quantity": 1, "grade": "sellable"}]}, {"order": "5001\x00"}, {"rma": "1\ud800"},
        {"lines": [{"sku": "MUG", "quantity": 1, "grade": "sellable", "location": "G\x00"}]},
        {"lines": [{"sku": "MUG", "line_id": "\x00", "quantity": 1, "grade": "sellable"}]}, {"inspected_at": "\x00"},
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        graded({**GOOD, **change})


@pytest.mark.parametrize("body", [b'{"z":' + b"[" * 20_000, b'{"type": "\xff"}', b'"\\ud800"', b""])
def test_bytes_that_no_reader_takes_are_malformed(body: bytes) -> None:
    for read in (warehouse.read, carrier.read):
        with pytest.raises(Malformed):
            read(delivery(body))


@pytest.mark.parametrize(
    "change",
    [{"tracking_number": "T\x00"}, {"tracking_number": "T\ud83d"}, {"tracking_number": " "}, {"rma": "\x00"},
     {"order": "\x005001"}],
)  # fmt: skip
def test_a_parcel_that_no_database_can_name_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        carrier.named(carrier.read(delivery({**TRACKED, **change}, "carrier")))


def test_words_for_people_are_told_with_what_cannot_be_held_replaced() -> None:
    line = {"sku": "MUG", "quantity": 1, "grade": "damaged", "reason": "torn\x00 off"}
    assert graded({**GOOD, "lines": [line]}).units[0].disposition_reason == "torn\ufffd off"
    sent = delivery({**TRACKED, "carrier": "Fast\x00"}, "carrier")
    told = carrier.event(sent, carrier.read(sent), order_id="1", rma_id="2", known={"fast\ufffd"})
    assert told.carrier == "Fast\ufffd"


@pytest.mark.req("INV-1")
@pytest.mark.parametrize("encode", [
    lambda body: json.dumps(body).encode(),  # half of a cut emoji, as most languages write it
    lambda body: json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass"),
    lambda body: b"\xef\xbb\xbf" + json.dumps(body).encode(),  # with a byte order mark, as .NET writes it
    lambda body: json.dumps(body, ensure_ascii=False).replace("\ud83d", "\xe9").encode("latin-1"),
])  # fmt: skip
def test_a_text_for_people_that_is_broken_takes_no_message_with_it(encode: Callable[[object], bytes]) -> None:
    line = {"sku": "MUG", "quantity": 1, "grade": "damaged", "reason": "stain \ud83d"}
    (unit,) = graded(encode({**GOOD, "lines": [line]})).units
    assert (unit.sku, unit.disposition) == ("MUG", "damaged")
    assert (unit.disposition_reason or "").startswith(OTHER)
    sent = delivery(encode({**TRACKED, "carrier": "Fast \ud83d"}), "carrier")
    assert carrier.named(carrier.read(sent)).tracking_number == "T-1"
    addressed = envelope("warehouse", {}, encode({**GOOD, "lines": [line]}))
    assert (addressed.resource_id, addressed.problem) == ("5001", None)


@pytest.mark.req("INV-19")
def test_what_something_is_found_by_may_be_as_long_as_in_the_shop_and_stand_between_blanks() -> None:
    line = {"sku": f" {'M' * 250} ", "quantity": 1, "grade": "sellable", "location": " GRADING "}
    (unit,) = graded({**GOOD, "lines": [line]}).units
    assert (unit.sku, unit.location) == ("M" * 250, "GRADING")
    told = [carrier.read(delivery({**TRACKED, "tracking_number": number}, "carrier")) for number in ("T-1", " T-1\n")]
    assert {carrier.named(each).tracking_number for each in told} == {"T-1"}


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    for read in (warehouse.read, carrier.read):
        with pytest.raises(Malformed):
            read(delivery(body))


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize("change", [{"quantity": "Jane"}, {"grade": "Jane"}, {"grade": "Jane's - at home"}])
def test_a_problem_names_the_place_and_never_the_value(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as problem:
        graded({**GOOD, "lines": [{"sku": "MUG", "quantity": 1, "grade": "sellable", **change}]})
    assert "lines" in str(problem.value)
    assert "Jane" not in str(problem.value)


@pytest.mark.req("STA-1")
def test_only_the_first_scan_of_a_parcel_is_a_fact() -> None:
    first, later = (
        carrier.event(sent, carrier.read(sent), order_id="5001", rma_id="20000017")
        for sent in (delivery(TRACKED, "carrier"), delivery({**TRACKED, "status": "delivered"}, "carrier", "w2"))
    )
    assert (first.kind, first.tracking_number, first.fact_id) == ("in_transit", "T-1", later.fact_id)


@pytest.fixture
def memory_of(tmp_path: Path) -> Iterator[Any]:
    """`memory_of(system)`: memories on one ledger."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield lambda system: Memory(ledger, system, lambda: 1_777_900_000_000)
    ledger.close()


def door(system: str, memory_of: Any) -> DoorSource:
    return DoorSource(system, {"shop-a": shop("shop-a")}, memory_of(system), Codec(), lambda: 1_777_900_000_000)


@pytest.mark.req("ELG-2")
async def test_a_message_waits_until_its_rma_is_known(memory_of: Any) -> None:
    source, sent = door("warehouse", memory_of), delivery({**GOOD, "order": None})
    waits = await source.route(sent)
    assert (waits.result, waits.facts, len(waits.notes)) == ("waits", (), 1)
    note = msgspec.json.encode(RmaNote(order_id="5001", read_ms=1, status="Received", units="")).decode()
    await memory_of("returngo").keep("shop-a", {"rma:20000017": note})
    found = await source.route(sent)
    assert (found.result, [each.order_id for each in found.facts if isinstance(each, ReturnEvent)]) == (
        "direct",
        ["5001"],
    )


async def test_a_parcel_is_found_by_its_tracking_number(memory_of: Any) -> None:
    source = door("carrier", memory_of)
    sent = delivery({**TRACKED, "rma": None, "order": None}, "carrier")
    assert (await source.route(sent)).result == "waits"
    note = msgspec.json.encode(RmaNote(order_id="5001", read_ms=1, status="Approved", units="")).decode()
    await memory_of("returngo").keep("shop-a", {"rma:20000017": note, "tracking:T-1": "20000017"})
    (fact,) = (await source.route(sent)).facts
    assert isinstance(fact, ReturnEvent)
    assert (fact.rma_id, fact.order_id) == ("20000017", "5001")


async def test_a_word_that_is_no_scan_is_ignored_and_a_broken_body_is_a_complaint(memory_of: Any) -> None:
    source = door("carrier", memory_of)
    assert (await source.route(delivery({**TRACKED, "status": "label_created"}, "carrier"))).result == "ignored"
    broken = await source.route(delivery(b"{}", "carrier"))
    assert broken.result == "malformed"
    assert broken.complaint is not None
