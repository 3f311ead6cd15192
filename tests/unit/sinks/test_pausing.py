"""Pauses: what is misconfigured stops without a dead letter, others go on, and it resumes by itself."""

import pytest

from schemas.exceptions import ExceptionCleared, ExceptionRaised
from sinks.ledger import pauses
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import REFUSED, Peer, running_peer
from tests.unit.sinks.rig import until
from tests.unit.sinks.toy import restock


@pytest.mark.req("OPS-3")
async def test_a_refused_token_pauses_raises_and_resumes(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig()
    peer.token = "renewed"
    commands = [restock(number, sku=f"S{number}") for number in range(5)]
    rig.send(*commands)
    await rig.settled()
    assert rig.pauses.paused == {"shop"}
    assert (rig.results(), rig.dead_letters()) == ([], [])
    (raised,) = rig.exceptions()
    assert isinstance(raised, ExceptionRaised)
    assert (raised.type, raised.merchant) == ("misconfigured", "shop")
    assert "ann@example.com" not in raised.detail
    assert rig.sample("returnflow_sink_paused_state", system="toy", merchant="shop") == 1
    rig.token = "renewed"  # as when the file behind the reference is replaced
    await until("all are done", lambda: len(rig.outcomes()) == 5)
    assert set(peer.effects.values()) == {1}
    cleared = rig.exceptions()[-1]
    assert isinstance(cleared, ExceptionCleared)
    assert cleared.exception_id == raised.exception_id
    assert rig.sample("returnflow_sink_paused_state", system="toy", merchant="shop") == 0


@pytest.mark.req("OPS-3")
async def test_one_paused_merchant_holds_up_no_other(make_rig: MakeRig, peer: Peer) -> None:
    with running_peer() as strict:
        strict.token = "another"
        rig = await make_rig("bad", "good", urls={"bad": strict.url})
        rig.send(restock(1, merchant="bad"), restock(2, merchant="good"), restock(3, merchant="bad"))
        await rig.settled()
        assert [result.merchant for result in rig.results()] == ["good"]
        assert rig.pauses.paused == {"bad"}


async def test_a_merchant_that_no_file_names_is_paused_not_dead_lettered(make_rig: MakeRig) -> None:
    rig = await make_rig()
    rig.send(restock(1, merchant="stranger"))
    await rig.settled()
    assert rig.pauses.paused == {"stranger"}
    assert rig.dead_letters() == []


@pytest.mark.req("EXC-6")
async def test_too_many_equal_rejections_pause_instead_of_draining_the_topic(make_rig: MakeRig, peer: Peer) -> None:
    """As after a bad deploy: a few dead letters, then a halt; when it is mended, the rest is applied."""
    rig = await make_rig(equal_rejections=3)
    commands = [restock(number, sku=f"S{number}") for number in range(30)]
    for command in commands:
        peer.always[command.command_id] = REFUSED
    for command in commands:
        rig.send(command)
        await rig.settled()
    assert rig.pauses.paused == {"shop"}
    assert len(rig.dead_letters()) == 3
    before = len(peer.requests)
    await until("probes went out and were refused", lambda: len(peer.requests) >= before + 2)
    assert len(rig.dead_letters()) == 3
    peer.always.clear()
    await until("the rest is applied", lambda: len(rig.outcomes()) == 30)
    assert list(rig.outcomes().values()).count("applied") == 27
    assert len(rig.dead_letters()) == 3


async def test_rejections_between_successes_pause_nothing(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig(equal_rejections=2)
    for number in range(12):
        command = restock(number, sku=f"S{number}")
        if number % 2:
            peer.always[command.command_id] = REFUSED
        rig.send(command)
        await rig.settled()
    assert rig.pauses.paused == frozenset()
    assert len(rig.dead_letters()) == 6


async def test_what_a_person_clears_goes_on(make_rig: MakeRig, peer: Peer) -> None:
    """The command line deletes the row; the worker sees that, tells it, and goes on."""
    rig = await make_rig(probe_seconds=3600.0)
    peer.token = "renewed"
    rig.send(restock(1))
    await rig.settled()
    peer.token = "good"
    await rig.ledger.run(lambda connection: pauses.clear(connection, system="toy", merchant="shop"))
    await until("it is done", lambda: len(rig.outcomes()) == 1)
    assert isinstance(rig.exceptions()[-1], ExceptionCleared)


async def test_a_pause_outlives_its_worker(make_rig: MakeRig, peer: Peer) -> None:
    first = await make_rig(probe_seconds=3600.0, worker="first")
    peer.token = "renewed"
    first.send(restock(1))
    await first.settled()
    asked = len(peer.requests)
    second = await make_rig(probe_seconds=3600.0, worker="second")
    await until("the second knows", lambda: second.pauses.paused == {"shop"})
    second.send(restock(2, sku="T"))
    await second.settled()
    assert len(peer.requests) == asked
