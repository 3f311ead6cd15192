"""How much of a system's quota is left and who may have it. Pure: the ledger stores it, gates ask for it.

A bucket is what the system would grant to anybody, less what our processes have leased and not yet reported as spent.
So it is never above the system's own count, and a lease that dies with its worker costs tokens, not a refusal.
"""

import math
from typing import Literal

import msgspec

from sinks.contract import Limit, Seen

# What a request is for. Only where a day's calls are counted does it matter; shedding.py has the order there.
Priority = Literal["money", "inspection", "read", "status", "tracking", "comment"]
# A lease covers about this long of a bucket's refill: few round trips to the ledger, little lost with a worker; and no
# more than this share of the bucket, because what one worker holds unspent the others have to do without.
LEASE_SECONDS = 1.0
LEASE_SHARE = 1 / 20
# An answer that was the newest a while ago says nothing about the bucket any more.
SEEN_SECONDS = 2.0
MOST_AHEAD_MS = 60_000  # of the clocks of our processes
LONGEST_BLOCK_MS = 86_400_000  # no answer makes us wait longer than a day
# Of a period (a quota of the day) a lease takes at most this share, because what dies with a worker stays lost.
PERIOD_SHARE = 1 / 400


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """`tokens` were free at `at_ms`; nothing is granted before `blocked_until_ms`."""

    tokens: float
    capacity: float
    per_second: float
    at_ms: int
    blocked_until_ms: int = 0


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """`tokens` to spend, or none and how long until it is worth asking again."""

    tokens: float
    wait_seconds: float = 0.0


def fresh(limit: Limit, now_ms: int) -> Bucket:
    """A bucket that nobody has touched."""
    return Bucket(tokens=limit.capacity, capacity=limit.capacity, per_second=limit.per_second, at_ms=now_ms)


def configured(bucket: Bucket, limit: Limit) -> Bucket:
    """The stored bucket under today's limit: a changed quota of a period counts from now on."""
    if limit.period_seconds is None or bucket.capacity == limit.capacity:
        return bucket
    spent = bucket.capacity - bucket.tokens
    return msgspec.structs.replace(bucket, capacity=limit.capacity, tokens=limit.capacity - spent)


def refilled(bucket: Bucket, limit: Limit, outstanding: float, now_ms: int) -> Bucket:
    """The bucket at `now_ms`; clocks that differ a little change nothing.

    One that was far ahead would keep everybody waiting until its time has come: from now on it counts anew, and what
    the system refused by then is asked again. The system's own bucket never holds more than its capacity, so ours ends
    at that less what is leased and unspent.
    """
    if now_ms < bucket.at_ms - MOST_AHEAD_MS:
        return msgspec.structs.replace(bucket, at_ms=now_ms, blocked_until_ms=0)
    if now_ms <= bucket.at_ms:
        return bucket
    if limit.period_seconds is None:
        most = max(bucket.tokens, bucket.capacity - outstanding)
        grown = bucket.tokens + (now_ms - bucket.at_ms) / 1000 * bucket.per_second
        return msgspec.structs.replace(bucket, tokens=min(most, grown), at_ms=now_ms)
    width = limit.period_seconds * 1000  # counted from the epoch, so a day begins at midnight UTC
    same_period = now_ms // width == bucket.at_ms // width
    return msgspec.structs.replace(bucket, tokens=bucket.tokens if same_period else bucket.capacity, at_ms=now_ms)


def grant(
    bucket: Bucket, limit: Limit, need: float, kept: float = 0.0, again_seconds: float | None = None
) -> tuple[Bucket, Grant]:
    """A lease of at least `need` tokens, and a little more where there is enough. The bucket must be refilled.

    `kept` tokens are left standing for others. `again_seconds`: what gives way to others gets no more than it needs,
    and asks again after that long at the latest.
    """
    blocked = min(bucket.blocked_until_ms - bucket.at_ms, LONGEST_BLOCK_MS) / 1000
    if blocked > 0:
        return bucket, Grant(tokens=0.0, wait_seconds=blocked)
    usable = bucket.tokens - kept
    least = min(need, bucket.capacity) if limit.period_seconds is None else need
    if usable < least:  # dearer than a whole bucket: it goes when the bucket is full
        wait = _until(bucket, limit, least - usable)
        return bucket, Grant(tokens=0.0, wait_seconds=wait if again_seconds is None else min(wait, again_seconds))
    more = 0.0 if again_seconds is not None else max(0.0, min(_chunk(bucket, limit), usable - need))
    given = need + more
    return msgspec.structs.replace(bucket, tokens=bucket.tokens - given), Grant(tokens=given)


def _chunk(bucket: Bucket, limit: Limit) -> float:
    if limit.period_seconds is None:
        return math.floor(min(bucket.per_second * LEASE_SECONDS, bucket.capacity * LEASE_SHARE))
    return math.floor(bucket.capacity * PERIOD_SHARE)


def _until(bucket: Bucket, limit: Limit, missing: float) -> float:
    if limit.period_seconds is None:
        return missing / bucket.per_second if bucket.per_second > 0 else 60.0
    return limit.period_seconds - (bucket.at_ms / 1000) % limit.period_seconds


def given_back(bucket: Bucket, tokens: float) -> Bucket:
    """What a lease did not need."""
    return msgspec.structs.replace(bucket, tokens=min(bucket.capacity, bucket.tokens + tokens))


def corrected(bucket: Bucket, seen: Seen, outstanding: float) -> Bucket:
    """The bucket after a look at the system's own count; `outstanding` is leased by anybody and not yet spent.

    Less than we thought counts at once. More counts only beyond what others may have spent since the look, and half of
    it at a time: it makes up for what leases lost, it never leads to a refusal.
    """
    capacity = seen.capacity or bucket.capacity
    per_second = seen.per_second or bucket.per_second
    tokens = bucket.tokens
    if seen.available is not None:
        surplus = seen.available - outstanding - tokens
        tokens += surplus if surplus < 0 else max(0.0, surplus - max(0.1 * capacity, SEEN_SECONDS * per_second)) / 2
    return msgspec.structs.replace(bucket, tokens=min(capacity, tokens), capacity=capacity, per_second=per_second)


def refused(bucket: Bucket, retry_after_seconds: float, now_ms: int) -> Bucket:
    """The system refused for quota: nobody asks before it said to."""
    until = now_ms + math.ceil(retry_after_seconds * 1000)
    return msgspec.structs.replace(bucket, blocked_until_ms=max(bucket.blocked_until_ms, until))
