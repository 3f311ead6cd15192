"""Every rule by which a variant becomes item master and stock levels."""

import pytest

from schemas.stock import Component, ItemLocation
from streams.sources.fields import Malformed
from streams.sources.shopify_items import item, levels, missing
from tests.unit.sources.payloads import level, nodes, variant

AT = 1_777_900_000_000


def test_an_item_with_its_places() -> None:
    read = item(variant(), "MUG", merchant="shop-a", read_at_ms=AT)
    assert (read.sku, read.item_id, read.variant_id, read.product_id, read.tracked, read.exists) == (
        "MUG",
        "751",
        "701",
        "601",
        True,
        True,
    )
    assert read.locations == (ItemLocation(location_id="71", active=True), ItemLocation(location_id="72", active=False))


def test_levels_per_place_and_none_for_what_is_not_tracked() -> None:
    assert [each.available for each in levels(variant(), "MUG", merchant="shop-a", read_at_ms=AT)] == [4, 0]
    untracked = variant()
    untracked["inventoryItem"]["tracked"] = False
    assert [each.available for each in levels(untracked, "MUG", merchant="shop-a", read_at_ms=AT)] == [None, None]
    assert item(untracked, "MUG", merchant="shop-a", read_at_ms=AT).tracked is False


def test_an_oversold_level_is_below_zero() -> None:
    oversold = variant()
    oversold["inventoryItem"]["inventoryLevels"] = nodes(level(71, -3))
    assert levels(oversold, "MUG", merchant="shop-a", read_at_ms=AT)[0].available == -3


def test_a_bundle_names_its_components() -> None:
    inside = {
        "id": "gid://shopify/ProductVariant/7",
        "sku": "SOAP",
        "inventoryItem": {"id": "gid://shopify/InventoryItem/8"},
    }
    parts = nodes({"quantity": 2, "productVariant": inside})
    read = item(variant(productVariantComponents=parts), "SET", merchant="shop-a", read_at_ms=AT)
    assert read.components == (Component(sku="SOAP", quantity=2, item_id="8"),)


@pytest.mark.req("INV-9")
def test_a_bundle_that_is_not_read_to_its_end_is_no_bundle() -> None:
    part = {"quantity": 1, "productVariant": {"id": "7", "sku": "SOAP", "inventoryItem": {"id": "8"}}}
    parts = {**nodes(part), "pageInfo": {"hasNextPage": True}}
    with pytest.raises(Malformed, match="all components on one page"):
        item(variant(productVariantComponents=parts), "SET", merchant="shop-a", read_at_ms=AT)


@pytest.mark.req("INV-7")
def test_a_sku_the_shop_does_not_have_is_a_fact_too() -> None:
    read = missing("GONE", merchant="shop-a", read_at_ms=AT)
    assert (read.exists, read.sku, read.version_ms) == (False, "GONE", AT)


def test_read_again_it_is_the_same_fact_and_changed_it_is_another() -> None:
    first, later = (item(variant(), "MUG", merchant="shop-a", read_at_ms=at).fact_id for at in (AT, AT + 9))
    archived = item(variant(product={"id": "601", "status": "ARCHIVED"}), "MUG", merchant="shop-a", read_at_ms=AT)
    assert (first, archived.active) == (later, False)
    assert archived.fact_id != first


def test_an_absurd_level_is_malformed() -> None:
    broken = variant()
    broken["inventoryItem"]["inventoryLevels"] = nodes(level(71, 10**30))
    with pytest.raises(Malformed, match="whole number"):
        levels(broken, "MUG", merchant="shop-a", read_at_ms=AT)
