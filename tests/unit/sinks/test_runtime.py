"""The runtime against a peer that fails in scripted ways: each effect once, none lost, each ending told."""

import pytest
from sqlalchemy import update

from schemas.commands import Suggestion
from sinks.ledger import effects, tables
from sinks.ledger.claims import Claim
from sinks.work import fingerprint
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import (
    BREAKS_AFTER_APPLYING,
    BREAKS_BEFORE_APPLYING,
    KEY_SPENT,
    LOCKED,
    OTHER_FIGURE,
    REFUSED,
    SERVER_ERROR,
    TIMES_OUT_AFTER_APPLYING,
    UNREADABLE,
    Answer,
    Peer,
)
from tests.unit.sinks.rig import CODEC, until
from tests.unit.sinks.toy import key_of, refund, restock


async def test_a_command_is_applied_and_its_result_published(make_rig: MakeRig, peer: Peer) -> None:
    rig, command = await make_rig(), restock(1)
    rig.send(command)
    await rig.settled()
    assert peer.effects == {command.command_id: 1}
    (result,) = rig.results()
    assert (result.outcome, result.external_ids, result.attempts) == ("applied", {"peer": command.command_id}, 1)
    assert rig.sample("returnflow_sink_commands_total", system="toy", merchant="shop", kind="restock",
                      outcome="applied") == 1  # fmt: skip


@pytest.mark.req("INV-13", "MON-11")
@pytest.mark.parametrize("fault", [TIMES_OUT_AFTER_APPLYING, BREAKS_AFTER_APPLYING])
async def test_no_answer_after_applying_is_looked_up_not_repeated(make_rig: MakeRig, peer: Peer, fault: Answer) -> None:
    """The peer would apply a second POST; a look comes before it."""
    rig, command = await make_rig(), refund(1)
    peer.script[command.command_id] = [fault]
    rig.send(command)
    await rig.settled()
    assert peer.effects == {command.command_id: 1}
    assert peer.times("GET", command.command_id) == 1
    assert rig.outcomes() == {command.command_id: "already_applied"}


@pytest.mark.req("INV-14")
@pytest.mark.parametrize("fault", [BREAKS_BEFORE_APPLYING, SERVER_ERROR, LOCKED])
async def test_what_was_not_applied_is_tried_until_it_is(make_rig: MakeRig, peer: Peer, fault: Answer) -> None:
    rig, command = await make_rig(), restock(1)
    peer.script[command.command_id] = [fault, fault, fault]
    rig.send(command)
    await rig.settled()
    assert peer.effects == {command.command_id: 1}
    assert rig.outcomes() == {command.command_id: "applied"}


async def test_a_spent_key_is_replaced_before_the_next_send(make_rig: MakeRig, peer: Peer) -> None:
    rig, command = await make_rig(), refund(1)
    peer.script[command.command_id] = [KEY_SPENT, TIMES_OUT_AFTER_APPLYING]
    rig.send(command)
    await rig.settled()
    assert len(peer.keys[command.command_id]) == len(set(peer.keys[command.command_id])) == 2


@pytest.mark.req("INV-13", "MON-11")
async def test_a_command_that_comes_again_is_answered_from_the_ledger(make_rig: MakeRig, peer: Peer) -> None:
    """Agents send a command again until they have its result."""
    rig, command = await make_rig(), refund(1)
    rig.send(command, command)
    await rig.settled()
    rig.send(command)
    await rig.settled()
    assert peer.effects == {command.command_id: 1}
    assert [result.outcome for result in rig.results()] == ["applied"] * 3


@pytest.mark.req("INV-13")
async def test_the_same_id_with_other_content_is_never_sent(make_rig: MakeRig, peer: Peer) -> None:
    """A second restock of 5 under the id of a restock of 1: a fault of ours, which must not move stock."""
    rig, first, second = await make_rig(), restock(1), restock(1, quantity=5)
    rig.send(first, second)
    await rig.settled()
    assert peer.effects == {first.command_id: 1}
    ((_, value, headers),) = rig.dead_letters()
    assert value == CODEC.encode(second)
    assert headers["reason"] == b"contradicts"
    assert [record.type for record in rig.exceptions()] == ["rejected_by_system"]
    assert [result.outcome for result in rig.results()] == ["applied", "applied"]


@pytest.mark.req("EXC-6", "OPS-10")
async def test_a_refusal_is_a_dead_letter_with_the_original_bytes(make_rig: MakeRig, peer: Peer) -> None:
    rig, command = await make_rig(), refund(1)
    peer.script[command.command_id] = [REFUSED]
    rig.send(command)
    await rig.settled()
    ((key, value, headers),) = rig.dead_letters()
    assert (key, value) == (key_of(command), CODEC.encode(command))
    told = {name: text.decode() for name, text in headers.items() if not name.endswith("-ms")}
    assert told == {
        "trace": "t1", "source-topic": "toy-commands", "source-partition": "0", "source-offset": "0", "stage": "apply",
        "reason": "archived_order", "error": "refused: order 1 is archived, customer [e-mail]", "attempts": "1",
        "command-id": command.command_id, "version": told["version"],
    }  # fmt: skip
    (result,) = rig.results()
    assert (result.outcome, result.code) == ("rejected", "archived_order")
    assert result.detail == "refused: order 1 is archived, customer [e-mail]"


@pytest.mark.req("MON-3")
async def test_the_systems_own_figure_is_in_the_result_and_in_its_repetition_from_the_ledger(
    make_rig: MakeRig, peer: Peer
) -> None:
    rig, command = await make_rig(), refund(1)
    peer.script[command.command_id] = [OTHER_FIGURE]
    rig.send(command)
    await rig.settled()
    rig.send(command)
    await rig.settled()
    first, again = rig.results()
    assert first.suggested == Suggestion(currency="EUR", amount_minor=900, most_minor=1000)
    assert (again, peer.times("POST", command.command_id)) == (first, 1)


@pytest.mark.req("EXC-6")
async def test_what_is_no_command_is_set_aside_and_the_next_goes_on(make_rig: MakeRig, peer: Peer) -> None:
    """Broken bytes, nothing at all, a foreign system's command, a key that would lose the order."""
    rig, good = await make_rig(), restock(1)
    foreign, misplaced = CODEC.encode(restock(2, system="other")), CODEC.encode(restock(3))
    rig.send_raw((b"shop|S", b"\x00garbage"), (None, None), (b"shop|S", foreign), (b"shop|other", misplaced))
    rig.send(good)
    await rig.settled()
    assert peer.effects == {good.command_id: 1}
    assert [letter[1] for letter in rig.dead_letters()] == [b"\x00garbage", None, foreign, misplaced]
    assert [record.type for record in rig.exceptions()] == ["undecodable"] * 4
    assert list(rig.outcomes()) == [good.command_id]


async def test_a_fault_of_ours_sets_the_command_aside_and_the_partition_goes_on(make_rig: MakeRig, peer: Peer) -> None:
    """The flow chokes on an answer after the effect was made: it looks, finds it, and nothing is lost."""
    rig, poison, good = await make_rig(), restock(1), restock(2)
    peer.script[poison.command_id] = [UNREADABLE]
    rig.send(poison, good)
    await rig.settled()
    assert peer.effects == {poison.command_id: 1, good.command_id: 1}
    assert rig.outcomes() == {poison.command_id: "already_applied", good.command_id: "applied"}


@pytest.mark.req("EXC-6")
async def test_a_fault_of_ours_that_stays_is_a_dead_letter(make_rig: MakeRig, peer: Peer) -> None:
    rig, poison, good = await make_rig(), restock(1), restock(2)
    peer.always[poison.command_id] = Answer(body="not json", applies=False)
    rig.send(poison, good)
    await rig.settled()
    ((_, value, headers),) = rig.dead_letters()
    assert value == CODEC.encode(poison)
    assert headers["reason"] == b"unexpected"
    assert b"JSONDecodeError" in headers["error"]
    assert b"may have been applied" in headers["error"]
    assert rig.outcomes() == {poison.command_id: "rejected", good.command_id: "applied"}


async def test_a_key_keeps_its_order_while_one_of_its_commands_fails(make_rig: MakeRig, peer: Peer) -> None:
    rig, commands = await make_rig(), [restock(number) for number in range(4)]
    peer.script[commands[1].command_id] = [LOCKED, SERVER_ERROR]
    rig.send(*commands)
    await rig.settled()
    assert peer.order == [command.command_id for command in commands]


@pytest.mark.req("OPS-3")
async def test_keys_run_side_by_side(make_rig: MakeRig, peer: Peer) -> None:
    """One slow key holds up no other."""
    rig = await make_rig(request_seconds=60.0, claim_ms=120_000)
    slow, quick = restock(1, sku="slow"), [restock(number, sku=f"S{number}") for number in range(2, 60)]
    peer.script[slow.command_id] = [Answer(silent_seconds=60.0)]
    rig.send(slow, *quick)
    await until("the quick ones are done", lambda: len(rig.results()) == len(quick), 30.0)
    assert rig.committable == 0


async def test_what_an_earlier_worker_left_is_looked_up_first(make_rig: MakeRig, peer: Peer) -> None:
    """A claim that ran out, of a worker that died after its request: its effect is there."""
    rig, command = await make_rig(), refund(1)
    dead = Claim(
        command_id=command.command_id, merchant="shop", system="toy", kind="refund", key=key_of(command).decode(),
        fingerprint=fingerprint(command), idempotency_key="k", worker="dead", now_ms=1_000, until_ms=2_000,
        arrival=None,
    )  # fmt: skip
    await rig.ledger.do(effects.claim, dead)
    peer.effects[command.command_id] = 1
    rig.send(command)
    await rig.settled()
    assert peer.effects == {command.command_id: 1}
    assert peer.times("POST", command.command_id) == 0
    assert rig.outcomes() == {command.command_id: "already_applied"}


@pytest.mark.req("MON-11")
async def test_a_refusal_after_an_attempt_that_nobody_heard_of_says_so(make_rig: MakeRig, peer: Peer) -> None:
    rig, doubtful, plain = await make_rig(), refund(1), refund(2)
    peer.script[doubtful.command_id] = [BREAKS_BEFORE_APPLYING, REFUSED]
    peer.script[plain.command_id] = [REFUSED]
    rig.send(doubtful, plain)
    await rig.settled()
    details = {result.command_id: result.detail or "" for result in rig.results()}
    assert "may have been applied" in details[doubtful.command_id]
    assert "may have been applied" not in details[plain.command_id]


@pytest.mark.req("OPS-3")
async def test_a_result_that_another_version_wrote_is_published_again_as_it_is(make_rig: MakeRig, peer: Peer) -> None:
    rig, command = await make_rig(), restock(1)
    rig.send(command)
    await rig.settled()
    foreign = b"\x00\x00\x0f\x42\x3f of another version"
    await rig.ledger.run(lambda connection: connection.execute(update(tables.effects).values(result=foreign)))
    rig.broker.records.clear()
    rig.send(command, restock(2))
    await rig.settled()
    told = [each for each in rig.broker.records if each[0] == "command-results"]
    assert (f"shop|{command.order_id}".encode(), foreign) in [(key, value) for _, key, value, _ in told]
    assert peer.effects[restock(2).command_id] == 1


@pytest.mark.req("INV-13", "INV-14")
async def test_restocks_of_one_sku_go_together_however_many_answers_are_lost(make_rig: MakeRig, peer: Peer) -> None:
    """A bulk receipt: one order each, so nothing of one depends on another."""
    rig = await make_rig(request_seconds=0.3)
    commands = [restock(number, order=str(5000 + number)) for number in range(50)]
    for command in commands[::3]:
        peer.script[command.command_id] = [TIMES_OUT_AFTER_APPLYING]
    peer.delay_seconds = 0.02
    rig.send(*commands)
    await rig.settled(30)
    assert peer.effects == {command.command_id: 1 for command in commands}
    assert peer.most_in_flight > 10


@pytest.mark.req("INV-14")
async def test_a_parked_restock_holds_up_its_own_order_and_nothing_else_of_its_sku(
    make_rig: MakeRig, peer: Peer
) -> None:
    rig = await make_rig(park_seconds=0.0)
    stuck, undone = restock(1, order="5001"), restock(2, order="5001", quantity=-1)
    peer.script[stuck.command_id] = [LOCKED] * 20
    others = [restock(number, order=str(5000 + number)) for number in range(3, 9)]
    rig.send(stuck, undone, *others)
    await rig.settled()
    await until("the others are done", lambda: len(rig.outcomes()) >= len(others))
    applied = list(peer.effects)
    assert {command.command_id for command in others} <= set(applied)
    await until("all are done", lambda: len(rig.outcomes()) == len(others) + 2, 20)
    assert peer.effects == {command.command_id: 1 for command in (stuck, undone, *others)}
    assert list(peer.effects).index(stuck.command_id) < list(peer.effects).index(undone.command_id)
