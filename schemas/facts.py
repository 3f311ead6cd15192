"""Facts: what was learned from a system. Ids and amounts only; names, addresses and free text of customers never enter.

Times are UTC epoch milliseconds (`_ms`), amounts are minor units (`_minor`) of the record's currency.

`read_order` is the place of a fact among all that its source has read of the same thing, in the order of reading: of
two facts that its system dates alike the one with the higher number is the newer word. It rises over restarts and from
one worker to the next (ADR 0025), says nothing about things that are not the same, and is no part of the fact's id.
0: the source told none.
"""

from typing import Literal

import msgspec

from schemas.money import Currency, Minor, Money
from schemas.numbers import Change, Count, Millis, Ordinal

Disposition = Literal["sellable", "damaged", "missing", "not_returned"]
Resolution = Literal["refund", "store_credit", "gift_card", "exchange", "keep", "none", "unknown"]
ReturnKind = Literal[
    "requested", "approved", "rejected", "cancelled", "expired", "reopened",
    "in_transit", "received", "inspected", "resolved", "transaction", "exchange",
]  # fmt: skip
EffectKind = Literal["refund", "restock", "store_return", "credit", "chargeback"]
Actor = Literal["returnflow", "returngo", "staff", "till", "other"]


# Whose an order is stays with who reads it: a fact says that there is somebody, and nothing leads to them.
SOMEBODY = "somebody"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it came. The body may hold personal data, so its topic is kept for 14 days only."""

    delivery_id: str  # the sender's own id where it has one, else a digest of the body
    merchant: str
    system: str
    event: str  # the sender's event or topic name, "" when it cannot be read
    resource_id: str
    headers: dict[str, str]  # without signatures, tokens and cookies
    body: bytes
    received_at_ms: Millis


class ReturnedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of a return line, or `quantity` units of it where the source counts instead of naming units."""

    unit_id: str  # "" when the source does not name units (a warehouse)
    line_id: str | None
    sku: str
    quantity: Count = 1
    variant_id: str | None = None
    reason: str | None = None  # the merchant's label
    resolution: Resolution = "unknown"
    ships: bool = True  # False: nothing comes back (keep, donate)
    paid: Money | None = None  # what the source says was paid for the unit
    paid_tax: Money | None = None
    tax_included: bool | None = None
    fees: Money | None = None  # deducted from what is paid back
    exchange_variant_id: str | None = None
    exchange_sku: str | None = None
    exchange_price: Money | None = None  # what is sent instead costs, with tax; None: as much as was paid
    disposition: Disposition | None = None  # only on an inspection
    disposition_reason: str | None = None
    location: str | None = None  # as the source names it; the merchant file maps it
    inspected_at_ms: Millis | None = None
    paid_rest: Change = 0  # what rounding took off `paid` (below zero: added), in millionths of a minor unit
    paid_tax_rest: Change = 0
    options: tuple[str, ...] = ()  # values of its options, such as size and colour, where the source names them


class ReturnTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A payment step that the returns platform asked for or reports."""

    transaction_id: str
    kind: Literal["refund", "store_credit", "gift_card", "authorization", "capture", "invoice", "unknown"]
    status: Literal["requested", "success", "failed", "unknown"]
    amount: Money | None  # presentment currency
    shop_amount: Money | None = None
    external_id: str | None = None
    external_type: str | None = None
    unit_ids: tuple[str, ...] = ()


class ReturnEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone of a return with everything that is known of the units it concerns, so it stands alone."""

    fact_id: str
    merchant: str
    order_id: str
    rma_id: str  # "" when only the order is known (a warehouse that scans order numbers)
    system: str  # returngo, warehouse, carrier
    kind: ReturnKind
    occurred_at_ms: Millis
    order_name: str | None = None
    units: tuple[ReturnedUnit, ...] = ()
    transaction: ReturnTransaction | None = None
    tracking_number: str | None = None
    carrier: str | None = None
    exchange_draft_order_id: str | None = None
    exchange_order_id: str | None = None
    out_of_policy: bool | None = None
    shop_return_name: str | None = None  # name of the native return in the shop, where the source tells it
    read_order: Ordinal = 0


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as sold. Amounts are totals of the whole line unless named `unit_`."""

    line_id: str
    sku: str
    quantity: Count
    unit_price_minor: Minor
    discount_minor: Minor = 0  # line discounts
    order_discount_minor: Minor = 0  # this line's share of order-level discounts
    tax_minor: Minor = 0
    duty_minor: Minor = 0
    variant_id: str | None = None
    product_id: str | None = None
    item_id: str | None = None  # inventory item
    refundable_quantity: Count | None = None
    fulfilled_quantity: Count | None = None  # were sent, whatever became of them since; None: its system does not know
    tracked: bool | None = None
    gift_card: bool = False
    bundle_id: str | None = None  # group that this component was sold in
    bundle_sku: str | None = None
    bundle_quantity: Count | None = None
    tax_lines: Count | None = None  # how many taxes `tax_minor` is the sum of; None: not told
    removed_quantity: Count = 0  # taken off the order by an edit, without a refund
    ships: bool = True  # False: a tip, a service, a file: nothing of it can come back


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A captured or pending payment; the parent of refund transactions."""

    payment_id: str
    tender: str  # gateway or payment type
    status: Literal["success", "pending", "failed"]
    amount_minor: Minor
    shop_amount_minor: Minor | None = None


class RefundedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line covered by a refund, and whether they were put back into stock with it."""

    line_id: str
    quantity: Count
    restocked: bool = False
    location_id: str | None = None
    sku: str | None = None
    unsent: bool = False  # taken off the order before it was sent, so nothing came back
    amount_minor: Minor | None = None  # what the system says the units are worth, with tax; None: not told


class RefundedTender(msgspec.Struct, frozen=True, kw_only=True):
    """Money that went back to one payment."""

    transaction_id: str
    payment_id: str | None
    tender: str
    amount_minor: Minor
    status: Literal["success", "pending", "failed"]
    shop_amount_minor: Minor | None = None


class RecordedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as the system of record has it, whoever made it."""

    refund_id: str
    created_at_ms: Millis
    total_minor: Minor
    lines: tuple[RefundedLine, ...] = ()
    tenders: tuple[RefundedTender, ...] = ()
    command_id: str | None = None  # our mark, read from its note
    rma_id: str | None = None
    tax_minor: Minor | None = None  # of the total
    updated_at_ms: Millis | None = None  # when its system last changed it
    shipping_minor: Minor = 0  # within the total, with tax


class OrderSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An order or sale as the system of record has it at `version_ms`; the newest version wins."""

    fact_id: str
    merchant: str
    order_id: str
    system: str
    version_ms: Millis
    name: str
    created_at_ms: Millis
    currency: Currency  # presentment: what the customer paid in
    shop_currency: Currency
    taxes_included: bool
    lines: tuple[OrderLine, ...]
    payments: tuple[Payment, ...]
    refunds: tuple[RecordedRefund, ...] = ()
    shipping_minor: Minor = 0
    shipping_tax_minor: Minor = 0
    total_minor: Minor | None = None
    shop_total_minor: Minor | None = None
    customer_id: str | None = None  # SOMEBODY; an id only in facts of earlier versions
    tags: tuple[str, ...] = ()
    archived: bool = False
    cancelled: bool = False
    location_id: str | None = None  # store of a till sale
    source: str | None = None  # web, pos, …
    complete: bool = True  # False: the reply was cut off, more lines exist
    read_order: Ordinal = 0


class ObservedEffect(msgspec.Struct, frozen=True, kw_only=True):
    """A refund, restock, store return, credit or charge-back seen in a system, whoever made it."""

    fact_id: str
    merchant: str
    order_id: str
    system: str
    kind: EffectKind
    external_id: str
    occurred_at_ms: Millis
    actor: Actor = "other"
    currency: Currency | None = None
    total_minor: Minor = 0
    lines: tuple[RefundedLine, ...] = ()
    tenders: tuple[RefundedTender, ...] = ()
    command_id: str | None = None
    rma_id: str | None = None
    tax_minor: Minor | None = None  # of the total
    updated_at_ms: Millis | None = None  # when its system last changed it
    read_order: Ordinal = 0
    shipping_minor: Minor = 0  # within the total, with tax


class OrderErased(msgspec.Struct, frozen=True, kw_only=True):
    """A person asked to forget an order: nothing of it is known from then on, nor learnt again."""

    fact_id: str
    merchant: str
    order_id: str
    erased_at_ms: Millis
    by: str


class DeadlineReached(msgspec.Struct, frozen=True, kw_only=True):
    """Time as a fact: the agents read no clock."""

    fact_id: str
    merchant: str
    order_id: str
    due_at_ms: Millis
