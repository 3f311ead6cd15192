"""What inventoryAdjustQuantities is given, and why it may be refused. Texts are those of the schema."""

from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from ops.sandbox.shopify.catalogue import SETTABLE_NAMES, Entity, Item, Level, Location
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import Refusal, parse_gid

REASONS = frozenset(
    [
        "correction",
        "cycle_count_available",
        "damaged",
        "movement_canceled",
        "movement_created",
        "movement_received",
        "movement_updated",
        "other",
        "promotion",
        "quality_control",
        "received",
        "reservation_created",
        "reservation_deleted",
        "reservation_updated",
        "restock",
        "safety_stock",
        "shrinkage",
    ]
)
LIMIT = 2_000_000_000
T = TypeVar("T", bound=Entity)
MAX_CHANGES = 250


class ChangeGiven(msgspec.Struct, frozen=True, kw_only=True):
    """InventoryChangeInput; `change_from_quantity` may be null but must be there."""

    delta: int
    inventory_item_id: str
    location_id: str
    change_from_quantity: int | UnsetType | None = UNSET
    ledger_document_uri: str | None = None


class AdjustInput(msgspec.Struct, frozen=True, kw_only=True):
    """InventoryAdjustQuantitiesInput."""

    changes: list[ChangeGiven]
    name: str
    reason: str
    reference_document_uri: str | None = None


def wrong_input(given: AdjustInput) -> Refusal | None:
    """What is wrong with names, reasons and documents, before any level is looked at."""
    if given.name not in SETTABLE_NAMES:
        text = f"The specified quantity name is invalid. Valid values are: {', '.join(SETTABLE_NAMES)}."
        return Refusal(["input", "name"], text, "INVALID_QUANTITY_NAME")
    if given.reason not in REASONS:
        text = f"The specified reason is invalid. Valid values are: {', '.join(sorted(REASONS))}."
        return Refusal(["input", "reason"], text, "INVALID_REASON")
    if given.reference_document_uri is not None and ":" not in given.reference_document_uri:
        return Refusal(
            ["input", "referenceDocumentUri"],
            "The specified reference document is invalid.",
            "INVALID_REFERENCE_DOCUMENT",
        )
    return _wrong_ledger(given)


def _wrong_ledger(given: AdjustInput) -> Refusal | None:
    for index, change in enumerate(given.changes):
        where, uri = ["input", "changes", str(index), "ledgerDocumentUri"], change.ledger_document_uri
        if given.name == "available" and uri is not None:
            return Refusal(
                where, "A ledger document URI is not allowed when adjusting available.", "INVALID_AVAILABLE_DOCUMENT"
            )
        if given.name != "available" and uri is None:
            return Refusal(
                where, "A ledger document URI is required except when adjusting available.", "INVALID_QUANTITY_DOCUMENT"
            )
        if uri is not None and uri.startswith("gid://shopify/"):
            return Refusal(
                where,
                "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API.",
                "INTERNAL_LEDGER_DOCUMENT",
            )
        if uri is not None and ":" not in uri:
            return Refusal(where, "The specified ledger document is invalid.", "INVALID_LEDGER_DOCUMENT")
    if len({change.ledger_document_uri for change in given.changes}) > 1:
        text = (
            "All changes must have the same ledger document URI or, in the case of adjusting available, "
            "no ledger document URI."
        )
        return Refusal(["input", "changes"], text, "MAX_ONE_LEDGER_DOCUMENT")
    return None


def find_levels(shop: Shop, given: AdjustInput, levels: list[Level]) -> Refusal | None:
    """Fills `levels`, one per change, or says which change cannot be made."""
    for index, change in enumerate(given.changes):
        found = _level(shop, change, ["input", "changes", str(index)])
        if isinstance(found, Refusal):
            return found
        where, held = ["input", "changes", str(index)], found.quantity(given.name)
        if isinstance(change.change_from_quantity, int) and change.change_from_quantity != held:
            text = "The changeFromQuantity argument no longer matches the persisted quantity."
            return Refusal([*where, "changeFromQuantity"], text, "CHANGE_FROM_QUANTITY_STALE")
        if held + change.delta > LIMIT:
            return Refusal(
                [*where, "delta"], "The quantity can't be higher than 2,000,000,000.", "INVALID_QUANTITY_TOO_HIGH"
            )
        if held + change.delta < -LIMIT:
            return Refusal(
                [*where, "delta"], "The quantity can't be lower than -2,000,000,000.", "INVALID_QUANTITY_TOO_LOW"
            )
        levels.append(found)
    return None


def _level(shop: Shop, change: ChangeGiven, where: list[str]) -> Level | Refusal:
    item = known(shop, Item, change.inventory_item_id)
    if item is None:
        return Refusal(
            [*where, "inventoryItemId"], "The specified inventory item could not be found.", "INVALID_INVENTORY_ITEM"
        )
    location = known(shop, Location, change.location_id)
    if location is None or not location.is_active:
        return Refusal([*where, "locationId"], "The specified location could not be found.", "INVALID_LOCATION")
    if item.variant.components:
        return Refusal(
            [*where, "inventoryItemId"],
            "The specified inventory item is not allowed to be adjusted via API.",
            "NON_MUTABLE_INVENTORY_ITEM",
        )
    level = item.levels.get(location.number)
    if level is None or not level.is_active:
        return Refusal(
            [*where, "locationId"], "The inventory item is not stocked at the location.", "ITEM_NOT_STOCKED_AT_LOCATION"
        )
    return level


def known(shop: Shop, kind: type[T], gid: str) -> T | None:
    """An entity by GID, None for another type or an unknown one."""
    parsed = parse_gid(gid)
    return shop.numbered(kind, parsed[1]) if parsed and parsed[0] == kind.typename else None
