"""The sandbox as a process, and its control door."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from ops.local.ports import free_port
from tests.integration.sources.processes import SECRETS, start, stop, until


class Sandbox:
    """The stand-in for ReturnGO and Shopify, driven through its control door."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/_sandbox", timeout=20)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def post(self, path: str, body: object = None) -> Any:
        answer = self._http.post(path, json=body if body is not None else {})
        assert answer.is_success, answer.text
        return answer.json()

    def shop(self, domain: str, **more: object) -> None:
        """A shop with one mug, a plate nobody tracks, and two locations."""
        mug = {"sku": "MUG", "title": "Mug", "price": "199.00", "stock": {"11": 5}}
        plate = {"sku": "PLATE", "title": "Plate", "price": "99.00", "tracked": False, "stock": {"11": 0}}
        locations = [{"id": 11, "name": "Main", "active": True}, {"id": 12, "name": "Old", "active": False}]
        self.post("/shops", {
            "domain": domain, "client_secret": SECRETS["G_NEW"], "access_token": SECRETS["G_ACCESS"],
            "returngo_key": SECRETS["G_KEY"], "daily_limit": 100_000, "locations": locations,
            "products": [{"title": "Mug", "variants": [mug]}, {"title": "Plate", "variants": [plate]}],
            "customers": [{"id": 1001, "name": "Customer 1001", "email": "customer.1001@example.com"}], **more,
        })  # fmt: skip

    def order(self, domain: str, name: str, *skus: str) -> str:
        """An order of one piece of each SKU; its id."""
        lines = [{"sku": sku, "quantity": 1} for sku in skus]
        made = self.post(f"/shops/{domain}/orders", {"orders": [{"name": name, "customer_id": 1001, "lines": lines}]})
        return str(made["orders"][name]["id"])

    def rma(self, domain: str, order: str, sku: str = "MUG") -> dict[str, Any]:
        """A return of one piece."""
        unit = {"sku": sku, "quantity": 1, "reason": "Does not fit", "resolution": "RefundToPaymentMethod"}
        made: dict[str, Any] = self.post(f"/returngo/{domain}/rmas", {"order": order, "units": [unit]})
        return made

    def step(self, domain: str, rma_id: str, step: str, **body: object) -> Any:
        return self.post(f"/returngo/{domain}/rmas/{rma_id}/{step}", body)


@contextmanager
def sandbox_process() -> Iterator[Sandbox]:
    """A sandbox on a free port."""
    port = free_port()
    process = start(["sandbox", "--port", str(port)], dict(os.environ))
    sandbox = Sandbox(f"http://127.0.0.1:{port}")
    try:
        until(lambda: _up(sandbox))
        yield sandbox
    finally:
        sandbox.close()
        stop(process)


def _up(sandbox: Sandbox) -> bool:
    try:
        sandbox.get("/clock")
    except httpx.TransportError:
        return False
    return True
