"""Restocks that go out together: each unit moves once, whatever becomes of the request they share."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from schemas import ids
from sinks.ledger import batches, effects
from sinks.ledger.batches import Member, Opening
from sinks.ledger.claims import Claim
from sinks.ledger.tables import batches as rows
from sinks.work import fingerprint
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import (
    BREAKS_AFTER_APPLYING,
    BREAKS_BEFORE_APPLYING,
    LOCKED,
    SERVER_ERROR,
    TIMES_OUT_AFTER_APPLYING,
    UNREADABLE,
    Answer,
    Peer,
)
from tests.unit.sinks.rig import CODEC, Rig, now_ms, until
from tests.unit.sinks.toy import ToyBatching, change_of, key_of, refund, restock

SHORT = {"batch_seconds": 0.1}
OPEN_END = {"batch_seconds": 10.0, "claim_ms": 60_000}  # nobody waits for its end
THROTTLED = Answer(status=429, applies=False, headers={"retry-after": "0"})
EIGHT = {"A": 3, "B": 3, "C": 2}  # of the eight restocks below


def eight() -> list[Any]:
    """Eight restocks of one piece, of three SKUs."""
    return [restock(number, sku="ABC"[number % 3]) for number in range(8)]


async def gathered(rig: Rig, *commands: Any) -> None:
    """Send commands into one window, and that when they are all there."""
    before = len(rig.batches.waiting)
    rig.send(*commands)
    await until("they wait for each other", lambda: len(rig.batches.waiting) == before + len(commands))
    rig.applier.flush()


def posts(peer: Peer) -> int:
    """Requests for single commands."""
    return sum(1 for method, command_id, _ in peer.requests if method == "POST" and command_id != "batches")


def ends(rig: Rig) -> set[tuple[str, str]]:
    """State and id of every batch."""
    with rig.ledger.engine.connect() as connection:
        return {(row.state, row.batch_id) for row in connection.execute(select(rows))}


@pytest.mark.req("INV-16")
async def test_what_is_decided_within_the_window_is_one_request_with_one_change_for_each_target(
    make_rig: MakeRig, peer: Peer
) -> None:
    rig, commands = await make_rig(**OPEN_END), eight()
    await gathered(rig, *commands)
    await rig.settled()
    assert (peer.units, posts(peer), len(peer.batches)) == (EIGHT, 0, 1)
    ((state, batch_id),) = ends(rig)
    assert state == "applied"
    results = {result.command_id: result for result in rig.results()}
    assert len(rig.results()) == len(results) == 8
    for result in results.values():
        assert (result.outcome, result.quantity) == ("applied", 1)
        assert result.external_ids == {"peer": batch_id, "batch_id": batch_id}
    assert rig.sample("returnflow_sink_batch_commands_sum", system="toy") == 8
    labels = {"system": "toy", "merchant": "shop", "outcome": "moved"}
    assert rig.sample("returnflow_sink_batches_total", **labels) == 1


@pytest.mark.req("INV-16")
async def test_a_merchant_without_a_window_has_each_restock_at_once(make_rig: MakeRig, peer: Peer) -> None:
    rig = await make_rig()
    rig.send(*eight())
    await rig.settled()
    assert (peer.units, posts(peer), peer.batches) == (EIGHT, 8, [])


@pytest.mark.req("INV-16")
async def test_a_window_that_is_full_does_not_wait(make_rig: MakeRig, peer: Peer) -> None:
    """The peer takes five changes at a time; the window would be open for long."""
    rig, commands = await make_rig(**OPEN_END), [restock(number, sku=f"S{number}") for number in range(10)]
    rig.send(*commands)
    await rig.settled()
    assert len(peer.batches) == 2
    assert set(peer.units.values()) == {1}


@pytest.mark.req("INV-16", "EXG-2")
async def test_money_never_waits_for_a_window(make_rig: MakeRig, peer: Peer) -> None:
    rig, stock, money = await make_rig(**OPEN_END), restock(1), refund(2)
    rig.send(stock, money)
    await until("the refund is made", lambda: peer.effects[money.command_id] == 1)
    assert peer.batches == []
    rig.applier.flush()
    await rig.settled()
    assert peer.units == {"S": 1}


@pytest.mark.req("INV-13", "INV-16")
@pytest.mark.parametrize(
    "fault", [TIMES_OUT_AFTER_APPLYING, BREAKS_AFTER_APPLYING, BREAKS_BEFORE_APPLYING, SERVER_ERROR, UNREADABLE]
)
async def test_without_an_answer_the_same_request_goes_out_again(make_rig: MakeRig, peer: Peer, fault: Answer) -> None:
    rig, commands = await make_rig(**OPEN_END), eight()
    peer.script["batches"] = [fault, fault]
    await gathered(rig, *commands)
    await rig.settled()
    assert (peer.units, posts(peer)) == (EIGHT, 0)
    assert len({key for key, _ in peer.batches}) == 1
    assert {state for state, _ in ends(rig)} == {"applied"}
    assert len(rig.results()) == 8


@pytest.mark.req("INV-13", "INV-14", "INV-16")
@pytest.mark.parametrize("fault", [THROTTLED, LOCKED])
async def test_a_request_that_did_nothing_goes_out_again_however_long_that_lasts(
    make_rig: MakeRig, peer: Peer, fault: Answer
) -> None:
    """Its members need not look again; and its age does not count, for nothing of it is anywhere."""
    rig, commands = await make_rig(**OPEN_END), eight()
    rig.toy.key_horizon_seconds = 0.001
    peer.script["batches"] = [fault, fault]
    await gathered(rig, *commands)
    await rig.settled()
    assert (peer.units, posts(peer)) == (EIGHT, 0)
    assert len({key for key, _ in peer.batches}) == 1
    assert set(rig.outcomes().values()) <= {"applied", "already_applied"}


@pytest.mark.req("INV-13", "INV-14", "INV-16")
async def test_a_fault_of_ours_in_the_answer_of_a_repeat_rejects_nothing_that_was_applied(
    make_rig: MakeRig, peer: Peer
) -> None:
    """The first request did nothing, and that is known; the second one was applied and its answer chokes us."""
    rig, commands = await make_rig(**OPEN_END), eight()
    peer.script["batches"] = [LOCKED, UNREADABLE]
    await gathered(rig, *commands)
    await rig.settled()
    assert (peer.units, posts(peer)) == (EIGHT, 0)
    assert set(rig.outcomes().values()) <= {"applied", "already_applied"}
    assert rig.dead_letters() == []


@pytest.mark.req("INV-13", "INV-14", "INV-16")
async def test_one_bad_change_spoils_the_batch_and_then_only_itself(make_rig: MakeRig, peer: Peer) -> None:
    rig, commands, bad = await make_rig(**OPEN_END), eight(), restock(9, sku="gone")
    peer.refuses = {"gone"}
    await gathered(rig, *commands, bad)
    await rig.settled()
    assert (peer.units, posts(peer), len(peer.batches)) == (EIGHT, 9, 1)
    outcomes = rig.outcomes()
    assert outcomes.pop(bad.command_id) == "rejected"
    assert set(outcomes.values()) == {"applied"}
    assert [state for state, _ in ends(rig)] == ["refused"]
    assert len(rig.dead_letters()) == 1


@pytest.mark.req("INV-13", "INV-16")
async def test_a_refusal_that_got_lost_is_heard_the_second_time(make_rig: MakeRig, peer: Peer) -> None:
    """The peer knows that the key failed: nothing of it was applied, and nothing will be."""
    rig, commands = await make_rig(**OPEN_END), eight()
    peer.script["batches"] = [Answer(status=422, applies=False, silent_seconds=30.0)]
    await gathered(rig, *commands)
    await rig.settled()
    assert (peer.units, posts(peer)) == (EIGHT, 8)


@pytest.mark.req("INV-17", "INV-16")
async def test_a_change_that_the_answer_does_not_list_is_drift(make_rig: MakeRig, peer: Peer) -> None:
    rig, good, lost = await make_rig(**OPEN_END), restock(1, sku="A"), restock(2, sku="B")
    peer.forgets = {"B"}
    await gathered(rig, good, lost)
    await rig.settled()
    codes = {result.command_id: result.code for result in rig.results()}
    assert codes == {good.command_id: None, lost.command_id: "stock_drift"}


async def left_behind(rig: Rig, commands: list[Any], *, first_sent_ms: int, until_ms: int, sent: bool) -> None:
    """A worker bound the commands to a batch and was killed; `sent`: after its request was applied."""
    batch_id, toy = "11111111-0000-5000-8000-000000000000", ToyBatching()
    body = toy.merge(batch_id, [change_of(command) for command in commands])
    for command in commands:
        claim = Claim(
            command_id=command.command_id, merchant="shop", system="toy", kind="restock",
            key=key_of(command).decode(), fingerprint=fingerprint(command), idempotency_key="k", worker="dead",
            now_ms=first_sent_ms, until_ms=until_ms, arrival=None,
        )  # fmt: skip
        await rig.ledger.do(effects.claim, claim)
    opening = Opening(
        batch_id=batch_id, merchant="shop", system="toy", body=body, reference=toy.reference(batch_id),
        members=tuple(Member(command_id=command.command_id, holder="dead") for command in commands), holder="dead/b1",
        now_ms=first_sent_ms, until_ms=until_ms,
    )  # fmt: skip
    assert await rig.ledger.run(lambda connection: batches.open_batch(connection, opening)) == frozenset()
    if sent:
        rig.peer.handle("POST", "/batches", "Bearer good", body)


async def carried_out(rig: Rig, count: int) -> None:
    """Until every command has its result; one that was parked is settled for Kafka long before."""
    await rig.settled()
    await until("every command has its result", lambda: len(rig.results()) >= count)


@pytest.mark.req("INV-13", "INV-14", "INV-16")
@pytest.mark.parametrize("sent", [False, True])
async def test_a_batch_whose_worker_died_is_sent_again_as_it_was(make_rig: MakeRig, peer: Peer, sent: bool) -> None:
    rig, commands = await make_rig(**SHORT), eight()
    await left_behind(rig, commands, first_sent_ms=now_ms() - 60_000, until_ms=now_ms() - 30_000, sent=sent)
    rig.send(*commands, late := restock(20, sku="A"))
    await carried_out(rig, 9)
    assert (peer.units, posts(peer)) == (EIGHT | {"A": 4}, 0)
    assert len(rig.results()) == 9
    assert rig.outcomes()[late.command_id] == "applied"


@pytest.mark.req("INV-13", "INV-16")
async def test_a_batch_that_another_worker_still_holds_is_left_to_it(make_rig: MakeRig, peer: Peer) -> None:
    rig, commands = await make_rig(**SHORT), eight()
    await left_behind(rig, commands, first_sent_ms=now_ms() - 60_000, until_ms=now_ms() + 700, sent=False)
    rig.send(*commands)
    await carried_out(rig, 8)
    assert (peer.units, posts(peer), len(peer.batches)) == (EIGHT, 0, 1)


@pytest.mark.req("INV-13", "INV-16")
async def test_a_batch_that_is_older_than_the_systems_memory_is_for_a_person(make_rig: MakeRig, peer: Peer) -> None:
    rig, commands = await make_rig(**SHORT), eight()
    await left_behind(rig, commands, first_sent_ms=now_ms() - 4_000_000, until_ms=now_ms() - 30_000, sent=True)
    rig.send(*commands)
    await rig.settled()
    assert (peer.units, posts(peer), len(peer.batches)) == (EIGHT, 0, 1)
    assert set(rig.outcomes().values()) == {"rejected"}
    assert all("toy batch 11111111" in (result.detail or "") for result in rig.results())


@pytest.mark.req("INV-13", "INV-14", "INV-16")
async def test_workers_that_get_the_same_commands_at_once_move_each_unit_once(make_rig: MakeRig, peer: Peer) -> None:
    """As in a rebalance that went wrong, with lost answers and a refusal on top."""
    quick = {"batch_seconds": 0.05, "claim_ms": 1_200, "park_seconds": 0.0}
    one, two = await make_rig(worker="one", **quick), await make_rig(worker="two", **quick)
    commands = [restock(number, sku=f"S{number % 7}") for number in range(60)]
    peer.script["batches"] = [TIMES_OUT_AFTER_APPLYING, BREAKS_AFTER_APPLYING, LOCKED, SERVER_ERROR]
    for start in range(0, 60, 12):
        one.send(*commands[start : start + 12])
        two.send(*commands[start : start + 12])
        await asyncio.sleep(0.02)
    await asyncio.gather(one.settled(30.0), two.settled(30.0))
    wanted = {command.command_id for command in commands}
    await until("all have ended", lambda: (one.outcomes() | two.outcomes()).keys() == wanted, 30.0)
    assert set((one.outcomes() | two.outcomes()).values()) <= {"applied", "already_applied"}
    assert peer.units == {f"S{number}": 9 if number < 4 else 8 for number in range(7)}


@pytest.mark.req("INV-13", "INV-14", "INV-16")
async def test_a_rebalance_sends_what_waits(make_rig: MakeRig, peer: Peer) -> None:
    rig, commands = await make_rig(**OPEN_END), eight()
    rig.send(*commands)
    await until("they wait", lambda: len(rig.batches.waiting) == 8)
    await rig.assignment.end(10.0)
    assert rig.committable == 8
    assert (peer.units, len(peer.batches)) == (EIGHT, 1)


@pytest.mark.req("INV-13", "INV-14", "INV-16")
async def test_what_is_stopped_while_it_waits_was_never_sent(make_rig: MakeRig, peer: Peer) -> None:
    """No time is left to send it: the next owner begins anew, at once."""
    old, new, commands = await make_rig(worker="old", **OPEN_END), await make_rig(worker="new", **SHORT), eight()
    old.send(*commands)
    await until("they wait", lambda: len(old.batches.waiting) == 8)
    old.applier.flush = lambda: None  # type: ignore[method-assign]  # as if the flush came too late
    await old.assignment.end(0.05)
    assert peer.batches == []
    new.send(*commands)
    await new.settled()
    assert (peer.units, len(peer.batches)) == (EIGHT, 1)
    assert set(new.outcomes().values()) == {"applied"}


@pytest.mark.req("INV-16")
async def test_other_commands_of_a_lane_wait_for_those_that_share_it(make_rig: MakeRig, peer: Peer) -> None:
    """A restock under its order's key, and the refund behind it."""
    rig, stock, money = await make_rig(**OPEN_END), restock(1, order="1001"), refund(1)
    key = ids.order_key("shop", stock.order_id)
    rig.send_raw((key, CODEC.encode(stock)), (key, CODEC.encode(money)))
    await until("the restock waits", lambda: len(rig.batches.waiting) == 1)
    assert peer.times("POST", money.command_id) == 0
    rig.applier.flush()
    await rig.settled()
    assert [result.command_id for result in rig.results()] == [stock.command_id, money.command_id]


@pytest.mark.req("INV-14", "INV-16")
async def test_a_merchant_that_is_paused_for_long_loses_none(make_rig: MakeRig, peer: Peer) -> None:
    rig, commands = await make_rig(**SHORT), eight()
    peer.token = "another"
    rig.send(*commands)
    await rig.settled()
    assert rig.results() == []
    assert {state for state, _ in ends(rig)} == {"unsent"}  # its age must not count
    rig.token = "another"
    await until("all are done", lambda: len(rig.outcomes()) == 8)
    assert peer.units == EIGHT
    assert rig.dead_letters() == []


@pytest.mark.req("INV-14", "INV-16")
async def test_a_key_that_was_parked_for_long_comes_back_together(make_rig: MakeRig, peer: Peer) -> None:
    """One of it is the probe and goes alone; the others need not wait a window each."""
    rig, commands = await make_rig(batch_seconds=0.5), [restock(number, sku="A") for number in range(12)]
    peer.token = "another"
    rig.send(*commands)
    await rig.settled()
    rig.token = "another"
    await until("all are done", lambda: len(rig.outcomes()) == 12)
    assert peer.units == {"A": 12}
    assert peer.effects.total() == 1
    assert sum(moved for _, moved in peer.batches) < 8


@pytest.mark.req("INV-14", "INV-16")
async def test_what_is_bound_to_an_open_batch_ends_with_it_also_out_of_a_parked_key(
    make_rig: MakeRig, peer: Peer
) -> None:
    rig, commands = await make_rig(**SHORT, park_seconds=0.0), eight()
    peer.script["batches"] = [TIMES_OUT_AFTER_APPLYING, SERVER_ERROR]
    rig.send(*commands)
    await rig.settled()
    await until("all are done", lambda: len(rig.outcomes()) == 8)
    assert (peer.units, posts(peer)) == (EIGHT, 0)
