"""What the shop and our own processes add: the order, effects seen on it, results of commands, verdicts on stock."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from schemas.commands import CommandResult
from schemas.facts import Actor, ObservedEffect, OrderLine, OrderSnapshot, RecordedRefund, RefundedLine, RefundedTender
from schemas.money import LARGEST_MINOR
from schemas.stock import RestockVerdict
from streams.domain import rounding
from streams.domain.learnt import Answer, Effect, Learnt, Line, Moved, Noted, Order, Result, Stamp, Tender, stamped

_MAKERS: tuple[Actor, ...] = ("other", "staff", "till", "returngo", "returnflow")
_RANK = {"waiting": 0, "impossible": 1, "commanded": 2, "confirmed": 3, "drift": 3}


def snapshot(learnt: Learnt, fact: OrderSnapshot) -> Learnt:
    """The newest version of the order; the refunds of every version."""
    learnt = _seen(learnt, [_recorded(each, fact) for each in fact.refunds])
    stamp = stamped(fact, fact.version_ms)
    known = learnt.order
    first = learnt.sold_in or (None if known is None else Noted(known.stamp, known.currency))
    sold_in = Noted(stamp, fact.currency)
    if first is not None and first <= sold_in:
        sold_in = first
    order = known if known is not None and known.stamp >= stamp else _order(fact, stamp)
    if order is known and sold_in == learnt.sold_in:
        return learnt
    return replace(learnt, order=order, sold_in=sold_in)


def observed(learnt: Learnt, fact: ObservedEffect) -> Learnt:
    """An effect by its own id in its system, in the newest state that was seen of it."""
    total, tenders, come = _money(fact.tenders, fact.total_minor)
    effect = Effect(
        (come, 1), stamped(fact, fact.occurred_at_ms), fact.kind, fact.external_id, fact.actor, total,
        fact.currency, _moved(fact.lines), tenders, fact.command_id, fact.rma_id, fact.tax_minor,
        _negative(fact.tenders, fact.total_minor), _shop(fact.tenders), fact.system, fact.updated_at_ms or 0,
        _failed(fact.tenders), fact.shipping_minor,
    )  # fmt: skip
    return _seen(learnt, [effect])


def result(learnt: Learnt, fact: CommandResult) -> Learnt:
    """The end of a command. Applied beats rejected (a person resubmitted it), else the first word stands."""
    new = Result(
        fact.outcome, fact.settled_at_ms, fact.code or "", fact.detail or "", fact.external_ids,
        None if fact.amount is None else fact.amount.minor, None if fact.amount is None else fact.amount.currency,
        fact.tax_minor, fact.suggested,
    )  # fmt: skip
    known = learnt.results.get(fact.command_id)
    if known is not None and _order_of(known) <= _order_of(new):
        return learnt
    return replace(learnt, results=learnt.results | {fact.command_id: new})


def verdict(learnt: Learnt, fact: RestockVerdict) -> Learnt:
    """The furthest word on an intent; of equal ones the newest. The stock agent dates each word on an intent later than
    the one before."""
    stamp = Stamp(fact.decided_at_ms, 0)
    answer = Answer(_RANK[fact.verdict], stamp, fact.verdict, fact.reason or "", fact.detail or "", fact.command_ids)
    known = learnt.answers.get(fact.intent_id)
    if known is not None and _word_of(known) >= _word_of(answer):
        return learnt
    return replace(learnt, answers=learnt.answers | {fact.intent_id: answer})


def _word_of(each: Answer) -> tuple[int, int, str, str, str, tuple[str, ...]]:
    return each.rank, each.stamp.at_ms, each.verdict, each.reason, each.detail, each.command_ids


def _order_of(each: Result) -> tuple[int, int, str, str, str, bytes]:
    rest = msgspec.json.encode(each, order="sorted")
    return (1 if each.outcome == "rejected" else 0, each.at_ms, each.outcome, each.code, each.detail, rest)


def _seen(learnt: Learnt, effects: Iterable[Effect]) -> Learnt:
    news: dict[str, Effect] = {}
    for each in effects:
        key = f"{each.system}:{each.kind}:{each.external_id}"
        known = news.get(key) or learnt.effects.get(key)
        effect = each if known is None else _newest(each, known)
        if effect != known:
            news[key] = effect
    return replace(learnt, effects=learnt.effects | news) if news else learnt


def _newest(effect: Effect, known: Effect) -> Effect:
    older, newer = sorted((effect, known), key=_state)
    # who made it does not change with its state, and not every word tells it
    actor = max(older.actor, newer.actor, key=_MAKERS.index)
    return newer if newer.actor == actor else replace(newer, actor=actor)


def _state(effect: Effect) -> tuple[int, int, tuple[int, int], int]:
    """Which of two states of an effect is the newer one: by its system's date, by the order of reading; where that
    tells nothing, money that settled comes after money on its way, and money that failed to leave after both."""
    return max(effect.updated_ms, effect.stamp.at_ms), max(effect.stamp.tie, 0), effect.rank, effect.stamp.tie


def _recorded(refund: RecordedRefund, fact: OrderSnapshot) -> Effect:
    total, tenders, come = _money(refund.tenders, refund.total_minor)
    return Effect(
        (come, 0), stamped(fact, refund.created_at_ms), "refund", refund.refund_id,
        "returnflow" if refund.command_id else "other", total, fact.currency, _moved(refund.lines), tenders,
        refund.command_id, refund.rma_id, refund.tax_minor, _negative(refund.tenders, refund.total_minor),
        _shop(refund.tenders), fact.system, refund.updated_at_ms or 0, _failed(refund.tenders),
        refund.shipping_minor,
    )  # fmt: skip


def _moved(lines: tuple[RefundedLine, ...]) -> tuple[Moved, ...]:
    return tuple(sorted(
        Moved(
            each.line_id, each.quantity, each.restocked, each.unsent,
            -1 if each.amount_minor is None else max(each.amount_minor, -1),
        )
        for each in lines
    ))  # fmt: skip


def _money(tenders: tuple[RefundedTender, ...], total: int) -> tuple[int, tuple[tuple[str, int], ...], int]:
    """(what left, per payment, how far it has come). Pending money counts as gone: it must not be paid twice."""
    if not tenders:
        return max(total, 0), (), 1
    live = [each for each in tenders if each.status != "failed"]
    come = 0 if any(each.status == "pending" for each in live) else 1 if len(live) == len(tenders) else 2
    # a refund of less than nothing must not make more refundable than was paid
    shares = tuple(sorted((each.payment_id or "", max(each.amount_minor, 0)) for each in live))
    return sum(amount for _, amount in shares), shares, come


def _failed(tenders: tuple[RefundedTender, ...]) -> int:
    return sum(max(each.amount_minor, 0) for each in tenders if each.status == "failed")


def _negative(tenders: tuple[RefundedTender, ...], total: int) -> int | None:
    """A refund of less than nothing as it was said; None for every other."""
    least = min([each.amount_minor for each in tenders if each.status != "failed"], default=total)
    return least if least < 0 else None


def _shop(tenders: tuple[RefundedTender, ...]) -> tuple[tuple[str, int | None], ...]:
    live = [each for each in tenders if each.status != "failed"]
    if all(each.shop_amount_minor is None for each in live):
        return ()
    return tuple(sorted(((each.payment_id or "", each.shop_amount_minor) for each in live), key=repr))


def _order(fact: OrderSnapshot, stamp: Stamp) -> Order:
    tax = 0 if fact.taxes_included else fact.shipping_tax_minor
    return Order(
        stamp, fact.system, fact.name, fact.created_at_ms, fact.currency,
        tuple(_line(each, taxes_included=fact.taxes_included) for each in fact.lines),
        tuple(
            Tender(each.payment_id, each.tender, each.status, each.amount_minor, each.shop_amount_minor)
            for each in fact.payments
        ),
        fact.shipping_minor + tax, fact.customer_id, fact.archived, fact.complete, fact.shop_currency,
        fact.taxes_included, fact.shipping_tax_minor, source=fact.source or "", store=fact.location_id or "",
        tags=tuple(sorted(fact.tags)), total_minor=fact.total_minor, cancelled=fact.cancelled,
    )  # fmt: skip


def _line(line: OrderLine, *, taxes_included: bool) -> Line:
    gross = line.unit_price_minor * line.quantity - line.discount_minor - line.order_discount_minor
    return Line(
        line.line_id, line.sku, line.quantity, _real(gross + (0 if taxes_included else line.tax_minor)),
        line.variant_id, line.item_id, line.gift_card, line.bundle_sku, line.bundle_quantity or 0,
        _real(line.unit_price_minor * line.quantity), line.discount_minor, line.order_discount_minor, line.tax_minor,
        line.duty_minor, *rounding.of_sold(line, taxes_included=taxes_included),
        line.bundle_id or "", line.removed_quantity, line.fulfilled_quantity, line.ships,
    )  # fmt: skip


def _real(minor: int) -> int:
    # beyond what any order comes to, the exact figure is of no use: no payment of it will be found captured
    return min(max(minor, -LARGEST_MINOR), LARGEST_MINOR)
