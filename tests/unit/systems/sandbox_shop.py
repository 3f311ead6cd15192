"""A sandbox shop with one order, and a small runtime that carries commands out against it as the sink workers do."""

import asyncio
from typing import Any

import httpx
import msgspec

from ops.sandbox.app import build
from ops.sandbox.settings import Settings
from schemas import ids, product
from schemas.commands import Command, LineShare, Refund, Restock, StoreCredit, TenderShare
from sinks.contract import EFFECT, Attempt, NotSent, ReadFlow, Unanswered
from sinks.outcomes import Deferred, Outcome, Uncertain
from sinks.systems import SYSTEMS
from tests.unit.systems import givens

Json = dict[str, Any]
DOMAIN = "acorn.example"
START_MS = 1_780_000_000_000
SHOP = {
    "domain": DOMAIN,
    "currency": "EUR",
    "access_token": givens.TOKEN,
    "returngo_key": givens.API_KEY,
    "locations": [
        {"id": 71, "name": "Main"},
        {"id": 72, "name": "Old", "active": False},
        {"id": 73, "name": "Store"},
    ],
    "products": [
        {
            "title": "Tee",
            "variants": [
                {"sku": "TEE-M", "price": "25.00", "stock": {"71": 10}},
                {"sku": "SOAP", "price": "5.00", "stock": {"71": 10}},
                {"sku": "CARD", "price": "5.00", "tracked": False, "stock": {"71": 10}},
            ],
        },
        {"title": "Set", "variants": [{"sku": "SET", "price": "9.00", "components": [{"sku": "SOAP", "quantity": 2}]}]},
    ],
    "customers": [{"id": 601, "name": "Customer 601", "email": "customer.601@example.com"}],
    "orders": [
        {
            "name": "#1001",
            "id": 5001,
            "customer_id": 601,
            "lines": [{"sku": "TEE-M", "quantity": 3}, {"sku": "SOAP", "quantity": 1}],
        }
    ],
}


class SandboxShop:
    """`waits` are the seconds that outcomes asked for; the clock of commands moves on by them."""

    def __init__(self) -> None:
        transport = httpx.ASGITransport(build(Settings(hang_seconds=0.01)))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://sandbox")
        self.seeded: Json = {}
        self.now_ms = START_MS
        self.connections: Json = {}

    async def open(self) -> "SandboxShop":
        self.seeded = await self.control("shops", SHOP)
        systems = givens.MERCHANT.systems
        assert systems.shopify is not None
        assert systems.returngo is not None
        shopify = systems.shopify.model_copy(update={"base_url": f"http://sandbox/shopify/{DOMAIN}"})
        returngo = systems.returngo.model_copy(update={"base_url": "http://sandbox/returngo", "shop": DOMAIN})
        update = {"systems": systems.model_copy(update={"shopify": shopify, "returngo": returngo})}
        merchant = givens.MERCHANT.model_copy(update=update)
        for name, system in SYSTEMS.items():
            self.connections[name] = system.connect(merchant, givens.SECRETS.__getitem__)
        return self

    async def control(self, path: str, body: Json | None = None) -> Json:
        """POST to the control door, or GET without a body."""
        url = f"/_sandbox/{path}"
        response = await (self._client.get(url) if body is None else self._client.post(url, json=body))
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    async def fault(self, fault: str, operation: str, times: int = 1, skip: int = 0, system: str = "shopify") -> None:
        plan = {"match": {"system": system, "operation": operation}, "fault": fault, "times": times, "skip": skip}
        await self.control("faults", {**plan, "seconds": 0.01})

    async def faults_met(self) -> int:
        """How many calls went wrong."""
        calls = (await self.control("calls?limit=1000"))["calls"]
        return sum(1 for call in calls if call["fault"])

    async def books(self) -> Json:
        books = await self.control(f"books?shop={DOMAIN}")
        assert books["findings"] == []
        return books

    async def moved(self) -> Json:
        """Units by sku@location.state that really moved."""
        moved: Json = (await self.books())["totals"]["moved"]
        return moved

    async def paid(self) -> list[tuple[str, str]]:
        """Kind and amount of all that went out."""
        return [(each["kind"], each["amount"]) for each in (await self.books())["money"]]

    async def read(self, system: str, flow: ReadFlow[Any]) -> Any:
        return await self._drive(system, flow, [])

    async def attempt(self, command: Command, attempt: Attempt, effects: list[int] | None = None) -> Outcome:
        """One attempt; `effects` collects when requests that make the effect went out."""
        system = SYSTEMS[command.system]
        flow = system.flow(command, self.connections[command.system], givens.MERCHANT, attempt)
        sent: list[int] = [] if effects is None else effects
        try:
            outcome: Outcome = await self._drive(command.system, flow, sent)
        except NotSent as error:
            return Uncertain(reason=str(error)) if sent else Deferred(reason=str(error))
        except Unanswered as error:
            return Uncertain(reason=str(error))
        return outcome

    async def settle(self, command: Command, most: int = 12) -> Outcome:
        """Attempts until it ends, as the runtime makes them: keys by epoch, waits, notes, first time of sending."""
        first_sent_ms: int | None = None
        epoch, notes = 0, dict[str, str]()
        for number in range(1, most + 1):
            key = ids.idempotency_key(merchant=command.merchant, command_id=command.command_id, epoch=epoch)
            attempt = Attempt(
                idempotency_key=key, now_ms=self.now_ms, number=number, first_sent_ms=first_sent_ms, notes=notes
            )
            effects: list[int] = []
            outcome = await self.attempt(command, attempt, effects)
            if effects or isinstance(outcome, Uncertain):
                first_sent_ms = first_sent_ms or self.now_ms
            if not isinstance(outcome, Deferred | Uncertain):
                return outcome
            wait = outcome.after_seconds if isinstance(outcome, Deferred) else None
            await self.wait(1.0 if wait is None else wait)
            notes = {**notes, **outcome.notes}
            epoch += isinstance(outcome, Uncertain) and outcome.new_key
        raise AssertionError(f"not settled after {most} attempts: {outcome}")

    async def wait(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000) + 1
        await self.control("clock", {"advance_seconds": seconds})
        for _ in range(10):  # whatever waited for this moment has its turn: calls within a process wait for nobody
            await asyncio.sleep(0)

    async def _drive(self, name: str, flow: ReadFlow[Any], effects: list[int]) -> Any:
        system = SYSTEMS[name]
        try:
            request = next(flow)
            while True:
                if EFFECT in request.extensions:
                    effects.append(self.now_ms)
                try:
                    ready = system.authorize(self.connections[name], request)
                    ready.headers.update(product.HEADERS)
                    response = await self._client.send(ready)
                except httpx.TransportError as error:
                    request = flow.throw(Unanswered(type(error).__name__))
                else:
                    system.seen(request, response)
                    request = flow.send(response)
        except StopIteration as end:
            return end.value

    # What commands are about

    def line(self, place: int = 0) -> str:
        return str(self.seeded["orders"]["#1001"]["lines"][place]["id"])

    def item(self, sku: str) -> str:
        return str(self.seeded["variants"][sku]["inventory_item_id"])

    def payment(self) -> str:
        return str(self.seeded["orders"]["#1001"]["transactions"][0]["id"])

    def restock(self, number: int = 1, sku: str = "TEE-M", **changes: Any) -> Restock:
        line = self.line() if sku == "TEE-M" else None
        command = msgspec.structs.replace(
            givens.RESTOCK, command_id=command_id(number), sku=sku, item_id=self.item(sku), line_id=line
        )
        return msgspec.structs.replace(command, **changes)

    def refund(self, number: int = 1, minor: int = 2500, **changes: Any) -> Refund:
        command = msgspec.structs.replace(
            givens.REFUND,
            command_id=command_id(number),
            amount_minor=minor,
            lines=(LineShare(line_id=self.line(), quantity=1, amount_minor=2500),),
            tenders=(TenderShare(payment_id=self.payment(), tender="card", amount_minor=minor),),
        )
        return msgspec.structs.replace(command, **changes)

    def credit(self, form: Any, number: int = 1, **changes: Any) -> StoreCredit:
        lines = (LineShare(line_id=self.line(), quantity=1, amount_minor=2500),)
        command = msgspec.structs.replace(givens.STORE_CREDIT, command_id=command_id(number), form=form, lines=lines)
        return msgspec.structs.replace(command, **changes)


def command_id(number: int) -> str:
    return ids.command_id(
        merchant="acorn", system="shopify", kind="test", rma_id="20000017", unit_ids=[str(number)], generation=1
    )
