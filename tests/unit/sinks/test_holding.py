"""What a person pauses waits in the ledger until the person resumes; nothing else ends it, and others go on."""

import asyncio

import pytest

from sinks.ledger import holds, parking
from sinks.ledger.holds import HELD, Hold
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import LOCKED, Peer, running_peer
from tests.unit.sinks.rig import Rig, until
from tests.unit.sinks.toy import restock


def hold(system: str = "toy", merchant: str = "shop") -> Hold:
    return Hold(system=system, merchant=merchant, why="stock count", by="ann", since_ms=1)


async def held(rig: Rig, wanted: Hold) -> None:
    await rig.ledger.run(lambda connection: holds.hold(connection, wanted))
    await until("the worker knows", lambda: wanted.merchant in rig.pauses.holding)


async def resumed(rig: Rig, wanted: Hold) -> None:
    await rig.ledger.run(lambda connection: holds.resume(connection, system=wanted.system, merchant=wanted.merchant))
    await until("the worker knows", lambda: wanted.merchant not in rig.pauses.holding)


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("wanted", [hold(), hold("*"), hold(merchant="*")], ids=["both", "merchant", "system"])
async def test_what_is_held_waits_in_order_and_goes_out_once_when_resumed(
    make_rig: MakeRig, peer: Peer, wanted: Hold
) -> None:
    rig = await make_rig()
    await held(rig, wanted)
    commands = [restock(number, sku="S") for number in range(5)] + [restock(9, sku="T")]
    rig.send(*commands)
    await rig.settled()
    assert len(rig.assignment.lanes) == 0  # none of them stays in memory, and their offsets move on
    assert (peer.requests, rig.results(), rig.dead_letters()) == ([], [], [])
    assert rig.sample("returnflow_sink_held_state", system="toy", merchant=wanted.merchant) == 1
    standing = await rig.ledger.run(lambda connection: parking.standing(connection, "toy"))
    assert [(each.merchant, each.reason, each.commands) for each in standing] == [("shop", HELD, 6)]
    await resumed(rig, wanted)
    await until("all are done", lambda: len(rig.outcomes()) == 6)
    assert set(peer.effects.values()) == {1}
    of_s = [each.command_id for each in rig.results() if each.command_id != commands[-1].command_id]
    assert of_s == [each.command_id for each in commands[:5]]
    assert rig.sample("returnflow_sink_held_state", system="toy", merchant=wanted.merchant) == 0


@pytest.mark.req("OPS-3")
async def test_a_held_merchant_holds_up_no_other(make_rig: MakeRig) -> None:
    rig = await make_rig("bad", "good")
    await held(rig, hold(merchant="bad"))
    rig.send(restock(1, merchant="bad"), restock(2, merchant="good"), restock(3, merchant="bad"))
    await rig.settled()
    assert [result.merchant for result in rig.results()] == ["good"]


@pytest.mark.req("OPS-3")
async def test_no_probe_looks_behind_a_hold(make_rig: MakeRig, peer: Peer) -> None:
    """A pause of the sinks' own ends by a probe; the merchant that a person holds is none to probe with."""
    with running_peer() as strict:
        strict.token = "another"
        rig = await make_rig("bad", "good", urls={"bad": strict.url})
        rig.send(restock(1, merchant="bad"))
        await until("the sink has paused it", lambda: rig.pauses.paused == {"bad"})
        await held(rig, hold(merchant="bad"))
        asked = len(strict.requests)
        strict.token = "good"
        await rig.pauses.probe_soon("bad")  # as a mended file does
        rig.send(restock(2, merchant="good"))
        await until("others go on", lambda: len(rig.outcomes()) == 1)
        assert len(strict.requests) == asked
        assert rig.pauses.paused == {"bad"}
        await resumed(rig, hold(merchant="bad"))
        await until("the probe goes out", lambda: len(rig.outcomes()) == 2)


@pytest.mark.req("INV-2")
@pytest.mark.parametrize("by_a_person", [True, False])
async def test_the_time_of_a_pause_is_no_time_of_failing(make_rig: MakeRig, peer: Peer, by_a_person: bool) -> None:
    """A command that failed once before a pause of days is not given up at the first failure after it."""
    rig = await make_rig(park_seconds=0.0, give_up_seconds=0.5, probe_seconds=0.1)
    command = restock(1)
    peer.always[command.command_id] = LOCKED
    rig.send(command)
    await until("it failed", lambda: len(peer.requests) >= 2)
    if by_a_person:
        await held(rig, hold())
    else:
        peer.token = "renewed"
        await until("the sink has paused it", lambda: rig.pauses.paused == {"shop"})
    await asyncio.sleep(0.6)
    peer.always.clear()
    peer.script[command.command_id] = [LOCKED]
    peer.token = "good"
    if by_a_person:
        await resumed(rig, hold())
    await until("it is done", lambda: len(rig.outcomes()) == 1)
    assert list(rig.outcomes().values()) == ["applied"]


async def test_a_second_hold_leaves_the_first_one_s_words(make_rig: MakeRig) -> None:
    rig = await make_rig()
    await held(rig, hold())
    other = Hold(system="toy", merchant="shop", why="else", by="bob", since_ms=2)
    assert await rig.ledger.run(lambda connection: holds.hold(connection, other)) == hold()
    assert await rig.ledger.run(lambda c: holds.resume(c, system="toy", merchant="other")) is None
