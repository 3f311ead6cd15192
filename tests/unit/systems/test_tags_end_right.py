"""Orders of the sandbox whose tag requests get no answer and are carried out later: each ends with exactly its tag."""

import random
from datetime import UTC, datetime

import pytest

from schemas.commands import Annotate, Refund
from schemas.facts import OrderSnapshot, ReturnedUnit
from sinks.systems.shopify import read
from streams.domain.learn import Fact
from streams.sources import shopify_orders
from tests.unit.domain.factories import DAY_ONE, MERCHANT, Run, asked, event, inspected, result, unit
from tests.unit.systems.sandbox_shop import DOMAIN, SandboxShop

ORDERS = 60
FAULTS = ("timeout_late_apply", "timeout_late_apply", "timeout_before_apply", "timeout_after_apply", "502")


class Life:
    """One order: what is decided is carried out in the sandbox, and what the sandbox has is read back."""

    def __init__(self, shop: SandboxShop, chance: random.Random) -> None:
        self.shop, self.chance, self.run = shop, chance, Run()
        self.done: set[str] = set()

    async def snapshot(self) -> OrderSnapshot:
        row = await self.shop.read("shopify", read.order(self.shop.connections["shopify"], "5001"))
        return shopify_orders.snapshot(row, merchant=MERCHANT)

    async def faults(self) -> None:
        for operation in ("tagsAdd", "tagsRemove"):
            if self.chance.random() < 0.5:
                fault = self.chance.choice(FAULTS)
                seconds = self.chance.choice((5, 90, 1000)) if "late" in fault else 0.001
                await self.shop.control(
                    "faults", {"fault": fault, "match": {"operation": operation}, "seconds": seconds}
                )

    async def work(self) -> None:
        for command in self.run.commands(Annotate):
            if command.aspect == "tags" and command.command_id not in self.done:
                self.done.add(command.command_id)
                await self.shop.settle(command)
                now = datetime.fromisoformat((await self.shop.control("clock"))["now"])
                hours = (now.timestamp() * 1000 + 999 - DAY_ONE) / 3_600_000
                self.run.feed(result(command.command_id, "annotate", hours=hours))

    async def through(self, one: ReturnedUnit) -> None:
        facts: list[list[Fact]] = [
            [await self.snapshot(), *asked(one)],
            [event("in_transit", one, hours=2)],
            [event("received", one, hours=3)],
            [inspected(one)],
            [],
            [],
        ]
        for made in facts:
            self.run.feed(*made)
            self.run.restock()
            for refund in self.run.commands(Refund):
                self.run.feed(result(refund.command_id, "refund", external_ids={"refund_id": "R1"}))
            await self.faults()
            await self.work()
            if self.chance.random() < 0.5:
                self.run.feed(await self.snapshot())
            await self.shop.wait(self.chance.choice((1, 60, 300)))
        for _ in range(4):
            await self.shop.wait(2000)
            self.run.feed(await self.snapshot())
            await self.work()


@pytest.mark.req("STA-1")
async def test_sixty_orders_under_faults_end_with_exactly_their_tag() -> None:
    late = 0
    for seed in range(ORDERS):
        shop = SandboxShop()
        await shop.control("clock", {"set": datetime.fromtimestamp(DAY_ONE / 1000, UTC).isoformat()})
        await shop.open()
        await shop.control(f"shopify/{DOMAIN}/staff/tag", {"order": "#1001", "add": ["VIP"]})
        life = Life(shop, random.Random(seed))
        await life.through(unit(line_id=shop.line(), sku="TEE-M"))
        tags = (await shop.books())["orders"]["#1001"]["tags"]
        assert sorted(tags) == ["VIP", "return-completed"], (seed, tags)
        late += sum(1 for call in (await shop.control("calls?limit=1000"))["calls"] if "late" in (call["fault"] or ""))
    assert late > ORDERS / 2
