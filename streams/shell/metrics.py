"""The agent's metrics, a closed list. Faust's own count batches here, or nothing."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.shell import dead_letters

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Metrics:
    """All series carry the agent's name; topics and reasons come from closed sets."""

    def __init__(self, registry: CollectorRegistry, agent: str) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"returnflow_agent_{name}", text, ("agent", *labels), registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"returnflow_agent_{name}", text, ("agent",), registry=registry).labels(agent)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            made = Histogram(f"returnflow_agent_{name}", text, ("agent",), buckets=buckets, registry=registry)
            return made.labels(agent)

        self._agent = agent
        self._facts = counter("facts_total", "Records that were read and settled, by topic.", "topic")
        self._outputs = counter("outputs_total", "Records that Kafka acknowledged, by topic.", "topic")
        self._dead_letters = counter("dead_letters_total", "Records that were dead-lettered, by reason.", "reason")
        self._rebalances = counter("rebalances_total", "Times that partitions were given to this worker.")
        self._deadlines = counter("deadlines_total", "Deadlines that were produced, repeats included.")
        self._row_failures = counter("row_failures_total", "Rows that the core raised on, by what was asked.", "asked")
        self._reviews = counter("reviews_total", "Rows that were decided on anew because rules had changed.")
        for reason in (dead_letters.UNEXPECTED, dead_letters.NO_KEY, dead_letters.TOO_LARGE, "undecodable"):
            self._dead_letters.labels(agent, reason)  # the first of a kind would else be no increase
        for asked in ("due", "reached", "stale", "again"):
            self._row_failures.labels(agent, asked)
        self._rebalances.labels(agent)
        self.to_review = gauge("to_review", "Rows that wait to be decided on anew because rules have changed.")
        self.batch_size = histogram("batch_records", "Records of a batch.", _SIZES)
        self.decide_seconds = histogram("decide_seconds", "Deciding on a batch and handing over its output.", _SECONDS)
        self.delivery_seconds = histogram("delivery_seconds", "From decided to acknowledged and stored.", _SECONDS)
        self.recovery_seconds = histogram("recovery_seconds", "From assignment to recovered rows.", _SECONDS)
        self.window_batches = gauge("window_batches", "Batches that wait for Kafka's acknowledgement.")
        self.oldest_unsettled_seconds = gauge("oldest_unsettled_seconds", "Age of the oldest batch not settled.")
        self.rows = gauge("rows", "Rows of this worker's active partitions.")

    def settled(self, topic: str, facts: int, outputs: dict[str, int], refused: list[str]) -> None:
        """A batch is done: `outputs` counts its records by topic, `refused` the reasons of its dead letters."""
        self._facts.labels(self._agent, topic).inc(facts)
        for name, count in outputs.items():
            self._outputs.labels(self._agent, name).inc(count)
        for reason in refused:
            self._dead_letters.labels(self._agent, reason).inc()

    def rebalanced(self) -> None:
        self._rebalances.labels(self._agent).inc()

    def deadlines(self, count: int) -> None:
        self._deadlines.labels(self._agent).inc(count)

    def reviews(self, count: int) -> None:
        self._reviews.labels(self._agent).inc(count)

    def row_failed(self, asked: str) -> None:
        self._row_failures.labels(self._agent, asked).inc()
