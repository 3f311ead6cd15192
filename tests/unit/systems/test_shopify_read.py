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


def variant(sku: str | None, number: int = 1) -> Json:
    item = {"id": f"gid://shopify/InventoryItem/30{number}"}
    return {"id": f"gid://shopify/ProductVariant/{number}", "sku": sku, "inventoryItem": item}


def variants(*found: Json, after: str | None = None) -> httpx.Response:
    page = {"hasNextPage": after is not None, "endCursor": after}
    return shop.answer({"productVariants": {"pageInfo": page, "nodes": list(found)}})


@pytest.mark.req("INV-7", "INV-8", "INV-19")
def test_only_the_sku_that_is_meant_is_found_in_whatever_spelling() -> None:
    similar = [variant("TEE-ML", 2), variant("TEE M", 3), variant(None, 4)]
    spelled = [variant("TEE-M"), variant("tee-m ", 5)]
    found, said = drive(read.variants_by_sku(SHOP, " TEE-M"), [variants(*similar, *spelled)])
    assert [each["id"][-1] for each in found["nodes"]] == ["1", "5"]
    assert said.variables("VariantsBySku") == {"query": "sku:'TEE-M'", "after": None}


@pytest.mark.req("INV-19")
def test_a_sku_is_found_behind_any_number_of_similar_ones() -> None:
    pages = [
        variants(*(variant(f"TEE-M{n}", n) for n in range(25)), after="c1"), variants(variant("TEE-M", 40), after="c2"),
        variants(),
    ]  # fmt: skip
    found, said = drive(read.variants_by_sku(SHOP, "TEE-M"), pages)
    assert ([each["id"][-2:] for each in found["nodes"]], found["complete"]) == (["40"], True)
    assert said.variables("VariantsBySku")["after"] == "c2"


@pytest.mark.req("INV-19")
def test_a_search_that_finds_too_much_says_so() -> None:
    pages = [variants(variant(f"A{n}", n), after=f"c{n}") for n in range(read.MOST_SIMILAR // 25)]
    found, _ = drive(read.variants_by_sku(SHOP, "A"), pages)
    assert found == {"nodes": [], "complete": False}


def test_quotes_in_a_sku_do_not_end_the_search_text() -> None:
    _, said = drive(read.variants_by_sku(SHOP, "5' \\ OR x"), [variants()])
    assert said.variables("VariantsBySku")["query"] == "sku:'5\\' \\\\ OR x'"


def item(*found: Json, more: bool = False, shared: bool = False) -> httpx.Response:
    levels = {"pageInfo": {"hasNextPage": more, "endCursor": "l1"}, "nodes": [{"id": "gid://shopify/InventoryLevel/1"}]}
    of = {"pageInfo": {"hasNextPage": shared}, "nodes": list(found)}
    there = {"id": "gid://shopify/InventoryItem/301", "tracked": True, "inventoryLevels": levels, "variants": of}
    return shop.answer({"inventoryItem": there})


def test_levels_are_read_to_the_last_page() -> None:
    page = {"hasNextPage": False, "endCursor": None}
    rest = {
        "inventoryItem": {"inventoryLevels": {"pageInfo": page, "nodes": [{"id": "gid://shopify/InventoryLevel/2"}]}}
    }
    found, said = drive(
        read.item(SHOP, "301"), [item({"id": "gid://shopify/ProductVariant/1"}, more=True), shop.answer(rest)]
    )
    assert found is not None
    assert [level["id"][-1] for level in found["inventoryItem"]["inventoryLevels"]["nodes"]] == ["1", "2"]
    assert said.variables("ItemLevels")["after"] == "l1"
    assert said.variables("Item") == {"id": "gid://shopify/InventoryItem/301"}


@pytest.mark.req("INV-19")
def test_an_item_or_a_variant_that_is_gone_is_none() -> None:
    assert drive(read.item(SHOP, "301"), [shop.answer({"inventoryItem": None})])[0] is None
    assert drive(read.item(SHOP, "301"), [item()])[0] is None
    assert drive(read.variant(SHOP, "9"), [shop.answer({"productVariant": None})])[0]["nodes"] == []
    found, said = drive(read.variant(SHOP, "9"), [shop.answer({"productVariant": variant("", 9)})])
    assert [each["id"] for each in found["nodes"]] == ["gid://shopify/ProductVariant/9"]
    assert said.variables("Variant") == {"id": "gid://shopify/ProductVariant/9"}


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
