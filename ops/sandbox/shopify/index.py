"""What searches see of a shop: each thing as it stood a while ago. A search shows a change, or a new thing, only when
the lag is over; read by its id it is up to date."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from ops.sandbox.shopify import amounts
from ops.sandbox.shopify.catalogue import Entity, Item, Product, Variant
from ops.sandbox.shopify.sales import Order
from ops.sandbox.shopify.wallet import GiftCard

Terms: TypeAlias = dict[str, object]  # by the names of the fields that a search can ask for


class Index:
    """States of things by GID, oldest first; those that no search can see any more are forgotten."""

    def __init__(self, lag: timedelta) -> None:
        self.lag = lag
        self._states: dict[str, list[tuple[datetime, Terms]]] = {}

    def note(self, thing: Entity, at: datetime) -> None:
        """The thing stands like this since that moment."""
        states = self._states.setdefault(thing.id, [])
        states.append((at, terms_of(thing)))
        while len(states) > 1 and states[1][0] <= at - self.lag:
            del states[0]

    def terms(self, thing: Entity, now: datetime) -> Terms | None:
        """The thing as a search sees it; None: not at all yet."""
        seen = [terms for at, terms in self._states.get(thing.id, ()) if at <= now - self.lag]
        return seen[-1] if seen else None


def terms_of(thing: Entity) -> Terms:
    """The thing as it stands now."""
    return _TERMS[thing.typename](thing)


def _order(order: Order) -> Terms:
    return {
        "updated_at": order.updated_at,
        "created_at": order.created_at,
        "name": order.name,
        "id": order.number,
        "tag": frozenset(order.tags),
        "financial_status": amounts.financial_status(order).lower(),
        "return_status": amounts.return_status(order).lower(),
        "customer_id": order.customer.number if order.customer else None,
        "source_name": order.source_name,
    }


def _variant(variant: Variant) -> Terms:
    return {
        "sku": variant.sku,
        "id": variant.number,
        "barcode": variant.barcode,
        "product_id": variant.product.number,
        "updated_at": variant.updated_at,
    }


def _item(item: Item) -> Terms:
    return {"sku": item.sku, "id": item.number, "updated_at": item.updated_at}


def _product(product: Product) -> Terms:
    skus = [variant.sku for variant in product.variants]
    return {"sku": skus, "id": product.number, "updated_at": product.updated_at}


def _card(card: GiftCard) -> Terms:
    return {
        "id": card.number,
        "created_at": card.created_at,
        "code": card.code,
        "last_characters": card.code[-4:],
        "customer_id": card.customer.number if card.customer else None,
    }


_TERMS: dict[str, Callable[..., Terms]] = {
    "Order": _order,
    "ProductVariant": _variant,
    "InventoryItem": _item,
    "Product": _product,
    "GiftCard": _card,
}
