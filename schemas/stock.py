"""Stock: the item master, levels, and the conversation between the cases and the stock agent."""

from typing import Literal

import msgspec

from schemas import ids
from schemas.numbers import Change, Count, Level, Millis, Ordinal
from schemas.sku import meant

StockStatus = Literal["available", "damaged", "quality_control"]


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """`quantity` of `sku` in one bundle."""

    sku: str
    quantity: Count
    item_id: str | None = None


class ItemLocation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a location is active, and whether the item is stocked there."""

    location_id: str
    active: bool
    stocked: bool = True


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One item that a SKU or a variant id finds, with the SKU as the system writes it."""

    item_id: str
    sku: str
    variant_id: str | None = None
    active: bool = True  # False: archived
    options: tuple[str, ...] = ()


class StockItem(msgspec.Struct, frozen=True, kw_only=True):
    """The item master of the system of record at `version_ms`; the newest version wins.

    With an `item_id` it is that item, without one what the system finds by a SKU, or by a variant id where there is no
    SKU: `hits`, none where it does not exist.
    """

    fact_id: str
    merchant: str
    sku: str
    system: str
    version_ms: Millis
    exists: bool = True  # False: the system was asked and has none such
    item_id: str | None = None
    variant_id: str | None = None
    product_id: str | None = None
    parent_id: str | None = None
    is_parent: bool = False  # a matrix parent: never adjusted itself
    tracked: bool = True
    active: bool = True
    components: tuple[Component, ...] = ()  # not empty: a bundle
    locations: tuple[ItemLocation, ...] = ()
    read_order: Ordinal = 0  # see schemas/facts.py
    options: tuple[str, ...] = ()  # values of its options, such as size and colour
    hits: tuple[Hit, ...] = ()
    cut: bool = False  # the system finds more than was looked at: `hits` may not be all


class StockLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Quantity of an item at a location as the system of record reports it."""

    fact_id: str
    merchant: str
    sku: str
    system: str
    item_id: str
    location_id: str
    observed_at_ms: Millis
    available: Level | None  # None: not tracked
    active: bool = True
    reference: str | None = None  # command id where the journal entry names it
    read_order: Ordinal = 0  # see schemas/facts.py


class RestockIntent(msgspec.Struct, frozen=True, kw_only=True):
    """A case wants `quantity` units put back, or taken out again where it is below zero; the stock agent knows whether
    and how that is possible. `item_id` says of what; without one the SKU, or else the variant, has to find it."""

    intent_id: str
    merchant: str
    sku: str
    order_id: str
    rma_id: str
    unit_ids: tuple[str, ...]
    line_id: str | None
    system: str
    location_id: str
    quantity: Change
    stock_status: StockStatus
    generation: Ordinal
    decided_at_ms: Millis
    variant_id: str | None = None
    item_id: str | None = None
    bundle: Literal["components", "bundle"] | None = None  # as what a bundle goes into stock; None: as the model says
    stocked_before: bool = False  # it was put into stock before: a movement that undoes one, or follows one undone
    part_of: str | None = None  # intent of the bundle that this was commanded with; only its journal entry is awaited
    options: tuple[str, ...] = ()  # option values of what was returned, as far as they were told


class RestockVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The stock agent's answer to an intent. `reason` is an exception type when it is impossible."""

    fact_id: str
    merchant: str
    order_id: str
    rma_id: str
    intent_id: str
    unit_ids: tuple[str, ...]
    sku: str
    verdict: Literal["commanded", "impossible", "confirmed", "drift", "waiting"]
    decided_at_ms: Millis
    reason: str | None = None
    detail: str | None = None
    command_ids: tuple[str, ...] = ()


def row_key(fact: StockItem | StockLevel | RestockIntent) -> bytes:
    """Kafka key of the row that a fact belongs to: its item's, else that of the SKU which finds it, else its variant's.
    A fact that names none of them has the key of the SKU "", whose row keeps nothing."""
    if fact.item_id:
        return ids.item_key(fact.merchant, fact.system, fact.item_id)
    variant_id = None if isinstance(fact, StockLevel) else fact.variant_id
    if variant_id and not meant(fact.sku):
        return ids.variant_key(fact.merchant, fact.system, variant_id)
    return ids.sku_key(fact.merchant, fact.sku)
