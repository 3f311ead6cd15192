"""Reads resources and publishes what they taught: a few at a time, one at a time each. Touches HTTP, SQL, Kafka."""

import asyncio
import weakref
from collections.abc import Callable
from typing import Protocol

import structlog

from streams.sources import telemetry
from streams.sources.fields import Malformed
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.work import Cause, Learnt, Misconfigured, Resource, Unread, Urgency

log = structlog.get_logger(__name__)


class Reader(Protocol):
    """The part of a source that reads."""

    system: str

    async def read(self, resource: Resource, urgency: Urgency) -> Learnt:
        """Raises Unread, Malformed."""


class Desk:
    """Every read of a process goes through here, whatever asked for it."""

    def __init__(self, reader: Reader, outbox: Outbox, memory: Memory, now_ms: Callable[[], int], at_once: int) -> None:
        self._reader = reader
        self._outbox = outbox
        self._memory = memory
        self._now_ms = now_ms
        self._at_once = at_once
        self._slots: dict[str, asyncio.Semaphore] = {}  # per merchant: one that is down holds up no other
        self._turns: weakref.WeakValueDictionary[Resource, asyncio.Lock] = weakref.WeakValueDictionary()

    async def read(self, resource: Resource, urgency: Urgency, cause: Cause) -> None:
        """Read, publish, and read what that leads to; raises Unread. A malformed answer is raised to people."""
        turn = self._turns.setdefault(resource, asyncio.Lock())
        slots = self._slots.setdefault(resource.merchant, asyncio.Semaphore(self._at_once))
        async with turn, slots:
            learnt = await self._learn(resource, urgency, cause)
            await self._outbox.facts(resource.merchant, learnt.facts, learnt.notes)
        for each in learnt.more:
            await self.read(each, urgency, cause)

    async def _learn(self, resource: Resource, urgency: Urgency, cause: Cause) -> Learnt:
        outcome = "failed"
        try:
            learnt = await self._reader.read(resource, urgency)
            outcome = "absent" if learnt.absent else "ok"
        except Malformed as error:
            outcome = "malformed"
            return await self._malformed(resource, error)
        except Misconfigured as error:
            await self._misconfigured(resource.merchant, error)
            raise
        except Unread as error:
            log.warning(
                "not_read", merchant=resource.merchant, kind=resource.kind, id=resource.name, reason=error.reason
            )
            raise
        finally:
            telemetry.READS.labels(self._reader.system, cause, outcome).inc()
        return await self._well(resource, learnt)

    async def _malformed(self, resource: Resource, error: Malformed) -> Learnt:
        detail = f"{resource.kind} {resource.name} as {self._reader.system} gives it: {error}"
        await self._outbox.complain("malformed_delivery", resource.merchant, str(resource), detail, self._now_ms())
        return Learnt(notes={f"problem:{resource}": "malformed_delivery"})

    async def _misconfigured(self, merchant: str, error: Misconfigured) -> None:
        if await self._memory.notes(merchant, ["problem:access"]):
            return  # open already
        detail = f"{self._reader.system} cannot be read: {error.detail}"
        await self._outbox.complain("misconfigured", merchant, "access", detail, self._now_ms())
        await self._memory.keep(merchant, {"problem:access": "misconfigured"})

    async def _well(self, resource: Resource, learnt: Learnt) -> Learnt:
        """Clears what was wrong before."""
        problems = {"problem:access": "access", f"problem:{resource}": str(resource)}
        known = await self._memory.notes(resource.merchant, list(problems))
        for name, kind in known.items():
            await self._outbox.clear(kind, resource.merchant, problems[name], "it was read without trouble")
        if known:
            await self._memory.keep(resource.merchant, dict.fromkeys(known))
        return learnt
