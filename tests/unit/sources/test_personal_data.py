"""No word of a customer gets from a payload into a fact, wherever in the payload it stands."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import labels
from schemas.codec import Codec
from streams.sources import carrier, envelope, returngo, warehouse
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
            rma_item(
                "31",
                returnReason=word,
                itemValidationStatusResponse=graded(word),
                extendedReason=word,
                followUpQuestions=answers,
                fullName=word,
                productName=word,
                image=word,
            )
        ],
        shipments=[
            shipment(
                "Received",
                carrierName=word,
                trackingNumber=word,
                customerAddress=address(word),
                returnAddress=address(word),
                labelURL=word,
            )
        ],
        comments=[{"commentType": "merchant", "triggeredBy": word, "htmlText": f"return {word}", "datetime": word}],
        transactions=[transaction(bankAccountDetails=address(word), processor=word, externalReferenceType=word)],
    )
    for event in body["rmaSummary"]["events"]:
        event["userDetails"] = person
    return body


def graded(word: str) -> dict[str, Any]:
    said = {"isReturned": True, "isRestockable": False, "lastValidationDate": "2026-05-04T08:00:00+00:00"}
    return {**said, "nonRestockableReason": word, "nonReturnedReason": word, "lastValidatedBy": word}


def written_order(word: str) -> dict[str, Any]:
    """An order with a customer's words wherever Shopify keeps any."""
    customer = {"id": "gid://shopify/Customer/91", "email": word, "firstName": word, "defaultAddress": address(word)}
    return order(
        customer=customer, tags=[word], sourceName=word, note=word, email=word, phone=word,
        shippingAddress=address(word),
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


@pytest.mark.req("OPS-10")
@given(WORDS)
def test_no_fact_of_our_own_doors_holds_one(word: str) -> None:
    line = {"sku": "MUG", "quantity": 1, "grade": "damaged", "reason": word}
    graded = {"type": "inspection", "order": "5001", "lines": [line]}
    scanned = {"type": "tracking", "tracking_number": f"{word} 1", "status": "picked_up", "order": "1", "carrier": word}
    for system, door, body in (("warehouse", warehouse, graded), ("carrier", carrier, scanned)):
        sent, _ = envelope.delivery("warehouse", "shop-a", {}, orjson.dumps(body), 1)
        fact = door.event(sent, door.read(sent), order_id="5001", rma_id="1")
        assert word.encode() not in CODEC.encode(fact), system


@pytest.mark.req("OPS-10")
@pytest.mark.parametrize(
    "typed",
    [
        "leave it with Jane",
        "call me 082 555 1234",
        "ann@example.com 7",
        "c/o Ann Example",
        "12 Long Street",
        "Ann Müller",
    ],
)
def test_what_was_typed_in_place_of_a_number_is_not_told(typed: str) -> None:
    assert labels.number(typed) == labels.stable(typed)


@pytest.mark.parametrize(
    "number", ["TRACK-901", "1Z 999 AA1 01 2345 6784", "RR 123 456 785 DE", "JD014600003SE", "00340"]
)
def test_a_number_is_told_as_it_is(number: str) -> None:
    assert labels.number(number) == number


@given(st.text(max_size=60))
def test_a_text_that_is_kept_out_can_be_found_by_who_names_it(text: str) -> None:
    said = labels.kept(text, ())
    assert labels.kept(said, ()) == said  # at the door and again at the source
    assert said is not None
    assert labels.same(f"  {text.upper()}", said) or labels.plain(text.upper()) != labels.plain(text)


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
