"""Measures consumer lag again and again for Prometheus. Touches the broker (reading), one HTTP port and the clock."""

import math
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from prometheus_client import CollectorRegistry

from ops.kafka import admin
from ops.lag import Lag, measure
from ops.telemetry import LagTelemetry
from schemas import endpoints
from schemas.kafka import Brokers

log = structlog.get_logger()


def serve(bootstrap: Brokers, host: str, port: int, every_seconds: float) -> int:
    """Measure and serve until SIGTERM or SIGINT. Raises CannotStart when the port is taken."""
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, frame: _stop(stop, number, frame))
    registry = CollectorRegistry()
    telemetry = LagTelemetry(registry)
    client = admin(bootstrap)
    measure_once(client, bootstrap, telemetry)
    endpoints.serve(host, port, registry=registry, ready=[endpoints.kafka_answers(bootstrap)])
    while not stop.wait(every_seconds):
        measure_once(client, bootstrap, telemetry)
    return 0


def measure_once(client: AdminClient, bootstrap: Brokers, telemetry: LagTelemetry) -> None:
    """One look; when Kafka does not answer the old figures stay, their age shows, and the failure is counted."""
    now_ms = time.time_ns() // 1_000_000
    try:
        found = measure(client, bootstrap, now_ms)
    except KafkaException as problem:
        telemetry.failures.inc()
        log.warning("lag_not_measured", error=str(problem))
        return
    show(found, telemetry)
    telemetry.measured.set(now_ms / 1000)


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
