"""Which item an intent means that names none: what its SKU finds, or its variant where there is no SKU (INV-19).

Ids come before text: among several hits the variant that was returned decides, else the one that is not archived and
whose option values are those that were told. A guess is never made: none, several and archived hits are raised apart.
"""

from collections.abc import Iterable

import msgspec

from schemas.sku import meant, spelled_so
from schemas.stock import Hit, RestockIntent, StockItem

# What a shop calls the only variant of a product without options.
_NO_OPTION = "default title"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The one item that is meant."""

    hit: Hit


class Impossible(msgspec.Struct, frozen=True, kw_only=True):
    """It cannot be done on the item as it is; `reason` is an exception type."""

    reason: str
    detail: str


def find(intent: RestockIntent, index: StockItem) -> Found | Impossible:
    """What `index`, all that the system finds, means for an intent."""
    hits = index.hits if index.exists else ()
    if index.cut and intent.variant_id not in {hit.variant_id for hit in hits if hit.variant_id}:
        detail = f"{index.system} has more like {_named(intent)} than can be looked at: which one is meant is unknown"
        return Impossible(reason="ambiguous_sku", detail=detail)
    if not hits:
        return _none(intent, index)
    if intent.variant_id is not None and any(hit.variant_id for hit in hits):
        return _of_variant(intent, intent.variant_id, hits)
    hits = tuple(spelled_so(intent.sku, hits, lambda hit: hit.sku))
    live = [hit for hit in hits if hit.active]
    if not live:
        detail = f"{index.system} has {_named(intent)} only on archived items: {_listed(hits)}"
        return Impossible(reason="archived_item", detail=detail)
    fitting = [hit for hit in live if options_agree(intent.options, hit.options)]
    if not fitting:
        detail = f"{_named(intent)} is {_listed(live)} now, {' / '.join(intent.options)} was returned"
        return Impossible(reason="variant_missing_in_matrix", detail=detail)
    if len(fitting) > 1:
        detail = f"{_named(intent)} is on {len(fitting)} items and nothing tells which one: {_listed(fitting)}"
        return Impossible(reason="ambiguous_sku", detail=detail)
    return Found(hit=fitting[0])


def options_agree(told: tuple[str, ...], known: tuple[str, ...]) -> bool:
    """Whether two lists of option values may be one variant's: in any sequence, as far as both are there."""
    one, other = _values(told), _values(known)
    return not one or not other or one == other


def _none(intent: RestockIntent, index: StockItem) -> Impossible:
    where = index.parent_id or index.product_id
    if where:
        detail = f"{index.system} has the matrix {where} but no variant {intent.sku} in it"
        return Impossible(reason="variant_missing_in_matrix", detail=detail)
    if intent.variant_id:  # an id that was told was there once
        detail = f"{index.system} has no {_named(intent)} any more, the returned unit is variant {intent.variant_id}"
        return Impossible(reason="deleted_item", detail=detail)
    return Impossible(reason="unknown_sku", detail=f"{index.system} has no {_named(intent)}")


def _of_variant(intent: RestockIntent, variant_id: str, hits: tuple[Hit, ...]) -> Found | Impossible:
    same = next((hit for hit in hits if hit.variant_id == variant_id), None)
    if same is not None:
        return Found(hit=same)
    detail = f"{_named(intent)} is {_listed(hits)} now, the returned unit is variant {variant_id}"
    return Impossible(reason="variant_missing_in_matrix", detail=detail)


def _named(intent: RestockIntent) -> str:
    return f"SKU {intent.sku}" if meant(intent.sku) else f"variant {intent.variant_id}"


def _listed(hits: Iterable[Hit]) -> str:
    shown = [f"variant {hit.variant_id}" if hit.variant_id else f"item {hit.item_id}" for hit in hits]
    return ", ".join(sorted(shown)[:10])


def _values(options: tuple[str, ...]) -> list[str]:
    # Who tells a variant by one text joins its values with a slash, which a value may hold itself: "EU 38 / UK 5".
    parts = [meant(part) for each in options for part in each.split("/")]
    values = sorted(filter(None, parts))
    return [] if values == [_NO_OPTION] else values
