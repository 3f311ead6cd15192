"""The agent's metrics are a closed list, each with its help."""

from prometheus_client import CollectorRegistry

from streams.shell.metrics import Metrics

NAMES = {
    "facts", "outputs", "dead_letters", "rebalances", "deadlines", "batch_records", "decide_seconds",
    "delivery_seconds", "recovery_seconds", "window_batches", "oldest_unsettled_seconds", "rows", "reviews",
    "to_review", "row_failures",
}  # fmt: skip


def test_the_list_is_closed_and_labels_hold_no_ids() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, "cases")
    metrics.settled("facts", 3, {"answers": 2}, ["undecodable"])
    metrics.rebalanced()
    metrics.deadlines(1)
    metrics.row_failed("due")
    families = list(registry.collect())
    assert {family.name for family in families} == {f"returnflow_agent_{name}" for name in NAMES}
    assert all(family.documentation.endswith(".") for family in families)
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert labels == {"agent", "topic", "reason", "le", "asked"}
