"""Facts per second on a backlog: the shell beside a bare confluent-kafka loop and Quix Streams, in one run."""

import statistics
import uuid
from collections.abc import Sequence

from ops.bench import field
from ops.bench.figure import Figure, Kafka

FACTS = 120_000
ROUNDS = 3
NAMES = ("bare", "shell", "quix")


def run(kafka: Kafka) -> Sequence[Figure]:
    """Rounds are interleaved, so that a slow spell of the machine meets all contenders."""
    bootstrap = kafka()
    facts = field.new_topic(bootstrap, f"bench-facts-{uuid.uuid4().hex[:8]}")
    field.fill(bootstrap, facts, FACTS)
    rates: dict[str, list[float]] = {name: [] for name in NAMES}
    for _ in range(ROUNDS):
        for name in NAMES:
            rates[name].append(_facts_per_second(name, bootstrap, facts))
    field.delete_topics(bootstrap, [facts])
    return [*(_absolute(name, rates[name]) for name in NAMES), *_ratios(rates)]


def _facts_per_second(name: str, bootstrap: str, facts: str) -> float:
    """Over the middle of the run: 5 % at each end are start-up and the last commit."""
    with field.ground(name, bootstrap, facts) as job, field.at_work(name, job):
        field.wait_for_outputs(bootstrap, job.outputs, FACTS, seconds=120)
        times = field.append_times_ms(bootstrap, job.outputs)
    first, last = len(times) // 20, len(times) - len(times) // 20 - 1
    return (last - first) / max(1, times[last] - times[first]) * 1000


def _absolute(name: str, rates: list[float]) -> Figure:
    return Figure(name=f"{name}, facts/s on one core", value=" ".join(f"{rate:,.0f}" for rate in rates))


def _ratios(rates: dict[str, list[float]]) -> list[Figure]:
    median = {name: statistics.median(measured) for name, measured in rates.items()}
    return [
        Figure(name="shell to bare (medians)", value=f"{median['shell'] / median['bare']:.2f}", target="≥ 0.70"),
        Figure(name="shell to Quix (medians)", value=f"{median['shell'] / median['quix']:.2f}", target="≥ 2.00"),
    ]
