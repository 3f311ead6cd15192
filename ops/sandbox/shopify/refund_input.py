"""What refundCreate is given, and why it may be refused."""

from datetime import datetime
from decimal import Decimal

import msgspec

from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.catalogue import Location
from ops.sandbox.shopify.sales import LineItem, Order, Transaction
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import ZERO, Money, Refusal, parse_gid, rounded, spoken

NO_LOCATION = "The specified location could not be found."


class MoneyGiven(msgspec.Struct, frozen=True, kw_only=True):
    """MoneyInput."""

    amount: Decimal
    currency_code: str


class LineGiven(msgspec.Struct, frozen=True, kw_only=True):
    """RefundLineItemInput."""

    line_item_id: str
    quantity: int
    restock_type: str | None = None
    location_id: str | None = None


class TransactionGiven(msgspec.Struct, frozen=True, kw_only=True):
    """OrderTransactionInput."""

    order_id: str
    amount: Decimal
    gateway: str
    kind: str
    parent_id: str | None = None


class CreditGiven(msgspec.Struct, frozen=True, kw_only=True):
    """StoreCreditRefundInput."""

    amount: MoneyGiven
    expires_at: datetime | None = None


class MethodGiven(msgspec.Struct, frozen=True, kw_only=True):
    """RefundMethodInput."""

    store_credit_refund: CreditGiven | None = None


class ShippingGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ShippingRefundInput."""

    amount: Decimal | None = None
    full_refund: bool | None = None


class RefundInput(msgspec.Struct, frozen=True, kw_only=True):
    """RefundInput."""

    order_id: str
    currency: str | None = None
    note: str | None = None
    shipping: ShippingGiven | None = None
    refund_line_items: list[LineGiven] | None = None
    transactions: list[TransactionGiven] | None = None
    refund_methods: list[MethodGiven] | None = None
    discrepancy_reason: str | None = None
    allow_over_refunding: bool | None = None


def check_lines(
    shop: Shop, order: Order, given: RefundInput, accepted: list[tuple[LineItem, int, str, Location | None]]
) -> list[Refusal]:
    """Fills `accepted` with the lines to refund, or says all that is wrong. The same line may come twice; its units
    add up."""
    asked: dict[int, int] = {}
    refusals: list[Refusal] = []
    for index, each in enumerate(given.refund_line_items or []):
        where = ["refundLineItems", str(index)]
        parsed = parse_gid(each.line_item_id)
        line = next((line for line in order.lines if parsed == ("LineItem", line.number)), None)
        if line is None:
            refusals.append(Refusal([*where, "lineItemId"], "Line item does not exist"))
            continue
        asked[line.number] = asked.get(line.number, 0) + each.quantity
        if each.quantity < 1 or asked[line.number] > line.refundable:
            refusals.append(Refusal([*where, "quantity"], "Quantity cannot refund more items than were purchased"))
        restock_type = each.restock_type or "NO_RESTOCK"
        if restock_type == "LEGACY_RESTOCK":
            refusals.append(Refusal([*where, "restockType"], "Restock type is invalid"))
        location, refusal = restock_location(shop, restock_type, each.location_id, [*where, "locationId"])
        refusals += [refusal] if refusal else []
        accepted.append((line, each.quantity, restock_type, location))
    return refusals


def restock_location(
    shop: Shop, restock_type: str, gid: str | None, where: list[str]
) -> tuple[Location | None, Refusal | None]:
    """Where units go: the named location, else (Shopify picks) the first active one; an inactive or unknown one is
    refused."""
    if restock_type not in ("RETURN", "CANCEL"):
        return None, None
    location = shop.find(Location, gid) if gid else next((each for each in shop.all(Location) if each.is_active), None)
    if location is None or not location.is_active:
        return None, Refusal(where, NO_LOCATION)
    return location, None


def check_money(
    order: Order,
    given: RefundInput,
    payments: list[tuple[Transaction, Decimal]],
    credits_given: list[tuple[Money, datetime | None]],
) -> tuple[Decimal, list[Refusal]]:
    """Fills `payments` and `credits_given`; returns the shipping part and all that is wrong."""
    currency = order.presentment_currency_code
    if (given.currency or order.currency_code) != currency:
        return ZERO, [Refusal(["currency"], f"Currency must be the order's presentment currency {currency}")]
    shipping, refusals = _shipping(order, given.shipping)
    for index, each in enumerate(given.transactions or []):
        refusals += _transaction(order, index, each, payments)
    for method in given.refund_methods or []:
        if method.store_credit_refund:
            refusals += _credit(order, method.store_credit_refund, credits_given)
    return shipping, refusals + over_payment(order, payments, credits_given, given.allow_over_refunding or False)


def over_payment(
    order: Order,
    payments: list[tuple[Transaction, Decimal]],
    credits_given: list[tuple[Money, datetime | None]],
    allow_over_credit: bool,
) -> list[Refusal]:
    """Never more than was paid; store credit on top only when asked for. Per payment the same (text not recorded)."""
    net, currency = amounts.net_payment(order), order.presentment_currency_code
    plain = sum((amount for _, amount in payments), ZERO)
    credit = ZERO if allow_over_credit else sum((money.amount for money, _ in credits_given), ZERO)
    if plain + credit > net:
        asked, received = spoken(plain + credit, currency), spoken(net, currency)
        return [Refusal(None, f"Refund amount {asked} is greater than net payment received {received}")]
    refusals: list[Refusal] = []
    by_parent: dict[int, Decimal] = {}
    for parent, amount in payments:
        by_parent[parent.number] = by_parent.get(parent.number, ZERO) + amount
        if by_parent[parent.number] > amounts.left_on(parent):
            asked, left = spoken(by_parent[parent.number], currency), spoken(amounts.left_on(parent), currency)
            text = f"Refund amount {asked} is greater than {left} left on the payment"
            refusals.append(Refusal(["transactions"], text))
    return refusals


def _shipping(order: Order, given: ShippingGiven | None) -> tuple[Decimal, list[Refusal]]:
    if given is None:
        return ZERO, []
    left = amounts.shipping_left(order)
    amount = left if given.full_refund else (given.amount or ZERO)
    if amount > left:
        return ZERO, [
            Refusal(["shipping", "amount"], "Shipping refund amount is greater than the shipping amount left")
        ]
    return amount, []


def _transaction(
    order: Order, index: int, each: TransactionGiven, payments: list[tuple[Transaction, Decimal]]
) -> list[Refusal]:
    if each.kind != "REFUND":
        return [Refusal(None, f"Kind {each.kind.lower()} is not a valid transaction")]
    parsed = parse_gid(each.parent_id) if each.parent_id else None
    parent = next((paid for paid in amounts.taken(order) if parsed == ("OrderTransaction", paid.number)), None)
    if parent is None:
        return [Refusal(["transactions"], "Transactions require a parent_id associated with the order")]
    if each.amount <= 0:
        return [Refusal(["transactions", str(index), "amount"], "Amount must be greater than zero")]
    payments.append((parent, rounded(each.amount, order.presentment_currency_code)))
    return []


def _credit(order: Order, given: CreditGiven, credits_given: list[tuple[Money, datetime | None]]) -> list[Refusal]:
    where = ["refundMethods", "0", "storeCreditRefund"]
    if order.customer is None:
        return [Refusal(where, "Store credit requires an order with a customer")]
    if given.amount.currency_code != order.presentment_currency_code:
        return [Refusal([*where, "amount", "currencyCode"], "Currency does not match the order")]
    if given.amount.amount <= 0:
        return [Refusal([*where, "amount"], "Amount must be greater than zero")]
    credits_given.append(
        (Money(rounded(given.amount.amount, given.amount.currency_code), given.amount.currency_code), given.expires_at)
    )
    return []
