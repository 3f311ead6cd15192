"""Claims while work is under way: renewed, lost, let go; and what a rebalance leaves to the next owner."""

import time

import msgspec
import pytest

from sinks.ledger import effects
from sinks.ledger.claims import Claim
from sinks.work import fingerprint
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import TIMES_OUT_AFTER_APPLYING, Answer, Peer
from tests.unit.sinks.rig import until
from tests.unit.sinks.toy import key_of, refund, restock


async def test_a_claim_is_renewed_before_a_request_that_could_outlive_it(make_rig: MakeRig, peer: Peer) -> None:
    """Another worker has the same record all the time and never gets in between."""
    slow = {"claim_ms": 1_200, "request_seconds": 0.5, "park_seconds": 60.0}
    one, two = await make_rig(worker="one", **slow), await make_rig(worker="two", **slow)
    command = refund(1)
    peer.delay_seconds = 0.4
    peer.script[command.command_id] = [Answer(status=500, applies=False)] * 3
    one.send(command)
    two.send(command)
    await one.settled()
    await two.settled()
    assert peer.effects == {command.command_id: 1}


@pytest.mark.req("INV-13", "MON-11")
async def test_a_claim_that_was_lost_stops_the_flow_before_it_writes(make_rig: MakeRig, peer: Peer) -> None:
    """The worker was frozen while it looked; meanwhile another one took the command over."""
    rig, command = await make_rig(claim_ms=900, request_seconds=1.0, park_seconds=60.0), refund(1)
    claim = Claim(
        command_id=command.command_id, merchant="shop", system="toy", kind="refund", key=key_of(command).decode(),
        fingerprint=fingerprint(command), idempotency_key="k", worker="dead", now_ms=1_000, until_ms=2_000,
        arrival=None,
    )  # fmt: skip
    await rig.ledger.do(effects.claim, claim)
    peer.delay_seconds = 0.6
    rig.send(command)  # it looks first, since the dead worker may have written
    await until("it looks", lambda: peer.in_flight == 1)
    now_ms = int(time.time() * 1000)
    taken = msgspec.structs.replace(claim, worker="three", now_ms=now_ms + 60_000, until_ms=now_ms + 61_500)
    await rig.ledger.do(effects.claim, taken)
    await until("the look is over", lambda: peer.times("GET", command.command_id) == 1)
    assert peer.times("POST", command.command_id) == 0
    assert rig.results() == []


@pytest.mark.req("INV-13", "INV-14")
async def test_what_a_rebalance_interrupts_is_taken_over_at_once(make_rig: MakeRig, peer: Peer) -> None:
    """The old owner lets go within its budget; the new one need not wait for the claim and looks before it writes."""
    patient = {"claim_ms": 60_000, "request_seconds": 30.0, "park_seconds": 60.0}
    old, new = await make_rig(worker="old", **patient), await make_rig(worker="new", **patient)
    command, behind = refund(1), restock(2, sku="1001")
    peer.script[command.command_id] = [TIMES_OUT_AFTER_APPLYING]
    old.send(command)
    await until("the effect was made, the answer is missing", lambda: peer.effects[command.command_id] == 1)
    old.send(behind)
    await old.assignment.end(0.1)
    assert old.committable == 0
    new.send(command, behind)
    await new.settled(5.0)
    assert peer.effects == {command.command_id: 1, behind.command_id: 1}
    assert new.outcomes()[command.command_id] == "already_applied"


async def test_after_a_rebalance_records_are_read_again_and_change_nothing(make_rig: MakeRig, peer: Peer) -> None:
    rig, commands = await make_rig(), [refund(number) for number in range(10)]
    rig.send(*commands)
    await rig.settled()
    await rig.assignment.end(1.0)
    rig.assign()
    rig.send(*commands)
    await rig.settled()
    assert set(peer.effects.values()) == {1}
    assert len(rig.results()) == 20


async def test_an_assignment_that_ended_takes_nothing_more(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig()
    await rig.assignment.end(0.1)
    rig.send(refund(1))
    assert peer.requests == []
    assert rig.committable == 0


@pytest.mark.req("MON-11", "EXC-6")
async def test_of_two_commands_that_pay_for_a_unit_the_second_is_refused_and_nothing_is_sent(
    make_rig: MakeRig, peer: Peer
) -> None:
    """As when a worker was lost with its row after it had told what it decided, and the facts came in another order."""
    rig, both = await make_rig(), msgspec.structs.replace(refund(1), unit_ids=("u1", "u2"))
    one = msgspec.structs.replace(refund(1), command_id="again", unit_ids=("u2",))
    difference = msgspec.structs.replace(refund(1), command_id="difference", exchange_id="e")
    for command in (both, one, difference):
        rig.send(command)
    await rig.settled()
    assert peer.effects == {both.command_id: 1, "difference": 1}
    ends = {result.command_id: (result.outcome, result.code, result.detail) for result in rig.results()}
    refused = f"command {both.command_id} pays for units of this one already: nothing was sent"
    assert ends["again"] == ("rejected", "rejected_by_system", refused)
    assert [headers["reason"] for _, _, headers in rig.dead_letters()] == [b"paid_already"]
