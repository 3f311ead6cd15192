"""What was bought and paid: customers, orders, lines, transactions, fulfilments. Amounts are in the order's
presentment currency."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from ops.sandbox.shopify.catalogue import Entity, Location, Variant
from ops.sandbox.shopify.values import ZERO, Money, MoneyBag, bag

if TYPE_CHECKING:
    from ops.sandbox.shopify.aftersales import NativeReturn, Refund
    from ops.sandbox.shopify.wallet import CreditAccount


@dataclass(slots=True, kw_only=True, eq=False)
class Customer(Entity):
    """Who bought. Names are of the form "Customer 1001"."""

    typename: ClassVar[str] = "Customer"
    display_name: str
    email: str
    created_at: datetime
    updated_at: datetime
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    accounts: dict[str, CreditAccount] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Discount:
    """A discount application; lines hold their shares of it."""

    typename: ClassVar[str] = "ManualDiscountApplication"
    index: int
    title: str
    allocation_method: str
    value: Money
    target_type: str = "LINE_ITEM"
    target_selection: str = "ALL"


@dataclass(slots=True, kw_only=True, eq=False)
class LineGroup(Entity):
    """A bundle on an order; its components are the lines."""

    typename: ClassVar[str] = "LineItemGroup"
    title: str
    quantity: int
    variant: Variant


@dataclass(slots=True, kw_only=True, eq=False)
class LineItem(Entity):
    """A line. `quantity` is as ordered; `refunded` and `removed` (by an order edit) count units that are off it since,
    `unsent` those of them that were taken off before they were sent. One that does not ship is never to be sent."""

    typename: ClassVar[str] = "LineItem"
    order: Order
    title: str
    variant: Variant | None
    sku: str | None
    quantity: int
    unit_price: Decimal
    allocations: list[tuple[Discount, Decimal]]
    tax_rate: Decimal
    tax: Decimal
    fulfilled: int
    group: LineGroup | None
    refunded: int = 0
    restocked: int = 0
    removed: int = 0
    removed_worth: Decimal = ZERO
    removed_tax: Decimal = ZERO
    unsent: int = 0
    ships: bool = True

    @property
    def known_as(self) -> str | None:
        """Its goods' name at the control door and in the books."""
        return self.variant.known_as if self.variant else self.sku or self.title

    @property
    def discounted_total(self) -> Decimal:
        """The whole line after all discounts, as ordered."""
        return self.unit_price * self.quantity - sum((share for _, share in self.allocations), ZERO)

    @property
    def gone(self) -> int:
        """Units that are off the line."""
        return self.refunded + self.removed

    @property
    def refundable(self) -> int:
        """Units still on the line."""
        return self.quantity - self.gone

    @property
    def unfulfilled(self) -> int:
        """Units still to be sent."""
        if not self.ships:
            return 0
        return max(0, min(self.quantity - self.fulfilled - self.unsent, self.refundable))


@dataclass(slots=True, kw_only=True, eq=False)
class Transaction(Entity):
    """A step of a payment: promised (AUTHORIZATION), in (SALE, CAPTURE), given up (VOID) or out (REFUND). `rate`: shop
    units per presentment unit at that moment."""

    typename: ClassVar[str] = "OrderTransaction"
    order: Order
    kind: str
    status: str
    gateway: str
    amount: Decimal
    rate: Decimal
    created_at: datetime
    parent_transaction: Transaction | None = None
    error_code: str | None = None

    @property
    def bag(self) -> MoneyBag:
        """Its amount in both currencies, at its own moment's rate."""
        order = self.order
        return bag(self.amount, order.presentment_currency_code, order.currency_code, self.rate)


@dataclass(slots=True, kw_only=True, eq=False)
class FulfillmentLine(Entity):
    """Units of a line that were sent; the handle by which they can be returned."""

    typename: ClassVar[str] = "FulfillmentLineItem"
    line_item: LineItem
    quantity: int


@dataclass(slots=True, kw_only=True, eq=False)
class Fulfillment(Entity):
    """A parcel to the customer."""

    typename: ClassVar[str] = "Fulfillment"
    order: Order
    name: str
    location: Location | None
    lines: list[FulfillmentLine]
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Shipping(Entity):
    """A shipping line of an order; its tax is inside the price or on top of it, as the order says."""

    typename: ClassVar[str] = "ShippingLine"
    title: str
    price: Decimal
    allocations: list[tuple[Discount, Decimal]]
    tax_rate: Decimal
    tax: Decimal

    @property
    def discounted_price(self) -> Decimal:
        """After its discounts."""
        return self.price - sum((share for _, share in self.allocations), ZERO)


@dataclass(slots=True, kw_only=True, eq=False)
class Order(Entity):
    """An order with all that happened to it."""

    typename: ClassVar[str] = "Order"
    name: str
    currency_code: str
    presentment_currency_code: str
    rate: Decimal
    taxes_included: bool
    customer: Customer | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    rounding: str = "cumulative"  # a rule of rounding.py
    source_name: str = "web"
    retail_location: Location | None = None
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    lines: list[LineItem] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    shippings: list[Shipping] = field(default_factory=list)
    original_total: Decimal = ZERO
    edited: bool = False
    payments: list[Transaction] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    returns: list[NativeReturn] = field(default_factory=list)

    def bag(self, amount: Decimal) -> MoneyBag:
        """An amount of this order in both currencies."""
        return bag(amount, self.presentment_currency_code, self.currency_code, self.rate)


@dataclass(slots=True, kw_only=True, eq=False)
class DraftOrder(Entity):
    """An order to be: how ReturnGO prepares an exchange."""

    typename: ClassVar[str] = "DraftOrder"
    name: str
    status: str
    currency_code: str
    total: Decimal
    note: str | None
    tags: list[str]
    lines: list[tuple[Variant, int, Decimal]]
    customer: Customer | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    order: Order | None = None
