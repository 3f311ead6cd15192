"""The money of an order, kept in double entry: paid = refunded + credited + exchanged + refundable, per payment.

Every movement takes an amount from what a payment can still give back and adds the same amount to where it went. What
others did is booked as it is seen, even beyond what was paid: a person is told. What we decide may never overdraw a
payment: `Unbalanced` is raised instead. Money that is decided but not answered yet counts as gone.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

import msgspec

from streams.domain.cover import PAID_KINDS
from streams.domain.decided import Crediting, Exchanging, Money, Paying, Repaid, repays
from streams.domain.learnt import Effect, Order, Step, Tender
from streams.domain.own import Own
from streams.domain.rounding import open_end
from streams.domain.settled import Settled, by_others, by_us

NOWHERE = ""  # money that no payment is named for, while more than one could have given it


class Unbalanced(ValueError):
    """A payment of ours that the money of its order does not cover: it must not be sent."""


class Balance(msgspec.Struct):
    """One payment, in minor units of the order's currency. `refundable` is kept by itself, never derived."""

    paid: int = 0
    refunded: int = 0
    credited: int = 0
    exchanged: int = 0
    refundable: int = 0
    rounding: int = 0  # handed out in coins beyond what is refunded, below zero: less

    def check(self, payment_id: str) -> None:
        if self.paid != self.refunded + self.credited + self.exchanged + self.refundable:
            raise Unbalanced(f"payment {payment_id or '(none named)'}: expected both sides to be equal, got {self}")


class Account(msgspec.Struct):
    """All payments by id, and what went back of each line, by whatever means and whoever."""

    balances: dict[str, Balance]
    lines: Settled
    shipping_refunded: int = 0
    unsettled: bool = False  # a refund is under way whose amount the system that pays it may still round

    @property
    def total(self) -> Balance:
        """Of the whole order."""
        each = self.balances.values()
        return Balance(
            sum(b.paid for b in each), sum(b.refunded for b in each), sum(b.credited for b in each),
            sum(b.exchanged for b in each), sum(b.refundable for b in each), sum(b.rounding for b in each),
        )  # fmt: skip

    @property
    def refundable(self) -> int:
        """What of the whole order can still be given back."""
        return sum(balance.refundable for balance in self.balances.values())

    @property
    def only(self) -> str:
        """The one payment that money without a name moved on, as far as there is one."""
        return next(iter(self.balances)) if len(self.balances) == 1 else NOWHERE

    def copy(self) -> "Account":
        """One whose payments change apart from these."""
        return Account(dict(self.balances), self.lines, self.shipping_refunded, self.unsettled)

    def rest(self, payment_id: str) -> int:
        """What this payment can still give back."""
        balance = self.balances.get(payment_id)
        return 0 if balance is None else balance.refundable


def account(order: Order, own: Own, leave_out: str = "") -> Account:
    """The balance by everything seen and decided; `leave_out`: a command whose own effect is not to count."""
    books = Account(_opened(order.tenders), Settled({}, {}))
    made = {d.decision_id: d for d in own.payments if d.decision_id != leave_out}
    marked = {c: e for c, e in own.marked.items() if c != leave_out and counts(e, order)}
    live = [d for d in made.values() if own.track(d) != "refused"]
    # what is seen of these is not what they take from a payment: a bonus or coins come on top
    issued = {d.decision_id for d in live if d.amount_minor != taken(d)}
    issued |= {d.decision_id for d in live if isinstance(d, Crediting)}
    # while there is no answer, the part that is not seen may still be on its way
    issued |= {d.decision_id for d in live if own.track(d) == "open"}
    # an effect that names no payment took from those that were decided
    issued |= {d.decision_id for d in live if d.decision_id in marked and not marked[d.decision_id].tenders}
    for effect in (*(e for c, e in marked.items() if c not in issued), *own.foreign):
        if counts(effect, order):
            _seen(books, effect)
    ours = {d.decision_id for d in live}
    for effect in (*(e for c, e in marked.items() if c not in ours), *own.foreign):
        if counts(effect, order):  # a refund whose money failed gave nothing back of the shipping
            books.shipping_refunded += min(effect.shipping_minor, effect.total_minor)
    for step in reported(order, own):
        _move(books, books.only, max(step.amount_minor or 0, 0), None)
    # the lines of our own effects are counted with their decisions
    seen = [e for command_id, e in own.marked.items() if command_id != leave_out and command_id not in ours]
    books.lines.add(by_others((*seen, *own.foreign), order))
    for decision in live:
        book(books, decision, own, seen=decision.decision_id in marked and decision.decision_id not in issued)
    for payment_id, balance in books.balances.items():
        balance.check(payment_id)
    return books


def book(books: Account, decision: Money, own: Own, *, seen: bool = False) -> None:
    """A payment of ours; `seen`: what it took from the order's payments is booked with its effect."""
    if not seen:
        _decided(books, decision, own)
    books.shipping_refunded += decision.shipping_minor if isinstance(decision, Paying) else 0
    books.unsettled |= _rounds(decision, own)
    books.lines.add(by_us(decision, went(decision, own)))


def counts(effect: Effect, order: Order) -> bool:
    """Whether an effect is money of the order; one in another currency is raised and holds its payments instead."""
    return effect.kind in PAID_KINDS and effect.currency in (None, order.currency)


def commit(books: Account, decision: Money) -> None:
    """Books a payment that is about to be sent; raises Unbalanced when any of its sides does not add up."""
    moved = sum(share.amount_minor - share.rounding_minor for share in decision.tenders)
    if moved != taken(decision):
        raise Unbalanced(f"{decision.decision_id}: expected shares of {taken(decision)} over its payments, got {moved}")
    if decision.amount_minor < 0 or any(share.amount_minor < 0 for share in decision.tenders):
        raise Unbalanced(f"{decision.decision_id}: expected no amount below zero, got {decision.amount_minor}")
    if moved > books.refundable:
        raise Unbalanced(f"{decision.decision_id}: expected at most {books.refundable} to be paid, got {moved}")
    for share in decision.tenders:
        value, rest = share.amount_minor - share.rounding_minor, books.rest(share.payment_id)
        if value > rest:
            raise Unbalanced(f"payment {share.payment_id}: expected at most {rest}, got {value}")
        _move(books, share.payment_id, value, decision)
        balance = _changed(books, share.payment_id)
        balance.rounding += share.rounding_minor
        if balance.refunded + balance.rounding > balance.paid:
            raise Unbalanced(f"payment {share.payment_id}: expected at most {balance.paid} in coins, got {balance}")


def taken(decision: Money) -> int:
    """What a payment takes from what the customer paid: a bonus is the merchant's own, dearer goods are paid extra."""
    match decision:
        case Crediting():
            return decision.amount_minor - decision.bonus_minor
        case Exchanging():
            return decision.amount_minor + min(decision.difference_minor, 0)
        case Paying():
            return decision.amount_minor - decision.rounding_minor
        case _:
            assert_never(decision)


def spread(
    order: Order, books: Account, amount: int, names: Sequence[str], used: dict[str, int] | None = None
) -> tuple[tuple[Repaid, ...], int]:
    """Shares per payment in the merchant's order, "*" being every other tender, largest rest first; and what is left
    that no payment can take. `used`: what of a payment is spoken for."""
    spoken = used or {}
    rest = {t.payment_id: max(books.rest(t.payment_id) - spoken.get(t.payment_id, 0), 0) for t in order.tenders}
    by_rest = sorted(order.tenders, key=lambda t: (-rest[t.payment_id], t.payment_id))
    chosen: list[Repaid] = []
    left = amount
    for name in names:
        for tender in by_rest:
            fits = tender.name not in names if name == "*" else tender.name == name
            part = min(left, rest[tender.payment_id]) if fits and tender.status == "success" else 0
            if part > 0:
                chosen.append(Repaid(payment_id=tender.payment_id, tender=tender.name, amount_minor=part))
                rest[tender.payment_id] -= part
                left -= part
    return tuple(chosen), left


def went(decision: Money, own: Own) -> int:
    """What really moved, once it is known: the system that paid owns the figure (MON-6)."""
    result, effect = own.learnt.results.get(decision.decision_id), own.marked.get(decision.decision_id)
    if result is not None and result.amount_minor is not None and result.currency in (None, decision.currency):
        return max(result.amount_minor, 0)
    if effect is not None and effect.total_minor > 0 and effect.currency in (None, decision.currency):
        return effect.total_minor
    return decision.amount_minor


def _opened(tenders: Iterable[Tender]) -> dict[str, Balance]:
    balances: dict[str, Balance] = {}
    for tender in tenders:
        if tender.status == "success":
            balance = balances.setdefault(tender.payment_id, Balance())
            balance.paid += tender.amount_minor
            balance.refundable += tender.amount_minor
    return balances


def reported(order: Order, own: Own) -> Iterable[Step]:
    """What ReturnGO says it paid with an id that no system shows yet, and that is none of ours."""
    known = own.names | {e.external_id for e in own.foreign}
    for rma in own.learnt.rmas.values():
        for step in rma.steps.values():
            if repays(step) and step.currency == order.currency and step.external_id and step.external_id not in known:
                yield step


def _seen(books: Account, effect: Effect) -> None:
    parts = effect.tenders or ((NOWHERE, effect.total_minor),)
    only = books.only
    for payment_id, amount in parts:
        _move(books, payment_id if payment_id in books.balances else only, amount, effect)


def _decided(books: Account, decision: Money, own: Own) -> None:
    gone = decision.amount_minor if own.track(decision) == "open" else went(decision, own)
    moved = gone - (decision.amount_minor - taken(decision))
    for share in decision.tenders:
        part = min(max(moved, 0), share.amount_minor - share.rounding_minor)
        _move(books, share.payment_id, part, decision)
        _changed(books, share.payment_id).rounding += share.rounding_minor
        moved -= part
    if moved > 0:  # more than was decided, or a decision that names no payment
        names = [share.payment_id for share in decision.tenders]
        able = (n for n in (*names, *(books.balances if names else ())) if books.rest(n) >= moved)
        _move(books, next(able, (*names, NOWHERE)[0]), moved, decision)


def _move(books: Account, payment_id: str, amount: int, why: Effect | Money | None) -> None:
    """Both sides of one movement."""
    balance = _changed(books, payment_id)
    balance.refundable -= amount
    if isinstance(why, Crediting) or (isinstance(why, Effect) and why.kind == "credit"):
        balance.credited += amount
    elif isinstance(why, Exchanging):
        balance.exchanged += amount
    else:
        balance.refunded += amount


def _changed(books: Account, payment_id: str) -> Balance:
    """One balance, to be changed: copies of an account share those that are not."""
    known = books.balances.get(payment_id)
    balance = Balance() if known is None else msgspec.structs.replace(known)
    books.balances[payment_id] = balance
    return balance


def _rounds(decision: Money, own: Own) -> bool:
    return isinstance(decision, Paying) and own.track(decision) == "open" and open_end(decision.shares) > 0
