"""A case: what was learnt, and what this pipeline decided and said about it."""

import msgspec

from streams.domain.decided import Decision
from streams.domain.learnt import Learnt, Stamp


class Sent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When an open decision was last emitted, and how often again."""

    at_ms: int
    repeats: int = 0


class Notice(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An exception that was raised. It stays after clearing, so that its return is counted."""

    type: str
    rma_id: str
    digest: str  # of what it says
    since_ms: int
    repeats: int
    open: bool


class Waiting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The guard that holds a unit up, and since when."""

    guard: str
    since_ms: int


class Case(msgspec.Struct, frozen=True, gc=False):
    """One order with its returns; row.py says how it is stored."""

    due_ms: int | None  # earliest deadline
    learnt: Learnt
    decided: dict[str, Decision] = {}
    open: dict[str, Sent] = {}  # decisions without a result
    notices: dict[str, Notice] = {}
    waiting: dict[str, Waiting] = {}  # by RMA and unit
    tag: str = ""  # stage whose tag the order carries
    attention: bool = False  # whether the order carries the tag that asks for a person
    announced: dict[str, str] = {}  # RMA → digest of what warehouses were told
    limit_ms: int | None = None  # earliest of the limits that are running
    walked: bool = False  # every unit is closed, and no piece is left that belongs to none
    tags_told: Stamp | None = None  # the order's version that was known when a command for its tags was answered
    judged_by: str = ""  # digest of the merchant's configuration that it was last judged by
    erased_ms: int | None = None  # a person asked to forget it: nothing else is left of it
