"""Tell ReturnGO what was done: a comment, a transaction's outcome, a status. It takes no idempotency key: we look."""

import html
import re
from typing import Any

import httpx

from schemas.commands import Annotate, TransactionOutcome
from sinks.contract import Attempt, Flow, ReadFlow
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Rejected
from sinks.systems.ended import Ended
from sinks.systems.returngo import calls
from sinks.systems.returngo.connection import Connection

STATUSES = {
    "success": "Success",
    "failed": "Failed",
}  # "Failed" is not published; what it is called is an open question
FRESH_MS = 600_000
PLATFORM_REFUND = "PlatformRefundId"
_COMMAND = re.compile(r"\bcmd ([0-9a-f-]{36})")


def annotate(command: Annotate, c: Connection, attempt: Attempt) -> Flow:
    """Carries out one aspect; Rejected for those that an RMA does not have."""
    match command.aspect:
        case "comment":
            return (yield from _comment(command, c, attempt))
        case "transaction":
            return (yield from _transaction(command, c))
        case "status":
            return (yield from _status(command, c, attempt))
        case "tags" | "note":
            return Rejected(code="rejected_by_system", detail=f"ReturnGO has no {command.aspect} to write")


def _comment(command: Annotate, c: Connection, attempt: Attempt) -> Flow:
    """Calls are scarce, so only a repeated attempt reads the comments for our mark."""
    if not command.text:
        return Rejected(code="rejected_by_system", detail="expected a text for the comment, got none")
    if attempt.first_sent_ms is not None:
        rma = yield from _rma(command, c)
        marks = (_COMMAND.search(str(comment.get("htmlText") or "")) for comment in _rows(rma.get("comments")))
        if any(mark is not None and mark.group(1) == command.command_id for mark in marks):
            return AlreadyApplied(detail="a comment carries the mark of this command")
    body = {"htmlText": f"{html.escape(command.text)} (cmd {command.command_id})"}
    path = f"/rma/{command.rma_id}/comment"
    yield from calls.write(c, "AddComment", "POST", path, body, on_400="rejected_by_system")
    return Applied()


def _status(command: Annotate, c: Connection, attempt: Attempt) -> Flow:
    """What was decided just now rests on a read of just now; later, and for a repeat, the RMA is looked at first."""
    if not command.status:
        return Rejected(code="rejected_by_system", detail="expected a status, got none")
    if attempt.first_sent_ms is None and attempt.now_ms - command.decided_at_ms <= FRESH_MS:
        yield from _put_status(command, c)
        return Applied(detail=f"set to {command.status}")
    rma = yield from _rma(command, c)
    (summary,) = _rows([rma.get("rmaSummary")])
    current = summary.get("status")
    if current == command.status:
        return AlreadyApplied(detail=f"RMA {command.rma_id} is {current}")
    if current in {"Rejected", "Canceled"}:
        detail = f"RMA {command.rma_id} is {current}, we would set it to {command.status}"
        return Rejected(code="status_conflict", detail=detail)
    yield from _put_status(command, c)
    return Applied(detail=f"{current} to {command.status}")


def _put_status(command: Annotate, c: Connection) -> ReadFlow[httpx.Response]:
    path, body = f"/rma/{command.rma_id}/status", {"status": command.status or ""}
    return (yield from calls.write(c, "SetStatus", "PUT", path, body, on_400="status_conflict"))


def _rma(command: Annotate, c: Connection) -> ReadFlow[dict[str, Any]]:
    rma = yield from calls.read(c, "GetRma", f"/rma/{command.rma_id}", {})
    if rma is None:
        raise Ended(Rejected(code="rejected_by_system", detail=f"ReturnGO has no RMA {command.rma_id}"))
    (found,) = _rows([rma])
    return found


def _rows(found: Any) -> list[dict[str, Any]]:
    """Objects as they have to be; whatever else a proxy or a fault makes of an answer is none."""
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Ended(Deferred(reason="unexpected_answer"))
    return found


def _transaction(command: Annotate, c: Connection) -> Flow:
    """The look comes first always: what ReturnGO settled itself must not be overwritten, it may be a second payment."""
    told = command.transaction
    if told is None:
        return Rejected(code="rejected_by_system", detail="expected a transaction outcome, got none")
    params = {"pagesize": "10", "ids": told.transaction_id}
    # A list has no 404 of its own: it says nothing about the transaction.
    (page,) = _rows([(yield from calls.read(c, "ListTransactions", "/transactions", params))])
    rows = (row for row in _rows(page.get("transactions")) if str(row.get("id")) == told.transaction_id)
    found = next(rows, None)
    if found is None:
        detail = f"ReturnGO has no transaction {told.transaction_id}"
        return Rejected(code="rejected_by_system", detail=detail)
    settled = _settled(told, found)
    if settled is not None:
        return settled
    body = {"status": STATUSES[told.status]}
    if told.external_id is not None:
        body |= {
            "externalReferenceId": told.external_id,
            "externalReferenceType": told.external_type or PLATFORM_REFUND,
        }
    path = f"/transaction/{told.transaction_id}"
    yield from calls.write(c, "SetTransaction", "PUT", path, body, on_400="status_conflict")
    return Applied(external_ids={"transaction_id": told.transaction_id})


def _settled(told: TransactionOutcome, found: dict[str, Any]) -> AlreadyApplied | Rejected | None:
    """None while ReturnGO still waits for an outcome."""
    status = str(found.get("status"))
    if status == "Requested":
        return None
    reference = str(found.get("externalReferenceId") or "")
    if status == STATUSES[told.status] and reference in {"", told.external_id or reference}:
        return AlreadyApplied(external_ids={"transaction_id": told.transaction_id})
    detail = (
        f"transaction {told.transaction_id} is {status} with reference {reference or 'none'}, "
        f"we have {STATUSES[told.status]} with {told.external_id or 'none'}"
    )
    return Rejected(code="status_conflict", detail=detail)
