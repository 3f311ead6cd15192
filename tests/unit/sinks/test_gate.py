"""Quotas end to end: workers that share one limit through the ledger, against a peer that counts and refuses."""

import time

import pytest

from sinks import shedding
from sinks.contract import LeftOut, Limit, NotSent
from sinks.ledger import quotas
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import Answer, Peer, Quota
from tests.unit.sinks.rig import until
from tests.unit.sinks.toy import Connection, Toy, look, restock

RATE, SLOW_RATE = 60.0, 15.0


@pytest.mark.req("OPS-3")
async def test_two_workers_use_the_whole_quota_and_are_never_refused(make_rig: MakeRig, peer: Peer) -> None:
    """Backlog for several seconds: what the system grants is used, without one 429. It grants so slowly that also a
    busy machine keeps up: nothing is wasted while the workers are away for less than a second."""
    limit = Limit(name="calls", capacity=20.0, per_second=SLOW_RATE)
    toy, patience = Toy("toy", limit), {"patience_seconds": 30.0, "request_seconds": 10.0, "claim_ms": 20_000}
    one = await make_rig(toy=toy, worker="one", **patience)
    two = await make_rig(toy=toy, worker="two", **patience)
    peer.quota = Quota(capacity=20.0, per_second=SLOW_RATE, tokens=20.0)
    one.send(*(restock(number, sku=f"S{number}") for number in range(35)))
    two.send(*(restock(number, sku=f"S{number}") for number in range(35, 70)))
    await until("the backlog is done", lambda: len(one.results()) + len(two.results()) == 70, 30.0)
    assert (peer.quota.used, peer.quota.refused) == (70, 0)
    assert peer.quota.wasted / (70 + peer.quota.wasted) < 0.25


async def test_a_system_that_has_less_than_we_think_corrects_us(make_rig: MakeRig, peer: Peer) -> None:
    """Somebody else spends from the same bucket: its own count comes with every answer."""
    limit = Limit(name="calls", capacity=500.0, per_second=RATE)
    rig = await make_rig(toy=Toy("toy", limit), patience_seconds=30.0, request_seconds=10.0, claim_ms=20_000)
    peer.quota = Quota(capacity=500.0, per_second=RATE, tokens=60.0)
    for number in range(10):
        rig.send(restock(number, sku=f"S{number}"))
        await rig.settled()
    rig.send(*(restock(number, sku=f"S{number}") for number in range(10, 150)))
    await rig.settled(20.0)
    assert peer.quota.refused == 0


async def test_a_refusal_holds_every_request_back_as_long_as_told(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig(patience_seconds=5.0)
    peer.script[restock(1).command_id] = [Answer(status=429, applies=False, headers={"retry-after": "1"})]
    rig.send(restock(1, sku="A"))
    await until("it was refused", lambda: bool(peer.requests))
    await until("the refusal is known", lambda: rig.sample(
        "returnflow_sink_throttled_total", system="toy", merchant="shop") == 1)  # fmt: skip
    rig.send(restock(2, sku="B"), restock(3, sku="C"))
    await rig.settled()
    first, *others = [at for _, _, at in peer.requests]
    assert len(others) == 3
    assert all(at - first >= 0.95 for at in others)


async def test_reads_leave_the_reserve_to_the_money_path(make_rig: MakeRig, peer: Peer) -> None:
    """A budget of the day: five calls of ten are for money only."""
    limit = Limit(name="calls", capacity=10.0, per_second=0.0, period_seconds=86_400.0, reserve=5.0)
    rig = await make_rig(toy=Toy("toy", limit), patience_seconds=0.1, park_seconds=60.0)
    connection = Connection(url=peer.url, token="good")
    for _ in range(5):
        await rig.transport.drive(look(connection), merchant="shop", priority="read")
    with pytest.raises(NotSent, match="quota calls is used up") as refused:
        await rig.transport.drive(look(connection), merchant="shop", priority="read")
    assert refused.value.after_seconds is not None
    assert refused.value.after_seconds > 1.0
    rig.send(*(restock(number, sku=f"S{number}") for number in range(5)))
    await rig.settled()
    assert len(peer.requests) == 10
    left = await rig.ledger.run(
        lambda c: quotas.remaining(c, merchant="shop", system="toy", limit=limit, now_ms=int(time.time() * 1000))
    )
    assert left < 1.0


async def test_what_was_leased_and_not_spent_is_given_back_at_the_end(make_rig: MakeRig, peer: Peer) -> None:
    limit = Limit(name="calls", capacity=100.0, per_second=0.001)
    rig = await make_rig(toy=Toy("toy", limit))
    rig.send(restock(1))
    await rig.settled()
    for route in rig.transport._routes.values():
        await route.close()
    left = await rig.ledger.run(
        lambda c: quotas.remaining(c, merchant="shop", system="toy", limit=limit, now_ms=int(time.time() * 1000))
    )
    assert 98.9 < left < 99.1


async def test_no_more_requests_at_once_than_the_system_allows(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig(toy=Toy("toy", Limit(name="calls", capacity=1e4, per_second=1e4, in_flight=3)))
    peer.delay_seconds = 0.02
    rig.send(*(restock(number, sku=f"S{number}") for number in range(30)))
    await rig.settled()
    assert peer.most_in_flight == 3


async def test_a_lease_that_nobody_spends_from_comes_back_within_a_moment(make_rig: MakeRig, peer: Peer) -> None:
    """Its holder is idle, and another process needs nearly all that there is: it must not wait for the holder to go."""
    limit = Limit(name="calls", capacity=100.0, per_second=0.001)
    one = await make_rig(toy=Toy("toy", limit), worker="one")
    await one.transport.drive(look(Connection(url=peer.url, token="good")), merchant="shop", priority="read")
    (gate,) = [each for each in one.transport._routes["shop"]._gates.values() if each._leased_at]
    gate._lease += 80.0  # the answer said that the request had cost less than was leased for it

    async def left() -> float:
        return await one.ledger.run(
            lambda c: quotas.remaining(c, merchant="shop", system="toy", limit=limit, now_ms=int(time.time() * 1000))
        )

    await until("the idle task has ended", lambda: gate._idling is not None and gate._idling.done())
    assert await left() > 98.0


async def test_merchants_of_one_owner_share_its_day(make_rig: MakeRig, peer: Peer) -> None:
    limit = Limit(name="calls", capacity=10.0, per_second=0.0, period_seconds=86_400.0, owner="group")
    rig = await make_rig("shop", "other", toy=Toy("toy", limit), patience_seconds=0.1, park_seconds=60.0)
    connection = Connection(url=peer.url, token="good")
    for name in ("shop", "other") * 5:
        await rig.transport.drive(look(connection), merchant=name, priority="money")
    for name in ("shop", "other"):
        with pytest.raises(NotSent):
            await rig.transport.drive(look(connection), merchant=name, priority="money")
    assert len(peer.requests) == 10


async def test_what_may_be_left_out_gives_way_and_is_counted_apart(make_rig: MakeRig, peer: Peer) -> None:
    """60 inspections in this hour: a comment leaves what they need until midnight, and an inspection goes out."""
    limit = Limit(name="calls", capacity=100.0, per_second=0.0, period_seconds=86_400.0)
    rig = await make_rig(toy=Toy("toy", limit), patience_seconds=0.1)
    connection = Connection(url=peer.url, token="good")
    await rig.transport.drive(look(connection), merchant="shop", priority="comment")
    for _ in range(60):
        await rig.transport.drive(look(connection), merchant="shop", priority="inspection")
    for route in rig.transport._routes.values():
        await route.close()  # tells what was spent
    with pytest.raises(LeftOut) as refused:
        await rig.transport.drive(look(connection), merchant="shop", priority="comment")
    assert refused.value.after_seconds is not None
    assert refused.value.after_seconds <= shedding.TRY_AGAIN_SECONDS
    await rig.transport.drive(look(connection), merchant="shop", priority="inspection")
    used = await rig.ledger.run(
        lambda c: quotas.used(c, merchant="shop", system="toy", limit=limit, now_ms=int(time.time() * 1000))
    )
    assert {name: sum(each.calls for each in used if each.priority == name) for name in ("comment", "inspection")} == {
        "comment": 1.0,
        "inspection": 60.0,
    }
