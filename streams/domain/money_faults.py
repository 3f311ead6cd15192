"""Money that does not add up, whoever moved it: causes for finance, each with what was expected and what came.

Only orders with a return are ours to watch. Nothing here changes an amount: what cannot be right holds payments by the
guards in walk.py, or was paid already and is for a person.
"""

from collections.abc import Iterable, Sequence

import msgspec

from schemas.money import split
from streams.domain import amounts, booked, currencies, edited, rounding
from streams.domain.account import account, counts, reported, went
from streams.domain.causes import Cause
from streams.domain.cover import PAID_KINDS, Foreign
from streams.domain.decided import Crediting, Exchanging, Money, Paying, asked, repays
from streams.domain.explain import money
from streams.domain.learnt import Effect, Order
from streams.domain.own import Own
from streams.domain.seating import Seating


def of_money(seating: Seating) -> Iterable[Cause]:
    """Everything about what was paid, paid back and booked."""
    own = seating.own
    order = own.learnt.order
    if order is None or not seating.seats:
        return
    yield from _of_payments(order, own)
    effects = [e for e in (*own.marked.values(), *own.foreign) if e.kind in PAID_KINDS]
    if effects:
        yield from _of_effects(effects, seating, order)
    if effects or any(step.status == "success" for rma in own.learnt.rmas.values() for step in rma.steps.values()):
        yield from _too_much(order, own, effects)
    if own.payments:
        yield from edited.of_resolutions(seating.seats)
        yield from _by_returngo_too(seating)
    sold: dict[str, int] = {}
    for line in order.lines if own.payments else ():
        sold[line.line_id] = sold.get(line.line_id, 0) + max(line.quantity, 0)
    for decision in own.payments:
        if own.track(decision) != "refused":
            yield from _of_payment(decision, seating, sold)
            yield from edited.of_payment(decision, seating)
    if own.bookings:
        yield from booked.otherwise(seating)


def _of_payments(order: Order, own: Own) -> Iterable[Cause]:
    """What was paid in the first place, and in what."""
    if (wrong := currencies.fault(own.learnt)) is not None:
        yield _of_order("currency_mismatch", "order", *wrong)
    for tender in order.tenders:
        if tender.amount_minor < 0:
            yield _of_order("contradicting_fact", f"payment:{tender.payment_id}", "a payment of less than nothing",
                            "0 or more", money(tender.amount_minor, order.currency))  # fmt: skip


def _of_effects(effects: Sequence[Effect], seating: Seating, order: Order) -> Iterable[Cause]:
    """What systems show of the order's money, each by itself and all together."""
    known = {line.line_id for line in order.lines}
    for effect in effects:
        yield from _of_effect(effect, order, known)
    for foreign in seating.covered.refunds:
        yield from _failed(foreign, order)
    yield from _in_shop_currency(order, effects)


def _of_effect(effect: Effect, order: Order, known: set[str]) -> Iterable[Cause]:
    """One refund, credit or charge-back as a system shows it; `known`: lines of the order."""
    name = f"{effect.kind} {effect.external_id}"
    subject = f"{effect.kind}:{effect.external_id}"
    if not counts(effect, order):
        amount = money(effect.total_minor, effect.currency)
        detail = f"{name} is not in the order's currency: nothing of the order is paid back before that is clear"
        yield _of_order("currency_mismatch", subject, detail, order.currency, amount)
    if effect.said_minor is not None:
        amount = money(effect.said_minor, effect.currency or order.currency)
        yield _of_order("contradicting_fact", subject, f"{name} of less than nothing", "0 or more", amount)
    for line_id in sorted({m.line_id for m in effect.moved if m.line_id not in known} if order.complete else ()):
        detail = f"{name} names line {line_id}, which is not on the order"
        yield _of_order("unknown_line", f"{subject}:{line_id}", detail, ", ".join(sorted(known)), line_id)


def _too_much(order: Order, own: Own, effects: Iterable[Effect]) -> Iterable[Cause]:
    total = account(order, own).total
    if total.refundable < 0:
        gone = total.refunded + total.credited + total.exchanged
        each = [f"{e.kind} {e.external_id} {money(e.total_minor, e.currency)}" for e in effects]
        each += [f"{s.kind} {s.external_id} {money(s.amount_minor or 0, s.currency)} by ReturnGO"
                 for s in reported(order, own)]  # fmt: skip
        yield _of_order(
            "amount_mismatch", "account", f"more was paid back than was captured: {', '.join(sorted(each))}",
            f"at most {money(total.paid, order.currency)}", money(gone, order.currency),
        )  # fmt: skip


def _in_shop_currency(order: Order, effects: Iterable[Effect]) -> Iterable[Cause]:
    """What refunds took in the shop's currency against the same part of the payment (MON-13). Where that is another
    currency, a rate that moved since the sale is a gain or a loss, and no rounding."""
    if order.shop_currency != order.currency:
        return
    back: dict[str, int] = {}
    shop: dict[str, int | None] = {}
    steps: dict[str, int] = {}
    for effect in effects:
        if not counts(effect, order):
            continue
        said = dict(effect.shop)
        for payment_id, amount in effect.tenders:
            back[payment_id] = back.get(payment_id, 0) + amount
            known, part = shop.get(payment_id, 0), said.get(payment_id)
            shop[payment_id] = None if known is None or part is None else known + part
            steps[payment_id] = steps.get(payment_id, 0) + 1
    for tender in order.tenders:
        actual, gone = shop.get(tender.payment_id), back.get(tender.payment_id, 0)
        if actual is None or tender.shop_minor is None or not 0 < gone <= tender.amount_minor:
            continue
        due = split(tender.shop_minor, [gone, tender.amount_minor - gone])[0]
        # each refund may be half a minor unit off; what is left when all is paid back is left for good
        if abs(actual - due) > (0 if gone == tender.amount_minor else steps[tender.payment_id]):
            currency = order.shop_currency
            detail = f"{money(gone, order.currency)} of payment {tender.payment_id} was paid back"
            yield _of_order("currency_rounding", f"payment:{tender.payment_id}", detail, money(due, currency),
                            money(actual, currency))  # fmt: skip


def _of_payment(decision: Money, seating: Seating, sold: dict[str, int]) -> Iterable[Cause]:
    """`sold`: units of each line of the order."""
    own = seating.own
    result = own.learnt.results.get(decision.decision_id)
    if result is not None and result.amount_minor is not None and result.currency not in (None, decision.currency):
        amount = money(result.amount_minor, result.currency)
        yield _of_decision("currency_mismatch", decision, "result", "the system answered in another currency",
                           money(decision.amount_minor, decision.currency), amount)  # fmt: skip
    paid = _really_paid(decision, own)
    tolerance = decision.tolerance_minor if isinstance(decision, Paying) else 0
    follows = rounding.open_end(decision.shares) if isinstance(decision, Paying) else 0
    if not isinstance(decision, Exchanging) and abs(paid - decision.amount_minor) > tolerance + follows:
        ours, theirs = money(decision.amount_minor, decision.currency), money(paid, decision.currency)
        yield _of_decision("amount_mismatch", decision, "paid", f"{ours} was decided, {theirs} was paid", ours, theirs)
    if isinstance(decision, Paying | Crediting):
        yield from _asked_otherwise(decision, seating)
        for name, tax in _taxes(decision, seating):
            # every unit may be rounded, and those that went before were
            rounded = _rounded(decision, sold)
            if abs(tax - decision.tax_minor) > tolerance + rounded:
                ours, theirs = money(decision.tax_minor, decision.currency), money(tax, decision.currency)
                detail = f"the order gives a tax of {ours}, {name} says {theirs}"
                yield _of_decision("tax_mismatch", decision, f"tax:{name}", detail, ours, theirs)


def _rounded(decision: Money, sold: dict[str, int]) -> int:
    """How far the tax of a payment may be off by rounding: one for each unit of its lines."""
    lines = {share.line_id for share in decision.shares}
    return max(len(decision.unit_ids), sum(sold.get(line_id, 0) for line_id in lines))


def _really_paid(decision: Money, own: Own) -> int:
    """What the system says it paid; less where it shows a refund of which, in the end, less has left."""
    effect, paid = own.marked.get(decision.decision_id), went(decision, own)
    shown = isinstance(decision, Paying) and effect is not None and effect.currency in (None, decision.currency)
    if effect is None or not shown or own.track(decision) != "applied":
        return paid
    return min(paid, effect.total_minor)


def _failed(foreign: Foreign, order: Order) -> Iterable[Cause]:
    """A refund by others that names units which are due, and of which nothing has left, or a part failed to."""
    effect, seats = foreign.effect, [s for s in foreign.seats if s.kind in ("refund", "credit")]
    worth = sum(share.amount_minor for share in amounts.shares(seats, {})) - amounts.fees(seats)
    if effect.kind in ("refund", "credit") and effect.total_minor < worth and (
        effect.total_minor == 0 or effect.failed_minor
    ):  # fmt: skip
        paid = money(effect.total_minor, order.currency)
        left = "nothing was paid" if effect.total_minor == 0 else f"only {paid} was paid, the rest failed"
        detail = f"{effect.kind} {effect.external_id} names units of which {left}"
        cause = _of_order("amount_mismatch", f"{effect.kind}:{effect.external_id}", detail,
                          money(worth, order.currency), paid)  # fmt: skip
        yield msgspec.structs.replace(cause, unit_ids=tuple(sorted(s.unit.unit_id for s in seats)))


def _by_returngo_too(seating: Seating) -> Iterable[Cause]:
    """What ReturnGO says it paid for units that were all paid by us, whether or not a system shows it."""
    own = seating.own
    known = own.names | {each.effect.external_id for each in seating.covered.refunds if each.beyond}
    for rma in own.learnt.rmas.values():
        steps = [s for s in rma.steps.values() if repays(s) and s.external_id]
        for step in steps:
            named = seating.of_units(rma.rma_id, step.unit_ids) if step.unit_ids else seating.of_rma(rma.rma_id)
            seats = [s for s in named if s.kind in ("refund", "credit")]
            # a payment whose own id is not known may be the very one that ReturnGO tells of
            ours = [s.paying is not None and s.money == "applied" and bool(own.refund_id(s.paying)) for s in seats]
            if seats and all(ours) and step.external_id not in known:
                amount = "an amount" if step.amount_minor is None else money(step.amount_minor, step.currency)
                yield Cause(
                    type="refund_outside_workflow", rma_id=rma.rma_id, subject=step.external_id or "",
                    detail=f"ReturnGO says it paid {amount} for units that were paid already: {step.external_id}",
                    unit_ids=tuple(sorted(s.unit.unit_id for s in seats)),
                )  # fmt: skip


def _taxes(decision: Paying | Crediting, seating: Seating) -> Iterable[tuple[str, int]]:
    """(who says so, the tax) for each that tells the tax of this payment."""
    mine = seating.of_units(decision.rma_id, decision.unit_ids)
    theirs = amounts.claimed_tax(mine)
    alone = not (isinstance(decision, Paying) and (decision.shipping_minor or decision.exchange_id))
    if theirs is not None and mine and alone:
        yield "ReturnGO", theirs
    told = seating.own.tax(decision)
    if told is not None:
        yield decision.system, told


def _asked_otherwise(decision: Paying | Crediting, seating: Seating) -> Iterable[Cause]:
    """Requests by ReturnGO that came after the payment and ask for another amount."""
    rma = seating.own.learnt.rmas.get(decision.rma_id)
    if isinstance(decision, Paying):
        tolerance = decision.tolerance_minor + abs(decision.rounding_minor)
    else:
        seats = seating.of_rma(decision.rma_id)
        tolerance = max((s.model.refunding.tolerance_minor for s in seats), default=0)
    tolerance += rounding.of_shares(decision.shares)
    for request in asked(rma, decision) if rma is not None else ():
        amount = decision.amount_minor if request.amount_minor is None else request.amount_minor
        other = request.currency not in (None, decision.currency)
        if other or abs(amount - decision.amount_minor) > tolerance:
            ours, theirs = money(decision.amount_minor, decision.currency), money(amount, request.currency)
            yield _of_decision(
                "currency_mismatch" if other else "amount_mismatch", decision,
                ",".join(step.transaction_id for step in request.steps),
                f"{ours} was decided before ReturnGO asked for {theirs}", ours, theirs,
            )  # fmt: skip


def _of_order(kind: str, subject: str, detail: str, expected: str, actual: str) -> Cause:
    return Cause(type=kind, rma_id="", subject=subject, detail=detail, expected=expected, actual=actual)


def _of_decision(kind: str, decision: Money, about: str, detail: str, expected: str, actual: str) -> Cause:
    return Cause(
        type=kind, rma_id=decision.rma_id, subject=f"{decision.decision_id}:{about}", detail=detail, expected=expected,
        actual=actual, command_id=decision.decision_id, unit_ids=decision.unit_ids,
    )  # fmt: skip
