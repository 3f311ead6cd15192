"""Payments and refunds of a Shopify order, and our own marks in a refund's note. Pure."""

from typing import Literal

from schemas.facts import Payment, RecordedRefund, RefundedLine, RefundedTender
from sinks.systems.shopify.marks import command_in, rma_in
from streams.sources.fields import (
    Json,
    code,
    count,
    flag,
    ident,
    instant,
    label,
    obj,
    opt,
    opt_ident,
    opt_instant,
    rows,
)
from streams.sources.shopify_lines import minor, opt_minor, shop_minor

Settled = Literal["success", "pending", "failed"]
_SETTLED: dict[object, Settled] = {"SUCCESS": "success", "FAILURE": "failed", "ERROR": "failed"}
_PAID_BY = frozenset({"SALE", "CAPTURE"})


def payment(row: Json, path: str, currency: str) -> Payment | None:
    """A sale or capture; None for steps that took no money (authorisations, voids) or gave it back."""
    if label(row.get("kind"), f"{path}.kind") not in _PAID_BY:
        return None
    return Payment(
        payment_id=ident(row.get("id"), f"{path}.id"), tender=code(row.get("gateway"), f"{path}.gateway") or "",
        status=_settled(row), amount_minor=minor(row.get("amountSet"), currency, f"{path}.amountSet"),
        shop_amount_minor=shop_minor(row.get("amountSet"), f"{path}.amountSet"),
    )  # fmt: skip


def refund(row: Json, path: str, currency: str, *, tax_inside: bool) -> RecordedRefund:
    """A refund whoever made it; `command_id` and `rma_id` where its note carries our mark."""
    tenders = tuple(_tenders(row, path, currency))
    total = opt_minor(row.get("totalRefundedSet"), currency, f"{path}.totalRefundedSet")
    command_id, rma_id = marks(row.get("note"))
    return RecordedRefund(
        refund_id=ident(row.get("id"), f"{path}.id"), created_at_ms=_created_ms(row, path),
        total_minor=sum(t.amount_minor for t in tenders) if total is None else total,
        lines=tuple(_lines(row, path, currency, tax_inside=tax_inside)), tenders=tenders, command_id=command_id,
        rma_id=rma_id,
        tax_minor=_tax(row, path, currency), updated_at_ms=opt_instant(row.get("updatedAt"), f"{path}.updatedAt"),
        shipping_minor=_shipping(row, path, currency, tax_inside=tax_inside),
    )  # fmt: skip


def _created_ms(row: Json, path: str) -> int:
    """When it was made; Shopify may leave that out, and always says when it was processed."""
    named = "createdAt" if row.get("createdAt") is not None else "processedAt"
    return instant(row.get(named), f"{path}.{named}")


def marks(note: object) -> tuple[str | None, str | None]:
    """Command id and RMA that a note of ours names; nothing else of a note is kept."""
    text = note if isinstance(note, str) else ""
    command_id = command_in(text)
    return (None, None) if command_id is None else (command_id, (rma_in(text) or "")[:64] or None)


def _settled(row: Json) -> Settled:
    # whatever is neither done nor failed may still be done: pending
    return _SETTLED.get(label(row.get("status"), "transactions.status"), "pending")


def _lines(row: Json, path: str, currency: str, *, tax_inside: bool) -> list[RefundedLine]:
    found = []
    for each in rows(row.get("refundLineItems"), f"{path}.refundLineItems"):
        line = obj(each.get("lineItem"), f"{path}.refundLineItems.lineItem")
        found.append(
            RefundedLine(
                line_id=ident(line.get("id"), f"{path}.refundLineItems.lineItem.id"),
                quantity=count(each.get("quantity"), f"{path}.refundLineItems.quantity"),
                restocked=bool(flag(each.get("restocked"), f"{path}.refundLineItems.restocked")),
                location_id=opt_ident(opt(each.get("location"), path).get("id"), f"{path}.refundLineItems.location.id"),
                sku=code(line.get("sku"), f"{path}.refundLineItems.lineItem.sku"),
                unsent=each.get("restockType") == "CANCEL",
                amount_minor=_worth(each, f"{path}.refundLineItems", currency, tax_inside=tax_inside),
            )
        )
    return found


def _worth(row: Json, path: str, currency: str, *, tax_inside: bool) -> int | None:
    price = opt_minor(row.get("subtotalSet"), currency, f"{path}.subtotalSet")
    tax = opt_minor(row.get("totalTaxSet"), currency, f"{path}.totalTaxSet") if not tax_inside else 0
    return None if price is None or tax is None else price + tax


def _tax(row: Json, path: str, currency: str) -> int | None:
    """Within the refund's lines and shipping, whether it was inside their prices or on top of them.

    None where a part of it is not told, and for a refund of an amount alone: no line says what tax is in that.
    """
    parts = (("refundLineItems", "totalTaxSet"), ("refundShippingLines", "taxAmountSet"))
    bags = [each.get(bag) for key, bag in parts for each in rows(row.get(key), f"{path}.{key}")]
    shipping = opt(row.get("refundShippingLines"), f"{path}.refundShippingLines")
    more = opt(shipping.get("pageInfo"), f"{path}.refundShippingLines.pageInfo").get("hasNextPage")
    if not bags or None in bags or more or row.get("complete") is False:
        return None
    return sum(minor(bag, currency, f"{path}.tax") for bag in bags)


def _shipping(row: Json, path: str, currency: str, *, tax_inside: bool) -> int:
    """What went back of the shipping, with tax."""
    path = f"{path}.refundShippingLines"
    total = 0
    for each in rows(row.get("refundShippingLines"), path):
        total += opt_minor(each.get("subtotalAmountSet"), currency, f"{path}.subtotalAmountSet") or 0
        if not tax_inside:
            total += opt_minor(each.get("taxAmountSet"), currency, f"{path}.taxAmountSet") or 0
    return total


def _tenders(row: Json, path: str, currency: str) -> list[RefundedTender]:
    found = []
    for each in rows(row.get("transactions"), f"{path}.transactions"):
        if each.get("kind") != "REFUND":
            continue
        parent = opt(each.get("parentTransaction"), f"{path}.transactions.parentTransaction")
        found.append(
            RefundedTender(
                transaction_id=ident(each.get("id"), f"{path}.transactions.id"),
                payment_id=opt_ident(parent.get("id"), f"{path}.transactions.parentTransaction.id"),
                tender=code(each.get("gateway"), f"{path}.transactions.gateway") or "",
                status=_settled(each),
                amount_minor=minor(each.get("amountSet"), currency, f"{path}.transactions.amountSet"),
                shop_amount_minor=shop_minor(each.get("amountSet"), f"{path}.transactions.amountSet"),
            )
        )
    return found
