"""Shopify's front: tokens, states, versions, the layers of errors, cost and bucket."""

import asyncio

import pytest

from ops.sandbox.shopify.cost import Bucket
from tests.unit.sandbox.box import ADJUST, REFUND, SHOP, Box, adjustment, change

NAME = "{ shop { name currencyCode } currentAppInstallation { accessScopes { handle } } }"
PATH = f"/shopify/{SHOP}/admin/api/2026-04/graphql.json"


async def test_a_wrong_or_missing_token_is_401(box: Box) -> None:
    assert (await box.post(NAME, token="wrong")).status_code == 401
    assert (await box.client.post(PATH, json={"query": NAME})).status_code == 401
    assert (await box.post(NAME)).status_code == 200


@pytest.mark.parametrize(("state", "status"), [("frozen", 402), ("locked", 423), ("uninstalled", 401), ("open", 200)])
async def test_a_shop_may_be_closed_to_us(box: Box, state: str, status: int) -> None:
    await box.control(f"/shops/{SHOP}/state", state=state)
    assert (await box.post(NAME)).status_code == status


async def test_an_unknown_shop_is_404(box: Box) -> None:
    answer = await box.client.post(
        PATH.replace("demo", "other"), json={"query": NAME}, headers={"X-Shopify-Access-Token": "x"}
    )
    assert answer.status_code == 404


async def test_the_answer_says_which_version_served_it(box: Box) -> None:
    assert (await box.post(NAME)).headers["X-Shopify-API-Version"] == "2026-04"
    await box.control(f"/shops/{SHOP}/serves", version="2026-07")
    assert (await box.post(NAME)).headers["X-Shopify-API-Version"] == "2026-07"


async def test_expired_tokens_are_renewed_and_a_refresh_token_dies_on_use(box: Box) -> None:
    await box.control(f"/shops/{SHOP}/expire-tokens")
    assert (await box.post(NAME)).status_code == 401
    given = {
        "client_id": "demo",
        "client_secret": "shpss_demo",
        "grant_type": "refresh_token",
        "refresh_token": "shprt_demo",
    }
    path = f"/shopify/{SHOP}/admin/oauth/access_token"
    token = (await box.client.post(path, json=given)).json()["access_token"]
    assert (await box.post(NAME, token=token)).status_code == 200
    assert (await box.client.post(path, json=given)).status_code == 400
    form = {"client_id": "demo", "client_secret": "shpss_demo", "grant_type": "client_credentials"}
    assert (
        await box.post(NAME, token=(await box.client.post(path, data=form)).json()["access_token"])
    ).status_code == 200
    assert (await box.client.post(path, data=form | {"client_secret": "wrong"})).status_code == 400


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ shop { nothing } }", "undefinedField"),
        (REFUND.replace("userErrors { field message }", "userErrors { field message code }"), "undefinedField"),
        ('{ shop(id: "1") { name } }', "argumentNotAccepted"),
        ("{ order { id } }", "missingRequiredArguments"),
        ("{ shop @nothing { name } }", "undefinedDirective"),
        ("query($x: Int) { shop { name } }", "variableNotUsed"),
        ("{ shop }", "selectionMismatch"),
        ("{ shop {", "PARSE_ERROR"),
    ],
)
async def test_a_document_that_is_wrong_is_an_error_at_the_top_with_200(box: Box, document: str, code: str) -> None:
    answer = await box.graphql(document)
    assert answer["errors"][0]["extensions"]["code"] == code
    assert "data" not in answer


async def test_a_field_that_a_type_lacks_is_named_as_shopify_does(box: Box) -> None:
    error = (await box.graphql(REFUND.replace("field message }\n", "code }\n")))["errors"][0]
    assert error["message"] == "Field 'code' doesn't exist on type 'UserError'"
    assert (error["extensions"]["typeName"], error["extensions"]["fieldName"]) == ("UserError", "code")


async def test_a_variable_of_the_wrong_shape_is_invalid_variable_with_its_problems(box: Box) -> None:
    answer = await box.graphql(REFUND, input={"note": "no order"}, key="k")
    error = answer["errors"][0]
    assert error["extensions"]["code"] == "INVALID_VARIABLE"
    assert "orderId" in error["extensions"]["problems"][0]["explanation"]
    assert "data" not in answer


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"query": 1}', b'{"query": "{ shop { name } }", "variables": []}']
)
async def test_a_body_that_is_no_request_is_400_or_runs_without_variables(box: Box, body: bytes) -> None:
    answer = await box.client.post(PATH, content=body, headers={"X-Shopify-Access-Token": "shpat_demo"})
    assert answer.status_code == (200 if b"shop" in body else 400)


async def test_a_page_must_be_sized_and_at_most_250(box: Box) -> None:
    for document in ("{ orders { nodes { id } } }", "{ orders(first: 251) { nodes { id } } }"):
        answer = await box.graphql(document)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_each_answer_carries_its_cost_and_gives_back_what_it_did_not_use(box: Box) -> None:
    document = "{ orders(first: 50) { nodes { id lineItems(first: 50) { nodes { id } } } } }"
    cost = (await box.graphql(document))["extensions"]["cost"]
    assert cost["actualQueryCost"] < cost["requestedQueryCost"] <= 100
    status = cost["throttleStatus"]
    assert (status["maximumAvailable"], status["restoreRate"]) == (2000, 100)
    assert status["currentlyAvailable"] >= 2000 - cost["actualQueryCost"]


async def test_costs_are_near_the_recorded_ones(box: Box) -> None:
    adjust = await box.graphql(ADJUST, input=adjustment(change(box, "MUG")), key="k")
    refund = await box.graphql(REFUND, input={"orderId": box.order()}, key="k2")
    assert 10 <= adjust["extensions"]["cost"]["requestedQueryCost"] <= 16
    assert 20 <= refund["extensions"]["cost"]["requestedQueryCost"] <= 66


async def test_a_query_may_not_cost_more_than_a_thousand(box: Box) -> None:
    orders = "orders(first: 250) { nodes { returns(first: 250) { nodes { refunds(first: 250) { nodes { id } } } } } }"
    answer = await box.graphql(f"{{ {orders} }}")
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


async def test_an_empty_bucket_throttles_with_200_and_nothing_is_done(box: Box) -> None:
    await box.control("/reset")
    await box.open(bucket_size=20, restore_rate=0.001)
    given = adjustment(change(box, "MUG"))
    answers = [await box.graphql(ADJUST, input=given, key=str(number)) for number in range(3)]
    codes = [error["extensions"]["code"] for answer in answers for error in answer.get("errors", [])]
    assert codes == ["THROTTLED", "THROTTLED"]
    assert answers[1]["extensions"]["cost"]["actualQueryCost"] is None
    books = await box.books()
    assert books["totals"]["moved"] == {"MUG@11.available": 1}
    assert books["calls"]["throttled"] == 2


async def test_the_bucket_refills_in_real_time() -> None:
    bucket = Bucket(100, 1000, 100)
    assert bucket.take(100)
    assert not bucket.take(50)
    await asyncio.sleep(0.06)
    assert bucket.take(50)


async def test_a_missing_scope_denies_the_field_that_needs_it_and_spends_no_key(box: Box) -> None:
    await box.control("/reset")
    await box.open(without_scopes=["write_inventory"])
    answer = await box.graphql(ADJUST, input=adjustment(change(box, "MUG")), key="k")
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert "`write_inventory`" in answer["errors"][0]["message"]
    assert answer["data"] == {"inventoryAdjustQuantities": None}
    assert {"handle": "write_inventory"} not in (await box.data(NAME))["currentAppInstallation"]["accessScopes"]


async def test_scopes_and_currency_can_be_read(box: Box) -> None:
    seen = await box.data(NAME)
    assert seen["shop"] == {"name": "demo", "currencyCode": "ZAR"}
    assert {"handle": "write_inventory"} in seen["currentAppInstallation"]["accessScopes"]
