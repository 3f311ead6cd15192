"""Alerts, runbooks and dashboards speak of metrics that exist, and every alert has an owner and a way out."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry

import streams.sources.telemetry  # noqa: F401 - its metrics are in the process-wide registry
from ops.standing import SupervisorTelemetry
from ops.telemetry import LagTelemetry
from schemas import endpoints
from schemas.exceptions import Severity, Team
from sinks.telemetry import RequestTelemetry, SinkTelemetry
from streams.shell.metrics import Metrics

OPS = Path(__file__).parents[2] / "ops"
RULE_FILES = sorted((OPS / "alerts").glob("*.yaml"))
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
METRIC = re.compile(r"\breturnflow_[a-z_]+")


def rules() -> list[dict[str, Any]]:
    """Every alert rule of the project."""
    return [
        rule for file in RULE_FILES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]
    ]


def known_series() -> set[str]:
    """Names of all series that our processes can show."""
    registry = CollectorRegistry()
    SinkTelemetry(registry)
    RequestTelemetry("source", registry)
    LagTelemetry(registry)
    registry.register(SupervisorTelemetry(list))
    registry.register(endpoints.Readiness([]))
    Metrics(registry, "cases")
    names: set[str] = set()
    for each in (registry, REGISTRY):
        for metric in each.collect():
            if metric.name.startswith("returnflow_"):
                ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(metric.type, ("",))
                names |= {metric.name + end for end in ends}
    return names


def test_alerts_and_dashboards_name_only_metrics_that_exist() -> None:
    known = known_series()
    texts = {rule["alert"]: rule["expr"] for rule in rules()}
    for dashboard in sorted((OPS / "dashboards").glob("*.json")):
        texts[dashboard.name] = json.dumps(json.loads(dashboard.read_text()))
    assert texts
    unknown = {where: sorted(set(METRIC.findall(text)) - known) for where, text in texts.items()}
    assert not {where: names for where, names in unknown.items() if names}


@pytest.mark.req("EXC-2", "OPS-4")
def test_every_alert_has_an_owner_a_severity_and_a_runbook() -> None:
    assert {"ConsumerLagMessages", "ConsumerLagSeconds", "SinkDeadLetters", "SinkPaused", "OldestUnsettledCommand"} <= {
        rule["alert"] for rule in rules()
    }
    for rule in rules():
        assert rule["labels"]["owner"] in get_args(Team), rule["alert"]
        assert rule["labels"]["severity"] in get_args(Severity), rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]
        assert rule["annotations"]["runbook_url"] == f"ops/runbooks/{rule['alert']}.md"


def test_every_runbook_belongs_to_an_alert_and_says_what_to_do() -> None:
    alerts = {rule["alert"] for rule in rules()}
    books = {path.stem: path.read_text() for path in (OPS / "runbooks").glob("*.md") if path.stem != "exceptions"}
    assert set(books) == alerts
    for name, text in books.items():
        assert text.startswith(f"# {name}\n")
        parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        assert parts[1::2] == HEADINGS, name
        assert all(part.strip() for part in parts[2::2]), name


def test_every_alert_has_a_rule_test() -> None:
    tested = {
        case["alertname"]
        for file in (OPS / "alerts" / "tests").glob("*.yaml")
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert tested == {rule["alert"] for rule in rules()}


def test_every_alert_has_a_quiet_hour_at_its_limit_in_which_it_does_not_fire() -> None:
    (quiet,) = yaml.safe_load((OPS / "alerts" / "tests" / "quiet.yaml").read_text())["tests"]
    named = {case["alertname"] for case in quiet["alert_rule_test"] if case["exp_alerts"] == []}
    assert named == {rule["alert"] for rule in rules()}
    there = " ".join(each["series"] for each in quiet["input_series"])
    for rule in rules():  # nothing is quiet only because it is not there
        assert set(re.findall(r"\b(?:returnflow_[a-z_]+|process_[a-z_]+|up)\b", rule["expr"])) <= set(
            re.findall(r"[a-z_]+", there)
        ), rule["alert"]
