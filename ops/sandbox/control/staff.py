"""What people do in the shop's admin, beside and against the workflow."""

from collections.abc import Callable

import msgspec

from ops.sandbox.control import staff_goods, staff_orders
from ops.sandbox.control.named import named_line, named_location, named_order
from ops.sandbox.control.staff_specs import (
    CreditSpec,
    DraftSpec,
    LocationSpec,
    OrderNamed,
    RefundSpec,
    ReturnSpec,
    SettleSpec,
    TagSpec,
)
from ops.sandbox.shopify import amounts, payloads
from ops.sandbox.shopify.action import Action, touch
from ops.sandbox.shopify.aftersales import ReturnLine
from ops.sandbox.shopify.credit import add_credit
from ops.sandbox.shopify.drafts import complete_draft
from ops.sandbox.shopify.refunds import RefundPlan, make_refund, record_payment
from ops.sandbox.shopify.returns import open_return, returnable
from ops.sandbox.shopify.sales import Customer, DraftOrder, Transaction
from ops.sandbox.shopify.values import Money, Payload


def refund(action: Action, spec: RefundSpec) -> Payload:
    """Refund in the admin: money to gift cards first, then to payments as they were made."""
    order = named_order(action, spec.order)
    plan = RefundPlan(lines=[], payments=[], credits=[], note=spec.note)
    for each in spec.lines:
        line = named_line(order, each)
        if each.quantity > line.refundable:
            raise ValueError(f"{line.refundable} of {line.sku} can still be refunded, {each.quantity} asked for")
        location = named_location(action, each.location_id) if each.location_id is not None else None
        plan.lines.append((line, each.quantity, each.restock_type, location))
    if spec.amount > amounts.net_payment(order):
        raise ValueError(f"{amounts.net_payment(order)} of {order.name} can still be refunded, {spec.amount} asked for")
    if spec.shipping > amounts.shipping_left(order):
        raise ValueError(f"{amounts.shipping_left(order)} of shipping is left, {spec.shipping} asked for")
    plan.shipping, plan.payments = spec.shipping, amounts.spread(order, spec.amount)
    made = make_refund(action, order, plan)
    return {"refund_id": made.number, "transactions": [paid.number for paid in made.transactions]}


def store_credit(action: Action, spec: CreditSpec) -> Payload:
    """Store credit given by hand."""
    customer = action.shop.numbered(Customer, spec.customer_id)
    if customer is None:
        raise ValueError(f"customer {spec.customer_id} is not in {action.shop.domain}")
    money = Money(spec.amount, spec.currency or action.shop.currency_code)
    return {"credit_id": add_credit(action, customer, money, None, origin=None, note=None).number}


def location(action: Action, spec: LocationSpec) -> Payload:
    """A location is opened or closed."""
    place = named_location(action, spec.location_id)
    place.is_active, place.updated_at = spec.active, action.now()
    topic = "LOCATIONS_ACTIVATE" if spec.active else "LOCATIONS_DEACTIVATE"
    action.emit(topic, place, lambda: payloads.location(place))
    return {"location_id": place.number, "active": place.is_active}


def close_order(action: Action, spec: OrderNamed) -> Payload:
    """An order is archived."""
    order = named_order(action, spec.order)
    order.closed_at = action.now()
    touch(action, order)
    return {"order": order.name}


def tag(action: Action, spec: TagSpec) -> Payload:
    """Tags by hand."""
    order = named_order(action, spec.order)
    order.tags = [
        *(each for each in order.tags if each not in spec.remove),
        *(each for each in spec.add if each not in order.tags),
    ]
    touch(action, order)
    return {"tags": list(order.tags)}


def native_return(action: Action, spec: ReturnSpec) -> Payload:
    """A return made in the admin."""
    order = named_order(action, spec.order)
    lines: list[ReturnLine] = []
    for each in spec.lines:
        bought = named_line(order, each)
        sent = next((part for parcel in order.fulfillments for part in parcel.lines if part.line_item is bought), None)
        if sent is None or each.quantity > returnable(order, sent):
            raise ValueError(
                f"{each.quantity} of {bought.sku} cannot be returned: not fulfilled, returned or refunded already"
            )
        lines.append(
            ReturnLine(
                number=action.number(ReturnLine),
                fulfillment_line_item=sent,
                quantity=each.quantity,
                return_reason="UNKNOWN",
                return_reason_note="",
                reason_definition=None,
            )
        )
    made = open_return(action, order, lines, [])
    return {"return_id": made.number, "name": made.name}


def settle(action: Action, spec: SettleSpec) -> Payload:
    """The payment provider's later word on a refund: what was pending is done or failed, what was done has failed."""
    paid = action.shop.numbered(Transaction, spec.transaction_id)
    if paid is None or paid.kind != "REFUND" or spec.status not in ("SUCCESS", "FAILURE"):
        raise ValueError("expected a refund's transaction and status SUCCESS or FAILURE")
    paid.status = spec.status
    paid.error_code = "PAYMENT_PROVIDER_ERROR" if spec.status == "FAILURE" else None
    record_payment(action, paid, "settled")
    for refund in (each for each in paid.order.refunds if paid in each.transactions):
        refund.updated_at = action.now()
    action.emit("ORDER_TRANSACTIONS_CREATE", paid, lambda: payloads.transaction(paid))
    touch(action, paid.order)
    return {"transaction_id": paid.number, "status": paid.status}


def complete(action: Action, spec: DraftSpec) -> Payload:
    """A draft order is completed by hand."""
    draft = action.shop.numbered(DraftOrder, spec.draft_order_id)
    if draft is None or draft.status == "COMPLETED":
        raise ValueError(f"draft order {spec.draft_order_id} is not open in {action.shop.domain}")
    return {"order": complete_draft(action, draft).name}


ACTIONS: dict[str, tuple[type[msgspec.Struct], Callable[..., Payload]]] = {
    "refund": (RefundSpec, refund),
    "store-credit": (CreditSpec, store_credit),
    "location": (LocationSpec, location),
    "close-order": (OrderNamed, close_order),
    "tag": (TagSpec, tag),
    "return": (ReturnSpec, native_return),
    "settle": (SettleSpec, settle),
    "complete-draft": (DraftSpec, complete),
    **staff_goods.ACTIONS,
    **staff_orders.ACTIONS,
}
