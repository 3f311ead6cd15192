"""What breaks on the way: lost answers, killed processes, a shop that is down. Afterwards the books are right."""

import uuid
from collections import Counter
from contextlib import ExitStack

import msgspec
import pytest

from ops.demo.words import back, line
from ops.kafka import read_one
from schemas.commands import StoreCredit
from schemas.ids import order_key
from tests.e2e.day import played
from tests.e2e.shops import Now, Shop, returned
from tests.e2e.world import CALM, World, until

FAULTED = "timeout_after_apply", "lost_after_apply", "503"


def once_each(now: Now) -> None:
    """One piece put back, one payment, by the books."""
    assert (now.moved, now.amounts) == ({"101.available": 1}, ["199.00 ZAR shopify_payments"])


@pytest.mark.req("INV-13", "INV-14", "MON-11")
@played
def test_lost_answers_and_errors_lose_nothing_and_double_nothing(world: World) -> None:
    shop = Shop(world, "rough")
    shop.fault("timeout_after_apply", "refundCreate", seconds=8)
    shop.fault("lost_after_apply", "inventoryAdjustQuantities")
    shop.fault("503", "inventoryAdjustQuantities", times=2, skip=1)
    shop.fault("503", "refundCreate", times=2, skip=1)
    shop.fault("lost_after_apply", "tagsAdd")
    orders = [returned(shop) for _ in range(4)]
    credit, card = (returned(shop, resolution=wish) for wish in ("RefundToStoreCredit", "RefundByNewGiftCard"))
    for order in orders:
        once_each(order.ended())
    assert credit.ended().amounts == ["199.00 ZAR store_credit"]
    assert [each["kind"] for each in card.ended().paid] == ["gift_card"]
    met = Counter(each["fault"] for name in ("refundCreate", "inventoryAdjustQuantities") for each in shop.calls(name))
    assert {name: met[name] for name in FAULTED} == {
        "timeout_after_apply": 1, "lost_after_apply": 1, "503": 4,
    }  # fmt: skip


@pytest.mark.req("INV-13", "INV-14", "MON-11", "ELG-2")
@played
def test_webhooks_that_come_twice_late_in_disorder_or_never_end_alike(world: World) -> None:
    shop = Shop(world, "rough")
    for fault in ("duplicate_webhook", "reorder_webhook", "drop_webhook"):
        match = {"system": "webhook", "shop": shop.domain}
        world.post("/faults", {"match": match, "fault": fault, "times": 30, "probability": 0.3})
    for order in [returned(shop) for _ in range(4)]:
        once_each(order.ended())


@pytest.mark.req("INV-13", "INV-14", "MON-11", "OPS-2")
@played
def test_killed_agents_and_sinks_in_mid_flight_lose_nothing_and_double_nothing(world: World) -> None:
    shop = Shop(world, "crash")
    shop.fault("slow", "refundCreate", seconds=15, times=8)
    orders = [returned(shop) for _ in range(8)]
    until(lambda: world.books(shop.domain)["movements"], lambda all_: any(each["cause"] != "sale" for each in all_))
    supervisor = world.stage.supervisor
    before = {each.name: each.restarts for each in supervisor.children()}
    supervisor.kill("sink-shopify")
    supervisor.kill("agent-cases")
    supervisor.kill("agent-stock")
    unpaid = [order for order in orders if not order.now().paid]
    assert unpaid  # the sink died with payments under way
    later = [returned(shop) for _ in range(2)]  # nobody is there to take these
    for order in (*orders, *later):
        once_each(order.ended())
    after = {each.name: each.restarts for each in supervisor.children()}
    assert all(after[name] > before[name] for name in ("sink-shopify", "agent-cases", "agent-stock"))


@pytest.mark.req("OPS-3", "ELG-2", "INV-14")
@played
def test_a_shop_that_is_down_holds_up_nobody_and_catches_up(world: World) -> None:
    shop = Shop(world, "down")
    sku = shop.goods()
    paid = shop.sold(line(sku))
    rma = paid.asked(back(sku)).received().inspected("sellable")
    once_each(paid.ended())
    shop.state("frozen")
    waiting = shop.sold(line(shop.goods()))
    waiting.asked(back(str(waiting.lines[0]["sku"]))).received().inspected("sellable")
    rma.step("transaction", amount="199.00")  # ReturnGO asks what became of it: Shopify is not needed for the answer

    def answered() -> list[str]:
        return [t["status"] for t in world.books(shop.domain)["returngo"]["rmas"][rma.rma_id]["transactions"]]

    until(answered, lambda statuses: statuses == ["Success"])
    elsewhere = returned(Shop(world, CALM))
    once_each(elsewhere.ended())
    held = waiting.now()
    assert (held.moved, held.paid, held.tags) == ({}, [], set())
    shop.state("open")
    once_each(waiting.ended())
    assert until(waiting.exceptions, lambda found: not found) == {}  # whatever was raised meanwhile went by itself


@pytest.mark.req("EXC-6", "EXC-1", "MON-11")
@played
def test_a_refused_command_is_set_aside_with_its_bytes_and_its_cause(world: World) -> None:
    shop = Shop(world, "refusing")
    shop.fault("refund_failure", "refundCreate")
    order = returned(shop)
    raised = order.raises("rejected_by_system")
    listed = world.cli("dlq", "list", "--topic", "shopify-dead-letters")
    mine = [each for each in listed if (shown(world, each)["fields"] or {}).get("order_id") == order.id]
    # a sink that is killed before it has committed sets the same command aside once more
    assert {shown(world, each)["headers"]["command-id"] for each in mine} == {raised.command_id}
    letter = mine[0]
    assert (letter["reason"], "money did not move" in letter["error"]) == ("rejected_by_system", True)
    headers = shown(world, letter)["headers"]
    assert (headers["command-id"], headers["attempts"]) == (raised.command_id, "1")
    source = read_one(
        world.bootstrap, headers["source-topic"], int(headers["source-partition"]), int(headers["source-offset"])
    )
    copy = read_one(world.bootstrap, letter["topic"], letter["partition"], letter["offset"])
    assert source is not None
    assert copy is not None
    assert (copy.key, copy.value) == (source.key, source.value)
    assert [each["status"] for each in order.now().paid] == ["FAILURE"]  # and never a second one


@pytest.mark.req("MON-11")
@played
def test_a_unit_is_paid_once_whatever_else_is_ordered_for_it(world: World) -> None:
    """As after the loss of a worker and its row: the same money is ordered again for fewer units, under another id."""
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku, 2))
    order.asked(back(sku, 2, resolution="RefundByNewGiftCard")).received().inspected("sellable", "sellable")
    (card,) = order.ended().paid
    mine = [seen for seen in world.topic("shopify-commands") if seen.key == order_key(CALM, order.id)]
    (told,) = {each for seen in mine if isinstance(each := world.codec.decode(seen.value), StoreCredit)}
    again = msgspec.structs.replace(told, command_id=str(uuid.uuid4()), unit_ids=told.unit_ids[:1])
    world.order(again)

    def refused() -> list[dict[str, object]]:
        letters = world.cli("dlq", "list", "--topic", "shopify-dead-letters")
        return [each for each in letters if each["reason"] == "paid_already"]

    (letter,) = until(refused, bool)
    assert shown(world, letter)["headers"]["command-id"] == again.command_id
    assert order.now().paid == [card]


def shown(world: World, letter: dict[str, object]) -> dict[str, dict[str, str]]:
    """A dead letter in full."""
    place = [str(letter[name]) for name in ("topic", "partition", "offset")]
    found: dict[str, dict[str, str]] = world.cli("dlq", "show", *place)
    return found


@pytest.mark.req("OPS-4")
@played
def test_lag_is_told_in_records_and_seconds_and_goes(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku, 2))
    rma = order.asked(back(sku, 2)).received()
    graded = {"sku": sku, "quantity": 1, "grade": "sellable", "location": "MAIN"}
    shop.warehouse().inspected(rma.rma_id, (graded,))
    order.until(lambda now: now.moved)

    def behind() -> list[dict[str, object]]:
        found: list[dict[str, object]] = world.cli("lag", "--group", "returnflow-source-warehouse", "--behind")
        return found

    world.stage.supervisor.pause("source-warehouse")
    with ExitStack() as last:
        last.callback(world.stage.supervisor.resume, "source-warehouse")
        shop.warehouse().inspected(rma.rma_id, (graded,))
        told = until(behind, lambda found: found and all(float(str(each["seconds"])) > 0 for each in found))
        assert {each["topic"] for each in told} == {"warehouse-deliveries"}
        assert all(int(str(each["messages"])) > 0 for each in told)  # another test's may be among them
        assert order.now().moved == {"101.available": 1}
    end = order.ended()
    assert (end.moved, end.amounts) == ({"101.available": 2}, ["398.00 ZAR shopify_payments"])
    assert until(behind, lambda found: not found) == []
