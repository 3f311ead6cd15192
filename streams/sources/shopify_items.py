"""What Shopify's read flows find, to facts: an item with its stock levels, and the items that a SKU finds. Pure."""

import msgspec

from schemas import ids
from schemas.stock import Component, Hit, ItemLocation, StockItem, StockLevel
from streams.sources.fields import (
    Json,
    code,
    count,
    flag,
    ident,
    label,
    malformed,
    obj,
    opt,
    opt_ident,
    opt_instant,
    rows,
)
from streams.sources.shopify_orders import SYSTEM

_LARGEST_STOCK = 1_000_000_000


def index(found: Json, *, merchant: str, sku: str = "", variant_id: str | None = None, read_at_ms: int) -> StockItem:
    """What the shop finds by a SKU, or by a variant id where there is no SKU; raises Malformed."""
    hits = sorted(map(_hit, rows(found.get("nodes"), "productVariants")), key=lambda hit: hit.item_id)
    return _named(
        StockItem(
            fact_id="", merchant=merchant, sku=sku, system=SYSTEM, version_ms=read_at_ms, exists=bool(hits),
            variant_id=variant_id, hits=tuple(hits), cut=not found.get("complete"),
        )
    )  # fmt: skip


def _hit(found: Json) -> Hit:
    return Hit(
        item_id=ident(_inventory_item(found).get("id"), "inventoryItem.id"), sku=code(found.get("sku"), "sku") or "",
        variant_id=ident(found.get("id"), "id"), active=_active(found), options=_options(found),
    )  # fmt: skip


def _active(found: Json) -> bool:
    """A draft is no archived product: its goods are counted."""
    return opt(found.get("product"), "product").get("status") != "ARCHIVED"


def _options(found: Json) -> tuple[str, ...]:
    listed = rows(found.get("selectedOptions"), "selectedOptions")
    named = [label(each.get("value"), "selectedOptions.value") for each in listed]
    return tuple(each for each in named if each)


def missing(item_id: str, *, merchant: str, read_at_ms: int) -> StockItem:
    """The shop was asked and has no such item any more."""
    gone = StockItem(
        fact_id="", merchant=merchant, sku="", system=SYSTEM, version_ms=read_at_ms, exists=False, item_id=item_id
    )
    return _named(gone)


def item(found: Json, *, merchant: str, read_at_ms: int) -> StockItem:
    """The item master of one item; raises Malformed.

    Its version is the time of reading, as Shopify's own does not move when a location is switched off; its id is made
    of the content alone, so the same item read again is the same fact.
    """
    stocked = _inventory_item(found)
    product = opt(found.get("product"), "product")
    return _named(
        StockItem(
            fact_id="",
            merchant=merchant,
            sku=code(found.get("sku"), "sku") or "",
            system=SYSTEM,
            version_ms=read_at_ms,
            item_id=ident(stocked.get("id"), "inventoryItem.id"),
            variant_id=None if found.get("shared") else ident(found.get("id"), "id"),
            product_id=opt_ident(product.get("id"), "product.id"),
            tracked=bool(flag(stocked.get("tracked"), "inventoryItem.tracked")),
            active=_active(found),
            options=_options(found),
            components=_components(found),
            locations=tuple(sorted(map(_place, _levels(stocked)), key=lambda place: place.location_id)),
        )
    )


def levels(found: Json, *, merchant: str, read_at_ms: int) -> list[StockLevel]:
    """What is available of the item at each location that stocks it; raises Malformed."""
    stocked = _inventory_item(found)
    item_id, sku = ident(stocked.get("id"), "inventoryItem.id"), code(found.get("sku"), "sku") or ""
    listed = []
    for row in _levels(stocked):
        place = _place(row)
        at_ms = opt_instant(row.get("updatedAt"), "inventoryLevels.updatedAt") or read_at_ms
        available = _available(row) if flag(stocked.get("tracked"), "inventoryItem.tracked") else None
        identity = (place.location_id, str(at_ms), str(available), str(place.stocked), str(place.active))
        listed.append(
            StockLevel(
                fact_id=ids.fact_id(SYSTEM, f"{merchant}/{item_id}", "level", *identity),
                merchant=merchant,
                sku=sku,
                system=SYSTEM,
                item_id=item_id,
                location_id=place.location_id,
                observed_at_ms=at_ms,
                available=available,
                active=place.active,
            )
        )
    return listed


def _named(found: StockItem) -> StockItem:
    content = msgspec.structs.replace(found, version_ms=0)
    identity = ids.digest(msgspec.json.encode(content))
    return msgspec.structs.replace(
        found, fact_id=ids.fact_id(SYSTEM, f"{found.merchant}/{found.item_id or found.sku}", "item", identity)
    )


def _inventory_item(found: Json) -> Json:
    return obj(found.get("inventoryItem"), "inventoryItem")


def _levels(stocked: Json) -> list[Json]:
    return rows(stocked.get("inventoryLevels"), "inventoryLevels")


def _place(row: Json) -> ItemLocation:
    location = obj(row.get("location"), "inventoryLevels.location")
    return ItemLocation(
        location_id=ident(location.get("id"), "inventoryLevels.location.id"),
        active=flag(location.get("isActive"), "inventoryLevels.location.isActive") is not False,
        stocked=flag(row.get("isActive"), "inventoryLevels.isActive") is not False,
    )


def _available(row: Json) -> int | None:
    for each in rows(row.get("quantities"), "inventoryLevels.quantities"):
        if each.get("name") == "available":
            number = each.get("quantity")  # below zero when a shop oversells
            if isinstance(number, bool) or not isinstance(number, int) or abs(number) > _LARGEST_STOCK:
                raise malformed("inventoryLevels.quantities.quantity", "a whole number", number)
            return number
    return None


def _components(found: Json) -> tuple[Component, ...]:
    parts = opt(found.get("productVariantComponents"), "productVariantComponents")
    if opt(parts.get("pageInfo"), "productVariantComponents.pageInfo").get("hasNextPage"):
        # half a bundle would be restocked as if it were the whole
        raise malformed("productVariantComponents", "all components on one page", parts)
    listed = []
    for row in rows(found.get("productVariantComponents"), "productVariantComponents"):
        variant = obj(row.get("productVariant"), "productVariantComponents.productVariant")
        stocked = opt(variant.get("inventoryItem"), "productVariantComponents.inventoryItem")
        listed.append(
            Component(
                sku=code(variant.get("sku"), "productVariantComponents.sku") or "",
                quantity=count(row.get("quantity"), "productVariantComponents.quantity"),
                item_id=opt_ident(stocked.get("id"), "productVariantComponents.inventoryItem.id"),
            )
        )
    return tuple(sorted(listed, key=lambda each: (each.sku, each.item_id or "")))
