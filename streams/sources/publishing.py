"""What a source writes to Kafka: facts not sent before, exceptions, dead letters. Returns when Kafka has acknowledged.

Order of work: numbers taken in the resource's order of reading, facts acknowledged, then remembered as sent, then (by
the caller) the offset committed. A crash between two steps sends a fact again, under the same id.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, assert_never

import msgspec

from schemas import exceptions, ids, topics
from schemas.codec import Codec
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.facts import ObservedEffect, OrderSnapshot, ReturnEvent
from schemas.stock import StockItem, StockLevel, row_key
from sinks import dead_letter
from sinks.redact import redact
from sinks.work import Received
from streams.sources import telemetry
from streams.sources.memory import Memory
from streams.sources.work import Fact, Turn


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
        slots, news = await self._news(merchant, facts)
        await asyncio.gather(*map(self._send, news))
        if news or notes:
            await self._memory.sent(merchant, slots, notes)
        return len(news)

    async def in_turn(self, turn: Turn, facts: Iterable[Fact], notes: Mapping[str, str | None]) -> bool:
        """As `facts`, of one read, with the next numbers in its resource's order of reading. False: the resource was
        read by somebody else meanwhile, who may have found what is newer or older; it must be read again."""
        slots, news = await self._news(turn.resource.merchant, facts)
        last = turn.before
        if news:
            last = turn.first + len(news) - 1
            if not await self._memory.take(turn.resource, turn.before, last, slots):
                return False
        numbered = [msgspec.structs.replace(each, read_order=turn.first + i) for i, each in enumerate(news)]
        await asyncio.gather(*map(self._send, numbered))
        return await self._memory.sent_in_turn(turn.resource, last, slots, notes)

    async def _news(self, merchant: str, facts: Iterable[Fact]) -> tuple[dict[str, str], list[Fact]]:
        """What is to be remembered of the slots whose facts are not those that were sent last, and these facts."""
        by_slot: dict[str, list[Fact]] = {}
        for each in facts:
            by_slot.setdefault(slot(each), []).append(each)
        states = {name: _state(listed) for name, listed in by_slot.items()}
        unsent = await self._memory.unsent(merchant, states)
        news = [each for name, listed in by_slot.items() if name in unsent for each in listed]
        telemetry.KNOWN_FACTS.labels(self._system).inc(sum(map(len, by_slot.values())) - len(news))
        return {name: state for name, state in states.items() if name in unsent}, news

    async def _send(self, fact: Fact) -> None:
        topic, key = address(fact)
        await self._kafka.publish(topic, key, self._codec.encode(fact))
        telemetry.FACTS.labels(self._system, type(fact).__name__).inc()

    async def complain(
        self,
        kind: str,
        merchant: str,
        subject: str,
        detail: str,
        at_ms: int,
        *,
        order_id: str = "",
        rma_id: str = "",
        resolvable: bool = False,
    ) -> str:
        """Raise an exception; the same cause has the same id, which is returned."""
        named = exception_id(self._system, kind, merchant, subject)
        raised = exceptions.raised(
            kind, exception_id=named, merchant=merchant, detail=redact(detail), at_ms=at_ms, order_id=order_id,
            rma_id=rma_id, system=self._system, resolvable=resolvable,
        )  # fmt: skip
        await self.exception(raised)
        telemetry.EXCEPTIONS.labels(self._system, kind).inc()
        return named

    async def clear(self, kind: str, merchant: str, subject: str, why: str) -> None:
        """The cause is gone."""
        named = exception_id(self._system, kind, merchant, subject)
        cleared = ExceptionCleared(
            exception_id=named, type=kind, merchant=merchant, cleared_at_ms=self._now_ms(), why=why
        )
        await self.exception(cleared)

    async def exception(self, record: ExceptionRaised | ExceptionCleared) -> None:
        """Raise or clear one."""
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
    """Where the last sent fact is remembered. States of one thing share a slot, so that one that comes back is news;
    an event has one of its own. Facts of one slot in one read are one state, and sent together."""
    match fact:
        case OrderSnapshot():
            return f"order:{fact.order_id}"
        case StockItem():
            return f"item:{row_key(fact).decode()}"
        case StockLevel():
            return f"level:{fact.location_id}:{fact.item_id}"
        case ObservedEffect():
            return f"effect:{fact.kind}:{fact.external_id}"
        case ReturnEvent():
            return _of_return(fact)
        case _:
            assert_never(fact)


def _of_return(event: ReturnEvent) -> str:
    rma = event.rma_id
    match event.kind:
        case "transaction" if event.transaction is not None:
            return f"transaction:{rma}:{event.transaction.transaction_id}"
        case "inspected" if rma and event.units and all(each.unit_id for each in event.units):
            return f"inspected:{rma}:{event.system}:{','.join(each.unit_id for each in event.units)}"
        case "requested":
            # the list as it stands is told whenever it has changed since the last read, and dated by that
            return f"requested:{rma}:{event.occurred_at_ms}"
        case "approved" | "exchange":
            return f"{event.kind}:{rma}"
        case "resolved" | "rejected" | "cancelled" | "reopened":
            return f"status:{rma}"
        case _:
            return f"fact:{event.fact_id}"


def _state(facts: Sequence[Fact]) -> str:
    return facts[0].fact_id if len(facts) == 1 else ids.digest("|".join(each.fact_id for each in facts).encode())


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
            return topics.STOCK_ITEMS, row_key(fact)
        case StockLevel():
            return topics.STOCK_LEVELS, row_key(fact)
        case _:
            assert_never(fact)
