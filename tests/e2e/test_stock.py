"""Stock: it moves once, where it should, after the inspection and never before."""

import httpx
import pytest

from ops.demo.words import back, line
from tests.e2e.day import played
from tests.e2e.shops import Shop, returned
from tests.e2e.world import CALM, World, until

TRANSIT, RECEIVED = "return-in-transit", "return-received"


@pytest.mark.req("INV-1", "MON-1", "STA-1", "OPS-2")
@played
def test_neither_goods_nor_money_move_before_the_inspection(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).step("approve")
    noted = order.until(lambda now: "Does not fit" in now.note)
    rma.step("ship").step("track", status="IN TRANSIT")
    moving = order.until(lambda now: TRANSIT in now.tags)
    rma.step("receive")
    there = order.until(lambda now: RECEIVED in now.tags)
    for now in (noted, moving, there):
        assert (now.moved, now.paid) == ({}, [])
    rma.inspected("sellable")
    end = order.ended()
    assert (end.moved, end.amounts) == ({"101.available": 1}, ["199.00 ZAR shopify_payments"])
    assert not {TRANSIT, RECEIVED} & end.tags


@pytest.mark.req("INV-2")
@played
def test_damaged_goods_are_booked_as_damaged_and_never_for_sale(world: World) -> None:
    end = returned(Shop(world, CALM), grade="damaged").ended()
    assert end.moved == {"101.damaged": 1}


@pytest.mark.req("INV-6", "EXC-2", "EXC-4")
@played
def test_untracked_goods_are_raised_once_and_booked_when_the_shop_counts_them(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods(tracked=False)
    order = shop.sold(line(sku))
    order.asked(back(sku)).received().inspected("sellable")
    raised = order.raises("untracked_item")
    held = order.until(lambda now: now.paid)
    assert (raised.owner, raised.sku) == ("data", sku)
    assert held.movements == []  # also none that the shop let fall: it was never asked
    shop.staff("tracking", {"sku": sku, "tracked": True})
    end = order.ended()
    assert end.moved == {"101.available": 1}
    assert until(order.exceptions, lambda found: not found) == {}
    every = [each for each in world.exceptions() if each.raised.order_id == order.id]
    assert len(every) == 1, [(x.raised.type, x.state, x.raised.detail, x.raised.sku) for x in every]
    (item,) = every
    assert (item.state, item.raised.repeats, item.raised.exception_id) == ("cleared", 1, raised.exception_id)


@pytest.mark.req("INV-7", "EXC-2")
@played
def test_goods_without_an_item_go_to_the_data_team(world: World) -> None:
    shop = Shop(world, CALM)
    order = shop.sold({"custom_title": "Engraving", "sku": "NOWHERE", "quantity": 1, "unit_price": "40.00"})
    order.asked(back("NOWHERE")).received().inspected("sellable")
    raised = order.raises("unknown_sku")
    assert (raised.owner, raised.sku) == ("data", "NOWHERE")
    assert order.until(lambda now: now.paid).moved == {}


@pytest.mark.req("INV-19", "EXC-2", "EXC-4")
@played
def test_goods_that_the_shop_deleted_or_archived_are_raised_and_what_was_sold_is_counted(world: World) -> None:
    shop = Shop(world, CALM)
    skus = {kind: shop.goods() for kind in ("deleted_item", "archived_item", "")}
    orders = {kind: shop.sold(line(sku)) for kind, sku in skus.items()}
    old = skus["archived_item"]
    shop.staff("delete-product", {"sku": old})  # made anew under its SKU, and given up: nothing but that finds it now
    shop.goods(name=f"{old} again", sku=old)
    for name in (f"{old} again", skus[""]):
        shop.staff("product", {"sku": name, "status": "ARCHIVED"})
    returns = [orders[kind].asked(back(sku)).received() for kind, sku in skus.items()]
    orders["archived_item"].until(lambda now: RECEIVED in now.tags)  # by then searches show the new product
    shop.staff("delete-product", {"sku": skus["deleted_item"]})
    for each in returns:
        each.inspected("sellable")
    assert orders[""].ended().moved == {"101.available": 1}  # the archived variant itself came back: it is counted
    for kind in ("deleted_item", "archived_item"):
        raised = orders[kind].raises(kind)
        assert (raised.owner, raised.sku) == ("data", skus[kind])
        assert orders[kind].until(lambda now: now.paid).movements == []


@pytest.mark.req("INV-4", "INV-5", "EXC-1")
@played
def test_no_goods_go_to_a_place_that_is_closed_or_that_nobody_mapped(world: World) -> None:
    shop = Shop(world, CALM)
    orders = {}
    for kind, place in {"inactive_location": 104, "unmapped_location": 105}.items():
        sku = shop.goods()
        orders[kind] = shop.sold(line(sku))
        orders[kind].asked(back(sku)).received().inspected("sellable", location=place)
    for kind, order in orders.items():
        assert order.raises(kind).location == {"inactive_location": "104", "unmapped_location": "105"}[kind]
        assert order.until(lambda now: now.paid).movements == []


@pytest.mark.req("INV-10", "MON-2")
@played
def test_a_partial_return_moves_and_pays_what_came_back(world: World) -> None:
    shop = Shop(world, CALM)
    sku, other = shop.goods("59.00"), shop.goods()
    order = shop.sold(line(sku, 3), line(other))
    order.asked(back(sku)).received().inspected("sellable")
    end = order.ended()
    assert [(each["sku"], each["delta"]) for each in end.movements] == [(sku, 1)]
    assert end.amounts == ["59.00 ZAR shopify_payments"]


@pytest.mark.req("INV-15", "STA-3")
@played
def test_stock_is_moved_by_what_came_back_whatever_else_happens_to_it(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received()
    shop.staff("restock", {"sku": sku, "location_id": 101, "delta": -4, "reason": "counted"})
    rma.inspected("sellable")
    order.ended()
    (level,) = [each for each in world.books(shop.domain)["stock"] if (each["sku"], each["location_id"]) == (sku, 101)]
    before, after = level["before"]["available"], level["after"]["available"]
    assert after == before - 4 + 1  # counted, returned
    (ours,) = [each for each in order.now().movements if each["actor"] == "api"]
    assert ours["reference"].startswith("gid://returnflow/Restock/")


@played
def test_an_immediate_merchants_restocks_wait_for_no_other(world: World) -> None:
    """The immediate half of INV-16: each restock is an adjustment of its own, made before the next one exists."""
    shop = Shop(world, CALM)
    sku = shop.goods()
    first, second = shop.sold(line(sku)), shop.sold(line(sku))
    first.asked(back(sku)).received().inspected("sellable")
    alone = first.until(lambda now: now.moved)
    second.asked(back(sku)).received().inspected("sellable")
    both = second.until(lambda now: now.moved.get("101.available", 0) > 1)
    assert [each["delta"] for each in (*alone.movements, *both.movements)] == [1, 1, 1]
    assert len({each["reference"] for each in both.movements}) == 2


@pytest.mark.req("INV-13", "INV-16", "STA-3")
@played
def test_what_comes_back_within_a_window_goes_out_together_and_counts_once(world: World) -> None:
    shop = Shop(world, "gathering")
    shop.fault("lost_after_apply", "inventoryAdjustQuantities")
    same = shop.goods()
    others = [shop.goods() for _ in range(6)]
    orders = [shop.sold(line(sku)) for sku in [same] * 6 + others]
    returns = [order.asked(back(str(order.lines[0]["sku"]))).received() for order in orders]
    for each in returns:
        each.order.until(lambda now: RECEIVED in now.tags)
    for each in returns:
        each.inspected("sellable")
    for order in orders:
        order.ended()
    ends = [order.now() for order in orders]  # six of them share their goods
    assert [end.moved for end in ends] == [{"101.available": 6}] * 6 + [{"101.available": 1}] * 6
    assert [len(end.paid) for end in ends] == [1] * 12
    calls = shop.calls("inventoryAdjustQuantities")
    assert len(calls) < 12
    assert len({each["key"] for end in ends for each in end.movements}) < len(calls)  # one of them had to be repeated
    named = {each["reference"] for end in ends for each in end.movements}
    found = [world.cli("ledger", "batch", reference) for reference in named]
    assert {each["state"] for each in found} == {"applied"}
    assert sum(len(each["commands"]) for each in found) == 12


@pytest.mark.req("INV-18", "OPS-10")
@played
def test_the_warehouses_signed_inspection_counts_and_an_unsigned_one_does_not(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received()
    graded = ({"sku": sku, "quantity": 1, "grade": "sellable", "location": "MAIN"},)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        shop.warehouse("whsec_c29tZWJvZHkgZWxzZQ==").inspected(rma.rma_id, graded)
    waiting = order.until(lambda now: RECEIVED in now.tags)
    assert waiting.moved == {}
    shop.warehouse().inspected(rma.rma_id, graded)
    end = order.ended()
    assert (end.moved, len(end.paid)) == ({"101.available": 1}, 1)
