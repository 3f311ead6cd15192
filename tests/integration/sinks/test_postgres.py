"""The runtime on a real PostgreSQL: workers that share it, a worker that freezes in it, a connection that is cut."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import msgspec
import pytest
from sqlalchemy import Connection, create_engine, text

from schemas.commands import Command, Refund, Restock
from sinks.contract import Limit
from sinks.ledger import effects, quotas
from sinks.ledger.claims import Answer, Busy, Claim, Claimed
from sinks.ledger.ledger import Ledger
from sinks.quota import Grant
from tests.unit.sinks.peer import LOCKED, TIMES_OUT_AFTER_APPLYING, running_peer
from tests.unit.sinks.rig import CODEC, Rig, until
from tests.unit.sinks.toy import Toy, refund, restock


@pytest.mark.req("INV-13", "INV-14", "MON-11")
async def test_workers_that_get_the_same_commands_at_once_apply_each_once(postgres_url: str) -> None:
    """As in a rebalance that went wrong, with faults on top: every effect once, in order within a key."""
    with running_peer() as peer:
        async with AsyncExitStack() as stack:
            rigs = [
                await stack.enter_async_context(
                    Rig(peer, postgres_url, ("shop",), worker=name, park_seconds=0.0, claim_ms=1_000).running()
                )
                for name in ("one", "two", "three")
            ]
            restocks = [restock(number, sku=f"S{number % 10}") for number in range(60)]
            refunds = [refund(number) for number in range(60, 80)]
            commands: list[Command] = [*restocks, *refunds]
            for number, command in enumerate(commands):
                if number % 9 == 0:
                    peer.script[command.command_id] = [TIMES_OUT_AFTER_APPLYING if number % 2 else LOCKED]
            for rig in rigs:
                rig.send(*commands)
            await asyncio.gather(*(rig.settled(30.0) for rig in rigs))
            await until("all have ended", lambda: len({id_ for rig in rigs for id_ in rig.outcomes()}) == 80, 30.0)
        assert set(peer.effects.values()) == {1}
        assert len(peer.effects) == 80
        for sku in range(10):
            wanted = [command.command_id for command in restocks if command.sku == f"S{sku}"]
            assert [each for each in peer.order if each in wanted] == wanted


@pytest.mark.req("INV-13", "INV-14", "INV-16")
async def test_workers_that_share_a_ledger_and_their_commands_move_each_unit_once(postgres_url: str) -> None:
    """The same restocks at three workers at once, in windows, with lost answers and a bad SKU."""
    with running_peer() as peer:
        peer.refuses = {"S3"}
        peer.script["batches"] = [TIMES_OUT_AFTER_APPLYING, LOCKED, TIMES_OUT_AFTER_APPLYING]
        async with AsyncExitStack() as stack:
            rigs = [
                await stack.enter_async_context(
                    Rig(peer, postgres_url, ("shop",), worker=name, claim_ms=2_000, batch_seconds=0.1).running()
                )
                for name in ("one", "two", "three")
            ]
            restocks = [restock(number, sku=f"S{number % 10}") for number in range(60)]
            for rig in rigs:
                rig.send(*restocks)
            await asyncio.gather(*(rig.settled(60.0) for rig in rigs))
            ended = {id_: outcome for rig in rigs for id_, outcome in rig.outcomes().items()}
        assert peer.units == {f"S{sku}": 6 for sku in range(10) if sku != 3}
        assert sorted(ended) == sorted(command.command_id for command in restocks)
        assert sum(outcome == "rejected" for outcome in ended.values()) == 6


@pytest.mark.req("EXC-6", "OPS-3")
async def test_a_command_that_the_database_cannot_hold_is_set_aside_and_its_neighbours_go_on(postgres_url: str) -> None:
    bad: list[Restock | Refund] = [
        restock(1, sku="MUG\x00"),
        refund(2, merchant="shop-" + "m" * 70),
        msgspec.structs.replace(refund(3), unit_ids=("u\x00",)),
        msgspec.structs.replace(refund(4), command_id="c" * 90),
    ]
    with running_peer() as peer:
        async with Rig(peer, postgres_url, ("shop",)).running() as rig:
            rig.send(restock(5, sku="MUG"), *bad, refund(6))
            await rig.settled()
            outcomes = rig.outcomes()
            letters = {letter[2]["command-id"].decode(): letter for letter in rig.dead_letters()}
    assert set(peer.effects) == {restock(5, sku="MUG").command_id, refund(6).command_id}
    assert outcomes == dict.fromkeys(peer.effects, "applied") | {each.command_id: "rejected" for each in bad}
    assert set(letters) == {each.command_id for each in bad}
    assert {letter[2]["reason"] for letter in letters.values()} == {b"unstorable"}
    assert letters[bad[0].command_id][:2] == (b"shop|toy:I-MUG\x00", CODEC.encode(bad[0]))


@pytest.mark.req("EXC-6")
async def test_a_backlog_that_the_database_cannot_hold_does_not_end_the_worker(postgres_url: str) -> None:
    """What spills is parked before it was ever claimed."""
    with running_peer() as peer:
        async with Rig(peer, postgres_url, ("shop",), share=1).running() as rig:
            rig.send(*(restock(number, sku=f"MUG\x00{number % 2}") for number in range(8)), refund(9))
            await rig.settled()
            await until("the refund is paid", lambda: rig.outcomes().get(refund(9).command_id) == "applied")
    assert set(peer.effects) == {refund(9).command_id}
    assert len(rig.dead_letters()) == 8


def insert(connection: Connection, number: int) -> None:
    connection.execute(text("insert into seen values (:number)"), {"number": number})


async def test_a_connection_that_is_cut_is_made_again_and_nothing_is_lost(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    await ledger.run(lambda connection: connection.execute(text("create table seen (n int)")))
    outside = create_engine(postgres_url)
    cut = text(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    for number in range(3):
        with outside.begin() as connection:
            connection.execute(cut)
        await ledger.run(partial(insert, number=number))
    rows = await ledger.run(
        lambda connection: list(connection.execute(text("select n from seen order by n")).scalars())
    )
    outside.dispose()
    ledger.close()
    assert rows == [0, 1, 2]


def claim_by(worker: str) -> Claim:
    return Claim(
        command_id="c", merchant="shop", system="toy", kind="refund", key="k", fingerprint="f", idempotency_key="i",
        worker=worker, now_ms=1_000, until_ms=60_000, arrival=None,
    )  # fmt: skip


class Frozen:
    """A claim whose process is frozen before it commits, the first time; the server's patience is shortened for it."""

    def __init__(self) -> None:
        self.asleep, self.woken = threading.Event(), threading.Event()

    def claim(self, connection: Connection, claims: Sequence[Claim]) -> list[Answer]:
        answers = effects.claim(connection, claims)
        if not self.asleep.is_set():
            connection.execute(text("set local idle_in_transaction_session_timeout = '300ms'"))
            self.asleep.set()
            assert self.woken.wait(60)
        return answers


@pytest.mark.req("OPS-3")
async def test_a_worker_that_is_frozen_in_a_transaction_does_not_hold_up_the_others(postgres_url: str) -> None:
    """The server ends its transaction; when it wakes it asks again and finds that another has the command."""
    one, two, frozen = Ledger(postgres_url), Ledger(postgres_url), Frozen()
    late = asyncio.create_task(one.do(frozen.claim, claim_by("one")))
    await until("it is frozen", frozen.asleep.is_set)
    assert await asyncio.wait_for(two.do(effects.claim, claim_by("two")), 60) == Claimed(idempotency_key="i")
    frozen.woken.set()
    assert await asyncio.wait_for(late, 60) == Busy(until_ms=60_000)
    one.close()
    two.close()


async def test_every_connection_tells_the_server_how_long_it_may_be_frozen(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    shown = await ledger.run(
        lambda connection: connection.execute(text("show idle_in_transaction_session_timeout")).scalar()
    )
    ledger.close()
    assert shown == "10s"


@pytest.mark.req("OPS-3")
async def test_a_ledger_that_waits_for_others_is_left_in_time(postgres_url: str) -> None:
    ledger, outside = Ledger(postgres_url), create_engine(postgres_url)
    with outside.begin() as connection:
        connection.execute(text("lock table effects"))
        waiting = asyncio.create_task(ledger.do(effects.claim, claim_by("one")))
        blocked = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
        with outside.connect() as watching:
            await until("it waits", lambda: watching.execute(blocked).scalar() == 1)
        ledger.close(0.2)
        assert not waiting.done()
    assert await asyncio.wait_for(waiting, 60) == Claimed(idempotency_key="i")
    ledger.close()
    outside.dispose()


class Slow:
    """A question about quota whose transaction stays open until it is told to go on, the first time."""

    def __init__(self) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()

    def ask(self, connection: Connection, asks: Sequence[quotas.Ask]) -> list[Grant]:
        grants = quotas.ask(connection, asks)
        if not self.asked.is_set():
            self.asked.set()
            assert self.go_on.wait(60)
        return grants


def ask_by(holder: str) -> quotas.Ask:
    return quotas.Ask(
        merchant="shop", system="toy", limit=Limit(name="calls", capacity=10.0, per_second=0.001), holder=holder,
        priority="money", need=6.0, returned=0.0, outstanding=0.0, now_ms=1_000, until_ms=60_000,
    )  # fmt: skip


@pytest.mark.parametrize("known", [False, True])
async def test_two_workers_that_ask_for_the_same_quota_at_once_share_it(postgres_url: str, *, known: bool) -> None:
    """Whether its row is there or both are about to write it: the second waits for the first and gets what is left."""
    one, two, slow = Ledger(postgres_url), Ledger(postgres_url), Slow()
    if known:
        await one.do(quotas.ask, msgspec.structs.replace(ask_by("one"), need=0.0))
    first = asyncio.create_task(one.do(slow.ask, ask_by("one")))
    await until("the first has asked", slow.asked.is_set)
    second = asyncio.create_task(two.do(quotas.ask, ask_by("two")))
    outside = create_engine(postgres_url)
    with outside.connect() as watching:
        blocked = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
        await until("the second waits", lambda: watching.execute(blocked).scalar() == 1)
    outside.dispose()
    slow.go_on.set()
    grants = [await asyncio.wait_for(first, 60), await asyncio.wait_for(second, 60)]
    assert grants[0].tokens >= 6
    assert sum(grant.tokens for grant in grants) <= 10
    one.close()
    two.close()


@pytest.mark.req("INV-13")
async def test_workers_that_collide_on_a_quota_while_they_apply_lose_and_double_nothing(postgres_url: str) -> None:
    """A bucket that is nearly always empty, asked for by both all the time, and written by both for the first time."""
    limit = Limit(name="calls", capacity=2.0, per_second=40.0, in_flight=64)
    with running_peer() as peer:
        async with AsyncExitStack() as stack:
            rigs = [
                await stack.enter_async_context(
                    Rig(peer, postgres_url, ("shop",), worker=name, toy=Toy("toy", limit)).running()
                )
                for name in ("one", "two")
            ]
            commands = [refund(number) for number in range(60)]
            rigs[0].send(*commands[:30])
            rigs[1].send(*commands[30:])
            # Some wait in the ledger for quota, and either worker takes them up again.
            await until("all have ended", lambda: sum(len(rig.results()) for rig in rigs) >= len(commands), 60.0)
    assert peer.effects == {command.command_id: 1 for command in commands}
