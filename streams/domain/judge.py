"""`judge(learnt, decided, rules)`: what facts and rules say about a case. Pure, and asked anew for every fact."""

from collections.abc import Sequence

import msgspec

from schemas.merchant import Merchant
from streams.domain import books, causes, conflicts, money_faults, movements, walk
from streams.domain.causes import Cause
from streams.domain.decided import Booking, Decision, Money, Restocking
from streams.domain.learnt import Learnt
from streams.domain.limits import limits
from streams.domain.payments import payments
from streams.domain.seat import Seat
from streams.domain.seating import Seating, seating
from streams.domain.standing import Standing, close, stand


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted`: decisions that are due and not made yet. `causes`: by exception id. `due_ms`: limits still running."""

    seating: Seating
    standings: tuple[Standing, ...]
    wanted: tuple[Restocking | Money | Booking, ...]
    causes: dict[str, Cause]
    due_ms: tuple[int, ...]


def judge(learnt: Learnt, decided: dict[str, Decision], rules: Merchant) -> Picture:
    """The same learnt state, decisions and rules give the same picture."""
    table = seating(learnt, decided, rules)
    standings = tuple(stand(seat, rules) for seat in table.seats)
    restocks = _restocks(standings, learnt)
    paid = payments(standings, table, rules)
    for standing in standings:
        close(standing)
    found = [p.cause for p in paid if p.cause is not None]
    found += [causes.of_guard(g, s.seat) for s in standings for g in _raising(s)]
    found += conflicts.of_seats(table)
    found += conflicts.of_others(table, rules)
    found += conflicts.of_marks(learnt, decided)
    found += money_faults.of_money(table)
    found += conflicts.of_order(table, learnt, unfinished=any(not s.closed for s in standings))
    due = [p.due_ms for p in paid if p.due_ms is not None]
    for limit in limits(table, standings, learnt, rules):
        if learnt.clock_ms >= limit.at_ms:
            found.append(limit.make())
        else:
            due.append(limit.at_ms)
    bookings, later = books.wanted(table.seats, table.own)
    payments_due = [p.decision for p in paid if p.decision is not None]
    return Picture(
        seating=table, standings=standings, causes=causes.merged(found, learnt), due_ms=(*due, *later),
        wanted=(*restocks, *payments_due, *bookings),
    )  # fmt: skip


def _restocks(standings: Sequence[Standing], learnt: Learnt) -> list[Restocking]:
    ready = {s.seat.key: s.seat for s in standings if s.stock_ready}
    if not ready and all(s.seat.undo is None for s in standings):
        return []
    made = [movements.put(s, learnt) for s in ready.values() if all(part.key in ready for part in s.bundle)]
    made += [movements.take_out(s.seat, s.seat.undo, learnt) for s in standings if s.seat.undo is not None]
    return list({each.decision_id: each for each in made}.values())  # the parts of a bundle say the same


def _raising(standing: Standing) -> list[walk.Guard[Seat]]:
    return [g for g in (standing.stock, standing.money) if g is not None and g.raises and not standing.closed]
