"""Connections: pages of nodes with cursors, and the SDL of their types."""

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar

from graphql import GraphQLError

from ops.sandbox.shopify.values import Payload

MAX_FIRST = 250
T = TypeVar("T")
CONNECTED = [
    "DiscountApplication",
    "ExchangeLineItem",
    "FulfillmentLineItem",
    "GiftCard",
    "InventoryItem",
    "InventoryLevel",
    "LineItem",
    "Location",
    "Metafield",
    "Order",
    "OrderAdjustment",
    "OrderTransaction",
    "Product",
    "ProductVariant",
    "ProductVariantComponent",
    "Refund",
    "RefundLineItem",
    "RefundShippingLine",
    "Return",
    "ReturnLineItemType",
    "ReturnReasonDefinition",
    "ReturnableFulfillment",
    "ReturnableFulfillmentLineItem",
    "ReverseFulfillmentOrder",
    "ReverseFulfillmentOrderLineItem",
    "ShippingLine",
    "StoreCreditAccount",
    "StoreCreditAccountTransaction",
    "WebhookSubscription",
]


class Page(TypedDict, total=False):
    """The paging arguments of a connection."""

    first: int | None
    after: str | None
    reverse: bool | None


def connection_sdl() -> str:
    """Connection and edge types of all connected types."""
    return "\n".join(
        f"type {name}Connection {{ edges: [{name}Edge!]! nodes: [{name}!]! pageInfo: PageInfo! }}\n"
        f"type {name}Edge {{ cursor: String! node: {name}! }}"
        for name in CONNECTED
    )


def connection(
    rows: Sequence[T],
    first: int | None = None,
    after: str | None = None,
    reverse: bool | None = None,
    key: Callable[[T], str] | None = None,
) -> Payload:
    """One page of rows. `first` is required and at most 250. With `key` (rows sorted by it) a cursor is a row's key, so
    that a page neither skips nor repeats when rows change between two calls; without, it is a row's place."""
    if first is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    if not 0 <= first <= MAX_FIRST:
        raise GraphQLError(f"first must be between 0 and {MAX_FIRST}", extensions={"code": "BAD_REQUEST"})
    ordered = list(reversed(rows)) if reverse else list(rows)
    keys = [key(row) for row in ordered] if key else [f"{place:08d}" for place in range(len(ordered))]
    start = _start(keys, _decoded(after), bool(reverse and key)) if after else 0
    page = ordered[start : start + first]
    cursors = [base64.urlsafe_b64encode(each.encode()).decode() for each in keys[start : start + first]]
    return {
        "nodes": page,
        "edges": [{"cursor": cursor, "node": row} for cursor, row in zip(cursors, page, strict=True)],
        "page_info": {
            "has_next_page": start + first < len(ordered),
            "has_previous_page": start > 0,
            "start_cursor": cursors[0] if cursors else None,
            "end_cursor": cursors[-1] if cursors else None,
        },
    }


def paged(read: Callable[[Any], Sequence[object]]) -> Callable[..., Payload]:
    """A resolver of a connection over what `read` gives; queries and sort keys are let pass unheard."""

    def resolve(
        source: object,
        _info: object,
        first: int | None = None,
        after: str | None = None,
        reverse: bool | None = None,
        **_unheard: object,
    ) -> Payload:
        return connection(read(source), first, after, reverse)

    return resolve


def _start(keys: list[str], after: str, falling: bool) -> int:
    return next((place for place, each in enumerate(keys) if (each < after if falling else each > after)), len(keys))


def _decoded(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor).decode()
    except ValueError as error:
        raise GraphQLError(f"Invalid cursor: {cursor}", extensions={"code": "BAD_REQUEST"}) from error
