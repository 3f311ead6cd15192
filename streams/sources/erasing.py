"""Shopify's mandatory webhooks of privacy, to what a person is to do about each. Pure.

They come to the address that the app's settings name, not by subscription: `/shopify/<merchant>` of the gateway.
"""

from schemas.facts import Delivery
from streams.sources.envelope import CUSTOMER_REDACT, DATA_REQUEST
from streams.sources.fields import Json, Malformed, json_of, opt, opt_ident
from streams.sources.work import Complaint

KIND = "erasure_requested"


def complaint(delivery: Delivery, event: str) -> Complaint:
    """Names the command that answers it."""
    try:
        read = json_of(delivery.body)
    except Malformed:
        read = None
    said: Json = read if isinstance(read, dict) else {}
    customer = _customer(said)
    orders = said.get("orders_to_redact")
    named = [each for each in orders if isinstance(each, str)] if isinstance(orders, list) else []
    return Complaint(
        merchant=delivery.merchant, subject=subject(event, customer), detail=_detail(delivery, event, customer, named),
        at_ms=delivery.received_at_ms, kind=KIND,
    )  # fmt: skip


def subject(event: str, customer: str) -> str:
    """What tells one request from another: the same one asked again is the same exception."""
    return f"{event} {customer}"


def _customer(said: Json) -> str:
    try:
        return opt_ident(opt(said.get("customer"), "customer").get("id"), "customer.id") or ""
    except Malformed:
        return ""


def _detail(delivery: Delivery, event: str, customer: str, orders: list[str]) -> str:
    command = f"returnflow erase --merchant {delivery.merchant}"
    if event not in (CUSTOMER_REDACT, DATA_REQUEST):
        return f"Shopify asks to erase the shop, which has removed the app: `{command} --all-orders`"
    # the orders say it all, so that the customer need not be named where it would be read
    who = f" --customer {customer}" if customer and not orders else ""
    which = "".join(f" --order {each}" for each in orders)
    if not (who or which):
        return "Shopify names a customer by an address alone and no order; facts hold neither, nothing is to be erased"
    if event == DATA_REQUEST:
        return f"Shopify asks what is kept of a customer; `{command}{who}{which} --dry-run` lists it"
    return f"Shopify asks to erase a customer: `{command}{who}{which}`"
