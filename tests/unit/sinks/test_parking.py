"""Parking: a key that cannot go on steps aside, in order, and comes back; its neighbours never wait for it."""

import pytest

from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import LOCKED, REFUSED, Peer
from tests.unit.sinks.rig import until
from tests.unit.sinks.toy import restock

QUICK = {"park_seconds": 0.0}  # whatever has to wait at all is parked


@pytest.mark.req("OPS-3", "INV-14")
async def test_a_failing_key_parks_and_its_offsets_move_on(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig(**QUICK)
    stuck, behind, other = restock(1, sku="A"), restock(2, sku="A"), restock(3, sku="B")
    peer.always[stuck.command_id] = LOCKED
    rig.send(stuck, behind, other)
    await rig.settled()
    assert rig.outcomes() == {other.command_id: "applied"}
    del peer.always[stuck.command_id]
    await until("the parked key is done", lambda: len(rig.outcomes()) == 3)
    assert peer.order == [other.command_id, stuck.command_id, behind.command_id]


async def test_later_commands_of_a_parked_key_queue_behind_it(make_rig: MakeRig, peer: Peer) -> None:
    """Also those that come while it is being brought back."""
    rig, commands = await make_rig(**QUICK), [restock(number, sku="A") for number in range(12)]
    peer.script[commands[0].command_id] = [LOCKED] * 6
    for command in commands:
        rig.send(command)
        await rig.settled()
    await until("all are done", lambda: len(rig.outcomes()) == len(commands))
    assert peer.order == [command.command_id for command in commands]
    after = restock(99, sku="A")
    rig.send(after)
    await until("the freed key is done", lambda: rig.outcomes().get(after.command_id) == "applied")


@pytest.mark.req("INV-14")
async def test_a_parked_key_survives_its_worker(make_rig: MakeRig, peer: Peer) -> None:
    """The offset was committed, so only the ledger knows of it."""
    first, command = await make_rig(**QUICK, worker="first"), restock(1)
    peer.always[command.command_id] = LOCKED
    first.send(command)
    await first.settled()
    second = await make_rig(**QUICK, worker="second")
    del peer.always[command.command_id]
    await until("one of them applies it", lambda: peer.effects[command.command_id] == 1)
    await until("its result is out", lambda: bool(first.results() + second.results()))
    assert peer.effects == {command.command_id: 1}


async def test_a_parked_command_that_comes_again_waits_once(make_rig: MakeRig, peer: Peer) -> None:
    rig, command = await make_rig(**QUICK), restock(1)
    peer.always[command.command_id] = LOCKED
    rig.send(command, command, command)
    await rig.settled()
    del peer.always[command.command_id]
    await until("it is done", lambda: bool(rig.results()))
    assert [result.outcome for result in rig.results()] == ["applied"]


@pytest.mark.req("INV-14", "EXC-6")
async def test_a_key_that_fails_for_too_long_is_given_up_and_told(make_rig: MakeRig, peer: Peer) -> None:
    rig, command, behind = await make_rig(**QUICK, give_up_seconds=0.3), restock(1), restock(2)
    peer.always[command.command_id] = LOCKED
    rig.send(command, behind)
    await until("both have ended", lambda: len(rig.outcomes()) == 2)
    assert rig.outcomes() == {command.command_id: "rejected", behind.command_id: "applied"}
    ((_, _, headers),) = rig.dead_letters()
    assert headers["error"].startswith(b"given up after failing for")


@pytest.mark.req("OPS-3")
async def test_one_merchants_backlog_leaves_room_for_the_others(make_rig: MakeRig, peer: Peer) -> None:
    """Far more than memory holds for a merchant whose system hangs; the other one's command passes at once."""
    rig = await make_rig("slow", "quick", buffered=20, share=10, request_seconds=20.0, urls={"slow": peer.url})
    peer.delay_seconds = 0.0
    backlog = [restock(number, merchant="slow", sku=f"S{number}") for number in range(40)]
    for command in backlog:
        peer.always[command.command_id] = LOCKED
    mine = restock(1, merchant="quick")
    for command in (*backlog, mine):
        await rig.assignment.room(1.0)
        rig.send(command)
    await until("the other merchant's command is done", lambda: mine.command_id in rig.outcomes(), 3.0)
    for command in backlog:
        peer.always.pop(command.command_id)
    await until("the backlog is done", lambda: len(rig.outcomes()) == 41)
    assert set(peer.effects.values()) == {1}


@pytest.mark.req("OPS-3")
async def test_a_system_that_is_down_is_left_alone_and_nothing_is_given_up(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig(**QUICK, breaker_failures=3, give_up_seconds=0.2)
    commands = [restock(number, sku=f"S{number}") for number in range(20)]
    peer.down = True
    rig.send(*commands)
    await rig.settled()
    await until("the breaker is open", lambda: rig.transport.breaker_state("shop") != "closed")
    before = len(peer.requests)
    await until("a probe went out", lambda: len(peer.requests) > before, 3.0)
    assert rig.dead_letters() == []
    peer.down = False
    await until("all are done", lambda: len(rig.outcomes()) == 20)
    assert set(peer.effects.values()) == {1}
    assert rig.dead_letters() == []


async def test_a_refusal_in_a_parked_key_lets_the_next_go_on(make_rig: MakeRig, peer: Peer) -> None:
    rig, first, second = await make_rig(**QUICK), restock(1), restock(2)
    peer.script[first.command_id] = [LOCKED, LOCKED, REFUSED]
    rig.send(first, second)
    await until("both have ended", lambda: len(rig.outcomes()) == 2)
    assert rig.outcomes() == {first.command_id: "rejected", second.command_id: "applied"}
    assert len(rig.dead_letters()) == 1
