"""One Shopify shop: its settings and everything in it, found by GID. Holds state, decides nothing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from graphql import GraphQLError

from ops.sandbox.books import Books
from ops.sandbox.shopify.catalogue import Entity, Variant
from ops.sandbox.shopify.cost import Bucket
from ops.sandbox.shopify.idempotency import KeyMemory
from ops.sandbox.shopify.index import Index, Terms, terms_of
from ops.sandbox.shopify.sales import Order
from ops.sandbox.shopify.values import MoneyBag, bag, parse_gid
from ops.sandbox.shopify.wallet import Metafield

SERVED_VERSION = "2026-04"
T = TypeVar("T", bound=Entity)


@dataclass(slots=True, kw_only=True, eq=False)
class Shop:
    """A shop. `state` open, frozen, locked or uninstalled; `issue_limit` caps a gift card, in shop currency; `rates`:
    shop units per unit of a foreign currency, today."""

    domain: str
    currency_code: str
    client_id: str
    client_secret: str
    access_tokens: set[str]
    refresh_token: str
    bucket: Bucket
    scopes: tuple[str, ...]
    read_all_orders: bool
    idempotency_errors: str
    issue_limit: int
    state: str = "open"
    served_version: str = SERVED_VERSION
    rounding: str = "cumulative"  # of the orders that are placed from now on
    books: Books = field(default_factory=Books)
    keys: KeyMemory = field(default_factory=KeyMemory)
    variants: dict[str, Variant] = field(default_factory=dict)  # by the name that they are known as
    by_name: dict[str, Order] = field(default_factory=dict)
    metafields: dict[tuple[str, str, str], Metafield] = field(default_factory=dict)
    rates: dict[str, Decimal] = field(default_factory=dict)
    index: Index = field(default_factory=lambda: Index(timedelta()))
    gift_card_codes: set[str] = field(default_factory=set)
    entities: dict[str, dict[int, Entity]] = field(default_factory=dict)

    def add(self, entity: T) -> T:
        """Takes an entity in; its number must be new for its type."""
        same = self.entities.setdefault(entity.typename, {})
        if entity.number in same:
            raise ValueError(f"{entity.typename} {entity.number} exists already in {self.domain}")
        same[entity.number] = entity
        return entity

    def remove(self, entity: Entity) -> None:
        """Nothing finds it any more."""
        del self.entities[entity.typename][entity.number]

    def all(self, kind: type[T]) -> list[T]:
        """All entities of a type, oldest first."""
        return [entity for entity in self.entities.get(kind.typename, {}).values() if isinstance(entity, kind)]

    def searched(self, kind: type[T], query: str | None, now: datetime) -> list[tuple[T, Terms]]:
        """All entities of a type as a search sees them; without a query as they are."""
        rows = self.all(kind)
        if not query:
            return [(each, terms_of(each)) for each in rows]
        return [(each, terms) for each in rows if (terms := self.index.terms(each, now)) is not None]

    def find(self, kind: type[T], gid: str) -> T | None:
        """By GID. Another type's GID is Shopify's top-level error, not None."""
        parsed = parse_gid(gid)
        if parsed is None or parsed[0] != kind.typename:
            raise GraphQLError(f"Invalid id: {gid}", extensions={"code": "RESOURCE_NOT_FOUND"})
        return self.numbered(kind, parsed[1])

    def numbered(self, kind: type[T], number: int) -> T | None:
        """By number."""
        entity = self.entities.get(kind.typename, {}).get(number)
        return entity if isinstance(entity, kind) else None

    def node(self, gid: str) -> Entity | None:
        """By GID, whatever the type."""
        parsed = parse_gid(gid)
        if parsed is None:
            raise GraphQLError(f"Invalid global id '{gid}'", extensions={"code": "argumentLiteralsIncompatible"})
        return self.entities.get(parsed[0], {}).get(parsed[1])

    def rate_of(self, order: Order) -> Decimal:
        """Shop units per unit of an order's currency now; the order's own where the shop knows no newer one."""
        return self.rates.get(order.presentment_currency_code, order.rate)

    def today(self, order: Order, amount: Decimal) -> MoneyBag:
        """An amount of an order in both currencies at today's rate."""
        return bag(amount, order.presentment_currency_code, order.currency_code, self.rate_of(order))

    def order_named(self, name: str) -> Order | None:
        """An order by its name or its number."""
        by_number = self.numbered(Order, int(name)) if name.isdigit() else None
        return by_number or self.by_name.get(name)
