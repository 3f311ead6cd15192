"""What of a webhook's body reaches Kafka: enough to read all that was read from the whole, and nobody's words."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.facts import Delivery
from streams.sources import envelope, erasing, minimal
from streams.sources.returngo_signals import hint

TOPICS = (
    "orders/updated", "refunds/create", "returns/update", "reverse_fulfillment_orders/dispose",
    "inventory_items/update", "locations/activate", "customers/redact", "nonsense/topic",
)  # fmt: skip
IDS = (
    st.none()
    | st.integers()
    | st.booleans()
    | st.text(max_size=12)
    | st.sampled_from(["gid://shopify/Order/5", "RMA7"])
)
NAMES = st.sampled_from(sorted({name for path in envelope.PATHS for name in path}))
INNER = st.dictionaries(NAMES, IDS | st.dictionaries(NAMES, IDS, max_size=3), max_size=4)
EVENTS = st.sampled_from([*sorted(envelope.RETURNGO_EVENTS), "something else"])
SIGNALS = st.builds(
    lambda body, event, status: {**body, "eventName": event, "status": status},
    st.dictionaries(NAMES, IDS | INNER, max_size=6), EVENTS,
    st.sampled_from(["Approved", "Shipped", "Received", "Done", ""]),
)  # fmt: skip
WORD = "zq ann@example.com qz"


@given(SIGNALS | st.lists(IDS) | IDS, st.sampled_from(TOPICS))
def test_what_is_kept_says_all_that_the_whole_said(body: object, topic: str) -> None:
    whole = orjson.dumps(body) if _fits(body) else b"{"
    kept = minimal.kept("shopify", whole, ())
    for system, headers in (("shopify", {"x-shopify-topic": topic}), ("returngo", {})):
        one, other = (envelope.envelope(system, headers, each) for each in (whole, kept))
        assert (one.resource_id, one.problem is None) == (other.resource_id, other.problem is None)
        assert other.event in (one.event, "?", "")
    assert hint("SHIPMENT_CREATED", kept) == hint("SHIPMENT_CREATED", whole)
    assert hint("TRANSACTION_CREATED", kept) == hint("TRANSACTION_CREATED", whole)


def _fits(body: object) -> bool:
    try:
        orjson.dumps(body)
    except TypeError:
        return False
    return True


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize("system", ["shopify", "returngo", "warehouse", "carrier"])
def test_nobody_s_words_are_kept_wherever_they_stand(system: str) -> None:
    person = {"name": WORD, "email": WORD, "phone": WORD, "id": 7, WORD: WORD}
    line = {"sku": "MUG", "quantity": 1, "grade": WORD, "reason": WORD, "note": WORD}
    body = {
        "id": 5, "order_id": WORD, "rmaId": WORD, "note": WORD, "customer": person, "type": WORD, "status": WORD,
        "tracking_number": WORD, "carrier": WORD, "rma": WORD, "order": {"id": WORD}, "lines": [line, WORD, [WORD]],
        "eventName": WORD, WORD: WORD, "orders_to_redact": [WORD, 12], "transaction": {"id": WORD},
    }  # fmt: skip
    kept = minimal.kept(system, orjson.dumps(body), ())
    assert WORD.encode() not in kept
    assert b"ann" not in kept
    for other in (WORD.encode(), orjson.dumps([WORD]), orjson.dumps(WORD)):
        assert b"ann" not in minimal.kept(system, other, ())


def test_a_warehouse_s_message_is_kept_as_it_is_documented() -> None:
    line = {"sku": "MUG", "quantity": 1, "grade": "damaged", "location": "G-1", "reason": "Stained"}
    body = {
        "type": "inspection",
        "rma": "7",
        "order": "5",
        "inspected_at": "2026-03-02T10:40:51+00:00",
        "lines": [line],
    }
    assert orjson.loads(minimal.kept("warehouse", orjson.dumps(body), {"stained"})) == body


def request(topic: str, body: object) -> Delivery:
    kept = minimal.kept("shopify", orjson.dumps(body), ())
    return envelope.delivery("shopify", "shop-a", {"x-shopify-topic": topic}, kept, 1)[0]


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize(
    ("topic", "body", "said"),
    [
        ("customers/redact", {"customer": {"id": 191, "email": WORD, "phone": WORD}, "orders_to_redact": [1, 2]},
         "erase a customer: `returnflow erase --merchant shop-a --order 1 --order 2`"),
        ("customers/redact", {"customer": {"id": 191, "email": WORD}, "orders_to_redact": []},
         "`returnflow erase --merchant shop-a --customer 191`"),
        ("customers/redact", {"customer": {"email": WORD}, "orders_to_redact": []}, "nothing is to be erased"),
        ("customers/data_request", {"customer": {"id": 191}, "orders_requested": [3]},
         "`returnflow erase --merchant shop-a --order 3 --dry-run` lists it"),
        ("shop/redact", {"shop_id": 9, "shop_domain": "x.myshopify.com"},
         "`returnflow erase --merchant shop-a --all-orders`"),
    ],
)  # fmt: skip
def test_a_request_of_privacy_names_the_command_that_answers_it(topic: str, body: object, said: str) -> None:
    delivery = request(topic, body)
    told = envelope.envelope("shopify", delivery.headers, delivery.body)
    assert (told.event, told.problem) == (topic, None)
    complaint = erasing.complaint(delivery, topic)
    assert complaint.kind == "erasure_requested"
    assert said in complaint.detail
    assert "ann" not in complaint.detail
