"""A storm of one message is counted; whatever is said once is said."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ops.log_storm import WINDOW_SECONDS, Repeated, Storm, kind_of


def event(**said: Any) -> dict[str, Any]:
    return {"event": "publish_waits", "level": "warning", "topic": "facts", **said}


def test_the_first_is_said_and_the_others_are_counted_once_a_minute() -> None:
    storm = Storm()
    said = [storm.admit(event(seconds=n / 3, timestamp=str(n)), float(n)) for n in range(57)]
    assert said == [True] + [False] * 56
    assert storm.over(57.0) == []
    (told,) = storm.over(WINDOW_SECONDS)
    assert (told.times, told.event["topic"]) == (56, "facts")
    assert not storm.admit(event(seconds=0.1), 90.0)  # it goes on: nobody needs its first once more
    assert [each.times for each in storm.over(2 * WINDOW_SECONDS)] == [1]
    assert storm.over(3 * WINDOW_SECONDS) == []
    assert storm.admit(event(seconds=0.1), 200.0)  # it was quiet for a minute: it is news again


def test_what_differs_is_another_message() -> None:
    storm = Storm()
    others = [event(topic="results"), event(level="error"), event(command_id="c1"), event(command_id="c2")]
    assert all(storm.admit(each, 0.0) for each in [event(), *others])


def test_how_long_it_took_and_which_task_it_was_makes_no_other_message() -> None:
    told = "Connect to 127.0.0.1:9092 failed: refused (after {}ms in state CONNECT, {} identical error(s) suppressed)"
    kinds = {kind_of({"event": told.format(n, n + 7)}) for n in range(9)}
    assert len(kinds) == 1
    assert kind_of({"event": "port 9092"}) != kind_of({"event": "port 9093"})
    assert kind_of({"event": "Task-7 at 0x7f01"}) == kind_of({"event": "Task-9 at 0x7f02"})


def test_what_is_counted_at_the_end_is_told() -> None:
    storm = Storm()
    for _ in range(3):
        storm.admit(event(), 0.0)
    assert storm.over(1.0, all_of_them=True) == [Repeated(event=event(), times=2)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 500)), max_size=60))
def test_nothing_is_lost(came: list[tuple[str, float]]) -> None:
    storm, said, counted = Storm(), 0, 0
    for word, at in sorted(came, key=lambda each: each[1]):
        counted += sum(each.times for each in storm.over(at))
        said += storm.admit({"event": word}, at)
    counted += sum(each.times for each in storm.over(1_000.0, all_of_them=True))
    assert said + counted == len(came)
    assert said >= len({word for word, _ in came})
