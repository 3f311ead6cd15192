"""Time limits that count only the hours in which people work, in the merchant's zone."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.working_hours import HOUR_MS, WorkingHours, reached_ms

BERLIN = "Europe/Berlin"
USUAL = WorkingHours()


def ms(text: str, zone: str = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.req("EXC-3")
@pytest.mark.parametrize(
    ("since", "hours", "reached"),
    [
        ("2026-03-03 10:00", 2, "2026-03-03 12:00"),
        ("2026-03-03 16:00", 2, "2026-03-04 10:00"),
        ("2026-03-03 20:00", 1, "2026-03-04 10:00"),
        ("2026-03-03 03:00", 8, "2026-03-03 17:00"),
        ("2026-03-06 16:00", 2, "2026-03-09 10:00"),  # over a weekend
        ("2026-03-07 12:00", 8, "2026-03-09 17:00"),
        ("2026-03-02 09:00", 40, "2026-03-06 17:00"),
        ("2026-03-27 16:00", 2, "2026-03-30 10:00"),  # clocks change in between
    ],
)
def test_only_working_hours_count(since: str, hours: float, reached: str) -> None:
    assert reached_ms(ms(since), hours, USUAL, BERLIN) == ms(reached)


@pytest.mark.req("EXC-3")
def test_holidays_do_not_count_and_the_zone_is_the_merchants() -> None:
    closed = WorkingHours(holidays=(date(2026, 12, 25),))
    assert reached_ms(ms("2026-12-24 16:00"), 2, closed, BERLIN) == ms("2026-12-28 10:00")
    assert reached_ms(ms("2026-03-03 10:00", "Asia/Tokyo"), 1, USUAL, BERLIN) == ms("2026-03-03 10:00", BERLIN)


def test_the_day_of_the_clock_change_has_its_real_length() -> None:
    always = WorkingHours(days=("sun",), opens=time(0), closes=time(23))
    assert reached_ms(ms("2026-03-29 00:00"), 22, always, BERLIN) == ms("2026-03-29 23:00")


@given(
    since=st.integers(0, 4_000_000_000_000), hours=st.floats(0, 400), more=st.floats(0, 50),
    zone=st.sampled_from([BERLIN, "Asia/Tokyo", "America/St_Johns", "Pacific/Apia"]),
)  # fmt: skip
def test_a_limit_is_reached_within_working_hours_and_later_ones_later(
    since: int, hours: float, more: float, zone: str
) -> None:
    at = reached_ms(since, hours, USUAL, zone)
    assert at >= since + int(hours * HOUR_MS)
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone))
    assert local.weekday() < 5
    assert time(9) <= local.time().replace(microsecond=0) <= time(17)
    assert reached_ms(since, hours + more, USUAL, zone) >= at


@pytest.mark.parametrize("since_ms", [253_402_300_799_000, 2**62, -1, -(2**62)])
def test_a_time_beyond_the_calendar_goes_by_the_clock(since_ms: int) -> None:
    assert reached_ms(since_ms, 1, USUAL, BERLIN) == since_ms + HOUR_MS


def test_the_longest_limit_in_the_shortest_hours_ends_within_the_calendar() -> None:
    """One hour a week, counted from the last time that is believed."""
    rare = WorkingHours(days=("mon",), opens=time(9), closes=time(10))
    assert reached_ms(99_999_999_999_999, 9600, rare, BERLIN) > 99_999_999_999_999
