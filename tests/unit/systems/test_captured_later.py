"""Payments that are promised and captured later, against the sandbox: what is read as paid, and where refunds go."""

from typing import Any

import pytest

from schemas.commands import Refund, TenderShare
from schemas.facts import Payment
from sinks.outcomes import AlreadyApplied, Applied, Rejected
from sinks.systems.shopify import read
from streams.sources.shopify_orders import snapshot
from tests.unit.systems.sandbox_shop import DOMAIN, SandboxShop

Step = tuple[str, dict[str, Any]]
PROMISED = {"kind": "AUTHORIZATION", "amount": "75.00"}


async def sold(payment: dict[str, Any], *steps: Step) -> tuple[SandboxShop, int, list[int]]:
    """A shop with one more order, paid so, then changed by staff; the order's id, those of the steps' payments."""
    shop = await SandboxShop().open()
    body = {"name": "#2", "customer_id": 601, "lines": [{"sku": "TEE-M", "quantity": 3}], "payments": [payment]}
    made = (await shop.control(f"shops/{DOMAIN}/orders", {"orders": [body]}))["orders"]["#2"]
    shop.seeded["orders"]["#1001"] = made  # the shop's commands are about this order from now on
    taken = [await shop.control(f"shopify/{DOMAIN}/staff/{act}", {"order": "#2", **more}) for act, more in steps]
    return shop, int(made["id"]), [int(each["transaction_id"]) for each in taken if "transaction_id" in each]


async def paid(shop: SandboxShop, order_id: int) -> list[Payment]:
    """The order's payments as a snapshot tells them."""
    order = await shop.read("shopify", read.order(shop.connections["shopify"], str(order_id)))
    return list(snapshot(order, merchant="acorn").payments)


def to(shop: SandboxShop, order_id: int, *shares: tuple[int, int]) -> Refund:
    """One shirt's money back to these payments."""
    tenders = tuple(TenderShare(payment_id=str(each), tender="card", amount_minor=minor) for each, minor in shares)
    return shop.refund(minor=sum(minor for _, minor in shares), order_id=str(order_id), tenders=tenders)


@pytest.mark.req("MON-11")
async def test_a_promise_is_no_payment_and_nothing_goes_back_to_it() -> None:
    shop, order_id, _ = await sold(PROMISED)
    assert await paid(shop, order_id) == []
    promise = shop.seeded["orders"]["#1001"]["transactions"][0]["id"]
    outcome = await shop.settle(to(shop, order_id, (promise, 2500)))
    assert isinstance(outcome, Rejected)
    assert (await shop.books())["money"] == []


@pytest.mark.req("MON-2", "MON-11")
async def test_captures_are_payments_of_their_own_and_each_gives_back_what_it_took() -> None:
    steps: tuple[Step, ...] = (("capture", {"amount": "10.00"}), ("capture", {"amount": "15.00"}), ("void", {}))
    shop, order_id, (first, second, _) = await sold(PROMISED, *steps)
    assert [(each.payment_id, each.status, each.amount_minor) for each in await paid(shop, order_id)] == [
        (str(first), "success", 1000), (str(second), "success", 1500),
    ]  # fmt: skip
    outcome = await shop.settle(to(shop, order_id, (first, 1000), (second, 1500)))
    assert isinstance(outcome, Applied | AlreadyApplied)
    money = (await shop.books())["money"]
    assert [(each["parent_id"], each["amount"]) for each in money] == [(first, "10.00"), (second, "15.00")]


@pytest.mark.req("MON-11")
async def test_what_was_given_up_is_gone() -> None:
    shop, order_id, _ = await sold(PROMISED, ("void", {}))
    assert await paid(shop, order_id) == []


@pytest.mark.req("MON-2")
async def test_a_transfer_counts_once_though_its_pending_step_stays() -> None:
    waiting = {"gateway": "Bank Deposit", "status": "PENDING", "amount": "75.00"}
    shop, order_id, (arrived,) = await sold(waiting, ("mark-paid", {}))
    assert [(each.payment_id, each.status) for each in await paid(shop, order_id)][1:] == [(str(arrived), "success")]
    assert [each.status for each in await paid(shop, order_id)] == ["pending", "success"]
    assert isinstance(await shop.settle(to(shop, order_id, (arrived, 2500))), Applied | AlreadyApplied)
    (out,) = (await shop.books())["money"]
    assert (out["gateway"], out["parent_id"]) == ("Bank Deposit", arrived)
