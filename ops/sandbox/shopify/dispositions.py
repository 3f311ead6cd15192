"""What became of units that came back: reverseFulfillmentOrderDispose, and the dispositions inside returnProcess."""

from functools import partial

import msgspec

from ops.sandbox.shopify import payloads, stock
from ops.sandbox.shopify.action import Action, touch
from ops.sandbox.shopify.aftersales import Disposition, ReverseLine, ReverseOrder
from ops.sandbox.shopify.catalogue import Location
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import Payload, Refusal


class DisposeGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReverseFulfillmentOrderDisposeInput."""

    reverse_fulfillment_order_line_item_id: str
    quantity: int
    disposition_type: str
    location_id: str | None = None


def reverse_fulfillment_order_dispose(action: Action, args: dict[str, object]) -> Payload:
    """The mutation. Nothing stops more units from being disposed than came back: that is Shopify's behaviour."""
    given = msgspec.convert(args["disposition_inputs"], list[DisposeGiven])
    checked: list[tuple[ReverseLine, DisposeGiven, Location | None]] = []
    if refusals := check_dispositions(action.shop, given, ["dispositionInputs"], checked):
        return {"reverse_fulfillment_order_line_items": None, "user_errors": refusals}
    dispose(action, checked)
    lines = {line.number: line for line, _, _ in checked}
    return {"reverse_fulfillment_order_line_items": list(lines.values()), "user_errors": []}


def check_dispositions(
    shop: Shop,
    given: list[DisposeGiven],
    where: list[str],
    checked: list[tuple[ReverseLine, DisposeGiven, Location | None]],
) -> list[Refusal]:
    """Fills `checked`, or says all that is wrong. All lines must belong to one reverse fulfilment order."""
    if not given:
        return [Refusal(where, "The array cannot be empty.", "BLANK")]
    refusals: list[Refusal] = []
    for index, each in enumerate(given):
        line = shop.find(ReverseLine, each.reverse_fulfillment_order_line_item_id)
        if line is None or (checked and checked[0][0].reverse_order is not line.reverse_order):
            text = "Cannot dispose items from more than one reverse fulfillment order."
            return [*refusals, Refusal(where, text, "INVALID")]
        location = shop.find(Location, each.location_id) if each.location_id else None
        refusals += _wrong_disposition(each, line, location, [*where, str(index)])
        checked.append((line, each, location))
    return refusals


def _wrong_disposition(
    each: DisposeGiven, line: ReverseLine, location: Location | None, where: list[str]
) -> list[Refusal]:
    refusals: list[Refusal] = []
    if each.quantity < 1:
        refusals.append(Refusal([*where, "quantity"], "Quantity must be greater than 0.", "GREATER_THAN"))
    if each.disposition_type != "RESTOCKED":
        return refusals
    if line.fulfillment_line_item.line_item.variant is None:
        text = "RESTOCKED is an invalid disposition type for a custom line item."
        refusals.append(Refusal([*where, "dispositionType"], text, "INVALID"))
    if any(earlier.type == "PROCESSING_REQUIRED" for earlier in line.dispositions):
        refusals.append(Refusal([*where, "dispositionType"], "Disposition type is invalid.", "INVALID_STATE"))
    if location is None or not location.is_active:
        refusals.append(Refusal([*where, "locationId"], "Location not found.", "NOT_FOUND"))
    return refusals


def dispose(action: Action, checked: list[tuple[ReverseLine, DisposeGiven, Location | None]]) -> None:
    """Books checked dispositions; only RESTOCKED moves stock."""
    for line, each, location in checked:
        done = Disposition(
            number=action.number(Disposition),
            type=each.disposition_type,
            quantity=each.quantity,
            location=location,
            created_at=action.now(),
        )
        line.dispositions.append(action.shop.add(done))
        if location is not None and each.disposition_type == "RESTOCKED":
            cause = stock.Cause(kind="disposition", reference=done.id, line=line.fulfillment_line_item.line_item)
            stock.put_back(action, line.fulfillment_line_item.line_item, location, each.quantity, cause)
        reverse = line.reverse_order
        if sum(part.quantity for part in line.dispositions) >= line.total_quantity and _all_disposed(reverse):
            reverse.status = "CLOSED"
        action.emit("REVERSE_FULFILLMENT_ORDERS_DISPOSE", reverse, partial(payloads.dispose, reverse))
        touch(action, reverse.native_return.order)


def _all_disposed(reverse: ReverseOrder) -> bool:
    return all(sum(part.quantity for part in line.dispositions) >= line.total_quantity for line in reverse.lines)
