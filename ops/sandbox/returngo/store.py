"""ReturnGO's side of a shop: RMAs with their units, shipments, transactions and comments; the account with its
quota. State only."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(slots=True, kw_only=True)
class Validation:
    """What the inspection of one unit said. Without a date nothing was said yet, though both flags read false."""

    returned: bool = False
    restockable: bool = False
    reason: str | None = None
    store_location_id: str | None = None
    at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Goods:
    """What is sent instead of returned goods; prices of a piece, in the customer's currency."""

    product_id: int
    variant_id: int
    sku: str
    quantity: int
    catalog_price: Decimal
    effective_price: Decimal | None


@dataclass(slots=True, kw_only=True)
class Unit:
    """One unit on its way back; ReturnGO has no quantities. Amounts in the customer's currency."""

    id: int
    line_item_id: int
    product_id: int | None
    variant_id: int | None
    title: str
    variant_title: str | None
    sku: str | None
    barcode: str | None
    paid_price: Decimal
    paid_tax: Decimal
    currency: str
    shop_currency: str
    rate: Decimal
    tax_included: bool
    reason: str
    resolution: str
    shipment_id: int | None
    validation: Validation = field(default_factory=Validation)
    goods: list[Goods] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Shipment:
    """A parcel back."""

    id: int
    status: str = "LabelCreated"
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    label_url: str | None = None


@dataclass(slots=True, kw_only=True)
class Payout:
    """A transaction: what ReturnGO wants done, or did, with money."""

    id: int
    rma_id: int
    type: str
    amount: Decimal
    currency: str
    shop_currency: str
    rate: Decimal
    status: str
    processor: str
    unit_ids: list[int]
    created_at: datetime
    updated_at: datetime
    reference: str | None = None
    reference_type: str | None = None


@dataclass(slots=True, kw_only=True)
class Comment:
    """A timeline entry."""

    type: str
    by: str
    html: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Exchange:
    """An exchange order: a draft until it is released."""

    draft_order_id: int
    order_id: int | None = None
    order_name: str | None = None


@dataclass(slots=True, kw_only=True)
class Rma:
    """A return as the customer filed it. `updated_at` does not move when only the shipment changes: that is
    ReturnGO's behaviour."""

    id: int
    order_id: int
    order_name: str
    customer_id: int | None
    status: str
    return_method: str
    created_at: datetime
    updated_at: datetime
    units: list[Unit] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    goods: list[Goods] = field(default_factory=list)
    events: list[tuple[str, datetime, str]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Hook:
    """A registered webhook: one address for one event."""

    id: int
    url: str
    event: str


@dataclass(slots=True, kw_only=True)
class Account:
    """An API key with its quota: it may serve several stores, which then share the quota."""

    key: str
    daily_limit: int
    per_second_limit: int
    calls_by_day: dict[str, int] = field(default_factory=dict)
    limited: int = 0
    second: int = 0
    in_second: int = 0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Something our callers told ReturnGO: a status, a transaction's outcome, a shipment's change. For the books."""

    at: datetime
    kind: str
    about: str
    value: str
    reference: str | None


@dataclass(slots=True, kw_only=True)
class Store:
    """One shop in ReturnGO."""

    shop: str
    account: Account
    creates_native_return: bool
    rmas: dict[int, Rma] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    def shipment(self, shipment_id: int) -> tuple[Rma, Shipment] | None:
        """A shipment with its RMA."""
        return next(
            ((rma, each) for rma in self.rmas.values() for each in rma.shipments if each.id == shipment_id), None
        )

    def payout(self, payout_id: int) -> tuple[Rma, Payout] | None:
        """A transaction with its RMA."""
        return next(((rma, each) for rma in self.rmas.values() for each in rma.payouts if each.id == payout_id), None)
