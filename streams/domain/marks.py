"""Marks for people that are left once: notes, comments, the outcome of ReturnGO's transactions, its status."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from msgspec.structs import replace

from schemas.merchant import Merchant
from schemas.merchant_model import Model
from streams.domain import exchanges, rounding
from streams.domain.account import went
from streams.domain.decided import Asked, Crediting, Exchanging, Marking, Money, Paying, Said, asked
from streams.domain.explain import money
from streams.domain.judge import Picture
from streams.domain.learnt import Effect, Rma
from streams.domain.marking import mark, reachable
from streams.domain.own import Own
from streams.domain.seat import model_of, units_known
from streams.domain.standing import Standing
from streams.domain.state import Case

Till = tuple[Effect, tuple[str, ...]]  # a return in a store, and units of one RMA that it covers


def marked(case: Case, picture: Picture, rules: Merchant) -> Case:
    """The case with every mark decided that its state calls for and that was not made before."""
    new = {each.decision_id: each for each in _wanted(picture, case, rules)}
    if not new:
        return case
    return replace(case, decided=case.decided | new)


def _wanted(picture: Picture, case: Case, rules: Merchant) -> Iterable[Marking]:
    own, tills = picture.seating.own, _tills(picture)
    yield from _no_sale(case, own, rules)
    for rma_id, standings in picture.by_rma.items():
        rma = standings[0].seat.rma
        if standings[0].seat.stopped:
            continue
        if case.learnt.order is not None and reachable(case.learnt.order, rules):
            yield from _note(rma, standings, case, own)
        if rules.systems.returngo is not None and rma_id:
            if rma_id in tills:
                yield from _at_the_till(rma, tills[rma_id], case, own)
            if own.payments:
                yield from _paid(rma, picture, case, rules)
            if standings[0].closed:
                yield from _told(rma, standings, tills.get(rma_id, ()), case, own, rules)
                yield from _done(rma, standings, case, own)


def _no_sale(case: Case, own: Own, rules: Merchant) -> Iterable[Marking]:
    """An exchange order of no value must not count as a sale."""
    order = case.learnt.order
    tag = exchanges.to_mark(order, model_of(order, rules))
    if order is None or not tag or ("", "no sale") in own.marks:
        return
    yield mark(case, order.system, "", "no sale", Said(aspect="tags", tags_add=(tag,)))


def _tills(picture: Picture) -> dict[str, list[Till]]:
    """Returns in stores by RMA."""
    found: dict[str, list[Till]] = {}
    for foreign in picture.seating.covered.refunds:
        if foreign.effect.kind == "store_return":
            units: dict[str, list[str]] = {}
            for seat in foreign.seats:
                units.setdefault(seat.rma.rma_id, []).append(seat.unit.unit_id)
            for rma_id, mine in units.items():
                found.setdefault(rma_id, []).append((foreign.effect, tuple(mine)))
    return found


def _at_the_till(rma: Rma, tills: Sequence[Till], case: Case, own: Own) -> Iterable[Marking]:
    """A return in a store: the channel that sold the goods is told of it (INV-12)."""
    order = case.learnt.order
    for effect, units in tills:
        subject = f"store_return:{effect.external_id}"
        if order is None or order.system == effect.system or (rma.rma_id, subject) in own.marks:
            continue
        yield mark(case, order.system, rma.rma_id, subject, Said(aspect="note", text=_of_till(effect, units)), units)


def _of_till(effect: Effect, units: tuple[str, ...]) -> str:
    paid = money(effect.total_minor, effect.currency)
    return f"Returned in a store: {len(units)} unit(s), {paid} ({effect.external_id})"


def _note(rma: Rma, standings: Sequence[Standing], case: Case, own: Own) -> Iterable[Marking]:
    """Why each line comes back, once its units are known (STA-2)."""
    order = case.learnt.order
    if order is None or not units_known(rma) or (rma.rma_id, "note") in own.marks:
        return
    reasons: dict[tuple[str, str], int] = {}
    for standing in standings:
        said = standing.seat.unit.said
        key = (standing.seat.sku, said.reason or "no reason given")
        reasons[key] = reasons.get(key, 0) + said.quantity
    text = "; ".join(f"{count} × {sku}: {reason}" for (sku, reason), count in sorted(reasons.items()))
    yield mark(case, order.system, rma.rma_id, "note", Said(aspect="note", text=f"RMA {rma.rma_id}: {text}"))


def _told(
    rma: Rma, standings: Sequence[Standing], tills: Sequence[Till], case: Case, own: Own, rules: Merchant
) -> Iterable[Marking]:
    """One comment when all is done, for each costs a call of ReturnGO's day: what was paid, and where the goods are.

    A payment that a transaction tells of needs no comment, nor do goods for which nothing was paid: the status says it.
    """
    subject = f"told:{_opened(rma)}"
    if not all(s.closed for s in standings) or (rma.rma_id, subject) in own.marks:
        return
    said = [_of_till(effect, units) for effect, units in tills] + _payments(rma, case, own, rules)
    if said:
        text = "; ".join([*_restocked(standings), *said])
        units = tuple(s.seat.unit.unit_id for s in standings)
        yield mark(case, "returngo", rma.rma_id, subject, Said(aspect="comment", text=text), units)


def _restocked(standings: Sequence[Standing]) -> list[str]:
    ours = [s for s in standings if s.seat.restocked == "applied"]
    made = [s.seat.restocking for s in ours if s.seat.restocking is not None]
    put = sorted({f"{d.sku} at {d.location_id} ({d.stock_status})" for d in made})
    return [f"Back in stock: {len(ours)} unit(s), {', '.join(put)}"] if ours else []


def _payments(rma: Rma, case: Case, own: Own, rules: Merchant) -> list[str]:
    model = model_of(case.learnt.order, rules)
    made = [d for d in own.payments_of.get(rma.rma_id, ()) if own.track(d) == "applied"]
    untold = [d for d in made if not any(_as_asked(each, d, model) for each in asked(rma, d))]
    return [_in_words(each, went(each, own), own.refund_id(each)) for each in untold]


def _paid(rma: Rma, picture: Picture, case: Case, rules: Merchant) -> Iterable[Marking]:
    own, model = picture.seating.own, model_of(case.learnt.order, rules)
    for decision in own.payments_of.get(rma.rma_id, ()):
        track, external = own.track(decision), own.refund_id(decision)
        answered = asked(rma, decision) if track in ("applied", "refused") else ()
        for step in [s for each in answered if _as_asked(each, decision, model) for s in each.steps]:
            subject = f"{step.transaction_id}:{track}"
            if (rma.rma_id, subject) not in own.marks:
                said = Said(
                    aspect="transaction", transaction_id=step.transaction_id, external_id=external,
                    failed=track == "refused",
                )  # fmt: skip
                yield mark(case, "returngo", rma.rma_id, subject, said, decision.unit_ids)


def _as_asked(request: Asked, decision: Money, model: Model) -> bool:
    """A payment of another amount than ReturnGO asked for is no success of its request; money_faults.py raises it."""
    difference = 0 if request.amount_minor is None else request.amount_minor - decision.amount_minor
    coins = abs(decision.rounding_minor) if isinstance(decision, Paying) else 0
    tolerance = model.refunding.tolerance_minor + coins + rounding.of_shares(decision.shares)
    return request.currency in (None, decision.currency) and abs(difference) <= tolerance


def _in_words(decision: Money, paid: int, external: str | None) -> str:
    amount = money(paid, decision.currency)
    match decision:
        case Paying():
            text = f"Refunded {amount}"
        case Crediting():
            text = f"Credit issued: {amount}"
        case Exchanging():
            text = "Exchange order released"
        case _:
            assert_never(decision)
    return text + (f" ({external})" if external else "")


def _opened(rma: Rma) -> str:
    """Tells one opening of an RMA from another."""
    again = rma.marks.get("reopened")
    return "" if again is None else str(again.at_ms)


def _done(rma: Rma, standings: Sequence[Standing], case: Case, own: Own) -> Iterable[Marking]:
    """Every unit is closed: ReturnGO may be told, once per opening of the RMA."""
    again, done = rma.marks.get("reopened"), rma.marks.get("resolved")
    resolved = done is not None and (again is None or done > again)
    subject = f"done:{_opened(rma)}"
    if resolved or not all(s.closed for s in standings) or (rma.rma_id, subject) in own.marks:
        return
    units = tuple(s.seat.unit.unit_id for s in standings)
    yield mark(case, "returngo", rma.rma_id, subject, Said(aspect="status", status="Done"), units)
