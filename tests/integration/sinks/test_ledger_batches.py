"""Batches in the ledger, the same on SQLite and on a real PostgreSQL: bound, held, ended, let go."""

import asyncio
from functools import partial
from typing import Any

import pytest

from sinks.ledger import batches, effects
from sinks.ledger.batches import Applied, Freed, Held, Member, Opening, Taken
from sinks.ledger.claims import Busy, Claimed, Settled
from sinks.ledger.ledger import Ledger
from tests.integration.sinks.test_ledger import claim, release, settle

END = Applied(external_ids={"adjustment_id": "9"}, moved=frozenset({("1", "2", "available")}))


async def claimed(ledger: Ledger, *numbers: int, worker: str = "one", now_ms: int = 1_000) -> None:
    for number in numbers:
        asked = claim(number, worker=f"{worker}/{number}", now_ms=now_ms, arrival=None)
        assert isinstance(await ledger.do(effects.claim, asked), Claimed)


async def opened(ledger: Ledger, *numbers: int, batch_id: str = "b", **changed: Any) -> frozenset[str]:
    members = tuple(Member(command_id=f"c{number}", holder=f"one/{number}") for number in numbers)
    fields: dict[str, Any] = {
        "batch_id": batch_id, "merchant": "shop", "system": "toy", "body": b"body", "reference": "ref",
        "members": members, "holder": "one/b1", "now_ms": 1_500, "until_ms": 3_000,
    }  # fmt: skip
    return await ledger.run(partial(batches.open_batch, opening=Opening(**(fields | changed))))


async def take(ledger: Ledger, holder: str = "two/b1", now_ms: int = 5_000) -> batches.Answer:
    return await ledger.run(partial(batches.take, batch_id="b", holder=holder, now_ms=now_ms, until_ms=now_ms + 1_000))


async def free(ledger: Ledger, holder: str, state: Any) -> bool:
    return await ledger.run(partial(batches.free, batch_id="b", holder=holder, state=state, now_ms=6_000))


async def again(ledger: Ledger, number: int, now_ms: int = 50_000) -> Claimed:
    """The command as its next worker finds it."""
    answer = await ledger.do(effects.claim, claim(number, worker="next", now_ms=now_ms, arrival=None))
    assert isinstance(answer, Claimed)
    return answer


async def test_what_is_bound_says_so_to_whoever_is_next(ledger: Ledger) -> None:
    await claimed(ledger, 1, 2)
    assert await opened(ledger, 1, 2) == frozenset()
    await ledger.do(effects.release, release(1, worker="one/1", first_sent_ms=None))
    found = await again(ledger, 1)
    assert (found.batch_id, found.alone) == ("b", False)
    assert await ledger.do(effects.claim, claim(2, now_ms=2_900)) == Busy(until_ms=3_000)  # held as the batch is


async def test_the_same_opening_twice_is_one(ledger: Ledger) -> None:
    """A transaction whose end got lost is run again."""
    await claimed(ledger, 1, 2)
    assert await opened(ledger, 1, 2) == frozenset()
    assert await opened(ledger, 1, 2) == frozenset()
    assert await take(ledger) == Taken(
        merchant="shop", body=b"body", reference="ref", members=2, sends=2, first_sent_ms=1_500
    )


@pytest.mark.req("INV-13", "INV-16")
async def test_a_command_whose_claim_was_lost_is_not_bound_and_nothing_is_written(
    ledger: Ledger, other: Ledger
) -> None:
    await claimed(ledger, 1, 2, 3, 4)
    await claimed(other, 2, worker="two", now_ms=2_500)
    await ledger.do(effects.release, release(3, worker="one/3"))
    await ledger.do(effects.settle, settle(4))
    assert await opened(ledger, 1, 2, 3, 4) == {"c2", "c3", "c4"}
    assert (await again(ledger, 1)).batch_id is None


@pytest.mark.req("INV-13", "INV-16")
async def test_a_command_is_bound_to_one_batch_only(ledger: Ledger) -> None:
    await claimed(ledger, 1, 2)
    assert await opened(ledger, 1) == frozenset()
    assert await opened(ledger, 1, 2, batch_id="c") == {"c1"}


@pytest.mark.req("INV-13", "INV-16")
async def test_a_batch_has_one_holder_at_a_time(ledger: Ledger, other: Ledger) -> None:
    await claimed(ledger, 1)
    await opened(ledger, 1)
    assert await take(other, now_ms=2_999) == Held(until_ms=3_000)
    asked = partial(batches.take, batch_id="b", now_ms=3_000, until_ms=9_000)
    names = [(each, f"{which}{n}") for n in range(10) for which, each in (("one", ledger), ("two", other))]
    answers = await asyncio.gather(*(each.run(partial(asked, holder=name)) for each, name in names))
    assert sorted(type(answer).__name__ for answer in answers) == ["Held"] * 19 + ["Taken"]


async def test_a_hold_that_was_lost_cannot_be_renewed_and_one_that_is_ours_can(ledger: Ledger, other: Ledger) -> None:
    await claimed(ledger, 1)
    await opened(ledger, 1)
    renew = partial(batches.renew, batch_id="b", until_ms=4_000)
    assert await ledger.run(partial(renew, holder="one/b1")) is True
    assert await take(other, now_ms=3_999) == Held(until_ms=4_000)
    assert isinstance(await take(other, now_ms=4_000), Taken)
    assert await ledger.run(partial(renew, holder="one/b1")) is False


@pytest.mark.parametrize(("unsent", "since_ms"), [(False, 1_500), (True, None)])
async def test_a_batch_that_was_let_go_is_there_for_the_next_at_once(
    ledger: Ledger, other: Ledger, unsent: bool, since_ms: int | None
) -> None:
    """Whether a request of it may have gone out stays known, and that one is to go out now counts from now."""
    await claimed(ledger, 1)
    await opened(ledger, 1)
    await ledger.run(partial(batches.let_go, batch_id="b", holder="another", unsent=True))
    assert isinstance(await take(other, now_ms=1_600), Held)
    await ledger.run(partial(batches.let_go, batch_id="b", holder="one/b1", unsent=unsent))
    taken = await take(other, now_ms=1_600)
    assert isinstance(taken, Taken)
    assert taken.first_sent_ms == since_ms
    after = await take(ledger, holder="three", now_ms=9_000)
    assert isinstance(after, Taken)
    assert after.first_sent_ms == (1_600 if unsent else 1_500)


@pytest.mark.req("INV-13", "INV-16")
async def test_that_it_was_applied_may_be_said_by_anybody_and_stays(ledger: Ledger, other: Ledger) -> None:
    await claimed(ledger, 1)
    await opened(ledger, 1)
    assert isinstance(await take(other), Taken)
    assert await ledger.run(partial(batches.applied, batch_id="b", end=END, now_ms=6_000)) is True
    assert await free(other, "two/b1", "refused") is False
    assert await take(other) == END
    assert (await again(ledger, 1)).batch_id == "b"


@pytest.mark.req("INV-13", "INV-16")
async def test_only_its_holder_may_say_that_it_did_nothing(ledger: Ledger, other: Ledger) -> None:
    await claimed(ledger, 1)
    await opened(ledger, 1)
    assert isinstance(await take(other), Taken)
    assert await free(ledger, "one/b1", "refused") is False
    assert (await again(ledger, 1)).batch_id == "b"
    assert await free(other, "two/b1", "refused") is True
    assert await ledger.run(partial(batches.applied, batch_id="b", end=END, now_ms=6_000)) is False


@pytest.mark.req("INV-13", "INV-16")
@pytest.mark.parametrize(("state", "alone"), [("refused", True), ("unsent", False)])
async def test_what_is_let_go_was_never_sent(ledger: Ledger, state: str, alone: bool) -> None:
    await claimed(ledger, 1, 2)
    await opened(ledger, 1, 2)
    await ledger.do(effects.settle, settle(2))
    assert await free(ledger, "one/b1", state) is True
    assert await free(ledger, "one/b1", state) is True  # the same once more
    assert await take(ledger) == Freed()
    assert await again(ledger, 1) == Claimed(idempotency_key="k", first_sent_ms=None, alone=alone)
    assert await ledger.do(effects.claim, claim(2)) == Settled(result=b"result")


async def test_many_open_and_end_side_by_side(ledger: Ledger, other: Ledger) -> None:
    """Two workers that bind each other's neighbours wait for no lock for ever."""
    numbers = range(40)
    for worker, each in (("one", ledger), ("two", other)):
        mine = [n for n in numbers if (n % 2 == 0) == (worker == "one")]
        await claimed(each, *mine, worker=worker)

    async def carry(each: Ledger, worker: str, some: list[int], batch_id: str) -> None:
        members = tuple(Member(command_id=f"c{n}", holder=f"{worker}/{n}") for n in some)
        assert await opened(each, batch_id=batch_id, members=members, holder=batch_id) == frozenset()
        assert await each.run(partial(batches.applied, batch_id=batch_id, end=END, now_ms=2_000)) is True

    await asyncio.gather(
        *(carry(ledger, "one", [n, n + 2], f"a{n}") for n in range(0, 40, 4)),
        *(carry(other, "two", [n + 2, n], f"b{n}") for n in range(1, 40, 4)),
    )
    assert {(await again(ledger, n)).batch_id for n in (0, 2, 1, 3)} == {"a0", "b1"}
