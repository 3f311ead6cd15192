"""Payments: which units are paid together, what they come to, and back to which payments."""

from collections.abc import Sequence
from typing import Literal, assert_never

from schemas import ids
from streams.domain import amounts, differences
from streams.domain.account import Account, commit, spread
from streams.domain.decided import (
    Asked,
    Crediting,
    Exchanging,
    Money,
    Paying,
    Repaid,
    Share,
    in_parts,
    repaid_by_returngo,
)
from streams.domain.learnt import Learnt, Order, Rma
from streams.domain.proposal import Proposal
from streams.domain.running import Running
from streams.domain.seat import Kind, Seat, gone

_COMMAND_KINDS: dict[Kind, str] = {"refund": "refund", "credit": "store_credit", "exchange": "exchange"}
_STEP_KINDS: dict[Kind, tuple[str, ...]] = {"refund": ("refund",), "credit": ("store_credit", "gift_card")}


def group_of(seat: Seat) -> tuple[str, Kind, str, bool, str]:
    """Units that are paid together: of one RMA, by one means, alike in whether they come back, in one system."""
    means = seat.unit.said.resolution if seat.kind == "credit" else ""
    return (seat.rma.rma_id, seat.kind, means, seat.unit.said.ships, seat.model.money)


def propose(
    ready: Sequence[Seat],
    rma_seats: Sequence[Seat],
    running: Running,
    *,
    everything_back: bool,
    carried: int = 0,
) -> Proposal:
    """The payment of `ready` units, which one model governs; nothing is decided yet. `carried`: fees of other units of
    the return that it is to keep back."""
    first, order, model = ready[0], _order(ready), ready[0].model
    command_id = _identity(ready, first.kind, running.learnt)
    books = running.books(order, command_id)
    pays_shipping = everything_back and model.refunding.shipping == "full_return" and first.kind == "refund"
    shipping = max(order.shipping_minor - books.shipping_refunded, 0) if pays_shipping else 0
    taken, before, fees = amounts.counted(ready), books.lines.units, amounts.fees(ready)
    shares = _fitted(amounts.shares_of(taken, before, books.lines.minor), shipping - fees, books)
    goods = sum([share.amount_minor for share in shares])
    percent = model.refunding.bonus_percent.get(_form(first), 0) if first.kind == "credit" else 0
    proposal = Proposal(
        command_id=command_id, kind=first.kind, model=model, seats=tuple(ready), order=order,
        shares=shares, goods=goods, beyond=amounts.beyond(shares, before, running.bought), fees=fees, carried=carried,
        shipping=shipping, shipping_tax=amounts.shipping_tax(order, shipping),
        duties=amounts.duties(taken, before) if model.refunding.duties == "with_goods" else 0,
        bonus=amounts.bonus(goods, percent), goods_tax=amounts.tax(taken, before), claimed=amounts.claimed(ready),
        claimed_tax=amounts.claimed_tax(ready), asked=asked_for(ready, rma_seats),
        replacement=_replacement(ready, books) if first.kind == "exchange" else None,
        books=books, spoken=running.spoken, foreign=running.foreign, sound=running.sound,
        by_hand=running.by_hand(first.rma),
    )  # fmt: skip
    return _over_payments(proposal)


def difference(exchange: Exchanging, seats: Sequence[Seat], running: Running, *, released: bool) -> Proposal:
    """What is paid back of an exchange for cheaper goods, once its order is released (EXG-6)."""
    order, model = _order(seats), seats[0].model
    command_id = _identity(seats, "refund", running.learnt)
    everything = set(seats[0].rma.units) <= {seat.unit.unit_id for seat in seats}  # else a request may be for the rest
    proposal = Proposal(
        command_id=command_id, kind="refund", model=model, seats=tuple(seats), order=order,
        exchange=exchange, released=released,
        asked=asked_for(seats, seats if everything else (), "refund"), books=running.books(order, command_id),
        foreign=running.foreign, sound=running.sound,
        by_hand=running.by_hand(seats[0].rma) + _by_returngo(seats[0].rma, exchange),
    )  # fmt: skip
    return _over_payments(proposal)


def alone(seat: Seat, running: Running, order: Order, books: Account, shipping: int, command_id: str) -> Proposal:
    """Shipping that is paid back for no unit; `seat` is one of those that it is due with."""
    proposal = Proposal(
        command_id=command_id, kind="refund", model=seat.model, seats=(seat,), order=order, books=books, alone=True,
        asked=None, spoken=running.spoken, shipping=shipping, shipping_tax=amounts.shipping_tax(order, shipping),
        foreign=running.foreign, sound=running.sound, by_hand=running.by_hand(seat.rma),
    )  # fmt: skip
    return _over_payments(proposal)


def decide(proposal: Proposal, now_ms: int) -> Money:
    """The payment as it will be for ever; raises Unbalanced when the order's money does not cover it."""
    decision = _decided(proposal, now_ms)
    commit(proposal.books, decision)
    return decision


def _decided(p: Proposal, now_ms: int) -> Money:
    first = p.seats[0]
    unit_ids = p.unit_ids
    match p.kind:
        case "refund":
            return Paying(
                decision_id=p.command_id, system=p.model.money, rma_id=first.rma.rma_id, unit_ids=unit_ids,
                decided_at_ms=now_ms, currency=p.order.currency, amount_minor=p.amount, shares=p.shares,
                tenders=p.tenders, tolerance_minor=p.model.refunding.tolerance_minor, shipping_minor=p.shipping,
                fees_minor=p.fees, tax_minor=p.tax, duties_minor=p.duties, rounding_minor=p.rounding,
                exchange_id="" if p.exchange is None else p.exchange.decision_id, carried_minor=p.kept,
            )  # fmt: skip
        case "credit":
            return Crediting(
                decision_id=p.command_id, system=p.model.money, rma_id=first.rma.rma_id, unit_ids=unit_ids,
                decided_at_ms=now_ms, currency=p.order.currency, amount_minor=p.amount, shares=p.shares,
                form=_form(first), customer_id=p.order.customer_id or "", tenders=p.tenders, tax_minor=p.tax,
                bonus_minor=p.given, carried_minor=p.kept,
            )  # fmt: skip
        case "exchange":
            draft, made = first.rma.draft_order, first.rma.exchange_order
            return Exchanging(
                decision_id=p.command_id, system=p.model.money, rma_id=first.rma.rma_id, unit_ids=unit_ids,
                decided_at_ms=now_ms, currency=p.order.currency, amount_minor=p.amount, shares=p.shares,
                draft_order_id=None if draft is None else draft.value,
                exchange_order_id=None if made is None else made.value, tenders=p.tenders,
                difference_minor=p.to_pay, carried_minor=p.kept,
            )  # fmt: skip
        case "none" | "unknown":
            raise ValueError(f"expected a resolution that is paid, got {first.unit.said.resolution}")
        case _:
            assert_never(p.kind)


def _over_payments(p: Proposal) -> Proposal:
    """The proposal with its shares per payment: a refund in the merchant's order, other means from any payment."""
    names = p.model.refunding.tenders
    if p.kind == "exchange" and p.to_pay < 0:
        return differences.over_payments(p, names)
    every = names if p.kind == "refund" or "*" in names else (*names, "*")
    p.tenders, p.short = spread(p.order, p.books, p.taken, every)
    if p.kind == "refund":
        p.tenders = tuple(_in_coins(share, p) for share in p.tenders)
        p.rounding = sum(share.rounding_minor for share in p.tenders)
    return p


def _in_coins(share: Repaid, p: Proposal) -> Repaid:
    known = p.books.balances[share.payment_id]
    handed, most = known.refunded + known.rounding, known.paid - known.credited - known.exchanged
    return amounts.in_coins(share, p.model.refunding.cash, known.refunded, handed, most)


def _fitted(shares: tuple[Share, ...], beside: int, books: Account) -> tuple[Share, ...]:
    """The shares within what is left to pay back `beside` the goods, as far as rounding explains that it is less:
    others have spread one amount over several lines in their own way."""
    over = sum([s.amount_minor for s in shares]) + beside - books.refundable
    return shares if over <= 0 else amounts.moved(shares, -over, [share.leeway_minor for share in shares])


def _replacement(ready: Sequence[Seat], books: Account) -> int | None:
    return amounts.replacement(ready, books.lines.units, books.lines.minor)


def _order(seats: Sequence[Seat]) -> Order:
    order = seats[0].order
    if order is None:
        raise ValueError(f"expected an order for the units of RMA {seats[0].rma.rma_id}, which are ready to be paid")
    return order


def _form(seat: Seat) -> Literal["store_credit", "gift_card"]:
    return "gift_card" if seat.unit.said.resolution == "gift_card" else seat.model.refunding.store_credit


def _identity(seats: Sequence[Seat], kind: Kind, learnt: Learnt) -> str:
    return ids.command_id(
        merchant=learnt.merchant, system=seats[0].model.money, kind=_COMMAND_KINDS[kind],
        rma_id=seats[0].rma.rma_id, unit_ids=sorted(seat.unit.unit_id for seat in seats), generation=0,
    )  # fmt: skip


def _by_returngo(rma: Rma, exchange: Exchanging) -> tuple[str, ...]:
    return tuple(step.external_id or step.transaction_id for step in repaid_by_returngo(rma, exchange))


def asked_for(ready: Sequence[Seat], rma_seats: Sequence[Seat], kind: Kind | None = None) -> Asked | None:
    """ReturnGO's request for exactly these units, or its requests for parts of them; one that names none is for all
    units of the return of that kind."""
    names = {seat.unit.unit_id for seat in ready}
    whole = {
        s.unit.unit_id for s in rma_seats
        if s.kind == ready[0].kind and not gone(s)
    }  # fmt: skip
    steps = [
        s for s in ready[0].rma.steps.values()
        if s.kind in _STEP_KINDS.get(kind or ready[0].kind, ()) and s.status in ("requested", "success")
    ]  # fmt: skip
    for step in sorted(steps, key=lambda s: s.stamp, reverse=True):
        if set(step.unit_ids) == names if step.unit_ids else whole == names:
            return Asked((step,))
    return in_parts(steps, names)
