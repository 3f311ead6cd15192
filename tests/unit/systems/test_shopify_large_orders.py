"""Orders that do not fit into one page of anything, against the sandbox: all of them is read, and all of it counts."""

from typing import Any

import pytest

from schemas.commands import LineShare, TenderShare
from schemas.facts import OrderSnapshot
from sinks.outcomes import AlreadyApplied, Applied
from sinks.systems.shopify import read
from streams.sources import shopify_orders
from tests.unit.systems.sandbox_shop import DOMAIN, SandboxShop

Json = dict[str, Any]
BIG = "#2001"
LINES, PAYMENTS = 30, 31


@pytest.fixture
async def shop() -> SandboxShop:
    """30 lines of 25.00, six deliveries of 1.00, paid in 31 parts."""
    made = await SandboxShop().open()
    order = {
        "name": BIG,
        "id": 7001,
        "customer_id": 601,
        "lines": [{"sku": "TEE-M", "quantity": 1} for _ in range(LINES)],
        "shipping_lines": [{"price": "1.00", "title": f"Parcel {n}"} for n in range(6)],
        "payments": [{"amount": "25.00"}] * LINES + [{"amount": "6.00"}],
    }
    await made.control(f"shops/{DOMAIN}/orders", {"orders": [order]})
    return made


async def whole(shop: SandboxShop) -> tuple[Json, OrderSnapshot]:
    order = await shop.read("shopify", read.order(shop.connections["shopify"], "7001"))
    return order, shopify_orders.snapshot(order, merchant="shop-a")


async def refunded(shop: SandboxShop, amount: str, times: int = 1) -> None:
    for _ in range(times):
        await shop.control(f"shopify/{DOMAIN}/staff/refund", {"order": BIG, "amount": amount})


@pytest.mark.req("MON-6")
async def test_every_line_delivery_and_payment_counts(shop: SandboxShop) -> None:
    _, seen = await whole(shop)
    assert seen.complete
    assert (len(seen.lines), seen.shipping_minor, seen.total_minor) == (LINES, 600, 75_600)
    assert len(seen.payments) == PAYMENTS
    assert sum(each.amount_minor for each in seen.payments) == 75_600


@pytest.mark.req("MON-6")
async def test_a_refund_over_more_payments_than_a_page_holds_is_whole(shop: SandboxShop) -> None:
    await refunded(shop, "650.00")
    _, seen = await whole(shop)
    (refund,) = seen.refunds
    assert seen.complete
    assert (len(refund.tenders), sum(each.amount_minor for each in refund.tenders)) == (26, 65_000)


@pytest.mark.req("MON-6")
async def test_more_refunds_than_a_list_is_asked_for_are_all_there(shop: SandboxShop) -> None:
    await refunded(shop, "1.00", 52)
    _, seen = await whole(shop)
    assert seen.complete
    assert (len(seen.refunds), sum(each.total_minor for each in seen.refunds)) == (52, 5_200)


@pytest.mark.req("MON-6", "MON-11")
async def test_our_refund_is_found_behind_fifty_others_and_takes_the_payment_that_is_far_down(
    shop: SandboxShop,
) -> None:
    _, seen = await whole(shop)
    paid = seen.payments[LINES - 1]
    line = LineShare(line_id=seen.lines[-1].line_id, quantity=1, amount_minor=2500)
    tender = TenderShare(payment_id=paid.payment_id, tender=paid.tender, amount_minor=2500)
    command = shop.refund(order_id="7001", lines=(line,), tenders=(tender,))
    assert isinstance(await shop.settle(command), Applied)
    await refunded(shop, "1.00", 52)
    assert isinstance(await shop.settle(command), AlreadyApplied)
    assert [amount for _, amount in await shop.paid()].count("25.00") == 1


@pytest.mark.req("INV-1")
async def test_a_return_of_thirty_lines_is_read_to_its_end(shop: SandboxShop) -> None:
    _, seen = await whole(shop)
    lines = [{"line_item_id": int(each.line_id), "quantity": 1} for each in seen.lines]
    await shop.control(f"shopify/{DOMAIN}/staff/return", {"order": BIG, "lines": lines})
    order, _ = await whole(shop)
    (native,) = order["returns"]["nodes"]
    (reverse,) = native["reverseFulfillmentOrders"]["nodes"]
    assert order["complete"] is True
    assert len({each["id"] for each in reverse["lineItems"]["nodes"]}) == LINES
