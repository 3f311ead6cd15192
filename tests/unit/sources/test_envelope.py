"""What is told from a webhook without trusting it, whatever is in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from streams.sources.envelope import delivery, envelope


def told(system: str, body: object, topic: str = "orders/updated") -> tuple[str, str, bool]:
    read = envelope(system, {"x-shopify-topic": topic}, json.dumps(body).encode())
    return read.event, read.resource_id, read.problem is None


@pytest.mark.parametrize(
    "body",
    [{"rmaId": "17"}, {"rmaId": 17}, {"rma_id": "17"}, {"rma": {"rmaId": "RMA17"}},
     {"rmaSummary": {"rmaId": 17}}, {"data": {"rmaId": "17"}}],
)  # fmt: skip
def test_an_rma_is_found_wherever_returngo_may_put_it(body: dict[str, object]) -> None:
    assert told("returngo", {"eventName": "RMA_CREATED", **body}) == ("RMA_CREATED", "17", True)


def test_a_parcel_alone_is_looked_up_later() -> None:
    body = {"eventName": "SHIPMENT_STATUS_UPDATED", "shipment": {"shipmentId": 5}}
    assert told("returngo", body) == ("SHIPMENT_STATUS_UPDATED", "shipment:5", True)


@pytest.mark.parametrize(
    ("topic", "body", "resource"),
    [
        ("orders/updated", {"id": 5001}, "5001"),
        ("orders/edited", {"order_edit": {"order_id": 5001}}, "5001"),
        ("refunds/create", {"id": 1, "order_id": 5001}, "5001"),
        ("returns/approve", {"id": 1, "order": {"admin_graphql_api_id": "gid://shopify/Order/5001"}}, "5001"),
        ("returns/close", {"id": 1, "order_id": 5001}, "5001"),
        ("returns/update", {"admin_graphql_api_id": "gid://shopify/Return/81"}, "return:81"),
        ("returns/process", {"id": 81, "return_line_items": []}, "return:81"),
        ("reverse_fulfillment_orders/dispose", {"id": 91, "total_dispositions": 1}, "reverse:91"),
        ("reverse_fulfillment_orders/dispose", {"id": 91, "return": {"id": 81}}, "return:81"),
        ("reverse_deliveries/attach_deliverable", {"id": 7, "return": {"id": 81}}, "return:81"),
        ("fulfillments/create", {"id": 7, "order_id": 5001}, "5001"),
        ("order_transactions/create", {"id": 7, "order_id": 5001}, "5001"),
        ("inventory_items/update", {"id": 751}, "item:751"),
        ("inventory_levels/update", {"inventory_item_id": 751}, "item:751"),
        ("locations/deactivate", {"id": 11}, "location:11"),
    ],
)
def test_each_topic_names_its_resource_its_own_way(topic: str, body: dict[str, object], resource: str) -> None:
    assert told("shopify", body, topic) == (topic, resource, True)


@pytest.mark.parametrize(
    ("system", "body"),
    [
        ("returngo", {}), ("returngo", {"eventName": "RMA_CREATED"}), ("returngo", {"eventName": 7, "rmaId": 1}),
        ("returngo", {"eventName": "NEW_THING", "rmaId": "1"}), ("returngo", {"eventName": "RMA_CREATED", "rmaId": {}}),
        ("returngo", {"eventName": "RMA_CREATED", "rmaId": -4}),
        ("returngo", {"eventName": "RMA_CREATED", "rmaId": "a b"}),
        ("shopify", {}), ("shopify", {"id": None}), ("shopify", {"id": True}), ("shopify", []), ("shopify", "text"),
        ("warehouse", {"type": "party", "rma": 1}), ("carrier", {"type": "tracking"}),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(system: str, body: object) -> None:
    assert told(system, body)[2] is False


def test_an_event_we_do_not_know_still_names_its_rma() -> None:
    assert told("returngo", {"eventName": "NEW_THING", "rmaId": "17"})[:2] == ("NEW_THING", "17")


@given(st.binary(max_size=300), st.sampled_from(["shopify", "returngo", "warehouse", "carrier"]))
def test_no_body_breaks_it(body: bytes, system: str) -> None:
    taken, _ = delivery(system, "shop-a", {"x-shopify-topic": "orders/updated"}, body, 1)
    assert taken.body == body
    assert taken.delivery_id


KEYS = st.sampled_from(["id", "order", "rmaId", "rma", "eventName", "type", "shipment", "order_id"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["shopify", "returngo", "warehouse", "carrier"]))
def test_no_json_breaks_it(body: object, system: str) -> None:
    event, resource, sound = told(system, body)
    assert isinstance(event, str)
    assert not sound or resource


def test_the_sender_names_the_delivery_or_its_content_does() -> None:
    named, _ = delivery("shopify", "shop-a", {"x-shopify-webhook-id": "w1"}, b"{}", 1)
    one, _ = delivery("returngo", "shop-a", {}, b"{}", 1)
    same, _ = delivery("returngo", "shop-a", {}, b"{}", 2)
    assert (named.delivery_id, one.delivery_id == same.delivery_id) == ("w1", True)


@pytest.mark.req("INV-1")
@pytest.mark.parametrize("note", [b'"cut \\ud83d"', b'"caf\xe9"', b'"\xed\xa0\xbd"'])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_broken_text_of_a_customer_hides_no_order(note: bytes, mark: bytes) -> None:
    read = envelope("shopify", {"x-shopify-topic": "orders/updated"}, mark + b'{"id": 5001, "note": ' + note + b"}")
    assert (read.resource_id, read.problem) == ("5001", None)


def test_an_event_that_no_record_can_hold_is_kept_as_it_can_be() -> None:
    taken, problem = delivery("returngo", "shop-a", {}, rb'{"eventName": "RMA\ud83d", "rmaId": 1}', 1)
    assert (taken.event, problem is None) == ("RMA\ufffd", False)
    assert Codec().decode(Codec().encode(taken)) == taken


def test_a_parcel_is_named_as_carriers_write_it() -> None:
    assert told("carrier", {"type": "tracking", "tracking_number": "1Z 999/1"}) == ("tracking", "1Z 999/1", True)
