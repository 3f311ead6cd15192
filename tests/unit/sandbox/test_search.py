"""Searches: they see a change late, and match words and their beginnings, not texts."""

from typing import Any

import pytest

from tests.unit.sandbox.box import SHOP, Box

ORDERS = """query($q: String) { orders(first: 9, query: $q, sortKey: UPDATED_AT) { nodes { name updatedAt tags } } }"""
VARIANTS = """query($q: String!) { productVariants(first: 20, query: $q) { nodes { sku } } }"""


async def names(box: Box, query: str | None) -> list[str]:
    """Orders that a search finds."""
    return [each["name"] for each in (await box.data(ORDERS, q=query))["orders"]["nodes"]]


async def skus(box: Box, query: str) -> list[str]:
    """Variants that a search finds."""
    return [each["sku"] for each in (await box.data(VARIANTS, q=query))["productVariants"]["nodes"]]


async def settled(box: Box) -> dict[str, Any]:
    """The lag is over."""
    return await box.control("/clock", advance_seconds=60)


async def test_a_search_sees_a_new_order_and_a_change_only_after_the_lag(box: Box) -> None:
    assert await names(box, "name:#1001") == ["#1001"]
    await box.place("#2", lines=[{"sku": "MUG"}])
    assert await names(box, "name:#2") == []
    assert await names(box, None) == ["#1001", "#2"]
    assert (await box.data("query($id: ID!) { order(id: $id) { name } }", id=box.order("#2")))["order"]["name"] == "#2"
    await settled(box)
    assert await names(box, "name:#2") == ["#2"]
    await box.control(f"/shopify/{SHOP}/staff/tag", order="#2", add=["seen-late"])
    assert await names(box, "tag:seen-late") == []
    await settled(box)
    assert await names(box, "tag:seen-late") == ["#2"]


async def test_a_change_that_a_sweep_did_not_see_lies_before_what_it_saw(box: Box) -> None:
    """Orders change at 0 and at 0.5 seconds, the sweep at 1.2 sees the first only: the next must begin before it."""
    await settled(box)
    await box.place("#2", lines=[{"sku": "MUG"}])
    since = (await box.look("/clock"))["now"]
    await box.control("/clock", advance_seconds=0.5, speed=0)
    await box.control(f"/shopify/{SHOP}/staff/tag", order="#1001", add=["late"])
    await box.control("/clock", advance_seconds=0.7)
    query = f"updated_at:>='{since}'"
    assert await names(box, query) == ["#2"]
    await box.control("/clock", advance_seconds=2)
    assert await names(box, query) == ["#2", "#1001"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sku:A-1", ["A-1", "A-10", "A-1-RED", "X A 1", "a.1 "]),
        ("sku:'A-1'", ["A-1", "A-10", "A-1-RED", "X A 1", "a.1 "]),
        ("sku:A-10", ["A-10"]),
        ("sku:1-RED", ["A-1-RED"]),
        ("sku:red", ["A-1-RED"]),
        ("sku:ED", []),
        ("sku:'---'", []),
        ("sku:A-10 OR sku:red", ["A-10", "A-1-RED"]),
        ("sku:'O\\'NEIL'", ["O'NEIL-2"]),
    ],
)
async def test_texts_are_matched_by_words_and_their_beginnings(box: Box, query: str, found: list[str]) -> None:
    goods = [{"sku": sku} for sku in ("A-1", "A-10", "A-1-RED", "X A 1", "a.1 ", "B-1", "O'NEIL-2")]
    await box.control(f"/shops/{SHOP}/products", products=[{"title": "Any", "variants": goods}])
    assert await skus(box, query) == []
    await settled(box)
    assert await skus(box, query) == found


async def test_numbers_and_tags_are_matched_whole(box: Box) -> None:
    await box.place("#2", lines=[{"sku": "MUG"}], tags=["return-in-transit"])
    await settled(box)
    number = box.order("#2").rpartition("/")[2]
    assert await names(box, f"id:{number}") == ["#2"]
    assert await names(box, f"id:{number[:-1]}") == []
    assert await names(box, "tag:return-in") == []
    assert await names(box, "tag:RETURN-in-transit") == ["#2"]
