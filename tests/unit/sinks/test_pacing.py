"""A shop's answers say what a document costs: from then on as much goes out at once as the shop's bucket holds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry

from ops.sandbox.app import build
from ops.sandbox.settings import Settings
from sinks import connecting as connecting_module
from sinks.connecting import open_transport
from sinks.contract import OPERATION, NotSent
from sinks.ledger.ledger import Ledger
from sinks.systems import shopify
from sinks.systems.ended import Ended
from sinks.systems.shopify import connection, documents, read
from sinks.telemetry import SinkTelemetry
from sinks.transport import Transport, TransportSettings
from tests.unit.systems import givens
from tests.unit.systems.sandbox_shop import DOMAIN, SHOP

MANY = 40


class Counted(httpx.AsyncBaseTransport):
    """The sandbox without a port; counts how many requests were under way at once, and who asked."""

    def __init__(self, app: object, *, hides: tuple[str, ...] = ()) -> None:
        self.inner = httpx.ASGITransport(app)  # type: ignore[arg-type]
        self.hides = hides
        self.now = self.most = 0
        self.agents: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.agents.add(request.headers.get("user-agent", ""))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.01)
            response = await self.inner.handle_async_request(request)
            content = await response.aread()
        finally:
            self.now -= 1
        for name in self.hides:
            content = content.replace(f'"{name}"'.encode(), b'"hidden"')
        return httpx.Response(response.status_code, headers={"content-type": "application/json"}, content=content)


@asynccontextmanager
async def shop(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, *, hides: tuple[str, ...] = (), patience_seconds: float = 0.0
) -> AsyncIterator[tuple[Transport, Counted, httpx.AsyncClient]]:
    app = build(Settings())
    counted = Counted(app, hides=hides)
    monkeypatch.setattr(connecting_module, "Pool", lambda _: counted)
    control = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox/_sandbox")
    assert (await control.post("/shops", json=SHOP)).is_success
    systems = givens.MERCHANT.systems
    assert systems.shopify is not None
    there = systems.shopify.model_copy(update={"base_url": f"http://sandbox/shopify/{DOMAIN}"})
    merchant = givens.MERCHANT.model_copy(update={"systems": systems.model_copy(update={"shopify": there})})
    ledger = Ledger(sqlite_url)
    try:
        async with open_transport(
            system=shopify.SYSTEM, merchants={"acorn": merchant}, secret=givens.SECRETS.__getitem__, ledger=ledger,
            telemetry=SinkTelemetry(CollectorRegistry()).requests,
            settings=TransportSettings(patience_seconds=patience_seconds),
        ) as transport:  # fmt: skip
            yield transport, counted, control
    finally:
        ledger.close()


async def read_order(transport: Transport) -> bool:
    flow = read.order(transport.connection("acorn"), "5001")
    try:
        await transport.drive(flow, merchant="acorn", priority="money")
    except (NotSent, Ended):
        return False
    return True


@pytest.mark.req("OPS-5")
async def test_after_one_answer_the_shop_is_asked_as_much_as_its_bucket_holds(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(sqlite_url, monkeypatch) as (transport, counted, control):
        assert await read_order(transport)
        at_once = await asyncio.gather(*(read_order(transport) for _ in range(MANY)))
        estimate = max(documents.costs()[name] for name in ("OrderLines", "OrderReturns", "Order"))
        assert counted.most > 2 * connection.CAPACITY / estimate  # more than the estimates would ever let out
        assert sum(at_once) > 0
        calls = (await control.get("/calls?limit=10000")).json()["calls"]
        assert not [call for call in calls if call["fault"] == "throttled"]
        assert (await control.get("/books", params={"shop": DOMAIN})).json()["findings"] == []
        assert len(counted.agents) == 1
        assert counted.agents.pop().startswith("returnflow/")


@pytest.mark.parametrize("hides", [("throttleStatus",), ("cost",), ("requestedQueryCost",)])
async def test_a_shop_that_says_less_is_paced_by_the_estimate(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, hides: tuple[str, ...]
) -> None:
    async with shop(sqlite_url, monkeypatch, hides=hides) as (transport, _, control):
        for _ in range(2):  # as far as the estimates reach
            assert await read_order(transport)
        calls = (await control.get("/calls?limit=10000")).json()["calls"]
        assert not [call for call in calls if call["fault"] == "throttled"]


async def test_a_dearer_document_is_learnt_too(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shop(sqlite_url, monkeypatch) as (transport, _, _control):
        route = transport._routes["acorn"]
        request = httpx.Request("POST", "http://x", extensions={OPERATION: "Scopes"})
        dear = {"extensions": {"cost": {"requestedQueryCost": 77, "actualQueryCost": 5}}}
        route.learn(request, shopify.SYSTEM.seen(request, httpx.Response(200, json=dear)))
        assert route.costs(request, shopify.SYSTEM.cost(request)) == {"points": 77.0}
        other = httpx.Request("POST", "http://x", extensions={OPERATION: "RefundCreate"})
        assert route.costs(other, shopify.SYSTEM.cost(other)) == shopify.SYSTEM.cost(other)
