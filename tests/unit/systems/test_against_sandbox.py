"""Every flow against the sandbox, an independent judge: whatever goes wrong on the way, its books show one effect."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.commands import Command, TransactionOutcome
from schemas.money import Money
from sinks.outcomes import AlreadyApplied, Applied, Misconfigured, Rejected, Uncertain
from sinks.systems.ended import Ended
from sinks.systems.returngo import read as returngo
from sinks.systems.shopify import marks, read
from tests.unit.systems import givens
from tests.unit.systems.sandbox_shop import DOMAIN, SandboxShop, command_id

TEE = "TEE-M@71.available"
EUR_25 = Money(minor=2500, currency="EUR")


@pytest.fixture
async def shop() -> SandboxShop:
    return await SandboxShop().open()


async def native_return(shop: SandboxShop, quantity: int = 1) -> None:
    body = {"order": "#1001", "lines": [{"sku": "TEE-M", "quantity": quantity}]}
    await shop.control(f"shopify/{DOMAIN}/staff/return", body)


async def exchange(shop: SandboxShop) -> Any:
    rma_id = await rma(shop)
    await shop.control(f"returngo/{DOMAIN}/rmas/{rma_id}/exchange", {"sku": "TEE-M", "quantity": 1})
    detail = await shop.control(f"returngo/{DOMAIN}/rmas/{rma_id}")
    draft = str(detail["exchangeOrders"][0]["draftOrderId"])
    return msgspec.structs.replace(givens.EXCHANGE, draft_order_id=draft, rma_id=rma_id)


async def rma(shop: SandboxShop) -> str:
    unit = {"sku": "TEE-M", "quantity": 1, "reason": "Too small", "resolution": "RefundToPaymentMethod"}
    rma_id = str((await shop.control(f"returngo/{DOMAIN}/rmas", {"order": "#1001", "units": [unit]}))["rma_id"])
    await shop.control(f"returngo/{DOMAIN}/rmas/{rma_id}/approve", {})
    return rma_id


# Every effect, with the operations on its way and what the books must show in the end.
CALL_FAULTS = (
    "timeout_before_apply", "timeout_after_apply", "429", "500", "502", "503", "504", "throttled", "malformed",
    "internal_error", "430", "409", "409_after_apply", "520_after_apply", "unknown_error_after_apply",
)  # fmt: skip
KINDS = (
    "adjust", "activate", "damaged", "native", "take_out", "take_out_native", "refund", "store_credit", "gift_card",
    "exchange", "tags", "note",
)  # fmt: skip
OPERATIONS = {
    "adjust": ["RestockLook", "inventoryAdjustQuantities"],
    "activate": ["RestockLook", "inventoryActivate", "inventoryAdjustQuantities"],
    "damaged": ["OrderReturns", "inventoryAdjustQuantities", "reverseFulfillmentOrderDispose"],
    "native": ["OrderReturns", "metafieldsSet", "reverseFulfillmentOrderDispose", "returnClose"],
    "take_out": ["RestockLook", "inventoryAdjustQuantities"],
    "take_out_native": ["RestockLook", "inventoryAdjustQuantities"],
    "refund": ["RefundLook", "refundCreate"],
    "store_credit": ["RefundLook", "refundCreate"],
    "gift_card": ["GiftCardLook", "giftCardCreate"],
    "exchange": ["DraftOrderLook", "draftOrderComplete", "tagsAdd"],
    "tags": ["tagsAdd", "tagsRemove"],
    "note": ["NoteLook", "orderUpdate"],
}


async def prepared(shop: SandboxShop, kind: str) -> Command:
    if kind in ("damaged", "native", "take_out_native"):
        await native_return(shop)
    match kind:
        case "adjust" | "native":
            return shop.restock()
        case "activate":
            return shop.restock(location_id="73")
        case "damaged":
            return shop.restock(stock_status="damaged")
        case "take_out" | "take_out_native":
            assert isinstance(await shop.settle(shop.restock(2)), Applied)
            return shop.restock(quantity=-1, stocked_before=True)
        case "refund":
            return shop.refund()
        case "store_credit" | "gift_card":
            return shop.credit(kind)
        case "exchange":
            released: Command = await exchange(shop)
            return released
        case "tags":
            return givens.TAGS
        case _:
            return givens.NOTE


async def one_effect(shop: SandboxShop, kind: str) -> None:
    books = await shop.books()
    moved, paid = books["totals"]["moved"], [(each["kind"], Decimal(each["amount"])) for each in books["money"]]
    order = books["orders"]["#1001"]
    match kind:
        case "adjust" | "native":
            assert moved == {TEE: 1}
        case "take_out" | "take_out_native":
            assert [each["delta"] for each in books["movements"]] == [1, -1]
            assert moved == {TEE: 0}
        case "activate":
            assert moved == {"TEE-M@73.available": 1}
        case "damaged":
            assert moved == {"TEE-M@71.damaged": 1}
        case "refund" | "store_credit" | "gift_card":
            assert paid == [(kind, Decimal(25))] or paid == [("refund", Decimal(25)), (kind, Decimal(25))]
        case "exchange":
            assert len(books["orders"]) == 2
        case "tags":
            assert order["tags"] == ["return-received"]
        case _:
            assert order["note"] == "[returnflow] Too small"


@pytest.mark.req("INV-13", "INV-14", "MON-11")
@pytest.mark.parametrize("kind", KINDS)
async def test_an_effect_is_made_once_whichever_call_fails_in_whichever_way(kind: str) -> None:
    for operation in OPERATIONS[kind]:
        for fault in CALL_FAULTS:
            shop = await SandboxShop().open()
            command = await prepared(shop, kind)
            await shop.fault(fault, operation)
            outcome = await shop.settle(command)
            assert isinstance(outcome, Applied | AlreadyApplied), (operation, fault, outcome)
            assert await shop.faults_met() == 1, (operation, fault)
            await one_effect(shop, kind)


@pytest.mark.req("INV-13", "INV-14", "MON-11")
@settings(max_examples=40, deadline=None)
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_an_effect_is_made_once_under_any_row_of_faults(data: st.DataObject, kind: str) -> None:
    fault = st.tuples(st.sampled_from(OPERATIONS[kind]), st.sampled_from(CALL_FAULTS), st.integers(0, 2))
    faults = data.draw(st.lists(fault, max_size=5))

    async def play() -> None:
        shop = await SandboxShop().open()
        command = await prepared(shop, kind)
        for operation, name, skip in faults:
            await shop.fault(name, operation, skip=skip)
        assert isinstance(await shop.settle(command, most=30), Applied | AlreadyApplied)
        await one_effect(shop, kind)

    asyncio.run(play())


@pytest.mark.req("INV-13", "MON-11")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "damaged"])
async def test_a_worker_that_knows_of_no_earlier_attempt_makes_no_second_effect(shop: SandboxShop, kind: str) -> None:
    command = await prepared(shop, kind)
    for _ in range(3):
        assert isinstance(await shop.settle(command), Applied | AlreadyApplied)
    await one_effect(shop, kind)


@pytest.mark.req("INV-13", "MON-11")
@pytest.mark.parametrize("kind", KINDS)
async def test_two_workers_at_once_make_one_effect(shop: SandboxShop, kind: str) -> None:
    command = await prepared(shop, kind)
    await shop.control("latency", {"seconds": 0.001})
    for outcome in await asyncio.gather(shop.settle(command, most=40), shop.settle(command, most=40)):
        assert isinstance(outcome, Applied | AlreadyApplied)
    await one_effect(shop, kind)


@pytest.mark.req("INV-13", "MON-11")
@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("refund", "refundCreate"),
        ("store_credit", "refundCreate"),
        ("gift_card", "giftCardCreate"),
        ("native", "reverseFulfillmentOrderDispose"),
        ("exchange", "draftOrderComplete"),
    ],
)
async def test_after_the_shop_forgot_the_keys_the_marks_still_find_the_effect(
    shop: SandboxShop, kind: str, operation: str
) -> None:
    command = await prepared(shop, kind)
    await shop.fault("timeout_after_apply", operation)
    assert isinstance(await shop.attempt(command, givens.FIRST), Uncertain)
    await shop.wait(30 * 3600)
    late = msgspec.structs.replace(givens.FIRST, now_ms=shop.now_ms, number=2, first_sent_ms=givens.NOW_MS)
    assert isinstance(await shop.attempt(command, late), AlreadyApplied)
    await one_effect(shop, kind)


@pytest.mark.req("INV-13")
async def test_after_the_shop_forgot_the_key_an_adjustment_is_for_a_person(shop: SandboxShop) -> None:
    await shop.fault("timeout_after_apply", "inventoryAdjustQuantities")
    assert isinstance(await shop.attempt(shop.restock(), givens.FIRST), Uncertain)
    await shop.wait(30 * 3600)
    late = msgspec.structs.replace(givens.FIRST, now_ms=shop.now_ms, number=2, first_sent_ms=givens.NOW_MS)
    assert isinstance(await shop.attempt(shop.restock(), late), Rejected)
    assert await shop.moved() == {TEE: 1}


@pytest.mark.req("MON-4", "STA-3")
async def test_a_refund_pays_the_original_payment_and_names_the_command(shop: SandboxShop) -> None:
    outcome = await shop.settle(shop.refund())
    assert isinstance(outcome, Applied)
    assert outcome.amount == EUR_25
    (paid,) = (await shop.books())["money"]
    assert str(paid["parent_id"]) == shop.payment()
    assert str(paid["id"]) == outcome.external_ids["transaction_ids"]
    assert marks.command_in(paid["note"]) == command_id(1)


@pytest.mark.req("MON-3", "MON-10", "MON-11")
async def test_after_staff_refunded_the_unit_the_refund_is_stopped(shop: SandboxShop) -> None:
    body = {"order": "#1001", "lines": [{"sku": "TEE-M", "quantity": 3}], "amount": "80.00"}
    await shop.control(f"shopify/{DOMAIN}/staff/refund", body)
    outcome = await shop.settle(shop.refund())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "amount_mismatch"
    assert len(await shop.paid()) == 1


@pytest.mark.req("MON-11")
async def test_pending_money_is_followed_until_it_is_there(shop: SandboxShop) -> None:
    await shop.fault("refund_pending", "refundCreate")
    assert await shop.attempt(shop.refund(), givens.FIRST) == Uncertain(reason="refund_pending")
    assert await shop.attempt(shop.refund(), givens.again()) == Uncertain(reason="refund_pending")
    (paid,) = (await shop.books())["money"]
    body = {"transaction_id": paid["id"], "status": "SUCCESS"}
    await shop.control(f"shopify/{DOMAIN}/staff/settle", body)
    assert isinstance(await shop.settle(shop.refund()), AlreadyApplied)


@pytest.mark.req("MON-11")
async def test_failed_money_is_not_sent_a_second_time(shop: SandboxShop) -> None:
    await shop.fault("refund_failure", "refundCreate")
    for _ in range(2):
        outcome = await shop.settle(shop.refund())
        assert isinstance(outcome, Rejected)
        assert "PAYMENT_PROVIDER_ERROR" in outcome.detail
    assert len((await shop.books())["money"]) == 1


@pytest.mark.req("INV-5", "INV-6", "INV-8")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sku": "CARD"}, "untracked_item"),
        ({"location_id": "72"}, "inactive_location"),
        ({"location_id": "79"}, "unmapped_location"),
        ({"item_id": "1"}, "deleted_item"),
        ({"sku": "SET"}, "parent_item_targeted"),
        ({"order_id": "1"}, "orphan_return"),
    ],
)
async def test_what_cannot_be_restocked_is_named_and_moves_nothing(
    shop: SandboxShop, changes: dict[str, Any], code: str
) -> None:
    outcome = await shop.settle(shop.restock(**changes))
    assert isinstance(outcome, Rejected)
    assert outcome.code == code
    assert await shop.moved() == {}


@pytest.mark.req("INV-10", "INV-13")
async def test_units_of_one_line_come_back_one_by_one_and_the_return_is_closed_with_the_last(shop: SandboxShop) -> None:
    await native_return(shop, 2)
    for number in (1, 2):
        assert isinstance(await shop.settle(shop.restock(number)), Applied)
    books = await shop.books()
    assert books["totals"]["moved"] == {TEE: 2}
    assert [each["status"] for each in books["orders"]["#1001"]["returns"]] == ["CLOSED"]
    order = await shop.read("shopify", read.order(shop.connections["shopify"], "5001"))
    assert sorted(marks.disposition_commands(order).values()) == sorted([command_id(1), command_id(2)])


@pytest.mark.req("INV-13")
async def test_a_native_return_that_appears_after_a_lost_adjustment_counts_no_second_time(shop: SandboxShop) -> None:
    await shop.fault("timeout_after_apply", "inventoryAdjustQuantities")
    first = await shop.attempt(shop.restock(), givens.FIRST)
    assert isinstance(first, Uncertain)
    await native_return(shop)
    outcome = await shop.attempt(shop.restock(), givens.again())
    assert isinstance(outcome, Applied)
    assert await shop.moved() == {TEE: 1}


@pytest.mark.req("MON-8")
async def test_credit_reaches_the_customer(shop: SandboxShop) -> None:
    assert isinstance(await shop.settle(shop.credit("store_credit")), Applied)
    card = await shop.settle(shop.credit("gift_card", 2))
    assert isinstance(card, Applied)
    assert card.amount == EUR_25
    kinds = sorted(each["kind"] for each in (await shop.books())["money"] if each["customer_id"] == 601)
    assert "gift_card" in kinds
    assert "store_credit" in kinds


async def test_a_shop_that_is_frozen_or_serves_another_version_is_left_alone(shop: SandboxShop) -> None:
    await shop.control(f"shops/{DOMAIN}/serves", {"version": "2026-07"})
    outcome = await shop.settle(shop.refund())
    assert isinstance(outcome, Misconfigured)
    assert outcome.code == "api_version_changed"
    await shop.control(f"shops/{DOMAIN}/state", {"state": "frozen"})
    outcome = await shop.settle(shop.refund())
    assert isinstance(outcome, Misconfigured)
    assert outcome.code == "shop_frozen"
    assert await shop.paid() == []


async def test_the_shop_is_read(shop: SandboxShop) -> None:
    c = shop.connections["shopify"]
    await native_return(shop)
    await shop.settle(shop.restock())
    await shop.settle(shop.refund(2))
    order = await shop.read("shopify", read.order(c, "5001"))
    assert order["complete"] is True
    assert [line["quantity"] for line in order["lineItems"]["nodes"]] == [3, 1]
    assert [marks.command_in(each["note"]) for each in order["refunds"]] == [command_id(2)]
    assert marks.rma_in(order["refunds"][0]["note"]) == "20000017"
    assert await shop.read("shopify", read.order(c, "1")) is None
    for spelled in ("TEE-M", " tee-m "):
        (found,) = (await shop.read("shopify", read.variants_by_sku(c, spelled)))["nodes"]
        assert found["inventoryItem"]["id"] == f"gid://shopify/InventoryItem/{shop.item('TEE-M')}"
    assert (await shop.read("shopify", read.variant(c, found["id"].rpartition("/")[2])))["nodes"] == [found]
    item = await shop.read("shopify", read.item(c, shop.item("TEE-M")))
    assert (item["selectedOptions"], item["shared"]) == ([{"value": "Default"}], False)
    assert item["inventoryItem"]["inventoryLevels"]["nodes"][0]["quantities"][0]["quantity"] == 11
    bundle = await shop.read("shopify", read.item(c, shop.item("SET")))
    assert bundle["requiresComponents"] is True
    assert [each["quantity"] for each in bundle["productVariantComponents"]["nodes"]] == [2]
    assert await shop.read("shopify", read.item(c, "1")) is None
    assert (await shop.read("shopify", read.variants_by_sku(c, "NONE")))["nodes"] == []
    assert {place["isActive"] for place in await shop.read("shopify", read.locations(c))} == {True, False}
    page = await shop.read("shopify", read.orders_since(c, 0, None))
    assert [row["id"] for row in page.rows] == ["gid://shopify/Order/5001"]
    assert page.next_cursor is None
    url = "https://in.example/shopify/acorn"
    made = await shop.read("shopify", read.subscribe(c, "REFUNDS_CREATE", url))
    assert await shop.read("shopify", read.subscriptions(c)) == [made]
    assert "read_orders" in await shop.read("shopify", read.scopes(c))


@pytest.mark.req("STA-3")
@pytest.mark.parametrize("fault", [None, "timeout_before_apply", "timeout_after_apply", "429", "500", "503"])
@pytest.mark.parametrize("aspect", ["comment", "status", "transaction"])
async def test_returngo_is_told_once_whichever_call_fails(shop: SandboxShop, aspect: str, fault: str | None) -> None:
    rma_id = await rma(shop)
    paid = await shop.control(f"returngo/{DOMAIN}/rmas/{rma_id}/transaction", {"amount": "25.00"})
    told = TransactionOutcome(transaction_id=str(paid["transaction_id"]), status="success", external_id="401")
    command: Any = {
        "comment": givens.COMMENT,
        "status": givens.STATUS,
        "transaction": msgspec.structs.replace(givens.STATUS, aspect="transaction", transaction=told),
    }[aspect]
    path = {"comment": "POST /rma/comment", "status": "PUT /rma/status", "transaction": "PUT /transaction"}[aspect]
    if fault is not None:
        await shop.fault(fault, path, system="returngo")
    outcome = await shop.settle(msgspec.structs.replace(command, rma_id=rma_id))
    assert isinstance(outcome, Applied | AlreadyApplied)
    assert await shop.faults_met() == (fault is not None)
    found = (await shop.books())["returngo"]["rmas"][rma_id]
    match aspect:
        case "comment":
            assert len(found["comments"]) == 1
        case "status":
            assert found["status"] == "Done"
        case _:
            assert (found["transactions"][0]["status"], found["transactions"][0]["reference"]) == ("Success", "401")


async def test_returngo_is_read(shop: SandboxShop) -> None:
    c = shop.connections["returngo"]
    rma_id = await rma(shop)
    await shop.control(f"returngo/{DOMAIN}/rmas/{rma_id}/transaction", {"amount": "19.99"})
    found = await shop.read("returngo", returngo.rma(c, rma_id))
    assert found["rmaSummary"]["rmaId"] == rma_id
    assert await shop.read("returngo", returngo.rma(c, "1")) is None
    page = await shop.read("returngo", returngo.rmas_since(c, 0, None))
    assert [row["rmaId"] for row in page.rows] == [rma_id]
    (row,) = await shop.read("returngo", returngo.transactions_of(c, rma_id))
    assert row["amount"]["amount"] == Decimal("19.99")
    assert len((await shop.read("returngo", returngo.transactions_since(c, 0, None))).rows) == 1
    assert await shop.read("returngo", returngo.webhooks(c)) == []
    await shop.read("returngo", returngo.create_webhook(c, "https://in.example/t", "RMA_CREATED"))
    assert [hook["eventName"] for hook in await shop.read("returngo", returngo.webhooks(c))] == ["RMA_CREATED"]
    await shop.fault("quota_exhausted", "GET /rma", system="returngo")
    with pytest.raises(Ended, match="daily_budget_used_up"):
        await shop.read("returngo", returngo.rma(c, rma_id))
