"""No word of a customer gets from a payload into a fact, wherever in the payload it stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from streams.sources import returngo
from streams.sources.fields import Malformed
from streams.sources.shopify_effects import effects
from streams.sources.shopify_items import item, levels
from streams.sources.shopify_orders import snapshot
from streams.sources.work import Fact
from tests.unit.sources.payloads import (
    native_return,
    nodes,
    order,
    order_line,
    payment,
    refund,
    rma,
    rma_item,
    shipment,
    transaction,
    variant,
)

CODEC = Codec()
# unlike anything that a fact could hold for another reason
WORDS = st.text("abcdefghijklmnopqrstuvwxyz @.+-äöüß", min_size=8, max_size=40).map(lambda text: f"zq{text}qz")


def address(word: str) -> dict[str, Any]:
    parts = ("name", "street1", "street2", "city", "state", "zip", "country", "phone", "email")
    return dict.fromkeys(parts, word)


def written_rma(word: str) -> dict[str, Any]:
    """An RMA with a customer's words wherever ReturnGO keeps any."""
    person = {"userFirstName": word, "userLastName": word, "userEmailAddress": word, "userRole": "Owner"}
    answers = [{"type": "Text", "name": word, "answer": {"textAnswer": word, "textArrayAnswer": [word]}}]
    body = rma(
        items=[
            rma_item("31", extendedReason=word, followUpQuestions=answers, fullName=word, productName=word, image=word)
        ],
        shipments=[shipment("Received", customerAddress=address(word), returnAddress=address(word), labelURL=word)],
        comments=[{"commentType": "merchant", "triggeredBy": word, "htmlText": f"return {word}", "datetime": word}],
        transactions=[transaction(bankAccountDetails=address(word), processor=word)],
    )
    for event in body["rmaSummary"]["events"]:
        event["userDetails"] = person
    return body


def written_order(word: str) -> dict[str, Any]:
    """An order with a customer's words wherever Shopify keeps any."""
    customer = {"id": "gid://shopify/Customer/91", "email": word, "firstName": word, "defaultAddress": address(word)}
    return order(
        customer=customer, note=word, email=word, phone=word, shippingAddress=address(word),
        customAttributes=[{"key": word, "value": word}], lineItems=nodes(order_line(name=word, title=word)),
        transactions=[payment(accountNumber=word, receiptJson=word)], refunds=[refund(note=f"sorry {word}")],
        returns=nodes({**native_return(), "name": word}),
    )  # fmt: skip


@pytest.mark.req("OPS-10")
@given(WORDS)
def test_no_fact_holds_a_word_of_a_customer(word: str) -> None:
    facts: list[Fact] = [
        *returngo.events(written_rma(word), merchant="shop-a", read_at_ms=1),
        snapshot(written_order(word), merchant="shop-a"),
        *effects(written_order(word), merchant="shop-a"),
        item(variant(title=word), merchant="shop-a", read_at_ms=1),
        *levels(variant(title=word), merchant="shop-a", read_at_ms=1),
    ]
    assert len(facts) > 6
    for fact in facts:
        assert word.encode() not in CODEC.encode(fact)


KEYS = ["sku", "paidPrice", "returnedItemId", "returnReason", "taxIncluded", "returnMethod"]


@given(st.none() | st.booleans() | st.integers() | st.text(max_size=30), st.sampled_from(KEYS))
def test_an_error_never_repeats_a_text_of_the_payload(value: object, key: str) -> None:
    body = rma()
    body["items"][0][key] = [value, "zq secret words qz"]
    with pytest.raises(Malformed) as problem:
        returngo.events(body, merchant="shop-a", read_at_ms=1)
    assert "secret" not in str(problem.value)


@pytest.mark.req("INV-13")
@given(st.integers(0, 3), st.booleans())
def test_the_same_payload_read_twice_gives_the_same_facts(units: int, known: bool) -> None:
    body = rma(items=[rma_item(str(30 + n)) for n in range(units)], transactions=[transaction()])
    before = returngo.now(body) if known else None
    first, again = (returngo.events(body, merchant="shop-a", read_at_ms=at, before=before) for at in (1, 2))
    assert [each.fact_id for each in first] == [each.fact_id for each in again]
    assert len({each.fact_id for each in first}) == len(first)
