"""The record of a decision, the very same one whenever it is emitted again."""

from typing import assert_never

from schemas.commands import (
    Annotate,
    Exchange,
    Journal,
    Leeway,
    LineShare,
    Refund,
    StoreCredit,
    TenderShare,
    TransactionOutcome,
)
from schemas.stock import RestockIntent
from streams.domain import marking, output, rounding
from streams.domain.decided import Booking, Crediting, Decision, Exchanging, Marking, Paying, Restocking, Share
from streams.domain.output import Output

# What the returns platform calls the id of a refund in the shop.
_REFUND_REFERENCE = "PlatformRefundId"


def emit(decision: Decision, merchant: str, order_id: str) -> Output:
    """The record of a decision: an intent for the stock agent, or a command for its system."""
    match decision:
        case Restocking():
            return output.intent(_intent(decision, merchant, order_id))
        case Paying():
            return output.command(_refund(decision, merchant, order_id))
        case Crediting():
            return output.command(_credit(decision, merchant, order_id))
        case Exchanging():
            return output.command(_exchange(decision, merchant, order_id))
        case Booking():
            return output.command(_journal(decision, merchant, order_id))
        case Marking():
            return output.command(_annotate(decision, merchant, order_id))
        case _:
            assert_never(decision)


def _intent(d: Restocking, merchant: str, order_id: str) -> RestockIntent:
    return RestockIntent(
        intent_id=d.decision_id, merchant=merchant, sku=d.sku, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, line_id=d.line_id, system=d.system, location_id=d.location_id, quantity=d.quantity,
        stock_status=d.stock_status, generation=d.generation, decided_at_ms=d.decided_at_ms, variant_id=d.variant_id,
        item_id=d.item_id, bundle="bundle" if d.as_bundle else "components", stocked_before=d.stocked_before,
        options=d.options,
    )  # fmt: skip


def _refund(d: Paying, merchant: str, order_id: str) -> Refund:
    return Refund(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=0, decided_at_ms=d.decided_at_ms, currency=d.currency,
        amount_minor=d.amount_minor, lines=_lines(d.shares), tolerance_minor=d.tolerance_minor,
        tenders=tuple(
            TenderShare(payment_id=t.payment_id, tender=t.tender, amount_minor=t.amount_minor, coin_minor=t.coin_minor)
            for t in d.tenders
            if t.amount_minor
        ),
        shipping_minor=d.shipping_minor,
        fees_minor=sum(s.amount_minor for s in d.shares) + d.shipping_minor - d.amount_minor,
        tax_minor=d.tax_minor, duties_minor=d.duties_minor, rounding_minor=d.rounding_minor,
        exchange_id=d.exchange_id or None,
        leeways=tuple(Leeway(line_id=s.line_id, minor=s.leeway_minor, last=s.last) for s in d.shares),
    )  # fmt: skip


def _credit(d: Crediting, merchant: str, order_id: str) -> StoreCredit:
    return StoreCredit(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=0, decided_at_ms=d.decided_at_ms, form=d.form, customer_id=d.customer_id,
        currency=d.currency, amount_minor=d.amount_minor, lines=_lines(d.shares), tax_minor=d.tax_minor,
        bonus_minor=d.bonus_minor,
    )  # fmt: skip


def _exchange(d: Exchanging, merchant: str, order_id: str) -> Exchange:
    return Exchange(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=0, decided_at_ms=d.decided_at_ms, draft_order_id=d.draft_order_id,
        exchange_order_id=d.exchange_order_id, currency=d.currency, difference_minor=d.difference_minor,
        leeway_minor=rounding.of_shares(d.shares),
    )  # fmt: skip


def _journal(d: Booking, merchant: str, order_id: str) -> Journal:
    return Journal(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=0, decided_at_ms=d.decided_at_ms, currency=d.currency,
        amount_minor=d.amount_minor, tax_minor=d.tax_minor, lines=_lines(d.shares), refund_id=d.refund_id,
        refunded_by=d.refunded_by, shipping_minor=d.shipping_minor,
    )  # fmt: skip


def _annotate(d: Marking, merchant: str, order_id: str) -> Annotate:
    said = marking.said(d)
    outcome = None
    if said.transaction_id is not None:
        outcome = TransactionOutcome(
            transaction_id=said.transaction_id, status="failed" if said.failed else "success",
            external_id=said.external_id, external_type=_REFUND_REFERENCE if said.external_id else None,
        )  # fmt: skip
    return Annotate(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=d.generation, decided_at_ms=d.decided_at_ms, aspect=said.aspect,
        tags_add=said.tags_add, tags_remove=said.tags_remove, text=said.text, status=said.status, transaction=outcome,
    )  # fmt: skip


def _lines(shares: tuple[Share, ...]) -> tuple[LineShare, ...]:
    return tuple(LineShare(line_id=s.line_id, quantity=s.quantity, amount_minor=s.amount_minor) for s in shares)
