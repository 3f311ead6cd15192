"""Worth that is not cash: gift cards and store credit; and metafields, drafts of memory on any owner."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar

from ops.sandbox.shopify.catalogue import Entity
from ops.sandbox.shopify.values import Money

if TYPE_CHECKING:
    from ops.sandbox.shopify.sales import Customer, Transaction


@dataclass(slots=True, kw_only=True, eq=False)
class GiftCard(Entity):
    """A gift card; the code is bearer money and is told only once."""

    typename: ClassVar[str] = "GiftCard"
    code: str
    initial_value: Money
    balance: Money
    customer: Customer | None
    note: str | None
    expires_on: date | None
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class CreditAccount(Entity):
    """Store credit of one owner in one currency."""

    typename: ClassVar[str] = "StoreCreditAccount"
    owner: Customer
    balance: Money
    credits: list[Credit] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Credit(Entity):
    """One credit to an account. There is no field for a reference."""

    typename: ClassVar[str] = "StoreCreditAccountCreditTransaction"
    account: CreditAccount
    amount: Money
    balance_after_transaction: Money
    created_at: datetime
    expires_at: datetime | None
    event: str
    origin: Transaction | None


@dataclass(slots=True, kw_only=True, eq=False)
class Metafield(Entity):
    """A value under namespace and key."""

    typename: ClassVar[str] = "Metafield"
    owner: Entity
    namespace: str
    key: str
    type: str
    value: str
    compare_digest: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Subscription(Entity):
    """A webhook subscription."""

    typename: ClassVar[str] = "WebhookSubscription"
    topic: str
    uri: str
    format: str
    name: str | None
    filter: str | None
    include_fields: list[str]
    created_at: datetime
    updated_at: datetime
