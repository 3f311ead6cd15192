"""What was decided and not yet forgotten: the outbox. An id keeps the content it was first decided with, for ever.

A decision is kept in its own compact form and turned into the very same record whenever it is emitted again.
"""

from typing import Literal, assert_never

import msgspec

from schemas.commands import (
    Annotate,
    Exchange,
    LineShare,
    Refund,
    StoreCredit,
    TenderShare,
    TransactionOutcome,
)
from schemas.stock import RestockIntent, StockStatus
from streams.domain import output
from streams.domain.learnt import Rma, Step
from streams.domain.output import Output


class Share(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """Units of a line and what they come to."""

    line_id: str
    quantity: int
    amount_minor: int


class Repaid(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """How much goes back to which payment."""

    payment_id: str
    tender: str
    amount_minor: int


class Restocking(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag="restock"):
    """Pieces of one SKU go into stock; the stock agent makes commands of it."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    sku: str
    line_id: str | None
    location_id: str
    quantity: int
    stock_status: StockStatus
    variant_id: str | None
    item_id: str | None
    piece: str  # identity of the physical piece, see allot.py


class Paying(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag="refund"):
    """Money goes back to the order's payments."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    currency: str
    amount_minor: int
    shares: tuple[Share, ...]
    tenders: tuple[Repaid, ...]
    tolerance_minor: int
    shipping_minor: int
    fees_minor: int


class Crediting(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag="store_credit"):
    """The value goes to the customer as store credit or a gift card."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    currency: str
    amount_minor: int
    shares: tuple[Share, ...]
    form: Literal["store_credit", "gift_card"]
    customer_id: str


class Exchanging(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag="exchange"):
    """The exchange order is released; `shares` is the value that went into it."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    currency: str
    amount_minor: int
    shares: tuple[Share, ...]
    draft_order_id: str | None
    exchange_order_id: str | None


class Marking(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag="annotate"):
    """A mark for people. No effect on stock or money."""

    decision_id: str
    system: str
    rma_id: str
    unit_ids: tuple[str, ...]
    decided_at_ms: int
    subject: str  # what it says, within its RMA
    aspect: Literal["tags", "note", "comment", "status", "transaction"]
    tags_add: tuple[str, ...] = ()
    tags_remove: tuple[str, ...] = ()
    text: str | None = None
    status: str | None = None
    transaction_id: str | None = None
    succeeded: Literal["success", "failed"] = "success"
    external_id: str | None = None
    generation: int = 0


Money = Paying | Crediting | Exchanging
Decision = Restocking | Money | Marking

_ASKED: dict[type[Money], tuple[str, ...]] = {Paying: ("refund",), Crediting: ("store_credit", "gift_card")}
# What the returns platform calls the id of a refund in the shop.
_REFUND_REFERENCE = "PlatformRefundId"


def asked(rma: Rma, decision: Money) -> list[Step]:
    """ReturnGO's requests that a payment answers: of its kind, for units of it or for the return as a whole."""
    kinds = _ASKED.get(type(decision), ())
    steps = [step for _, step in sorted(rma.steps.items()) if step.kind in kinds and step.status == "requested"]
    return [step for step in steps if set(step.unit_ids) <= set(decision.unit_ids)]


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
        case Marking():
            return output.command(_annotate(decision, merchant, order_id))
        case _:
            assert_never(decision)


def _intent(d: Restocking, merchant: str, order_id: str) -> RestockIntent:
    return RestockIntent(
        intent_id=d.decision_id, merchant=merchant, sku=d.sku, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, line_id=d.line_id, system=d.system, location_id=d.location_id, quantity=d.quantity,
        stock_status=d.stock_status, generation=0, decided_at_ms=d.decided_at_ms, variant_id=d.variant_id,
        item_id=d.item_id,
    )  # fmt: skip


def _refund(d: Paying, merchant: str, order_id: str) -> Refund:
    return Refund(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=0, decided_at_ms=d.decided_at_ms, currency=d.currency,
        amount_minor=d.amount_minor, lines=_lines(d.shares), tolerance_minor=d.tolerance_minor,
        tenders=tuple(
            TenderShare(payment_id=t.payment_id, tender=t.tender, amount_minor=t.amount_minor) for t in d.tenders
        ),
        shipping_minor=d.shipping_minor, fees_minor=d.fees_minor,
    )  # fmt: skip


def _credit(d: Crediting, merchant: str, order_id: str) -> StoreCredit:
    return StoreCredit(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=0, decided_at_ms=d.decided_at_ms, form=d.form, customer_id=d.customer_id,
        currency=d.currency, amount_minor=d.amount_minor, lines=_lines(d.shares),
    )  # fmt: skip


def _exchange(d: Exchanging, merchant: str, order_id: str) -> Exchange:
    return Exchange(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=0, decided_at_ms=d.decided_at_ms, draft_order_id=d.draft_order_id,
        exchange_order_id=d.exchange_order_id, currency=d.currency,
    )  # fmt: skip


def _annotate(d: Marking, merchant: str, order_id: str) -> Annotate:
    outcome = None
    if d.transaction_id is not None:
        outcome = TransactionOutcome(
            transaction_id=d.transaction_id, status=d.succeeded, external_id=d.external_id,
            external_type=_REFUND_REFERENCE if d.external_id else None,
        )  # fmt: skip
    return Annotate(
        command_id=d.decision_id, merchant=merchant, system=d.system, order_id=order_id, rma_id=d.rma_id,
        unit_ids=d.unit_ids, generation=d.generation, decided_at_ms=d.decided_at_ms, aspect=d.aspect,
        tags_add=d.tags_add, tags_remove=d.tags_remove, text=d.text, status=d.status, transaction=outcome,
    )  # fmt: skip


def _lines(shares: tuple[Share, ...]) -> tuple[LineShare, ...]:
    return tuple(LineShare(line_id=s.line_id, quantity=s.quantity, amount_minor=s.amount_minor) for s in shares)
