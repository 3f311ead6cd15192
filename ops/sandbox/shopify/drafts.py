"""Draft orders: how an exchange is prepared, and draftOrderComplete, which turns one into an order."""

from decimal import Decimal

from ops.sandbox.shopify import payloads
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.catalogue import Variant
from ops.sandbox.shopify.ordering import order_from_draft
from ops.sandbox.shopify.sales import Customer, DraftOrder, Order
from ops.sandbox.shopify.values import Payload, Refusal


def new_draft(
    action: Action, lines: list[tuple[Variant, int, Decimal]], customer: Customer | None, note: str
) -> DraftOrder:
    """An open draft of these variants, quantities and unit prices."""
    number = action.number(DraftOrder)
    return action.shop.add(
        DraftOrder(
            number=number,
            name=f"#D{number % 1_000_000}",
            status="OPEN",
            currency_code=action.shop.currency_code,
            total=sum((price * quantity for _, quantity, price in lines), Decimal(0)),
            note=note,
            tags=[],
            lines=lines,
            customer=customer,
            created_at=action.now(),
            updated_at=action.now(),
        )
    )


def draft_order_complete(action: Action, args: dict[str, object]) -> Payload:
    """The mutation. A completed draft is refused, so that its order is not made twice; it stands beside the error."""
    draft = action.shop.find(DraftOrder, str(args["gid"]))
    if draft is None:
        return {"draft_order": None, "user_errors": [Refusal(["id"], "Draft order does not exist")]}
    if draft.status == "COMPLETED":
        return {"draft_order": draft, "user_errors": [Refusal(None, "This order has been paid")]}
    complete_draft(action, draft)
    return {"draft_order": draft, "user_errors": []}


def complete_draft(action: Action, draft: DraftOrder) -> Order:
    """Turns a draft into an order."""
    order = order_from_draft(action, draft)
    draft.status, draft.completed_at, draft.updated_at, draft.order = "COMPLETED", action.now(), action.now(), order
    action.emit("ORDERS_CREATE", order, lambda: payloads.order(order))
    return order
