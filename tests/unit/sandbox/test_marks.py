"""Tags, note and metafields on an order, and draft orders."""

from typing import Any

from tests.unit.sandbox.box import SHOP, Box, gid

TAGS = """
mutation Tags($id: ID!, $add: [String!]!, $del: [String!]!) {
  tagsAdd(id: $id, tags: $add) { node { id } userErrors { field message } }
  tagsRemove(id: $id, tags: $del) { node { id } userErrors { field message } }
}
"""
NOTE = """
mutation Note($input: OrderInput!) {
  orderUpdate(input: $input) { order { note tags } userErrors { field message } }
}
"""
MARK = """
mutation Mark($m: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $m) {
    metafields { id key value compareDigest }
    userErrors { field message code elementIndex }
  }
}
"""


async def test_tags_are_a_set_without_case(box: Box) -> None:
    await box.data(TAGS, id=box.order(), add=["rma-1", " RMA-1 ", "x"], **{"del": ["not-there"]})
    await box.data(TAGS, id=box.order(), add=["Rma-1"], **{"del": ["X"]})
    books = await box.books()
    assert books["orders"]["#1001"]["tags"] == ["rma-1"]
    assert [(mark["kind"], mark["value"]) for mark in books["marks"]] == [
        ("tag_added", "rma-1"), ("tag_added", "x"), ("tag_removed", "x"),
    ]  # fmt: skip


async def test_tags_that_are_too_long_or_on_nothing_are_refused(box: Box) -> None:
    long = await box.data(TAGS, id=box.order(), add=["x" * 41], **{"del": []})
    assert long["tagsAdd"]["userErrors"][0]["field"] == ["tags"]
    missing = await box.data(TAGS, id=gid("Order", 1), add=["x"], **{"del": []})
    assert missing["tagsAdd"]["userErrors"] == [{"field": ["id"], "message": "Order does not exist"}]
    wrong = await box.graphql(TAGS, id=gid("Location", 11), add=["x"], **{"del": []})
    assert {error["extensions"]["code"] for error in wrong["errors"]} == {"RESOURCE_NOT_FOUND"}


async def test_a_note_replaces_the_note_and_leaves_the_tags(box: Box) -> None:
    await box.data(TAGS, id=box.order(), add=["keep"], **{"del": []})
    answer = await box.data(NOTE, input={"id": box.order(), "note": "RMA 1"})
    assert answer["orderUpdate"] == {"order": {"note": "RMA 1", "tags": ["keep"]}, "userErrors": []}
    missing = await box.data(NOTE, input={"id": gid("Order", 1), "note": "x"})
    assert missing["orderUpdate"]["userErrors"] == [{"field": ["id"], "message": "Order does not exist"}]


def field(box: Box, value: str, key: str = "claim", **more: object) -> dict[str, Any]:
    """MetafieldsSetInput."""
    return {"ownerId": box.order(), "namespace": "returns", "key": key, "type": "json", "value": value, **more}


async def test_a_null_digest_claims_once_and_a_known_one_updates(box: Box) -> None:
    made = (await box.data(MARK, m=[field(box, '{"a": 1}', compareDigest=None)]))["metafieldsSet"]
    digest = made["metafields"][0]["compareDigest"]
    lost = (await box.data(MARK, m=[field(box, '{"a": 2}', compareDigest=None)]))["metafieldsSet"]
    assert lost["metafields"] is None
    assert (lost["userErrors"][0]["code"], lost["userErrors"][0]["elementIndex"]) == ("STALE_OBJECT", 0)
    won = (await box.data(MARK, m=[field(box, '{"a": 1}', compareDigest=digest)]))["metafieldsSet"]
    assert won["metafields"][0]["compareDigest"] != digest
    stale = (await box.data(MARK, m=[field(box, '{"a": 3}', compareDigest=digest)]))["metafieldsSet"]
    assert stale["userErrors"][0]["code"] == "STALE_OBJECT"
    free = (await box.data(MARK, m=[field(box, '{"a": 4}')]))["metafieldsSet"]
    assert free["metafields"][0]["value"] == '{"a": 4}'


async def test_one_wrong_metafield_and_none_is_written(box: Box) -> None:
    given = [field(box, "{}", key="fine"), field(box, "not json", key="bad")]
    answer = (await box.data(MARK, m=given))["metafieldsSet"]
    assert [(error["code"], error["elementIndex"]) for error in answer["userErrors"]] == [("INVALID_VALUE", 1)]
    document = 'query($id: ID!) { order(id: $id) { metafield(namespace: "returns", key: "fine") { value } } }'
    assert (await box.data(document, id=box.order()))["order"]["metafield"] is None


async def test_a_draft_becomes_an_order_once(box: Box) -> None:
    rma = await box.control(f"/returngo/{SHOP}/rmas", order="#1001", units=[{"sku": "TEE-M"}])
    swap = await box.control(f"/returngo/{SHOP}/rmas/{rma['rma_id']}/exchange", sku="MUG")
    document = """mutation Complete($id: ID!) { draftOrderComplete(id: $id) {
        draftOrder { status order { displayFulfillmentStatus totalPriceSet { shopMoney { amount } } } }
        userErrors { message } } }"""
    draft = gid("DraftOrder", swap["draft_order_id"])
    made = (await box.data(document, id=draft))["draftOrderComplete"]["draftOrder"]
    assert (made["status"], made["order"]["displayFulfillmentStatus"]) == ("COMPLETED", "UNFULFILLED")
    assert made["order"]["totalPriceSet"]["shopMoney"]["amount"] == "0.0"
    again = (await box.data(document, id=draft))["draftOrderComplete"]
    assert again["draftOrder"] == made
    assert len(again["userErrors"]) == 1
    assert len((await box.books())["orders"]) == 2
