"""Orders that were edited, sent in parts, cancelled or refunded by hand before their return: what the shop pays."""

import itertools
from typing import Any

import pytest

from schemas.commands import Refund
from tests.unit.domain.factories import rules
from tests.unit.systems.played_order import PlayedOrder
from tests.unit.systems.sandbox_shop import SandboxShop

FULL = rules(refunding={"shipping": "full_return"})
CARD = "shopify_payments"
A = {"sku": "TEE-M", "quantity": 2, "unit_price": "20.00"}
B = {"sku": "SOAP", "unit_price": "12.00"}
C = {"sku": "CARD", "unit_price": "9.00", "fulfilled": 0}


async def order(*lines: Any, merchant: Any = FULL, **more: Any) -> PlayedOrder:
    return await PlayedOrder.placed(await SandboxShop().open(), merchant, *lines, **more)


async def total(played: PlayedOrder) -> float:
    return round(sum(float(amount) for _, amount in await played.paid()), 2)


@pytest.mark.req("MON-2", "MON-11")
@pytest.mark.parametrize("shown_as_refund", [False, True])
@pytest.mark.parametrize("split", [["1", "1", "1"], ["1", "1", "2"], ["1", "2", "1"], ["1", "2", "3"]])
async def test_a_line_that_an_edit_took_off_keeps_no_shipping_back(split: list[str], *, shown_as_refund: bool) -> None:
    payments = [{"gateway": CARD, "amount": "57.00"}]
    played = await order(A, B, C, shipping="5.00", payments=payments)
    await played.staff("edit-order", remove=[{"sku": "CARD"}], shown_as_refund=shown_as_refund)
    units = [
        ("TEE-M", played.lines["TEE-M"][0]),
        ("TEE-M", played.lines["TEE-M"][0]),
        ("SOAP", played.lines["SOAP"][0]),
    ]
    for rma in sorted(set(split)):
        await played.comes(*(u for u, to in zip(units, split, strict=True) if to == rma), rma=rma)
    assert (await total(played), played.run.open) == (57.0, [])


@pytest.mark.req("MON-2", "MON-11")
async def test_a_line_that_is_taken_off_after_all_else_was_paid_lets_the_shipping_go() -> None:
    played = await order(A, C, shipping="5.00")
    await played.comes(*[("TEE-M", played.lines["TEE-M"][0])] * 2, rma="1")
    assert await total(played) == 40.0
    await played.staff("edit-order", remove=[{"sku": "CARD"}])
    await played.settle()
    assert (await total(played), played.run.open) == (45.0, [])


@pytest.mark.req("MON-2", "MON-11")
@pytest.mark.parametrize("taxes", [{}, {"taxes_included": False}])
async def test_shipping_that_staff_gave_back_is_not_given_back_again_with_its_tax(taxes: dict[str, bool]) -> None:
    rate = {"tax_rate": "0.19"}
    played = await order({**A, **rate}, shipping_lines=[{"price": "5.00", **rate}, {"price": "2.50", **rate}], **taxes)
    shipping = "3.57" if taxes else "3.00"
    await played.staff("refund", amount=shipping, shipping="3.00")
    await played.comes(*[("TEE-M", played.lines["TEE-M"][0])] * 2, rma="1")
    everything = 40.0 * 1.19 + 8.93 if taxes else 47.5
    assert (await total(played), played.run.open) == (round(everything, 2), [])


@pytest.mark.req("MON-2")
async def test_a_tip_keeps_no_shipping_back() -> None:
    played = await order(B, {"custom_title": "Tip", "unit_price": "3.00", "ships": False}, shipping="5.00")
    await played.comes(("SOAP", played.lines["SOAP"][0]), rma="1")
    assert (await total(played), played.run.open) == (17.0, [])


@pytest.mark.req("MON-2", "MON-11")
@pytest.mark.parametrize("means", list(itertools.permutations(["refund", "store_credit"])))
async def test_a_unit_taken_as_credit_keeps_no_shipping_back(means: tuple[str, str]) -> None:
    played = await order(A, shipping="5.00")
    for number, each in enumerate(means):
        await played.comes(("TEE-M", played.lines["TEE-M"][0], {"resolution": each}), rma=str(number))
    gateways = sorted(gateway for gateway, _ in await played.paid())
    assert (await total(played), played.run.open) == (45.0, [])
    assert gateways.count(CARD) == (1 if means[1] == "refund" else 2)


@pytest.mark.req("INV-5", "MON-4")
async def test_what_never_left_the_shop_waits_until_it_did() -> None:
    played = await order({**A, "fulfilled": 0})
    await played.comes(("TEE-M", played.lines["TEE-M"][0]), rma="1")
    assert (await played.paid(), played.run.intents, played.run.open) == ([], [], ["over_quantity"])
    await played.staff("send", lines=[{"sku": "TEE-M"}])
    await played.settle()
    assert (await total(played), len(played.run.intents), played.run.open) == (20.0, 1, [])


@pytest.mark.req("INV-5", "MON-4")
async def test_the_unit_that_left_is_paid_beside_one_that_was_cancelled_unsent() -> None:
    played = await order({**A, "fulfilled": 1})
    unit = ("TEE-M", played.lines["TEE-M"][0])
    await played.asked(unit, rma="1", since=0)
    gone = {"sku": "TEE-M", "restock_type": "CANCEL", "location_id": 71}
    await played.staff("refund", amount="20.00", lines=[gone])
    await played.inspected(unit, rma="1")
    assert (await total(played), len(played.run.intents), played.run.open) == (40.0, 1, [])


@pytest.mark.req("INV-9", "MON-2", "MON-4")
async def test_the_same_bundle_in_two_groups_pays_each_its_own_price() -> None:
    played = await order({"bundle": "SET", "unit_price": "10.00"}, {"bundle": "SET", "unit_price": "7.00"})
    await played.comes(("SET", None), rma="1")
    assert await total(played) == 10.0
    await played.comes(("SET", None), rma="2")
    assert (await total(played), played.run.open) == (17.0, [])
    assert [[share.quantity for share in refund.lines] for refund in played.run.commands(Refund)] == [[2], [2]]
