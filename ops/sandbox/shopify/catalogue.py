"""What a shop sells and where it lies: locations, products, variants, inventory items and their levels."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

SETTABLE_NAMES = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
ON_HAND_NAMES = ("available", "committed", "reserved", "damaged", "safety_stock", "quality_control")
ALL_NAMES = (*SETTABLE_NAMES, "committed", "on_hand")


@dataclass(slots=True, kw_only=True, eq=False)
class Entity:
    """Something with a GID."""

    typename: ClassVar[str]
    number: int

    @property
    def id(self) -> str:
        """Its GID."""
        return f"gid://shopify/{self.typename}/{self.number}"

    @property
    def legacy_resource_id(self) -> int:
        """The number in its GID."""
        return self.number


@dataclass(slots=True, kw_only=True, eq=False)
class Location(Entity):
    """A place with stock."""

    typename: ClassVar[str] = "Location"
    name: str
    is_active: bool
    is_fulfillment_service: bool
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Product(Entity):
    """A product with its variants."""

    typename: ClassVar[str] = "Product"
    title: str
    is_gift_card: bool
    created_at: datetime
    updated_at: datetime
    status: str = "ACTIVE"
    variants: list[Variant] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Component(Entity):
    """A part of a bundle: so many of that variant."""

    typename: ClassVar[str] = "ProductVariantComponent"
    product_variant: Variant
    quantity: int


@dataclass(slots=True, kw_only=True, eq=False)
class Variant(Entity):
    """What is bought. With components it is the parent of a bundle, and its own stock cannot be moved. `known_as`: its
    name at the control door and in the books; its SKU may be empty, or another's too."""

    typename: ClassVar[str] = "ProductVariant"
    title: str
    known_as: str
    sku: str
    barcode: str | None
    price: Decimal
    product: Product
    inventory_item: Item
    created_at: datetime
    updated_at: datetime
    components: list[Component] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Item(Entity):
    """The stock-keeping side of a variant."""

    typename: ClassVar[str] = "InventoryItem"
    sku: str
    tracked: bool
    created_at: datetime
    updated_at: datetime
    variant_of: list[Variant] = field(default_factory=list)
    levels: dict[int, Level] = field(default_factory=dict)

    @property
    def known_as(self) -> str:
        """Its name at the control door and in the books."""
        return self.variant.known_as

    @property
    def variant(self) -> Variant:
        """The variant it belongs to."""
        return self.variant_of[0]


@dataclass(slots=True, kw_only=True, eq=False)
class Level(Entity):
    """Stock of one item at one location, by name."""

    typename: ClassVar[str] = "InventoryLevel"
    item: Item
    location: Location
    is_active: bool
    created_at: datetime
    updated_at: datetime
    quantities_held: dict[str, int]
    opening: dict[str, int]

    @property
    def id(self) -> str:
        """Its GID, whose query part belongs to it."""
        return f"gid://shopify/InventoryLevel/{self.number}?inventory_item_id={self.item.number}"

    def quantity(self, name: str) -> int:
        """How many under that name; on_hand is the sum of its parts."""
        if name == "on_hand":
            return sum(self.quantities_held[part] for part in ON_HAND_NAMES)
        return self.quantities_held[name]
