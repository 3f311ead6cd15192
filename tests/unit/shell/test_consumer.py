"""Reading and committing: no seek, skip or failure lets a commit step over work that is not settled."""

from collections.abc import Callable
from typing import Any

import pytest
from faust.types import TP

from streams.shell.consumer import Batch
from streams.shell.settings import ShellSettings
from tests.unit.shell.fakes import FetchThread, Raw, raws

FACTS, OTHER, CHANGELOG = TP("facts", 0), TP("facts", 1), TP("unit-rows-changelog", 0)


class Reading:
    """A consumer on a scripted thread, with its flow resumed, as after a recovery."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.thread = FetchThread()
        self.consumer = app.transport.create_consumer(callback=_nothing, on_partitions_revoked=_nothing,
                                                      on_partitions_assigned=_nothing)  # fmt: skip
        self.consumer._thread.thread_loop.close()
        self.consumer._thread = self.thread
        self.thread.assigned = {FACTS, OTHER, CHANGELOG}
        app.topics._acking_topics.add("facts")
        app.finalize()
        self.resume()

    def resume(self) -> None:
        self.consumer._set_active_tps(self.thread.assigned)
        self.consumer.resume_flow()
        self.app.flow_control.resume()

    async def read(self, *fetches: dict[TP, list[Raw]]) -> list[Batch]:
        self.thread.fetches.extend(fetches)
        batches = []
        for _ in fetches:
            batches += [batch async for _, batch in self.consumer.getmany(timeout=0.1)]
        return batches

    async def committed(self, tp: TP = FACTS) -> int | None:
        await self.consumer.commit()
        return self.thread.committed.get(tp)


async def _nothing(*_: object) -> None:
    pass


@pytest.fixture
async def reading(build_app: Callable[[ShellSettings], Any], settings: ShellSettings) -> Reading:
    return Reading(build_app(settings))


def offsets(batches: list[Batch]) -> list[tuple[int, int]]:
    return [(batch.first_offset, batch.offset) for batch in batches]


async def test_a_fetch_becomes_batches_of_one_partition_each(reading: Reading) -> None:
    batches = await reading.read({FACTS: raws(FACTS, 0, 1, 2, 3, 4), OTHER: raws(OTHER, 7)})
    assert offsets(batches) == [(0, 2), (3, 4), (7, 7)]


async def test_only_the_contiguous_settled_prefix_is_committed(reading: Reading) -> None:
    first, second, third = await reading.read(*({FACTS: raws(FACTS, n)} for n in (4, 5, 6)))
    assert await reading.committed() is None
    first.done = third.done = True
    assert await reading.committed() == 5
    second.done = True
    assert await reading.committed() == 7


async def test_what_faust_acknowledges_by_itself_is_not_committed(reading: Reading) -> None:
    (batch,) = await reading.read({FACTS: raws(FACTS, 0, 1)})
    reading.consumer.ack(batch)  # as its stream does with a batch of an old generation
    assert await reading.committed() is None


async def test_offsets_that_compaction_removed_do_not_hold_the_commit(reading: Reading) -> None:
    batches = await reading.read({FACTS: raws(FACTS, 0, 9)}, {FACTS: raws(FACTS, 50)})
    for batch in batches:
        batch.done = True
    assert await reading.committed() == 51


async def test_what_was_fetched_across_a_seek_is_read_again(reading: Reading) -> None:
    await reading.read({FACTS: raws(FACTS, 0, 1)})

    async def seek_and_resume() -> None:
        await reading.consumer.perform_seek()
        reading.resume()

    reading.thread.during_fetch = seek_and_resume
    assert await reading.read({FACTS: raws(FACTS, 2, 3)}) == []
    assert reading.thread.seeks == 2  # once by the recovery, once for what is now behind the fetch position
    assert offsets(await reading.read({FACTS: raws(FACTS, 0, 1)})) == [(0, 1)]


async def test_a_partition_without_a_commit_is_sought_to_the_first_batch_not_settled(reading: Reading) -> None:
    await reading.read({FACTS: raws(FACTS, 5, 6)})
    await reading.consumer.perform_seek()
    assert reading.thread.sought[FACTS] == 5


async def test_settled_but_uncommitted_work_is_not_read_again(reading: Reading) -> None:
    first, _ = await reading.read({FACTS: raws(FACTS, 5)}, {FACTS: raws(FACTS, 6)})
    first.done = True
    await reading.consumer.perform_seek()
    assert reading.thread.sought[FACTS] == 6


@pytest.mark.req("INV-14")
async def test_the_first_records_of_a_partition_are_read_again_when_they_were_fetched_across_a_seek(
    reading: Reading,
) -> None:
    async def seek_and_resume() -> None:
        await reading.consumer.perform_seek()
        reading.resume()

    reading.thread.during_fetch = seek_and_resume
    assert await reading.read({FACTS: raws(FACTS, 5, 6)}) == []
    assert reading.thread.sought[FACTS] == 5  # nothing is committed and nothing was handed out: nobody else knows


@pytest.mark.req("INV-14")
async def test_the_first_records_of_a_partition_are_read_again_when_the_flow_was_stopped_meanwhile(
    reading: Reading,
) -> None:
    async def stop() -> None:
        reading.consumer.stop_flow()

    reading.thread.during_fetch = stop
    assert await reading.read({FACTS: raws(FACTS, 0)}) == []
    assert reading.thread.sought[FACTS] == 0


@pytest.mark.req("INV-14")
async def test_the_first_records_of_a_partition_are_read_again_when_a_rebalance_came_before_their_turn(
    reading: Reading,
) -> None:
    reading.thread.fetches.append({FACTS: raws(FACTS, 0), OTHER: raws(OTHER, 3)})
    async for _ in reading.consumer.getmany(timeout=0.1):
        reading.app.consumer_generation_id += 1
    await reading.consumer.perform_seek()
    assert (reading.thread.sought[FACTS], reading.thread.sought[OTHER]) == (0, 3)


@pytest.mark.req("INV-14")
async def test_a_first_commit_that_failed_does_not_hide_that_nothing_is_committed(reading: Reading) -> None:
    first, _ = await reading.read({FACTS: raws(FACTS, 5)}, {FACTS: raws(FACTS, 6)})
    first.done = True
    reading.thread.commits_succeed = False
    assert await reading.committed() is None
    await reading.consumer.perform_seek()
    assert reading.thread.sought[FACTS] == 6


async def test_a_batch_from_before_a_seek_cannot_move_the_commit(reading: Reading) -> None:
    (batch,) = await reading.read({FACTS: raws(FACTS, 0)})
    await reading.consumer.perform_seek()
    batch.done = True
    assert await reading.committed() is None


async def test_after_a_failed_seek_nothing_is_handed_out_before_one_succeeds(reading: Reading) -> None:
    reading.thread.seeks_fail = 2
    with pytest.raises(TimeoutError):
        await reading.consumer.perform_seek()
    reading.resume()
    with pytest.raises(TimeoutError):
        await reading.read({FACTS: raws(FACTS, 8)})
    assert await reading.read({FACTS: raws(FACTS, 8)}) == []
    assert offsets(await reading.read({FACTS: raws(FACTS, 0)})) == [(0, 0)]


async def test_a_seek_leaves_flow_and_queues_stopped(reading: Reading) -> None:
    await reading.consumer.perform_seek()
    assert not reading.consumer.flow_active
    assert not reading.app.flow_control.is_active()


async def test_what_is_fetched_while_the_flow_is_stopped_is_sought_back(reading: Reading) -> None:
    async def stop() -> None:
        reading.consumer.stop_flow()

    reading.thread.committed[FACTS] = 3
    reading.thread.during_fetch = stop
    assert await reading.read({FACTS: raws(FACTS, 3)}) == []
    assert reading.thread.sought[FACTS] == 3


async def test_a_seek_puts_the_changelog_where_the_rows_end(reading: Reading) -> None:
    table = reading.app.tables["rows"]
    table.data.write(0, {b"a": b"1"}, 41)
    await reading.consumer.perform_seek()
    assert reading.thread.sought[CHANGELOG] == 42


async def test_a_partition_under_back_pressure_keeps_what_was_fetched_for_it(reading: Reading) -> None:
    reading.app.in_recovery = False

    async def press() -> None:
        reading.consumer.on_buffer_full(FACTS)

    reading.thread.during_fetch = press
    assert offsets(await reading.read({FACTS: raws(FACTS, 0)})) == [(0, 0)]


async def test_a_standby_under_back_pressure_keeps_what_was_fetched_for_it(reading: Reading) -> None:
    reading.app.in_recovery = False

    async def press() -> None:
        reading.consumer.on_buffer_full(CHANGELOG)

    reading.thread.during_fetch = press
    assert offsets(await reading.read({CHANGELOG: raws(CHANGELOG, 0)})) == [(0, 0)]


async def test_a_changelog_that_was_paused_meanwhile_is_dropped(reading: Reading) -> None:
    async def pause() -> None:
        reading.consumer.pause_partitions({CHANGELOG})

    reading.thread.during_fetch = pause
    assert offsets(await reading.read({CHANGELOG: raws(CHANGELOG, 0), FACTS: raws(FACTS, 1)})) == [(1, 1)]


async def test_a_new_generation_ends_the_handing_out(reading: Reading) -> None:
    reading.thread.fetches.append({FACTS: raws(FACTS, 0), OTHER: raws(OTHER, 0)})
    handed = []
    async for tp, _ in reading.consumer.getmany(timeout=0.1):
        handed.append(tp)
        reading.app.consumer_generation_id += 1
    assert handed == [FACTS]


async def test_revoked_partitions_are_committed_and_forgotten(reading: Reading) -> None:
    (batch,) = await reading.read({FACTS: raws(FACTS, 0)})
    batch.done = True
    await reading.consumer.on_partitions_revoked({FACTS})
    assert await reading.committed() is None
    assert reading.consumer.oldest_unsettled_seconds() == 0.0


async def test_the_age_of_unsettled_and_of_uncommitted_work_is_known(reading: Reading) -> None:
    (batch,) = await reading.read({FACTS: raws(FACTS, 0)})
    assert reading.consumer.oldest_unsettled_seconds() > 0
    batch.done = True
    assert reading.consumer.oldest_unsettled_seconds() == 0
    reading.thread.commits_succeed = False
    await reading.consumer.commit()
    assert reading.consumer.uncommitted_seconds() > 0
    reading.thread.commits_succeed = True
    reading.consumer._committed_offset.clear()  # Faust notes a failed commit as done, until partitions are revoked
    assert await reading.committed() == 1
    assert reading.consumer.uncommitted_seconds() == 0
