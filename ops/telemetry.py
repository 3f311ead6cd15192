"""Every metric of the lag exporter. Group, topic and partition are closed sets: the catalogue and our own groups."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from schemas.clock import steady_ms


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
        age = Gauge(
            "returnflow_lag_measured_age_seconds", "Since lag was measured last, or since the exporter began.",
            registry=registry,
        )  # fmt: skip
        self._measured_ms = steady_ms()
        age.set_function(lambda: (steady_ms() - self._measured_ms) / 1000)
        self.failures = Counter(
            "returnflow_lag_failures_total", "Attempts to measure that Kafka did not answer.", registry=registry
        )

    def measured(self, at_ms: int) -> None:
        """Lag was measured, at this time of the steady clock: neither ours nor Prometheus' may have been set since."""
        self._measured_ms = at_ms
