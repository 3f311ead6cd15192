"""The sandbox's own time: it can be set, moved forward and run faster, so that a day passes in seconds."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Sandbox time = a base moment plus real elapsed seconds times the speed."""

    def __init__(self, start: datetime | None, speed: float) -> None:
        self.speed = speed
        self._base = start or datetime.now(UTC)
        self._mark = time.monotonic()
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        """The sandbox's UTC time."""
        return self._base + timedelta(seconds=(time.monotonic() - self._mark) * self.speed)

    def change(self, moment: datetime | None, speed: float | None, advance_seconds: float) -> None:
        """Sets time and speed, then moves forward; everyone who sleeps looks at the clock again."""
        self._base = (moment or self.now()) + timedelta(seconds=advance_seconds)
        self._mark = time.monotonic()
        self.speed = self.speed if speed is None else speed
        self._changed.set()
        self._changed = asyncio.Event()

    async def sleep_until(self, moment: datetime) -> None:
        """Returns when the sandbox's time has reached `moment`, however it got there."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            changed = self._changed
            real = left / self.speed if self.speed > 0 else 3600.0
            try:
                await asyncio.wait_for(changed.wait(), timeout=max(real, 0.001))
            except TimeoutError:
                continue


def iso(moment: datetime) -> str:
    """UTC with `Z`, to the second, as Shopify's GraphQL writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_offset(moment: datetime) -> str:
    """UTC with `+00:00`, to the second, as ReturnGO and Shopify's webhooks write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
