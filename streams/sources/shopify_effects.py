"""Refunds and restocks seen on a Shopify order, whoever made them, our own included and marked as ours. Pure."""

import msgspec

from schemas import ids
from schemas.facts import Actor, ObservedEffect, RecordedRefund, RefundedLine
from sinks.systems.shopify.marks import disposition_commands
from streams.sources.fields import Json, code, count, ident, instant, malformed, opt, opt_ident, rows
from streams.sources.shopify_orders import SYSTEM, currencies, refunds


def effects(order: Json, *, merchant: str) -> list[ObservedEffect]:
    """One effect per refund and per disposition that put goods into stock; raises Malformed."""
    _, currency = currencies(order)
    order_id = ident(order.get("id"), "id")
    till = order.get("sourceName") == "pos"
    found = [_refunded(each, merchant, order_id, currency, till=till) for each in refunds(order, currency)]
    return [_named(each) for each in [*found, *_restocked(order, merchant, order_id)]]


def _named(effect: ObservedEffect) -> ObservedEffect:
    """With its id: a refund whose money settles later is news, the same state read again is not."""
    resource = f"{effect.merchant}/{effect.order_id}"
    identity = ids.fact_id(SYSTEM, resource, effect.kind, ids.digest(msgspec.json.encode(effect)))
    return msgspec.structs.replace(effect, fact_id=identity)


def _refunded(each: RecordedRefund, merchant: str, order_id: str, currency: str, *, till: bool) -> ObservedEffect:
    actor: Actor = "returnflow" if each.command_id else "till" if till else "other"
    return ObservedEffect(
        fact_id="", merchant=merchant, order_id=order_id, system=SYSTEM, kind="refund", external_id=each.refund_id,
        occurred_at_ms=each.created_at_ms, actor=actor, currency=currency, total_minor=each.total_minor,
        lines=each.lines, tenders=each.tenders, command_id=each.command_id, rma_id=each.rma_id,
        tax_minor=each.tax_minor, updated_at_ms=each.updated_at_ms,
        shipping_minor=each.shipping_minor,
    )  # fmt: skip


def _restocked(order: Json, merchant: str, order_id: str) -> list[ObservedEffect]:
    ours = {ident(gid, "dispositions.id"): cmd for gid, cmd in _claims(order).items()}
    found = []
    for native in rows(order.get("returns"), "returns"):
        for reverse in rows(native.get("reverseFulfillmentOrders"), "reverseFulfillmentOrders"):
            for row in rows(reverse.get("lineItems"), "reverseFulfillmentOrders.lineItems"):
                found += [_ours(each, ours) for each in _dispositions(row, merchant, order_id)]
    return found


def _claims(order: Json) -> dict[str, str]:
    if not (order.get("metafields") and order.get("returns")):
        return {}
    try:
        return disposition_commands(dict(order))
    except (KeyError, TypeError, AttributeError):
        raise malformed("metafields", "our claims beside the order's returns", None) from None


def _ours(effect: ObservedEffect, ours: dict[str, str]) -> ObservedEffect:
    command_id = ours.get(effect.external_id)
    if command_id is None:
        return effect
    return msgspec.structs.replace(effect, command_id=command_id, actor="returnflow")


def _dispositions(row: Json, merchant: str, order_id: str) -> list[ObservedEffect]:
    bought = opt(opt(row.get("fulfillmentLineItem"), "fulfillmentLineItem").get("lineItem"), "lineItem")
    found = []
    for each in rows(row.get("dispositions"), "dispositions"):
        if each.get("type") != "RESTOCKED":
            continue
        line = RefundedLine(
            line_id=ident(bought.get("id"), "dispositions.lineItem.id"), restocked=True,
            quantity=count(each.get("quantity"), "dispositions.quantity"), sku=code(bought.get("sku"), "lineItem.sku"),
            location_id=opt_ident(opt(each.get("location"), "location").get("id"), "dispositions.location.id"),
        )  # fmt: skip
        found.append(
            ObservedEffect(
                fact_id="",
                merchant=merchant,
                order_id=order_id,
                system=SYSTEM,
                kind="restock",
                lines=(line,),
                external_id=ident(each.get("id"), "dispositions.id"),
                occurred_at_ms=instant(each.get("createdAt"), "dispositions.createdAt"),
            )
        )
    return found
