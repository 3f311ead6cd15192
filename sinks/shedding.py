"""What is left out first when the calls of a day grow short. Pure: what was used comes in, hour by hour.

LEFT_OUT_FIRST is the written order. Each use leaves standing what all that matters more is likely to need until the day
ends, so the first of the list gives way first, and what was left out goes out later, as soon as enough is left again.
What is not in the list is never left out: money, inspections, and the pages that find what a webhook did not tell.
"""

import msgspec

from sinks.contract import Limit
from sinks.quota import Priority

LEFT_OUT_FIRST: tuple[Priority, ...] = ("comment", "tracking", "status")
NEVER_LEFT_OUT: tuple[Priority, ...] = ("read", "inspection", "money")
IN_WORDS: dict[Priority, str] = {
    "comment": "comments on returns",
    "tracking": "reads of parcels under way and of new requests",
    "status": "status notes",
    "read": "pages of the lists of changes",
    "inspection": "reads that may lead to a restock or a payment",
    "money": "outcomes of transactions",
}
HOUR_MS = 3_600_000
# A forecast that is a little too high leaves out a comment; one that is too low would leave out money.
SAFETY = 1.15
# What was left out is tried again so often; each try costs no call.
TRY_AGAIN_SECONDS = 900.0


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one kind in one hour, which is counted since the epoch."""

    hour: int
    priority: str
    calls: float


def kept(uses: list[Use], limit: Limit, priority: Priority, now_ms: int) -> float:
    """Calls that this use must leave standing."""
    if priority == "read":
        return limit.reserve
    if priority not in LEFT_OUT_FIRST:
        return 0.0
    more = (*LEFT_OUT_FIRST[LEFT_OUT_FIRST.index(priority) + 1 :], *NEVER_LEFT_OUT)
    return limit.reserve + SAFETY * needed([each for each in uses if each.priority in more], limit, now_ms)


def needed(uses: list[Use], limit: Limit, now_ms: int) -> float:
    """Calls until the period ends: at the rate of the last two hours, or as yesterday, whichever is more."""
    rest_seconds = (resets_ms(limit, now_ms) - now_ms) / 1000
    return max(rate(uses, now_ms) * rest_seconds, _yesterday(uses, limit, now_ms))


def rate(uses: list[Use], now_ms: int) -> float:
    """Calls a second in this hour and the one before."""
    hour = now_ms // HOUR_MS
    recent = sum(each.calls for each in uses if hour - 1 <= each.hour <= hour)
    return recent / (HOUR_MS + now_ms % HOUR_MS) * 1000


def _yesterday(uses: list[Use], limit: Limit, now_ms: int) -> float:
    """What was used in the period before from this time of it on."""
    assert limit.period_seconds is not None
    width = int(limit.period_seconds) * 1000
    first, end = (now_ms - width) // HOUR_MS, (resets_ms(limit, now_ms) - width) // HOUR_MS
    begun = 1 - now_ms % HOUR_MS / HOUR_MS
    return sum(each.calls * (begun if each.hour == first else 1.0) for each in uses if first <= each.hour < end)


def resets_ms(limit: Limit, now_ms: int) -> int:
    """When the period ends: periods are counted from the epoch, so a day begins at midnight UTC."""
    assert limit.period_seconds is not None
    width = int(limit.period_seconds * 1000)
    return (now_ms // width + 1) * width


def ends_ms(uses: list[Use], limit: Limit, left: float, backlog: float, now_ms: int) -> int | None:
    """When nothing will be left, as it goes now; None: it lasts until the period ends.

    `backlog`: calls that wait already. The rate is that of the last two hours or that of the period so far, whichever
    is more.
    """
    assert limit.period_seconds is not None
    ends = resets_ms(limit, now_ms)
    begun_ms = ends - int(limit.period_seconds * 1000)
    today = sum(each.calls for each in uses if each.hour >= begun_ms // HOUR_MS)
    a_second = max(rate(uses, now_ms), today / max(now_ms - begun_ms, HOUR_MS) * 1000)
    free = left - backlog
    if free <= 0:
        return now_ms
    at_ms = now_ms + int(free / a_second * 1000) if a_second > 0 else ends
    return at_ms if at_ms < ends else None
