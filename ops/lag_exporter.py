"""Measures consumer lag again and again for Prometheus. Touches the broker (reading), one HTTP port and the clocks.

An age is told by the time of a record, which another machine's clock wrote, against ours. Where the two contradict each
other, it is never less than what we have waited ourselves for the record to be settled.
"""

import math
import signal
import threading
from collections.abc import Sequence
from types import FrameType

import msgspec
import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from prometheus_client import CollectorRegistry, ProcessCollector

from ops.kafka import admin
from ops.lag import Lag, measure
from ops.open_exceptions import OpenExceptions
from ops.telemetry import LagTelemetry
from schemas import clock, endpoints
from schemas.codec import Codec
from schemas.kafka import Brokers

log = structlog.get_logger()
HANGS_AFTER_SECONDS = 120.0  # a look at every group of a large cluster takes its time


def serve(bootstrap: Brokers, host: str, port: int, every_seconds: float) -> int:
    """Measure and serve until SIGTERM or SIGINT. Raises CannotStart when the port is taken."""
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, frame: _stop(stop, number, frame))
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    telemetry, waits = LagTelemetry(registry), Waits()
    client = admin(bootstrap)
    measure_once(client, bootstrap, telemetry, waits)
    exceptions = OpenExceptions(bootstrap, Codec(), registry)
    exceptions.look()
    turning = endpoints.Turning(every_seconds + HANGS_AFTER_SECONDS)
    endpoints.serve(
        host, port, registry=registry, alive=[turning.check], ready=[endpoints.kafka_answers(bootstrap)]
    )  # fmt: skip
    while not stop.wait(every_seconds):
        turning.turned()
        measure_once(client, bootstrap, telemetry, waits)
        exceptions.look()
    return 0


def measure_once(client: AdminClient, bootstrap: Brokers, telemetry: LagTelemetry, waits: "Waits") -> None:
    """One look; when Kafka does not answer the old figures stay, their age shows, and the failure is counted."""
    begun_ms = clock.steady_ms()
    try:
        found = measure(client, bootstrap, clock.now_ms())
    except KafkaException as problem:
        telemetry.failures.inc()
        log.warning("lag_not_measured", error=str(problem))
        return
    show(waits.at_least(found, begun_ms), telemetry)
    telemetry.measured(begun_ms)


class Waits:
    """Since when (steady) each group has been standing where it stands."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str, int], tuple[int, int]] = {}

    def at_least(self, found: Sequence[Lag], steady_ms: int) -> list[Lag]:
        """The same, no age being less than what we have waited. One that nobody knows stays unknown."""
        before, self._since = self._since, {}
        shown = []
        for each in found:
            place, stands = (each.group, each.topic, each.partition), each.end - each.messages
            known = before.get(place)
            since = known[1] if known is not None and known[0] == stands else steady_ms
            if each.messages:
                self._since[place] = (stands, since)
            if each.messages and each.seconds is not None:
                seconds = max(each.seconds, (steady_ms - since) / 1000)
                each = msgspec.structs.replace(each, seconds=seconds)
            shown.append(each)
        return shown


def show(found: Sequence[Lag], telemetry: LagTelemetry) -> None:
    """Set every figure; one whose partition or group is gone is taken away, not left standing."""
    places = {(each.group, each.topic, str(each.partition)): each for each in found}
    for gauge in (telemetry.messages, telemetry.seconds):
        for sample in (sample for family in gauge.collect() for sample in family.samples):
            place = (sample.labels["group"], sample.labels["topic"], sample.labels["partition"])
            if place not in places:
                gauge.remove(*place)
    for place, each in places.items():
        telemetry.messages.labels(*place).set(each.messages)
        telemetry.seconds.labels(*place).set(math.nan if each.seconds is None else each.seconds)


def _stop(stop: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stop.set()
