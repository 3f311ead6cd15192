"""A return that was edited after it was paid: what was paid stays paid, and a person is told what the return says now.

What differs before a payment holds it by the guards in walk.py; what differs afterwards comes to the same exception.
"""

from collections.abc import Iterable, Sequence

from streams.domain import amounts, pay, rounding
from streams.domain.causes import Cause
from streams.domain.decided import Exchanging, Money, Paying
from streams.domain.explain import money
from streams.domain.seat import Kind, Seat
from streams.domain.seating import Seating


def of_resolutions(seats: Iterable[Seat]) -> Iterable[Cause]:
    """The return was edited to another means after it was paid: what was paid stays paid."""
    for seat in seats:
        paid = seat.paying
        if paid is None or seat.money not in ("open", "applied"):
            continue
        was = _kind(paid)
        if seat.kind not in (was, "unknown"):
            detail = f"the return was edited from {was} to {seat.unit.said.resolution} after it was decided"
            yield Cause(
                type="contradicting_fact", rma_id=seat.rma.rma_id, subject=f"{paid.decision_id}:resolution",
                detail=detail, expected=was, actual=seat.unit.said.resolution, command_id=paid.decision_id,
                unit_ids=(seat.unit.unit_id,),
            )  # fmt: skip


def _kind(paid: Money) -> Kind:
    if isinstance(paid, Exchanging) or (isinstance(paid, Paying) and paid.exchange_id):
        return "exchange"
    return "refund" if isinstance(paid, Paying) else "credit"


def of_payment(decision: Money, seating: Seating) -> Iterable[Cause]:
    """Other lines, quantities or prices than those that a payment was decided with."""
    if not decision.unit_ids or (isinstance(decision, Paying) and decision.exchange_id):
        return
    seats = [s for s in seating.of_units(decision.rma_id, decision.unit_ids) if not s.stopped and s.parts]
    if len(seats) < len(decision.unit_ids):
        return
    then, now = {share.line_id: share.quantity for share in decision.shares}, amounts.counted(seats).units
    if then != now:
        yield _cause("contradicting_fact", decision, "lines", _goods(then), _goods(now))
        return
    kind = _kind(decision)
    if [seat for seat in seats if seat.kind != kind]:
        return
    told = {s.unit.said.currency or decision.currency for s in seats}
    if told != {decision.currency}:
        others = ", ".join(sorted(told - {decision.currency}))
        yield _cause("currency_mismatch", decision, "prices", decision.currency, others)
        return
    was, said = _exchanged(decision, seats) if isinstance(decision, Exchanging) else _paid(decision, seats, seating)
    coins = abs(decision.rounding_minor) if isinstance(decision, Paying) else 0
    leeway = coins + rounding.of_shares(decision.shares)
    if said is not None and abs(said - was) > seats[0].model.refunding.tolerance_minor + leeway:
        ours, theirs = money(was, decision.currency), money(said, decision.currency)
        yield _cause("amount_mismatch", decision, "prices", ours, theirs)


def _paid(decision: Money, seats: Sequence[Seat], seating: Seating) -> tuple[int, int | None]:
    """What was due, and what is by the return's prices and fees; a request by ReturnGO is compared by itself."""
    due, fees = decision.amount_minor, 0
    if isinstance(decision, Paying):
        due -= decision.rounding_minor
        fees = amounts.fees(seats) - decision.fees_minor
    request = pay.asked_for(seats, seating.of_rma(decision.rma_id)) if seats[0].rma.steps else None
    if request is not None and request.amount_minor is not None:
        return due, None
    goods, claimed = sum(share.amount_minor for share in decision.shares), amounts.claimed(seats)
    return due, max(due - fees + (0 if claimed is None else claimed - goods), 0)


def _exchanged(decision: Exchanging, seats: Sequence[Seat]) -> tuple[int, int | None]:
    """What the customer pays for dearer goods, below zero: gets back for cheaper ones; then, and now once it is said of
    every unit."""
    prices = [seat.unit.said.exchange_minor for seat in seats]
    said = None if None in prices else sum(price or 0 for price in prices) - decision.amount_minor
    return decision.difference_minor, said


def _goods(lines: dict[str, int]) -> str:
    return ", ".join(f"{quantity} of line {line_id}" for line_id, quantity in sorted(lines.items()))


def _cause(kind: str, decision: Money, about: str, was: str, now: str) -> Cause:
    return Cause(
        type=kind, rma_id=decision.rma_id, subject=f"{decision.decision_id}:{about}",
        detail=f"the return was edited from {was} to {now} after it was decided", expected=was, actual=now,
        command_id=decision.decision_id, unit_ids=decision.unit_ids,
    )  # fmt: skip
