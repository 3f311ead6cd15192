"""Types of exceptions: the closed set, who owns each, how urgent it is, and what may be done about it.

A next step names only what there is: a command, a runbook, a click in ReturnGO or the shop.
"""

from typing import Literal

import msgspec

Team = Literal["cx", "store_operations", "warehouse", "finance", "data", "integration"]
Severity = Literal["info", "warning", "critical"]
# What a person may do, of which there is a command, a runbook or a click in ReturnGO or the shop. `resolve` is told by
# the record, see `by_hand`.
Action = Literal["resolve", "correct", "resubmit", "map", "refund_by_hand", "contact_customer"]


class ExceptionType(msgspec.Struct, frozen=True, kw_only=True):
    """What every exception of a type shares; `hours` is the time limit for its owner."""

    owner: Team
    severity: Severity
    hours: int
    meaning: str
    next_step: str
    actions: tuple[Action, ...] = ()


def _type(owner: Team, severity: Severity, hours: int, meaning: str, next_step: str, *more: Action) -> ExceptionType:
    return ExceptionType(
        owner=owner, severity=severity, hours=hours, meaning=meaning, next_step=next_step, actions=more
    )


TYPES: dict[str, ExceptionType] = {
    "unknown_sku": _type(
        "data", "warning", 24, "The SKU is not in the item master.",
        "Create or correct the SKU in the shop; the line goes on once the item is read.",
        "correct",
    ),
    "variant_missing_in_matrix": _type(
        "data", "warning", 24, "The exact variant is missing.",
        "Add the variant to its product in the shop; the line goes on once it is read.",
        "correct",
    ),
    "ambiguous_sku": _type(
        "data", "warning", 24, "Several items carry the SKU, and nothing tells which one is meant.",
        "Give each item a SKU of its own in the shop; the line goes on once they are read.",
        "correct",
    ),
    "archived_item": _type(
        "data", "warning", 24, "Only archived items carry the SKU.",
        "Set the product to active in the shop, or correct the SKU there.",
        "correct",
    ),
    "deleted_item": _type(
        "data", "warning", 24, "The item that was sold is deleted.",
        "Put the goods away by hand, and book them in the shop on the item that they are now.",
        "correct",
    ),
    "no_item": _type(
        "warehouse", "info", 72, "It was sold without an item, so no stock can hold it.",
        "Put the goods away by hand; there is no stock to book.",
    ),
    "parent_item_targeted": _type(
        "data", "warning", 24, "The SKU is a parent; only a variant holds stock.",
        "Correct the SKU in the shop so that it names a variant.",
        "correct",
    ),
    "unmapped_location": _type(
        "store_operations", "warning", 8, "No location is mapped for this code.",
        "Map the code in the merchant file, then `returnflow merchants apply FILE`.",
        "map",
    ),
    "unmapped_reason": _type(
        "cx", "warning", 24, "No rule is mapped for this return reason.",
        "Map the reason in the merchant file, then `returnflow merchants apply FILE`.",
        "map",
    ),
    "unmapped_tender": _type(
        "finance", "warning", 8, "No rule is mapped for this tender.",
        "Map the tender in the merchant file, then `returnflow merchants apply FILE`.",
        "map",
    ),
    "inactive_location": _type(
        "store_operations", "warning", 8, "The location takes no stock.",
        "Map the code to an active place in the merchant file, then `returnflow merchants apply FILE`.",
        "map",
    ),
    "untracked_item": _type(
        "data", "info", 72, "The system does not track this item's stock.",
        "Switch inventory tracking on for the variant in the shop; until then its stock is not kept.",
    ),
    "archived_order": _type(
        "cx", "info", 72, "The order is archived.",
        "Unarchive the order in the shop.",
    ),
    "out_of_stock_component": _type(
        "warehouse", "warning", 24, "A bundle came back without all its components.",
        "Look for the components that are missing; correct the inspection once all are found.",
        "correct",
    ),
    "orphan_return": _type(
        "cx", "warning", 24, "No order was found for the return.",
        "Check the order number of the return in ReturnGO.",
        "correct",
    ),
    "outside_policy_window": _type(
        "cx", "warning", 24, "The return came after the policy window.",
        "Reject the return in ReturnGO, or refund it in the shop by hand.",
    ),
    "over_quantity": _type(
        "cx", "critical", 8, "More units are returned than were bought.",
        "Compare the return with the order, and correct the return in ReturnGO.",
        "correct",
    ),
    "amount_mismatch": _type(
        "finance", "critical", 4, "Our amount, ReturnGO's and the shop's do not agree.",
        "Compare the figures line by line, then refund the right amount in the shop by hand.",
        "refund_by_hand",
    ),
    "tax_mismatch": _type(
        "finance", "warning", 24, "The taxes of two systems differ.",
        "Compare the taxes line by line; correct the tax setting of the system that is wrong.",
    ),
    "currency_mismatch": _type(
        "finance", "critical", 8, "A fact is in another currency than the order.",
        "Correct the amount in ReturnGO to the order's currency.",
        "correct",
    ),
    "currency_rounding": _type(
        "finance", "info", 72, "Rounding left a difference.",
        "Book the difference, or accept it.",
    ),
    "refund_outside_workflow": _type(
        "finance", "warning", 24, "A refund was made outside the workflow.",
        "Check that it was meant: the order's timeline in the shop says who made it.",
    ),
    "restock_outside_workflow": _type(
        "warehouse", "warning", 24, "Stock was put back outside the workflow.",
        "Check in the item's inventory history in the shop that it was counted once.",
    ),
    "refund_before_goods": _type(
        "finance", "critical", 8, "Money went out, the goods did not come back.",
        "Ask the customer, the carrier or the warehouse where the goods are.",
    ),
    "item_missing": _type(
        "cx", "warning", 24, "The parcel came without it.",
        "Ask the customer or the carrier.",
        "contact_customer",
    ),
    "stock_drift": _type(
        "warehouse", "warning", 24, "The journal did not move as expected.",
        "Count the item at the location, and correct its quantity in the shop.",
    ),
    "status_conflict": _type(
        "cx", "warning", 24, "Two systems disagree on the state.",
        "Find out which system is right, and correct the other one.",
    ),
    "contradicting_fact": _type(
        "data", "warning", 24, "Two facts contradict each other.",
        "Find out which fact is wrong, and correct it in the system that told it.",
        "correct",
    ),
    "unknown_line": _type(
        "data", "warning", 24, "The returned line is not on the order.",
        "Correct the return in ReturnGO: it must name a line of the order.",
    ),
    "unknown_resolution": _type(
        "integration", "warning", 8, "ReturnGO names a resolution we do not know.",
        "Look at the return in ReturnGO and finish it there; Returnflow must learn the resolution.",
    ),
    "stuck_in_transit": _type(
        "cx", "warning", 24, "Too long on the way.",
        "Ask the carrier, with the tracking number that ReturnGO shows.",
        "contact_customer",
    ),
    "stuck_received": _type(
        "warehouse", "warning", 8, "Received but not inspected.",
        "Inspect the parcel.",
    ),
    "stuck_restock": _type(
        "integration", "warning", 4, "Inspected but not restocked.",
        "See what it waits for with `returnflow line why RMA`, and whether the sink works with `returnflow lag`.",
    ),
    "stuck_refund": _type(
        "finance", "critical", 4, "Restocked but not refunded.",
        "See what it waits for with `returnflow line why RMA`, and whether the sink works with `returnflow lag`.",
    ),
    "stuck_booking": _type(
        "finance", "warning", 24, "Refunded but not booked.",
        "See what it waits for with `returnflow line why RMA`, and whether the sink works with `returnflow lag`.",
    ),
    "credit_not_issued": _type(
        "finance", "critical", 4, "Store credit or gift card failed.",
        "Issue the store credit or gift card in the shop by hand.",
        "refund_by_hand",
    ),
    "exchange_not_released": _type(
        "cx", "warning", 8, "The exchange order waits.",
        "Release the exchange order in ReturnGO.",
    ),
    "exchange_counted_as_sale": _type(
        "finance", "warning", 24, "An exchange counts as a sale.",
        "Mark the order as an exchange in the shop.",
    ),
    "rejected_by_system": _type(
        "integration", "critical", 4, "A system refused the command.",
        "Mend what the detail names; the runbook SinkDeadLetters says how the command is sent again.",
        "resubmit",
    ),
    "misconfigured": _type(
        "integration", "critical", 1, "Credentials, scope or address are wrong.",
        "Correct the merchant file or the secret that the detail names; `returnflow merchants check` looks "
        "at both.",
    ),
    "erasure_requested": _type(
        "integration", "warning", 480, "A shop asks to erase a customer, or to tell what is kept of one.",
        "Run what the detail names, within thirty days; then `returnflow exceptions resolve ID --why TEXT`.",
    ),
    "paused_by_a_person": _type(
        "integration", "warning", 24, "A person has paused a sink, a merchant, or both; its commands wait.",
        "See `returnflow sink status`; `returnflow sink resume` lets them go.",
    ),
    "undecodable": _type(
        "integration", "critical", 4, "A record or an answer cannot be read.",
        "Look at it with `returnflow dlq list`. One of a delivery closes when its order or RMA was read since; any by "
        "`returnflow exceptions resolve ID --why TEXT`.",
        "resubmit",
    ),
    "malformed_delivery": _type(
        "integration", "warning", 8, "A webhook body has no usable content.",
        "Nothing, if it is from ReturnGO or a shop: it closes once a poll has read what it told of. A "
        "warehouse or carrier must send it again. Else `returnflow exceptions resolve ID --why TEXT`.",
    ),
    "subscription_lost": _type(
        "integration", "critical", 1, "A webhook subscription is gone.",
        "It is made again by itself; if it stays away, see the runbook SubscriptionMissing.",
    ),
    "order_not_in_portal": _type(
        "cx", "info", 72,
        "Goods of the order came back, the returns portal told of no return of it; one may wait there for approval.",
        "Approve the request that waits in the portal; if there is none, re-sync the order, and register its return if "
        "nothing was paid yet.",
    ),
}  # fmt: skip
