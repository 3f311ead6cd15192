"""The wait that a refused request was told, in either form of the Retry-After header. Reads no clock."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

LONGEST_SECONDS = 86_400.0  # nobody asks for more in earnest: then it is asked again


def seconds(headers: httpx.Headers) -> float | None:
    """Seconds to wait, at most a day; a date counts from the answer's own Date header. None: not said or illegible."""
    value = headers.get("retry-after", "").strip()
    try:
        told = float(value)
    except ValueError:
        until, now = moment(value), moment(headers.get("date", ""))
        told = (until - now).total_seconds() if until and now else math.nan
    return None if math.isnan(told) else min(max(0.0, told), LONGEST_SECONDS)


def moment(text: str) -> datetime | None:
    """The time in a header; one without a zone is UTC. None: it is no time."""
    try:
        told = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
