"""Time limits per stage: what becomes an exception when it takes too long, and when that is."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import assert_never

import msgspec

from schemas.merchant import Merchant
from schemas.merchant_fields import Stage as Limit
from streams.domain import exchanges, movements, portal, released
from streams.domain.allot import Spare
from streams.domain.causes import Cause, about
from streams.domain.decided import Crediting, Decision, Exchanging, Money, Paying, Restocking
from streams.domain.explain import count
from streams.domain.learnt import Inspection, Learnt, Rma
from streams.domain.own import command_ids
from streams.domain.seat import Seat, gone, model_of, ready_since_ms, stopped
from streams.domain.seating import Seating
from streams.domain.standing import Standing, scanned

# How long goods that were inspected may wait for these.
_HOLDS: dict[str, Limit] = {"line_read": "restock", "bundle_here": "inspection"}
# Nobody is late with these before the goods are there.
_LATE_WITH_GOODS = ("line_read", "approved")


class Due(msgspec.Struct, frozen=True):
    """A cause that holds once its time has come; it is only made then, for most limits are never reached."""

    at_ms: int
    make: Callable[[], Cause]


def limits(seating: Seating, by_rma: dict[str, list[Standing]], learnt: Learnt, rules: Merchant) -> list[Due]:
    """Every limit that is running or was passed."""
    found: list[Due] = []
    if learnt.order is None:
        found += _orphans(learnt, rules)
    elif exchanges.to_mark(learnt.order, model_of(learnt.order, rules)):
        found.append(_after(learnt.order.created_at_ms, "exchange", rules, partial(_unmarked, learnt.order.name)))
    if seating.spare:
        found += _strays(seating, rules)
    if (learnt.claims or seating.own.foreign) and (back := portal.came_back(seating, learnt)):
        found.append(_after(back[0][0], "order", rules, partial(portal.cause, learnt, back)))
    for rma_id, standings in by_rma.items():
        for standing in standings:
            _of_unit(standing, learnt, rules, found)
        found += _resolved(learnt.rmas[rma_id], standings, rules)
    found += [_after(since_ms, "refund", rules, make) for since_ms, make in released.owed(seating, rules)]
    return found


def _of_unit(standing: Standing, learnt: Learnt, rules: Merchant, found: list[Due]) -> None:
    seat = standing.seat
    if seat.restock_result is not None and seat.model.restocking.journal_check:
        found += _journal(seat, learnt, rules)
    if seat.booked == "open":
        found += _booking(seat, rules)
    leaving = movements.leaving(seat)
    if standing.closed or (seat.stopped and not leaving):
        return
    if seat.restocked == "open":
        found += _stock(seat, rules)
    if seat.stopped or leaving:
        return
    if seat.found is not None:
        found += _unreceived(standing, seat.found, rules)
        found += _held(standing, rules)
    elif seat.unit.said.ships and seat.restocked != "elsewhere" and not seat.unclear:
        found += _goods(seat, rules)
    if seat.money == "open" or standing.money is not None:
        found += _money(standing, rules)


def _of(seat: Seat, since_ms: int, limit: Limit, kind: str, detail: str, rules: Merchant) -> Due:
    return _after(since_ms, limit, rules, partial(about, seat, kind, detail))


def _unanswered(seat: Seat, decision: Decision, limit: Limit, kind: str, detail: str, rules: Merchant) -> Due:
    return _after(decision.decided_at_ms, limit, rules, partial(_tried, seat, decision, kind, detail))


def _tried(seat: Seat, decision: Decision, kind: str, detail: str) -> Cause:
    """With the command that was tried (EXC-1)."""
    place = decision.location_id if isinstance(decision, Restocking) else None
    return msgspec.structs.replace(about(seat, kind, detail), command_id=decision.decision_id, location=place)


def _after(since_ms: int, limit: Limit, rules: Merchant, make: Callable[[], Cause]) -> Due:
    return Due(rules.due_ms(since_ms, limit), make)


def _orphans(learnt: Learnt, rules: Merchant) -> Iterable[Due]:
    for _, rma in sorted(learnt.rmas.items()):
        if not stopped(rma):
            first = min([stamp.at_ms for stamp in rma.marks.values()], default=learnt.first_ms)
            yield _after(first, "order", rules, partial(_orphan, rma, learnt))


def _orphan(rma: Rma, learnt: Learnt) -> Cause:
    return Cause(
        type="orphan_return", rma_id=rma.rma_id, subject="order", unit_ids=tuple(sorted(rma.units)),
        detail=f"no order {learnt.order_id} was found in the shop",
    )  # fmt: skip


def _unmarked(name: str) -> Cause:
    detail = f"exchange order {name} has no value and no mark that keeps it out of sales reports"
    return Cause(type="exchange_counted_as_sale", rma_id="", subject="order", detail=detail)


def _strays(seating: Seating, rules: Merchant) -> Iterable[Due]:
    for spare in seating.spare:
        if not spare.line_known:
            yield _after(spare.claim.stamp.at_ms, "order", rules, partial(_stray, spare))


def _stray(spare: Spare) -> Cause:
    claim = spare.claim
    return Cause(
        type="orphan_return", rma_id=claim.rma_id, subject=claim.fact_id, line_id=claim.line_id or None,
        sku=claim.sku or None, location=claim.location,
        detail=f"{claim.source} inspected {count(spare.quantity, 'piece')} that no return is known for",
    )  # fmt: skip


def _journal(seat: Seat, learnt: Learnt, rules: Merchant) -> Iterable[Due]:
    """A restock that was applied, but that the system's own stock journal does not show (INV-17); of a bundle that went
    into stock as its components, the first that is not shown."""
    done, answer = seat.restocking, seat.answer
    if done is None or (answer is not None and answer.verdict == "confirmed"):
        return
    commands = command_ids(done, answer)
    what = "one of its components" if commands != (done.decision_id,) else "it"
    for command_id in commands:
        result, shown = learnt.results.get(command_id), learnt.answers.get(command_id)
        if result is None or result.outcome == "rejected" or (shown is not None and shown.verdict == "confirmed"):
            continue
        detail = f"{done.system} reported the restock as applied, its stock journal does not show {what}"
        cause = about(seat, "stock_drift", detail)
        yield _after(
            result.at_ms, "journal", rules,
            partial(msgspec.structs.replace, cause, command_id=command_id, location=done.location_id),
        )  # fmt: skip


def _unreceived(standing: Standing, found: Inspection, rules: Merchant) -> Iterable[Due]:
    guard = standing.stock or standing.money
    if guard is not None and guard.name == "received":
        detail = "inspected, but nobody reports that it was received"
        return (_of(standing.seat, found.stamp.at_ms, "inspection", "status_conflict", detail, rules),)
    return ()


def _goods(seat: Seat, rules: Merchant) -> Iterable[Due]:
    if seat.arrived is not None:
        return (_of(seat, seat.arrived.at_ms, "inspection", "stuck_received", "received, not inspected", rules),)
    if not scanned(seat):
        return ()
    first = min(s for s in (seat.unit.scanned, seat.rma.marks.get("in_transit")) if s is not None)
    return (_of(seat, first.at_ms, "transit", "stuck_in_transit", "on the way, not received", rules),)


def _stock(seat: Seat, rules: Merchant) -> Iterable[Due]:
    if seat.restocking is None:
        return ()
    return (_unanswered(seat, seat.restocking, "restock", "stuck_restock", "inspected, not restocked", rules),)


def _held(standing: Standing, rules: Merchant) -> Iterable[Due]:
    """Goods that were inspected and wait for what nobody else is late with."""
    seat, guard = standing.seat, standing.stock
    limit = _HOLDS.get("" if guard is None else guard.name)
    if guard is None or limit is None or not _here(seat):
        return ()
    detail = f"inspected, not restocked: {guard.unblocked_by} is missing"
    return (_of(seat, ready_since_ms(seat), limit, "stuck_restock", detail, rules),)


def _here(seat: Seat) -> bool:
    return seat.found is not None and not gone(seat)


def _money(standing: Standing, rules: Merchant) -> Iterable[Due]:
    seat, guard = standing.seat, standing.money
    if seat.money == "open" and seat.paying is not None:
        limit, kind, detail = _payment(seat.paying, answered=seat.money_result is not None)
        return (_unanswered(seat, seat.paying, limit, kind, detail, rules),)
    if guard is None:
        return ()
    if guard.name == "exchange_made":
        return (_of(seat, ready_since_ms(seat), "exchange", "exchange_not_released", "no exchange order", rules),)
    if guard.name == "restocked" and seat.model.restocking.actor != "returnflow":
        detail = f"nobody saw the restock by {seat.model.restocking.actor}"
        return (_of(seat, ready_since_ms(seat), "restock", "stuck_restock", detail, rules),)
    if guard.name in ("units_known", "asked_for", "ours_to_pay") or (guard.name in _LATE_WITH_GOODS and _here(seat)):
        detail = f"nothing was paid: {guard.unblocked_by} is missing"
        return (_of(seat, ready_since_ms(seat), "refund", "stuck_refund", detail, rules),)
    return ()


def _booking(seat: Seat, rules: Merchant) -> Iterable[Due]:
    if seat.booking is None:
        return ()
    detail = f"refunded, not booked in {seat.booking.system}"
    return (_unanswered(seat, seat.booking, "booking", "stuck_booking", detail, rules),)


def _payment(payment: Money, *, answered: bool) -> tuple[Limit, str, str]:
    match payment:
        case Paying():
            return "refund", "stuck_refund", "decided, not paid"
        case Crediting():
            return "credit", "credit_not_issued", "decided, not issued"
        case Exchanging() if answered:
            return "refund", "stuck_refund", "released, the difference is not paid back"
        case Exchanging():
            return "exchange", "exchange_not_released", "decided, not released"
        case _:
            assert_never(payment)


def _resolved(rma: Rma, standings: Iterable[Standing], rules: Merchant) -> Iterable[Due]:
    """ReturnGO says done, the shop does not."""
    done, again = rma.marks.get("resolved"), rma.marks.get("reopened")
    if done is None or (again is not None and again > done):
        return
    unpaid = tuple(
        sorted(s.seat.unit.unit_id for s in standings if not s.closed and s.seat.money in ("undecided", "refused"))
    )
    if unpaid:
        yield _after(done.at_ms, "refund", rules, partial(_unfinished, rma.rma_id, unpaid))


def _unfinished(rma_id: str, unit_ids: tuple[str, ...]) -> Cause:
    detail = "ReturnGO says that the return is done, but units of it are neither paid nor closed"
    return Cause(type="status_conflict", rma_id=rma_id, subject="resolved", detail=detail, unit_ids=unit_ids)
