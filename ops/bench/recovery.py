"""How long a worker with an empty disk takes to have its rows back, deadlines taken up."""

import time
import urllib.request
import uuid
from collections.abc import Sequence

from ops.bench import field
from ops.bench.core import Row, dump
from ops.bench.figure import Figure, Kafka

ROWS = 300_000
ROW_BYTES = 1_000


def run(kafka: Kafka) -> Sequence[Figure]:
    bootstrap = kafka()
    facts = field.new_topic(bootstrap, f"bench-facts-{uuid.uuid4().hex[:8]}")
    with field.ground("recovery", bootstrap, facts) as job:
        _fill(bootstrap, job.changelog)
        with field.at_work("shell", job):
            seconds = _recovery_seconds(job.metrics_port)
    field.delete_topics(bootstrap, [facts])
    return [
        Figure(name=f"{ROWS:,} rows of {ROW_BYTES:,} bytes", value=f"{seconds:.1f} s"),
        Figure(name="that is, for 1 000 000", value=f"{seconds * 1_000_000 / ROWS:.0f} s", target="< 20 s"),
    ]


def _fill(bootstrap: str, changelog: str) -> None:
    producer = field.fact_producer(bootstrap)
    row = dump(Row(1, 1, "x" * ROW_BYTES))
    for number in range(ROWS):
        while True:
            try:
                producer.produce(changelog, row, b"key-%d" % number)
            except BufferError:
                producer.poll(0.1)
            else:
                break
    producer.flush()


def _recovery_seconds(port: int) -> float:
    """From assignment to recovered, by the worker's own metric."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        time.sleep(0.5)
        samples = _samples(port)
        if samples.get("returnflow_agent_recovery_seconds_count"):
            return samples["returnflow_agent_recovery_seconds_sum"]
    raise TimeoutError("the worker has not recovered its rows within 120 s")


def _samples(port: int) -> dict[str, float]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:  # not up yet
        return {}
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.partition("{")[0]: float(value) for name, value in pairs}
