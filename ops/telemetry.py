"""Every metric of the lag exporter. Group, topic and partition are closed sets: the catalogue and our own groups."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class LagTelemetry:
    """Consumer lag as last measured, and whether measuring works."""

    def __init__(self, registry: CollectorRegistry) -> None:
        where = ("group", "topic", "partition")
        self.messages = Gauge(
            "returnflow_lag_messages", "Records that a group has not settled yet.", where, registry=registry
        )
        self.seconds = Gauge(
            "returnflow_lag_seconds",
            "Age of the first record that a group has not settled; NaN: it does not say.",
            where,
            registry=registry,
        )
        self.measured = Gauge(
            "returnflow_lag_measured_timestamp_seconds", "When lag was measured last, UTC.", registry=registry
        )
        self.failures = Counter(
            "returnflow_lag_failures_total", "Attempts to measure that Kafka did not answer.", registry=registry
        )
