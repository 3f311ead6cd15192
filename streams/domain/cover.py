"""Which units the effects of others cover: a unit that staff, the till or ReturnGO refunded or restocked is never done
again by us.

A refund or restock names lines and quantities, not units. It covers units of those lines whose return was asked for
before it, those of its own RMA first. What is left over counts against the line: that many units fewer can come back.
"""

from collections.abc import Callable, Sequence

import msgspec

from streams.domain.decided import repays
from streams.domain.echoes import by_line
from streams.domain.learnt import Effect, Moved, Step
from streams.domain.own import Own
from streams.domain.seat import Seat

PAID_KINDS = ("refund", "credit", "store_return", "chargeback")


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """An effect of someone else, the units it covers and whether ReturnGO made it. `beyond`: units that it names and
    that no return waits for."""

    effect: Effect
    seats: tuple[Seat, ...]
    by_returngo: bool
    beyond: int = 0


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """`earlier`: refunded units per line that belong to no known return."""

    refunds: tuple[Foreign, ...]
    restocks: tuple[Foreign, ...]
    earlier: dict[str, int]


def paid(seats: Sequence[Seat], own: Own) -> Covered:
    """Marks the units that others paid for; whether goods stay in stock may depend on it."""
    if not own.foreign and not any(rma.steps or rma.exchange_order for rma in own.learnt.rmas.values()):
        return Covered(refunds=(), restocks=(), earlier={})
    steps = {
        step.external_id: step
        for rma in own.learnt.rmas.values()
        for step in rma.steps.values()
        if step.external_id and step.status == "success"
    }
    earlier: dict[str, int] = {}
    nothing_left = _nothing_left(own)
    refunds = [_refund(each, steps, seats, earlier, nothing_left) for each in own.foreign if each.kind in PAID_KINDS]
    _reported(seats, own)
    return Covered(refunds=tuple(refunds), restocks=(), earlier=earlier)


def put_back(seats: Sequence[Seat], own: Own) -> tuple[Foreign, ...]:
    """Marks the units that others put into stock."""
    return tuple(found for each in own.foreign if (found := _restock(each, seats, own)) is not None)


def _refund(
    effect: Effect, steps: dict[str, Step], seats: Sequence[Seat], earlier: dict[str, int], nothing_left: bool
) -> Foreign:
    step = steps.get(effect.external_id)
    taken: dict[str, Seat] = {}
    beyond = 0
    if not effect.moved and effect.total_minor > 0 and nothing_left:
        unpaid = [s for s in seats if s.money in ("undecided", "refused") and s.kind not in ("none", "unknown")]
        taken = {s.key: s for s in unpaid}
    for line_id, count in by_line(effect.moved).items():
        found, left = _take(line_id, count, effect, seats, _payable, step)
        taken |= found
        if left:
            earlier[line_id] = earlier.get(line_id, 0) + left
            beyond += left
    for seat in taken.values():
        seat.money, seat.paid_by = "elsewhere", effect
    by_returngo = step is not None or effect.actor == "returngo"
    return Foreign(effect=effect, seats=tuple(taken.values()), by_returngo=by_returngo, beyond=beyond)


def _nothing_left(own: Own) -> bool:
    """Whether others have paid back all that was captured: then every unit is paid for, named or not."""
    order = own.learnt.order
    if order is None:
        return False
    paid = sum(t.amount_minor for t in order.tenders if t.status == "success")
    seen = [e for e in (*own.marked.values(), *own.foreign) if e.kind in PAID_KINDS]
    gone = sum(e.total_minor for e in seen if e.currency in (None, order.currency))
    return 0 < paid <= gone


def _restock(effect: Effect, seats: Sequence[Seat], own: Own) -> Foreign | None:
    taken: dict[str, Seat] = {}
    back = [m for m in effect.moved if m.restocked or effect.kind == "restock"]
    theirs = [m for m in back if effect.kind != "restock" or _theirs(m, effect, own)]
    for line_id, count in by_line(theirs).items():
        found, _ = _take(line_id, count, effect, seats, _stockable, None)
        taken |= found
    for seat in taken.values():
        seat.restocked = "elsewhere"
    return Foreign(effect=effect, seats=tuple(taken.values()), by_returngo=False) if theirs else None


def _theirs(moved: Moved, effect: Effect, own: Own) -> bool:
    """Not while a restock of ours for the line is under way since before: a disposal may be seen before its result.
    One that the stock agent found impossible is not under way."""
    return not any(
        d.line_id == moved.line_id and d.decided_at_ms <= effect.stamp.at_ms and own.restocked(d)[:2] == ("open", None)
        for d in own.restocks
    )  # fmt: skip


def released(seat: Seat) -> bool:
    """ReturnGO made an order of its draft by itself, where the draft was ours to complete."""
    return seat.rma.exchange_order is not None and seat.model.exchanges.made == "draft"


def _payable(seat: Seat) -> bool:
    return seat.money in ("undecided", "open", "refused")


def _stockable(seat: Seat) -> bool:
    return seat.restocked in ("undecided", "open", "refused") and seat.unit.said.ships


def _take(
    line_id: str, left: int, effect: Effect, seats: Sequence[Seat], free: Callable[[Seat], bool], step: Step | None
) -> tuple[dict[str, Seat], int]:
    """Units of the line for an effect, and how many units of it no return is known for."""
    here = [s for s in seats if free(s) and any(line.line_id == line_id for line, _ in s.parts)]
    named = step.unit_ids if step is not None else ()
    fitting = [s for s in here if _asked_before(s, effect) and effect.rma_id in (None, s.rma.rma_id)]
    taken: dict[str, Seat] = {}
    for seat in sorted(fitting, key=lambda s: _preference(s, named)):
        size = sum(count for line, count in seat.parts if line.line_id == line_id)
        if size <= left:
            taken[seat.key] = seat
            left -= size
    return taken, left


def _preference(seat: Seat, named: tuple[str, ...]) -> tuple[bool, bool, bool, bool, bool, str, str]:
    # a unit whose own payment is under way comes last: its result is still to come
    return (
        seat.unit.unit_id not in named, bool(seat.stopped), seat.money == "open", seat.kind != "refund",
        seat.found is None, seat.rma.rma_id, seat.unit.unit_id,
    )  # fmt: skip


def _asked_before(seat: Seat, effect: Effect) -> bool:
    asked = seat.rma.marks.get("requested")
    return asked is None or asked.at_ms <= effect.stamp.at_ms


def _reported(seats: Sequence[Seat], own: Own) -> None:
    """Units that ReturnGO says it has paid, whether or not the shop shows the refund yet."""
    ours = own.names
    for seat in seats:
        if seat.kind == "exchange" and seat.money == "undecided" and released(seat):
            seat.money = "elsewhere"
        if seat.money in ("applied", "elsewhere") or seat.kind not in ("refund", "credit"):
            continue
        for step in seat.rma.steps.values():
            named = not step.unit_ids or seat.unit.unit_id in step.unit_ids
            if named and repays(step) and step.external_id not in ours:
                seat.money, seat.paid_step = "elsewhere", step
