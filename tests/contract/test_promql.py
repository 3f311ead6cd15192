"""The test of metrics finds what is missing: a name, a label of a matcher, of a grouping, of a text."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

import streams.sources.telemetry  # noqa: F401 - its metrics are in the process-wide registry
from ops.child import Status
from ops.standing import SupervisorTelemetry
from ops.telemetry import LagTelemetry
from schemas import endpoints
from sinks.telemetry import RequestTelemetry, SinkTelemetry
from streams.shell.metrics import Metrics
from tests import promql
from tests.promql import ADDED, asked, exported, missing

PAGE = """# HELP a_total x
# TYPE returnflow_a_total counter
returnflow_a_total{system="x",result="kept"} 1.0
# TYPE returnflow_b gauge
# TYPE returnflow_c_seconds histogram
returnflow_c_seconds_bucket{le="1",kind="k"} 1.0
returnflow_c_seconds_count{kind="k"} 1.0
returnflow_d 4.0
"""


@pytest.mark.parametrize(
    ("expression", "told", "problem"),
    [
        ("sum by (system) (rate(returnflow_a_total{result=\"kept\"}[5m])) > 0", "{{ $labels.system }}", None),
        ("returnflow_d > 0", "{{ $labels.instance }}", None),
        ("histogram_quantile(0.9, sum by (le, kind) (rate(returnflow_c_seconds_bucket[1m])))", "", None),
        ("returnflow_c_seconds", "", None),
        ("up == 0", "{{ $labels.job }}", None),
        ("returnflow_x > 0", "", "no series returnflow_x"),
        ("returnflow_b > 0", "", "no series returnflow_b"),  # declared, and nobody ever sets it
        ("returnflow_a_total{merchant=\"m\"}", "", "has no label merchant"),
        ("sum by (merchant) (returnflow_a_total)", "", "have no label merchant"),
        ("returnflow_d > 0", "{{ $labels.merchant }}", "have no label merchant"),
        ("sum({__name__=~\"returnflow_(x|y)_total\"})", "", "no series like"),
        ("sum({__name__=~\"returnflow_(a|y)_total\"})", "", None),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(
    expression: str, told: str, problem: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promql, "everything", lambda: [asked("rule", expression, told)])
    found = missing(exported([PAGE]))
    assert bool(found) == bool(problem), found
    assert problem is None or problem in found[0]


def test_rules_boards_and_runbooks_are_all_read() -> None:
    where = {each.where.partition(" ")[0] for each in promql.everything()}
    assert {"panel", "runbook", "PollLate", "QuotaNearlyUsed"} <= where
    assert exported([]) == {"up": set(ADDED)}


def test_every_series_and_label_that_anybody_asks_for_is_one_of_ours() -> None:
    """By what is declared; that it is really set is seen on a running pipeline (tests/e2e)."""
    registry = CollectorRegistry()
    SinkTelemetry(registry)
    RequestTelemetry("source", registry)
    LagTelemetry(registry)
    Metrics(registry, "cases")
    kafka = Status(name="kafka", state="ready", pid=1, restarts=0, last_exit=None, log=Path("log"))
    registry.register(SupervisorTelemetry(lambda: [kafka]))
    registry.register(endpoints.Readiness([]))
    for collector in [*registry._collector_to_names, *REGISTRY._collector_to_names]:
        if names := getattr(collector, "_labelnames", ()):
            collector.labels(*names)  # type: ignore[attr-defined]
    assert missing(exported([generate_latest(each).decode() for each in (registry, REGISTRY)])) == []
