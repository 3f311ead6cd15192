"""Put units back into stock, once: through the native return that covers them, else by a relative adjustment. Or take
out again what was put there, by an adjustment whichever way it came: Shopify takes no disposition back.

The path is chosen once. What decides it is a metafield of the order that can only be created: a disposal claims the
command there before it is sent. An adjustment is repeated with the same key and needs no mark, except where a claim of
an earlier attempt may still be on its way: then the mark is written first, and the claim finds the place taken.
"""

import msgspec

from schemas.commands import Restock
from sinks import contract
from sinks.contract import INTERRUPTED, Attempt, Flow, ReadFlow
from sinks.outcomes import Applied, Rejected, Uncertain
from sinks.systems.ended import Ended
from sinks.systems.shopify import calls, marks, native, native_cover, refusals
from sinks.systems.shopify.adjust_many import BATCHING
from sinks.systems.shopify.connection import Connection
from sinks.systems.shopify.gids import gid, number
from sinks.systems.shopify.shapes import Payload, Ref, Shape

# Shopify forgets a key after 24 h and then executes it again. The margin is for queues and for clocks: one that is set
# back by hours meanwhile makes the time since seem shorter than it was.
KEY_HORIZON_SECONDS = 20 * 3600.0
CLOCKS_APART_MS = 60_000
REASONS = {"available": "restock", "damaged": "damaged", "quality_control": "quality_control"}
REASON_OUT = "correction"  # of what goes out again, whatever it was put in for


class Level(Shape, frozen=True):
    id: str
    is_active: bool


class Item(Shape, frozen=True):
    id: str
    tracked: bool
    inventory_level: Level | None = None


class Place(Shape, frozen=True):
    id: str
    is_active: bool
    is_fulfillment_service: bool


class LookedOrder(Shape, frozen=True):
    id: str
    return_status: str
    metafield: native.Metafield | None = None


class Look(Shape, frozen=True):
    order: LookedOrder | None
    inventory_item: Item | None
    location: Place | None


class Change(Shape, frozen=True):
    name: str
    delta: int


class AdjustmentGroup(Shape, frozen=True):
    id: str
    changes: tuple[Change, ...] = ()


class Adjusted(Payload, frozen=True):
    inventory_adjustment_group: AdjustmentGroup | None = None


class Activated(Payload, frozen=True):
    inventory_level: Ref | None = None


def restock(command: Restock, c: Connection, attempt: Attempt) -> Flow:
    """Moves `quantity` units into `stock_status` at the location, by one of the two paths; below zero: out of it."""
    looked = yield from _look(command, c)
    if command.quantity < 0:
        return (yield from _take_out(command, c, attempt, looked))
    order = looked.order
    if order is None:
        detail = f"order {command.order_id} is not in the shop; older than 60 days it needs the scope read_all_orders"
        return Rejected(code="orphan_return", detail=detail)
    mark = order.metafield
    if mark is not None and not native.adjusts(mark):
        return (yield from native.finish(command, c, attempt, mark))
    claimable = mark is None and _may_be_claimed(command, attempt)
    _possible(command, looked)
    cover = yield from _cover(command, c, order)
    covered = native_cover.belongs(cover, command)
    if attempt.first_sent_ms is None:
        _takes_stock(command, looked.location)
        if covered and mark is None and command.stock_status == "available":
            return (yield from native.dispose(command, c, attempt, cover))
        if not _stocked(looked.inventory_item):
            yield from _activate(command, c, attempt)
        elif not claimable and (change := _left_to_others(command, attempt, cover)) is not None:
            return change
    else:
        _within_horizon(command, attempt.now_ms - attempt.first_sent_ms)
    if claimable:
        yield from native.keep_to_adjusting(command, c, attempt)
    applied = yield from _adjust(command, c, attempt)
    return msgspec.structs.replace(applied, detail=(yield from native.book(command, c, cover)))


def _take_out(command: Restock, c: Connection, attempt: Attempt, looked: Look) -> Flow:
    """By itself, never in a batch: what goes in and out of one place in one request adds up to no movement.

    It does not stop at zero. A piece that was sold meanwhile and is not for sale was oversold: that must be seen.
    """
    _possible(command, looked)
    if attempt.first_sent_ms is None:
        _takes_stock(command, looked.location)
        if not _stocked(looked.inventory_item):
            raise Ended(_stocked_no_more(command))
    else:
        _within_horizon(command, attempt.now_ms - attempt.first_sent_ms)
    return (yield from _adjust(command, c, attempt))


def _left_to_others(command: Restock, attempt: Attempt, cover: native_cover.Cover) -> contract.Change | None:
    """The adjustment, where nothing else is left to do and others may make it together with theirs."""
    return BATCHING.change(command) if attempt.may_join and not cover.undisposed else None


def _may_be_claimed(command: Restock, attempt: Attempt) -> bool:
    """Whether a claim of an earlier attempt may still arrive: one was sent, or nobody knows what was."""
    disposable = not (command.line_id is None or command.stocked_before) and command.stock_status == "available"
    unknown = attempt.first_sent_ms is not None or INTERRUPTED in attempt.notes
    return disposable and (unknown or native.CLAIM_SENT in attempt.notes)


def _look(command: Restock, c: Connection) -> ReadFlow[Look]:
    variables = {
        "order": gid("Order", command.order_id),
        "item": gid("InventoryItem", command.item_id),
        "location": gid("Location", command.location_id),
        "claim": marks.claim_key(command.command_id),
    }
    return (yield from calls.look(c, "restock_look", variables, Look))


def _cover(command: Restock, c: Connection, order: LookedOrder) -> ReadFlow[native_cover.Cover]:
    if command.line_id is None or command.stocked_before or order.return_status == "NO_RETURN":
        return native_cover.Cover(sold_line="")
    return (yield from native_cover.read(c, command.order_id, command.line_id))


def _possible(command: Restock, looked: Look) -> None:
    """Ended when no attempt can have or should have moved this item's stock there."""
    item, place = looked.inventory_item, looked.location
    if item is None:
        raise Ended(Rejected(code="deleted_item", detail=f"{command.sku}: no inventory item {command.item_id}"))
    if not item.tracked:
        detail = f"{command.sku}: the shop does not track inventory item {command.item_id}"
        raise Ended(Rejected(code="untracked_item", detail=detail))
    if place is None:
        raise Ended(Rejected(code="unmapped_location", detail=f"the shop has no location {command.location_id}"))
    if place.is_fulfillment_service:
        detail = f"location {command.location_id} belongs to a fulfilment service, which keeps its own stock"
        raise Ended(Rejected(code="inactive_location", detail=detail))
    if not command.quantity:
        raise Ended(Rejected(code="over_quantity", detail=f"{command.sku}: expected units to move, got none"))


def _takes_stock(command: Restock, place: Place | None) -> None:
    """Ended when the location is switched off. Asked only before the first write: later an attempt may be in it."""
    if place is not None and not place.is_active:
        raise Ended(Rejected(code="inactive_location", detail=f"location {command.location_id} is not active"))


def _stocked(item: Item | None) -> bool:
    return item is not None and item.inventory_level is not None and item.inventory_level.is_active


def _stocked_no_more(command: Restock) -> Rejected:
    detail = (
        f"{command.sku}: {-command.quantity} were to leave {command.stock_status}, but the shop does not stock "
        f"it at location {command.location_id} any more: count it"
    )
    return Rejected(code="stock_drift", detail=detail)


def _within_horizon(command: Restock, age_ms: int) -> None:
    """Ended when Shopify has forgotten the key: it would execute it a second time, and adjustments cannot be found."""
    if (
        age_ms >= KEY_HORIZON_SECONDS * 1000 or age_ms < -CLOCKS_APART_MS
    ):  # the clock was set back: nobody knows how long
        detail = (
            f"the adjustment was sent {age_ms // 3_600_000} h ago without an answer and cannot be looked up; "
            f"see whether the item's history names {marks.reference_uri(command.command_id)}"
        )
        raise Ended(Rejected(code="rejected_by_system", detail=detail))


def _adjust(command: Restock, c: Connection, attempt: Attempt) -> ReadFlow[Applied]:
    variables = {"input": _adjustment(command), "key": attempt.idempotency_key}
    reply = yield from calls.effect(c, "adjust", variables, Adjusted)
    if any(error.code == "ITEM_NOT_STOCKED_AT_LOCATION" for error in reply.user_errors):
        if command.quantity < 0:
            raise Ended(_stocked_no_more(command))
        yield from _activate(command, c, attempt)
        raise Ended(Uncertain(reason="activated_at_location", new_key=True))
    if reply.user_errors:
        raise Ended(refusals.outcome("Adjust", reply.user_errors))
    group = reply.inventory_adjustment_group
    if group is None or not any(x.name == command.stock_status for x in group.changes):
        detail = f"{command.sku}: Shopify accepted the adjustment and changed nothing"
        raise Ended(Rejected(code="stock_drift", detail=detail))
    return Applied(external_ids={"adjustment_id": number(group.id)}, quantity=command.quantity)


def _adjustment(command: Restock) -> calls.Variables:
    change: calls.Variables = {
        "inventoryItemId": gid("InventoryItem", command.item_id),
        "locationId": gid("Location", command.location_id),
        "delta": command.quantity,
        "changeFromQuantity": None,  # has to be there; null: deltas commute, whatever the level is
    }
    uri = marks.reference_uri(command.command_id)
    if command.stock_status != "available":  # demanded for every state but this one, forbidden for this one
        change["ledgerDocumentUri"] = uri
    return {
        "name": command.stock_status,
        "reason": REASONS[command.stock_status] if command.quantity > 0 else REASON_OUT,
        "referenceDocumentUri": uri,
        "changes": [change],
    }


def _activate(command: Restock, c: Connection, attempt: Attempt) -> ReadFlow[None]:
    variables = {
        "item": gid("InventoryItem", command.item_id),
        "location": gid("Location", command.location_id),
        "key": f"{attempt.idempotency_key}-activate",
    }
    reply = yield from calls.write(c, "activate", variables, Activated)
    if reply.user_errors:
        raise Ended(refusals.outcome("Activate", reply.user_errors))
