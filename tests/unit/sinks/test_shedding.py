"""What is left out first when the calls of a day grow short: the order, what each use leaves standing, the forecast."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import shedding
from sinks.contract import Limit
from sinks.quota import Priority
from sinks.shedding import HOUR_MS, IN_WORDS, LEFT_OUT_FIRST, NEVER_LEFT_OUT, Use

DAY = Limit(name="day", capacity=2000.0, per_second=0.0, period_seconds=86_400.0, reserve=300.0)
MIDNIGHT_MS = 1_767_225_600_000  # 2026-01-01 00:00 UTC
USES = st.lists(
    st.builds(
        Use, hour=st.integers(MIDNIGHT_MS // HOUR_MS - 30, MIDNIGHT_MS // HOUR_MS + 23),
        priority=st.sampled_from(get_args(Priority)), calls=st.floats(0, 500),
    )
)  # fmt: skip


def uses(hours: range, **calls: float) -> list[Use]:
    """So many calls of each kind in each of the hours after midnight."""
    return [Use(hour=MIDNIGHT_MS // HOUR_MS + h, priority=p, calls=n) for h in hours for p, n in calls.items()]


@pytest.mark.req("OPS-3")
def test_the_order_is_written_down_and_every_use_has_its_place() -> None:
    assert LEFT_OUT_FIRST == ("comment", "tracking", "status")
    assert {*LEFT_OUT_FIRST, *NEVER_LEFT_OUT} == set(get_args(Priority)) == IN_WORDS.keys()


@given(USES, st.integers(0, 86_399_999))
def test_what_matters_less_leaves_more_standing(found: list[Use], later_ms: int) -> None:
    """Whatever was used, and whenever: so it gives way before the others."""
    kept = [shedding.kept(found, DAY, each, MIDNIGHT_MS + later_ms) for each in LEFT_OUT_FIRST]
    assert kept == sorted(kept, reverse=True)
    assert all(each >= DAY.reserve for each in kept)
    assert shedding.kept(found, DAY, "read", MIDNIGHT_MS + later_ms) == DAY.reserve
    assert {shedding.kept(found, DAY, each, MIDNIGHT_MS + later_ms) for each in ("inspection", "money")} == {0.0}


def test_nothing_is_kept_for_what_nobody_needs() -> None:
    quiet = uses(range(12), comment=40.0)
    assert shedding.kept(quiet, DAY, "comment", MIDNIGHT_MS + 12 * HOUR_MS) == 300.0


def test_what_matters_more_is_kept_for_the_rest_of_the_day() -> None:
    """50 an hour, twelve hours left."""
    busy = uses(range(12), inspection=40.0, money=10.0, comment=70.0)
    kept = shedding.kept(busy, DAY, "comment", MIDNIGHT_MS + 12 * HOUR_MS)
    assert kept == pytest.approx(300 + 1.15 * 50 * 12)


def test_the_day_before_tells_what_a_quiet_night_does_not() -> None:
    yesterday = uses(range(-12, 0), inspection=100.0)
    at_noon = shedding.kept(yesterday, DAY, "status", MIDNIGHT_MS - 12 * HOUR_MS + 24 * HOUR_MS)
    assert at_noon == pytest.approx(300 + 1.15 * 1200)


def test_the_forecast_says_when_the_budget_ends() -> None:
    """1 000 calls in ten hours, 100 an hour: 500 that are left last five."""
    busy = uses(range(10), inspection=100.0)
    now_ms = MIDNIGHT_MS + 10 * HOUR_MS
    assert shedding.ends_ms(busy, DAY, 500.0, 0.0, now_ms) == pytest.approx(now_ms + 5 * HOUR_MS)
    assert shedding.ends_ms(busy, DAY, 500.0, 200.0, now_ms) == pytest.approx(now_ms + 3 * HOUR_MS)
    assert shedding.ends_ms(busy, DAY, 500.0, 600.0, now_ms) == now_ms
    assert shedding.ends_ms(busy, DAY, 1500.0, 0.0, now_ms) is None
    assert shedding.ends_ms([], DAY, 1.0, 0.0, now_ms) is None
