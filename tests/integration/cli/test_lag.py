"""Lag on a real Kafka, in records and in seconds, also for a group that never committed."""

import math
import subprocess
import sys
import time
import urllib.request

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client import CollectorRegistry

from ops.kafka import admin
from ops.lag import Lag, measure
from ops.lag_exporter import show
from ops.local.ports import free_port
from ops.probes import http_ok
from ops.telemetry import LagTelemetry
from tests.integration.cli.conftest import Run, parsed
from tests.unit.ops_cli.screen import on_terminal, widest

TOPIC = "stock-levels"
HOUR_MS = 3_600_000


def produce(cluster: str, partition: int, timestamps: list[int]) -> None:
    producer = Producer({"bootstrap.servers": cluster})
    for timestamp in timestamps:
        producer.produce(TOPIC, b"v", partition=partition, timestamp=timestamp)
    assert producer.flush(30) == 0


def commit(cluster: str, group: str, offsets: dict[int, int]) -> None:
    consumer = Consumer({"bootstrap.servers": cluster, "group.id": group, "enable.auto.commit": False})
    places = [TopicPartition(TOPIC, partition, offset) for partition, offset in offsets.items()]
    consumer.commit(offsets=places, asynchronous=False)
    consumer.close()


@pytest.mark.req("OPS-4")
def test_lag_is_counted_from_the_first_record_that_is_not_settled(
    cluster: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = time.time_ns() // 1_000_000
    produce(cluster, 0, [now_ms - 2 * HOUR_MS, now_ms - HOUR_MS, now_ms])
    produce(cluster, 1, [now_ms])
    commit(cluster, "returnflow-lagging", {0: 1, 1: 1})
    commit(cluster, "returnflow-late", {0: 0})
    commit(cluster, "somebody-else", {0: 0})
    found = {(each.group, each.partition): each for each in measure(admin(cluster), cluster, now_ms, "returnflow-la")}
    assert {key: each.messages for key, each in found.items()} == {
        ("returnflow-lagging", 0): 2,
        ("returnflow-lagging", 1): 0,
        ("returnflow-late", 0): 3,
    }
    assert found["returnflow-lagging", 0].seconds == 3_600.0
    assert found["returnflow-lagging", 1].seconds == 0.0
    assert found["returnflow-late", 0].seconds == 7_200.0
    rows = parsed(run("lag", "--json", "--behind", "--group", "returnflow-lagging"))
    assert [(row["topic"], row["partition"], row["committed"], row["messages"]) for row in rows] == [(TOPIC, 0, 1, 2)]
    assert "\t0\t1\t3\t2\t360" in run("lag").stdout
    nobody = run("lag", "--group", "nobody")
    assert nobody.stdout == "group\ttopic\tpartition\tcommitted\tend\trecords\tseconds\tparked\tpaused\n"
    assert nobody.stderr.startswith("No consumer group has a name that begins with 'nobody'")
    on_terminal(monkeypatch)
    table = run("lag", "--group", "returnflow-la")
    assert "1 h" in table.stdout
    assert widest(table) <= 80


@pytest.mark.req("OPS-4")
def test_a_record_without_a_time_is_waited_for_and_its_age_is_unknown(
    cluster: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = time.time_ns() // 1_000_000
    produce(cluster, 5, [-1, now_ms - HOUR_MS])
    commit(cluster, "returnflow-timeless", {5: 0})
    commit(cluster, "returnflow-timely", {5: 1})
    found = {each.group: each for each in measure(admin(cluster), cluster, now_ms, "returnflow-time")}
    assert (found["returnflow-timeless"].messages, found["returnflow-timeless"].seconds) == (2, None)
    assert found["returnflow-timely"].seconds == 3_600.0
    (row,) = parsed(run("lag", "--json", "--group", "returnflow-timeless"))
    assert row["seconds"] is None
    on_terminal(monkeypatch)
    assert "unknown" in run("lag", "--group", "returnflow-timeless").stdout


@pytest.mark.req("OPS-4")
def test_an_age_that_is_not_known_pages_nobody() -> None:
    registry = CollectorRegistry()
    fields = {"group": "g", "topic": "t", "partition": 0}
    unknown = Lag(**fields, committed=0, end=1, messages=1, seconds=None)  # type: ignore[arg-type]
    show([unknown], LagTelemetry(registry))
    shown = registry.get_sample_value("returnflow_lag_seconds", {"group": "g", "topic": "t", "partition": "0"})
    assert shown is not None
    assert math.isnan(shown)  # above no limit


@pytest.mark.req("OPS-4")
def test_a_member_that_never_settled_anything_is_behind_by_everything(cluster: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    produce(cluster, 2, [now_ms, now_ms])
    settings = {"bootstrap.servers": cluster, "group.id": "returnflow-fresh", "enable.auto.commit": False}
    consumer = Consumer(settings)
    consumer.subscribe([TOPIC])
    try:
        deadline = time.monotonic() + 90
        while not consumer.assignment():
            consumer.poll(0.1)
            assert time.monotonic() < deadline
        found = {each.partition: each for each in measure(admin(cluster), cluster, now_ms, "returnflow-fresh")}
    finally:
        consumer.close()
    assert len(found) == 6
    assert (found[2].committed, found[2].messages) == (None, 2)


@pytest.mark.req("OPS-4")
def test_a_process_that_was_never_started_is_behind_by_everything(cluster: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    produce(cluster, 4, [now_ms - HOUR_MS])
    found = [each for each in measure(admin(cluster), cluster, now_ms, "returnflow-stock") if each.partition == 4]
    assert [(each.group, each.topic, each.committed) for each in found] == [("returnflow-stock", TOPIC, None)]
    assert found[0].messages >= 1
    assert (found[0].seconds or 0.0) >= 3_600.0
    assert measure(admin(cluster), cluster, now_ms, "returnflow-sink-sitoo") == []  # nobody has anything for it


@pytest.mark.req("OPS-4")
def test_the_exporter_serves_what_the_alerts_ask_for_and_stops_when_asked(cluster: str) -> None:
    produce(cluster, 3, [time.time_ns() // 1_000_000 - HOUR_MS])
    commit(cluster, "returnflow-exported", {3: 0})
    port = free_port()
    argv = [sys.executable, "-m", "ops.cli", "lag", "--kafka", cluster, "--serve", str(port), "--every", "0.2"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as exporter:
        ready, deadline = http_ok(f"http://127.0.0.1:{port}/ready"), time.monotonic() + 90
        while not ready():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
        taken = subprocess.run(argv, capture_output=True, text=True, check=False)
        exporter.terminate()
        assert exporter.wait(60) == 0
    labels = f'{{group="returnflow-exported",partition="3",topic="{TOPIC}"}}'
    assert f"returnflow_lag_messages{labels} 1.0" in page
    (seconds,) = [line for line in page.splitlines() if line.startswith(f"returnflow_lag_seconds{labels}")]
    assert 3_600 <= float(seconds.split()[-1]) < 3_700
    assert "returnflow_lag_measured_age_seconds" in page
    assert (taken.returncode, taken.stderr.count("\n")) == (2, 1)
    assert f"expected the metrics port 127.0.0.1:{port} to be free" in taken.stderr
