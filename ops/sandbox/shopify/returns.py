"""Native returns: returnCreate, reverseFulfillmentOrderDispose and returnClose. Texts are as recorded on a real
store."""

from datetime import datetime

import msgspec

from ops.sandbox.shopify import payloads
from ops.sandbox.shopify.action import Action, touch
from ops.sandbox.shopify.aftersales import (
    ExchangeLine,
    NativeReturn,
    ReasonDefinition,
    ReturnLine,
    ReverseLine,
    ReverseOrder,
)
from ops.sandbox.shopify.refunds import visible_order
from ops.sandbox.shopify.sales import FulfillmentLine, Order
from ops.sandbox.shopify.values import Payload, Refusal

NOTE_LIMIT = 255


class ReturnLineGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReturnLineItemInput."""

    fulfillment_line_item_id: str
    quantity: int
    return_reason: str | None = None
    return_reason_definition_id: str | None = None
    return_reason_note: str | None = None


class ExchangeGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ExchangeLineItemInput."""

    quantity: int
    variant_id: str | None = None


class ReturnGiven(msgspec.Struct, frozen=True, kw_only=True):
    """ReturnInput."""

    order_id: str
    return_line_items: list[ReturnLineGiven]
    exchange_line_items: list[ExchangeGiven] | None = None
    requested_at: datetime | None = None


def return_create(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: a return that starts OPEN, with its reverse fulfilment order."""
    given = msgspec.convert(args["return_input"], ReturnGiven)
    order = visible_order(action, given.order_id)
    if order is None:
        return {"return": None, "user_errors": [Refusal(["returnInput", "orderId"], "Order not found.", "NOT_FOUND")]}
    lines: list[ReturnLine] = []
    if refusals := _lines(action, order, given.return_line_items, lines):
        return {"return": None, "user_errors": refusals}
    exchanges = [
        action.shop.add(
            ExchangeLine(number=action.number(ExchangeLine), quantity=each.quantity, variant_id=each.variant_id)
        )
        for each in given.exchange_line_items or []
    ]
    return {"return": open_return(action, order, lines, exchanges), "user_errors": []}


def returnable(order: Order, sent: FulfillmentLine) -> int:
    """Units of a fulfilled line that are neither in a return nor refunded."""
    held = sum(
        line.quantity
        for each in order.returns
        if each.status not in ("CANCELED", "DECLINED")
        for line in each.lines
        if line.fulfillment_line_item is sent
    )
    refunded_by_returns = sum(
        line.refunded_quantity for each in order.returns for line in each.lines if line.fulfillment_line_item is sent
    )
    return max(0, sent.quantity - held - max(0, sent.line_item.refunded - refunded_by_returns))


def _lines(action: Action, order: Order, given: list[ReturnLineGiven], lines: list[ReturnLine]) -> list[Refusal]:
    if not given:
        return [Refusal(["returnInput", "returnLineItems"], "The array cannot be empty.", "BLANK")]
    sent = {line.number: line for parcel in order.fulfillments for line in parcel.lines}
    asked: dict[int, int] = {}
    refusals: list[Refusal] = []
    for index, each in enumerate(given):
        where = ["returnInput", "returnLineItems", str(index)]
        found = action.shop.find(FulfillmentLine, each.fulfillment_line_item_id)
        if found is None or found.number not in sent:
            text = "Fulfillment Line Item was not found."
            refusals.append(Refusal([*where, "fulfillmentLineItemId"], text, "NOT_FOUND"))
            continue
        asked[found.number] = asked.get(found.number, 0) + each.quantity
        if each.quantity < 1 or asked[found.number] > returnable(order, found):
            refusals.append(Refusal([*where, "quantity"], "Return line item has an invalid quantity.", "INVALID"))
        definition = each.return_reason_definition_id
        reason = action.shop.find(ReasonDefinition, definition) if definition else None
        refusals += _wrong_note(each, reason, [*where, "returnReasonNote"])
        lines.append(_line(action, found, each, reason, each.return_reason_note or ""))
    return refusals


def _wrong_note(each: ReturnLineGiven, reason: ReasonDefinition | None, where: list[str]) -> list[Refusal]:
    note = each.return_reason_note or ""
    if len(note) > NOTE_LIMIT:
        text = f"Return reason note is too long (maximum is {NOTE_LIMIT} characters)"
        return [Refusal(where, text, "TOO_LONG")]
    if (each.return_reason == "OTHER" or (reason and reason.handle == "other")) and not note:
        return [Refusal(where, "Return reason note cannot be blank.", "BLANK")]
    return []


def _line(
    action: Action, sent: FulfillmentLine, each: ReturnLineGiven, reason: ReasonDefinition | None, note: str
) -> ReturnLine:
    return ReturnLine(
        number=action.number(ReturnLine),
        fulfillment_line_item=sent,
        quantity=each.quantity,
        return_reason=each.return_reason or "UNKNOWN",
        return_reason_note=note,
        reason_definition=reason,
    )


def open_return(action: Action, order: Order, lines: list[ReturnLine], exchanges: list[ExchangeLine]) -> NativeReturn:
    """Makes an open return of checked lines; an archived order is open again afterwards."""
    native = NativeReturn(
        number=action.number(NativeReturn),
        order=order,
        name=f"{order.name}-R{len(order.returns) + 1}",
        status="OPEN",
        created_at=action.now(),
        lines=[action.shop.add(line) for line in lines],
        exchange_lines=exchanges,
    )
    reverse = ReverseOrder(number=action.number(ReverseOrder), native_return=native, status="OPEN")
    reverse.lines = [
        action.shop.add(
            ReverseLine(
                number=action.number(ReverseLine),
                reverse_order=reverse,
                fulfillment_line_item=line.fulfillment_line_item,
                total_quantity=line.quantity,
            )
        )
        for line in lines
    ]
    native.reverse_orders.append(action.shop.add(reverse))
    order.returns.append(action.shop.add(native))
    order.closed_at = None
    action.emit("RETURNS_APPROVE", native, lambda: payloads.approved(native))
    touch(action, order)
    return native


def return_close(action: Action, args: dict[str, object]) -> Payload:
    """The mutation; closing a closed return is a success that changes nothing."""
    native = action.shop.find(NativeReturn, str(args["gid"]))
    if native is None:
        return {"return": None, "user_errors": [Refusal(["id"], "Return not found.", "NOT_FOUND")]}
    if native.status not in ("OPEN", "CLOSED"):
        return {"return": None, "user_errors": [Refusal(["id"], "Return status is invalid.", "INVALID_STATE")]}
    if native.status == "OPEN":
        native.status, native.closed_at = "CLOSED", action.now()
        action.emit("RETURNS_CLOSE", native, lambda: payloads.closed(native))
        touch(action, native.order)
    return {"return": native, "user_errors": []}
