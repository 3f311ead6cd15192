"""Which units the effects of others cover: a unit that staff, the till or ReturnGO refunded or restocked is never done
again by us.

A refund or restock names lines and quantities, not units. It covers units of those lines whose return was asked for
before it, those of its own RMA first. What is left over counts against the line: that many units fewer can come back.
"""

from collections.abc import Sequence

import msgspec

from streams.domain import unsent
from streams.domain.coverable import Coverable
from streams.domain.decided import repays
from streams.domain.echoes import by_line
from streams.domain.learnt import Effect, Moved, Rma, Step
from streams.domain.own import Own
from streams.domain.seat import Seat

EVERY_UNIT = ""  # a step that names no unit
PAID_KINDS = ("refund", "credit", "store_return", "chargeback")


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """An effect of someone else, the units it covers and whether ReturnGO made it. `beyond`: units that it names and
    that no return waits for."""

    effect: Effect
    seats: tuple[Seat, ...]
    by_returngo: bool
    beyond: int = 0


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """`earlier`: refunded units per line that belong to no known return; `unsent`: those of them that never left."""

    refunds: tuple[Foreign, ...]
    restocks: tuple[Foreign, ...]
    earlier: dict[str, int]
    unsent: dict[str, int] = {}


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
    covered = Covered(refunds=(), restocks=(), earlier={}, unsent={})
    # what others have paid back is all that was captured: then every unit is paid for, named or not
    unnamed = [s for s in seats if _unpaid(s)] if _nothing_left(own) else []
    theirs = [each for each in own.foreign if each.kind in PAID_KINDS]
    units = Coverable(seats if any(each.moved for each in theirs) else (), _payable)
    never_left = Coverable(unsent.never_left(seats) if any(map(unsent.of, theirs)) else (), _payable)
    refunds = [_refund(each, steps, (units, never_left), unnamed, covered) for each in theirs]
    _reported(seats, own)
    return msgspec.structs.replace(covered, refunds=tuple(refunds))


def put_back(seats: Sequence[Seat], own: Own) -> tuple[Foreign, ...]:
    """Marks the units that others put into stock."""
    units = Coverable(seats if any(each.moved for each in own.foreign) else (), _stockable)
    under_way, taken_off = _under_way(own), unsent.PutBack(seats)
    return tuple(found for each in own.foreign if (found := _restock(each, units, under_way, taken_off)) is not None)


def _refund(
    effect: Effect, steps: dict[str, Step], units: tuple[Coverable, Coverable], unnamed: list[Seat], covered: Covered
) -> Foreign:
    """`units`: all, and those of them that never left."""
    step = steps.get(effect.external_id)
    taken: dict[str, Seat] = {}
    beyond = 0
    if not effect.moved and effect.total_minor > 0 and unnamed:
        taken = {s.key: s for s in unnamed if _unpaid(s)}
        unnamed.clear()
    named = () if step is None else step.unit_ids
    for line_id, count in unsent.others(effect).items():
        found, left = units[0].take(line_id, count, effect, named)
        taken |= found
        _add(covered.earlier, line_id, left)
        beyond += left
    for line_id, count in unsent.of(effect).items():
        found, left = units[1].take(line_id, count, effect, named)
        taken |= found
        _add(covered.earlier, line_id, left)
        _add(covered.unsent, line_id, left)
        beyond += left
        for seat in found.values():
            seat.unsent = any(line.sent is not None for line, _ in seat.parts)
    for seat in taken.values():
        seat.money, seat.paid_by = "elsewhere", effect
    by_returngo = step is not None or effect.actor == "returngo"
    return Foreign(effect=effect, seats=tuple(taken.values()), by_returngo=by_returngo, beyond=beyond)


def _add(units: dict[str, int], line_id: str, count: int) -> None:
    if count:
        units[line_id] = units.get(line_id, 0) + count


def _unpaid(seat: Seat) -> bool:
    return seat.money in ("undecided", "refused") and seat.kind not in ("none", "unknown")


def _nothing_left(own: Own) -> bool:
    """Whether others have paid back all that was captured: then every unit is paid for, named or not."""
    order = own.learnt.order
    if order is None:
        return False
    paid = sum(t.amount_minor for t in order.tenders if t.status == "success")
    seen = [e for e in (*own.marked.values(), *own.foreign) if e.kind in PAID_KINDS]
    gone = sum(e.total_minor for e in seen if e.currency in (None, order.currency))
    return 0 < paid <= gone


def _restock(effect: Effect, units: Coverable, under_way: dict[str, int], taken_off: unsent.PutBack) -> Foreign | None:
    taken: dict[str, Seat] = {}
    back = [m for m in effect.moved if m.restocked or effect.kind == "restock"]
    theirs = [m for m in back if effect.kind != "restock" or not _ours(m, effect, under_way)]
    for line_id, count in by_line(m for m in theirs if not taken_off.is_part(m)).items():
        found, _ = units.take(line_id, count, effect)
        taken |= found
    if theirs:
        taken |= {key: seat for key, seat in taken_off.covered_by(effect).items() if _stockable(seat)}
    for seat in taken.values():
        seat.restocked = "elsewhere"
    return Foreign(effect=effect, seats=tuple(taken.values()), by_returngo=False) if theirs else None


def _ours(moved: Moved, effect: Effect, under_way: dict[str, int]) -> bool:
    """Maybe, while a restock of ours for the line is under way: a disposal may be seen before its result."""
    since_ms = under_way.get(moved.line_id)
    return since_ms is not None and since_ms <= effect.stamp.at_ms


def _under_way(own: Own) -> dict[str, int]:
    """Since when a restock of ours is, per line. One that the stock agent found impossible is not."""
    since: dict[str, int] = {}
    for d in own.restocks:
        if d.line_id is not None and own.restocked(d)[:2] == ("open", None):
            since[d.line_id] = min(d.decided_at_ms, since.get(d.line_id, d.decided_at_ms))
    return since


def released(seat: Seat) -> bool:
    """ReturnGO made an order of its draft by itself, where the draft was ours to complete."""
    return seat.rma.exchange_order is not None and seat.model.exchanges.made == "draft"


def _payable(seat: Seat) -> bool:
    return seat.money in ("undecided", "open", "refused")


def _stockable(seat: Seat) -> bool:
    return seat.restocked in ("undecided", "open", "refused") and seat.unit.said.ships


def _reported(seats: Sequence[Seat], own: Own) -> None:
    """Units that ReturnGO says it has paid, whether or not the shop shows the refund yet."""
    ours = own.names
    paid = {rma_id: _paid_steps(rma, ours) for rma_id, rma in own.learnt.rmas.items()}
    for seat in seats:
        if seat.kind == "exchange" and seat.money == "undecided" and released(seat):
            seat.money = "elsewhere"
        if seat.money in ("applied", "elsewhere") or seat.kind not in ("refund", "credit"):
            continue
        steps = paid[seat.rma.rma_id]
        said = [steps[name] for name in (seat.unit.unit_id, EVERY_UNIT) if name in steps]
        if said:
            seat.money, seat.paid_step = "elsewhere", max(said, key=lambda each: each[0])[1]


def _paid_steps(rma: Rma, ours: set[str]) -> dict[str, tuple[int, Step]]:
    """The last step by which ReturnGO has paid, per unit, with its place among all of them."""
    found: dict[str, tuple[int, Step]] = {}
    for place, step in enumerate(rma.steps.values()):
        if repays(step) and step.external_id not in ours:
            found |= dict.fromkeys(step.unit_ids or (EVERY_UNIT,), (place, step))
    return found
