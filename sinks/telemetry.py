"""Every metric of a sink worker, and those of any process that sends requests to a system. Labels are closed sets."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas import misconfigured

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)
BREAKER_STATES = {"closed": 0, "half_open": 1, "open": 2}


class RequestTelemetry:
    """Requests to a system, for `returnflow_sink_…` and `returnflow_source_…` alike."""

    def __init__(self, process: Literal["sink", "source"], registry: CollectorRegistry) -> None:
        start, where = f"returnflow_{process}", ("system", "merchant")
        self.requests = Histogram(
            f"{start}_request_seconds",
            "Time a system took to answer.",
            ("system", "merchant", "outcome"),  # answered, refused, failed, unanswered, not_sent
            buckets=_SECONDS,
            registry=registry,
        )
        self.throttled = Counter(
            f"{start}_throttled_total", "Answers that refused for quota.", where, registry=registry
        )
        self.breaker = Gauge(f"{start}_breaker_state", "0 closed, 1 half open, 2 open.", where, registry=registry)
        self.quota_remaining = Gauge(
            f"{start}_quota_remaining_units", "What is left of a quota.", (*where, "limit"), registry=registry
        )
        self.quota_capacity = Gauge(
            f"{start}_quota_capacity_units", "The whole of a quota.", (*where, "limit"), registry=registry
        )
        self.quota_used = Counter(
            f"{start}_quota_used_total", "What requests took from a quota.", (*where, "limit"), registry=registry
        )
        self.left_out = Counter(
            f"{start}_left_out_total", "Times that a request gave way because the calls of the day grew short.",
            (*where, "use"), registry=registry,
        )  # fmt: skip
        self.quota_waits = Histogram(
            f"{start}_quota_wait_seconds",
            "Time a request waited for quota.",
            where,
            buckets=_SECONDS,
            registry=registry,
        )


class BudgetTelemetry:
    """How far the calls of a period last, per owner. Times are Unix times."""

    def __init__(self, registry: CollectorRegistry) -> None:
        where = ("system", "budget_owner")
        self.ends = Gauge(
            "returnflow_sink_budget_ends_timestamp_seconds",
            "When the calls of the period will be used up as it goes now; the end of the period if they last.", where,
            registry=registry,
        )  # fmt: skip
        self.resets = Gauge(
            "returnflow_sink_budget_resets_timestamp_seconds", "When the period ends.", where, registry=registry
        )
        self.waiting = Gauge(
            "returnflow_sink_budget_left_out_calls", "What was left out and waits for calls.", (*where, "what"),
            registry=registry,
        )  # fmt: skip


# Reasons of dead letters that do not come from an answer of a system.
OWN_REASONS = ("undecodable", "unstorable", "contradicts", "unexpected", "paid_already", "waited_too_long")


class SinkTelemetry:
    """Commands of one worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        where = ("system", "merchant")
        self.requests = RequestTelemetry("sink", registry)
        self.budgets = BudgetTelemetry(registry)
        self.misconfigured = misconfigured.gauge(registry)
        self.commands = Counter(
            "returnflow_sink_commands_total",
            "Commands that were settled.",
            ("system", "merchant", "kind", "outcome"),
            registry=registry,
        )
        self.attempts = Counter(
            "returnflow_sink_attempts_total", "Attempts by how they ended.", ("system", "outcome"), registry=registry
        )
        self.batches = Counter(
            "returnflow_sink_batches_total", "Requests for several commands by how they ended.", (*where, "outcome"),
            registry=registry,
        )  # fmt: skip
        self.batch_commands = Histogram(
            "returnflow_sink_batch_commands", "Commands that went out in one request.", ("system",),
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 1000), registry=registry,
        )  # fmt: skip
        self.records = Counter(
            "returnflow_sink_records_total", "Records read from the command topic.", ("system",), registry=registry
        )
        self.in_flight = Gauge(
            "returnflow_sink_in_flight_commands", "Commands being carried out.", ("system",), registry=registry
        )
        self.buffered = Gauge(
            "returnflow_sink_buffered_commands", "Commands in memory.", ("system",), registry=registry
        )
        self.oldest = Gauge(
            "returnflow_sink_oldest_unsettled_seconds", "Age of the oldest unsettled command.", ("system",),
            registry=registry,
        )  # fmt: skip
        self.paused = Gauge("returnflow_sink_paused_state", "1 while nothing is sent.", where, registry=registry)
        self.held = Gauge("returnflow_sink_held_state", "1 while a person has paused it.", where, registry=registry)
        self.parked = Gauge(
            "returnflow_sink_parked_commands", "Commands parked in the ledger.", (*where, "reason"), registry=registry
        )
        self.parked_lanes = Gauge(
            "returnflow_sink_parked_lanes", "Keys parked in the ledger.", (*where, "reason"), registry=registry
        )
        self.dead_letters = Counter(
            "returnflow_sink_dead_letters_total", "Dead letters written.", ("system", "code"), registry=registry
        )
        self.pruned = Counter(
            "returnflow_sink_pruned_total", "Rows that the ledger forgot for their age.", ("system", "what"),
            registry=registry,
        )  # fmt: skip
        self.ledger = Histogram(
            "returnflow_sink_ledger_seconds", "Time of a ledger transaction.", buckets=_SECONDS, registry=registry
        )
        self.command_seconds = Histogram(
            "returnflow_sink_command_seconds", "From the decision to its settling.", ("system", "kind"),
            buckets=(*_SECONDS, 300.0, 900.0, 3600.0, 14400.0, 86400.0), registry=registry,
        )  # fmt: skip

    def from_zero(self, system: str) -> None:
        """Series that are there before anything happens: the first of a kind would else be no increase."""
        for reason in (*OWN_REASONS, "rejected_by_system"):
            self.dead_letters.labels(system, reason)
