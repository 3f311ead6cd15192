"""Grades and returns that change after the restock was applied: stock ends where the goods are, and money as it was."""

import pytest

from ops.demo.words import back, line
from tests.e2e.day import played
from tests.e2e.shops import Shop
from tests.e2e.world import World

ADJUST = "inventoryAdjustQuantities"


@pytest.mark.req("INV-2", "INV-13", "INV-15", "STA-3")
@played
def test_found_damaged_after_it_was_put_on_sale_it_is_damaged_stock_and_paid_once(world: World) -> None:
    """The shop takes it out and does not say so in time; asked again it says the same."""
    shop = Shop(world, "regrading")
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received().inspected("sellable")
    assert order.ended().moved == {"101.available": 1}
    shop.fault("timeout_after_apply", ADJUST, seconds=8)
    rma.inspected("damaged")
    end = order.until(lambda now: now.moved.get("101.damaged"))
    assert [(each["name"], each["delta"]) for each in end.movements] == [
        ("available", 1), ("available", -1), ("damaged", 1),
    ]  # fmt: skip
    assert len({each["reference"] for each in end.movements}) == 3
    assert all(each["reference"].startswith("gid://returnflow/Restock/") for each in end.movements)
    assert end.amounts == ["199.00 ZAR shopify_payments"]
    assert [each["fault"] for each in shop.calls(ADJUST)] == [None, "timeout_after_apply", None, None]
    assert order.ended().moved == {"101.available": 0, "101.damaged": 1}
    assert order.exceptions() == {}


@pytest.mark.req("INV-13", "INV-15", "STA-4")
@played
def test_cancelled_before_anybody_was_paid_what_was_put_back_leaves_again(world: World) -> None:
    """An exchange whose order nobody has made: nothing is due yet but the goods."""
    shop = Shop(world, "cancelling")
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku, resolution="VariantExchange")).received().inspected("sellable")
    order.until(lambda now: now.moved.get("101.available") == 1)
    rma.step("cancel")
    end = order.until(lambda now: len(now.movements) > 1)
    assert [(each["name"], each["delta"]) for each in end.movements] == [("available", 1), ("available", -1)]
    assert end.paid == []
    assert order.exceptions() == {}
