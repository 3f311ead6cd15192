"""The way to a shop: its settings and credentials, what documents cost, and what answers say about the bucket."""

from importlib import resources

import httpx
import pytest
from graphql import FieldNode, OperationDefinitionNode, parse

from sinks.contract import OPERATION, Limit, Seen
from sinks.systems import shopify
from sinks.systems.shopify import documents
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.cost_rule import requested_cost
from tests.unit.systems.givens import FIRST, MERCHANT, REFUND, SECRETS, SHOP, TOKEN, merchant

STEMS = sorted(
    entry.name.removesuffix(".graphql")
    for entry in resources.files("sinks.systems.shopify").joinpath("graphql").iterdir()
    if entry.name.endswith(".graphql")
)
REQUEST = httpx.Request("POST", SHOP.url, extensions={OPERATION: "RefundCreate"})


@pytest.mark.parametrize("stem", STEMS)
def test_every_document_states_its_true_cost_and_fits_a_request(stem: str) -> None:
    document = documents.load(stem)
    assert document.cost == requested_cost(document.text)
    assert document.cost <= 1000
    assert document.name.lower() == stem.replace("_", "")
    assert document.mutation is document.text.startswith("mutation")
    assert "#" not in document.text
    (operation,) = parse(document.text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    fields = [field for field in operation.selection_set.selections if isinstance(field, FieldNode)]
    assert document.roots == tuple(field.name.value for field in fields)


def test_mutations_that_shopify_de_duplicates_carry_a_key() -> None:
    for stem, root in (
        ("refund_create", "refundCreate"),
        ("adjust", "inventoryAdjust"),
        ("activate", "inventoryActivate"),
    ):
        text = documents.load(stem).text
        assert root in text
        assert "@idempotent(key: $key)" in text


@pytest.mark.req("OPS-10")
def test_credentials_are_added_outside_of_the_flow_and_never_shown() -> None:
    request = next(shopify.SYSTEM.flow(REFUND, SHOP, MERCHANT, FIRST))
    assert "X-Shopify-Access-Token" not in request.headers
    signed = shopify.SYSTEM.authorize(SHOP, request)
    assert signed.headers["X-Shopify-Access-Token"] == TOKEN
    assert "X-Shopify-Access-Token" not in request.headers
    assert signed.content == request.content
    assert signed.extensions == request.extensions
    assert str(signed.url) == "https://acorn.example/admin/api/2026-04/graphql.json"
    for secret in SECRETS.values():
        assert secret not in repr(SHOP)


def test_a_merchant_without_a_shop_is_told_so() -> None:
    without = MERCHANT.model_copy(update={"systems": MERCHANT.systems.model_copy(update={"shopify": None})})
    with pytest.raises(ValueError, match=r"acorn.*systems\.shopify"):
        shopify.SYSTEM.connect(without, SECRETS.__getitem__)


def test_the_version_is_the_merchants() -> None:
    assert "2026-07" in shopify.SYSTEM.connect(merchant("2026-07"), SECRETS.__getitem__).url


def test_the_bucket_starts_as_the_smallest_plan_and_a_document_takes_its_cost() -> None:
    (limit,) = shopify.SYSTEM.limits(SHOP)
    assert limit == Limit(name="points", capacity=2000, per_second=100, in_flight=32)
    assert shopify.SYSTEM.cost(REQUEST) == {"points": float(documents.load("refund_create").cost)}


def test_answers_correct_the_bucket() -> None:
    seen = shopify.SYSTEM.seen(REQUEST, shop.refunded())
    assert seen == {"points": Seen(available=1988, per_second=100, capacity=2000, requested=20, spent=12)}


def test_a_throttled_answer_says_how_long() -> None:
    seen = shopify.SYSTEM.seen(REQUEST, shop.throttled(120, 20))
    told = Seen(available=20, per_second=100, capacity=2000, requested=120, spent=0, retry_after_seconds=1.0)
    assert seen == {"points": told}


@pytest.mark.parametrize(("headers", "wait"), [({}, 1.0), ({"Retry-After": "4"}, 4.0), ({"Retry-After": "0"}, 0.0)])
def test_a_refusal_at_the_edge_empties_the_bucket(headers: dict[str, str], wait: float) -> None:
    seen = shopify.SYSTEM.seen(REQUEST, httpx.Response(429, headers=headers))
    assert seen == {"points": Seen(available=0.0, retry_after_seconds=wait)}


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"extensions": {}}', b'{"errors": "no"}'])
def test_answers_without_figures_say_nothing(content: bytes) -> None:
    assert shopify.SYSTEM.seen(REQUEST, httpx.Response(200, content=content)) == {}


def test_a_plan_that_hides_its_bucket_still_tells_what_was_spent() -> None:
    body = {"data": {}, "extensions": {"cost": {"requestedQueryCost": 20, "actualQueryCost": 12}}}
    assert shopify.SYSTEM.seen(REQUEST, httpx.Response(200, json=body)) == {"points": Seen(requested=20, spent=12)}
