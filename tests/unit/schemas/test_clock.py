"""A wall clock that is set while a process runs: noticed once, and no lease of others ends early by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from schemas.clock import HOLD_MS, TOLERANCE_MS, Clock, ahead

HOURS_2 = 7_200_000


class Times:
    """A steady clock, and a wall clock that can be set."""

    def __init__(self) -> None:
        self.steady, self.offset = 1_000, 1_700_000_000_000
        self.clock = Clock(lambda: self.steady + self.offset, lambda: self.steady)


@pytest.mark.parametrize("moved", [HOURS_2, -HOURS_2])
def test_a_jump_is_logged_once(moved: int) -> None:
    times = Times()
    with capture_logs() as logs:
        times.clock.now_ms()
        times.offset += moved
        assert times.clock.now_ms() == times.steady + times.offset
        times.clock.now_ms()
    assert [(each["event"], each["seconds"]) for each in logs] == [("clock_jumped", moved / 1000)]


def test_what_a_time_server_corrects_is_no_jump() -> None:
    times = Times()
    with capture_logs() as logs:
        for _ in range(20):
            times.offset += TOLERANCE_MS
            times.clock.now_ms()
    assert logs == []
    assert times.clock.either_ms() == (times.clock.now_ms(),)


def test_a_lease_of_somebody_else_is_as_long_as_it_was() -> None:
    times = Times()
    until = times.clock.now_ms() + 30_000
    times.offset += HOURS_2
    assert times.clock.sure_ms() < until
    times.steady += 31_000
    assert times.clock.sure_ms() > until
    times.steady += HOLD_MS
    assert times.clock.sure_ms() == times.clock.now_ms()


@given(st.lists(st.tuples(st.integers(0, 60_000), st.integers(-(10**10), 10**10)), max_size=20))
def test_sure_is_never_later_than_now_nor_ahead_of_a_clock_that_never_jumped_forward(
    steps: list[tuple[int, int]],
) -> None:
    times = Times()
    lowest = times.offset
    for passed, moved in steps:
        times.steady, times.offset = times.steady + passed, times.offset + moved
        lowest = min(lowest, times.offset) if passed < HOLD_MS else times.offset
        assert times.clock.sure_ms() <= times.clock.now_ms() == times.steady + times.offset


def test_both_times_are_told_after_a_jump() -> None:
    times = Times()
    before = times.clock.now_ms()
    times.offset -= HOURS_2
    assert times.clock.either_ms() == (before - HOURS_2, before)


def test_a_stored_time_is_ahead_when_no_wait_was_ever_so_long() -> None:
    assert ahead(HOURS_2, 0, 60_000)
    assert not ahead(60_000 + TOLERANCE_MS, 0, 60_000)
