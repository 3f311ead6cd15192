"""Deliveries of the neutral doors whose return nobody knows yet: tried again until it is. Touches SQL and Kafka."""

import base64
from collections.abc import Callable

import msgspec
import structlog

from schemas import topics
from schemas.codec import Codec
from schemas.facts import Delivery
from schemas.merchant import Merchant
from sinks.work import Received
from streams.sources import telemetry
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.source_doors import GIVE_UP_MS, DoorSource, WaitingNote

log = structlog.get_logger(__name__)
HOUR_MS = 3_600_000
MOST = 500


class WaitingRoom:
    """One door's."""

    def __init__(
        self, source: DoorSource, outbox: Outbox, memory: Memory, codec: Codec, now_ms: Callable[[], int]
    ) -> None:
        self._source = source
        self._outbox = outbox
        self._memory = memory
        self._codec = codec
        self._now_ms = now_ms

    async def look(self) -> None:
        """Try every delivery that waits; raise the ones that waited too long; give up after two weeks."""
        waiting = 0
        for merchant, rules in list(self._source.merchants.items()):  # files may change meanwhile
            listed = await self._memory.listed(merchant, "waiting:", MOST)
            for name, note in listed.items():
                waiting += not await self._try(rules, name, msgspec.json.decode(note, type=WaitingNote))
            if len(listed) == MOST:  # the next look begins behind them, or they would hold up the others
                await self._memory.touch(merchant, list(listed))
        telemetry.WAITING.labels(self._source.system).set(waiting)

    async def _try(self, rules: Merchant, name: str, note: WaitingNote) -> bool:
        """Whether it waits no longer."""
        merchant = rules.merchant
        delivery = self._codec.decode_as(Delivery, base64.b64decode(note.delivery))
        routed = await self._source.route(delivery)
        if routed.facts:
            await self._outbox.facts(merchant, routed.facts, {name: None})
            if note.complained:
                await self._outbox.clear("orphan_return", merchant, delivery.delivery_id, "the return is known now")
            return True
        age_ms = self._now_ms() - note.first_ms
        if age_ms > GIVE_UP_MS:
            return await self._give_up(merchant, name, delivery)
        limit_ms = int(rules.hours.get("order", 24) * HOUR_MS)
        if age_ms > limit_ms and not note.complained:
            await self._complain(merchant, name, delivery, note)
        return False

    async def _complain(self, merchant: str, name: str, delivery: Delivery, note: WaitingNote) -> None:
        detail = f"{delivery.system} reports on {delivery.resource_id}, a return that ReturnGO has not told us of"
        await self._outbox.complain("orphan_return", merchant, delivery.delivery_id, detail, self._now_ms())
        complained = msgspec.structs.replace(note, complained=True)
        await self._memory.keep(merchant, {name: msgspec.json.encode(complained).decode()})

    async def _give_up(self, merchant: str, name: str, delivery: Delivery) -> bool:
        received = Received(
            topic=topics.deliveries(delivery.system), partition=-1, offset=-1, timestamp_ms=delivery.received_at_ms,
            key=f"{merchant}|{delivery.resource_id}".encode(), value=self._codec.encode(delivery),
        )  # fmt: skip
        await self._outbox.dead_letter(received, "unknown_return", "the return stayed unknown for two weeks")
        await self._memory.keep(merchant, {name: None})
        log.warning("gave_up_waiting", system=delivery.system, merchant=merchant, delivery_id=delivery.delivery_id)
        return True
