"""What facts and rules say about a case: `survey` where its units stand and what is to be decided, `judge` the rest.

Pure, and asked anew for every fact. A decision changes what is surveyed; what is wrong is only asked in the end.
"""

from collections.abc import Sequence

import msgspec

from schemas.merchant import Merchant
from streams.domain import books, causes, conflicts, money_faults, movements, shipping_alone
from streams.domain.causes import Cause
from streams.domain.decided import Booking, Decision, Money, Restocking
from streams.domain.learnt import Learnt
from streams.domain.limits import limits
from streams.domain.payments import Payment, payments
from streams.domain.seating import Seating, seating
from streams.domain.standing import Standing, close, stand


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Where every unit stands. `wanted`: decisions that are due and not made yet; `later`: when bookings become due."""

    seating: Seating
    standings: tuple[Standing, ...]
    payments: tuple[Payment, ...]
    wanted: tuple[Restocking | Money | Booking, ...]
    later: tuple[int, ...]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What a case comes to. `causes`: by exception id. `due_ms`: limits still running."""

    seating: Seating
    standings: tuple[Standing, ...]
    by_rma: dict[str, list[Standing]]  # the same
    causes: dict[str, Cause]
    due_ms: tuple[int, ...]


def survey(learnt: Learnt, decided: dict[str, Decision], rules: Merchant) -> Survey:
    """The same learnt state, decisions and rules give the same survey."""
    table = seating(learnt, decided, rules)
    standings = tuple([stand(seat, rules) for seat in table.seats])
    paid = payments(standings, table, rules)
    for standing in standings:
        close(standing)
    bookings, later = books.wanted(table.seats, table.own)
    payments_due = [p.decision for p in paid if p.decision is not None]
    return Survey(
        seating=table, standings=standings, payments=tuple(paid), later=tuple(later),
        wanted=(*_restocks(standings, learnt), *payments_due, *bookings),
    )  # fmt: skip


def judge(seen: Survey, decided: dict[str, Decision], rules: Merchant) -> Picture:
    """What is wrong and what is late: of a survey after which nothing more is decided."""
    table, learnt = seen.seating, seen.seating.own.learnt
    found = [p.cause for p in seen.payments if p.cause is not None]
    by_rma: dict[str, list[Standing]] = {}
    for standing in seen.standings:
        _causes(standing, found)
        by_rma.setdefault(standing.seat.rma.rma_id, []).append(standing)
    found += conflicts.of_stops(table, learnt)
    found += conflicts.of_others(table, rules)
    found += conflicts.of_marks(learnt, decided)
    found += shipping_alone.refused(table.own)
    found += money_faults.of_money(table)
    found += conflicts.of_order(table, learnt, unfinished=not all(s.closed for s in seen.standings))
    due = [p.due_ms for p in seen.payments if p.due_ms is not None]
    for limit in limits(table, by_rma, learnt, rules):
        if learnt.clock_ms >= limit.at_ms:
            found.append(limit.make())
        else:
            due.append(limit.at_ms)
    return Picture(
        seating=table, standings=seen.standings, by_rma=by_rma, due_ms=(*due, *seen.later),
        causes=causes.merged(found, learnt) if found else {},
    )  # fmt: skip


def _causes(standing: Standing, found: list[Cause]) -> None:
    if not standing.closed:
        for guard in (standing.stock, standing.money):
            if guard is not None and guard.raises:
                found.append(causes.of_guard(guard, standing.seat))
    found += conflicts.of_seat(standing.seat)


def _restocks(standings: Sequence[Standing], learnt: Learnt) -> list[Restocking]:
    ready = {s.seat.key: s.seat for s in standings if s.stock_ready}
    made = [movements.put(s, learnt) for s in ready.values() if all(part.key in ready for part in s.bundle)]
    made += [movements.take_out(s.seat, s.seat.undo, learnt) for s in standings if s.seat.undo is not None]
    if len(made) < 2:
        return made
    return list({each.decision_id: each for each in made}.values())  # the parts of a bundle say the same
