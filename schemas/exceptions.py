"""Exceptions for people: raised, and cleared by themselves or by a person."""

import msgspec

from schemas.exception_types import TYPES as TYPES
from schemas.exception_types import Severity as Severity
from schemas.exception_types import Team as Team

# Types that nothing but a person closed before records said so themselves.
BY_HAND = frozenset({"undecodable", "malformed_delivery"})


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fact that shows it can be read."""

    topic: str
    partition: int
    offset: int


class ExceptionRaised(msgspec.Struct, frozen=True, kw_only=True):
    """Opened once per cause; a repeat has the same id and a higher `repeats`."""

    exception_id: str
    type: str  # a key of TYPES
    owner: Team
    severity: Severity
    merchant: str
    detail: str  # what is wrong, with the values; no personal data
    next_step: str
    since_ms: int
    due_ms: int
    order_id: str = ""
    rma_id: str = ""
    line_id: str | None = None
    unit_ids: tuple[str, ...] = ()
    sku: str | None = None
    location: str | None = None
    system: str | None = None
    expected: str | None = None
    actual: str | None = None
    command_id: str | None = None
    repeats: int = 1
    actions: tuple[str, ...] = ()
    evidence: Evidence | None = None
    # Tells of one record or delivery, so that a person may close it; None: from before this was told, see BY_HAND.
    resolvable: bool | None = None


class ExceptionCleared(msgspec.Struct, frozen=True, kw_only=True):
    """The cause is gone, or a person resolved it."""

    exception_id: str
    type: str
    merchant: str
    cleared_at_ms: int
    why: str
    order_id: str = ""
    rma_id: str = ""
    by: str = ""  # the person who resolved it; "": its cause is gone


def raised(
    kind: str,
    *,
    exception_id: str,
    merchant: str,
    detail: str,
    at_ms: int,
    order_id: str = "",
    rma_id: str = "",
    line_id: str | None = None,
    unit_ids: tuple[str, ...] = (),
    sku: str | None = None,
    location: str | None = None,
    system: str | None = None,
    expected: str | None = None,
    actual: str | None = None,
    command_id: str | None = None,
    repeats: int = 1,
    owner: Team | None = None,
    evidence: Evidence | None = None,
    resolvable: bool = False,
) -> ExceptionRaised:
    """An exception of a known type with the owner, urgency and way out of that type; KeyError for any other type."""
    shared = TYPES[kind]
    return ExceptionRaised(
        exception_id=exception_id,
        type=kind,
        owner=owner or shared.owner,
        severity=shared.severity,
        merchant=merchant,
        detail=detail,
        next_step=shared.next_step,
        since_ms=at_ms,
        due_ms=at_ms + shared.hours * 3_600_000,
        order_id=order_id,
        rma_id=rma_id,
        line_id=line_id,
        unit_ids=unit_ids,
        sku=sku,
        location=location,
        system=system,
        expected=expected,
        actual=actual,
        command_id=command_id,
        repeats=repeats,
        actions=(*shared.actions, "resolve") if resolvable else shared.actions,
        evidence=evidence,
        resolvable=resolvable,
    )


def by_hand(each: ExceptionRaised) -> bool:
    """Whether a person may close it. What tells of a state closes when the state is gone, and not before."""
    return each.type in BY_HAND if each.resolvable is None else each.resolvable
