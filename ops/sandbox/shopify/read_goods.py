"""How catalogue and stock read: resolvers of fields that are more than an attribute."""

from typing import TypeVar, Unpack

from ops.sandbox.shopify.aftersales import ReasonDefinition
from ops.sandbox.shopify.catalogue import ALL_NAMES, Entity, Item, Level, Location, Product, Variant
from ops.sandbox.shopify.connections import Page, connection, paged
from ops.sandbox.shopify.inventory import AdjustmentGroup, Change
from ops.sandbox.shopify.search import search
from ops.sandbox.shopify.session import Info, Resolvers
from ops.sandbox.shopify.shop import Shop
from ops.sandbox.shopify.values import Payload

T = TypeVar("T", bound=Entity)


def _total(variant: Variant) -> int:
    if variant.components:
        return min(_total(part.product_variant) // part.quantity for part in variant.components)
    return sum(level.quantity("available") for level in variant.inventory_item.levels.values() if level.is_active)


def _levels(item: Item, include_inactive: bool | None) -> list[Level]:
    return [level for level in item.levels.values() if level.is_active or include_inactive]


def _level(item: Item, _info: Info, location_id: str, include_inactive: bool | None = None) -> Level | None:
    return next((level for level in _levels(item, include_inactive) if level.location.id == location_id), None)


def _item_levels(
    item: Item, _info: Info, include_inactive: bool | None = None, query: str | None = None, **page: Unpack[Page]
) -> Payload:
    del query
    return connection(_levels(item, include_inactive), **page)


def _location_levels(
    location: Location, info: Info, include_inactive: bool | None = None, query: str | None = None, **page: Unpack[Page]
) -> Payload:
    del query
    levels = [
        level
        for level in info.context.shop.all(Level)
        if level.location is location and (level.is_active or include_inactive)
    ]
    return connection(levels, **page)


def _location_level(
    location: Location, info: Info, inventory_item_id: str, include_inactive: bool | None = None
) -> Level | None:
    item = info.context.shop.find(Item, inventory_item_id)
    return _level(item, info, location.id, include_inactive) if item else None


def _quantities(level: Level, _info: Info, names: list[str]) -> list[Payload]:
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{level.number}?name={name}",
            "name": name,
            "quantity": level.quantity(name),
            "updated_at": level.updated_at,
        }
        for name in names
        if name in ALL_NAMES
    ]


def _changes(
    group: AdjustmentGroup,
    _info: Info,
    inventory_item_ids: list[str] | None = None,
    location_ids: list[str] | None = None,
    quantity_names: list[str] | None = None,
) -> list[Change]:
    return [
        row
        for row in group.rows
        if (inventory_item_ids is None or row.item.id in inventory_item_ids)
        and (location_ids is None or row.location.id in location_ids)
        and (quantity_names is None or row.name in quantity_names)
    ]


def _found(kind: type[T], info: Info, query: str | None) -> list[T]:
    return search(info.context.shop.searched(kind, query, info.context.world.clock.now()), query)


def _inventory_items(_root: object, info: Info, query: str | None = None, **page: Unpack[Page]) -> Payload:
    return connection(_found(Item, info, query), **page)


def _variants(
    _root: object, info: Info, query: str | None = None, sort_key: str | None = None, **page: Unpack[Page]
) -> Payload:
    del sort_key
    return connection(_found(Variant, info, query), **page)


def _products(
    _root: object, info: Info, query: str | None = None, sort_key: str | None = None, **page: Unpack[Page]
) -> Payload:
    del sort_key
    return connection(_found(Product, info, query), **page)


def _locations(
    _root: object,
    info: Info,
    include_inactive: bool | None = None,
    include_legacy: bool | None = None,
    query: str | None = None,
    sort_key: str | None = None,
    **page: Unpack[Page],
) -> Payload:
    del include_legacy, sort_key
    shown = [location for location in info.context.shop.all(Location) if location.is_active or include_inactive]
    return connection(search([(each, {"name": each.name}) for each in shown], query), **page)


def _one_location(_root: object, info: Info, gid: str | None = None) -> Location | None:
    shop: Shop = info.context.shop
    return shop.find(Location, gid) if gid else next((each for each in shop.all(Location) if each.is_active), None)


def _reasons(
    _root: object,
    info: Info,
    ids: list[str] | None = None,
    handles: list[str] | None = None,
    query: str | None = None,
    **page: Unpack[Page],
) -> Payload:
    del query
    shown = [
        each
        for each in info.context.shop.all(ReasonDefinition)
        if (ids is None or each.id in ids) and (handles is None or each.handle in handles)
    ]
    return connection(shown, **page)


LOCATION: Resolvers = {
    "activatable": lambda location, _info: not location.is_active,
    "deactivatable": lambda location, _info: location.is_active,
    "deactivatedAt": lambda location, _info: None if location.is_active else location.updated_at.isoformat(),
    "fulfillsOnlineOrders": lambda location, _info: location.is_active,
    "hasActiveInventory": lambda location, info: any(
        level.location is location and level.is_active and level.quantity("on_hand")
        for level in info.context.shop.all(Level)
    ),
    "inventoryLevel": _location_level,
    "inventoryLevels": _location_levels,
    "shipsInventory": lambda location, _info: location.is_active,
}
PRODUCT: Resolvers = {
    "handle": lambda product, _info: product.title.lower().replace(" ", "-"),
    "hasOnlyDefaultVariant": lambda product, _info: len(product.variants) == 1,
    "hasVariantsThatRequiresComponents": lambda product, _info: any(variant.components for variant in product.variants),
    "productType": lambda _product, _info: "",
    "tags": lambda _product, _info: [],
    "totalInventory": lambda product, _info: sum(_total(variant) for variant in product.variants),
    "tracksInventory": lambda product, _info: any(variant.inventory_item.tracked for variant in product.variants),
    "variants": paged(lambda product: product.variants),
    "vendor": lambda _product, _info: "Sandbox",
}
VARIANT: Resolvers = {
    "availableForSale": lambda variant, _info: not variant.inventory_item.tracked or _total(variant) > 0,
    "compareAtPrice": lambda _variant, _info: None,
    "displayName": lambda variant, _info: f"{variant.product.title} - {variant.title}",
    "inventoryPolicy": lambda _variant, _info: "DENY",
    "inventoryQuantity": lambda variant, _info: _total(variant),
    "position": lambda variant, _info: variant.product.variants.index(variant) + 1,
    "productVariantComponents": paged(lambda variant: variant.components),
    "requiresComponents": lambda variant, _info: bool(variant.components),
    "sku": lambda variant, _info: variant.sku or None,
    "selectedOptions": lambda variant, _info: [{"name": "Title", "value": variant.title}],
    "taxable": lambda _variant, _info: True,
}
ITEM: Resolvers = {
    "duplicateSkuCount": lambda _item, _info: 0,
    "inventoryLevel": _level,
    "inventoryLevels": _item_levels,
    "requiresShipping": lambda _item, _info: True,
    "sku": lambda item, _info: item.sku or None,
    "unitCost": lambda _item, _info: None,
    "variants": paged(lambda item: item.variant_of),
}
LEVEL: Resolvers = {"canDeactivate": lambda level, _info: level.quantity("on_hand") == 0, "quantities": _quantities}
GROUP: Resolvers = {"changes": _changes}
ROOT: Resolvers = {
    "inventoryItem": lambda _root, info, gid: info.context.shop.find(Item, gid),
    "inventoryItems": _inventory_items,
    "inventoryLevel": lambda _root, info, gid: info.context.shop.find(Level, gid),
    "location": _one_location,
    "locations": _locations,
    "product": lambda _root, info, gid: info.context.shop.find(Product, gid),
    "productVariant": lambda _root, info, gid: info.context.shop.find(Variant, gid),
    "productVariants": _variants,
    "products": _products,
    "returnReasonDefinitions": _reasons,
}
RESOLVERS: dict[str, Resolvers] = {
    "Location": LOCATION,
    "Product": PRODUCT,
    "ProductVariant": VARIANT,
    "InventoryItem": ITEM,
    "InventoryLevel": LEVEL,
    "InventoryAdjustmentGroup": GROUP,
    "ReturnReasonDefinition": {"deleted": lambda _reason, _info: False},
}
