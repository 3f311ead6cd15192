"""Parcels that warehouses may expect: told when a return is approved, and again when what is in it changes (STA-5)."""

import msgspec
from msgspec.structs import replace

from schemas import ids
from schemas.journal import ExpectedLine, ExpectedReturn
from streams.domain import output
from streams.domain.learn import Fact, name_of
from streams.domain.output import Output
from streams.domain.seat import Seat
from streams.domain.standing import Standing
from streams.domain.state import Case


def announced(case: Case, by_rma: dict[str, list[Standing]], fact: Fact) -> tuple[Case, list[Output]]:
    """The case with what warehouses were told, and what this fact is a reason to tell them, under an id of its own: a
    parcel may become again what it was before."""
    made = []
    told = dict(case.announced)
    for rma_id, standings in by_rma.items():
        rma = standings[0].seat.rma
        coming = [s.seat for s in standings if s.seat.unit.said.ships and not s.seat.stopped]
        if not coming or "approved" not in rma.marks:
            continue
        lines = _lines(coming)
        tracking = None if rma.tracking is None else rma.tracking.value
        carrier = None if rma.carrier is None else rma.carrier.value
        digest = ids.digest(msgspec.msgpack.encode((lines, tracking, carrier)))[:16]
        if told.get(rma_id) != digest:
            told[rma_id] = digest
            made.append(output.expected(ExpectedReturn(
                fact_id=ids.fact_id("cases", rma_id, "expected", digest, name_of(fact)), merchant=case.learnt.merchant,
                order_id=case.learnt.order_id, rma_id=rma_id, tracking_number=tracking, carrier=carrier,
                lines=tuple(ExpectedLine(line_id=line, sku=sku, quantity=count) for line, sku, count in lines),
                occurred_at_ms=case.learnt.now_ms,
            )))  # fmt: skip
    return (replace(case, announced=told) if made else case), made


def _lines(seats: list[Seat]) -> list[tuple[str | None, str, int]]:
    counts: dict[tuple[str | None, str], int] = {}
    for seat in seats:
        key = (seat.unit.said.line_id, seat.sku)
        counts[key] = counts.get(key, 0) + seat.unit.said.quantity
    return [(*each, counts[each]) for each in sorted(counts, key=lambda each: (each[0] or "", each[1]))]
