"""What the ledger forgets for its age, on both databases; and what it never does."""

from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, insert, select

from sinks.ledger import batches, effects, holds, parking, quotas, retention
from sinks.ledger.claims import Claimed, Settled
from sinks.ledger.holds import Hold
from sinks.ledger.ledger import Ledger
from sinks.ledger.parking import Park
from sinks.ledger.retention import AT_ONCE, Pruned
from sinks.ledger.tables import paid_units
from tests.integration.sinks.test_ledger import arrival, claim, settle
from tests.integration.sinks.test_ledger import ask as quota_ask

DAY = 86_400_000
OLD, NEW = 10 * DAY, 500 * DAY


async def done(ledger: Ledger, number: int, at_ms: int, outcome: str = "applied", **changed: Any) -> None:
    """A command that was carried out then, or refused."""
    await ledger.do(effects.claim, claim(number, now_ms=at_ms, arrival=None, **changed))
    await ledger.do(effects.settle, msgspec.structs.replace(settle(number), outcome=outcome, now_ms=at_ms))


async def prune(ledger: Ledger, before_ms: int) -> Pruned:
    return await ledger.run(lambda c: retention.prune(c, system="toy", before_ms=before_ms, unheard_ms=before_ms))


@pytest.mark.req("INV-13")
async def test_an_effect_is_forgotten_for_its_age_alone_and_only_when_it_has_ended(ledger: Ledger) -> None:
    await done(ledger, 1, OLD)
    await done(ledger, 2, NEW)
    await ledger.do(effects.claim, claim(3, now_ms=OLD, arrival=None))  # open: nobody knows what became of it
    await done(ledger, 4, OLD, system="other")
    assert await prune(ledger, OLD) == Pruned(effects=0, batches=0, leases=0)
    assert (await prune(ledger, OLD + 1)).effects == 1
    answers = {n: await ledger.do(effects.claim, claim(n, now_ms=NEW, arrival=None)) for n in (1, 2, 3)}
    assert isinstance(answers[2], Settled)
    assert isinstance(answers[3], Claimed)
    assert answers[3].attempts == 0
    assert isinstance(await ledger.do(effects.claim, claim(4, arrival=None, system="other")), Settled)


@pytest.mark.req("MON-11")
async def test_who_has_paid_for_a_unit_is_never_forgotten(ledger: Ledger) -> None:
    await done(ledger, 1, OLD, units=("shop|1|r|u|money",))
    await done(ledger, 2, OLD, outcome="rejected", units=("shop|1|r|v|money",))
    assert (await prune(ledger, OLD + 1)).effects == 2
    other = await ledger.do(effects.claim, claim(3, now_ms=NEW, arrival=None, units=("shop|1|r|u|money",)))
    free = await ledger.do(effects.claim, claim(4, now_ms=NEW, arrival=None, units=("shop|1|r|v|money",)))
    assert isinstance(other, Claimed)
    assert isinstance(free, Claimed)
    assert (other.paid_by, free.paid_by) == ("c1", None)


async def test_a_command_that_waits_once_more_keeps_its_effect(ledger: Ledger) -> None:
    await done(ledger, 1, OLD)
    await ledger.do(parking.park, Park(arrival=arrival(1), reason="failing", now_ms=OLD, due_ms=OLD))
    assert (await prune(ledger, NEW)).effects == 0


async def test_it_is_done_in_small_parts(ledger: Ledger) -> None:
    claims = [claim(n, now_ms=OLD, arrival=None, key=f"k{n}") for n in range(AT_ONCE + 3)]
    await ledger.run(lambda c: effects.claim(c, claims))
    ends = [msgspec.structs.replace(settle(n), now_ms=OLD) for n in range(AT_ONCE + 3)]
    await ledger.run(lambda c: effects.settle(c, ends))
    assert [(await prune(ledger, NEW)).effects for _ in range(3)] == [AT_ONCE, 3, 0]
    assert await ledger.run(lambda c: retention.newest_ms(c, "toy")) is None


async def test_a_batch_goes_with_its_last_effect_and_a_lease_with_its_holder(ledger: Ledger) -> None:
    await ledger.do(effects.claim, claim(1, now_ms=OLD, arrival=None))
    opening = batches.Opening(
        batch_id="b", merchant="shop", system="toy", body=b"{}", reference="r", holder="one/b",
        members=(batches.Member(command_id="c1", holder="one"),), now_ms=OLD, until_ms=OLD + 1_000,
    )  # fmt: skip
    await ledger.run(partial(batches.open_batch, opening=opening))
    end = batches.Applied(external_ids={}, moved=frozenset())
    await ledger.run(lambda c: batches.applied(c, batch_id="b", end=end, now_ms=OLD))
    await ledger.do(quotas.ask, msgspec.structs.replace(quota_ask(1.0), system="toy", until_ms=OLD))
    gone = await prune(ledger, OLD)
    assert (gone.batches, gone.leases) == (0, 0)
    await ledger.do(effects.settle, msgspec.structs.replace(settle(1), now_ms=OLD))
    assert await prune(ledger, OLD + 1) == Pruned(effects=1, batches=1, leases=1)


async def test_what_has_waited_too_long_is_found_unless_somebody_is_at_it(ledger: Ledger) -> None:
    for number in (OLD, OLD + 1, NEW):
        parked = Park(arrival=arrival(number, key=f"k{number}"), reason="failing", now_ms=OLD, due_ms=OLD)
        await ledger.do(parking.park, parked)
    take = partial(parking.take, system="toy", merchant="shop", worker="one", limit=1)
    (held,) = await ledger.run(lambda c: take(c, now_ms=NEW, until_ms=NEW + 60_000))
    find = partial(retention.waited_too_long, system="toy", before_ms=OLD + 2)
    found = await ledger.run(lambda c: find(c, now_ms=NEW))
    assert len(found) == 1
    assert found[0].arrival.key != held.key
    assert len(await ledger.run(lambda c: find(c, now_ms=NEW + 60_000))) == 2  # its worker has died
    pause = Hold(system="*", merchant="shop", why="audit", by="ann", since_ms=OLD)
    await ledger.run(lambda c: holds.hold(c, pause))
    assert await ledger.run(lambda c: find(c, now_ms=NEW + 60_000)) == []  # a person said until further notice
    await ledger.run(lambda c: holds.resume(c, system="*", merchant="shop"))
    await ledger.do(parking.remove, found[0].seq)
    await ledger.run(lambda c: retention.drop_empty(c, system="toy"))
    assert {each.lanes for each in await ledger.run(lambda c: parking.standing(c, "toy"))} == {2}


async def test_a_unit_is_no_row_that_anybody_prunes(ledger: Ledger) -> None:
    await ledger.run(lambda c: c.execute(insert(paid_units), [{"unit": "u", "command_id": "gone"}]))
    await prune(ledger, NEW)
    assert await ledger.run(lambda c: c.execute(select(func.count()).select_from(paid_units)).scalar_one()) == 1
