"""Commands and their results: one command is one effect on one system, named by an id derived from its content."""

from typing import Literal

import msgspec

from schemas.money import Currency, Minor, Money
from schemas.numbers import Change, Count, Millis, Ordinal
from schemas.stock import StockStatus

CommandKind = Literal["restock", "refund", "store_credit", "exchange", "annotate", "journal"]
CommandOutcome = Literal["applied", "already_applied", "rejected"]


class Restock(msgspec.Struct, frozen=True, kw_only=True):
    """Move `quantity` units of an item into `stock_status` at a location, relatively; below zero: out of it."""

    command_id: str
    merchant: str
    system: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    generation: Ordinal
    decided_at_ms: Millis
    sku: str
    item_id: str
    location_id: str
    quantity: Change
    stock_status: StockStatus
    line_id: str | None = None  # of the original order: finds the native return
    stocked_before: bool = False  # it was put into stock before, so a native return waits for it no more


class TenderShare(msgspec.Struct, frozen=True, kw_only=True):
    """How much goes back to which payment."""

    payment_id: str
    tender: str
    amount_minor: Minor
    coin_minor: Minor = 1  # it is paid in multiples of


class LineShare(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a line that a refund pays for and what they come to."""

    line_id: str
    quantity: Count
    amount_minor: Minor


class Leeway(msgspec.Struct, frozen=True, kw_only=True):
    """How far rounding alone may take a system's figure for the units of a line from ours."""

    line_id: str
    minor: Minor
    last: bool = False  # they are its last units and take what is left of it, whatever the system's rule is


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Pay `amount_minor` of `currency` (presentment) back on the original order."""

    command_id: str
    merchant: str
    system: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    generation: Ordinal
    decided_at_ms: Millis
    currency: Currency
    amount_minor: Minor
    lines: tuple[LineShare, ...]
    tenders: tuple[TenderShare, ...]
    tolerance_minor: Minor  # how far the system's own suggestion may differ
    shipping_minor: Minor = 0
    fees_minor: Minor = 0  # goods and shipping less `amount_minor`: below zero where more is added than kept back
    tax_minor: Minor = 0  # within goods and shipping
    duties_minor: Minor = 0
    rounding_minor: Minor = 0  # > 0: more than due, because cash has no smaller coin
    exchange_id: str | None = None  # the Exchange whose difference is paid back
    leeways: tuple[Leeway, ...] = ()  # of a line that is not named: a minor unit per unit, and one for its tax


class StoreCredit(msgspec.Struct, frozen=True, kw_only=True):
    """Issue store credit or a gift card to the original customer."""

    command_id: str
    merchant: str
    system: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    generation: Ordinal
    decided_at_ms: Millis
    form: Literal["store_credit", "gift_card"]
    customer_id: str  # SOMEBODY: whose the order is
    currency: Currency
    amount_minor: Minor
    lines: tuple[LineShare, ...]
    expires_at_ms: Millis | None = None
    tax_minor: Minor = 0  # within the goods
    bonus_minor: Minor = 0  # given on top by the merchant, within `amount_minor`


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """Release an exchange order, and charge or refund the difference."""

    command_id: str
    merchant: str
    system: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    generation: Ordinal
    decided_at_ms: Millis
    draft_order_id: str | None
    exchange_order_id: str | None
    currency: Currency
    difference_minor: Minor = 0  # > 0: the customer pays
    leeway_minor: Minor = 0  # how far rounding alone may take the difference


class TransactionOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a transaction that the returns platform asked for."""

    transaction_id: str
    status: Literal["success", "failed"]
    external_id: str | None = None
    external_type: str | None = None


class Annotate(msgspec.Struct, frozen=True, kw_only=True):
    """Leave a mark for people: tags, a note line, a comment, a status, a transaction outcome. One aspect each."""

    command_id: str
    merchant: str
    system: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    generation: Ordinal
    decided_at_ms: Millis
    aspect: Literal["tags", "note", "comment", "status", "transaction"]
    tags_add: tuple[str, ...] = ()
    tags_remove: tuple[str, ...] = ()
    text: str | None = None  # note line or comment
    status: str | None = None
    transaction: TransactionOutcome | None = None


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """Book a confirmed refund in a system that did not execute it (credit note, return document)."""

    command_id: str
    merchant: str
    system: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    generation: Ordinal
    decided_at_ms: Millis
    currency: Currency
    amount_minor: Minor
    tax_minor: Minor
    lines: tuple[LineShare, ...]
    refund_id: str
    refunded_by: str = ""  # system that paid it and so owns the amount
    shipping_minor: Minor = 0  # within the amount, and no line's


Command = Restock | Refund | StoreCredit | Exchange | Annotate | Journal


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a system itself would pay for the lines of a command, with tax and before our fees."""

    currency: Currency
    amount_minor: Minor
    most_minor: Minor | None = None  # that it can still pay back at all
    lines: tuple[LineShare, ...] = ()
    shipping_minor: Minor = 0


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended. `rejected` means a data fault that retrying cannot cure; its dead letter has the command."""

    command_id: str
    merchant: str
    system: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    kind: CommandKind
    outcome: CommandOutcome
    settled_at_ms: Millis
    attempts: Ordinal
    code: str | None = None  # closed set per system, only for `rejected`
    detail: str | None = None  # for people; no personal data
    external_ids: dict[str, str] = {}
    amount: Money | None = None
    quantity: Change | None = None
    tax_minor: Minor | None = None  # within `amount`, as the system that paid it has it
    suggested: Suggestion | None = None  # with `amount_mismatch`: the figure that ours was refused by
    lines: tuple[LineShare, ...] = ()  # what a refund paid for each line, where the system that paid it says so


def kind_of(command: Command) -> CommandKind:
    """The kind that ids, ledgers and metrics use."""
    match command:
        case Restock():
            return "restock"
        case Refund():
            return "refund"
        case StoreCredit():
            return "store_credit"
        case Exchange():
            return "exchange"
        case Annotate():
            return "annotate"
        case Journal():
            return "journal"
