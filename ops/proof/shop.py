"""A sandbox shop without ports and loops: the flows' requests are answered in this process, one after the other."""

import json
from collections.abc import Generator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import msgspec

from ops.proof.cases import Part
from ops.sandbox.control.seed import open_shop
from ops.sandbox.control.specs import CustomerSpec, ShopSpec
from ops.sandbox.settings import Settings
from ops.sandbox.shopify import amounts, execute, idempotency
from ops.sandbox.shopify.action import Action
from ops.sandbox.shopify.ordering import OrderSpec, place_order
from ops.sandbox.shopify.payments import PaymentSpec, pay
from ops.sandbox.shopify.refunds import RefundPlan, make_refund
from ops.sandbox.shopify.sales import LineItem, Order
from ops.sandbox.shopify.session import Session
from ops.sandbox.shopify.values import ZERO, rounded
from ops.sandbox.world import World
from schemas.money import split

T = TypeVar("T")
DOMAIN, CURRENCY = "proof.example", "EUR"
START = datetime(2026, 3, 2, tzinfo=UTC)


class ProofShop:
    """One shop with one order. Its clock stands still but for `tick`."""

    def __init__(self, rule: str, spec: OrderSpec, split: tuple[tuple[str, int], ...]) -> None:
        self._world = World(Settings(start=START, speed=0.0), None)
        open_shop(
            self._world,
            ShopSpec(domain=DOMAIN, currency=CURRENCY, rounding=rule, customers=[CustomerSpec(id=601)]),
        )
        self._shop = self._world.shops[DOMAIN]
        self.order = self._placed(spec, split)
        self.tick()

    @property
    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return int(self._world.clock.now().timestamp() * 1000)

    def tick(self) -> None:
        """A second goes by."""
        self._world.clock.change(None, None, 1)

    def drive(self, flow: Generator[httpx.Request, httpx.Response, T]) -> T:
        """The flow's result."""
        try:
            request = next(flow)
            while True:
                request = flow.send(self._answer(request))
        except StopIteration as end:
            result: T = end.value
            return result

    def refund_by_staff(self, part: Part) -> None:
        """As the admin suggests it, or with an amount that somebody worked out."""
        asked = [(self.order.lines[place], units) for place, units in part.units.items()]
        worth = [amounts.share(line, line.refunded, units) for line, units in asked]
        amount = sum((each.subtotal + (ZERO if self.order.taxes_included else each.tax) for each in worth), ZERO)
        if part.typed:
            amount = sum((rounded(_cost(line) * units / line.quantity, CURRENCY) for line, units in asked), ZERO)
        plan = RefundPlan(lines=[(line, units, "NO_RESTOCK", None) for line, units in asked], payments=[], credits=[])
        plan.payments = amounts.spread(self.order, min(amount, amounts.net_payment(self.order)))
        make_refund(Action(self._world, self._shop, "staff"), self.order, plan)
        self.tick()

    def _placed(self, spec: OrderSpec, weights: tuple[tuple[str, int], ...]) -> Order:
        action = Action(self._world, self._shop, "seed")
        order = place_order(action, msgspec.structs.replace(spec, payments=[]))
        cents = split(int(amounts.total(order) * 100), [weight for _, weight in weights])
        for (gateway, _), part in zip(weights, cents, strict=True):
            if part:
                pay(action, order, PaymentSpec(gateway=gateway, amount=Decimal(part) / 100))
        return order

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        prepared = execute.prepare(asked["query"], asked.get("operationName"))
        if prepared.operation is None:
            raise AssertionError(f"the sandbox does not take {asked['query']}: {prepared.errors}")
        claims = idempotency.claims_of(prepared.operation, asked["variables"], object())
        busy = self._shop.keys.begin(list(claims.values()), self._world.clock.now())
        session = Session(world=self._world, shop=self._shop, claims=claims, busy=busy, fault=None)
        try:
            answer: dict[str, Any] = execute.run(prepared, asked["variables"], asked.get("operationName"), session)
        finally:
            self._shop.keys.release(list(claims.values()))
        return httpx.Response(200, json=answer, headers={"X-Shopify-API-Version": self._shop.served_version})


def _cost(line: LineItem) -> Decimal:
    return line.discounted_total + (ZERO if line.order.taxes_included else line.tax)
