"""When a child is ready, not ready, or hangs."""

from ops.fitness import Fitness, Heard, Patience

WELL = Heard()
WAITS = Heard(serves="Kafka does not answer")  # it lives
MUTE = Heard(serves="no answer", lives="no answer")
PATIENCE = Patience(told=5.0, hangs=30.0, starts=180.0, asks=3)


def states(*heard: tuple[float, Heard]) -> list[str]:
    """Of a child that says these things at these seconds."""
    fitness = Fitness(PATIENCE)
    return [fitness.heard(what, at) for at, what in heard]


def test_it_is_ready_once_it_serves_and_not_ready_only_when_it_has_not_served_for_a_while() -> None:
    assert states((0, WAITS), (1, WELL), (3, WAITS), (7, WAITS), (8, WAITS), (9, WELL)) == [
        "starting", "ready", "ready", "ready", "not ready", "ready",
    ]  # fmt: skip


def test_one_failed_answer_now_and_then_is_nothing() -> None:
    assert set(states(*((at, WELL if at % 4 else WAITS) for at in range(1, 200)))) == {"ready"}


def test_waiting_for_others_is_never_a_hang() -> None:
    assert states((0, WELL), *((float(at), WAITS) for at in range(1, 4000)))[-1] == "not ready"


def test_silence_is_a_hang_after_its_time_and_only_when_it_was_asked_often_enough() -> None:
    assert states((0, WELL), (1, MUTE), (15, MUTE), (30, MUTE), (31, MUTE))[-2:] == ["not ready", "hangs"]
    assert states((0, WELL), (1, MUTE), (600, MUTE), (601, MUTE))[-2:] == ["not ready", "hangs"]


def test_a_sign_of_life_begins_the_time_anew() -> None:
    assert states((0, WELL), (1, MUTE), (20, MUTE), (25, WAITS), (40, MUTE), (60, MUTE), (69, MUTE))[-1] == "not ready"


def test_one_that_starts_has_longer_and_not_for_ever() -> None:
    assert states((0, MUTE), (90, MUTE), (179, MUTE), (180, MUTE))[-2:] == ["starting", "hangs"]
    assert states((0, WAITS), (1, MUTE), (20, MUTE), (31, MUTE))[-1] == "hangs"


def test_it_says_what_is_wrong() -> None:
    fitness = Fitness(PATIENCE)
    fitness.heard(WAITS, 0)
    assert fitness.why == "Kafka does not answer"
    fitness.heard(WELL, 1)
    assert fitness.why == ""
