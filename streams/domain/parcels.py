"""Parcels that warehouses may expect: told when a return is approved, and again when what is in it changes (STA-5)."""

import msgspec
from msgspec.structs import replace

from schemas import ids
from schemas.journal import ExpectedLine, ExpectedReturn
from streams.domain import output
from streams.domain.output import Output
from streams.domain.seat import Seat
from streams.domain.standing import Standing
from streams.domain.state import Case


def announced(case: Case, standings: tuple[Standing, ...]) -> tuple[Case, list[Output]]:
    """The case with what warehouses were told, and what they are to be told."""
    seats: dict[str, list[Seat]] = {}
    for standing in standings:
        seat = standing.seat
        if "approved" in seat.rma.marks and not seat.stopped and seat.unit.said.ships:
            seats.setdefault(seat.rma.rma_id, []).append(seat)
    made = []
    told = case.announced
    for rma_id, coming in seats.items():
        record = _record(case, rma_id, coming)
        digest = ids.digest(msgspec.msgpack.encode((record.lines, record.tracking_number, record.carrier)))
        if told.get(rma_id) != digest:
            told = told | {rma_id: digest}
            made.append(output.expected(replace(record, fact_id=ids.fact_id("cases", rma_id, "expected", digest))))
    return (replace(case, announced=told) if made else case), made


def _record(case: Case, rma_id: str, seats: list[Seat]) -> ExpectedReturn:
    counts: dict[tuple[str | None, str], int] = {}
    for seat in seats:
        key = (seat.unit.said.line_id, seat.sku)
        counts[key] = counts.get(key, 0) + seat.unit.said.quantity
    rma = seats[0].rma
    return ExpectedReturn(
        fact_id="", merchant=case.learnt.merchant, order_id=case.learnt.order_id, rma_id=rma_id,
        lines=tuple(
            ExpectedLine(line_id=line_id, sku=sku, quantity=count)
            for (line_id, sku), count in sorted(counts.items(), key=lambda each: (each[0][0] or "", each[0][1]))
        ),
        occurred_at_ms=case.learnt.now_ms, tracking_number=None if rma.tracking is None else rma.tracking.value,
        carrier=None if rma.carrier is None else rma.carrier.value,
    )  # fmt: skip
