"""A Shopify order, as the read flow gives it, to its snapshot and the effects seen on it. Pure.

Amounts are presentment currency, what the customer paid in; the shop's currency is kept beside it. Names, addresses,
notes and e-mails are never read, but for our own marks in a refund's note.
"""

from collections.abc import Collection

import msgspec

from schemas import ids
from schemas.facts import SOMEBODY, OrderLine, OrderSnapshot, Payment, RecordedRefund
from schemas.labels import channel, kept
from streams.sources.fields import Json, currency, flag, ident, instant, label, malformed, opt, opt_ident, rows
from streams.sources.shopify_lines import minor, opt_minor, order_line, shop_minor, taxes
from streams.sources.shopify_money import payment, refund
from streams.sources.shopify_units import counted

SYSTEM = "shopify"


def snapshot(order: Json, *, merchant: str, known: Collection[str] = ()) -> OrderSnapshot:
    """The order at its `updatedAt`; raises Malformed. Its id is made of all that is in it. `known`: tags that may be
    told as they are."""
    shop, paid_in = currencies(order)
    order_id, made = ident(order.get("id"), "id"), refunds(order, paid_in)
    content = OrderSnapshot(
        fact_id="", merchant=merchant, order_id=order_id, system=SYSTEM,
        version_ms=instant(order.get("updatedAt"), "updatedAt"), name=label(order.get("name"), "name") or "",
        created_at_ms=instant(order.get("createdAt"), "createdAt"), currency=paid_in, shop_currency=shop,
        taxes_included=bool(flag(order.get("taxesIncluded"), "taxesIncluded")), lines=_lines(order, paid_in, made),
        payments=_payments(order, paid_in), refunds=made,
        shipping_minor=_shipping(order, paid_in),
        shipping_tax_minor=sum(taxes(row, "shippingLines", paid_in) for row in _listed(order, "shippingLines")),
        total_minor=opt_minor(order.get("totalPriceSet"), paid_in, "totalPriceSet"),
        shop_total_minor=shop_minor(order.get("totalPriceSet"), "totalPriceSet"),
        customer_id=SOMEBODY if customer(order) else None, tags=_tags(order, known),
        archived=bool(flag(order.get("closed"), "closed")),
        cancelled=order.get("cancelledAt") is not None, location_id=_id_of(order, "retailLocation"),
        source=channel(label(order.get("sourceName"), "sourceName"), known), complete=_complete(order),
    )  # fmt: skip
    identity = ids.digest(msgspec.json.encode(content))
    return msgspec.structs.replace(content, fact_id=ids.fact_id(SYSTEM, f"{merchant}/{order_id}", "snapshot", identity))


def currencies(order: Json) -> tuple[str, str]:
    """The shop's currency, and the one the customer paid in; raises Malformed."""
    shop = currency(order.get("currencyCode"), "currencyCode")
    return shop, currency(order.get("presentmentCurrencyCode") or shop, "presentmentCurrencyCode")


def refunds(order: Json, paid_in: str) -> tuple[RecordedRefund, ...]:
    """Every refund of the order, oldest first."""
    inside = bool(flag(order.get("taxesIncluded"), "taxesIncluded"))
    listed = [
        refund(row, f"refunds[{i}]", paid_in, tax_inside=inside) for i, row in enumerate(_listed(order, "refunds"))
    ]
    return tuple(sorted(listed, key=lambda each: (each.created_at_ms, each.refund_id)))


def _listed(order: Json, key: str) -> list[Json]:
    return rows(order.get(key), key)


def _lines(order: Json, paid_in: str, made: tuple[RecordedRefund, ...]) -> tuple[OrderLine, ...]:
    listed = [order_line(row, f"lineItems[{i}]", paid_in) for i, row in enumerate(_listed(order, "lineItems"))]
    return counted(listed, made, complete=_complete(order))


def _payments(order: Json, paid_in: str) -> tuple[Payment, ...]:
    listed = [payment(row, f"transactions[{i}]", paid_in) for i, row in enumerate(_listed(order, "transactions"))]
    return tuple(each for each in listed if each is not None)


def _shipping(order: Json, paid_in: str) -> int:
    """What was charged for delivery, after its discounts."""
    listed = _listed(order, "shippingLines")
    return sum(minor(row.get("discountedPriceSet"), paid_in, "shippingLines.discountedPriceSet") for row in listed)


def _id_of(order: Json, key: str) -> str | None:
    return opt_ident(opt(order.get(key), key).get("id"), f"{key}.id")


def customer(order: Json) -> str | None:
    """Whose it is. That stays with the source: facts only say that there is somebody."""
    return _id_of(order, "customer")


def _tags(order: Json, known: Collection[str]) -> tuple[str, ...]:
    tags = order.get("tags") or []
    if not isinstance(tags, list):
        raise malformed("tags", "a list of texts", tags)
    return tuple(sorted(kept(label(tag, "tags"), known) or "" for tag in tags))


def _complete(order: Json) -> bool:
    """False when a part of the reply was cut off, so that absence in it proves nothing."""
    return flag(order.get("complete"), "complete") is not False
