"""A worker without Kafka: real ledger, real HTTP, its real lanes and redriver; what it publishes is kept in a list."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from prometheus_client import CollectorRegistry

from schemas.codec import Codec
from schemas.commands import Command, CommandResult
from schemas.exceptions import ExceptionCleared, ExceptionRaised
from schemas.merchant import Merchant
from sinks import breaker
from sinks.apply import Applier
from sinks.assignment import Assignment
from sinks.batches import Batches
from sinks.claim import ClaimTimes
from sinks.connecting import Connecting, open_transport
from sinks.dispatch import Dispatch
from sinks.failure import Failure
from sinks.lanes import Lanes
from sinks.ledger.ledger import Ledger
from sinks.pauses import Pauses
from sinks.policy import Patience
from sinks.publish import Publisher
from sinks.redrive import Redriver
from sinks.settle import Settlement
from sinks.telemetry import SinkTelemetry
from sinks.transport import Transport, TransportSettings
from sinks.work import Received
from tests.unit.sinks.peer import Peer
from tests.unit.sinks.toy import Toy, key_of, merchant

CODEC = Codec()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def until(what: str, done: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to become true, with a deadline."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)


class Broker:
    """What was published, in order; acknowledges at once."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes | None, bytes | None, dict[str, bytes]]] = []

    async def send_and_wait(self, topic: str, *, value: Any, key: Any, headers: Any) -> None:
        self.records.append((topic, key, value, dict(headers)))


class Rig:
    """One worker. `settings` of the parts are short, so that tests are."""

    def __init__(self, peer: Peer, ledger_url: str, names: tuple[str, ...], **changed: Any) -> None:
        self.peer = peer
        self.token = "good"
        self.toy: Toy = changed.pop("toy", Toy(name="toy"))
        self.merchants: dict[str, Merchant] = {
            name: merchant(name, "toy", changed.get("urls", {}).get(name, peer.url), changed.get("batch_seconds", 0.0))
            for name in names
        }
        self.changed: dict[str, Any] = {
            "request_seconds": 1.0, "patience_seconds": 5.0, "park_seconds": 5.0, "claim_ms": 6_000,
            "probe_seconds": 0.2, "equal_rejections": 1_000, "give_up_seconds": 3600.0, "breaker_failures": 1_000,
            "buffered": 1024, "share": 1024, "first_seconds": 0.02, "worker": "one",
        } | changed  # fmt: skip
        self.ledger_url = ledger_url
        self.broker = Broker()
        self.registry = CollectorRegistry()
        self.failed = Failure(lambda: None)
        self.next_offset = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Rig"]:
        async with AsyncExitStack() as stack:
            self.ledger = Ledger(self.ledger_url)
            stack.callback(self.ledger.close)
            self.telemetry = SinkTelemetry(self.registry)
            self.transport = await stack.enter_async_context(
                open_transport(
                    system=self.toy, merchants=self.merchants, secret=lambda _: self.token, ledger=self.ledger,
                    telemetry=self.telemetry.requests, settings=self._transport_settings(), now_ms=now_ms,
                )
            )  # fmt: skip
            self.connecting = Connecting(self.transport, self.merchants, lambda _: self.token)
            self._assemble(self.transport)
            ticking = asyncio.create_task(self._tick())
            try:
                yield self
            finally:
                ticking.cancel()
                await asyncio.wait({ticking})
                await self.assignment.end(1.0)
                await self.redriver.end(1.0)
                await self.batches.end()
        if self.failed.error is not None:
            raise self.failed.error

    def _transport_settings(self) -> TransportSettings:
        return TransportSettings(
            connect_seconds=1.0,
            request_seconds=self.changed["request_seconds"],
            patience_seconds=self.changed["patience_seconds"],
            breaker=breaker.Settings(failures=self.changed["breaker_failures"], open_seconds=0.2, longest_seconds=0.4),
        )

    def _assemble(self, transport: Transport) -> None:
        changed = self.changed
        broker: Any = self.broker
        self.settlement = Settlement(
            system="toy", ledger=self.ledger, publisher=Publisher(broker), codec=CODEC, telemetry=self.telemetry,
            now_ms=now_ms,
        )  # fmt: skip
        self.pauses = Pauses(
            system="toy", ledger=self.ledger, settlement=self.settlement, telemetry=self.telemetry,
            probe_seconds=changed["probe_seconds"], equal_rejections=changed["equal_rejections"], now_ms=now_ms,
        )  # fmt: skip
        times = ClaimTimes(claim_ms=changed["claim_ms"], request_ms=500, skew_ms=50)
        self.batches = self._batches(transport, times)
        self.applier = Applier(
            worker=changed["worker"], transport=transport, merchants=self.merchants, ledger=self.ledger,
            settlement=self.settlement, pauses=self.pauses, telemetry=self.telemetry,
            patience=Patience(
                first_seconds=changed["first_seconds"], longest_seconds=0.2, give_up_seconds=changed["give_up_seconds"]
            ),
            times=times, batches=self.batches, now_ms=now_ms, chance=lambda: 1.0,
        )  # fmt: skip
        self.redriver = Redriver(
            worker=changed["worker"], ledger=self.ledger, codec=CODEC, applier=self.applier,
            settlement=self.settlement, pauses=self.pauses, transport=transport,
            most=64, failed=self.failed, now_ms=now_ms,
        )  # fmt: skip
        self.assign()

    def _batches(self, transport: Transport, times: ClaimTimes) -> Batches:
        assert self.toy.batching is not None
        dispatch = Dispatch(
            worker=self.changed["worker"], transport=transport, batching=self.toy.batching, ledger=self.ledger,
            telemetry=self.telemetry, times=times, now_ms=now_ms,
        )  # fmt: skip
        return Batches(
            system=self.toy.name, dispatch=dispatch, batching=self.toy.batching, merchants=self.merchants, times=times
        )

    def assign(self) -> None:
        """A new assignment of partition 0, read from the beginning."""
        self.assignment = Assignment(
            places=[("toy-commands", 0)], system="toy", codec=CODEC, applier=self.applier,
            settlement=self.settlement, ledger=self.ledger,
            lanes=Lanes(most=self.changed["buffered"], most_per_merchant=self.changed["share"]),
            park_seconds=self.changed["park_seconds"], failed=self.failed, now_ms=now_ms,
        )  # fmt: skip
        self.next_offset = 0

    async def _tick(self) -> None:
        while True:
            await self.connecting.look()
            await self.redriver.tick()
            await asyncio.sleep(0.03)

    def send(self, *commands: Command) -> None:
        """Records of the command topic, as the consumer hands them over."""
        self.send_raw(*((key_of(command), CODEC.encode(command)) for command in commands))

    def send_raw(self, *pairs: tuple[bytes | None, bytes | None]) -> None:
        for key, value in pairs:
            record = Received(
                topic="toy-commands", partition=0, offset=self.next_offset, timestamp_ms=now_ms(), key=key, value=value,
                headers=(("trace", b"t1"),),
            )  # fmt: skip
            self.next_offset += 1
            self.assignment.accept([record])

    @property
    def committable(self) -> int:
        """The offset that may be committed; 0 before the first record is settled."""
        return self.assignment.committable().get(("toy-commands", 0), 0)

    async def settled(self, seconds: float = 60.0) -> None:
        """Until every record's offset may be committed."""
        ended = lambda: self.failed.error is not None or self.committable == self.next_offset  # noqa: E731
        await until("all offsets committable", ended, seconds)
        if self.failed.error is not None:
            raise self.failed.error

    def results(self) -> list[CommandResult]:
        return [CODEC.decode_as(CommandResult, value) for topic, _, value, _ in self.broker.records
                if topic == "command-results"]  # fmt: skip

    def outcomes(self) -> dict[str, str]:
        return {result.command_id: result.outcome for result in self.results()}

    def dead_letters(self) -> list[tuple[bytes | None, bytes | None, dict[str, bytes]]]:
        return [record[1:] for record in self.broker.records if record[0] == "toy-dead-letters"]

    def exceptions(self) -> list[ExceptionRaised | ExceptionCleared]:
        found = []
        for topic, _, value, _ in self.broker.records:
            if topic == "exceptions":
                record = CODEC.decode(value)
                assert isinstance(record, ExceptionRaised | ExceptionCleared)
                found.append(record)
        return found

    def sample(self, name: str, **labels: str) -> float:
        """A metric's value, 0 where it was never touched."""
        return self.registry.get_sample_value(name, labels) or 0.0
