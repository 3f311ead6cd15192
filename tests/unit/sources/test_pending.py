"""Signals gather into reads; what is settled may be committed, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from streams.sources.pending import Pending
from streams.sources.progress import Progress
from streams.sources.repeats import Repeats
from streams.sources.signals import LONGEST_WAIT_MS, wait_ms
from streams.sources.work import Place, Resource, Urgency, Wanted

MINE = ("returngo-deliveries", 0)


def wanted(name: str, after_seconds: float = 5.0, urgency: Urgency = "news") -> Wanted:
    resource = Resource(merchant="shop-a", kind="rma", name=name)
    return Wanted(resource=resource, urgency=urgency, cause="signal", after_seconds=after_seconds)


def place(offset: int, partition: int = 0) -> Place:
    return Place("returngo-deliveries", partition, offset)


def test_signals_for_one_resource_are_one_read_at_the_time_of_the_first() -> None:
    pending = Pending()
    for second, offset in enumerate((10, 11, 12)):
        pending.add(wanted("7"), place(offset), second * 1000)
    assert pending.take(4_999, 9) == []
    (waiting,) = pending.take(5_000, 9)
    assert waiting.places == [place(10), place(11), place(12)]
    assert (pending.next_due_ms(), len(pending)) == (None, 1)
    pending.done(waiting)
    assert len(pending) == 0


def test_one_signal_that_matters_makes_the_read_matter() -> None:
    pending = Pending()
    pending.add(wanted("7"), place(1), 0)
    pending.add(wanted("7", urgency="effect"), place(2), 0)
    assert pending.take(5_000, 1)[0].urgency == "effect"


def test_a_signal_during_a_read_asks_for_another_one_after_it() -> None:
    pending = Pending()
    pending.add(wanted("7", 0), place(1), 0)
    (first,) = pending.take(0, 9)
    pending.add(wanted("7", 0), place(2), 1)
    assert pending.take(2, 9) == []
    pending.done(first)
    assert [each.places for each in pending.take(3, 9)] == [[place(2)]]


def test_a_read_that_failed_waits_with_what_came_meanwhile() -> None:
    pending = Pending()
    pending.add(wanted("7", 0), place(1), 0)
    (first,) = pending.take(0, 9)
    pending.add(wanted("7", 0, "effect"), place(2), 1)
    pending.again(first, 500)
    assert pending.take(499, 9) == []
    (again,) = pending.take(500, 9)
    assert (again.places, again.attempts, again.urgency) == ([place(1), place(2)], 1, "effect")


def test_no_more_are_taken_than_asked_for_and_the_oldest_first() -> None:
    pending = Pending()
    for offset, name in enumerate("abc"):
        pending.add(wanted(name, 3 - offset), place(offset), 0)
    assert [each.resource.name for each in pending.take(9_000, 2)] == ["c", "b"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=40), st.data())
def test_every_record_is_settled_by_some_read(signals: list[tuple[str, int]], data: st.DataObject) -> None:
    pending, settled, now_ms = Pending(), set(), 0
    for offset, (name, passes) in enumerate(signals):
        now_ms += passes
        pending.add(wanted(name, 0.01), place(offset), now_ms)
        for waiting in pending.take(now_ms, data.draw(st.integers(0, 3))):
            if data.draw(st.booleans()):
                pending.again(waiting, now_ms + 5)
            else:
                pending.done(waiting)
                settled.update(waiting.places)
    while len(pending):
        now_ms += 1
        for waiting in pending.take(now_ms, 9):
            pending.done(waiting)
            settled.update(waiting.places)
    assert settled == {place(offset) for offset in range(len(signals))}


def test_a_commit_stops_before_the_first_record_that_is_not_settled() -> None:
    progress = Progress()
    for offset in (3, 4, 5):
        progress.taken(*MINE, offset, 100 + offset)
    progress.joined(place(3), 1)
    progress.settled(place(4))
    progress.settled(place(3))
    assert (progress.to_commit(), progress.unsettled, progress.oldest_ms()) == ({("returngo-deliveries", 0): 3}, 2, 103)
    progress.settled(place(3))
    assert progress.to_commit() == {("returngo-deliveries", 0): 5}
    progress.committed(progress.to_commit())
    assert progress.to_commit() == {}


def test_what_went_to_another_worker_is_no_longer_ours_to_commit() -> None:
    progress = Progress()
    before = progress.taken(*MINE, 7, 0)
    progress.taken("returngo-deliveries", 1, 1, 0)
    progress.revoked([MINE])
    progress.settled(before)
    assert (progress.unsettled, progress.to_commit()) == (1, {("returngo-deliveries", 1): 1})
    again = progress.taken(*MINE, 7, 0)  # it came back, from where the other one had committed
    progress.settled(before)
    assert (progress.holds(before), progress.to_commit()[MINE]) == (False, 7)
    progress.settled(again)
    assert progress.to_commit()[MINE] == 8


@given(st.lists(st.sampled_from(["consume", "ask", "end", "commit", "lose"]), max_size=60), st.data())
def test_no_order_of_reads_and_rebalances_commits_past_a_record_that_is_not_done(
    steps: list[str], data: st.DataObject
) -> None:
    progress, at, committed = Progress(), 0, 0
    places: list[Place] = []  # as consumed; what is still to be done for each, and whether its partition went since
    left: list[int] = []
    stale: list[bool] = []
    for step in steps:
        chosen = data.draw(st.integers(0, len(places) - 1)) if places else None
        match step:
            case "consume":
                places.append(progress.taken(*MINE, at, 0))
                left.append(1)
                stale.append(False)
                at += 1
            case "ask" if chosen is not None and left[chosen]:
                progress.joined(places[chosen], 1)
                left[chosen] += 1
            case "end" if chosen is not None and left[chosen]:
                progress.settled(places[chosen])
                left[chosen] -= 1
            case "commit":
                committed = progress.to_commit().get(MINE, committed)
                progress.committed({MINE: committed})
            case "lose":  # and it comes back at once, from where it was committed
                progress.revoked([MINE])
                stale, at = [True] * len(places), committed
        undone = [place.offset for place, more, gone in zip(places, left, stale, strict=True) if more and not gone]
        assert progress.to_commit().get(MINE, 0) <= min(undone, default=at)


def test_what_is_forgotten_is_neither_read_nor_tried_again() -> None:
    pending = Pending()
    pending.add(wanted("begun", 0), place(1), 0)
    (begun,) = pending.take(0, 9)
    for name, partition in (("gone", 0), ("shared", 0), ("shared", 1), ("begun", 1)):
        pending.add(wanted(name, 0), place(2, partition), 0)
    pending.forget({MINE})
    pending.again(begun, 1)
    assert {each.resource.name: each.places for each in pending.take(9, 9)} == {
        "begun": [place(2, 1)], "shared": [place(2, 1)],
    }  # fmt: skip


def test_repeats_are_remembered_within_bounds() -> None:
    repeats = Repeats(most=2)
    assert [repeats.seen(each) for each in "aabca"] == [False, True, False, False, False]
    repeats.clear()
    assert not repeats.seen("a")


def test_waits_double_follow_the_system_and_end_at_a_minute() -> None:
    assert [wait_ms(each, None) for each in (0, 1, 2, 50)] == [500, 1000, 2000, LONGEST_WAIT_MS]
    assert (wait_ms(9, 3.0), wait_ms(0, 90_000.0)) == (3100, LONGEST_WAIT_MS)
