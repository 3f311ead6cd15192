"""Payments: which units are paid together, what they come to, and back to which payments."""

from collections.abc import Sequence
from typing import assert_never

import msgspec

from schemas import ids
from schemas.merchant import Merchant
from streams.domain import amounts
from streams.domain.account import account, spread
from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Crediting, Exchanging, Money, Paying, Repaid, Share
from streams.domain.learnt import Order, Rma, Step
from streams.domain.own import Own
from streams.domain.seat import GONE, Kind, Seat


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Units that are ready to be paid together. `TOGETHER` in walk.py says whether they are."""

    command_id: str
    kind: Kind
    seats: tuple[Seat, ...]
    order: Order
    waiting_since_ms: int  # when the first of them was ready
    others_pending: bool  # units of the same payment still wait for something
    shares: tuple[Share, ...]
    fees: int
    shipping: int
    claimed: int | None  # the goods by ReturnGO's prices, before fees
    step: Step | None  # what ReturnGO asked to be paid for exactly these units
    tenders: tuple[Repaid, ...]
    short: int  # what no payment can take
    unmapped: tuple[str, ...]  # tenders with captured money that the merchant's order leaves out
    clock_ms: int
    refundable: int  # of the whole order
    customer_id: str | None
    by_hand: tuple[str, ...]  # refunds by others that name no line and may have paid for these units already

    @property
    def goods(self) -> int:
        return sum(share.amount_minor for share in self.shares)

    @property
    def amount(self) -> int:
        return max(self.goods + self.shipping - self.fees, 0)

    @property
    def currencies(self) -> set[str]:
        """Every currency that ReturnGO's figures are in."""
        named = {seat.unit.said.currency for seat in self.seats} | {self.step.currency if self.step else None}
        return {currency for currency in named if currency is not None}

    @property
    def theirs(self) -> int | None:
        """ReturnGO's figure for this payment: what it asked for, else the prices it shows; None: it says nothing."""
        if self.kind == "exchange":
            return None
        if self.step is not None and self.step.amount_minor is not None:
            return self.step.amount_minor
        return None if self.claimed is None else max(self.claimed + self.shipping - self.fees, 0)

    @property
    def difference(self) -> int:
        return 0 if self.theirs is None else self.theirs - self.amount


def group_of(seat: Seat) -> tuple[str, Kind, str, bool]:
    """Units that are paid together: of one RMA, by one means, and alike in whether they come back."""
    means = seat.unit.said.resolution if seat.kind == "credit" else ""
    return (seat.rma.rma_id, seat.kind, means, seat.unit.said.ships)


def propose(
    ready: Sequence[Seat], group: Sequence[Seat], rma_seats: Sequence[Seat], own: Own, rules: Merchant, *,
    everything_back: bool,
) -> Proposal:  # fmt: skip
    """The payment of `ready` units out of their group; nothing is decided yet."""
    first = ready[0]
    order = first.order
    if order is None:
        raise ValueError(f"expected an order for the units of RMA {first.rma.rma_id}, which are ready to be paid")
    command_id = _identity(ready, own, rules)
    balance = account(order, own, command_id)
    shares = amounts.shares(ready, balance.units_paid)
    pays_shipping = everything_back and rules.model.refunding.shipping == "full_return" and first.kind == "refund"
    shipping = max(order.shipping_minor - balance.shipping_refunded, 0) if pays_shipping else 0
    fees = amounts.fees(ready)
    amount = max(sum(share.amount_minor for share in shares) + shipping - fees, 0)
    tenders, short = spread(order, balance, amount, rules.model.refunding.tenders)
    return Proposal(
        command_id=command_id, kind=first.kind, seats=tuple(ready), order=order,
        waiting_since_ms=min(_ready_since(seat) for seat in ready),
        others_pending=len(ready) < len(group), shares=shares, fees=fees, shipping=shipping,
        claimed=amounts.claimed(ready), step=_step(ready, rma_seats), tenders=tenders, short=short,
        unmapped=_unmapped(order, rules), clock_ms=own.learnt.clock_ms, refundable=balance.refundable,
        customer_id=order.customer_id, by_hand=_by_hand(first.rma, own),
    )  # fmt: skip


def decide(proposal: Proposal, now_ms: int, rules: Merchant) -> Money:
    """The payment as it will be for ever."""
    first = proposal.seats[0]
    match proposal.kind:
        case "refund":
            return Paying(
                decision_id=proposal.command_id, system=rules.model.money, rma_id=first.rma.rma_id,
                unit_ids=_unit_ids(proposal.seats), decided_at_ms=now_ms, currency=proposal.order.currency,
                amount_minor=proposal.amount, shares=proposal.shares, tenders=proposal.tenders,
                tolerance_minor=rules.model.refunding.tolerance_minor, shipping_minor=proposal.shipping,
                fees_minor=proposal.fees,
            )  # fmt: skip
        case "credit":
            gift_card = first.unit.said.resolution == "gift_card"
            return Crediting(
                decision_id=proposal.command_id, system=rules.model.money, rma_id=first.rma.rma_id,
                unit_ids=_unit_ids(proposal.seats), decided_at_ms=now_ms, currency=proposal.order.currency,
                amount_minor=proposal.amount, shares=proposal.shares,
                form="gift_card" if gift_card else rules.model.refunding.store_credit,
                customer_id=proposal.customer_id or "",
            )  # fmt: skip
        case "exchange":
            draft, made = first.rma.draft_order, first.rma.exchange_order
            return Exchanging(
                decision_id=proposal.command_id, system=rules.model.money, rma_id=first.rma.rma_id,
                unit_ids=_unit_ids(proposal.seats), decided_at_ms=now_ms, currency=proposal.order.currency,
                amount_minor=proposal.amount, shares=proposal.shares,
                draft_order_id=None if draft is None else draft.value,
                exchange_order_id=None if made is None else made.value,
            )  # fmt: skip
        case "none" | "unknown":
            raise ValueError(f"expected a resolution that is paid, got {first.unit.said.resolution}")
        case _:
            assert_never(proposal.kind)


_COMMAND_KINDS: dict[Kind, str] = {"refund": "refund", "credit": "store_credit", "exchange": "exchange"}


def _identity(seats: Sequence[Seat], own: Own, rules: Merchant) -> str:
    return ids.command_id(
        merchant=own.learnt.merchant, system=rules.model.money, kind=_COMMAND_KINDS[seats[0].kind],
        rma_id=seats[0].rma.rma_id, unit_ids=_unit_ids(seats), generation=0,
    )  # fmt: skip


def _unmapped(order: Order, rules: Merchant) -> tuple[str, ...]:
    names = rules.model.refunding.tenders
    return () if "*" in names else tuple(sorted({t.name for t in order.tenders if t.name not in names}))


def _by_hand(rma: Rma, own: Own) -> tuple[str, ...]:
    """Amounts that people paid back since the return was asked for, without saying for which lines."""
    asked = rma.marks.get("requested")
    since = 0 if asked is None else asked.at_ms
    returngos = {step.external_id for each in own.learnt.rmas.values() for step in each.steps.values()}
    return tuple(
        e.external_id for e in own.foreign
        if e.kind in PAID_KINDS and not e.moved and e.total_minor > 0 and e.stamp.at_ms >= since
        and e.actor != "returngo" and e.external_id not in returngos
    )  # fmt: skip


def _unit_ids(seats: Sequence[Seat]) -> tuple[str, ...]:
    return tuple(sorted(seat.unit.unit_id for seat in seats))


def _ready_since(seat: Seat) -> int:
    if seat.found is not None:
        return seat.found.stamp.at_ms
    approved = seat.rma.marks.get("approved")
    return approved.at_ms if approved is not None else seat.unit.said.stamp.at_ms


def _step(ready: Sequence[Seat], rma_seats: Sequence[Seat]) -> Step | None:
    """ReturnGO's request for exactly these units; one that names none is for all units of the return to be refunded."""
    names = {seat.unit.unit_id for seat in ready}
    whole = {s.unit.unit_id for s in rma_seats if s.kind == "refund" and not (s.found and s.found.disposition in GONE)}
    for step in sorted(ready[0].rma.steps.values(), key=lambda s: s.stamp, reverse=True):
        covers = set(step.unit_ids) == names if step.unit_ids else whole == names
        if step.kind == "refund" and step.status in ("requested", "success") and covers:
            return step
    return None
