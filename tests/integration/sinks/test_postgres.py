"""The runtime on a real PostgreSQL: workers that share it, and a connection that is cut."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import pytest
from sqlalchemy import Connection, create_engine, text

from schemas.commands import Command
from sinks.ledger.ledger import Ledger
from tests.unit.sinks.peer import LOCKED, TIMES_OUT_AFTER_APPLYING, running_peer
from tests.unit.sinks.rig import Rig, until
from tests.unit.sinks.toy import refund, restock


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
