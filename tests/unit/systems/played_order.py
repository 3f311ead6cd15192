"""One order of a sandbox shop: read as the sources do, judged by the domain, its payments carried out by the flows."""

from typing import Any

from msgspec.structs import replace

from schemas.commands import CommandOutcome, kind_of
from schemas.merchant import Merchant
from sinks.outcomes import AlreadyApplied, Applied, Rejected
from sinks.systems.shopify import read
from streams.domain.learn import Fact
from streams.sources.shopify_effects import effects
from streams.sources.shopify_orders import snapshot
from tests.unit.domain.factories import DAY_ONE, HOUR, MERCHANT, Run, asked, inspected, result, unit
from tests.unit.systems.sandbox_shop import DOMAIN, SandboxShop

LATER = 100.0  # hours after the order was placed, when returns begin


class PlayedOrder:
    """`run` is its case; `lines` names its lines by SKU or title."""

    def __init__(self, shop: SandboxShop, order_id: str, rules: Merchant) -> None:
        self.shop, self.order_id, self.run = shop, order_id, Run(rules)
        self.lines: dict[str, list[str]] = {}
        self._read, self._placed = 0, 0.0  # in hours of the facts' own first day
        self._done: set[str] = set()

    @classmethod
    async def placed(cls, shop: SandboxShop, rules: Merchant, *lines: Any, **more: Any) -> "PlayedOrder":
        body = {"name": "#7001", "id": 7001, "customer_id": 601, "lines": list(lines), **more}
        made = await shop.control(f"shops/{DOMAIN}/orders", {"orders": [body]})
        played = cls(shop, "7001", rules)
        for line in made["orders"]["#7001"]["lines"]:
            played.lines.setdefault(line["sku"] or "", []).append(str(line["id"]))
        await played.read()
        return played

    async def staff(self, action: str, **body: Any) -> None:
        """Somebody does something to the order in the admin, and it becomes known."""
        await self.shop.control(f"shopify/{DOMAIN}/staff/{action}", {"order": "#7001", **body})
        await self.read()

    async def read(self) -> None:
        """The order as it is now becomes known."""
        found = await self.shop.read("shopify", read.order(self.shop.connections["shopify"], self.order_id))
        seen = snapshot(found, merchant=MERCHANT)
        self._read += 1
        self._placed = (seen.created_at_ms - DAY_ONE) / HOUR
        seen = replace(seen, version_ms=seen.created_at_ms + self._read)
        self._feed(seen, *effects(found, merchant=MERCHANT))

    async def comes(self, *units: Any, rma: str) -> None:
        """A return is asked for, approved and inspected, and all that follows is done: (SKU, line or None), …"""
        await self.asked(*units, rma=rma)
        await self.inspected(*units, rma=rma)

    async def asked(self, *units: Any, rma: str, since: float = LATER) -> None:
        self._feed(*asked(*self._units(units, rma), rma=rma, hours=self._placed + since))

    async def inspected(self, *units: Any, rma: str) -> None:
        self._feed(*(inspected(each, rma=rma, hours=self._placed + LATER + 4) for each in self._units(units, rma)))
        await self.settle()

    def _units(self, units: Any, rma: str) -> list[Any]:
        return [
            unit(f"{rma}-{number}", line_id, sku, **(more[0] if more else {}))
            for number, (sku, line_id, *more) in enumerate(units)
        ]  # fmt: skip

    async def settle(self) -> None:
        """Every payment that is wanted is carried out, until nothing is wanted any more."""
        while waiting := [each for each in self.run.payments if each.command_id not in self._done]:
            for command in waiting:
                self._done.add(command.command_id)
                outcome = await self.shop.settle(command)
                assert isinstance(outcome, Applied | AlreadyApplied | Rejected), outcome
                more = {"code": outcome.code, "detail": outcome.detail} if isinstance(outcome, Rejected) else {
                    "external_ids": outcome.external_ids, "amount": outcome.amount,
                }  # fmt: skip
                word: CommandOutcome = "rejected" if isinstance(outcome, Rejected) else "applied"
                self._feed(result(command.command_id, kind_of(command), word, **more))
            await self.read()

    def _feed(self, *facts: Fact) -> None:
        self.run.feed(*(replace(fact, order_id=self.order_id) for fact in facts))

    async def paid(self) -> list[tuple[str, str]]:
        """What really went out of the shop: gateway and amount."""
        return [(each["gateway"], each["amount"]) for each in (await self.shop.books())["money"]]
