"""What is told to and asked of ReturnGO: looked for before it is repeated, and never wasting the calls of a day."""

from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from schemas.commands import Annotate, TransactionOutcome
from sinks.contract import EFFECT, OPERATION, Attempt, Limit, NotSent, Seen, Unanswered
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.systems import returngo
from sinks.systems.ended import Ended
from sinks.systems.page import Page
from sinks.systems.returngo import read
from sinks.systems.returngo.connection import fingerprint
from tests.unit.systems.givens import (
    API_KEY,
    COMMAND_ID,
    COMMENT,
    FIRST,
    MERCHANT,
    REFUND,
    SECRETS,
    STATUS,
    STORE,
    again,
)
from tests.unit.systems.peer import Answer, Talk, drive

Json = dict[str, Any]
OK = httpx.Response(200, json={})
TRANSACTION = msgspec.structs.replace(
    STATUS,
    aspect="transaction",
    status=None,
    transaction=TransactionOutcome(transaction_id="61", status="success", external_id="401"),
)


def talk(answers: list[Answer], command: Any = COMMENT, attempt: Attempt = FIRST) -> tuple[Outcome, Talk]:
    return drive(returngo.SYSTEM.flow(command, STORE, MERCHANT, attempt), answers)


def rma(status: str = "Received", *comments: str | None) -> httpx.Response:
    rows = [{"commentType": "merchant", "htmlText": text} for text in comments]
    return httpx.Response(200, json={"rmaSummary": {"rmaId": "20000017", "status": status}, "comments": rows})


def transactions(*rows: Json) -> httpx.Response:
    return httpx.Response(200, json={"transactions": list(rows), "next_cursor": None})


@pytest.mark.req("STA-3")
@pytest.mark.parametrize("status", [200, 201])
def test_a_comment_carries_the_command_and_is_escaped(status: int) -> None:
    command = msgspec.structs.replace(COMMENT, text="<b>1 x TEE & more</b>")
    outcome, said = talk([httpx.Response(status)], command)
    assert outcome == Applied()
    assert said.names() == ["POST /rma/20000017/comment"]
    body = msgspec.json.decode(said.requests[0].content)
    assert body == {"htmlText": f"&lt;b&gt;1 x TEE &amp; more&lt;/b&gt; (cmd {COMMAND_ID})"}
    assert EFFECT in said.requests[0].extensions


def test_a_repeated_comment_is_looked_for_first() -> None:
    outcome, said = talk([rma("Received", None, f"back in stock (cmd {COMMAND_ID})")], attempt=again())
    assert isinstance(outcome, AlreadyApplied)
    assert said.names() == ["GET /rma/20000017"]
    outcome, said = talk([rma("Received", "cmd 11111111-1111-1111-1111-111111111111"), OK], attempt=again())
    assert outcome == Applied()
    assert said.names() == ["GET /rma/20000017", "POST /rma/20000017/comment"]


def test_a_status_is_set_once() -> None:
    outcome, said = talk([rma("Received"), OK], STATUS)
    assert isinstance(outcome, Applied)
    assert said.names() == ["GET /rma/20000017", "PUT /rma/20000017/status"]
    assert msgspec.json.decode(said.requests[1].content) == {"status": "Done"}
    assert isinstance(talk([rma("Done")], STATUS)[0], AlreadyApplied)


@pytest.mark.req("STA-4")
@pytest.mark.parametrize("answers", [[rma("Canceled")], [rma("Rejected")], [rma("Received"), httpx.Response(400)]])
def test_a_status_that_contradicts_is_raised(answers: list[Answer]) -> None:
    outcome, _ = talk(list(answers), STATUS)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "status_conflict"


@pytest.mark.req("MON-14")
@pytest.mark.parametrize("number", [61, "61"])
def test_a_transaction_is_told_its_refund(number: Any) -> None:
    outcome, said = talk([transactions({"id": number, "status": "Requested"}), OK], TRANSACTION)
    assert outcome == Applied(external_ids={"transaction_id": "61"})
    assert said.requests[0].url.params["ids"] == "61"
    assert said.names()[1] == "PUT /transaction/61"
    assert msgspec.json.decode(said.requests[1].content) == {
        "status": "Success",
        "externalReferenceId": "401",
        "externalReferenceType": "PlatformRefundId",
    }


def test_a_failed_transaction_has_no_reference() -> None:
    failed = msgspec.structs.replace(TRANSACTION, transaction=TransactionOutcome(transaction_id="61", status="failed"))
    _, said = talk([transactions({"id": "61", "status": "Requested"}), OK], failed)
    assert msgspec.json.decode(said.requests[1].content) == {"status": "Failed"}


@pytest.mark.parametrize("reference", ["401", None])
def test_a_transaction_that_is_told_already_is_left(reference: str | None) -> None:
    row = {"id": "61", "status": "Success", "externalReferenceId": reference}
    outcome, said = talk([transactions(row)], TRANSACTION, again())
    assert isinstance(outcome, AlreadyApplied)
    assert said.names() == ["GET /transactions"]


@pytest.mark.req("MON-11", "STA-4")
@pytest.mark.parametrize(
    "row",
    [
        {"id": "61", "status": "Success", "externalReferenceId": "499"},
        {"id": "61", "status": "Failed", "externalReferenceId": None},
    ],
)
def test_a_transaction_that_somebody_else_settled_is_raised_not_overwritten(row: Json) -> None:
    outcome, _ = talk([transactions(row)], TRANSACTION)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "status_conflict"
    assert "401" in outcome.detail


@pytest.mark.parametrize(
    ("command", "answers"),
    [
        (TRANSACTION, [transactions()]),
        (STATUS, [httpx.Response(404)]),
        (COMMENT, [httpx.Response(404)]),
        (COMMENT, [httpx.Response(400)]),
        (msgspec.structs.replace(COMMENT, text=None), []),
        (msgspec.structs.replace(STATUS, status=None), []),
        (msgspec.structs.replace(TRANSACTION, transaction=None), []),
        (msgspec.structs.replace(COMMENT, aspect="tags"), []),
        (REFUND, []),
    ],
)
def test_what_cannot_be_told_is_refused(command: Annotate, answers: list[Answer]) -> None:
    assert isinstance(talk(list(answers), command)[0], Rejected)


@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (403, "no_such_shop"), (302, "redirected")])
def test_credentials_and_address_pause_the_store(status: int, code: str) -> None:
    for command in (COMMENT, STATUS):
        outcome, _ = talk([httpx.Response(status)], command)
        assert isinstance(outcome, Misconfigured)
        assert outcome.code == code


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_fault_is_uncertain_after_a_write_and_nothing_after_a_look(status: int) -> None:
    assert talk([httpx.Response(status)])[0] == Uncertain(reason=f"http_{status}")
    assert talk([httpx.Response(status)], STATUS)[0] == Deferred(reason=f"http_{status}")


def test_lost_answers() -> None:
    with pytest.raises(Unanswered):
        talk([Unanswered()])
    assert talk([Unanswered()], STATUS)[0] == Deferred(reason="no_answer")
    assert talk([NotSent("no quota", 9.0)], STATUS)[0] == Deferred(reason="not_sent", after_seconds=9.0)
    assert talk([httpx.Response(200, content=b"<html>")], STATUS)[0] == Deferred(reason="unreadable_answer")


BURST = httpx.Response(429, json={"message": "Too Many Requests"}, headers={"Retry-After": "3"})
GONE = httpx.Response(429, json={"message": "Limit Exceeded"}, headers={"Date": "Mon, 04 May 2026 22:00:00 GMT"})


def test_a_status_that_was_decided_just_now_costs_one_call_and_an_old_one_is_looked_at_first() -> None:
    """What rests on a read of a moment ago needs no look; after an hour the RMA may have been cancelled."""
    now = msgspec.structs.replace(STATUS, decided_at_ms=FIRST.now_ms - 60_000)
    outcome, said = talk([OK], now)
    assert (type(outcome), [each.method for each in said.requests]) == (Applied, ["PUT"])
    old = msgspec.structs.replace(STATUS, decided_at_ms=FIRST.now_ms - 3_600_000)
    outcome, said = talk([rma("Canceled")], old)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, [each.method for each in said.requests]) == ("status_conflict", ["GET"])
    outcome, said = talk([rma("Done")], now, again())
    assert (type(outcome), [each.method for each in said.requests]) == (AlreadyApplied, ["GET"])


def test_a_burst_waits_a_moment_and_a_used_up_day_waits_for_the_next() -> None:
    assert talk([BURST])[0] == Deferred(reason="throttled", after_seconds=3.0)
    assert talk([GONE])[0] == Deferred(reason="daily_budget_used_up", after_seconds=7200.0)
    undated = httpx.Response(429, json={"message": "Limit Exceeded"})
    assert talk([undated])[0] == Deferred(reason="daily_budget_used_up")


def test_the_two_quotas_and_what_refusals_say_about_them() -> None:
    second, day = returngo.SYSTEM.limits(STORE)
    owner = second.owner
    assert second == Limit(name="second", capacity=100, per_second=100, in_flight=2, owner=owner)
    day_of_2000 = Limit(
        name="day", capacity=2000, per_second=0, period_seconds=86_400, reserve=300, in_flight=2, owner=owner
    )
    assert day == day_of_2000
    assert owner == f"key-{fingerprint(API_KEY)}"
    assert API_KEY not in owner
    request = httpx.Request("GET", "https://returns.example/rma/1", extensions={OPERATION: "GetRma"})
    assert returngo.SYSTEM.cost(request) == {"second": 1.0, "day": 1.0}
    assert returngo.SYSTEM.seen(request, OK) == {}
    assert returngo.SYSTEM.seen(request, BURST) == {"second": Seen(available=0.0, retry_after_seconds=3.0)}
    assert returngo.SYSTEM.seen(request, httpx.Response(429)) == {
        "second": Seen(available=0.0, retry_after_seconds=1.0)
    }
    assert returngo.SYSTEM.seen(request, GONE) == {"day": Seen(available=0.0)}


@pytest.mark.req("OPS-10")
def test_credentials_are_added_outside_of_the_flow_and_never_shown() -> None:
    request = next(returngo.SYSTEM.flow(COMMENT, STORE, MERCHANT, FIRST))
    signed = returngo.SYSTEM.authorize(STORE, request)
    assert signed.headers["x-api-key"] == API_KEY
    assert signed.headers["x-shop-name"] == "acorn.example"
    assert "x-api-key" not in request.headers
    assert (signed.content, signed.extensions) == (request.content, request.extensions)
    for secret in SECRETS.values():
        assert secret not in repr(STORE)


def test_a_merchant_without_a_store_is_told_so() -> None:
    without = MERCHANT.model_copy(update={"systems": MERCHANT.systems.model_copy(update={"returngo": None})})
    with pytest.raises(ValueError, match=r"acorn.*systems\.returngo"):
        returngo.SYSTEM.connect(without, SECRETS.__getitem__)


def test_an_rma_is_read_with_exact_decimals() -> None:
    body = b'{"rmaSummary": {"rmaId": "1"}, "items": [{"paidPrice": {"amount": 19.99}}, {"paidPrice": {"amount": 20}}]}'
    found, said = drive(read.rma(STORE, "1"), [httpx.Response(200, content=body)])
    assert found is not None
    assert found["items"][0]["paidPrice"]["amount"] == Decimal("19.99")
    assert said.names() == ["GET /rma/1"]
    assert drive(read.rma(STORE, "1"), [httpx.Response(404)])[0] is None


def test_changes_are_read_in_pages() -> None:
    answer = httpx.Response(200, json={"rmas": [{"rmaId": "1"}], "next_cursor": "c1"})
    page, said = drive(read.rmas_since(STORE, 1_777_888_800_000, None), [answer])
    assert page == Page(rows=[{"rmaId": "1"}], next_cursor="c1")
    assert (
        said.requests[0].url.query
        == b"pagesize=500&rma_updated_at=gte%3A2026-05-04T10%3A00%3A00&sort_by=%2Brma_updated_at"
    )
    last = httpx.Response(200, json={"transactions": []})
    page, said = drive(read.transactions_since(STORE, 0, "c1"), [last])
    assert page == Page(rows=[], next_cursor=None)
    assert said.requests[0].url.params["cursor"] == "c1"


def test_the_transactions_of_an_rma_are_read_whole() -> None:
    first = httpx.Response(200, json={"transactions": [{"id": 1}], "next_cursor": "c1"})
    rows, said = drive(read.transactions_of(STORE, "20000017"), [first, transactions({"id": 2})])
    assert rows == [{"id": 1}, {"id": 2}]
    assert [r.url.params["rma_ids"] for r in said.requests] == ["20000017", "20000017"]


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(200, json=[]), httpx.Response(200, json={})])
def test_a_page_that_is_none_is_not_taken_for_an_empty_one(answer: httpx.Response) -> None:
    with pytest.raises(Ended) as ended:
        drive(read.rmas_since(STORE, 0, None), [answer])
    assert ended.value.outcome == Deferred(reason="unexpected_answer")


def test_webhooks_are_listed_and_registered() -> None:
    rows = [{"id": 1, "url": "https://in.example/t", "eventName": "RMA_CREATED"}]
    assert drive(read.webhooks(STORE), [httpx.Response(200, json=rows)])[0] == rows
    made, said = drive(
        read.create_webhook(STORE, "https://in.example/t", "RMA_CREATED"), [httpx.Response(200, json=rows[0])]
    )
    assert made == rows[0]
    assert said.names() == ["POST /webhook"]
    silent, _ = drive(read.create_webhook(STORE, "https://in.example/t", "RMA_CREATED"), [httpx.Response(204)])
    assert silent == {"url": "https://in.example/t", "eventName": "RMA_CREATED"}
