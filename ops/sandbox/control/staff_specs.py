"""What the control door takes for each thing that staff can do."""

from decimal import Decimal
from typing import Literal

import msgspec

from ops.sandbox.shopify import ordering
from ops.sandbox.shopify.values import ZERO


class LineSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of an order line, named by SKU or id."""

    sku: str | None = None
    line_item_id: int | None = None
    quantity: int = 1
    restock_type: str = "NO_RESTOCK"
    location_id: int | None = None


class RefundSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refund by staff; without an amount no money moves. `shipping` says how much of it is for shipping."""

    order: str | int
    lines: list[LineSpec] = []
    amount: Decimal = ZERO
    shipping: Decimal = ZERO
    note: str | None = None


class RestockSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hand adjustment of stock."""

    sku: str
    location_id: int
    delta: int
    name: str = "available"
    reason: str = "correction"


class CreditSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Store credit by hand."""

    customer_id: int
    amount: Decimal
    currency: str | None = None


class LocationSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A location opened or closed."""

    location_id: int
    active: bool


class TrackingSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stock tracking switched on or off."""

    sku: str
    tracked: bool


class ProductNamed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The product of a SKU."""

    sku: str


class ProductSpec(ProductNamed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of it."""

    status: Literal["ACTIVE", "DRAFT", "ARCHIVED"]


class OrderNamed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Just an order."""

    order: str | int


class CancelSpec(OrderNamed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order cancelled; `refund`: all its money goes back; `restock_to`: its unsent goods go back to that place."""

    refund: bool = False
    restock_to: int | None = None


class EditSpec(OrderNamed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order edit; added lines are unsent unless they say how many are sent. `shown_as_refund`: the shop shows what
    was taken off as a refund without money."""

    add: list[ordering.LineSpec] = []
    remove: list[LineSpec] = []
    shown_as_refund: bool = False


class SendSpec(OrderNamed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A parcel; without lines all that is still to be sent."""

    lines: list[LineSpec] = []


class PaidSpec(OrderNamed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of an order's payment; the first that fits unless named."""

    transaction_id: int | None = None


class CaptureSpec(PaidSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same with an amount; without one all that is left."""

    amount: Decimal | None = None


class RateSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The day's exchange rate of a currency."""

    currency: str
    rate: Decimal


class TagSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tags put on or taken off by hand."""

    order: str | int
    add: list[str] = []
    remove: list[str] = []


class ReturnSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A native return made in the admin."""

    order: str | int
    lines: list[LineSpec]


class SettleSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The payment provider's later word on a refund's transaction."""

    transaction_id: int
    status: str


class DraftSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft order completed by hand."""

    draft_order_id: int
