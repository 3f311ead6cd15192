"""A clock that is set, back or ahead, holds nothing up and lets no command out twice."""

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from sinks import breaker, quota
from sinks.claim import lease
from sinks.contract import Limit, Seen
from sinks.fence import Fence
from sinks.ledger import batches, effects, parking, pauses, quotas
from sinks.ledger.claims import Busy, Claim, Claimed
from sinks.ledger.effects import LONGEST_CLAIM_MS
from sinks.ledger.ledger import Ledger
from sinks.ledger.parking import Arrival, Lane, Park
from sinks.ledger.pauses import Pause
from sinks.outcomes import Deferred
from sinks.policy import Again, DeadLetter, History, Patience, after
from sinks.quota import Bucket, Priority
from sinks.route import Route
from sinks.telemetry import RequestTelemetry
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.peer import LOCKED, SERVER_ERROR, Peer
from tests.unit.sinks.rig import until
from tests.unit.sinks.toy import restock

NOW = 1_778_000_000_000
HOURS_2 = 7_200_000
BUCKET = Limit(name="bucket", capacity=100.0, per_second=10.0)


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[Ledger]:
    opened = Ledger(sqlite_url)
    yield opened
    opened.close()


def claim(now_ms: int, worker: str, **changed: Any) -> Claim:
    fields: dict[str, Any] = {
        "command_id": "c", "merchant": "shop", "system": "toy", "kind": "refund", "key": "shop|1", "fingerprint": "f",
        "idempotency_key": "k", "worker": worker, "now_ms": now_ms, "until_ms": now_ms + 30_000, "arrival": None,
    }  # fmt: skip
    return Claim(**fields | changed)


@pytest.mark.req("INV-14")
async def test_a_claim_of_the_future_ends_after_the_longest_time_that_one_may_last(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim(NOW + HOURS_2, "dead"))
    answer = await ledger.do(effects.claim, claim(NOW, "two"))
    assert answer == Busy(until_ms=NOW + LONGEST_CLAIM_MS)
    almost = await ledger.do(effects.claim, claim(NOW + LONGEST_CLAIM_MS - 1, "two"))
    assert almost == Busy(until_ms=NOW + LONGEST_CLAIM_MS)  # it was cut once, not again and again
    assert isinstance(await ledger.do(effects.claim, claim(NOW + LONGEST_CLAIM_MS, "two")), Claimed)


@pytest.mark.req("INV-13", "INV-14")
async def test_a_clock_that_jumped_ahead_ends_nobodys_claim(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim(NOW, "alive"))
    jumped = NOW + HOURS_2
    assert isinstance(await ledger.do(effects.claim, claim(jumped, "two", sure_ms=NOW + 10)), Busy)
    assert isinstance(await ledger.do(effects.claim, claim(jumped, "two", sure_ms=NOW + 30_000)), Claimed)


async def test_a_batch_of_the_future_is_taken_after_the_longest_time(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim(NOW + HOURS_2, "dead"))
    opening = batches.Opening(
        batch_id="b", merchant="shop", system="toy", body=b"{}", reference="r", holder="dead",
        members=(batches.Member(command_id="c", holder="dead"),), now_ms=NOW + HOURS_2,
        until_ms=NOW + HOURS_2 + 30_000,
    )  # fmt: skip
    assert await ledger.run(partial(batches.open_batch, opening=opening)) == frozenset()

    def take(connection: Any, now_ms: int, sure_ms: int | None = None) -> batches.Answer:
        return batches.take(
            connection, batch_id="b", holder="two", now_ms=now_ms, until_ms=now_ms + 30_000, sure_ms=sure_ms
        )

    assert await ledger.run(lambda c: take(c, NOW)) == batches.Held(until_ms=NOW + LONGEST_CLAIM_MS)
    later = NOW + LONGEST_CLAIM_MS
    assert isinstance(await ledger.run(lambda c: take(c, later, sure_ms=NOW)), batches.Held)
    assert isinstance(await ledger.run(lambda c: take(c, later)), batches.Taken)


@pytest.mark.req("INV-13")
@pytest.mark.parametrize("moved", [-HOURS_2, HOURS_2])
def test_no_request_is_under_way_behind_the_end_of_a_claim_however_the_clock_is_set(
    moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady, wall = [1_000], [NOW]
    for module in ("sinks.claim", "sinks.fence"):
        monkeypatch.setattr(f"{module}.steady_ms", lambda: steady[0])
    ours, fence = lease(wall[0], 30_000), Fence(wall[0] + 29_000, lambda: wall[0])
    steady[0] += 10_000
    wall[0] += 10_000
    assert (ours.left_ms(wall[0]), fence.seconds(60.0)) == (20_000, 19.0)
    wall[0] += moved
    assert ours.left_ms(wall[0]) <= 20_000
    assert fence.late == (moved > 0)  # asleep or set ahead: others may think so too
    steady[0] += 20_000
    assert ours.left_ms(wall[0]) <= 0
    assert fence.late


ARRIVAL = Arrival(
    system="toy", merchant="shop", key="shop|1", command_id="c", topic="toy-commands", partition=0, offset=1,
    timestamp_ms=NOW, value=b"v",
)  # fmt: skip


async def take_lanes(ledger: Ledger, now_ms: int) -> list[Lane]:
    return await ledger.run(
        lambda c: parking.take(
            c, system="toy", merchant="shop", worker="two", now_ms=now_ms, until_ms=now_ms + 60_000, limit=9
        )
    )


@pytest.mark.req("OPS-3")
async def test_a_lane_that_was_parked_in_the_future_is_due(ledger: Ledger) -> None:
    ahead = NOW + HOURS_2
    await ledger.do(parking.park, Park(arrival=ARRIVAL, reason="failing", now_ms=ahead, due_ms=ahead + 5_000))
    (lane,) = await take_lanes(ledger, NOW)
    again = partial(parking.let_go, system="toy", key=lane.key, worker="two", reason="failing")
    await ledger.run(lambda c: again(c, due_ms=NOW + 5_000, now_ms=NOW))
    assert await take_lanes(ledger, NOW + 4_000) == []  # our own waits are as long as they are
    assert len(await take_lanes(ledger, NOW + 5_000)) == 1
    await ledger.run(lambda c: again(c, due_ms=ahead + 5_000, now_ms=ahead))
    assert len(await take_lanes(ledger, NOW + 6_000)) == 1


@pytest.mark.req("OPS-3")
async def test_a_lane_that_is_held_into_the_future_is_free(ledger: Ledger) -> None:
    await ledger.do(parking.park, Park(arrival=ARRIVAL, reason="failing", now_ms=NOW, due_ms=NOW))
    assert len(await take_lanes(ledger, NOW + HOURS_2)) == 1  # and its worker dies
    assert len(await take_lanes(ledger, NOW)) == 1
    assert await take_lanes(ledger, NOW + 59_000) == []
    assert len(await take_lanes(ledger, NOW + 60_000)) == 1


async def test_a_probe_of_the_future_is_due(ledger: Ledger) -> None:
    pause = Pause(
        system="toy", merchant="shop", code="x", detail="", since_ms=NOW + HOURS_2, probe_ms=NOW + HOURS_2 + 60_000
    )
    await ledger.do(pauses.pause, pause)

    async def probe(now_ms: int) -> Pause | None:
        return await ledger.run(lambda c: pauses.due_probe(c, system="toy", now_ms=now_ms, next_ms=now_ms + 60_000))

    assert await probe(NOW) is not None
    assert await probe(NOW + 1_000) is None
    assert await probe(NOW + 60_000) is not None


@pytest.mark.parametrize("moved", [-HOURS_2, HOURS_2])
def test_a_failing_command_is_tried_again_in_a_sensible_time(moved: int) -> None:
    history = History(attempts=3, failing_since_ms=NOW - 10_000)
    step, kept = after(Deferred(reason="busy"), history, Patience(), answers=True, now_ms=NOW + moved, chance=1.0)
    assert isinstance(step, Again)
    assert 0.5 <= step.wait_seconds <= 300.0
    assert kept.failing_since_ms == min(NOW - 10_000, NOW + moved)


def test_a_command_is_still_given_up_in_time_after_a_clock_was_set_back() -> None:
    """What began to fail in the future began to fail now, and that is remembered."""
    patience, history = Patience(give_up_seconds=3_600.0), History(failing_since_ms=NOW + HOURS_2)
    _, history = after(Deferred(reason="busy"), history, patience, answers=True, now_ms=NOW, chance=1.0)
    step, _ = after(Deferred(reason="busy"), history, patience, answers=True, now_ms=NOW + 3_600_000, chance=1.0)
    assert isinstance(step, DeadLetter)


def ask(now_ms: int, holder: str, need: float, **changed: Any) -> quotas.Ask:
    fields: dict[str, Any] = {
        "merchant": "shop", "system": "toy", "limit": BUCKET, "holder": holder, "priority": "money", "need": need,
        "returned": 0.0, "outstanding": 0.0, "now_ms": now_ms, "until_ms": now_ms + 60_000,
    }  # fmt: skip
    return quotas.Ask(**fields | changed)


async def test_a_bucket_and_a_lease_of_the_future_hold_no_quota(ledger: Ledger) -> None:
    await ledger.do(quotas.ask, ask(NOW + HOURS_2, "dead", 100.0))
    await ledger.do(quotas.ask, ask(NOW + HOURS_2, "three", 0.0, seen=Seen(retry_after_seconds=30.0)))
    first = await ledger.do(quotas.ask, ask(NOW, "two", 10.0))
    assert (first.tokens, round(first.wait_seconds, 1)) == (0.0, 1.0)  # it is empty, and no longer blocked
    later = await ledger.do(quotas.ask, ask(NOW + 9_000, "two", 80.0))
    assert later.tokens >= 80.0  # what the dead one leased is not outstanding


def test_no_bucket_is_blocked_for_longer_than_any_answer_makes_us_wait() -> None:
    bucket = Bucket(tokens=5.0, capacity=10.0, per_second=1.0, at_ms=NOW, blocked_until_ms=NOW + 400 * 86_400_000)
    assert quota.grant(bucket, BUCKET, 1.0)[1].wait_seconds == 86_400.0


async def test_what_was_used_in_the_future_is_no_use_of_today(ledger: Ledger) -> None:
    day = Limit(name="day", capacity=2_000.0, per_second=0.0, period_seconds=86_400.0)
    priority: Priority = "money"
    await ledger.do(quotas.ask, ask(NOW + 50 * 3_600_000, "x", 0.0, limit=day, used=500.0))
    await ledger.do(quotas.ask, ask(NOW, "x", 0.0, limit=day, used=3.0))
    used = await ledger.run(lambda c: quotas.used(c, merchant="shop", system="toy", limit=day, now_ms=NOW))
    assert [(each.priority, each.calls) for each in used] == [(priority, 3.0)]


async def test_a_breaker_waits_by_a_clock_that_nobody_sets(ledger: Ledger) -> None:
    wall, steady = [NOW], [1_000]
    route = Route(
        merchant="shop", system="toy", connection=None, limits=(), ledger=ledger, holder="h", patience_seconds=1.0,
        settings=breaker.Settings(), telemetry=RequestTelemetry("sink", CollectorRegistry()),
        now_ms=lambda: wall[0], steady_ms=lambda: steady[0],
    )  # fmt: skip
    for _ in range(5):
        route.fails()
    wall[0] -= HOURS_2
    assert route.wait_seconds == 5.0
    wall[0] += 2 * HOURS_2
    assert route.wait_seconds == 5.0
    steady[0] += 5_000
    assert route.wait_seconds == 0.0


@pytest.mark.req("OPS-3", "INV-13")
@pytest.mark.parametrize("moved", [-HOURS_2, HOURS_2])
async def test_a_worker_whose_clock_is_set_goes_on_and_does_everything_once(
    moved: int, make_rig: MakeRig, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runtime as it is, on its ledger and over HTTP: keys parked before and after, a breaker that is open."""
    offset_ns, real = [0], time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + offset_ns[0])
    rig = await make_rig(park_seconds=0.0, breaker_failures=3)
    before, down, after_it = restock(1, sku="A"), restock(2, sku="B"), restock(3, sku="C")
    peer.always[before.command_id] = LOCKED
    peer.script[down.command_id] = [SERVER_ERROR] * 4
    rig.send(before, down)
    await rig.settled()
    offset_ns[0] = moved * 1_000_000
    del peer.always[before.command_id]
    rig.send(after_it)
    await until("all are done", lambda: len(rig.outcomes()) == 3)
    assert set(rig.outcomes().values()) <= {"applied", "already_applied"}
    assert set(peer.effects.values()) == {1}
