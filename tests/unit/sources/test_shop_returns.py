"""Webhooks that name a return or a reverse order of the shop, and no order: who reads finds it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from schemas.codec import Codec
from schemas.exceptions import ExceptionRaised
from schemas.facts import Delivery, OrderSnapshot
from sinks.systems.shopify import read
from streams.sources.desk import Desk
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.source_shopify import ShopifySource
from streams.sources.work import Resource
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.systems.sandbox_shop import DOMAIN, SandboxShop

GONE = {"admin_graphql_api_id": "gid://shopify/Return/404"}


class Driven:
    """The sandbox as a transport."""

    def __init__(self, sandbox: SandboxShop) -> None:
        self.sandbox = sandbox
        self.asked = 0

    def connection(self, _: str) -> Any:
        return self.sandbox.connections["shopify"]

    async def drive(self, flow: Any, **_: Any) -> Any:
        self.asked += 1
        return await self.sandbox.read("shopify", flow)


class Running(msgspec.Struct):
    base: Source
    transport: Driven
    source: ShopifySource
    desk: Desk
    order_id: str
    return_gid: str
    reverse_gid: str

    async def told(self, topic: str, body: object, name: str) -> list[Resource]:
        """What a webhook asks to read, which is read."""
        sent = Delivery(
            delivery_id=name, merchant="shop-a", system="shopify", event=topic, resource_id="", received_at_ms=1,
            headers={"x-shopify-topic": topic}, body=json.dumps(body).encode(),
        )  # fmt: skip
        routed = await self.source.route(sent)
        assert routed.complaint is None
        for each in routed.wanted:
            await self.desk.read(each.resource, each.urgency, each.cause)
        return [each.resource for each in routed.wanted]

    def snapshots(self) -> list[str]:
        return [each.order_id for each in self.base.log.records("order-snapshots") if isinstance(each, OrderSnapshot)]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    sandbox = await SandboxShop().open()
    body = {"order": "#1001", "lines": [{"sku": "TEE-M", "quantity": 1}]}
    await sandbox.control(f"shopify/{DOMAIN}/staff/return", body)
    order_id = sandbox.restock().order_id
    found = await sandbox.read("shopify", read.order(sandbox.connections["shopify"], order_id))
    (native,) = found["returns"]["nodes"]
    (reverse,) = native["reverseFulfillmentOrders"]["nodes"]
    async with returngo_source(tmp_path, shop()) as base:
        transport, memory = Driven(sandbox), Memory(base.ledger, "shopify", base.clock)
        source = ShopifySource({"shop-a": shop()}, cast(Any, transport), memory, base.clock)
        outbox = Outbox(kafka=base.log, codec=Codec(), memory=memory, system="shopify", now_ms=base.clock)
        desk = Desk(source, outbox, memory, base.clock, 2)
        yield Running(base, transport, source, desk, order_id, native["id"], reverse["id"])


@pytest.mark.req("INV-1", "EXC-1")
@pytest.mark.parametrize("topic", ["returns/update", "returns/process", "reverse_fulfillment_orders/dispose"])
async def test_a_return_that_names_no_order_leads_to_it_once_and_is_known_then(running: Running, topic: str) -> None:
    gid = running.reverse_gid if topic.startswith("reverse") else running.return_gid
    number = int(gid.rsplit("/", 1)[-1])
    kind = "reverse" if topic.startswith("reverse") else "return"
    (first,) = await running.told(topic, {"admin_graphql_api_id": gid}, "w1")
    assert (first.kind, first.name) == (kind, str(number))
    assert running.snapshots() == [running.order_id]
    asked = running.transport.asked
    (again,) = await running.told(topic, {"id": number}, "w2")
    assert (again.kind, again.name, running.transport.asked - asked) == ("order", running.order_id, 1)


async def test_what_belongs_to_an_order_that_was_read_is_not_asked_for(running: Running) -> None:
    await running.told("orders/updated", {"id": int(running.order_id)}, "w1")
    for name, gid in (("w2", running.return_gid), ("w3", running.reverse_gid)):
        topic = "returns/update" if name == "w2" else "reverse_fulfillment_orders/dispose"
        (resource,) = await running.told(topic, {"admin_graphql_api_id": gid}, name)
        assert (resource.kind, resource.name) == ("order", running.order_id)


async def test_a_return_that_is_gone_ends_there(running: Running) -> None:
    assert len(await running.told("returns/update", GONE, "w1")) == 1
    assert running.base.log.written == []
    assert [each for each in running.base.log.records("exceptions") if isinstance(each, ExceptionRaised)] == []
