"""Reads resources and publishes what they taught: a few at a time, one at a time each. Touches HTTP, SQL, Kafka."""

import asyncio
import weakref
from collections.abc import Callable
from typing import Protocol

import structlog

from sinks.contract import LEFT_OUT
from streams.sources import telemetry
from streams.sources.again import Again, name_of
from streams.sources.bad_deliveries import BadDeliveries
from streams.sources.fields import Malformed
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.troubles import Troubles
from streams.sources.unexpected import faults_shown
from streams.sources.work import Cause, Learnt, Misconfigured, Resource, Told, Turn, Unexpected, Unread, Urgency

log = structlog.get_logger(__name__)
# So many resources of a merchant on which our code fails, and none that it reads: a bad release, not bad data.
MOST_SET_ASIDE = 5
MOST_OVERTAKEN = 5  # times that others read the same resource at the same time; then it is tried later


class Reader(Protocol):
    """The part of a source that reads."""

    system: str

    async def read(self, resource: Resource, urgency: Urgency, read_at_ms: int) -> Learnt:
        """`read_at_ms` dates what the system does not date: now, but never before an earlier read of the resource.
        Raises Unread, Malformed."""


class Desk:
    """Every read of a process goes through here, whatever asked for it."""

    def __init__(
        self, reader: Reader, outbox: Outbox, memory: Memory, now_ms: Callable[[], int], at_once: int,
        serves: Callable[[str], bool] = lambda _: True,
    ) -> None:  # fmt: skip
        """`serves`: whether there is a usable file for a merchant, which may be gone while its reads wait."""
        self._reader = reader
        self._outbox = outbox
        self._memory = memory
        self._troubles = Troubles(outbox, memory, now_ms)
        self._bad = BadDeliveries(outbox, memory, now_ms)
        self._again = Again(memory)
        self._now_ms = now_ms
        self._at_once = at_once
        self._serves = serves
        self._failing: dict[str, set[Resource]] = {}  # per merchant, since the last one that was read
        self._slots: dict[str, asyncio.Semaphore] = {}  # per merchant: one that is down holds up no other
        self._alone: weakref.WeakValueDictionary[Resource, asyncio.Lock] = weakref.WeakValueDictionary()

    async def read(self, resource: Resource, urgency: Urgency, cause: Cause) -> None:
        """Read, publish, and read what that leads to; raises Unread. A malformed answer is raised to people."""
        alone = self._alone.setdefault(resource, asyncio.Lock())
        slots = self._slots.setdefault(resource.merchant, asyncio.Semaphore(self._at_once))
        async with alone, slots:
            learnt = await self._learn(resource, urgency, cause)
        for each in learnt.more:
            await self.read(each, urgency, cause)

    async def tell(self, told: Told) -> None:
        """Publish what a row of a list taught about a resource; Unread when it was read meanwhile."""
        turn = Turn(resource=told.resource, before=told.before, first=max(self._now_ms(), told.before + 1))
        if not await self._outbox.in_turn(turn, told.facts, told.notes):
            raise Unread("overtaken")

    async def _learn(self, resource: Resource, urgency: Urgency, cause: Cause) -> Learnt:
        outcome, begun_ms = "failed", self._now_ms()
        if not self._serves(resource.merchant):
            return await self._held(resource)
        try:
            with faults_shown(self._reader.system, f"reading {resource.kind}"):
                learnt = await self._in_turn(resource, urgency)
            outcome = "absent" if learnt.absent else "ok"
        except Malformed as error:
            outcome = "malformed"
            await self._malformed(resource, error)
            return Learnt()
        except Misconfigured as error:
            await self._troubles.refused(resource.merchant, resource.kind, error)
            raise
        except Unexpected as error:
            if not self._serves(resource.merchant):
                return await self._held(resource)
            outcome = "unexpected"
            await self._set_aside(resource, error)
            return Learnt()
        except Unread as error:
            if error.reason == LEFT_OUT:
                outcome = LEFT_OUT
                await self._left_out(resource)
                return Learnt()
            log.warning(
                "not_read", merchant=resource.merchant, kind=resource.kind, id=resource.name, reason=error.reason
            )
            raise
        finally:
            telemetry.READS.labels(self._reader.system, cause, outcome).inc()
        await self._well(resource)
        if not learnt.absent:
            await self._bad.read(resource, begun_ms)
        return learnt

    async def _in_turn(self, resource: Resource, urgency: Urgency) -> Learnt:
        """Read and published. Of two reads that overlap, in whatever processes, one is done again: then their facts are
        in the order in which the resource was read."""
        for _ in range(MOST_OVERTAKEN):
            before = await self._memory.turn(resource)
            turn = Turn(resource=resource, before=before, first=max(self._now_ms(), before + 1))
            learnt = await self._reader.read(resource, urgency, turn.first)
            if await self._outbox.in_turn(turn, learnt.facts, {name_of(resource): None, **learnt.notes}):
                return learnt
        raise Unread("overtaken")

    async def _left_out(self, resource: Resource) -> None:
        """It gave way to what matters more: it is read when there are calls for it, or something that matters comes."""
        log.info("left_out", merchant=resource.merchant, kind=resource.kind, id=resource.name)
        notes = self._again.left_out(resource, self._now_ms())
        await self._outbox.facts(resource.merchant, (), notes)

    async def _held(self, resource: Resource) -> Learnt:
        """Its merchant's file is gone: it is read when the file is back."""
        log.info("held", merchant=resource.merchant, kind=resource.kind, id=resource.name)
        await self._outbox.facts(resource.merchant, (), self._again.at_once(resource))
        return Learnt()

    async def _malformed(self, resource: Resource, error: Malformed) -> None:
        detail = f"{resource.kind} {resource.name} as {self._reader.system} gives it: {error}"
        await self._troubles.raised("malformed_delivery", resource.merchant, str(resource), detail)
        await self._outbox.facts(resource.merchant, (), {name_of(resource): None})

    async def _set_aside(self, resource: Resource, error: Unexpected) -> None:
        """It is read again later, and holds up nobody. Raises Unexpected when it looks like a bad release: then records
        stay unsettled, so that nothing drains and people are not flooded."""
        failing = self._failing.setdefault(resource.merchant, set())
        if resource not in failing and len(failing) >= MOST_SET_ASIDE:
            raise error
        failing.add(resource)
        detail = (
            f"expected to read {resource.kind} {resource.name} as {self._reader.system} gives it, our code failed: "
            f"{error.place}. It is read again by itself, at the latest every six hours."
        )
        await self._troubles.raised("undecodable", resource.merchant, str(resource), detail)
        await self._outbox.facts(resource.merchant, (), await self._again.later(resource, self._now_ms()))

    async def _well(self, resource: Resource) -> None:
        """Clears what was wrong before."""
        self._failing.pop(resource.merchant, None)
        await self._troubles.answered(resource.merchant, resource.kind, str(resource))
