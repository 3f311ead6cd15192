"""Policy: what follows from each outcome."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.commands import Annotate
from sinks import policy
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.policy import Again, DeadLetter, History, Patience, Pause, Settle, Step, Streak
from tests.unit.sinks.toy import refund, restock

PATIENCE = Patience(first_seconds=1.0, longest_seconds=60.0, give_up_seconds=3600.0)
HOUR_MS = 3_600_000


def follow(
    outcome: Outcome, history: History | None = None, *, answers: bool = True, now_ms: int = 0, chance: float = 1.0
) -> tuple[Step, History]:
    known = History() if history is None else history
    return policy.after(outcome, known, PATIENCE, answers=answers, now_ms=now_ms, chance=chance)


@pytest.mark.parametrize("outcome", [Applied(), AlreadyApplied()])
def test_what_is_there_is_settled(outcome: Applied | AlreadyApplied) -> None:
    assert follow(outcome) == (Settle(outcome=outcome), History(attempts=1))


@pytest.mark.req("EXC-6")
def test_what_was_refused_is_a_dead_letter() -> None:
    step, history = follow(Rejected(code="archived_order", detail="closed"))
    assert step == DeadLetter(code="archived_order", detail="closed")
    assert history.attempts == 1


def test_what_is_misconfigured_pauses_and_spends_no_attempt() -> None:
    step, history = follow(Misconfigured(code="unauthorized", detail="401"))
    assert step == Pause(code="unauthorized", detail="401")
    assert history == History()


def test_a_hint_is_waited_for_and_counts_as_no_failure() -> None:
    step, history = follow(Deferred(reason="quota", after_seconds=30.0), chance=0.0)
    assert step == Again(wait_seconds=30.0, reason="quota")
    assert history == History()


def test_uncertain_spends_an_attempt_and_stays_open() -> None:
    step, history = follow(Uncertain(reason="no answer", new_key=True), now_ms=5)
    assert step == Again(wait_seconds=1.0, reason="no answer", new_key=True)
    assert history == History(attempts=1, failing_since_ms=5, open=True)


@pytest.mark.req("INV-14")
@given(chance=st.floats(0.0, 1.0), failing_ms=st.integers(0, HOUR_MS - 1))
def test_waits_grow_with_the_time_of_failing_and_are_spread(chance: float, failing_ms: int) -> None:
    """Full jitter: anything from nothing to the bound, and the bound grows with what it has failed already."""
    step, _ = follow(Deferred(reason="busy"), History(failing_since_ms=0), now_ms=failing_ms, chance=chance)
    assert isinstance(step, Again)
    assert 0.0 <= step.wait_seconds <= min(60.0, 1.0 + 2 * failing_ms / 1000)


@pytest.mark.req("INV-14")
def test_it_is_given_up_by_the_time_of_failing_and_raised() -> None:
    step, _ = follow(Deferred(reason="locked"), History(failing_since_ms=0), now_ms=HOUR_MS)
    assert step == DeadLetter(code="rejected_by_system", detail="given up after failing for 1.0 h: locked.")


def test_what_may_have_been_applied_says_so_when_it_is_given_up() -> None:
    step, _ = follow(Uncertain(reason="no answer"), History(failing_since_ms=0), now_ms=HOUR_MS)
    assert isinstance(step, DeadLetter)
    assert "It may have been applied" in step.detail


@pytest.mark.req("OPS-3")
def test_a_system_that_is_down_costs_no_attempt_and_no_patience() -> None:
    """However long it is down, no command is given up for it."""
    step, history = follow(
        Uncertain(reason="no answer"), History(attempts=2, failing_since_ms=0), answers=False, now_ms=100 * HOUR_MS
    )
    assert isinstance(step, Again)
    assert history == History(attempts=2, failing_since_ms=None, open=True)


def test_equal_rejections_in_a_row_are_counted() -> None:
    streak = policy.counted(policy.counted(Streak(), "a"), "a")
    assert streak.length == 2
    assert policy.counted(streak, "b") == Streak(code="b", length=1)


Aspect = Literal["note", "tags", "comment", "status", "transaction"]
WHAT_FOR = {"note": "read", "tags": "read", "comment": "comment", "status": "status", "transaction": "money"}


@pytest.mark.parametrize(("aspect", "priority"), WHAT_FOR.items())
def test_marks_for_people_give_way(aspect: Aspect, priority: str) -> None:
    mark = Annotate(
        command_id="c", merchant="m", system="s", order_id="1", rma_id="R", unit_ids=(), generation=0, decided_at_ms=0,
        aspect=aspect,
    )  # fmt: skip
    assert policy.priority(mark) == priority
    longest = policy.patience_of(mark, PATIENCE).longest_seconds
    assert longest == PATIENCE.longest_seconds * (1 if priority == "money" else 12)


def test_money_and_stock_go_first() -> None:
    assert (policy.priority(refund(1)), policy.priority(restock(1))) == ("money", "money")
