"""Claiming and settling effects: who may carry a command out, what earlier attempts left, how it ended.

Every operation takes many commands at once, for the ledger's group commit, and may be repeated.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection, bindparam, func, insert, select, update

from schemas.clock import ahead
from sinks.ledger import parking, units
from sinks.ledger.claims import Answer, Behind, Busy, Claim, Claimed, Contradicts, Release, Renew, Settle, Settled
from sinks.ledger.parking import Arrival
from sinks.ledger.tables import effects

# No claim is asked for longer than this (sinks.settings).
LONGEST_CLAIM_MS = 300_000


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger has of a command."""

    command_id: str
    fingerprint: str
    state: str
    epoch: int
    idempotency_key: str
    attempts: int
    first_sent_ms: int | None
    failing_since_ms: int | None
    notes: str
    result: bytes | None
    claimed_by: str | None
    claim_until_ms: int
    updated_ms: int
    batch_id: str | None
    alone: bool


def claim(connection: Connection, claims: Sequence[Claim]) -> list[Answer]:
    """One answer per claim; what is Claimed may be sent once this is committed."""
    rows = _rows(connection, [each.command_id for each in claims])
    held, freed = units.holders(connection, [unit for each in claims for unit in each.units])
    wanted: dict[str, str] = {}
    parked = parking.parked_keys(connection, [(each.system, each.key) for each in claims if each.arrival is not None])
    answers: list[Answer] = []
    new: list[dict[str, Any]] = []
    taken: list[dict[str, Any]] = []
    queued: list[Arrival] = []
    for each in claims:
        row = rows.get(each.command_id)
        # What comes out of a parked lane must not queue behind it, also when an arrival of that key is claimed with it.
        answer = _answer(each, row, is_parked=each.arrival is not None and (each.system, each.key) in parked)
        match answer:
            case Claimed():
                (new if row is None else taken).append(_claimed_row(each))
                rows[each.command_id] = _just_claimed(each)
                other = units.take(each.command_id, each.units, held, wanted)
                answer = answer if other is None else msgspec.structs.replace(answer, paid_by=other)
            case Behind() if each.arrival is not None:
                queued.append(each.arrival)
            case _:
                pass
        answers.append(answer)
    _cut(connection, rows, claims)
    if new:
        connection.execute(insert(effects), new)  # taken meanwhile by another worker: the ledger runs each alone again
    units.hold(connection, wanted, freed)
    if taken:
        connection.execute(_TAKE, [_renamed(row) for row in taken])
    parking.queue(connection, queued)
    return answers


def _cut(connection: Connection, rows: dict[str, _Row], claims: Sequence[Claim]) -> None:
    """A claim that lasts longer than any may was written by a clock that has been set back since. From now on it lasts
    as long as the longest: that is longer than whoever has it thinks that he has it."""
    for each in claims:
        row = rows.get(each.command_id)
        if row is not None and row.state == "claimed" and ahead(row.claim_until_ms, each.now_ms, LONGEST_CLAIM_MS):
            cut = {"_command_id": each.command_id, "_until_ms": each.now_ms + LONGEST_CLAIM_MS}
            connection.execute(_RENEW, [cut])


def _answer(claim: Claim, row: _Row | None, *, is_parked: bool) -> Answer:
    if row is not None and row.fingerprint != claim.fingerprint:
        return Contradicts(result=row.result)
    if row is not None and row.result is not None:
        return Settled(result=row.result)
    if is_parked:
        return Behind()
    if row is None:
        return Claimed(idempotency_key=claim.idempotency_key)
    # Our own claim counts as well: two records of one command, under two keys, must not be carried out side by side.
    if row.state == "claimed" and row.claim_until_ms > (claim.now_ms if claim.sure_ms is None else claim.sure_ms):
        return Busy(until_ms=min(row.claim_until_ms, claim.now_ms + LONGEST_CLAIM_MS))
    return Claimed(
        idempotency_key=row.idempotency_key,
        epoch=row.epoch,
        attempts=row.attempts,
        first_sent_ms=row.first_sent_ms,
        failing_since_ms=row.failing_since_ms,
        left_ms=None if row.failing_since_ms is None else row.updated_ms,
        notes=orjson.loads(row.notes),
        batch_id=row.batch_id,
        alone=row.alone,
    )


def _just_claimed(claim: Claim) -> _Row:
    fields = _claimed_row(claim) | {"failing_since_ms": None, "result": None, "batch_id": None, "alone": False}
    return _Row(**{name: fields[name] for name in _Row.__struct_fields__})


def _claimed_row(claim: Claim) -> dict[str, Any]:
    return {
        "command_id": claim.command_id,
        "merchant": claim.merchant,
        "system": claim.system,
        "kind": claim.kind,
        "key": claim.key,
        "fingerprint": claim.fingerprint,
        "state": "claimed",
        "epoch": 0,
        "idempotency_key": claim.idempotency_key,
        "attempts": 0,
        "first_sent_ms": claim.now_ms,  # committed before the first request: whoever finds this claim looks first
        "notes": "{}",
        "external_ids": "{}",
        "claimed_by": claim.worker,
        "claim_until_ms": claim.until_ms,
        "created_ms": claim.now_ms,
        "updated_ms": claim.now_ms,
    }


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    wanted = ("command_id", "claimed_by", "claim_until_ms", "updated_ms", "first_sent_ms")
    return {f"_{name}": row[name] for name in wanted}


def renew(connection: Connection, renewals: Sequence[Renew]) -> list[bool]:
    """Whether each claim is still held; it then is until `until_ms`."""
    rows = _rows(connection, [each.command_id for each in renewals])
    held = []
    for each in renewals:
        row = rows.get(each.command_id)
        held.append(row is not None and row.state == "claimed" and row.claimed_by == each.worker)
    kept = [each for each, still in zip(renewals, held, strict=True) if still]
    if kept:
        connection.execute(_RENEW, [_parameters(each, "worker") for each in kept])
    return held


def settle(connection: Connection, ends: Sequence[Settle]) -> list[None]:
    """Write down how commands ended. The first end stays, whoever held the claim: the effect is there."""
    rows = [
        _parameters(each, "external_ids") | {"_external_ids": orjson.dumps(each.external_ids).decode()} for each in ends
    ]
    connection.execute(_SETTLE, rows)
    return [None for _ in ends]


def release(connection: Connection, releases: Sequence[Release]) -> list[None]:
    """Let claims go, keeping what was learned for whoever is next."""
    rows = [_parameters(each, "notes") | {"_notes": orjson.dumps(each.notes).decode()} for each in releases]
    connection.execute(_RELEASE, rows)
    return [None for _ in releases]


def _parameters(each: msgspec.Struct, *without: str) -> dict[str, Any]:
    return {f"_{name}": getattr(each, name) for name in each.__struct_fields__ if name not in without}


def _rows(connection: Connection, ids: Sequence[str]) -> dict[str, _Row]:
    columns = [effects.c[name] for name in _Row.__struct_fields__]
    statement = select(*columns).where(effects.c.command_id.in_(ids)).with_for_update()
    return {row.command_id: _Row(**row._mapping) for row in connection.execute(statement)}


_ROW = effects.c.command_id == bindparam("_command_id")
_OPEN = effects.c.state != "settled"

_TAKE = (
    update(effects)
    .where(_ROW)
    .values(
        state="claimed",
        claimed_by=bindparam("_claimed_by"),
        claim_until_ms=bindparam("_claim_until_ms"),
        updated_ms=bindparam("_updated_ms"),
        # An earlier date stays: the system's memory of our key is counted from the first request.
        first_sent_ms=func.coalesce(effects.c.first_sent_ms, bindparam("_first_sent_ms")),
    )
)
_RENEW = update(effects).where(_ROW).values(claim_until_ms=bindparam("_until_ms"))
_SETTLE = (
    update(effects)
    .where(_ROW, _OPEN)
    .values(
        state="settled",
        outcome=bindparam("_outcome"),
        external_ids=bindparam("_external_ids"),
        result=bindparam("_result"),
        attempts=bindparam("_attempts"),
        updated_ms=bindparam("_now_ms"),
        claimed_by=None,
        claim_until_ms=0,
    )
)
_RELEASE = (
    update(effects)
    .where(_ROW, _OPEN, effects.c.claimed_by == bindparam("_worker"))
    .values(
        claimed_by=None,
        claim_until_ms=0,
        epoch=bindparam("_epoch"),
        idempotency_key=bindparam("_idempotency_key"),
        attempts=bindparam("_attempts"),
        first_sent_ms=bindparam("_first_sent_ms"),
        failing_since_ms=bindparam("_failing_since_ms"),
        notes=bindparam("_notes"),
        updated_ms=bindparam("_now_ms"),
    )
)
