"""A sandbox in a test: its app without a port, a seeded shop, and short ways to call it."""

import base64
import hashlib
import hmac
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ops.sandbox.app import build
from ops.sandbox.settings import Settings

AGENT = {"User-Agent": "box/1.0"}
SHOP = "demo.myshopify.com"
MAIN, STORE, CLOSED = 11, 12, 13
SEED: dict[str, Any] = {
    "domain": SHOP,
    "locations": [
        {"id": MAIN, "name": "Main"},
        {"id": STORE, "name": "Store"},
        {"id": CLOSED, "name": "Closed", "active": False},
    ],
    "products": [
        {"title": "Tee", "variants": [{"sku": "TEE-M", "title": "M", "price": "199.00", "stock": {"11": 10}}]},
        {"title": "Mug", "variants": [{"sku": "MUG", "price": "89.00", "stock": {"11": 5}}]},
        {"title": "Poster", "variants": [{"sku": "POSTER", "tracked": False, "stock": {"11": 0}}]},
        {"title": "Soap", "variants": [{"sku": "SOAP", "price": "30.00", "stock": {"11": 8}}]},
        {"title": "Dish", "variants": [{"sku": "DISH", "price": "60.00", "stock": {"11": 3}}]},
        {
            "title": "Set",
            "variants": [
                {"sku": "SET", "price": "100.00", "components": [{"sku": "SOAP", "quantity": 2}, {"sku": "DISH"}]}
            ],
        },
    ],
    "customers": [{"id": 1001}],
    "orders": [{"name": "#1001", "customer_id": 1001, "lines": [{"sku": "TEE-M", "quantity": 3}], "shipping": "50.00"}],
}


def gid(kind: str, number: int) -> str:
    """A Shopify id."""
    return f"gid://shopify/{kind}/{number}"


class Listener:
    """The receiving end of webhooks: keeps what comes and answers as it is told (`answers` first, then 200; 0: not
    at all)."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    def app(self) -> Starlette:
        """An app that takes a POST anywhere."""

        async def take(request: Request) -> Response:
            self.received.append((dict(request.headers), await request.body()))
            status = self.answers.pop(0) if self.answers else 200
            if status == 0:
                raise httpx.ConnectError("nobody there")
            return Response(status_code=status)

        return Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])

    def topics(self) -> list[str]:
        """Shopify topics in the order they came."""
        return [headers.get("x-shopify-topic", "") for headers, _ in self.received]


class Box:
    """One sandbox with its seeded shop."""

    def __init__(self, settings: Settings) -> None:
        self.listener = Listener()
        self.app = build(settings, httpx.ASGITransport(self.listener.app()))
        through = httpx.ASGITransport(self.app)
        self.client = httpx.AsyncClient(transport=through, base_url="http://sandbox", headers=AGENT)
        self.seeded: dict[str, Any] = {}

    async def close(self) -> None:
        """Stops what is under way."""
        await self.app.state.world.outgoing.close()
        await self.client.aclose()

    async def open(self, **more: object) -> None:
        """Opens the seeded shop."""
        self.seeded = await self.control("/shops", **{**SEED, **more})

    async def control(self, path: str, **body: object) -> dict[str, Any]:
        """POST to the control door; anything but 200 fails the test."""
        answer = await self.client.post(f"/_sandbox{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def look(self, path: str, **params: str) -> dict[str, Any]:
        """GET at the control door."""
        answer = await self.client.get(f"/_sandbox{path}", params=params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def books(self) -> dict[str, Any]:
        """The shop's books."""
        return await self.look("/books", shop=SHOP)

    async def post(
        self, document: str, variables: dict[str, Any] | None = None, token: str = "shpat_demo"
    ) -> httpx.Response:
        """A GraphQL request as it is answered."""
        return await self.client.post(
            f"/shopify/{SHOP}/admin/api/2026-04/graphql.json",
            json={"query": document, "variables": variables or {}},
            headers={"X-Shopify-Access-Token": token},
        )

    async def graphql(self, document: str, **variables: object) -> dict[str, Any]:
        """A GraphQL request's answer, whatever it says."""
        answer = await self.post(document, variables)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def data(self, document: str, **variables: object) -> dict[str, Any]:
        """A GraphQL request's data; errors fail the test."""
        answer = await self.graphql(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    async def returngo(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A call of ReturnGO's API with the right headers."""
        headers = {"x-api-key": "rg-key-demo", "x-shop-name": SHOP} | more.pop("headers", {})
        return await self.client.request(method, f"/returngo{path}", headers=headers, **more)

    async def settle(self) -> None:
        """Waits until all webhooks are through."""
        assert (await self.control("/webhooks/settle", seconds=5))["pending"] == 0

    def order(self, name: str = "#1001") -> str:
        """An order's GID."""
        return gid("Order", self.seeded["orders"][name]["id"])

    def line(self, place: int = 0, name: str = "#1001") -> str:
        """An order line's GID."""
        return gid("LineItem", self.seeded["orders"][name]["lines"][place]["id"])

    def payment(self, place: int = 0, name: str = "#1001") -> str:
        """A payment's GID."""
        return gid("OrderTransaction", self.seeded["orders"][name]["transactions"][place]["id"])

    def item(self, sku: str) -> str:
        """An inventory item's GID."""
        return gid("InventoryItem", self.seeded["variants"][sku]["inventory_item_id"])

    async def place(self, name: str, **order: object) -> None:
        """Places one more order."""
        body = {"name": name, "customer_id": 1001, **order}
        self.seeded = await self.control(f"/shops/{SHOP}/orders", orders=[body])


REFUND = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund {
      id note
      totalRefundedSet { presentmentMoney { amount currencyCode } shopMoney { amount currencyCode } }
      transactions(first: 9) { nodes { id kind status gateway errorCode amountSet { presentmentMoney { amount } } } }
      refundLineItems(first: 9) {
        nodes { quantity restockType restocked location { id } subtotalSet { presentmentMoney { amount } } }
      }
      orderAdjustments(first: 9) { nodes { amountSet { presentmentMoney { amount } } reason } }
    }
    order { id displayFinancialStatus totalRefundedSet { presentmentMoney { amount } } }
    userErrors { field message }
  }
}
"""
ADJUST = """
mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id reason changes { name delta quantityAfterChange item { id } location { id } } }
    userErrors { field message code }
  }
}
"""


def change(box: Box, sku: str, location: int = MAIN, delta: int = 1, **more: object) -> dict[str, Any]:
    """One InventoryChangeInput."""
    where = {"inventoryItemId": box.item(sku), "locationId": gid("Location", location)}
    return {**where, "delta": delta, "changeFromQuantity": None, **more}


def adjustment(*changes: dict[str, Any], **more: object) -> dict[str, Any]:
    """InventoryAdjustQuantitiesInput."""
    return {
        "name": "available",
        "reason": "restock",
        "referenceDocumentUri": "gid://app/Restock/1",
        "changes": [*changes],
        **more,
    }


def signature(secret: str, body: bytes) -> str:
    """Shopify's signature of a webhook body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
