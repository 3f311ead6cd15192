"""The breaker: opens on failures in a row, lets one probe through, closes on any answer."""

from sinks import breaker
from sinks.breaker import Breaker, Settings

SETTINGS = Settings(failures=3, open_seconds=5.0, longest_seconds=12.0)


def opened() -> Breaker:
    state = Breaker()
    for _ in range(3):
        state = breaker.failed(state, SETTINGS, 1_000)
    return state


def test_it_opens_on_the_last_failure_in_a_row_only() -> None:
    state = breaker.failed(breaker.failed(Breaker(), SETTINGS, 0), SETTINGS, 0)
    assert breaker.state(state) == "closed"
    assert breaker.state(breaker.failed(breaker.succeeded(), SETTINGS, 0)) == "closed"
    assert breaker.state(breaker.failed(state, SETTINGS, 0)) == "open"


def test_open_says_how_long() -> None:
    _, wait = breaker.admit(opened(), SETTINGS, 2_000)
    assert wait == 4.0


def test_after_the_pause_one_probe_and_no_other() -> None:
    probing, wait = breaker.admit(opened(), SETTINGS, 6_000)
    assert (breaker.state(probing), wait) == ("half_open", 0.0)
    _, wait = breaker.admit(probing, SETTINGS, 6_000)
    assert wait > 0


def test_failed_probes_pause_longer_up_to_a_bound() -> None:
    state, now_ms, pauses = opened(), 6_000, []
    for _ in range(4):
        state, wait = breaker.admit(state, SETTINGS, now_ms)
        assert wait == 0.0
        state = breaker.failed(state, SETTINGS, now_ms)
        assert state.open_until_ms is not None
        pauses.append((state.open_until_ms - now_ms) / 1000)
        now_ms = state.open_until_ms
    assert pauses == [10.0, 12.0, 12.0, 12.0]


def test_stragglers_do_not_prolong_it() -> None:
    state = opened()
    assert breaker.failed(state, SETTINGS, 4_000) == state


def test_an_answer_closes_it_and_an_abandoned_probe_frees_the_next() -> None:
    probing, _ = breaker.admit(opened(), SETTINGS, 6_000)
    assert breaker.state(breaker.succeeded()) == "closed"
    again, wait = breaker.admit(breaker.abandoned(probing), SETTINGS, 6_000)
    assert (breaker.state(again), wait) == ("half_open", 0.0)
