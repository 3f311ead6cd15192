"""What people see: tags, notes, references, exceptions with their owner, and why a return stands where it stands."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from ops.demo.words import back, line
from schemas.exceptions import TYPES
from tests.e2e.day import played
from tests.e2e.shops import Shop, returned
from tests.e2e.world import CALM, World, until

COMMAND = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.mark.req("STA-2")
@played
def test_the_reason_stands_on_the_order_once_the_return_is_approved(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku), note="Ring twice")
    rma = order.asked(back(sku, reason="Wrong colour")).step("approve")
    noted = order.until(lambda now: "Wrong colour" in now.note)
    assert rma.rma_id in noted.note
    assert "Ring twice" in noted.note  # what stood there stays


@pytest.mark.req("STA-3")
@played
def test_every_effect_leaves_its_reference_on_what_it_changed(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received().inspected("sellable")
    order.ended()
    end = order.until(lambda now: now.comments.count("cmd ") >= 1)
    assert re.fullmatch(f"RMA {rma.rma_id} cmd {COMMAND}", end.paid[0]["note"])
    assert re.fullmatch(f"gid://returnflow/Restock/{COMMAND}", end.movements[0]["reference"])
    assert len(set(re.findall(f"cmd ({COMMAND})", end.comments))) == end.comments.count("cmd ")


@pytest.mark.req("ELG-1", "EXC-2")
@played
def test_more_than_was_bought_is_held_for_a_person(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    order.asked(back(sku, 2)).received().inspected("sellable", "sellable")
    raised = order.raises("over_quantity")
    assert (raised.owner, raised.sku) == ("cx", sku)
    held = order.until(lambda now: "return-inspected" in now.tags)
    assert (held.moved, held.paid) == ({}, [])


@pytest.mark.req("ELG-1")
@played
def test_a_return_after_the_policy_window_is_held_for_a_person(world: World) -> None:
    shop = Shop(world, "refusing")
    sku = shop.goods()
    long_ago = (datetime.now(UTC) - timedelta(days=100)).isoformat()
    order = shop.sold(line(sku), created_at=long_ago)
    order.asked(back(sku)).received().inspected("sellable")
    assert order.raises("outside_policy_window").owner == "cx"
    assert order.until(lambda now: now.moved).paid == []


@pytest.mark.req("ELG-2", "EXC-2")
@played
def test_a_return_whose_order_is_nowhere_is_raised_as_an_orphan(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku), created_at="2024-02-01T09:00:00Z")  # older than what the shop shows us
    order.asked(back(sku)).received().inspected("sellable")
    raised = order.raises("orphan_return")
    assert raised.owner == "cx"
    assert order.now().movements == []


@pytest.mark.req("ELG-3", "EXC-4")
@played
def test_goods_that_staff_took_back_are_raised_until_returngo_has_a_return(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    back_in_stock = {"sku": sku, "quantity": 1, "restock_type": "RETURN", "location_id": 101}
    unsent = back_in_stock | {"restock_type": "CANCEL"}
    order, other = shop.sold(line(sku, 2)), shop.sold(line(sku, 2))
    for each, refunded in ((other, unsent), (order, back_in_stock)):
        shop.staff("refund", {"order": each.name, "amount": "199.00", "lines": [refunded]})
    raised = order.raises("order_not_in_portal")
    assert (raised.owner, order.name in raised.detail) == ("cx", True)
    order.asked(back(sku)).step("approve")  # a request that nobody approved yet is not read
    until(order.exceptions, lambda found: "order_not_in_portal" not in found)
    assert other.exceptions() == {}  # what was cancelled before it was sent never came back


@pytest.mark.req("EXC-1", "EXC-2")
@played
def test_what_is_stuck_says_where_why_since_when_and_what_to_do(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received().inspected("missing")
    order.raises("item_missing")
    listed = world.cli("exceptions", "list", "--type", "item_missing", "--owner", "warehouse")
    (item,) = [each for each in listed if each["raised"]["order_id"] == order.id]
    raised = item["raised"]
    assert (raised["rma_id"], raised["line_id"], raised["sku"]) == (rma.rma_id, str(order.lines[0]["id"]), sku)
    assert (raised["system"], raised["owner"]) == ("shopify", "warehouse")  # the merchant file says so
    assert (raised["next_step"], raised["since_ms"] > 0) == (TYPES["item_missing"].next_step, True)
    assert raised["detail"] == f"{sku}: not returned"
    (why,) = world.cli("line", "why", rma.rma_id)
    waiting = why["lines"][0]["waiting_for"]
    assert (waiting["guard"], waiting["owner"]) == ("goods_here", "warehouse")  # whoever gets the exception
    assert {"requested", "approved", "received", "inspected"} <= {each["what"] for each in why["steps"]}


@pytest.mark.req("EXC-1", "OPS-2")
@played
def test_a_finished_return_tells_its_whole_story(world: World) -> None:
    shop = Shop(world, CALM)
    order = returned(shop)
    end = order.ended()
    (why,) = [each for each in world.cli("line", "why", "--order", order.id, "--merchant", CALM) if each["rma_id"]]
    done = {each["what"]: each for each in why["steps"] if each["step"] == "done"}
    assert (done["refund"]["amount_minor"], done["refund"]["currency"]) == (19900, "ZAR")
    assert done["refund"]["command_id"] in end.paid[0]["note"]
    assert done["restock"]["command_id"] in end.movements[0]["reference"]
    assert [each["stage"] for each in why["lines"]] == ["closed"]
