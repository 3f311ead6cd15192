"""Of two states of one thing that their system dates alike, the one that was read later holds: from the answer of the
system to what the agents know, over restarts, take-over and readers that overlap."""

import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from schemas.codec import Codec
from schemas.facts import ObservedEffect, OrderSnapshot, ReturnEvent
from streams.domain.learn import learn
from streams.domain.learnt import Learnt
from streams.sources.desk import Desk
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.source_shopify import ShopifySource
from streams.sources.work import Resource, Unread
from tests.unit.sources.doubles import Log, Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import RMA_ID, Json, order, refund, rma, rma_item, transaction, validated, with_status

ORDER = Resource(merchant="shop-a", kind="order", name="5001")
RMA = Resource(merchant="shop-a", kind="rma", name=RMA_ID)
TAGS = (["one"], ["two"], ["one"])  # a state that comes back is a new state
Fact = ReturnEvent | OrderSnapshot | ObservedEffect


class Shop:
    """A shop that answers as a test says, whatever is asked; `meanwhile` happens while an answer is on its way."""

    def __init__(self) -> None:
        self.order: Json = order()
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    def connection(self, _: str) -> None:
        return None

    async def drive(self, flow: Any, **_: Any) -> Json:
        flow.close()
        answer = self.order
        if (happens := self.meanwhile) is not None:
            self.meanwhile = None
            await happens()
        return answer


class Worker:
    """One process of the Shopify source, with a clock of its own; the ledger and Kafka are shared."""

    def __init__(self, base: Source, answers: Shop, behind_ms: int = 0) -> None:
        self.clock = lambda: base.clock() - behind_ms
        memory = Memory(base.ledger, "shopify", self.clock)
        source = ShopifySource({"shop-a": shop()}, cast(Any, answers), memory, self.clock)
        outbox = Outbox(kafka=base.log, codec=Codec(), memory=memory, system="shopify", now_ms=self.clock)
        self.memory, self.desk = memory, Desk(source, outbox, memory, self.clock, 4)

    async def read(self) -> None:
        await self.desk.read(ORDER, "effect", "signal")


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[Source]:
    async with returngo_source(tmp_path, shop()) as made:
        yield made


def facts(log: Log) -> list[Fact]:
    topics = ("return-events", "order-snapshots", "observed-effects")
    return [each for topic in topics for each in log.records(topic) if isinstance(each, Fact)]


def known(told: Sequence[Fact]) -> Learnt:
    found: Learnt | None = None
    for each in told:
        found = learn(found, each)
    assert found is not None
    return found


def in_any_sequence(log: Log) -> Learnt:
    """What is known in the end, which is the same however Kafka brings the facts, and how often."""
    told = facts(log)
    first = known(told)
    for seed in range(20):
        shuffled = told + told[:2]
        random.Random(seed).shuffle(shuffled)
        assert known(shuffled) == first
    return first


def failing(row: Json, status: str) -> Json:
    (one,) = row["transactions"]["nodes"]
    return {**row, "transactions": {**row["transactions"], "nodes": [{**one, "status": status}]}}


@pytest.mark.req("MON-11", "INV-13")
async def test_an_order_read_again_under_one_date_is_what_was_read_last(base: Source) -> None:
    answers = Shop()
    worker = Worker(base, answers)
    for tags in TAGS:
        answers.order = order(tags=tags)
        await worker.read()
        await worker.read()  # unchanged: no fact
    snapshots = [each for each in facts(base.log) if isinstance(each, OrderSnapshot)]
    assert [each.tags for each in snapshots] == [tuple(tags) for tags in TAGS]
    assert snapshots[0].fact_id == snapshots[2].fact_id  # an id is made of content alone
    orders = [each.read_order for each in snapshots]
    assert orders == sorted(set(orders))
    assert (last := in_any_sequence(base.log).order) is not None
    assert last.tags == ("one",)


@pytest.mark.req("MON-11", "EXC-4")
@pytest.mark.parametrize("name", [str(n) for n in range(300, 312)])
@pytest.mark.parametrize("states", [("SUCCESS", "FAILURE"), ("PENDING", "SUCCESS", "FAILURE"), ("FAILURE", "SUCCESS")])
async def test_a_refund_is_what_was_read_of_it_last(base: Source, name: str, states: tuple[str, ...]) -> None:
    answers = Shop()
    worker = Worker(base, answers)
    made = refund(id=f"gid://shopify/Refund/{name}")
    for status in states:
        answers.order = order(refunds=[failing(made, status)])
        await worker.read()
    effect = in_any_sequence(base.log).effects[f"shopify:refund:{name}"]
    assert (effect.total_minor, effect.failed_minor) == ((0, 1200) if states[-1] == "FAILURE" else (1200, 0))


@pytest.mark.req("MON-11")
async def test_the_date_of_its_change_goes_before_the_order_of_reading(base: Source) -> None:
    answers = Shop()
    worker = Worker(base, answers)
    late = {**failing(refund(), "FAILURE"), "updatedAt": "2026-05-06T00:00:00Z"}
    for each in (late, refund()):  # the second answer comes from a copy of the shop's data that lags behind
        answers.order = order(refunds=[each])
        await worker.read()
    assert in_any_sequence(base.log).effects["shopify:refund:301"].total_minor == 0


@pytest.mark.req("INV-13")
async def test_the_order_goes_on_at_another_worker_whose_clock_is_behind(base: Source) -> None:
    answers = Shop()
    workers = itertools.cycle([Worker(base, answers), Worker(base, answers, behind_ms=3_600_000)])
    for tags in [*TAGS, ["three"]]:
        answers.order = order(tags=tags)
        await next(workers).read()
    assert (last := in_any_sequence(base.log).order) is not None
    assert last.tags == ("three",)


@pytest.mark.req("INV-13")
async def test_the_order_goes_on_from_the_clock_when_the_memory_is_lost(base: Source) -> None:
    answers = Shop()
    worker = Worker(base, answers)
    await worker.read()
    await worker.memory.purge(before_ms=base.clock() + 1)
    base.clock.ms += 1
    answers.order = order(tags=["new"])
    await worker.read()
    first, second = (each.read_order for each in facts(base.log) if isinstance(each, OrderSnapshot))
    assert first < second


@pytest.mark.req("INV-13")
@pytest.mark.parametrize("behind_ms", [-60_000, 0, 60_000])
async def test_a_slow_answer_does_not_outdo_what_another_worker_read_meanwhile(base: Source, behind_ms: int) -> None:
    answers = Shop()
    slow, quick = Worker(base, answers), Worker(base, answers, behind_ms)

    async def changes() -> None:
        answers.order = order(tags=["new"])
        await quick.read()

    answers.order, answers.meanwhile = order(tags=["old"]), changes
    await slow.read()
    assert (last := in_any_sequence(base.log).order) is not None
    assert last.tags == ("new",)


@pytest.mark.req("INV-13")
async def test_one_who_is_overtaken_again_and_again_comes_back_later(base: Source) -> None:
    answers = Shop()
    slow, quick = Worker(base, answers), Worker(base, answers)
    count = itertools.count()

    async def changes() -> None:
        answers.order = order(tags=[str(next(count))])
        await quick.read()
        answers.meanwhile = changes

    answers.meanwhile = changes
    with pytest.raises(Unread, match="overtaken"):
        await slow.read()


@pytest.mark.req("INV-13")
async def test_a_state_that_comes_back_after_a_crash_is_told_again(base: Source) -> None:
    answers = Shop()
    worker = Worker(base, answers)
    await worker.read()
    answers.order, base.log.broken = order(tags=["new"]), RuntimeError("the process ends")
    with pytest.raises(RuntimeError):
        await worker.read()
    base.log.broken = None  # it may have been written all the same
    answers.order = order()
    await Worker(base, answers).read()
    assert len([each for each in facts(base.log) if isinstance(each, OrderSnapshot)]) == 2


async def test_an_answer_that_does_not_come_takes_no_number(base: Source) -> None:
    answers = Shop()
    worker = Worker(base, answers)

    async def fails() -> None:
        raise Unread("no_answer")

    answers.meanwhile = fails
    with pytest.raises(Unread):
        await worker.read()
    assert await worker.memory.turn(ORDER) == 0


async def rma_reads(base: Source, *bodies: Json) -> Learnt:
    for body in bodies:
        base.store.rmas[RMA_ID] = body
        await base.desk.read(RMA, "effect", "signal")
        sent = len(base.log.written)
        await base.desk.read(RMA, "effect", "signal")
        assert len(base.log.written) == sent  # unchanged: no fact
    return in_any_sequence(base.log)


@pytest.mark.req("INV-13", "ELG-2")
@pytest.mark.parametrize("grades", list(itertools.product([True, False], repeat=3)))
async def test_an_inspection_corrected_under_one_date_is_what_was_read_last(
    base: Source, grades: tuple[bool, ...]
) -> None:
    bodies = [
        rma(items=[rma_item("31", itemValidationStatusResponse=validated("31", restockable=good))]) for good in grades
    ]
    found = (await rma_reads(base, *bodies)).rmas[RMA_ID].units["31"].inspections["returngo"]
    assert found.disposition == ("sellable" if grades[-1] else "damaged")


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("states", [("Success", "Failed"), ("Requested", "Success", "Failed"), ("Failed", "Success")])
@pytest.mark.parametrize("number", [4001, 4002, 4003, 4004])
async def test_a_transaction_is_what_was_read_of_it_last(base: Source, states: tuple[str, ...], number: int) -> None:
    bodies = [rma(transactions=[transaction(id=number, status=each)]) for each in states]
    step = (await rma_reads(base, *bodies)).rmas[RMA_ID].steps[str(number)]
    assert step.status == states[-1].lower()


@pytest.mark.req("MON-6")
async def test_the_amount_of_a_request_is_what_was_read_last(base: Source) -> None:
    amounts = (10, 12, 10)
    bodies = [rma(transactions=[transaction(amount={"amount": each, "currency": "EUR"})]) for each in amounts]
    assert (await rma_reads(base, *bodies)).rmas[RMA_ID].steps["4001"].amount_minor == 1000


@pytest.mark.req("ELG-2")
async def test_a_request_edited_and_edited_back_under_one_date_is_what_was_read_last(base: Source) -> None:
    bodies = [rma(items=[rma_item("31", sku=sku), rma_item("32")]) for sku in ("MUG", "CUP", "MUG")]
    assert (await rma_reads(base, *bodies)).rmas[RMA_ID].units["31"].said.sku == "MUG"


@pytest.mark.req("ELG-2")
async def test_a_unit_taken_out_and_put_back_under_one_date_is_there(base: Source) -> None:
    both, one = [rma_item("31"), rma_item("32")], [rma_item("31")]
    found = (await rma_reads(base, rma(items=both), rma(items=one), rma(items=both))).rmas[RMA_ID]
    assert found.roster is not None
    assert found.roster.unit_ids == ("31", "32")


@pytest.mark.req("STA-1")
@pytest.mark.parametrize("end", ["Canceled", "Rejected"])
async def test_a_return_ended_reopened_and_ended_again_under_one_date_is_ended(base: Source, end: str) -> None:
    at = "2026-05-01T08:00:00+00:00"
    ended, again = with_status(rma(), end, at), with_status(rma(), "Approved", at)
    kind = {"Canceled": "cancelled", "Rejected": "rejected"}[end]
    marks = (await rma_reads(base, ended, again)).rmas[RMA_ID].marks
    assert marks["reopened"] > marks[kind]
    marks = (await rma_reads(base, ended)).rmas[RMA_ID].marks
    assert marks[kind] > marks["reopened"]
