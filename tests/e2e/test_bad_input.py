"""Bad input: nothing of it is lost, nothing of it is obeyed, and everybody else goes on."""

import base64
import hashlib
import hmac
import json
import struct
from contextlib import suppress
from functools import partial
from uuid import uuid4

import httpx
import msgspec
import pytest
from confluent_kafka import Producer

from ops.demo.merchants import secrets_of, variable
from ops.demo.words import back, line
from ops.kafka import Seen, quiet
from schemas import topics
from schemas.catalogue import SCHEMA_IDS
from schemas.codec import Undecodable
from schemas.facts import Delivery, ReturnEvent
from schemas.ids import order_key
from tests.e2e.day import played
from tests.e2e.shops import Shop
from tests.e2e.world import CALM, World, until

LARGE = 2 * 1024 * 1024


class Sender:
    """Somebody who posts webhooks to a merchant's addresses, with the right proofs unless told otherwise."""

    def __init__(self, world: World, merchant: str) -> None:
        self._secrets = secrets_of(merchant)
        self._gateway, self._merchant = world.gateway, merchant

    def shopify(self, body: bytes, topic: str = "orders/updated", secret: str | None = None) -> int:
        """The status that Shopify gets."""
        key = secret or self._secrets[variable(self._merchant, "SHOPIFY_WEBHOOK_SECRET")]
        signature = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
        headers = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature, "X-Shopify-Webhook-Id": str(uuid4())}
        return self._post(f"shopify/{self._merchant}", body, headers)

    def returngo(self, body: bytes, token: str | None = None) -> int:
        """The status that ReturnGO gets."""
        proof = token or self._secrets[variable(self._merchant, "RETURNGO_WEBHOOK_TOKEN")]
        return self._post(f"returngo/{self._merchant}/{proof}", body, {})

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """A sender tries again when it is asked to: the gateway of a busy machine may not hear from Kafka in time."""
        answers = (
            httpx.post(f"{self._gateway}/{path}", content=body, headers=headers, timeout=20.0) for _ in range(10)
        )
        return next((each.status_code for each in answers if each.status_code != 503), 503)


def kept(world: World, system: str) -> list[bytes]:
    """Bodies of a system's deliveries."""
    found = []
    for seen in world.topic(topics.deliveries(system)):
        with suppress(Undecodable):  # put there by another test
            found.append(world.codec.decode_as(Delivery, seen.value).body)
    return found


@pytest.mark.req("OPS-10")
@played
def test_a_webhook_without_proof_is_refused_and_not_stored(world: World) -> None:
    sender, marker = Sender(world, CALM), str(uuid4().int >> 80).encode()
    body = json.dumps({"id": int(marker)}).encode()
    assert sender.shopify(body, secret="guessed") == 401
    assert sender.returngo(body, token="guessed") == 401
    assert sender.shopify(body) == 202
    until(lambda: [each for each in kept(world, "shopify") if marker in each], bool)
    assert not [each for each in kept(world, "returngo") if marker in each]


@pytest.mark.req("OPS-10", "EXC-1")
@played
def test_a_body_that_says_nothing_useful_is_raised_and_nothing_personal_of_it_is_kept(world: World) -> None:
    merchant = "refusing"
    sender = Sender(world, merchant)
    mark = uuid4().hex
    bodies = [
        b"no json " + mark.encode(),
        json.dumps([mark]).encode(),
        json.dumps({"note": mark}).encode(),  # no id
        json.dumps({"id": [mark]}).encode(),  # an id of the wrong type
        json.dumps({"id": {"of": mark}, "total": 1e300}).encode(),
    ]
    signals = [
        mark.encode(),
        json.dumps({"eventName": "SURPRISE", "note": mark}).encode(),
        json.dumps({"eventName": 7, "note": mark}).encode(),
        json.dumps({"eventName": "RMA_CREATED", "note": mark}).encode(),  # no RMA
    ]
    assert [sender.shopify(each) for each in bodies] == [202] * len(bodies)
    assert [sender.shopify(json.dumps({"id": 1, "note": mark}).encode(), "surprise/made")] == [202]
    assert [sender.returngo(each) for each in signals] == [202] * len(signals)
    sent = len(bodies) + 1 + len(signals)

    def raised() -> list[str]:
        mine = [each.raised for each in world.exceptions() if each.raised.merchant == merchant]
        return [each.detail for each in mine if each.type == "malformed_delivery"]

    details = until(raised, lambda found: len(found) >= sent)
    assert len(details) == sent
    assert not [each for each in details if mark in each]  # what it said may be personal
    assert not [each for system in ("shopify", "returngo") for each in kept(world, system) if mark.encode() in each]


@played
def test_a_body_beyond_the_limit_is_refused_before_it_is_read(world: World) -> None:
    sender = Sender(world, CALM)
    assert sender.shopify(b"x" * LARGE) == 413
    assert sender.returngo(b"x" * LARGE) == 413


@pytest.mark.req("EXC-6", "OPS-1", "OPS-2")
@played
def test_records_that_cannot_be_read_are_set_aside_and_their_neighbours_decided(world: World) -> None:
    shop = Shop(world, CALM)
    sku = shop.goods()
    order = shop.sold(line(sku))
    rma = order.asked(back(sku)).received()
    order.until(lambda now: "return-received" in now.tags)
    key = order_key(CALM, order.id)
    (event, *_) = [
        seen
        for seen in world.topic(topics.RETURN_EVENTS)
        if seen.key == key and seen.value and isinstance(world.codec.decode(seen.value), ReturnEvent)
    ]
    assert event.value is not None
    fact = world.codec.decode_as(ReturnEvent, event.value)
    stranger = msgspec.structs.replace(fact, merchant="nobody")
    item = next(seen for seen in world.topic(topics.STOCK_ITEMS) if seen.value)
    bad: dict[bytes, tuple[bytes, str]] = {  # value → key, reason
        b"\x07" + uuid4().bytes: (key, "undecodable"),
        struct.pack(">bI", 0, 999_999) + uuid4().bytes: (key, "undecodable"),
        struct.pack(">bI", 0, SCHEMA_IDS[ReturnEvent]) + b"\xff" * 12: (key, "undecodable"),
        item.value or b"": (key, "wrong_record"),
        event.value: (order_key(CALM, "1"), "wrong_key"),
        world.codec.encode(stranger): (order_key("nobody", order.id), "unknown_merchant"),
    }
    producer = Producer({**quiet(world.bootstrap), "partitioner": "murmur2_random"})
    for value, (under, _) in bad.items():
        producer.produce(topics.RETURN_EVENTS, value, under)
    assert producer.flush(20) == 0

    def letters() -> dict[bytes, Seen]:
        return {seen.value or b"": seen for seen in world.topic(topics.dead_letters("cases"))}

    found = until(letters, lambda seen: set(bad) <= set(seen))
    for value, (under, reason) in bad.items():
        headers = dict(found[value].headers)
        assert (found[value].key, headers["reason"].decode()) == (under, reason)
        assert headers["source-topic"].decode() == topics.RETURN_EVENTS
    rma.inspected("sellable")
    assert order.ended().moved == {"101.available": 1}


@pytest.mark.req("EXC-6")
@played
def test_what_is_no_command_and_no_delivery_is_set_aside_too(world: World) -> None:
    producer = Producer(quiet(world.bootstrap))
    values = {system: b"\x07" + uuid4().bytes for system in ("shopify", "returngo")}
    producer.produce(topics.commands_of("shopify"), values["shopify"], b"x")
    producer.produce(topics.deliveries("returngo"), values["returngo"], b"x")
    assert producer.flush(20) == 0
    for system, value in values.items():
        name = topics.dead_letters(system)
        found = until(partial(world.topic, name), partial(_holds, value))
        assert [each.key for each in found if each.value == value] == [b"x"]


def _holds(value: bytes, letters: list[Seen]) -> bool:
    return any(each.value == value for each in letters)
