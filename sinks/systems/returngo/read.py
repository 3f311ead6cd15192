"""What ReturnGO is asked by those who only want to know. Every call counts against the 2 000 of a day.

Answers are ReturnGO's own JSON, numbers with decimals as Decimal. A refusal leaves as `Ended` with the outcome.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from sinks.contract import ReadFlow
from sinks.outcomes import Deferred
from sinks.systems.ended import Ended
from sinks.systems.page import Page
from sinks.systems.returngo import calls
from sinks.systems.returngo.connection import Connection

Row = dict[str, Any]  # a vendor object

PAGE_SIZE = "500"  # the most that a page may have
MOST_PAGES = 20  # of the transactions of one RMA


def rma(c: Connection, rma_id: str) -> ReadFlow[Row | None]:
    """The whole RMA, or None."""
    found: Row | None = yield from calls.read(c, "GetRma", f"/rma/{rma_id}", {})
    if found is not None and not isinstance(found, dict):
        raise Ended(Deferred(reason="unexpected_answer"))
    return found


def rmas_since(c: Connection, since_ms: int, cursor: str | None) -> ReadFlow[Page]:
    """RMAs changed at or after a moment, oldest change first: id, status, order name and events only."""
    params = {"pagesize": PAGE_SIZE, "rma_updated_at": _since(since_ms), "sort_by": "+rma_updated_at"}
    return (yield from _page(c, "ListRmas", "/rmas", "rmas", params, cursor))


def transactions_since(c: Connection, since_ms: int, cursor: str | None) -> ReadFlow[Page]:
    """Transactions changed at or after a moment. Ids come as numbers or strings."""
    params = {"pagesize": PAGE_SIZE, "updated_at": _since(since_ms)}
    return (yield from _page(c, "ListTransactions", "/transactions", "transactions", params, cursor))


def transactions_of(c: Connection, rma_id: str) -> ReadFlow[list[Row]]:
    """Every transaction of one RMA."""
    rows: list[Row] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        params = {"pagesize": PAGE_SIZE, "rma_ids": rma_id}
        page = yield from _page(c, "ListTransactions", "/transactions", "transactions", params, cursor)
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    return rows


def webhooks(c: Connection) -> ReadFlow[list[Row]]:
    """Registered webhooks: `id`, `url`, `eventName`. The addresses hold our tokens: never log them."""
    answer = yield from calls.read(c, "ListWebhooks", "/webhooks", {})
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise Ended(Deferred(reason="unexpected_answer"))
    return answer


def create_webhook(c: Connection, url: str, event: str) -> ReadFlow[Row]:
    """Registers one address for one event; Ended when ReturnGO refuses."""
    body = {"url": url, "eventName": event}
    response = yield from calls.write(c, "CreateWebhook", "POST", "/webhook", body, on_400="rejected_by_system")
    try:
        return msgspec.json.decode(response.content, type=dict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body


def _page(
    c: Connection, operation: str, path: str, name: str, params: dict[str, str], cursor: str | None
) -> ReadFlow[Page]:
    if cursor is not None:
        params = {**params, "cursor": cursor}
    answer = yield from calls.read(c, operation, path, params)
    if not isinstance(answer, dict) or not isinstance(answer.get(name), list):
        raise Ended(Deferred(reason="unexpected_answer"))
    return Page(rows=answer[name], next_cursor=answer.get("next_cursor") or None)


def _since(at_ms: int) -> str:
    # The filter takes no offset; UTC is our reading of it.
    return "gte:" + datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
