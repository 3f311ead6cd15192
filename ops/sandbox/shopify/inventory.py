"""inventoryAdjustQuantities and inventoryActivate."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec
from graphql import GraphQLError
from msgspec import UNSET

from ops.sandbox.shopify import stock
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.adjust_input import MAX_CHANGES, AdjustInput, find_levels, known, wrong_input
from ops.sandbox.shopify.catalogue import Entity, Item, Level, Location
from ops.sandbox.shopify.values import Payload, Refusal


@dataclass(slots=True, kw_only=True, eq=False)
class Change:
    """One row of an adjustment's answer. `quantity_after_change` is never filled in."""

    name: str
    delta: int
    item: Item
    location: Location
    ledger_document_uri: str | None
    quantity_after_change: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class AdjustmentGroup(Entity):
    """What one call changed."""

    typename: ClassVar[str] = "InventoryAdjustmentGroup"
    reason: str
    reference_document_uri: str | None
    created_at: datetime
    rows: list[Change]


def inventory_adjust_quantities(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: all of its changes or none."""
    given = msgspec.convert(args["input"], AdjustInput)
    if len(given.changes) > MAX_CHANGES:
        text = f"The input array size of {len(given.changes)} is greater than the maximum allowed of {MAX_CHANGES}."
        raise GraphQLError(text, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
    if any(change.change_from_quantity is UNSET for change in given.changes):
        text = "InventoryChangeInput must include the following argument: changeFromQuantity."
        raise GraphQLError(text, extensions={"code": "INVALID_FIELD_ARGUMENTS"})
    if action.fault == "service_unavailable":
        return _refuse(Refusal(None, "The service is temporarily unavailable. Try again later.", "SERVICE_UNAVAILABLE"))
    levels: list[Level] = []
    if refusals := wrong_input(given) or find_levels(action.shop, given, levels):
        return _refuse(*refusals)
    if all(change.delta == 0 for change in given.changes):
        return {"inventory_adjustment_group": None, "user_errors": []}
    return {"inventory_adjustment_group": _apply(action, given, levels), "user_errors": []}


def _refuse(*refusals: Refusal) -> Payload:
    return {"inventory_adjustment_group": None, "user_errors": [*refusals]}


def _apply(action: Action, given: AdjustInput, levels: list[Level]) -> AdjustmentGroup:
    cause = stock.Cause(kind="adjustment", reference=given.reference_document_uri)
    rows: list[Change] = []
    for change, level in zip(given.changes, levels, strict=True):
        stock.move(action, level, given.name, change.delta, cause)
        rows.append(_row(given.name, change.delta, level, change.ledger_document_uri))
        if given.name != "incoming":
            rows.append(_row("on_hand", change.delta, level, None))
    group = AdjustmentGroup(
        number=action.number(AdjustmentGroup),
        reason=given.reason,
        reference_document_uri=given.reference_document_uri,
        created_at=action.now(),
        rows=rows,
    )
    return action.shop.add(group)


def _row(name: str, delta: int, level: Level, ledger_document_uri: str | None) -> Change:
    return Change(
        name=name, delta=delta, item=level.item, location=level.location, ledger_document_uri=ledger_document_uri
    )


def inventory_activate(action: Action, args: dict[str, object]) -> Payload:
    """The mutation: stocks an item at a location. Already active is a success; re-activation keeps the old quantity."""
    item = known(action.shop, Item, str(args["inventory_item_id"]))
    location = known(action.shop, Location, str(args["location_id"]))
    if location is None or not location.is_active:
        return _not_stocked(["locationId"], "The product couldn't be stocked because the location wasn't found.")
    if item is None:
        return _not_stocked(
            ["inventoryItemId"], "The product couldn't be stocked because the inventory item wasn't found."
        )
    level = item.levels.get(location.number)
    seeded = args.get("available") is not None or args.get("on_hand") is not None
    if level and level.is_active and seeded:
        return _not_stocked(
            ["available"], "Not allowed to set available quantity when the item is already active at the location."
        )
    if level is None:
        level = stock.new_level(action, item, location, 0)
        on_hand = args.get("on_hand")
        if isinstance(on_hand, int) and on_hand:
            stock.move(action, level, "available", on_hand, stock.Cause(kind="activation", reference=None))
    level.is_active = True
    return {"inventory_level": level, "user_errors": []}


def _not_stocked(where: list[str], text: str) -> Payload:
    return {"inventory_level": None, "user_errors": [Refusal(where, text)]}
