"""What lag makes of a cluster that is just coming up, and of clocks that contradict each other."""

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec
from prometheus_client import CollectorRegistry

from ops import lag
from ops.lag import Lag
from ops.lag_exporter import Waits
from ops.telemetry import LagTelemetry


class _Coming:
    """An admin client of a cluster in which a topic's leader comes up between two questions."""

    def __init__(self, known_from: int) -> None:
        self.asked, self._known_from = 0, known_from

    def list_offsets(self, wanted: dict[TopicPartition, OffsetSpec], **_: Any) -> dict[TopicPartition, Future[Any]]:
        self.asked += 1
        answers = {}
        for place in wanted:
            answers[place] = Future[Any]()
            if place.topic == "late" and self.asked < self._known_from:
                answers[place].set_exception(KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
            else:
                answers[place].set_result(TopicPartition(place.topic, place.partition, 7 * self.asked))
        return answers


@pytest.mark.parametrize("known_from", [1, 2, 3])
def test_a_partition_that_answers_one_question_of_two_is_left_to_the_next_look(known_from: int) -> None:
    found = lag._spans(_Coming(known_from), [("there", 0), ("late", 0)])
    assert found["there", 0] == (7, 14)
    assert (("late", 0) in found) == (known_from == 1)


def _standing(seconds: float | None, committed: int = 3) -> Lag:
    return Lag(group="g", topic="t", partition=0, committed=committed, end=9, messages=9 - committed, seconds=seconds)


@pytest.mark.req("OPS-4")
def test_a_record_of_a_clock_that_was_ahead_gets_older_all_the_same() -> None:
    waits = Waits()
    assert waits.at_least([_standing(0.0)], 1_000)[0].seconds == 0.0
    assert waits.at_least([_standing(0.0)], 61_000)[0].seconds == 60.0
    assert waits.at_least([_standing(90.0)], 71_000)[0].seconds == 90.0
    assert waits.at_least([_standing(None)], 81_000)[0].seconds is None
    assert waits.at_least([_standing(0.0, committed=4)], 91_000)[0].seconds == 0.0  # it went on
    assert waits.at_least([_standing(0.0, committed=9)], 99_000)[0].seconds == 0.0


def test_the_age_of_the_last_look_asks_no_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    steady = [5_000]
    monkeypatch.setattr("ops.telemetry.steady_ms", lambda: steady[0])
    registry = CollectorRegistry()
    telemetry = LagTelemetry(registry)
    steady[0] = 65_000
    assert registry.get_sample_value("returnflow_lag_measured_age_seconds") == 60.0  # since it began: never measured
    telemetry.measured(64_000)
    assert registry.get_sample_value("returnflow_lag_measured_age_seconds") == 1.0
