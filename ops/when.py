"""Times and ages for people. Pure."""

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = {"m": _MINUTE, "h": _HOUR, "d": _DAY}


def at(ms: int | None) -> str:
    """UTC epoch milliseconds as `2026-03-01 14:05:09Z`; below 0 there is no time, as in a record without one."""
    if ms is None:
        return ""
    if ms < 0:
        return "unknown"
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError):
        return "after the year 9999"


def lasting(seconds: float) -> str:
    """A duration in its two largest units: `3 d 4 h`, `12 min 5 s`, `0.4 s`."""
    if seconds < 0:
        return f"-{lasting(-seconds)}"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for size, unit, smaller, small_unit in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit} {rest} {small_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def since(text: str, now_ms: int) -> int:
    """A point in the past as epoch milliseconds: `30m`, `12h`, `7d` before now, or an ISO time (UTC unless it says)."""
    number, unit = text[:-1], text[-1:]
    if number.isdigit() and unit in _UNITS:
        return now_ms - int(number) * _UNITS[unit] * 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected 30m, 12h, 7d or a time such as 2026-03-01T08:00, got {text!r}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
