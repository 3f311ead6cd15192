"""The wait that a refused request was told, in either form of the Retry-After header. Reads no clock."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


def seconds(headers: httpx.Headers) -> float | None:
    """Seconds to wait, never negative; a date counts from the answer's own Date header. None: not said or illegible."""
    value = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        until, now = _moment(value), _moment(headers.get("date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
