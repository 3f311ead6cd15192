"""Causes beyond a unit's own guards: refusals, contradictions, conflicts between systems, effects of others."""

from collections.abc import Iterable

import msgspec

from schemas.exceptions import TYPES
from schemas.merchant import Merchant
from schemas.numbers import LATEST_MS
from schemas.working_hours import HOUR_MS
from streams.domain import explain, movements
from streams.domain.allot import Spare
from streams.domain.causes import Cause, about
from streams.domain.counted import Arrivals
from streams.domain.cover import Foreign
from streams.domain.decided import KINDS, Booking, Decision, Marking, Money, Restocking
from streams.domain.echoes import by_line
from streams.domain.explain import money, refused
from streams.domain.learnt import Inspection, Learnt, Result, Stamp
from streams.domain.seat import GONE, Seat, ended, gone, model_of, names_item
from streams.domain.seating import Seating
from streams.domain.walk import wants_money, wants_stock


def of_seat(seat: Seat) -> list[Cause]:
    """Refusals, contradictions and conflicts of one unit."""
    made: list[Cause] = []
    if seat.restocked == "refused" or seat.money == "refused":
        made += _refusals(seat)
    if seat.stopped:
        if _moved(seat):
            made.append(Cause(
                type="status_conflict", rma_id=seat.rma.rma_id, subject="stopped", unit_ids=(seat.unit.unit_id,),
                detail=f"the return was {seat.stopped}, but goods or money had moved already",
            ))  # fmt: skip
        return made
    if seat.arrived is not None:
        made += _misdated(seat, "receipt", seat.arrived)
    if seat.found is not None:
        made += _misdated(seat, "inspection", seat.found.stamp)
        if seat.restocking is not None:
            made += _regraded(seat, seat.restocking, seat.found)
        if _in_no_stock(seat):
            made.append(about(seat, "no_item", "it was sold without an item and without a SKU: no stock holds it"))
    if seat.money == "elsewhere":
        unseen = seat.found is None and seat.restocked != "elsewhere"
        if seat.unit.said.ships and (unseen or gone(seat)):
            made.append(about(seat, "refund_before_goods", "the money went out, the goods were not accounted for"))
    return made


def _in_no_stock(seat: Seat) -> bool:
    """Goods that would go into stock, if anything said what they are."""
    ours = seat.unit.said.ships and seat.model.restocking.actor == "returnflow" and seat.restocked != "elsewhere"
    return ours and seat.status is not None and not names_item(seat)


def of_stops(seating: Seating, learnt: Learnt) -> Iterable[Cause]:
    """Goods that were received or inspected after their return had ended: nothing happens to them any more."""
    stopped = [seat for seat in seating.seats if seat.stopped]
    if not stopped:
        return
    still_open = {seat.subject for seat in seating.seats if not seat.stopped}
    arrivals = Arrivals(learnt, seating.seats)
    for seat in stopped:
        since = ended(seat.rma) if not seat.withdrawn else None
        if since is None or _moved(seat) or seat.restocked == "elsewhere" or not seat.unit.said.ships:
            continue
        seen = _last_seen(seat, arrivals, elsewhere=seat.subject in still_open)
        if seen is not None and seen.at_ms > since.at_ms:
            nothing = "put into stock" if seat.money == "elsewhere" else "put into stock or paid for"
            detail = f"goods were received or inspected after the return was {seat.stopped}"
            yield Cause(
                type="status_conflict", rma_id=seat.rma.rma_id, subject="stopped", unit_ids=(seat.unit.unit_id,),
                detail=f"{detail}: not {nothing}, unless it is reopened",
            )  # fmt: skip


def _moved(seat: Seat) -> bool:
    stocked = seat.restocked in ("open", "applied") and not _undone(seat)
    return stocked or seat.money in ("open", "applied")


def _last_seen(seat: Seat, arrivals: Arrivals, *, elsewhere: bool) -> Stamp | None:
    """The newest word that its goods are there. A piece that names no return is not its own while another return of
    the line is open `elsewhere`."""
    arrived = seat.arrived
    if arrived is not None and elsewhere:
        arrived = arrivals.of(seat, by_order=False)
    if seat.found is None:
        return arrived
    if gone(seat):
        return arrived if arrived is not None and arrived.at_ms > seat.found.stamp.at_ms else None
    return seat.found.stamp if arrived is None else max(arrived, seat.found.stamp)


def _misdated(seat: Seat, what: str, stamp: Stamp) -> Iterable[Cause]:
    """Goods cannot come back before they were sold, and nothing happens after the end of all calendars."""
    if seat.order is None or seat.order.created_at_ms <= stamp.at_ms <= LATEST_MS:
        return ()
    hours = (stamp.at_ms - seat.order.created_at_ms) // HOUR_MS
    cause = msgspec.structs.replace(
        about(seat, "contradicting_fact", f"the {what} is dated at a time that cannot be"),
        subject=f"{seat.subject}|{what}", expected="after the order was made", actual=f"{hours:+} h from it",
    )  # fmt: skip
    return (cause,)


def of_others(seating: Seating, rules: Merchant) -> Iterable[Cause]:
    """Effects made outside the workflow; only orders with a return are ours to watch."""
    if not seating.covered.refunds and not seating.covered.restocks:
        return
    model = model_of(seating.own.learnt.order, rules)
    since_ms = min((s.rma.marks["requested"].at_ms for s in seating.seats if "requested" in s.rma.marks), default=None)
    for foreign in seating.covered.refunds:
        effect = foreign.effect
        if model.refunding.actor != "returnflow" and effect.kind != "chargeback":
            continue  # others are expected to pay
        after = since_ms is not None and effect.stamp.at_ms >= since_ms
        expected = (foreign.by_returngo and not foreign.beyond) or _taken_off(foreign)
        if not expected and (foreign.seats or after):
            amount = money(effect.total_minor, effect.currency)
            yield _outside("refund_outside_workflow", effect.external_id, foreign.seats, f"{effect.kind} of {amount}")
    for foreign in seating.covered.restocks if model.restocking.actor == "returnflow" else ():
        effect = foreign.effect
        expected = effect.kind == "store_return" and model.refunding.actor != "returnflow"
        if _taken_off(foreign):
            continue
        if expected and not _put_back_twice(foreign, seating.seats):
            continue  # returns at a till are part of the workflow there
        if foreign.seats or (since_ms is not None and effect.stamp.at_ms >= since_ms):
            units = sum(m.quantity for m in effect.moved if m.restocked or effect.kind == "restock")
            put_back = f"{explain.count(units, 'unit')} put back"
            yield _outside("restock_outside_workflow", effect.external_id, foreign.seats, put_back)


def _taken_off(foreign: Foreign) -> bool:
    """Units that were taken off the order before they were sent, and that no return asks for: everyday business."""
    return not foreign.seats and bool(foreign.effect.moved) and all(m.unsent for m in foreign.effect.moved)


def _put_back_twice(foreign: Foreign, seats: Iterable[Seat]) -> bool:
    """Whether with it more units of a line are in stock again than were bought."""
    theirs = {s.key for s in foreign.seats}
    others = [s for s in seats if s.restocked in ("applied", "elsewhere") and s.key not in theirs]
    for line_id, count in by_line(m for m in foreign.effect.moved if m.restocked).items():
        before = [(line, n) for s in others for line, n in s.parts if line.line_id == line_id]
        if before and count + sum(n for _, n in before) > before[0][0].quantity:
            return True
    return False


def _outside(kind: str, external_id: str, seats: tuple[Seat, ...], what: str) -> Cause:
    first = seats[0] if seats else None
    return Cause(
        type=kind, rma_id="" if first is None else first.rma.rma_id, subject=external_id,
        detail=f"{what} outside the workflow: {external_id}",
        line_id=None if first is None or first.line is None else first.line.line_id,
        unit_ids=tuple(sorted(s.unit.unit_id for s in seats)), sku=None if first is None else first.sku,
    )  # fmt: skip


def _refusals(seat: Seat) -> Iterable[Cause]:
    if seat.restocked == "refused" and seat.restocking is not None:
        result, answer = seat.restock_result, seat.answer
        if result is not None and result.outcome == "rejected":
            kind, detail = result.code, result.detail
        else:
            kind, detail = (answer.reason, answer.detail) if answer is not None else ("", "")
        cause = about(seat, kind if kind in TYPES else "rejected_by_system", detail or f"{kind}: restock refused")
        code = None if seat.found is None else seat.found.location
        yield msgspec.structs.replace(cause, command_id=seat.restocking.decision_id, location=code)
    if seat.money == "refused" and seat.paying is not None and seat.money_result is not None:
        result = seat.money_result
        fallback = {"store_credit": "credit_not_issued", "exchange": "exchange_not_released"}
        kind = fallback.get(KINDS[type(seat.paying)], "rejected_by_system")
        yield Cause(
            type=result.code if result.code in TYPES and result.code != "rejected_by_system" else kind,
            rma_id=seat.rma.rma_id, subject=seat.paying.decision_id, command_id=seat.paying.decision_id,
            unit_ids=(seat.unit.unit_id,), **_figures(seat.paying, seat, result),
        )  # fmt: skip


def _figures(decision: Money, seat: Seat, result: Result) -> dict[str, str]:
    """Why a payment was refused; where figures differ, all of them line by line."""
    why, theirs = result.detail or f"{result.code}: {KINDS[type(decision)]} refused", result.suggested
    if result.code != "amount_mismatch":
        return {"detail": why}
    detail = f"{why} | {refused(decision, seat, theirs)}"
    if theirs is None:
        return {"detail": detail}
    most = theirs.amount_minor if theirs.most_minor is None else min(theirs.amount_minor, theirs.most_minor)
    ours = money(decision.amount_minor, decision.currency)
    return {"detail": detail, "expected": ours, "actual": money(most, theirs.currency)}


def _regraded(seat: Seat, done: Restocking, found: Inspection) -> Iterable[Cause]:
    if seat.dispute:
        yield about(seat, "contradicting_fact", f"inspections disagree: {seat.dispute}")
        return
    if movements.compensates(seat):
        if found.disposition in GONE and seat.money in ("open", "applied"):
            yield about(seat, "refund_before_goods", "the money went out before the goods were found not to be there")
        elif seat.money in ("open", "applied") and not wants_money(seat):
            yield about(
                seat, "contradicting_fact", f"it was paid for, but {found.disposition} goods are not refunded here"
            )
        return
    place = None if seat.place is None else seat.place.location_id
    now = "no stock" if found.disposition in GONE or not wants_stock(seat) else f"{seat.status} at {place}"
    then = f"{done.stock_status} at {done.location_id}"
    if now != then and (found.disposition in GONE or seat.place is not None):
        detail = "the inspection changed after its restock was decided"
        yield msgspec.structs.replace(about(seat, "contradicting_fact", detail), expected=then, actual=now)


def _undone(seat: Seat) -> bool:
    """What was put into stock is taken out again as soon as it was applied; money cannot be taken back."""
    return movements.compensates(seat) and seat.money not in ("open", "applied", "elsewhere")


def of_order(seating: Seating, learnt: Learnt, *, unfinished: bool) -> Iterable[Cause]:
    """An archived order, and pieces beyond what was to come back."""
    if unfinished and learnt.order is not None and learnt.order.archived:
        yield Cause(type="archived_order", rma_id="", subject="order", detail="the order is archived in the shop")
    for spare in seating.spare:
        if spare.line_known:
            yield _too_many(spare)


def of_marks(learnt: Learnt, decided: dict[str, Decision]) -> Iterable[Cause]:
    """Marks and bookings that were refused."""
    refused = {each: result for each, result in learnt.results.items() if result.outcome == "rejected"}
    for decision in decided.values() if refused else ():
        result = refused.get(decision.decision_id)
        if isinstance(decision, Marking | Booking) and result is not None:
            yield Cause(
                type=result.code if result.code in TYPES else "rejected_by_system", rma_id=decision.rma_id,
                subject=decision.decision_id, command_id=decision.decision_id,
                detail=result.detail or f"{result.code}: {KINDS[type(decision)]} refused", unit_ids=decision.unit_ids,
            )  # fmt: skip


def _too_many(spare: Spare) -> Cause:
    claim = spare.claim
    more = explain.count(spare.quantity, "piece")
    detail = f"{claim.source} counted {more} more than the return has units: {claim.disposition}"
    if spare.others:
        detail += f", unless it graded anew what it had counted as {', '.join(spare.others)}"
    return Cause(
        type="over_quantity", rma_id=claim.rma_id, subject=claim.fact_id, sku=claim.sku or None,
        line_id=claim.line_id or None, location=claim.location, detail=detail,
    )  # fmt: skip
