"""After the day: the broker of the pipeline is killed under work, and everything goes on by itself."""

from pathlib import Path

import pytest

from ops.up import KAFKA
from tests.e2e.day import Day
from tests.e2e.shops import Shop, returned
from tests.e2e.test_faults import once_each
from tests.e2e.world import World, until


@pytest.mark.req("INV-13", "INV-14", "MON-11", "OPS-2")
def test_a_killed_broker_comes_back_and_each_effect_happens_once(world: World, day: Day) -> None:
    day.over()
    world.quiet()
    supervisor, shop = world.stage.supervisor, Shop(world, "crash")

    def restarts(name: str) -> int:
        return next(each.restarts for each in supervisor.children() if each.name == name)

    before, killed = restarts(KAFKA), supervisor.pid(KAFKA)
    assert "kafka.Kafka" in Path(f"/proc/{killed}/cmdline").read_text()  # the broker itself
    under_way = returned(shop)
    supervisor.kill(KAFKA)
    meanwhile = returned(shop)
    until(lambda: restarts(KAFKA), lambda now: now == before + 1)
    supervisor.wait_ready(KAFKA, within_seconds=120)
    later = returned(shop)
    for order in (under_way, meanwhile, later):
        once_each(order.ended())
    supervisor.wait_ready(within_seconds=120)
    assert restarts(KAFKA) == before + 1
