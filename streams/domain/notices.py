"""Exceptions for people: each opens once per cause, collects repeats, and closes by itself when its cause is gone."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from schemas import ids
from schemas.exceptions import Evidence, ExceptionCleared, raised
from schemas.merchant import Merchant
from streams.domain import output, story
from streams.domain.causes import Cause
from streams.domain.output import Output
from streams.domain.seat import model_of
from streams.domain.state import Case, Notice


def notice(
    case: Case, causes: dict[str, Cause], rules: Merchant, evidence: Evidence | None
) -> tuple[Case, list[Output]]:
    """The case with its notices brought to the causes that hold, and what is to be told."""
    if not causes and not case.notices:
        return case, []
    notices = dict(case.notices)
    made: list[Output] = []
    for exception_id, cause in causes.items():
        known = notices.get(exception_id)
        digest = ids.digest(msgspec.msgpack.encode(cause))
        if known is not None and known.open and known.digest == digest:
            continue
        notices[exception_id] = _told(known, cause, digest, case)
        made += _raise(case, exception_id, cause, notices[exception_id], rules, evidence)
    for exception_id, known in case.notices.items():
        if known.open and exception_id not in causes:
            notices[exception_id] = replace(known, open=False)
            made += _clear(case, exception_id, known, "no fact shows the cause any more", evidence)
    return (replace(case, notices=notices) if made else case), made


def forgotten(case: Case, evidence: Evidence | None) -> list[Output]:
    """Clears what is open of a case whose row goes: nobody could clear it later."""
    is_open = {exception_id: known for exception_id, known in case.notices.items() if known.open}
    why = "its case is over and forgotten"
    return [each for name, known in is_open.items() for each in _clear(case, name, known, why, evidence)]


def _told(known: Notice | None, cause: Cause, digest: str, case: Case) -> Notice:
    if known is None:
        return Notice(cause.type, cause.rma_id, digest, case.learnt.now_ms, 1, True)
    # still open: the same trouble with other figures; closed before: it is back since now
    since = known.since_ms if known.open else case.learnt.now_ms
    return replace(known, digest=digest, since_ms=since, repeats=known.repeats + 1, open=True)


def _raise(
    case: Case, exception_id: str, cause: Cause, known: Notice, rules: Merchant, evidence: Evidence | None
) -> Iterable[Output]:
    tried = case.decided.get(cause.command_id or "")
    record = raised(
        cause.type, exception_id=exception_id, merchant=case.learnt.merchant, detail=cause.detail,
        at_ms=known.since_ms, order_id=case.learnt.order_id, rma_id=cause.rma_id, line_id=cause.line_id,
        unit_ids=cause.unit_ids, sku=cause.sku, location=cause.location,
        system=model_of(case.learnt.order, rules).stock if tried is None else tried.system,
        expected=cause.expected, actual=cause.actual, command_id=cause.command_id, repeats=known.repeats,
        owner=rules.owners.get(cause.type), evidence=evidence,
    )  # fmt: skip
    yield output.exception(record)
    identity = f"{exception_id}:{known.repeats}"
    yield output.step(story.noticed(case, "raised", cause.type, cause.rma_id, cause.detail, identity, cause, evidence))


def _clear(case: Case, exception_id: str, known: Notice, why: str, evidence: Evidence | None) -> Iterable[Output]:
    record = ExceptionCleared(
        exception_id=exception_id, type=known.type, merchant=case.learnt.merchant, why=why,
        cleared_at_ms=case.learnt.now_ms, order_id=case.learnt.order_id, rma_id=known.rma_id,
    )  # fmt: skip
    yield output.exception(record)
    identity = f"{exception_id}:{known.repeats}"
    yield output.step(story.noticed(case, "cleared", known.type, known.rma_id, why, identity, None, evidence))
