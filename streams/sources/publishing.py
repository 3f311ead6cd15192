"""What a source writes to Kafka: facts not sent before, exceptions, dead letters. Returns when Kafka has acknowledged.

Order of work: facts acknowledged, then remembered as sent, then (by the caller) the offset committed. A crash between
two steps sends a fact again, under the same id.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, assert_never

from schemas import exceptions, ids, topics
from schemas.codec import Codec
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import ObservedEffect, OrderSnapshot, ReturnEvent
from schemas.stock import StockItem, StockLevel
from sinks import dead_letter
from sinks.redact import redact
from sinks.work import Received
from streams.sources import telemetry
from streams.sources.memory import Memory
from streams.sources.work import Fact


class Kafka(Protocol):
    """See sinks.publish.Publisher."""

    async def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Returns when the record is acknowledged."""


class Outbox:
    """One system's way out."""

    def __init__(self, *, kafka: Kafka, codec: Codec, memory: Memory, system: str, now_ms: Callable[[], int]) -> None:
        self._kafka = kafka
        self._codec = codec
        self._memory = memory
        self._system = system
        self._now_ms = now_ms

    async def facts(self, merchant: str, facts: Iterable[Fact], notes: Mapping[str, str | None]) -> int:
        """Send the facts that were not sent before, and remember them with the notes; returns how many were news."""
        by_slot = {slot(each): each for each in facts}
        unsent = await self._memory.unsent(merchant, {name: each.fact_id for name, each in by_slot.items()})
        news = {name: each for name, each in by_slot.items() if name in unsent}
        await asyncio.gather(*(self._send(each) for each in news.values()))
        if news or notes:
            await self._memory.sent(merchant, {name: each.fact_id for name, each in news.items()}, notes)
        telemetry.KNOWN_FACTS.labels(self._system).inc(len(by_slot) - len(news))
        return len(news)

    async def _send(self, fact: Fact) -> None:
        topic, key = address(fact)
        await self._kafka.publish(topic, key, self._codec.encode(fact))
        telemetry.FACTS.labels(self._system, type(fact).__name__).inc()

    async def complain(
        self, kind: str, merchant: str, subject: str, detail: str, at_ms: int, *, order_id: str = "", rma_id: str = ""
    ) -> str:
        """Raise an exception; the same cause has the same id, which is returned."""
        named = exception_id(self._system, kind, merchant, subject)
        raised = exceptions.raised(
            kind, exception_id=named, merchant=merchant, detail=redact(detail), at_ms=at_ms, order_id=order_id,
            rma_id=rma_id, system=self._system,
        )  # fmt: skip
        await self._exception(raised)
        telemetry.EXCEPTIONS.labels(self._system, kind).inc()
        return named

    async def clear(self, kind: str, merchant: str, subject: str, why: str) -> None:
        """The cause is gone."""
        named = exception_id(self._system, kind, merchant, subject)
        cleared = ExceptionCleared(
            exception_id=named, type=kind, merchant=merchant, cleared_at_ms=self._now_ms(), why=why
        )
        await self._exception(cleared)

    async def _exception(self, record: ExceptionRaised | ExceptionCleared) -> None:
        await self._kafka.publish(topics.EXCEPTIONS, record.exception_id.encode(), self._codec.encode(record))

    async def dead_letter(self, received: Received, reason: str, detail: str) -> None:
        """The record's original bytes, with the reason in its headers."""
        headers = dead_letter.headers(
            received, stage="read", reason=reason, detail=detail, attempts=1, now_ms=self._now_ms(), command_id=""
        )
        await self._kafka.publish(topics.dead_letters(self._system), received.key, received.value, headers)
        telemetry.DEAD_LETTERS.labels(self._system, reason).inc()


def exception_id(system: str, kind: str, merchant: str, subject: str) -> str:
    """Identity of a cause that a source raises."""
    return ids.exception_id(merchant=merchant, kind=kind, order_id="", rma_id="", subject=f"source {system} {subject}")


def slot(fact: Fact) -> str:
    """Where the last sent fact is remembered. States of one thing share a slot; an event has one of its own."""
    match fact:
        case OrderSnapshot():
            return f"order:{fact.order_id}"
        case StockItem():
            return f"item:{fact.sku}"
        case StockLevel():
            return f"level:{fact.location_id}:{fact.sku}"
        case ReturnEvent() | ObservedEffect():
            return f"fact:{fact.fact_id}"
        case _:
            assert_never(fact)


def address(fact: Fact) -> tuple[str, bytes]:
    """Topic and key of a fact."""
    match fact:
        case ReturnEvent():
            return topics.RETURN_EVENTS, ids.order_key(fact.merchant, fact.order_id)
        case OrderSnapshot():
            return topics.ORDER_SNAPSHOTS, ids.order_key(fact.merchant, fact.order_id)
        case ObservedEffect():
            return topics.OBSERVED_EFFECTS, ids.order_key(fact.merchant, fact.order_id)
        case StockItem():
            return topics.STOCK_ITEMS, ids.sku_key(fact.merchant, fact.sku)
        case StockLevel():
            return topics.STOCK_LEVELS, ids.sku_key(fact.merchant, fact.sku)
        case _:
            assert_never(fact)
