"""The sandbox's control door and the warehouse's side of our gateway. Touches loopback HTTP, past any proxy."""

import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks.webhooks import Webhook

from ops.demo.books import Books, read_books, together
from ops.demo.story import Body
from schemas import product

SUBSCRIBING = ("webhookSubscriptionCreate", "POST /webhook")

AGAIN_TIMES, AGAIN_SECONDS = 10, 1.0


class Refused(Exception):
    """The sandbox did not take a step: the scenario is wrong, or the sandbox is."""


class Sandbox:
    """What the scenario does in the shop and in ReturnGO, and what really happened there."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._http = httpx.Client(
            base_url=f"{self.url}/_sandbox", timeout=30.0, headers=product.HEADERS, trust_env=False
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def open_shop(self, body: Body) -> None:
        """A shop as it stands in the morning."""
        self.post("/shops", body)

    def sell(self, shop: str, order: Body) -> None:
        """An order is placed now, in the shop of that domain."""
        self.post(f"/shops/{shop}/orders", {"orders": [order]})

    def request(self, shop: str, body: Body) -> str:
        """A customer asks for a return; its RMA id."""
        return str(self.post(f"/returngo/{shop}/rmas", body)["rma_id"])

    def step(self, shop: str, rma_id: str, step: str, body: Body) -> dict[str, Any]:
        """Something happens to an RMA; what the sandbox says of it."""
        return self.post(f"/returngo/{shop}/rmas/{rma_id}/{step}", body)

    def staff(self, shop: str, action: str, body: Body) -> None:
        """Somebody does something in the shop."""
        self.post(f"/shopify/{shop}/staff/{action}", body)

    def fault(self, body: Body) -> None:
        """From now on something goes wrong."""
        self.post("/faults", body)

    def faults_left(self) -> list[str]:
        """Faults that were armed and never came to pass in full."""
        return [f"{each['fault']}, {each['left']} left" for each in self._get("/faults")["faults"]]

    def books(self) -> Books:
        """What really happened, in all shops together."""
        return together(read_books(each) for each in self._get("/books")["shops"].values())

    def books_of(self, shop: str) -> dict[str, Any]:
        """What really happened in one shop, as the sandbox tells it."""
        return self._get("/books", shop=shop)

    def subscriptions(self, shop: str | None = None) -> int:
        """How many subscriptions were made, in all shops or in one; 0 while one of the two systems has none."""
        of = {} if shop is None else {"shop": shop}
        made = [len(self._get("/calls", operation=name, **of)["calls"]) for name in SUBSCRIBING]
        return sum(made) if all(made) else 0

    def webhooks(self) -> list[dict[str, Any]]:
        """Every webhook sent so far, oldest first."""
        found: list[dict[str, Any]] = self._get("/webhooks")["webhooks"]
        return found

    def redeliver(self, ids: list[str]) -> int:
        """The same messages once more."""
        return int(self.post("/webhooks/redeliver", {"ids": ids})["sent"])

    def settle(self, seconds: float) -> int:
        """Wait until no webhook is under way; how many still are."""
        return int(self.post("/webhooks/settle", {"seconds": seconds})["pending"])

    def post(self, path: str, body: Body) -> dict[str, Any]:
        """Any control request; raises Refused with what the sandbox said."""
        answer = self._http.post(path, json=body)
        if answer.is_error:
            raise Refused(f"the sandbox refused POST {path} {json.dumps(body)[:200]}: {answer.text[:300]}")
        result: dict[str, Any] = answer.json()
        return result

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._http.get(path, params=query)
        if answer.is_error:
            raise Refused(f"the sandbox refused GET {path}: {answer.text[:300]}")
        result: dict[str, Any] = answer.json()
        return result


class Warehouse:
    """A warehouse that reports its own inspections, signed."""

    def __init__(self, gateway_port: int, merchant: str, secret: str) -> None:
        self._url = f"http://127.0.0.1:{gateway_port}/warehouse/{merchant}"
        self._signer = Webhook(secret)

    def inspected(self, rma_id: str, lines: tuple[Body, ...]) -> None:
        """One inspection message, sent until the gateway takes it."""
        body = json.dumps({"type": "inspection", "rma": rma_id, "lines": lines})
        message, now = f"msg_{uuid4().hex}", datetime.now(UTC)
        headers = {
            "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(message, now, body),
            **product.HEADERS,
        }
        answer = httpx.post(self._url, content=body, headers=headers, timeout=10.0, trust_env=False)
        for _ in range(AGAIN_TIMES):
            if not answer.is_server_error:
                break
            time.sleep(AGAIN_SECONDS)  # not taken: the same message again, under the same id
            answer = httpx.post(self._url, content=body, headers=headers, timeout=10.0, trust_env=False)
        answer.raise_for_status()
