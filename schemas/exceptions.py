"""Exceptions for people: the closed set of types, who owns each, how urgent it is, and what may be done about it."""

from typing import Literal

import msgspec

Team = Literal["cx", "store_operations", "warehouse", "finance", "data", "integration"]
Severity = Literal["info", "warning", "critical"]
Action = Literal["retry", "resolve", "assign", "correct", "resubmit", "map", "refund_by_hand", "contact_customer"]


class ExceptionType(msgspec.Struct, frozen=True, kw_only=True):
    """What every exception of a type shares; `hours` is the time limit for its owner."""

    owner: Team
    severity: Severity
    hours: int
    meaning: str
    next_step: str
    actions: tuple[Action, ...] = ("retry", "resolve", "assign")


def _type(owner: Team, severity: Severity, hours: int, meaning: str, next_step: str, *more: Action) -> ExceptionType:
    actions: tuple[Action, ...] = ("retry", "resolve", "assign", *more)
    return ExceptionType(
        owner=owner, severity=severity, hours=hours, meaning=meaning, next_step=next_step, actions=actions
    )


TYPES: dict[str, ExceptionType] = {
    "unknown_sku": _type(
        "data", "warning", 24, "The SKU is not in the item master.", "Create or correct the SKU, then retry.", "correct"
    ),
    "variant_missing_in_matrix": _type(
        "data", "warning", 24, "The exact variant is missing.", "Add the variant to its matrix, then retry.", "correct"
    ),
    "ambiguous_sku": _type(
        "data",
        "warning",
        24,
        "Several items carry the SKU, and nothing tells which one is meant.",
        "Name the variant on the return, or the line where pieces are counted; give each item a SKU of its own.",
        "correct",
    ),
    "archived_item": _type(
        "data", "warning", 24, "Only archived items carry the SKU.", "Reactivate it or correct the SKU.", "correct"
    ),
    "deleted_item": _type(
        "data", "warning", 24, "The item that was sold is deleted.", "Put it away by hand, then resolve.", "correct"
    ),
    "no_item": _type(
        "warehouse", "info", 72, "It was sold without an item, so no stock can hold it.", "Put it away by hand."
    ),
    "parent_item_targeted": _type(
        "data", "warning", 24, "The SKU is a parent; only a variant holds stock.", "Name the variant.", "correct"
    ),
    "unmapped_location": _type(
        "store_operations", "warning", 8, "No location is mapped for this code.", "Add it to the merchant file.", "map"
    ),
    "unmapped_reason": _type(
        "cx", "warning", 24, "No rule is mapped for this return reason.", "Add it to the merchant file.", "map"
    ),
    "unmapped_tender": _type(
        "finance", "warning", 8, "No rule is mapped for this tender.", "Add it to the merchant file.", "map"
    ),
    "inactive_location": _type(
        "store_operations", "warning", 8, "The location takes no stock.", "Activate it or map another one.", "map"
    ),
    "untracked_item": _type(
        "data", "info", 72, "The system does not track this item's stock.", "Switch tracking on, or resolve."
    ),
    "archived_order": _type("cx", "info", 72, "The order is archived.", "Reopen it in the shop, then retry."),
    "out_of_stock_component": _type(
        "warehouse", "warning", 24, "A bundle came back without all its components.", "Count the components.", "correct"
    ),
    "orphan_return": _type(
        "cx", "warning", 24, "No order was found for the return.", "Check the order number in ReturnGO.", "correct"
    ),
    "outside_policy_window": _type(
        "cx", "warning", 24, "The return came after the policy window.", "Allow it by hand or refuse it."
    ),
    "over_quantity": _type(
        "cx", "critical", 8, "More units are returned than were bought.", "Compare the RMA with the order.", "correct"
    ),
    "amount_mismatch": _type(
        "finance",
        "critical",
        4,
        "Our amount, ReturnGO's and the shop's do not agree.",
        "Compare the figures line by line, then refund the right one by hand.",
        "refund_by_hand",
    ),
    "tax_mismatch": _type("finance", "warning", 24, "The taxes of two systems differ.", "Check the tax setting."),
    "currency_mismatch": _type(
        "finance", "critical", 8, "A fact is in another currency than the order.", "Correct the amount.", "correct"
    ),
    "currency_rounding": _type("finance", "info", 72, "Rounding left a difference.", "Book or accept the difference."),
    "refund_outside_workflow": _type(
        "finance", "warning", 24, "A refund was made outside the workflow.", "Check that it was meant."
    ),
    "restock_outside_workflow": _type(
        "warehouse", "warning", 24, "Stock was put back outside the workflow.", "Check that it was counted once."
    ),
    "refund_before_goods": _type(
        "finance", "critical", 8, "Money went out, the goods did not come back.", "Ask where the goods are."
    ),
    "item_missing": _type(
        "cx", "warning", 24, "The parcel came without it.", "Ask the customer or the carrier.", "contact_customer"
    ),
    "stock_drift": _type(
        "warehouse", "warning", 24, "The journal did not move as expected.", "Count the item at the location."
    ),
    "status_conflict": _type("cx", "warning", 24, "Two systems disagree on the state.", "Decide which one is right."),
    "contradicting_fact": _type(
        "data", "warning", 24, "Two facts contradict each other.", "Correct the wrong one in its system.", "correct"
    ),
    "unknown_line": _type("data", "warning", 24, "The returned line is not on the order.", "Correct the RMA."),
    "unknown_resolution": _type(
        "integration", "warning", 8, "ReturnGO names a resolution we do not know.", "Tell the integration team."
    ),
    "stuck_in_transit": _type("cx", "warning", 24, "Too long on the way.", "Ask the carrier.", "contact_customer"),
    "stuck_received": _type("warehouse", "warning", 8, "Received but not inspected.", "Inspect the parcel."),
    "stuck_restock": _type("integration", "warning", 4, "Inspected but not restocked.", "See the sink's state."),
    "stuck_refund": _type("finance", "critical", 4, "Restocked but not refunded.", "See the sink's state."),
    "stuck_booking": _type("finance", "warning", 24, "Refunded but not booked.", "See the sink's state."),
    "credit_not_issued": _type(
        "finance", "critical", 4, "Store credit or gift card failed.", "Issue it by hand.", "refund_by_hand"
    ),
    "exchange_not_released": _type("cx", "warning", 8, "The exchange order waits.", "Release it in ReturnGO."),
    "exchange_counted_as_sale": _type("finance", "warning", 24, "An exchange counts as a sale.", "Mark the order."),
    "rejected_by_system": _type(
        "integration",
        "critical",
        4,
        "A system refused the command.",
        "Mend what the detail names, then see the runbook SinkDeadLetters.",
        "resubmit",
    ),
    "misconfigured": _type(
        "integration", "critical", 1, "Credentials, scope or address are wrong.", "Correct the configuration."
    ),
    "undecodable": _type(
        "integration",
        "critical",
        4,
        "A record or an answer cannot be read.",
        "Mend what the detail names; its bytes are kept.",
        "resubmit",
    ),
    "malformed_delivery": _type(
        "integration", "warning", 8, "A webhook body has no usable content.", "Read the delivery; the poll catches up."
    ),
    "subscription_lost": _type("integration", "critical", 1, "A webhook subscription is gone.", "See the source log."),
    "order_not_in_portal": _type(
        "cx",
        "info",
        72,
        "Goods of the order came back, the returns portal told of no return of it; one may wait there for approval.",
        "Approve the request that waits in the portal; if there is none, re-sync the order, and register its return if "
        "nothing was paid yet.",
    ),
}  # fmt: skip


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fact that shows it can be read."""

    topic: str
    partition: int
    offset: int


class ExceptionRaised(msgspec.Struct, frozen=True, kw_only=True):
    """Opened once per cause; a repeat has the same id and a higher `repeats`."""

    exception_id: str
    type: str  # a key of TYPES
    owner: Team
    severity: Severity
    merchant: str
    detail: str  # what is wrong, with the values; no personal data
    next_step: str
    since_ms: int
    due_ms: int
    order_id: str = ""
    rma_id: str = ""
    line_id: str | None = None
    unit_ids: tuple[str, ...] = ()
    sku: str | None = None
    location: str | None = None
    system: str | None = None
    expected: str | None = None
    actual: str | None = None
    command_id: str | None = None
    repeats: int = 1
    actions: tuple[str, ...] = ()
    evidence: Evidence | None = None


class ExceptionCleared(msgspec.Struct, frozen=True, kw_only=True):
    """The cause is gone, or a person resolved it."""

    exception_id: str
    type: str
    merchant: str
    cleared_at_ms: int
    why: str
    order_id: str = ""
    rma_id: str = ""


def raised(
    kind: str,
    *,
    exception_id: str,
    merchant: str,
    detail: str,
    at_ms: int,
    order_id: str = "",
    rma_id: str = "",
    line_id: str | None = None,
    unit_ids: tuple[str, ...] = (),
    sku: str | None = None,
    location: str | None = None,
    system: str | None = None,
    expected: str | None = None,
    actual: str | None = None,
    command_id: str | None = None,
    repeats: int = 1,
    owner: Team | None = None,
    evidence: Evidence | None = None,
) -> ExceptionRaised:
    """An exception of a known type with the owner, urgency and way out of that type; KeyError for any other type."""
    shared = TYPES[kind]
    return ExceptionRaised(
        exception_id=exception_id,
        type=kind,
        owner=owner or shared.owner,
        severity=shared.severity,
        merchant=merchant,
        detail=detail,
        next_step=shared.next_step,
        since_ms=at_ms,
        due_ms=at_ms + shared.hours * 3_600_000,
        order_id=order_id,
        rma_id=rma_id,
        line_id=line_id,
        unit_ids=unit_ids,
        sku=sku,
        location=location,
        system=system,
        expected=expected,
        actual=actual,
        command_id=command_id,
        repeats=repeats,
        actions=shared.actions,
        evidence=evidence,
    )
