"""When a merchant's people work, and when a time limit that counts only their hours is reached."""

import functools
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from schemas.merchant_fields import Stage
from schemas.merchant_model import Section

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR_MS = 3_600_000
# Outside of these (1970 to 5138) a fact's time is an error of its system; calendars end in 9999.
_FIRST_MS, _LAST_MS = 0, 100_000_000_000_000
# The longest limit takes 9600 weeks of one such hour, which is quickly counted and ends within the calendar.
_SHORTEST = timedelta(hours=1)


class WorkingHours(Section):
    """The same hours on each working day, in the merchant's time zone."""

    days: tuple[Day, ...] = Field(default=_DAYS[:5], min_length=1)
    opens: time = time(9)
    closes: time = time(17)
    holidays: tuple[date, ...] = ()
    stages: tuple[Stage, ...] = (
        "order",
        "inspection",
        "refund",
        "booking",
        "exchange",
        "credit",
    )  # others: by the clock

    @field_validator("opens", "closes")
    @classmethod
    def _local(cls, at: time) -> time:
        if at.tzinfo is not None:
            raise ValueError("expected a time of day in the merchant's own zone, such as 09:00:00")
        return at

    @model_validator(mode="after")
    def _in_order(self) -> "WorkingHours":
        if self.opens >= self.closes:
            raise ValueError(f"closes: expected a time after opens ({self.opens}), got {self.closes}")
        if _length(self.opens, self.closes) < _SHORTEST:
            raise ValueError(f"closes: expected at least an hour after opens ({self.opens}), got {self.closes}")
        return self


@functools.lru_cache(maxsize=4096)
def reached_ms(since_ms: int, hours: float, working: WorkingHours, zone: str) -> int:
    """When `hours` of working time have passed since `since_ms`; both epoch milliseconds."""
    if not _FIRST_MS <= since_ms < _LAST_MS:
        return since_ms + int(hours * HOUR_MS)
    tz, left = ZoneInfo(zone), int(hours * HOUR_MS)
    day = datetime.fromtimestamp(since_ms / 1000, tz).date()
    while True:
        if _DAYS[day.weekday()] in working.days and day not in working.holidays:
            start = max(_ms(day, working.opens, tz), since_ms)
            span = max(_ms(day, working.closes, tz) - start, 0)
            if span > 0 and span >= left:
                return start + left
            left -= span
        day += timedelta(days=1)


def _length(opens: time, closes: time) -> timedelta:
    return datetime.combine(date.min, closes) - datetime.combine(date.min, opens)


def _ms(day: date, at: time, tz: ZoneInfo) -> int:
    return int(datetime.combine(day, at, tz).astimezone(UTC).timestamp() * 1000)
