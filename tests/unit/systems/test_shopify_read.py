"""What readers get from Shopify: whole orders, exact SKUs, every page, and a flag where something was cut off."""

from typing import Any

import httpx
import pytest

from sinks.contract import NotSent, Unanswered
from sinks.outcomes import Deferred, Misconfigured, Rejected
from sinks.systems.ended import Ended
from sinks.systems.page import Page
from sinks.systems.shopify import read
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import SHOP
from tests.unit.systems.peer import drive

Json = dict[str, Any]
LAST = {"hasNextPage": False, "endCursor": None}


def head(**changes: Any) -> httpx.Response:
    order = {
        "id": "gid://shopify/Order/5001",
        "returnStatus": "NO_RETURN",
        "refunds": [],
        "transactions": [],
        "shippingLines": {"pageInfo": LAST, "nodes": []},
        "metafields": {"pageInfo": LAST, "nodes": []},
    }
    return shop.answer({"order": {**order, **changes}})


def lines(*numbers: int, after: str | None = None) -> httpx.Response:
    nodes = [{"id": f"gid://shopify/LineItem/{n}"} for n in numbers]
    page = {"hasNextPage": after is not None, "endCursor": after}
    return shop.answer({"order": {"lineItems": {"pageInfo": page, "nodes": nodes}}})


def refund(number: int, *quantities: int, after: str | None = None) -> httpx.Response:
    page = {"hasNextPage": after is not None, "endCursor": after}
    found = {
        "id": f"gid://shopify/Refund/{number}",
        "refundLineItems": {"pageInfo": page, "nodes": [{"quantity": n} for n in quantities]},
        "refundShippingLines": {"pageInfo": LAST, "nodes": []},
        "transactions": {"pageInfo": LAST, "nodes": []},
    }
    return shop.answer({"refund": found})


def test_an_order_comes_with_every_line_refund_and_return() -> None:
    answers = [
        head(refunds=[{"id": "gid://shopify/Refund/1"}, {"id": "gid://shopify/Refund/2"}], returnStatus="IN_PROGRESS"),
        lines(1, 2, after="c1"),
        lines(3),
        shop.returns(shop.native_return(shop.returned_line()), next_page="r1"),
        shop.returns(shop.native_return(shop.returned_line(32), number=12)),
        refund(1, 1, 2, after="f1"),
        refund(1, 3),
        refund(2),
    ]
    order, said = drive(read.order(SHOP, "5001"), answers)
    assert order is not None
    assert [line["id"][-1] for line in order["lineItems"]["nodes"]] == ["1", "2", "3"]
    assert [r["id"][-2:] for r in order["returns"]["nodes"]] == ["11", "12"]
    assert [[x["quantity"] for x in r["refundLineItems"]["nodes"]] for r in order["refunds"]] == [[1, 2, 3], []]
    assert order["complete"] is True
    assert said.names().count("OrderLines") == 2


def test_an_order_without_returns_costs_no_look_at_them() -> None:
    order, said = drive(read.order(SHOP, "5001"), [head(), lines(1)])
    assert order is not None
    assert order["returns"] == {"nodes": []}
    assert said.names() == ["Order", "OrderLines"]


def test_an_unknown_order_is_none() -> None:
    assert drive(read.order(SHOP, "5001"), [shop.answer({"order": None})])[0] is None


@pytest.mark.parametrize(
    "answers",
    [
        [head(), shop.answer({"order": None})],
        [head(refunds=[{"id": "gid://shopify/Refund/1"}]), lines(1), shop.answer({"refund": None})],
        [
            head(metafields={"pageInfo": {"hasNextPage": True, "endCursor": "m"}, "nodes": []}),
            shop.answer({"order": None}),
            lines(1),
        ],
        [head(transactions=[{"id": str(n)} for n in range(31)]), lines(1), shop.answer({"order": None})],
        [head(transactions=[{}] * 31), lines(1), shop.answer({"order": {"transactions": [{}] * 190}})],
        [head(returnStatus="IN_PROGRESS"), lines(1), shop.answer({"order": None})],
        [
            head(returnStatus="IN_PROGRESS"),
            lines(1),
            shop.returns(shop.native_return(shop.returned_line(), more=True)),
            shop.answer({"reverseFulfillmentOrder": None}),
        ],
    ],
)
def test_what_is_cut_off_is_flagged(answers: list[httpx.Response]) -> None:
    order, _ = drive(read.order(SHOP, "5001"), list(answers))
    assert order is not None
    assert order["complete"] is False


def test_too_many_refunds_are_flagged() -> None:
    refunds = [{"id": f"gid://shopify/Refund/{n}"} for n in range(250)]
    listed = shop.answer({"order": {"refunds": refunds}})
    answers = [head(refunds=refunds[:51]), lines(1), listed, *(refund(n) for n in range(250))]
    order, _ = drive(read.order(SHOP, "5001"), answers)
    assert order is not None
    assert (len(order["refunds"]), order["complete"]) == (250, False)


def test_changed_orders_come_in_pages() -> None:
    rows = [{"id": "gid://shopify/Order/5001", "updatedAt": "2026-05-04T10:00:00Z"}]
    page = {"hasNextPage": True, "endCursor": "c1"}
    answers = [shop.answer({"orders": {"pageInfo": page, "nodes": rows}})]
    found, said = drive(read.orders_since(SHOP, 1_777_888_800_000, None), answers)
    assert found == Page(rows=rows, next_cursor="c1")
    assert said.variables("OrdersSince") == {"query": "updated_at:>='2026-05-04T10:00:00Z'", "after": None}
    last = [shop.answer({"orders": {"pageInfo": {"hasNextPage": False, "endCursor": "c2"}, "nodes": []}})]
    assert drive(read.orders_since(SHOP, 0, "c1"), last)[0] == Page(rows=[], next_cursor=None)


def variant(sku: str, number: int = 1, more: bool = False) -> Json:
    page = {"hasNextPage": more, "endCursor": "l1"}
    levels = {"pageInfo": page, "nodes": [{"id": "gid://shopify/InventoryLevel/1"}]}
    item = {"id": "gid://shopify/InventoryItem/301", "tracked": True, "inventoryLevels": levels}
    return {"id": f"gid://shopify/ProductVariant/{number}", "sku": sku, "inventoryItem": item}


def variants(*found: Json) -> httpx.Response:
    return shop.answer({"productVariants": {"pageInfo": LAST, "nodes": list(found)}})


@pytest.mark.req("INV-7", "INV-8")
def test_only_the_exact_sku_is_found() -> None:
    found, said = drive(read.item_by_sku(SHOP, "TEE-M"), [variants(variant("TEE-ML", 2), variant("TEE-M"))])
    assert found is not None
    assert found["id"] == "gid://shopify/ProductVariant/1"
    assert found["matches"] == 1
    assert said.variables("ItemBySku")["query"] == "sku:'TEE-M'"
    assert drive(read.item_by_sku(SHOP, "TEE-M"), [variants(variant("tee-m"))])[0] is None


def test_a_sku_that_two_variants_carry_is_counted() -> None:
    found, _ = drive(read.item_by_sku(SHOP, "TEE-M"), [variants(variant("TEE-M"), variant("TEE-M", 2))])
    assert found is not None
    assert found["matches"] == 2


def test_quotes_in_a_sku_do_not_end_the_search_text() -> None:
    _, said = drive(read.item_by_sku(SHOP, "5' \\ OR x"), [variants()])
    assert said.variables("ItemBySku")["query"] == "sku:'5\\' \\\\ OR x'"


def test_levels_are_read_to_the_last_page() -> None:
    page = {"hasNextPage": False, "endCursor": None}
    rest = {
        "inventoryItem": {"inventoryLevels": {"pageInfo": page, "nodes": [{"id": "gid://shopify/InventoryLevel/2"}]}}
    }
    answers = [variants(variant("TEE-M", more=True)), shop.answer(rest)]
    found, said = drive(read.item_by_sku(SHOP, "TEE-M"), answers)
    assert found is not None
    assert [level["id"][-1] for level in found["inventoryItem"]["inventoryLevels"]["nodes"]] == ["1", "2"]
    assert said.variables("ItemLevels")["after"] == "l1"


def test_lists_are_read_whole() -> None:
    def page(name: str, number: int, after: str | None) -> httpx.Response:
        info = {"hasNextPage": after is not None, "endCursor": after}
        return shop.answer({name: {"pageInfo": info, "nodes": [{"id": str(number)}]}})

    found, _ = drive(read.locations(SHOP), [page("locations", 1, "a"), page("locations", 2, None)])
    assert found == [{"id": "1"}, {"id": "2"}]
    found, _ = drive(read.subscriptions(SHOP), [page("webhookSubscriptions", 1, None)])
    assert found == [{"id": "1"}]


def test_scopes_are_names() -> None:
    data = {"currentAppInstallation": {"accessScopes": [{"handle": "read_orders"}, {"handle": "write_orders"}]}}
    assert drive(read.scopes(SHOP), [shop.answer(data)])[0] == ["read_orders", "write_orders"]


def test_a_subscription_is_made_or_refused_in_words() -> None:
    made = {"id": "gid://shopify/WebhookSubscription/1", "topic": "REFUNDS_CREATE", "uri": "https://in.example/x"}
    data = {"webhookSubscriptionCreate": {"webhookSubscription": made, "userErrors": []}}
    found, said = drive(read.subscribe(SHOP, "REFUNDS_CREATE", "https://in.example/x"), [shop.answer(data)])
    assert found == made
    assert said.variables("Subscribe")["subscription"] == {"uri": "https://in.example/x", "format": "JSON"}
    refused = shop.refused("webhookSubscriptionCreate", "Address for this topic has already been taken")
    with pytest.raises(Ended) as ended:
        drive(read.subscribe(SHOP, "REFUNDS_CREATE", "https://in.example/x"), [refused])
    assert isinstance(ended.value.outcome, Rejected)


def test_refusals_and_lost_answers_reach_the_reader_as_outcomes() -> None:
    for answer, expected in (
        (httpx.Response(401), Misconfigured),
        (httpx.Response(503), Deferred),
        (shop.throttled(), Deferred),
        (Unanswered(), Deferred),
        (NotSent("no quota", 5.0), Deferred),
    ):
        with pytest.raises(Ended) as ended:
            drive(read.order(SHOP, "5001"), [answer])
        assert isinstance(ended.value.outcome, expected)
