"""Parcels to the customer: of all that was bought, or of some of it."""

from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.catalogue import Location
from ops.sandbox.shopify.sales import Fulfillment, FulfillmentLine, LineItem, Order


def send(action: Action, order: Order, units: list[tuple[LineItem, int]]) -> Fulfillment:
    """A parcel of these units; more than are still to be sent is a ValueError."""
    shop, now = action.shop, max(action.now(), order.created_at)
    for line, quantity in units:
        if not 0 < quantity <= line.unfulfilled:
            raise ValueError(f"{line.unfulfilled} of {line.sku or line.title} can be sent, {quantity} asked for")
        line.fulfilled += quantity
    parcel = Fulfillment(
        number=action.number(Fulfillment),
        order=order,
        name=f"{order.name}-F{len(order.fulfillments) + 1}",
        location=next((each for each in shop.all(Location) if each.is_active), None),
        lines=[
            shop.add(FulfillmentLine(number=action.number(FulfillmentLine), line_item=line, quantity=quantity))
            for line, quantity in units
        ],
        created_at=order.created_at if not order.fulfillments else now,
        updated_at=now,
    )
    order.fulfillments.append(shop.add(parcel))
    return parcel
