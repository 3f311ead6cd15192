"""The closed list of metrics of the gateway and the sources. Labels come from closed sets; ids never."""

import itertools
from collections.abc import Iterable

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from schemas import misconfigured

DELIVERIES = Counter(
    "returnflow_gateway_deliveries_total",
    "Webhooks by what became of them: kept, malformed (kept too), refused, too_large, unavailable.",
    ["system", "result"],
)
ACK_SECONDS = Histogram(
    "returnflow_gateway_ack_seconds",
    "From the end of a webhook's body to Kafka's acknowledgement.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4),
)
UNACKNOWLEDGED = Gauge("returnflow_gateway_unacknowledged", "Webhooks that wait for Kafka's acknowledgement.")

CONNECTIONS = Gauge("returnflow_gateway_connections", "Open connections.")
CONNECTIONS_DROPPED = Counter(
    "returnflow_gateway_connections_dropped_total",
    "Connections ended by us: slow (no whole request in time), crowded, crowded_peer, memory.",
    ["reason"],
)

CONSUMED = Counter(
    "returnflow_source_deliveries_total",
    "Consumed deliveries and triggers by result: read, direct, waits, repeat, ignored, malformed, held, dead_letter.",
    ["system", "result"],
)
READS = Counter(
    "returnflow_source_reads_total",
    "Resources read by cause (signal, poll, sweep, trigger, again) and outcome (ok, absent, malformed, unexpected, "
    "left_out, failed).",
    ["system", "cause", "outcome"],
)
FACTS = Counter("returnflow_source_facts_total", "Facts sent, by record type.", ["system", "record"])
KNOWN_FACTS = Counter("returnflow_source_known_facts_total", "Facts not sent because they were before.", ["system"])
POLL_AGE = Gauge(
    "returnflow_source_poll_age_seconds", "Since the last complete poll began.", ["system", "merchant", "poll"]
)
PENDING = Gauge("returnflow_source_pending", "Resources that wait to be read.", ["system"])
UNSETTLED = Gauge("returnflow_source_unsettled", "Consumed records whose offset cannot be committed yet.", ["system"])
OLDEST_UNSETTLED = Gauge(
    "returnflow_source_oldest_unsettled_seconds", "Age of the oldest record that is not settled.", ["system"]
)
DEAD_LETTERS = Counter("returnflow_source_dead_letters_total", "Records sent to dead letters.", ["system", "reason"])
EXCEPTIONS = Counter("returnflow_source_exceptions_total", "Exceptions raised by the sources.", ["system", "type"])
SUBSCRIPTIONS_MISSING = Gauge(
    "returnflow_source_subscriptions_missing", "Webhook subscriptions found missing at the last look.",
    ["system", "merchant"],
)  # fmt: skip
UNEXPECTED = Counter(
    "returnflow_source_unexpected_total", "Faults of our own code while reading; the log names type and place.",
    ["system"],
)  # fmt: skip
PRUNED = Counter(
    "returnflow_source_pruned_total", "Notes and digests that the ledger forgot for their age.", ["system", "what"]
)
RESULTS = ("kept", "malformed", "refused", "too_large", "unavailable")
DROPS = ("slow", "crowded", "crowded_peer", "memory")
RAISED = ("malformed_delivery", "undecodable", "orphan_return", "subscription_lost", "misconfigured")
REFUSALS = ("undecodable", "wrong_system", "unexpected", "unstorable", "unknown_return")


def gateway_from_zero(systems: Iterable[str]) -> None:
    """Series that are there before anything happens: the first of a kind would else be no increase."""
    for system, result in itertools.product(systems, RESULTS):
        DELIVERIES.labels(system, result)
    for reason in DROPS:
        CONNECTIONS_DROPPED.labels(reason)


def source_from_zero(system: str) -> None:
    """As for the gateway."""
    for reason in REFUSALS:
        DEAD_LETTERS.labels(system, reason)
    for what in ("digests", "notes"):
        PRUNED.labels(system, what)
    for kind in RAISED:
        EXCEPTIONS.labels(system, kind)
    UNEXPECTED.labels(system)


MISCONFIGURED = misconfigured.gauge(REGISTRY)
WAITING = Gauge("returnflow_source_waiting", "Deliveries that wait for an RMA or order to become known.", ["system"])
