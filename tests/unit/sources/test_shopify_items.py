"""Every rule by which a variant becomes item master and stock levels."""

import pytest

from schemas.stock import Component, ItemLocation, row_key
from streams.sources.fields import Malformed
from streams.sources.shopify_items import index, item, levels, missing
from tests.unit.sources.payloads import level, nodes, variant

AT = 1_777_900_000_000


def test_an_item_with_its_places() -> None:
    read = item(variant(), merchant="shop-a", read_at_ms=AT)
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
    assert [each.available for each in levels(variant(), merchant="shop-a", read_at_ms=AT)] == [4, 0]
    untracked = variant()
    untracked["inventoryItem"]["tracked"] = False
    assert [each.available for each in levels(untracked, merchant="shop-a", read_at_ms=AT)] == [None, None]
    assert item(untracked, merchant="shop-a", read_at_ms=AT).tracked is False


def test_an_oversold_level_is_below_zero() -> None:
    oversold = variant()
    oversold["inventoryItem"]["inventoryLevels"] = nodes(level(71, -3))
    assert levels(oversold, merchant="shop-a", read_at_ms=AT)[0].available == -3


def test_a_bundle_names_its_components() -> None:
    inside = {
        "id": "gid://shopify/ProductVariant/7",
        "sku": "SOAP",
        "inventoryItem": {"id": "gid://shopify/InventoryItem/8"},
    }
    parts = nodes({"quantity": 2, "productVariant": inside})
    read = item(variant(productVariantComponents=parts), merchant="shop-a", read_at_ms=AT)
    assert read.components == (Component(sku="SOAP", quantity=2, item_id="8"),)


@pytest.mark.req("INV-9")
def test_a_bundle_that_is_not_read_to_its_end_is_no_bundle() -> None:
    part = {"quantity": 1, "productVariant": {"id": "7", "sku": "SOAP", "inventoryItem": {"id": "8"}}}
    parts = {**nodes(part), "pageInfo": {"hasNextPage": True}}
    with pytest.raises(Malformed, match="all components on one page"):
        item(variant(productVariantComponents=parts), merchant="shop-a", read_at_ms=AT)


@pytest.mark.req("INV-7", "INV-19")
def test_what_the_shop_does_not_have_is_a_fact_too() -> None:
    read = index({"nodes": [], "complete": True}, merchant="shop-a", sku="GONE", read_at_ms=AT)
    assert (read.exists, read.sku, read.hits, read.version_ms) == (False, "GONE", (), AT)
    gone = missing("751", merchant="shop-a", read_at_ms=AT)
    assert (gone.exists, gone.item_id) == (False, "751")


@pytest.mark.req("INV-19")
def test_what_a_sku_finds_is_told_with_what_tells_the_hits_apart() -> None:
    archived = variant(
        id="gid://shopify/ProductVariant/702", sku="mug ", selectedOptions=[{"value": "Red"}, {"value": "XL"}],
        inventoryItem={"id": "gid://shopify/InventoryItem/752"}, product={"id": "602", "status": "ARCHIVED"},
    )  # fmt: skip
    read = index({"nodes": [archived, variant()], "complete": True}, merchant="shop-a", sku=" Mug", read_at_ms=AT)
    assert [(hit.item_id, hit.variant_id, hit.active, hit.options) for hit in read.hits] == [
        ("751", "701", True, ()), ("752", "702", False, ("Red", "XL")),
    ]  # fmt: skip
    assert (read.item_id, read.sku, [hit.sku for hit in read.hits]) == (None, " Mug", ["MUG", "mug"])
    assert row_key(read) == b"shop-a|sku:mug"


@pytest.mark.req("INV-19")
def test_a_search_that_was_not_followed_to_its_end_says_so_with_all_that_it_found() -> None:
    found = [variant(id=str(700 + n), inventoryItem={"id": str(900 + n)}) for n in range(120)]
    read = index({"nodes": found, "complete": False}, merchant="shop-a", sku="MUG", read_at_ms=AT)
    assert (len(read.hits), read.cut) == (120, True)
    assert index({"nodes": found, "complete": True}, merchant="shop-a", sku="MUG", read_at_ms=AT).cut is False


def test_an_item_that_several_variants_share_is_none_of_them() -> None:
    read = item(variant(shared=True), merchant="shop-a", read_at_ms=AT)
    assert (read.item_id, read.variant_id) == ("751", None)


@pytest.mark.parametrize("status", ["ACTIVE", "DRAFT", "UNLISTED", None])
def test_only_an_archived_product_is_archived(status: str | None) -> None:
    assert item(variant(product={"id": "601", "status": status}), merchant="shop-a", read_at_ms=AT).active


def test_read_again_it_is_the_same_fact_and_changed_it_is_another() -> None:
    first, later = (item(variant(), merchant="shop-a", read_at_ms=at).fact_id for at in (AT, AT + 9))
    archived = item(variant(product={"id": "601", "status": "ARCHIVED"}), merchant="shop-a", read_at_ms=AT)
    assert (first, archived.active) == (later, False)
    assert archived.fact_id != first


def test_an_absurd_level_is_malformed() -> None:
    broken = variant()
    broken["inventoryItem"]["inventoryLevels"] = nodes(level(71, 10**30))
    with pytest.raises(Malformed, match="whole number"):
        levels(broken, merchant="shop-a", read_at_ms=AT)
