"""Deadlines: none is lost, none fires for a row that has moved on."""

from hypothesis import given
from hypothesis import strategies as st

from streams.shell.deadlines import Deadlines


def fired(deadlines: Deadlines, now_ms: int, limit: int = 100) -> list[tuple[int, bytes, int]]:
    return sorted(deadlines.reached(now_ms, limit))


def test_a_deadline_fires_when_its_time_has_come_and_again_until_its_row_moves_on() -> None:
    deadlines = Deadlines(repeat_ms=60)
    deadlines.update(1, {b"a": 100})
    assert fired(deadlines, 99) == []
    assert fired(deadlines, 100) == [(1, b"a", 100)]
    assert fired(deadlines, 159) == []
    assert fired(deadlines, 160) == [(1, b"a", 100)]
    deadlines.update(1, {b"a": None})
    assert fired(deadlines, 1000) == []


def test_a_row_that_is_decided_on_with_the_same_due_time_waits_for_the_repeat() -> None:
    deadlines = Deadlines(repeat_ms=60)
    deadlines.update(1, {b"a": 100})
    fired(deadlines, 100)
    deadlines.update(1, {b"a": 100})
    assert fired(deadlines, 110) == []


def test_a_moved_deadline_fires_once_at_its_new_time() -> None:
    deadlines = Deadlines(repeat_ms=60)
    deadlines.update(1, {b"a": 100})
    deadlines.update(1, {b"a": 300})
    deadlines.update(1, {b"a": 200})
    assert fired(deadlines, 199) == []
    assert fired(deadlines, 300) == [(1, b"a", 200)]


def test_the_limit_leaves_the_rest_for_the_next_tick() -> None:
    deadlines = Deadlines(repeat_ms=60)
    deadlines.fill(1, [(b"%d" % n, n) for n in range(10)])
    deadlines.fill(2, [(b"z", 5)])
    first = fired(deadlines, 50, limit=8)
    assert len(first) == 8
    assert len(set(first + fired(deadlines, 50))) == 11


def test_only_kept_partitions_fire_and_new_ones_are_named() -> None:
    deadlines = Deadlines(repeat_ms=60)
    deadlines.fill(1, [(b"a", 1)])
    deadlines.fill(2, [(b"b", 1)])
    assert deadlines.keep({2, 3}) == {3}
    assert fired(deadlines, 10) == [(2, b"b", 1)]


def test_a_dropped_deadline_is_silent_until_its_row_sets_one_again() -> None:
    deadlines = Deadlines(repeat_ms=60)
    deadlines.update(1, {b"a": 1})
    deadlines.drop(1, b"a")
    assert fired(deadlines, 10) == []
    deadlines.update(1, {b"a": 1})
    assert fired(deadlines, 10) == [(1, b"a", 1)]


updates = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.none() | st.integers(0, 50)), max_size=2000)


@given(updates)
def test_after_any_updates_exactly_the_last_due_times_fire(changes: list[tuple[bytes, int | None]]) -> None:
    deadlines = Deadlines(repeat_ms=60)
    for key, due in changes:
        deadlines.update(1, {key: due})
    assert fired(deadlines, 50) == sorted((1, key, due) for key, due in dict(changes).items() if due is not None)
    assert len(deadlines) == sum(due is not None for due in dict(changes).values())


def test_a_clock_set_back_puts_no_repeat_off() -> None:
    deadlines = Deadlines(repeat_ms=60_000)
    now, back = 10_000_000, 7_200_000
    deadlines.fill(0, [(b"a", now - 1), (b"later", now + 1)])
    assert [key for _, key, _ in deadlines.reached(now, 10)] == [b"a"]
    assert list(deadlines.reached(now - back, 10)) == []
    assert [key for _, key, _ in deadlines.reached(now - back + 60_000, 10)] == [b"a"]
    assert list(deadlines.reached(now - back + 61_000, 10)) == []
    assert [key for _, key, _ in deadlines.reached(now + 1, 10)] == [b"a", b"later"]  # what is due is due by the date
