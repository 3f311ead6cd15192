"""What searching for goods finds, as the sources tell it."""

from schemas.stock import Hit, StockItem


def found_by_sku(*items: StockItem, sku: str | None = None) -> StockItem:
    """What a search for the SKU of these items finds, as the source tells it."""
    first = items[0]
    hits = tuple(
        Hit(item_id=i.item_id or "", sku=i.sku, variant_id=i.variant_id, active=i.active, options=i.options)
        for i in items
    )
    return StockItem(
        fact_id=f"{first.fact_id}/sku", merchant=first.merchant, sku=first.sku if sku is None else sku,
        system=first.system, version_ms=first.version_ms, hits=hits,
    )  # fmt: skip
