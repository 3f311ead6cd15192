"""How long a system asks us to wait, in whatever form it says so."""

import httpx
import pytest

from sinks.systems import retry_after
from sinks.systems.returngo.calls import _until_midnight
from sinks.systems.shopify.connection import Bill, ThrottleStatus

NOW = "Sat, 28 Nov 2026 22:00:00 GMT"


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("5", 5.0), ("2.5", 2.5), ("-5", 0.0), ("", None), ("soon", None), ("nan", None), ("1e400", 86_400.0),
        ("inf", 86_400.0), ("99999999999999", 86_400.0), ("Sat, 28 Nov 2026 22:00:30 GMT", 30.0),
        ("Sat, 28 Nov 2026 23:00:30 +0100", 30.0), ("Sat, 28 Nov 2026 21:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -0100", 86_400.0), ("Mon, 01 Jan 99999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 10:00:00 +99999999999999", None), ("Mon, 32 Jan 2026 10:00:00 GMT", None),
    ],
)  # fmt: skip
def test_no_wait_is_longer_than_a_day_and_none_breaks_the_answer(said: str, seconds: float | None) -> None:
    assert retry_after.seconds(httpx.Headers({"retry-after": said, "date": NOW})) == seconds
    assert retry_after.seconds(httpx.Headers({"retry-after": NOW})) is None


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        (NOW, 7200.0),
        ("", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1.0),
        ("Mon, 01 Jan 2026 10:00:00 +9999999999", None),
    ],
)
def test_a_day_ends_by_any_clock(date: str, seconds: float | None) -> None:
    assert _until_midnight(date) == seconds


@pytest.mark.parametrize("rate", [1e-320, 1e-300, 0.0, -5.0])
def test_a_bucket_that_does_not_fill_is_looked_at_again(rate: float) -> None:
    state = ThrottleStatus(maximum_available=2000, currently_available=0, restore_rate=rate)
    assert 0.1 <= Bill(requested_query_cost=1000, throttle_status=state).wait_seconds <= 86_400.0
