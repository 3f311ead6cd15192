"""Seats of a case: every unit joined with its order line, its inspection, our decisions and the effects of others."""

from collections.abc import Iterable

import msgspec

from schemas.merchant import Merchant
from streams.domain import allot, books, bundles, cover, movements, places, sold_bundles, too_many
from streams.domain.counted import Arrivals
from streams.domain.decided import Decision, Exchanging, Money, Paying, Restocking, repaid_by_returngo
from streams.domain.learnt import Learnt
from streams.domain.order_lines import OrderLines
from streams.domain.own import Own, tell_apart
from streams.domain.rounding import of_shares
from streams.domain.seat import Seat, Track, in_policy, kind_of, model_of, stopped, withdrawn
from streams.domain.unshown import Unshown


class Seating(msgspec.Struct, frozen=True, kw_only=True):
    """The seats by RMA and unit id, and what belongs to none of them."""

    seats: tuple[Seat, ...]
    own: Own
    covered: cover.Covered
    spare: tuple[allot.Spare, ...]
    by_rma: dict[str, dict[str, Seat]]  # by unit id

    def of_rma(self, rma_id: str) -> list[Seat]:
        """The units of one return."""
        return list(self.by_rma.get(rma_id, {}).values())

    def of_units(self, rma_id: str, unit_ids: Iterable[str]) -> list[Seat]:
        """Those units of one return that are known, each once."""
        known = self.by_rma.get(rma_id, {})
        return [known[unit_id] for unit_id in dict.fromkeys(unit_ids) if unit_id in known]


def seating(learnt: Learnt, decided: dict[str, Decision], rules: Merchant) -> Seating:
    """Everything that the guards ask about, joined once."""
    own = tell_apart(learnt, decided)
    seats = _seats(learnt, rules, sold_bundles.chosen(learnt, own))
    _paid_by_us(seats, own)
    source = model_of(learnt.order, rules).inspecting.source
    spare = allot.inspect(seats, learnt, own.restocks, source)
    for seat in seats:
        if seat.found is not None:
            seat.model = model_of(learnt.order, rules, seat.found.location)
            places.placed(seat, rules)
    allot.number(seats, learnt, source)
    bundles.assemble(seats, own)
    covered = cover.paid(seats, own)
    _restocked_by_us(seats, own)
    if own.foreign:
        covered = msgspec.structs.replace(covered, restocks=cover.put_back(seats, own))
        bundles.broken(seats)
    books.mark(seats, own)
    too_many.mark(seats, covered)
    by_rma: dict[str, dict[str, Seat]] = {}
    for seat in seats:
        by_rma.setdefault(seat.rma.rma_id, {})[seat.unit.unit_id] = seat
    return Seating(seats=tuple(seats), own=own, covered=covered, spare=tuple(spare), by_rma=by_rma)


def _seats(learnt: Learnt, rules: Merchant, groups: dict[sold_bundles.Key, str]) -> list[Seat]:
    order, model = learnt.order, model_of(learnt.order, rules)
    lines = OrderLines(order)
    found = []
    for rma_id in sorted(learnt.rmas):
        rma = learnt.rmas[rma_id]
        ended, allowed, edited_out = stopped(rma), in_policy(rma, order, model), withdrawn(rma)
        for unit_id in sorted(rma.units):
            unit = rma.units[unit_id]
            parts = lines.parts_of(unit, groups.get((rma_id, unit_id), ""))
            seat = Seat(
                f"{rma_id}/{unit_id}", rma, unit, kind_of(unit), order, parts, parts[0][0] if parts else None, model,
                allowed, ended or ("cancelled" if unit_id in edited_out else ""), unit_id in edited_out,
            )  # fmt: skip
            found.append(seat)
    arrivals = Arrivals(learnt, found)
    for seat in found:
        seat.arrived = arrivals.of(seat)
    return found


def _paid_by_us(seats: list[Seat], own: Own) -> None:
    payments = {
        (d.rma_id, unit_id): d
        for d in own.payments
        if not (isinstance(d, Paying) and d.exchange_id)
        for unit_id in d.unit_ids
    }
    if not payments:
        return
    differences = {d.exchange_id: d for d in reversed(own.payments) if isinstance(d, Paying) and d.exchange_id}
    for seat in seats:
        decision = payments.get((seat.rma.rma_id, seat.unit.unit_id))
        if decision is not None:
            seat.paying, seat.money = _furthest(decision, differences, seat, own)
            seat.money_result = own.learnt.results.get(seat.paying.decision_id)


def _furthest(decision: Money, differences: dict[str, Paying], seat: Seat, own: Own) -> tuple[Money, Track]:
    """An exchange for cheaper goods is paid when its difference is paid back, too, by us or by ReturnGO itself."""
    track = own.track(decision)
    if track != "applied" or not isinstance(decision, Exchanging) or decision.difference_minor >= 0:
        return decision, track
    other = differences.get(decision.decision_id)
    if other is not None:
        return other, own.track(other)
    steps = repaid_by_returngo(seat.rma, decision)
    repaid = sum(step.amount_minor or 0 for step in steps)
    tolerance = seat.model.refunding.tolerance_minor + of_shares(decision.shares)
    even = repaid > 0 and abs(repaid + decision.difference_minor) <= tolerance
    return decision, "elsewhere" if even and {s.currency for s in steps} == {decision.currency} else "open"


def _restocked_by_us(seats: list[Seat], own: Own) -> None:
    pieces: dict[str, list[Restocking]] = {}
    for decision in own.restocks:
        pieces.setdefault(decision.moved, []).append(decision)
    shown = set()
    for seat in seats if pieces else ():
        name = movements.piece(seat)
        if name in pieces:
            movements.follow(seat, pieces[name], own)
            shown.add(name)
    lost = [history for name, history in pieces.items() if name not in shown]
    if lost:
        unshown = Unshown(seats, own)
        for history in lost:
            unshown.place(history)
