"""The way to one quota of one merchant: leases from the ledger, spends, reports. May touch the ledger, may wait."""

import asyncio
import time
from collections.abc import Callable

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from schemas.clock import steady_ms
from sinks.contract import LeftOut, Limit, NotSent, Seen
from sinks.ledger import quotas
from sinks.ledger.ledger import Ledger
from sinks.quota import SEEN_SECONDS, Priority

# A holder that does not report for this long is forgotten; longer than any request may take.
HOLDER_SECONDS = 60.0
# A lease that was not spent by then goes back: meanwhile the system's bucket filled up without it.
LEASE_SECONDS = 5.0
# A lease that nobody spends from for this long is given back: somebody else may need it.
IDLE_SECONDS = 0.8
# Other processes may return tokens: ask again after this long even if the ledger said to wait longer.
ASK_AGAIN_SECONDS = 5.0


log = structlog.get_logger()


class Gate:
    """One limit of one merchant's system at one priority. `patience_seconds` is the longest wait inside `take`."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        merchant: str,
        system: str,
        limit: Limit,
        priority: Priority,
        holder: str,
        patience_seconds: float,
        now_ms: Callable[[], int],
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self.limit = limit
        self._ledger = ledger
        self._merchant = merchant
        self._system = system
        self._priority = priority
        self._holder = f"{holder}/{priority}"
        self._patience_seconds = patience_seconds
        self._now_ms = now_ms
        self._steady_ms = steady_ms
        self._turn = asyncio.Lock()  # first come, first served
        self._lease = 0.0
        self._leased_at = 0.0
        self._under_way = 0.0
        self._used = 0.0  # and not reported
        self._touched_at = 0.0
        self._idling: asyncio.Task[None] | None = None
        self._closed_until_ms = 0  # asking the ledger before that is of no use (steady clock)
        self._seen: Seen | None = None
        self._seen_at = 0.0

    async def take(self, cost: float) -> None:
        """Returns when `cost` may be spent; raises NotSent when that would take longer than we have patience."""
        if not self._turn.locked() and self._enough(cost):
            self._spend(cost)  # nobody waits: no need to queue, which would cost a turn of the event loop each
            return
        deadline = time.monotonic() + self._patience_seconds
        async with self._turn:
            while not self._enough(cost):
                wait = await self._ask(cost)
                if wait <= 0:
                    continue
                if time.monotonic() + wait > deadline:
                    raise self._refusal(wait)
                await asyncio.sleep(min(wait, ASK_AGAIN_SECONDS))
            self._spend(cost)

    def _refusal(self, wait_seconds: float) -> NotSent:
        if quotas.gives_way(self.limit, self._priority):
            return LeftOut(f"left out: the calls of the {self.limit.name} grow short", wait_seconds)
        return NotSent(f"quota {self.limit.name} is used up", wait_seconds)

    def _enough(self, cost: float) -> bool:
        return self._lease >= cost and time.monotonic() - self._leased_at <= LEASE_SECONDS

    def _spend(self, cost: float) -> None:
        self._lease -= cost
        self._under_way += cost
        self._touched_at = time.monotonic()
        if self._idling is None or self._idling.done():
            self._idling = asyncio.get_running_loop().create_task(self._give_back_when_idle())

    async def _ask(self, cost: float) -> float:
        known = (self._closed_until_ms - self._steady_ms()) / 1000
        if known > self._patience_seconds:
            return known
        returned, self._lease = self._lease, 0.0
        granted = await self._ledger.do(quotas.ask, self._request(need=cost, returned=returned))
        self._lease += granted.tokens
        self._leased_at = time.monotonic()
        ahead = granted.wait_seconds
        if not quotas.gives_way(self.limit, self._priority):  # what gives way does not hurry
            ahead = min(ahead, self._patience_seconds + ASK_AGAIN_SECONDS)
        self._closed_until_ms = self._steady_ms() + int(ahead * 1000)
        return granted.wait_seconds

    def _request(self, *, need: float, returned: float) -> quotas.Ask:
        now_ms = self._now_ms()
        seen, self._seen = self._fresh_look(), None
        used, self._used = self._used, 0.0
        return quotas.Ask(
            merchant=self._merchant,
            system=self._system,
            limit=self.limit,
            holder=self._holder,
            priority=self._priority,
            need=need,
            returned=returned,
            outstanding=self._under_way + self._lease,
            now_ms=now_ms,
            until_ms=now_ms + int(HOLDER_SECONDS * 1000),
            used=used,
            seen=seen,
        )

    def _fresh_look(self) -> Seen | None:
        age = time.monotonic() - self._seen_at
        if self._seen is None or age > SEEN_SECONDS:
            return None
        return self._aged(self._seen, age)

    def _aged(self, seen: Seen, age_seconds: float) -> Seen:
        if seen.available is None:
            return seen
        rate = seen.per_second or self.limit.per_second
        return msgspec.structs.replace(seen, available=seen.available + rate * age_seconds)

    async def answered(self, cost: float, seen: Seen | None) -> None:
        """The request of that cost was answered; `seen` is what the answer says about the bucket."""
        self._under_way -= cost
        self._used += cost
        self._touched_at = time.monotonic()
        if seen is None:
            return
        if seen.spent is not None:
            self._lease += cost - seen.spent
        if seen.retry_after_seconds is not None:
            await self._refused(seen)
        elif seen.available is not None or seen.per_second is not None or seen.capacity is not None:
            self._remember(seen)

    async def _refused(self, seen: Seen) -> None:
        # Whatever we believed, the system has less: nobody may spend before it says so.
        returned, self._lease = self._lease, 0.0
        request = self._request(need=0.0, returned=returned)
        await self._ledger.do(quotas.ask, msgspec.structs.replace(request, seen=seen))

    def _remember(self, seen: Seen) -> None:
        # Answers overtake each other: the lowest recent count is the one to trust.
        now = time.monotonic()
        if self._seen is not None and self._seen.available is not None and seen.available is not None:
            earlier = self._aged(self._seen, now - self._seen_at).available
            if earlier is not None and earlier < seen.available and now - self._seen_at < SEEN_SECONDS:
                return
        self._seen, self._seen_at = seen, now

    def unused(self, cost: float) -> None:
        """The request of that cost did not go out."""
        self._under_way -= cost
        self._lease += cost

    async def _give_back_when_idle(self) -> None:
        while self._lease > 0 or self._under_way > 0 or self._used > 0:
            quiet = time.monotonic() - self._touched_at
            if quiet < IDLE_SECONDS:
                await asyncio.sleep(IDLE_SECONDS - quiet)
            elif self._turn.locked() or (self._under_way > 0 and self._lease <= 0):
                await asyncio.sleep(IDLE_SECONDS)
            elif not await self._give_back():
                return

    async def _give_back(self) -> bool:
        """Whether the ledger took it; what it does not take is forgotten there when the holder is."""
        async with self._turn:
            returned, self._lease = self._lease, 0.0
            try:
                await self._ledger.do(quotas.ask, self._request(need=0.0, returned=returned))
            except SQLAlchemyError as error:  # the next request of this gate meets it, and is the one to tell
                log.warning("lease_not_returned", system=self._system, error=type(error).__name__)
                return False
        return True

    async def close(self) -> None:
        """Give back what was leased and not spent, and report what was spent."""
        if self._idling is not None:
            async with self._turn:  # it may just be giving back
                self._idling.cancel()
            await asyncio.wait({self._idling})
        returned, self._lease = self._lease, 0.0
        if returned or self._used:
            await self._ledger.do(quotas.ask, self._request(need=0.0, returned=returned))
