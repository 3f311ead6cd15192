"""Reads that records asked for: each settles its records, fails on its own, and holds up nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streams.sources.desk import Desk
from streams.sources.progress import Progress
from streams.sources.signals import Signals
from streams.sources.work import Learnt, Place, Resource, Unread, Urgency, Wanted
from tests.unit.sources.doubles import returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import RMA_ID, rma


class Reader:
    """Answers as a test says: by merchant and RMA."""

    system = "returngo"

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], Learnt]] = {}
        self.stuck: set[str] = set()
        self.go_on = asyncio.Event()
        self.read_names: list[str] = []

    async def read(self, resource: Resource, urgency: Urgency, read_at_ms: int) -> Learnt:
        self.read_names.append(resource.name)
        if resource.merchant in self.stuck:
            await self.go_on.wait()
        return self.answers.get(resource.name, Learnt)()


@asynccontextmanager
async def signals(folder: Path) -> AsyncIterator[tuple[Signals, Reader, Progress]]:
    """A queue at work."""
    async with returngo_source(folder, shop()) as base:
        reader, progress = Reader(), Progress()
        desk = Desk(reader, base.outbox, base.memory, base.clock, 2)
        made = Signals("returngo", desk, progress, base.clock)
        working = asyncio.create_task(made.run())
        yield made, reader, progress
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await made.drain(0)


def asked(made: Signals, progress: Progress, offset: int, *wanted: Wanted) -> Place:
    """A record that asks for reads."""
    place = progress.taken("returngo-deliveries", 0, offset, 0)
    progress.joined(place, len(wanted) - 1)
    made.add(wanted, place)
    return place


MINE = ("returngo-deliveries", 0)


def wanted(name: str, merchant: str = "shop-a", urgency: Urgency = "effect") -> Wanted:
    return Wanted(resource=Resource(merchant=merchant, kind="rma", name=name), urgency=urgency, cause="signal")


async def all_settled(progress: Progress, left: int = 0) -> None:
    async with asyncio.timeout(10):
        while progress.unsettled > left:  # noqa: ASYNC110  progress is plain arithmetic: it tells nobody
            await asyncio.sleep(0.01)


async def test_a_record_is_settled_when_all_it_asked_for_was_read(tmp_path: Path) -> None:
    async with signals(tmp_path) as (made, reader, progress):
        asked(made, progress, 5, wanted("1"), wanted("2"))
        await all_settled(progress)
        assert (sorted(reader.read_names), progress.to_commit()) == (["1", "2"], {("returngo-deliveries", 0): 6})


async def test_what_fails_is_tried_again_and_settles_then(tmp_path: Path) -> None:
    async with signals(tmp_path) as (made, reader, progress):

        def fails_once() -> Learnt:
            del reader.answers["1"]
            raise Unread("http_503", 0.05)

        reader.answers["1"] = fails_once
        asked(made, progress, 5, wanted("1"))
        await all_settled(progress)
        assert reader.read_names == ["1", "1"]


def out_of_calls() -> Learnt:
    raise Unread("not_sent", 40_000.0)


async def test_news_without_calls_left_is_settled_and_an_effect_waits(tmp_path: Path) -> None:
    async with signals(tmp_path) as (made, reader, progress):
        reader.answers |= {"1": out_of_calls, "2": out_of_calls}
        asked(made, progress, 5, wanted("1", urgency="news"))
        asked(made, progress, 6, wanted("2"))
        await all_settled(progress, left=1)
        assert progress.to_commit() == {("returngo-deliveries", 0): 6}


@pytest.mark.req("OPS-3")
async def test_a_merchant_whose_system_hangs_holds_up_no_other(tmp_path: Path) -> None:
    async with signals(tmp_path) as (made, reader, progress):
        reader.stuck.add("shop-a")
        for offset in range(100):
            asked(made, progress, offset, wanted(str(offset)))
        place = progress.taken("returngo-deliveries", 1, 0, 0)
        made.add([wanted("b", "shop-b")], place)
        await all_settled(progress, left=100)
        assert progress.to_commit()["returngo-deliveries", 1] == 1


async def test_trouble_with_kafka_ends_the_worker_with_its_record_unsettled(tmp_path: Path) -> None:
    async with returngo_source(tmp_path, shop()) as base:
        progress = Progress()
        made = Signals("returngo", base.desk, progress, base.clock)
        base.store.rmas[RMA_ID] = rma()
        base.log.broken = OSError("gone")
        asked(made, progress, 5, wanted(RMA_ID))
        async with asyncio.timeout(10):
            with pytest.raises(OSError, match="gone"):
                await made.run()
        assert progress.unsettled == 1


async def test_a_read_that_began_before_a_rebalance_settles_nothing_of_after_it(tmp_path: Path) -> None:
    async with signals(tmp_path) as (made, reader, progress):
        reader.stuck.add("shop-a")
        asked(made, progress, 5, wanted("1"), wanted("2"))
        async with asyncio.timeout(10):
            while len(reader.read_names) < 2:  # noqa: ASYNC110  the reader is stuck: it tells nobody
                await asyncio.sleep(0.01)
        progress.revoked([MINE])
        made.revoked([MINE])
        place = asked(made, progress, 5, wanted("1"), wanted("2"))
        old, reader.go_on = reader.go_on, asyncio.Event()
        old.set()
        async with asyncio.timeout(10):
            while len(reader.read_names) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (progress.holds(place), progress.to_commit()) == (True, {MINE: 5})
        reader.go_on.set()
        await all_settled(progress)
        assert progress.to_commit() == {MINE: 6}


async def test_reads_that_only_another_workers_records_want_are_not_begun(tmp_path: Path) -> None:
    async with signals(tmp_path) as (made, reader, progress):
        late = Wanted(resource=wanted("1").resource, urgency="effect", cause="signal", after_seconds=60.0)
        asked(made, progress, 5, late)
        other = progress.taken("returngo-deliveries", 1, 0, 0)
        made.add([wanted("2")], other)
        progress.revoked([MINE])
        made.revoked([MINE])
        await all_settled(progress)
        made.add([wanted("3")], progress.taken("returngo-deliveries", 1, 1, 0))
        await all_settled(progress)
        assert (reader.read_names, progress.to_commit()) == (["2", "3"], {("returngo-deliveries", 1): 2})
