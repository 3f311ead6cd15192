"""The money of an order: paid = refunded + credited + exchanged + still refundable, in all and per payment.

Money that is decided but not answered yet counts as gone. A payment that would break the balance is not made.
"""

import msgspec

from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Crediting, Exchanging, Money, Paying, Repaid
from streams.domain.learnt import Effect, Order, Tender
from streams.domain.own import Own


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Minor units of the order's currency. `repaid` is per payment id."""

    paid: int
    refunded: int
    credited: int
    exchanged: int
    repaid: dict[str, int]
    units_paid: dict[str, int]  # per line, by whatever means and whoever
    shipping_refunded: int

    @property
    def refundable(self) -> int:
        return self.paid - self.refunded - self.credited - self.exchanged


def account(order: Order, own: Own, leave_out: str = "") -> Account:
    """The balance by everything seen and decided; `leave_out`: a command whose own effect is not to count."""
    seen = [e for c, e in own.marked.items() if c != leave_out and e.kind in PAID_KINDS]
    seen += [e for e in own.foreign if e.kind in PAID_KINDS]
    made = [d for d in own.decided.values() if isinstance(d, Money) and d.decision_id != leave_out]
    issued = {d.decision_id for d in made if isinstance(d, Crediting)}
    marked_credits = sum(own.marked[c].total_minor for c in issued if c in own.marked)
    live = [d for d in made if own.track(d) != "refused"]
    unseen = [d for d in live if d.decision_id not in own.marked]
    refunded = sum(e.total_minor for e in seen) - marked_credits + sum(_went(d, own) for d in unseen if _pays(d))
    return Account(
        paid=sum(t.amount_minor for t in order.tenders if t.status == "success"),
        refunded=refunded,
        credited=marked_credits + sum(_went(d, own) for d in unseen if isinstance(d, Crediting)),
        exchanged=sum(d.amount_minor for d in live if isinstance(d, Exchanging)),
        repaid=_repaid(seen, unseen),
        units_paid=_units(seen, live, own),
        shipping_refunded=sum(d.shipping_minor for d in live if isinstance(d, Paying)),
    )  # fmt: skip


def spread(order: Order, account: Account, amount: int, names: tuple[str, ...]) -> tuple[tuple[Repaid, ...], int]:
    """Shares per payment in the merchant's order, "*" being every other tender, largest rest first; and what is left
    that no payment can take."""
    rest = {
        t.payment_id: t.amount_minor - account.repaid.get(t.payment_id, 0)
        for t in order.tenders
        if t.status == "success"
    }
    by_rest = sorted((t for t in order.tenders if rest.get(t.payment_id, 0) > 0), key=lambda t: _first(t, rest))
    chosen: list[Repaid] = []
    left = amount
    for name in names:
        for tender in by_rest:
            fits = tender.name not in names if name == "*" else tender.name == name
            part = min(left, rest[tender.payment_id]) if fits else 0
            if part > 0:
                chosen.append(Repaid(payment_id=tender.payment_id, tender=tender.name, amount_minor=part))
                left -= part
    return tuple(chosen), left


def _first(tender: Tender, rest: dict[str, int]) -> tuple[int, str]:
    return (-rest[tender.payment_id], tender.payment_id)


def _pays(decision: Money) -> bool:
    return isinstance(decision, Paying)


def _went(decision: Money, own: Own) -> int:
    """What really moved, once it is known."""
    result = own.learnt.results.get(decision.decision_id)
    return decision.amount_minor if result is None or result.amount_minor is None else result.amount_minor


def _repaid(seen: list[Effect], unseen: list[Money]) -> dict[str, int]:
    repaid: dict[str, int] = {}
    for effect in seen:
        for payment_id, amount in effect.tenders:
            repaid[payment_id] = repaid.get(payment_id, 0) + amount
    for decision in unseen:
        for share in decision.tenders if isinstance(decision, Paying) else ():
            repaid[share.payment_id] = repaid.get(share.payment_id, 0) + share.amount_minor
    return repaid


def _units(seen: list[Effect], live: list[Money], own: Own) -> dict[str, int]:
    units: dict[str, int] = {}
    decided = {d.decision_id for d in live}
    ours = {e.external_id for c, e in own.marked.items() if c in decided}
    for effect in seen:
        # the lines of our own effects are counted with their decisions below
        for moved in effect.moved if effect.external_id not in ours else ():
            units[moved.line_id] = units.get(moved.line_id, 0) + moved.quantity
    for decision in live:
        for share in decision.shares:
            units[share.line_id] = units.get(share.line_id, 0) + share.quantity
    return units
