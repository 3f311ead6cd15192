"""What came after: refunds and native returns, with their reverse fulfilment orders and dispositions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from ops.sandbox.shopify.catalogue import Entity, Location
from ops.sandbox.shopify.values import ZERO, Money, MoneyBag

if TYPE_CHECKING:
    from ops.sandbox.shopify.sales import FulfillmentLine, LineItem, Order, Transaction


@dataclass(slots=True, kw_only=True, eq=False)
class RefundLine(Entity):
    """Units of a line that were refunded, and whether they went back to stock."""

    typename: ClassVar[str] = "RefundLineItem"
    line_item: LineItem
    quantity: int
    restock_type: str
    restocked: bool
    location: Location | None
    subtotal: Decimal
    tax: Decimal


@dataclass(slots=True, kw_only=True, eq=False)
class Adjustment(Entity):
    """The difference between what the lines are worth and what was paid back."""

    typename: ClassVar[str] = "OrderAdjustment"
    order: Order
    amount: Decimal
    reason: str


@dataclass(slots=True, kw_only=True, eq=False)
class Refund(Entity):
    """A refund. Its money has moved only when its transactions say SUCCESS; when they change, `updated_at` moves."""

    typename: ClassVar[str] = "Refund"
    order: Order
    note: str | None
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    lines: list[RefundLine] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)
    shipping: Decimal = ZERO
    shipping_tax: Decimal = ZERO
    native_return: NativeReturn | None = None

    @property
    def total(self) -> Decimal:
        """What its transactions pay, failed ones left out."""
        return self.total_bag.presentment_money.amount

    @property
    def total_bag(self) -> MoneyBag:
        """The same in both currencies, each transaction at the rate of its moment."""
        bags = [each.bag for each in self.transactions if each.status in ("SUCCESS", "PENDING")]
        shop, paid = self.order.currency_code, self.order.presentment_currency_code
        return MoneyBag(
            Money(sum((each.shop_money.amount for each in bags), ZERO), shop),
            Money(sum((each.presentment_money.amount for each in bags), ZERO), paid),
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Disposition(Entity):
    """What became of units that came back."""

    typename: ClassVar[str] = "ReverseFulfillmentOrderDisposition"
    type: str
    quantity: int
    location: Location | None
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class ReverseLine(Entity):
    """Units of a return on their way back."""

    typename: ClassVar[str] = "ReverseFulfillmentOrderLineItem"
    reverse_order: ReverseOrder
    fulfillment_line_item: FulfillmentLine
    total_quantity: int
    dispositions: list[Disposition] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class ReverseOrder(Entity):
    """A reverse fulfilment order."""

    typename: ClassVar[str] = "ReverseFulfillmentOrder"
    native_return: NativeReturn
    status: str
    lines: list[ReverseLine] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class ReturnLine(Entity):
    """Units that are to be returned."""

    typename: ClassVar[str] = "ReturnLineItem"
    fulfillment_line_item: FulfillmentLine
    quantity: int
    return_reason: str
    return_reason_note: str
    reason_definition: ReasonDefinition | None
    processed_quantity: int = 0
    refunded_quantity: int = 0

    @property
    def unprocessed_quantity(self) -> int:
        """Units still to be processed."""
        return self.quantity - self.processed_quantity

    @property
    def refundable_quantity(self) -> int:
        """Units not refunded through the return."""
        return self.quantity - self.refunded_quantity


@dataclass(slots=True, kw_only=True, eq=False)
class ExchangeLine(Entity):
    """A unit that goes out in exchange, on the same order."""

    typename: ClassVar[str] = "ExchangeLineItem"
    quantity: int
    variant_id: str | None
    processed_quantity: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class NativeReturn(Entity):
    """A Shopify return, named <order>-R<n>."""

    typename: ClassVar[str] = "Return"
    order: Order
    name: str
    status: str
    created_at: datetime
    closed_at: datetime | None = None
    lines: list[ReturnLine] = field(default_factory=list)
    exchange_lines: list[ExchangeLine] = field(default_factory=list)
    reverse_orders: list[ReverseOrder] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class ReasonDefinition(Entity):
    """A return reason of the shop."""

    typename: ClassVar[str] = "ReturnReasonDefinition"
    name: str
    handle: str
