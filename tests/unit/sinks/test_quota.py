"""Quotas: never more than the system grants, a reserve for the money path, corrections by what the system says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import quota, shedding
from sinks.contract import Limit, Seen
from sinks.quota import Bucket, Priority

BUCKET = Limit(name="cost", capacity=100.0, per_second=10.0)
DAY = Limit(name="day", capacity=2000.0, per_second=0.0, period_seconds=86_400.0, reserve=300.0)
MIDNIGHT_MS = 1_767_225_600_000  # 2026-01-01 00:00 UTC


def full(limit: Limit, now_ms: int = 0) -> Bucket:
    return quota.fresh(limit, now_ms)


@given(st.lists(st.tuples(st.integers(0, 3_000), st.floats(0.5, 60.0), st.floats(0.0, 1.0)), min_size=1, max_size=60))
def test_a_bucket_grants_no_more_than_it_held_and_refilled(steps: list[tuple[int, float, float]]) -> None:
    """Over any time, whatever is asked and given back."""
    bucket, now_ms, granted = full(BUCKET), 0, 0.0
    for wait_ms, need, back in steps:
        now_ms += wait_ms
        bucket, grant = quota.grant(quota.refilled(bucket, BUCKET, 0.0, now_ms), BUCKET, need)
        assert grant.tokens == 0.0 or grant.tokens >= need
        bucket = quota.given_back(bucket, grant.tokens * back)
        granted += grant.tokens * (1 - back)
        assert granted <= 100.0 + 10.0 * now_ms / 1000 + 1e-6


@given(st.lists(st.tuples(st.integers(0, 40_000_000), st.floats(1, 30), st.sampled_from(["money", "read"]))))
def test_a_day_grants_its_quota_once_and_reads_leave_the_reserve(steps: list[tuple[int, float, Priority]]) -> None:
    bucket, now_ms, days = full(DAY, MIDNIGHT_MS), MIDNIGHT_MS, dict[int, float]()
    for wait_ms, need, priority in steps:
        now_ms += wait_ms
        kept = shedding.kept([], DAY, priority, now_ms)
        bucket, grant = quota.grant(quota.refilled(bucket, DAY, 0.0, now_ms), DAY, need, kept)
        day = now_ms // 86_400_000
        days[day] = days.get(day, 0.0) + grant.tokens
        assert days[day] <= 2000.0 + 1e-6
        if grant.tokens and priority == "read":
            assert bucket.tokens >= 300.0 - 1e-6


def test_money_may_use_the_reserve_and_reads_wait_for_midnight() -> None:
    noon_ms = MIDNIGHT_MS + 43_200_000
    bucket = Bucket(tokens=300.0, capacity=2000.0, per_second=0.0, at_ms=noon_ms)
    _, money = quota.grant(bucket, DAY, 1.0)
    _, read = quota.grant(bucket, DAY, 1.0, 300.0)
    assert money.tokens >= 1.0
    assert (read.tokens, read.wait_seconds) == (0.0, 43_200.0)


def test_a_new_day_is_a_full_quota_and_the_same_day_is_not() -> None:
    spent = Bucket(tokens=5.0, capacity=2000.0, per_second=0.0, at_ms=MIDNIGHT_MS + 1)
    assert quota.refilled(spent, DAY, 0.0, MIDNIGHT_MS + 86_399_999).tokens == 5.0
    assert quota.refilled(spent, DAY, 0.0, MIDNIGHT_MS + 86_400_000).tokens == 2000.0


def test_a_raised_quota_counts_at_once() -> None:
    """1 990 of 2 000 were spent; the merchant now has 5 000 a day."""
    spent = Bucket(tokens=10.0, capacity=2000.0, per_second=0.0, at_ms=MIDNIGHT_MS)
    raised = Limit(name="day", capacity=5000.0, per_second=0.0, period_seconds=86_400.0)
    assert quota.configured(spent, raised).tokens == 3010.0


def test_the_wait_is_until_there_is_enough() -> None:
    bucket = Bucket(tokens=4.0, capacity=100.0, per_second=10.0, at_ms=0)
    _, grant = quota.grant(bucket, BUCKET, 30.0)
    assert math.isclose(grant.wait_seconds, 2.6)
    _, later = quota.grant(quota.refilled(bucket, BUCKET, 0.0, 2_600), BUCKET, 30.0)
    assert later.tokens >= 30.0


def test_what_costs_more_than_the_bucket_goes_when_it_is_full() -> None:
    bucket, grant = quota.grant(full(BUCKET), BUCKET, 130.0)
    assert grant.tokens == 130.0
    assert bucket.tokens == -30.0


def test_less_than_we_thought_counts_at_once() -> None:
    bucket = Bucket(tokens=90.0, capacity=100.0, per_second=10.0, at_ms=0)
    seen = quota.corrected(bucket, Seen(available=60.0, capacity=200.0, per_second=20.0), outstanding=25.0)
    assert (seen.tokens, seen.capacity, seen.per_second) == (35.0, 200.0, 20.0)


def test_more_than_we_thought_counts_beyond_what_others_may_have_spent_since() -> None:
    bucket = Bucket(tokens=10.0, capacity=100.0, per_second=10.0, at_ms=0)
    assert quota.corrected(bucket, Seen(available=30.0), outstanding=0.0).tokens == 10.0
    assert quota.corrected(bucket, Seen(available=90.0), outstanding=0.0).tokens == 40.0


def test_a_lease_that_is_out_leaves_no_room_for_itself() -> None:
    """Else a full bucket and an unspent lease together would be more than the system ever holds."""
    bucket = Bucket(tokens=50.0, capacity=100.0, per_second=10.0, at_ms=0)
    assert quota.refilled(bucket, BUCKET, 30.0, 60_000).tokens == 70.0


def test_a_lease_that_died_with_its_worker_keeps_nobody_waiting() -> None:
    """A second's refill may be the whole bucket; who leased all of it and was killed would stop everybody else."""
    limit = Limit(name="second", capacity=100.0, per_second=100.0)
    bucket, lost = quota.grant(full(limit), limit, 1.0)
    for second in range(1, 60):
        bucket = quota.refilled(bucket, limit, lost.tokens, second * 1_000)
        bucket, granted = quota.grant(bucket, limit, 10.0)
        assert granted.tokens >= 10.0


def test_a_refusal_closes_the_bucket_for_everybody() -> None:
    bucket = quota.refused(full(BUCKET), 2.5, 1_000)
    _, early = quota.grant(quota.refilled(bucket, BUCKET, 0.0, 2_000), BUCKET, 1.0)
    assert (early.tokens, early.wait_seconds) == (0.0, 1.5)
    _, late = quota.grant(quota.refilled(bucket, BUCKET, 0.0, 3_500), BUCKET, 1.0)
    assert late.tokens >= 1.0


def test_a_clock_that_goes_back_refills_nothing() -> None:
    bucket = Bucket(tokens=1.0, capacity=100.0, per_second=10.0, at_ms=5_000)
    assert quota.refilled(bucket, BUCKET, 0.0, 4_000) == bucket


@pytest.mark.parametrize("limit", [BUCKET, DAY])
def test_a_clock_that_was_far_ahead_keeps_nobody_waiting_and_grants_nothing_twice(limit: Limit) -> None:
    year_ms = 365 * 86_400_000
    empty = Bucket(
        tokens=0.0, capacity=limit.capacity, per_second=limit.per_second, at_ms=MIDNIGHT_MS + year_ms,
        blocked_until_ms=MIDNIGHT_MS + year_ms + 1000,
    )  # fmt: skip
    seen = quota.refilled(empty, limit, 0.0, MIDNIGHT_MS)
    assert (seen.tokens, seen.at_ms) == (0.0, MIDNIGHT_MS)
    later = quota.refilled(seen, limit, 0.0, MIDNIGHT_MS + 86_400_000)
    assert quota.grant(later, limit, 1.0)[1].tokens >= 1.0
    little = quota.refilled(empty, limit, 0.0, empty.at_ms - 5_000)
    assert little is empty
