"""The ledger, the same on SQLite and on a real PostgreSQL: claims, settling, parking, pauses, leases, migrations."""

import asyncio
import concurrent.futures
import re
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from schemas.startup import CannotStart
from sinks.contract import Limit, Seen
from sinks.ledger import effects, parking, pauses, quotas
from sinks.ledger.claims import Behind, Busy, Claim, Claimed, Contradicts, Release, Renew, Settle, Settled
from sinks.ledger.engine import open_engine
from sinks.ledger.ledger import Ledger, LedgerClosed, Unstorable
from sinks.ledger.parking import Arrival
from sinks.ledger.pauses import Pause
from sinks.ledger.quotas import Ask
from sinks.ledger.tables import metadata


def arrival(number: int, key: str = "shop|S") -> Arrival:
    return Arrival(
        system="toy", merchant="shop", key=key, command_id=f"c{number}", topic="toy-commands", partition=0,
        offset=number, timestamp_ms=number, value=b"value %d" % number, headers=(("h", b"\x00\xff"),),
    )  # fmt: skip


def claim(number: int = 1, *, worker: str = "one", now_ms: int = 1_000, **changed: Any) -> Claim:
    fields: dict[str, Any] = {
        "command_id": f"c{number}", "merchant": "shop", "system": "toy", "kind": "restock", "key": "shop|S",
        "fingerprint": "f", "idempotency_key": "k", "worker": worker, "now_ms": now_ms, "until_ms": now_ms + 1_000,
        "arrival": arrival(number),
    }  # fmt: skip
    return Claim(**(fields | changed))


def settle(number: int = 1, result: bytes = b"result") -> Settle:
    return Settle(
        command_id=f"c{number}", outcome="applied", external_ids={"a": "b"}, result=result, attempts=1, now_ms=2_000
    )


def release(number: int = 1, **changed: Any) -> Release:
    fields: dict[str, Any] = {
        "command_id": f"c{number}", "worker": "one", "now_ms": 1_500, "epoch": 1, "idempotency_key": "k1",
        "attempts": 2, "first_sent_ms": 1_000, "failing_since_ms": 1_200, "notes": {"n": "1"},
    }  # fmt: skip
    return Release(**(fields | changed))


@pytest.mark.req("EXC-6")
async def test_what_cannot_be_held_is_told_to_who_asked_and_to_nobody_else(ledger: Ledger) -> None:
    """Together in one commit. SQLite takes more than PostgreSQL; halves of surrogate pairs neither does."""
    asked = [claim(1), claim(2, key="shop|\ud800"), claim(3, key="shop|\x00"), claim(4, until_ms=2**70), claim(5)]
    answers = await asyncio.gather(*(ledger.do(effects.claim, each) for each in asked), return_exceptions=True)
    refused = [type(each) for each in answers]
    text_with_nul = Claimed if ledger.engine.dialect.name == "sqlite" else Unstorable
    assert refused == [Claimed, Unstorable, text_with_nul, Unstorable, Claimed]
    assert all("shop" not in str(each) for each in answers if isinstance(each, Unstorable))


async def test_a_claim_is_ours_until_it_runs_out(ledger: Ledger, other: Ledger) -> None:
    assert await ledger.do(effects.claim, claim()) == Claimed(idempotency_key="k")
    assert await other.do(effects.claim, claim(worker="two", now_ms=1_500)) == Busy(until_ms=2_000)
    taken = await other.do(effects.claim, claim(worker="two", now_ms=2_000))
    assert isinstance(taken, Claimed)
    assert taken.first_sent_ms == 1_000


@pytest.mark.req("INV-13", "MON-11")
async def test_of_many_that_claim_at_once_one_gets_it(ledger: Ledger, other: Ledger) -> None:
    answers = await asyncio.gather(
        *(each.do(effects.claim, claim(n, worker=w)) for n in range(40) for each, w in ((ledger, "a"), (other, "b")))
    )
    for number in range(40):
        pair = answers[2 * number : 2 * number + 2]
        assert sorted(type(each).__name__ for each in pair) == ["Busy", "Claimed"]


async def test_a_settled_command_gives_its_first_result_for_ever(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim())
    await ledger.do(effects.settle, settle(result=b"first"))
    await ledger.do(effects.settle, settle(result=b"second"))
    assert await ledger.do(effects.claim, claim(now_ms=99_000)) == Settled(result=b"first")


async def test_other_content_under_the_same_id_is_told(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim())
    assert await ledger.do(effects.claim, claim(fingerprint="g")) == Contradicts(result=None)
    await ledger.do(effects.settle, settle())
    assert await ledger.do(effects.claim, claim(fingerprint="g")) == Contradicts(result=b"result")


@pytest.mark.req("MON-11")
async def test_a_unit_is_paid_for_by_one_command_only(ledger: Ledger, other: Ledger) -> None:
    both = claim(1, kind="refund", units=("a", "b"))
    assert await ledger.do(effects.claim, both) == Claimed(idempotency_key="k")
    assert await other.do(effects.claim, claim(2, units=("b",))) == Claimed(idempotency_key="k", paid_by="c1")
    assert await other.do(effects.claim, claim(3, units=("c",))) == Claimed(idempotency_key="k")
    await ledger.do(effects.release, release(1))
    again = await other.do(effects.claim, msgspec.structs.replace(both, now_ms=9_000))
    assert (type(again), getattr(again, "paid_by", "")) == (Claimed, None)
    await ledger.do(effects.settle, settle(1))
    assert await other.do(effects.claim, claim(4, units=("a",))) == Claimed(idempotency_key="k", paid_by="c1")


@pytest.mark.req("MON-11")
async def test_of_many_that_would_pay_for_a_unit_at_once_one_may(ledger: Ledger, other: Ledger) -> None:
    asked = [
        each.do(effects.claim, claim(2 * n + half, worker=f"w{half}", units=(f"unit{n}", f"{half} {n}")))
        for n in range(40)
        for half, each in enumerate((ledger, other))
    ]
    answers = await asyncio.gather(*asked)
    for n in range(40):
        pair = answers[2 * n : 2 * n + 2]
        assert sorted(str(getattr(each, "paid_by", "")) for each in pair) in (
            ["None", f"c{2 * n}"],
            ["None", f"c{2 * n + 1}"],
        )


async def test_units_of_a_refused_command_are_free_for_another(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim(1, units=("a", "b")))
    await ledger.do(effects.settle, msgspec.structs.replace(settle(1), outcome="rejected"))
    assert await ledger.do(effects.claim, claim(2, units=("a",))) == Claimed(idempotency_key="k")
    assert await ledger.do(effects.claim, claim(3, units=("a",))) == Claimed(idempotency_key="k", paid_by="c2")
    assert await ledger.do(effects.claim, claim(4, units=("b",))) == Claimed(idempotency_key="k")


async def test_what_was_learned_is_there_for_the_next(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim())
    await ledger.do(effects.release, release())
    assert await ledger.do(effects.claim, claim(worker="two")) == Claimed(
        idempotency_key="k1",
        epoch=1,
        attempts=2,
        first_sent_ms=1_000,
        failing_since_ms=1_200,
        left_ms=1_500,
        notes={"n": "1"},
    )


async def test_a_command_that_was_never_sent_stays_that_way(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim())
    await ledger.do(effects.release, release(first_sent_ms=None))
    again = await ledger.do(effects.claim, claim(now_ms=5_000))
    assert isinstance(again, Claimed)
    assert again.first_sent_ms is None


async def test_a_claim_that_others_took_cannot_be_renewed_or_released(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim())
    await ledger.do(effects.claim, claim(worker="two", now_ms=3_000))
    renewal = Renew(command_id="c1", worker="one", until_ms=9_000)
    assert await ledger.do(effects.renew, renewal) is False
    await ledger.do(effects.release, release())
    assert await ledger.do(effects.claim, claim(worker="three", now_ms=3_500)) == Busy(until_ms=4_000)


async def test_a_renewed_claim_lasts_longer(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim())
    assert await ledger.do(effects.renew, Renew(command_id="c1", worker="one", until_ms=9_000)) is True
    assert await ledger.do(effects.claim, claim(worker="two", now_ms=8_000)) == Busy(until_ms=9_000)


async def park(ledger: Ledger, number: int, due_ms: int = 10) -> None:
    parked = parking.Park(arrival=arrival(number), reason="failing", now_ms=5, due_ms=due_ms)
    await ledger.do(parking.park, parked)


let_go = partial(parking.let_go, system="toy", key="shop|S", worker="one", reason="failing", now_ms=0)


async def take(ledger: Ledger, now_ms: int = 20, worker: str = "one") -> list[parking.Lane]:
    return await ledger.run(
        lambda c: parking.take(
            c, system="toy", merchant="shop", worker=worker, now_ms=now_ms, until_ms=now_ms + 100, limit=10
        )
    )


@pytest.mark.req("INV-14")
async def test_what_comes_behind_a_parked_key_waits_in_order(ledger: Ledger) -> None:
    await park(ledger, 1)
    for number in (2, 3, 2):
        assert await ledger.do(effects.claim, claim(number)) == Behind()
    assert isinstance(await ledger.do(effects.claim, claim(4, key="shop|T", arrival=arrival(4, "shop|T"))), Claimed)
    (lane,) = await take(ledger)
    assert [waiting.arrival for waiting in lane.waiting] == [arrival(1), arrival(2), arrival(3)]


async def test_a_lane_is_held_by_one_worker_and_freed_when_empty(ledger: Ledger, other: Ledger) -> None:
    await park(ledger, 1)
    assert await take(ledger, now_ms=9) == []
    (lane,) = await take(ledger)
    assert await take(other, worker="two") == []
    await ledger.do(parking.remove, lane.waiting[0].seq)
    give = {"system": "toy", "key": "shop|S", "reason": "failing", "due_ms": 20}
    assert await other.run(lambda c: parking.let_go(c, worker="two", now_ms=0, **give)) is False  # type: ignore[arg-type]
    assert await ledger.run(lambda c: parking.let_go(c, worker="one", now_ms=0, **give)) is True  # type: ignore[arg-type]
    assert isinstance(await ledger.do(effects.claim, claim(2)), Claimed)


async def test_a_lane_that_goes_back_keeps_what_came_meanwhile(ledger: Ledger) -> None:
    await park(ledger, 1)
    (lane,) = await take(ledger)
    await ledger.do(effects.claim, claim(2))
    await ledger.do(parking.remove, lane.waiting[0].seq)
    freed = await ledger.run(partial(let_go, due_ms=50))
    assert freed is False
    assert await take(ledger, now_ms=49) == []
    (again,) = await take(ledger, now_ms=50)
    assert [waiting.arrival.command_id for waiting in again.waiting] == ["c2"]


@pytest.mark.req("INV-14")
async def test_an_arrival_and_the_last_of_a_lane_cannot_miss_each_other(ledger: Ledger, other: Ledger) -> None:
    """Whichever comes first, the arrival is carried out: claimed, or waiting in a lane that is still there."""
    for number in range(2, 22, 2):
        await park(ledger, number)
        (lane,) = await take(ledger, now_ms=1_000 * number)
        await ledger.do(parking.remove, lane.waiting[0].seq)
        answer, freed = await asyncio.gather(
            other.do(effects.claim, claim(number + 1)),
            ledger.run(partial(let_go, due_ms=0)),
        )
        assert isinstance(answer, Claimed) == freed
        if not freed:
            (left,) = await take(ledger, now_ms=1_000 * number + 500)
            await ledger.do(parking.remove, left.waiting[0].seq)
            await ledger.run(partial(let_go, due_ms=0))


async def test_what_waits_in_a_parked_lane_is_claimed_beside_an_arrival_of_its_key(ledger: Ledger) -> None:
    """Both in one transaction: the one out of the lane must not be told to queue behind itself."""
    await park(ledger, 1)
    answers = await ledger.run(lambda c: effects.claim(c, [claim(2), claim(1, arrival=None)]))
    assert answers == [Behind(), Claimed(idempotency_key="k")]


async def test_what_is_parked_is_counted(ledger: Ledger) -> None:
    await park(ledger, 7)
    await ledger.do(effects.claim, claim(8))
    assert await ledger.run(lambda c: parking.standing(c, "toy")) == [
        parking.Standing(merchant="shop", reason="failing", lanes=1, commands=2, oldest_ms=7)
    ]


@pytest.mark.req("OPS-4")
async def test_what_has_no_time_of_its_own_waits_since_its_lane_was_parked(ledger: Ledger) -> None:
    timeless = msgspec.structs.replace(arrival(7), timestamp_ms=-1)
    await ledger.do(parking.park, parking.Park(arrival=timeless, reason="failing", now_ms=50, due_ms=60))
    (standing,) = await ledger.run(lambda c: parking.standing(c, "toy"))
    assert standing.oldest_ms == 50


async def test_a_pause_is_one_for_all_and_probed_by_one(ledger: Ledger, other: Ledger) -> None:
    pause = Pause(system="toy", merchant="shop", code="unauthorized", detail="401", since_ms=1, probe_ms=10)
    assert await ledger.do(pauses.pause, pause) is True
    assert await other.do(pauses.pause, pause) is False
    assert await other.run(lambda c: pauses.current(c, "toy")) == [pause]
    assert await ledger.run(lambda c: pauses.due_probe(c, system="toy", now_ms=9, next_ms=99)) is None
    assert await ledger.run(lambda c: pauses.due_probe(c, system="toy", now_ms=10, next_ms=99)) == pause
    assert await other.run(lambda c: pauses.due_probe(c, system="toy", now_ms=10, next_ms=99)) is None
    assert await other.run(lambda c: pauses.clear(c, system="toy", merchant="shop")) is True
    assert await ledger.run(lambda c: pauses.current(c, "toy")) == []


LIMIT = Limit(name="cost", capacity=100.0, per_second=0.0)


def ask(need: float, holder: str = "one", **changed: Any) -> Ask:
    fields: dict[str, Any] = {
        "merchant": "shop", "system": "toy", "limit": LIMIT, "holder": holder, "priority": "money", "need": need,
        "returned": 0.0, "outstanding": 0.0, "now_ms": 1_000, "until_ms": 60_000,
    }  # fmt: skip
    return Ask(**(fields | changed))


async def test_a_quota_is_one_for_all(ledger: Ledger, other: Ledger) -> None:
    first = await ledger.do(quotas.ask, ask(70.0))
    second = await other.do(quotas.ask, ask(40.0, holder="two"))
    third = await other.do(quotas.ask, ask(30.0, holder="two"))
    assert (first.tokens, second.tokens, third.tokens) == (70.0, 0.0, 30.0)


async def test_what_is_leased_counts_when_the_system_tells_its_own_figure(ledger: Ledger, other: Ledger) -> None:
    """It has 50 left; 30 of them are leased elsewhere and 5 here."""
    await ledger.do(quotas.ask, ask(30.0))
    await other.do(quotas.ask, ask(0.0, holder="two", outstanding=5.0, seen=Seen(available=50.0)))
    left = await ledger.run(lambda c: quotas.remaining(c, merchant="shop", system="toy", limit=LIMIT, now_ms=1_000))
    assert left == 15.0


async def test_a_lease_whose_holder_died_is_forgotten(ledger: Ledger, other: Ledger) -> None:
    """The bucket may fill up again without it."""
    limit = Limit(name="cost", capacity=100.0, per_second=1_000.0)
    await ledger.do(quotas.ask, ask(30.0, limit=limit, until_ms=2_000))
    while_it_lives = await other.do(quotas.ask, ask(100.0, limit=limit, holder="two", now_ms=1_900))
    later = await other.do(quotas.ask, ask(100.0, limit=limit, holder="two", now_ms=3_000))
    assert (while_it_lives.tokens, later.tokens) == (0.0, 100.0)


async def test_hundreds_share_a_few_commits(ledger: Ledger) -> None:
    commits: list[float] = []
    ledger._observe = commits.append
    await asyncio.gather(*(ledger.do(effects.claim, claim(n, key=f"shop|{n}", arrival=None)) for n in range(400)))
    assert len(commits) < 40


async def test_one_bad_operation_spares_its_neighbours(ledger: Ledger) -> None:
    def bad(connection: Any) -> None:
        connection.execute(text("select 1 / 1"))
        raise ZeroDivisionError

    good = [ledger.do(effects.claim, claim(n, arrival=None)) for n in range(5)]
    outcomes = await asyncio.gather(*good, ledger.run(bad), return_exceptions=True)
    assert all(isinstance(each, Claimed) for each in outcomes[:5])
    assert isinstance(outcomes[5], ZeroDivisionError)


async def test_a_closed_ledger_says_so(ledger_url: str) -> None:
    closed = Ledger(ledger_url)
    closed.close()
    with pytest.raises(LedgerClosed):
        await closed.do(effects.claim, claim())


async def test_closing_ends_also_with_the_last_operations_gathered_beside_it(ledger_url: str) -> None:
    ledger = Ledger(ledger_url)
    started, go_on = threading.Event(), threading.Event()

    def holds(_: Connection) -> None:
        started.set()
        go_on.wait(10)

    first = asyncio.create_task(ledger.run(holds))
    await asyncio.to_thread(started.wait, 10)
    last = asyncio.create_task(ledger.run(lambda _: "done"))
    await asyncio.sleep(0)
    closing = threading.Thread(target=ledger.close, daemon=True)
    closing.start()
    await asyncio.sleep(0.05)  # it has asked the ledger's thread to end, behind `last`
    go_on.set()
    await asyncio.to_thread(closing.join, 10)
    assert not closing.is_alive()
    await first
    assert await last == "done"


def test_the_tables_are_what_the_migrations_make(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_opening_twice_and_side_by_side_is_harmless(ledger_url: str) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(open_engine, [ledger_url] * 4))
    for engine in engines:
        engine.dispose()


def test_a_ledger_that_another_process_writes_while_it_is_made_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "ledger.db", check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ending = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    ending.start()
    open_engine(f"sqlite:///{tmp_path}/ledger.db").dispose()
    ending.join()
    other.close()


def test_a_ledger_of_a_newer_version_is_refused(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'r9999'"))
    engine.dispose()
    with pytest.raises(CannotStart, match=r"revision among r0001, .*, got r9999"):
        open_engine(ledger_url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://nobody:hidden@127.0.0.1:1/none", "postgresql"),
        ("sqlite:////proc/nowhere/ledger.db", "folder"),
        ("nonsense", "expected sqlite:///path or postgresql://"),
    ],
)
def test_a_ledger_that_cannot_be_opened_is_one_plain_message(url: str, said: str) -> None:
    with pytest.raises(CannotStart, match=re.escape(said)) as problem:
        open_engine(url)
    assert "hidden" not in str(problem.value)
    assert "\n" not in str(problem.value)
