"""Figures that decisions wait for, from the sandbox's systems through read flow and normaliser into facts."""

from typing import Any

import pytest

from schemas.commands import LineShare, Suggestion
from schemas.money import Money
from sinks.outcomes import Rejected
from sinks.systems.returngo import read as returngo
from sinks.systems.shopify import read as shopify
from streams.sources.returngo import events
from streams.sources.shopify_effects import effects
from streams.sources.shopify_orders import snapshot
from tests.unit.systems.sandbox_shop import DOMAIN, SandboxShop

SOLD: dict[str, Any] = {"name": "#1002", "id": 5002, "customer_id": 601}


@pytest.fixture
async def shop() -> SandboxShop:
    return await SandboxShop().open()


async def read_order(shop: SandboxShop, order_id: str) -> Any:
    return await shop.read("shopify", shopify.order(shop.connections["shopify"], order_id))


@pytest.mark.req("MON-12", "MON-13")
@pytest.mark.parametrize(("taxes_included", "tax"), [(True, 196), (False, 225)])
async def test_a_refund_tells_its_tax_and_what_it_took_in_the_shops_currency(
    shop: SandboxShop, taxes_included: bool, tax: int
) -> None:
    lines = [{"sku": "TEE-M", "quantity": 2, "unit_price": "1500", "tax_rate": "0.15"}]
    sold = {**SOLD, "lines": lines, "currency": "JPY", "rate": "0.0064", "taxes_included": taxes_included}
    await shop.control(f"shops/{DOMAIN}/orders", {"orders": [sold]})
    back = {"order": "#1002", "lines": [{"sku": "TEE-M", "quantity": 1}], "amount": "1500"}
    await shop.control(f"shopify/{DOMAIN}/staff/refund", back)
    order = await read_order(shop, "5002")
    (seen,), (recorded,) = effects(order, merchant="acorn"), snapshot(order, merchant="acorn").refunds
    assert (seen.tax_minor, recorded.tax_minor) == (tax, tax)
    assert [(each.amount_minor, each.shop_amount_minor) for each in seen.tenders] == [(1500, 960)]


@pytest.mark.req("MON-12")
async def test_a_refund_of_an_amount_alone_tells_no_tax(shop: SandboxShop) -> None:
    await shop.control(f"shopify/{DOMAIN}/staff/refund", {"order": "#1001", "lines": [], "amount": "5.00"})
    (seen,) = effects(await read_order(shop, "5001"), merchant="acorn")
    assert (seen.total_minor, seen.tax_minor) == (500, None)


@pytest.mark.req("EXG-6")
@pytest.mark.parametrize("unit", [0, None])
async def test_goods_in_exchange_have_the_price_that_returngo_tells(shop: SandboxShop, unit: int | None) -> None:
    units = [{"sku": "TEE-M", "resolution": "ProductExchange"}, {"sku": "SOAP"}]
    made = await shop.control(f"returngo/{DOMAIN}/rmas", {"order": "#1001", "units": units})
    swap = {"sku": "SOAP", "quantity": 2, "effective_price": "4.50", "unit": unit}
    await shop.control(f"returngo/{DOMAIN}/rmas/{made['rma_id']}/exchange", swap)
    body = await shop.read("returngo", returngo.rma(shop.connections["returngo"], made["rma_id"]))
    requested = events(body, merchant="acorn", read_at_ms=shop.now_ms)[0]
    assert [each.exchange_price for each in requested.units] == [Money(minor=900, currency="EUR"), None]


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(("taxes_included", "each"), [(True, 2500), (False, 2875)])
async def test_the_shops_suggestion_comes_line_by_line_and_adds_up(
    shop: SandboxShop, taxes_included: bool, each: int
) -> None:
    lines = [{"sku": "TEE-M", "quantity": 2, "tax_rate": "0.15"}]
    sold = {**SOLD, "lines": lines, "shipping": "4.00", "taxes_included": taxes_included}
    made = (await shop.control(f"shops/{DOMAIN}/orders", {"orders": [sold]}))["orders"]["#1002"]
    line = made["lines"][0]["id"]
    share = LineShare(line_id=str(line), quantity=2, amount_minor=2 * each)
    outcome = await shop.settle(shop.refund(order_id="5002", lines=(share,), shipping_minor=400))
    assert isinstance(outcome, Rejected)
    assert outcome.suggested == Suggestion(
        currency="EUR", amount_minor=2 * each + 400, most_minor=2 * each + 400, lines=(share,), shipping_minor=400
    )
