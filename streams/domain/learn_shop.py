"""What the shop and our own processes add: the order, effects seen on it, results of commands, verdicts on stock."""

from msgspec.structs import replace

from schemas.commands import CommandResult
from schemas.facts import ObservedEffect, OrderLine, OrderSnapshot, RecordedRefund, RefundedLine, RefundedTender
from schemas.money import LARGEST_MINOR
from schemas.stock import RestockVerdict
from streams.domain.learnt import Answer, Effect, Learnt, Line, Moved, Order, Result, Stamp, Tender, stamped

_RANK = {"waiting": 0, "impossible": 1, "commanded": 2, "confirmed": 3, "drift": 3}


def snapshot(learnt: Learnt, fact: OrderSnapshot) -> Learnt:
    """The newest version of the order; the refunds of every version."""
    for each in fact.refunds:
        learnt = _seen(learnt, _recorded(each, fact))
    stamp = stamped(fact.version_ms, fact.fact_id)
    if learnt.order is not None and learnt.order.stamp >= stamp:
        return learnt
    return replace(learnt, order=_order(fact, stamp))


def observed(learnt: Learnt, fact: ObservedEffect) -> Learnt:
    """An effect by its own id in its system; money that settled replaces money that was pending."""
    total, tenders, settled = _money(fact.tenders, fact.total_minor)
    effect = Effect(
        (settled, 1), stamped(fact.occurred_at_ms, fact.fact_id), fact.kind, fact.external_id, fact.actor, total,
        fact.currency, _moved(fact.lines), tenders, fact.command_id, fact.rma_id, fact.tax_minor,
        _negative(fact.tenders, fact.total_minor), _shop(fact.tenders), fact.system,
    )  # fmt: skip
    return _seen(learnt, effect)


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
    """The furthest word on an intent; of equal ones the newest."""
    stamp = stamped(fact.decided_at_ms, fact.fact_id)
    answer = Answer(_RANK[fact.verdict], stamp, fact.verdict, fact.reason or "", fact.detail or "", fact.command_ids)
    known = learnt.answers.get(fact.intent_id)
    if known is not None and (known.rank, known.stamp) >= (answer.rank, answer.stamp):
        return learnt
    return replace(learnt, answers=learnt.answers | {fact.intent_id: answer})


def _order_of(each: Result) -> tuple[int, int, str, str, str]:
    return (1 if each.outcome == "rejected" else 0, each.at_ms, each.outcome, each.code, each.detail)


def _seen(learnt: Learnt, effect: Effect) -> Learnt:
    key = f"{effect.system}:{effect.kind}:{effect.external_id}"
    known = learnt.effects.get(key)
    if known is not None and (known.rank, known.stamp) >= (effect.rank, effect.stamp):
        return learnt
    return replace(learnt, effects=learnt.effects | {key: effect})


def _recorded(refund: RecordedRefund, fact: OrderSnapshot) -> Effect:
    total, tenders, settled = _money(refund.tenders, refund.total_minor)
    return Effect(
        (settled, 0), stamped(refund.created_at_ms, fact.fact_id), "refund", refund.refund_id,
        "returnflow" if refund.command_id else "other", total, fact.currency, _moved(refund.lines), tenders,
        refund.command_id, refund.rma_id, refund.tax_minor, _negative(refund.tenders, refund.total_minor),
        _shop(refund.tenders), fact.system,
    )  # fmt: skip


def _moved(lines: tuple[RefundedLine, ...]) -> tuple[Moved, ...]:
    return tuple(sorted(Moved(each.line_id, each.quantity, each.restocked, each.unsent) for each in lines))


def _money(tenders: tuple[RefundedTender, ...], total: int) -> tuple[int, tuple[tuple[str, int], ...], int]:
    """(what left, per payment, whether it is settled). Pending money counts as gone: it must not be paid twice."""
    if not tenders:
        return max(total, 0), (), 1
    live = [each for each in tenders if each.status != "failed"]
    settled = 0 if any(each.status == "pending" for each in live) else 1
    # a refund of less than nothing must not make more refundable than was paid
    shares = tuple(sorted((each.payment_id or "", max(each.amount_minor, 0)) for each in live))
    return sum(amount for _, amount in shares), shares, settled


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
        line.duty_minor,
    )  # fmt: skip


def _real(minor: int) -> int:
    # beyond what any order comes to, the exact figure is of no use: no payment of it will be found captured
    return min(max(minor, -LARGEST_MINOR), LARGEST_MINOR)
