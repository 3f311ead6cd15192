"""What can be told about a webhook without trusting it: its event, the resource it is about, its id. Pure.

A body that says nothing useful is still a delivery: it is kept, with `problem` naming what is missing.
"""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from schemas import ids
from schemas.facts import Delivery
from schemas.text import replaced
from streams.sources.fields import Json, Malformed, code, json_of, opt_ident
from streams.sources.work import Resource

# Kept with a delivery. Everything else (signatures, cookies, tokens, addresses of proxies) stays out.
KEPT_HEADERS = frozenset({
    "content-type", "user-agent", "webhook-id", "webhook-timestamp", "x-shopify-api-version", "x-shopify-event-id",
    "x-shopify-name", "x-shopify-shop-domain", "x-shopify-topic", "x-shopify-triggered-at", "x-shopify-webhook-id",
})  # fmt: skip
_LONGEST = 256
# Where a body that cannot be used still says what it is about: reading that is harmless, and makes it good.
_SALVAGED = {
    "shopify": re.compile(rb"gid:\\?/\\?/shopify\\?/Order\\?/([0-9]{1,20})(?![0-9])"),
    "returngo": re.compile(rb'"rma_?[iI]d"\s*:\s*"?(?:RMA)?([0-9]{1,20})(?![0-9])'),
}
_RETURNGO_ID = (("rmaId",), ("rma_id",), ("rma", "rmaId"), ("rmaSummary", "rmaId"), ("data", "rmaId"))
_ORDER = (
    ("order_id",), ("order", "id"), ("order", "admin_graphql_api_id"), ("return", "order_id"),
    ("return", "order", "id"), ("return", "order", "admin_graphql_api_id"),
)  # fmt: skip
_SHOPIFY_IDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "orders": (("id",), ("order_edit", "order_id")),
    "refunds": _ORDER,
    "order_transactions": _ORDER,
    "returns": _ORDER,
    "reverse_deliveries": _ORDER,
    "reverse_fulfillment_orders": _ORDER,
    "fulfillments": _ORDER,
}
RETURN = "return:"  # of the shop, which belongs to an order
REVERSE = "reverse:"  # a reverse fulfilment order, which belongs to a return
_OF_RETURN = (RETURN, (("return", "id"), ("return", "admin_graphql_api_id"), ("return_id",)))
# Most topics of returns name their order, others (update, process, dispose) only themselves: who reads asks for it.
_INSTEAD: dict[str, tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]] = {
    "returns": (_OF_RETURN, (RETURN, (("id",), ("admin_graphql_api_id",)))),
    "reverse_deliveries": (_OF_RETURN, (REVERSE, (("reverse_fulfillment_order", "id"),))),
    "reverse_fulfillment_orders": (_OF_RETURN, (REVERSE, (("id",), ("admin_graphql_api_id",)))),
}
ITEM = "item:"  # in front of ids that are not an order's
LOCATION = "location:"
# family of topics → prefix, where the id is, what it is
_SHOPIFY_OTHERS: dict[str, tuple[str, tuple[tuple[str, ...], ...], str]] = {
    "inventory_levels": (ITEM, (("inventory_item_id",),), "an inventory item id"),
    "inventory_items": (ITEM, (("id",),), "an inventory item id"),
    "locations": (LOCATION, (("id",),), "a location id"),
}
# What every app must take from Shopify: a customer, or a shop, is to be forgotten, or is to be told what is known.
CUSTOMER_REDACT, SHOP_REDACT, DATA_REQUEST = "customers/redact", "shop/redact", "customers/data_request"
COMPLIANCE = frozenset({CUSTOMER_REDACT, SHOP_REDACT, DATA_REQUEST})
CUSTOMER = ("customer", "id")
# Everything in a signal's body that is ever read as an id.
PATHS = tuple(dict.fromkeys((
    *_RETURNGO_ID, *(path for paths in _SHOPIFY_IDS.values() for path in paths),
    *(path for paths in _INSTEAD.values() for _, some in paths for path in some),
    *(path for _, paths, _ in _SHOPIFY_OTHERS.values() for path in paths),
    ("shipmentId",), ("shipment", "shipmentId"), ("transactionId",), ("transaction", "id"), ("shop_id",), CUSTOMER,
)))  # fmt: skip
RETURNGO_EVENTS = frozenset({
    "RMA_CREATED", "RMA_STATUS_UPDATED", "SHIPMENT_CREATED", "SHIPMENT_STATUS_UPDATED",
    "SHIPMENT_TRACKER_STATUS_UPDATED", "TRANSACTION_CREATED", "REFUND_CREATED",
})  # fmt: skip
OWN_EVENTS = {"warehouse": frozenset({"inspection", "receipt"}), "carrier": frozenset({"tracking"})}


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """`resource_id` is "" when the body names none; `problem` says what a person should know."""

    event: str
    resource_id: str
    problem: str | None = None


def delivery(
    system: str, merchant: str, headers: Mapping[str, str], body: bytes, received_at_ms: int, digest: str = ""
) -> tuple[Delivery, str | None]:
    """The webhook, addressed; and what is wrong with it, None when nothing is. `digest`: of the body as it came."""
    kept = {name: value[:_LONGEST] for name, value in headers.items() if name in KEPT_HEADERS}
    known = headers.get("x-shopify-webhook-id") if system == "shopify" else headers.get("webhook-id")
    read = envelope(system, kept, body)
    taken = Delivery(
        delivery_id=(known or digest or ids.digest(body))[:_LONGEST], merchant=merchant, system=system,
        event=read.event, resource_id=read.resource_id, headers=kept, body=body, received_at_ms=received_at_ms,
    )  # fmt: skip
    return taken, read.problem


def envelope(system: str, headers: Mapping[str, str], body: bytes) -> Envelope:
    """Event and resource of a body; never raises."""
    event = headers.get("x-shopify-topic", "")[:_LONGEST] if system == "shopify" else ""
    told = _told(system, event, body)
    if told.problem is None or told.resource_id:
        return told
    found = salvaged(system, body)
    return msgspec.structs.replace(told, resource_id=found) if found else told


def salvaged(system: str, body: bytes) -> str:
    """An id that stands somewhere in a signal, "" for none."""
    found = _SALVAGED[system].search(body) if system in _SALVAGED else None
    return "" if found is None else found[1].decode()


def _told(system: str, event: str, body: bytes) -> Envelope:
    try:
        read = json_of(body)
        if not isinstance(read, dict):
            raise Malformed(f"expected a JSON object, got {type(read).__name__}")
        match system:
            case "shopify":
                return _shopify(read, event)
            case "returngo":
                return _returngo(read)
            case _:
                return _own(system, read)
    except Malformed as error:
        return Envelope(event=event, resource_id="", problem=str(error))


def _shopify(body: Json, topic: str) -> Envelope:
    if topic in COMPLIANCE:
        # a customer may be named by an e-mail address alone, which is not kept
        return Envelope(
            event=topic, resource_id=f"{topic}:{_first(body, (CUSTOMER,)) or _first(body, (('shop_id',),))}"
        )
    family = topic.split("/", 1)[0]
    if family in _SHOPIFY_OTHERS:
        prefix, paths, what = _SHOPIFY_OTHERS[family]
        other = _first(body, paths)
        return _found(topic, f"{prefix}{other}" if other else "", what)
    if family in _SHOPIFY_IDS:
        named = _first(body, _SHOPIFY_IDS[family]) or _instead(body, family)
        return _found(topic, named, "an order id" if family not in _INSTEAD else "the id of an order or a return")
    return Envelope(event=topic, resource_id="", problem="expected a topic that Returnflow subscribes to, got another")


def _instead(body: Json, family: str) -> str:
    """What leads to the order of a body that does not name it."""
    for prefix, paths in _INSTEAD.get(family, ()):
        if other := _first(body, paths):
            return f"{prefix}{other}"
    return ""


def _returngo(body: Json) -> Envelope:
    event = _event(body, "eventName")
    rma = _first(body, _RETURNGO_ID).removeprefix("RMA")
    if event not in RETURNGO_EVENTS:
        problem = "expected eventName to be an event of ReturnGO's list, got another or none"
        return Envelope(event=event, resource_id=rma, problem=problem)
    if not rma and (other := _shipment_id(body)):
        return Envelope(event=event, resource_id=f"shipment:{other}")
    return _found(event, rma, "an RMA id")


def _shipment_id(body: Json) -> str:
    return _first(body, (("shipmentId",), ("shipment", "shipmentId")))


def resource(system: str, merchant: str, resource_id: str) -> Resource | None:
    """What a delivery's resource id names that can be read as it is."""
    kinds: dict[str, Literal["rma", "order"]] = {"returngo": "rma", "shopify": "order"}
    if system not in kinds or not (resource_id.isascii() and resource_id.isdigit()):
        return None
    return Resource(merchant=merchant, kind=kinds[system], name=resource_id)


def shipment_status(body: bytes) -> str:
    """The status of the shipment that a ReturnGO body speaks of, "" for none."""
    try:
        read = json_of(body)
    except Malformed:
        return ""
    status = read.get("status") if isinstance(read, dict) else None
    return status if isinstance(status, str) else ""


def _own(system: str, body: Json) -> Envelope:
    event = _event(body, "type")
    named = _first(body, (("order",), ("rma",))) or code(body.get("tracking_number"), "tracking_number") or ""
    if event not in OWN_EVENTS[system]:
        wanted = " or ".join(sorted(OWN_EVENTS[system]))
        return Envelope(event=event, resource_id=named, problem=f"expected type {wanted}, got another or none")
    return _found(event, named, "an order or an RMA")


def _event(body: Json, key: str) -> str:
    named = body.get(key)
    return replaced(named[:_LONGEST]) if isinstance(named, str) else ""


def _found(event: str, resource_id: str, what: str) -> Envelope:
    problem = None if resource_id else f"expected {what} in the body, found none"
    return Envelope(event=event, resource_id=resource_id, problem=problem)


def _first(body: Json, paths: tuple[tuple[str, ...], ...]) -> str:
    """The first id found under one of the paths."""
    for path in paths:
        value: object = body
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if (found := opt_ident(value, ".".join(path))) is not None:
            return found
    return ""
