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


def wrong_input(given: AdjustInput) -> list[Refusal]:
    """All that is wrong with names, reasons and documents, before any level is looked at."""
    refusals: list[Refusal] = []
    if given.name not in SETTABLE_NAMES:
        text = f"The specified quantity name is invalid. Valid values are: {', '.join(SETTABLE_NAMES)}."
        refusals.append(Refusal(["input", "name"], text, "INVALID_QUANTITY_NAME"))
    if given.reason not in REASONS:
        text = f"The specified reason is invalid. Valid values are: {', '.join(sorted(REASONS))}."
        refusals.append(Refusal(["input", "reason"], text, "INVALID_REASON"))
    if given.reference_document_uri is not None and ":" not in given.reference_document_uri:
        text = "The specified reference document is invalid."
        refusals.append(Refusal(["input", "referenceDocumentUri"], text, "INVALID_REFERENCE_DOCUMENT"))
    for index, change in enumerate(given.changes):
        where = ["input", "changes", str(index), "ledgerDocumentUri"]
        if wrong := _wrong_document(given.name, change.ledger_document_uri):
            refusals.append(Refusal(where, *wrong))
    if len({change.ledger_document_uri for change in given.changes}) > 1:
        text = (
            "All changes must have the same ledger document URI or, in the case of adjusting available, "
            "no ledger document URI."
        )
        refusals.append(Refusal(["input", "changes"], text, "MAX_ONE_LEDGER_DOCUMENT"))
    return refusals


def _wrong_document(name: str, uri: str | None) -> tuple[str, str] | None:
    """Text and code."""
    if name == "available" and uri is not None:
        return "A ledger document URI is not allowed when adjusting available.", "INVALID_AVAILABLE_DOCUMENT"
    if name != "available" and uri is None:
        return "A ledger document URI is required except when adjusting available.", "INVALID_QUANTITY_DOCUMENT"
    if uri is not None and uri.startswith("gid://shopify/"):
        text = "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API."
        return text, "INTERNAL_LEDGER_DOCUMENT"
    if uri is not None and ":" not in uri:
        return "The specified ledger document is invalid.", "INVALID_LEDGER_DOCUMENT"
    return None


def find_levels(shop: Shop, given: AdjustInput, levels: list[Level]) -> list[Refusal]:
    """Fills `levels`, one per change, or says of each change that cannot be made why."""
    refusals: list[Refusal] = []
    for index, change in enumerate(given.changes):
        where = ["input", "changes", str(index)]
        found = _level(shop, change, where)
        if isinstance(found, Refusal):
            refusals.append(found)
            continue
        refusals += _wrong_quantity(change, found.quantity(given.name), where)
        levels.append(found)
    return refusals


def _wrong_quantity(change: ChangeGiven, held: int, where: list[str]) -> list[Refusal]:
    refusals: list[Refusal] = []
    if isinstance(change.change_from_quantity, int) and change.change_from_quantity != held:
        text = "The changeFromQuantity argument no longer matches the persisted quantity."
        refusals.append(Refusal([*where, "changeFromQuantity"], text, "CHANGE_FROM_QUANTITY_STALE"))
    if held + change.delta > LIMIT:
        text = "The quantity can't be higher than 2,000,000,000."
        refusals.append(Refusal([*where, "delta"], text, "INVALID_QUANTITY_TOO_HIGH"))
    if held + change.delta < -LIMIT:
        text = "The quantity can't be lower than -2,000,000,000."
        refusals.append(Refusal([*where, "delta"], text, "INVALID_QUANTITY_TOO_LOW"))
    return refusals


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
