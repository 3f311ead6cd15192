"""Every way in which Shopify says no, on a look and on a write, and what it comes to."""

import re

import httpx
import pytest

from sinks.contract import Attempt
from sinks.outcomes import Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.systems import shopify
from sinks.systems.shopify import documents, refusals
from sinks.systems.shopify.shapes import UserError
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import FIRST, MERCHANT, REFUND, SHOP
from tests.unit.systems.peer import Talk, drive


def on_look(response: httpx.Response) -> Outcome:
    end: tuple[Outcome, Talk] = drive(shopify.SYSTEM.flow(REFUND, SHOP, MERCHANT, FIRST), [response])
    return end[0]


def on_write(response: httpx.Response, attempt: Attempt = FIRST) -> Outcome:
    end: tuple[Outcome, Talk] = drive(
        shopify.SYSTEM.flow(REFUND, SHOP, MERCHANT, attempt), [shop.refund_look(), response]
    )
    return end[0]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "unauthorized"),
        (402, "shop_frozen"),
        (403, "forbidden"),
        (404, "not_found"),
        (423, "shop_locked"),
        (301, "redirected"),
    ],
)
def test_statuses_about_the_shop_pause_it(status: int, code: str) -> None:
    for outcome in (on_look(httpx.Response(status)), on_write(httpx.Response(status))):
        assert isinstance(outcome, Misconfigured)
        assert outcome.code == code


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 204])
def test_a_status_without_an_answer_is_uncertain_after_a_write_and_nothing_after_a_look(status: int) -> None:
    assert on_look(httpx.Response(status)) == Deferred(reason=f"http_{status}")
    assert on_write(httpx.Response(status)) == Uncertain(reason=f"http_{status}")


@pytest.mark.parametrize(
    ("headers", "wait"), [({"Retry-After": "7"}, 7.0), ({}, None), ({"Retry-After": "soon"}, None)]
)
def test_a_429_waits_as_long_as_it_says(headers: dict[str, str], wait: float | None) -> None:
    response = httpx.Response(429, headers=headers)
    assert on_write(response) == Deferred(reason="throttled", after_seconds=wait)


def test_a_429_with_a_date_counts_from_the_answers_own_clock() -> None:
    dates = {"Date": "Mon, 04 May 2026 10:00:00 GMT", "Retry-After": "Mon, 04 May 2026 10:00:30 GMT"}
    assert on_write(httpx.Response(429, headers=dates)) == Deferred(reason="throttled", after_seconds=30.0)
    alone = {"Retry-After": "Mon, 04 May 2026 10:00:30 GMT"}
    assert on_write(httpx.Response(429, headers=alone)) == Deferred(reason="throttled")


@pytest.mark.parametrize(("requested", "available", "wait"), [(50, 20, 0.3), (120, 20, 1.0), (20, 100, 0.1)])
def test_a_throttled_answer_waits_until_the_bucket_holds_enough(
    requested: float, available: float, wait: float
) -> None:
    response = shop.throttled(requested, available)
    assert on_look(response) == Deferred(reason="throttled", after_seconds=wait)
    assert on_write(response) == Deferred(reason="throttled", after_seconds=wait)


def test_a_throttled_answer_without_figures_waits_a_little() -> None:
    assert on_write(shop.top_error("THROTTLED")) == Deferred(reason="throttled", after_seconds=2.0)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ACCESS_DENIED", Misconfigured),
        ("SHOP_INACTIVE", Misconfigured),
        ("MAX_COST_EXCEEDED", Misconfigured),
        ("undefinedField", Misconfigured),
        ("argumentNotAccepted", Misconfigured),
        ("CURRENCY_CODE_INVALID", Rejected),
        ("INVALID_VARIABLE", Rejected),
        ("INVALID_FIELD_ARGUMENTS", Misconfigured),
        ("MAX_INPUT_SIZE_EXCEEDED", Rejected),
        ("RESOURCE_NOT_FOUND", Rejected),
        ("IDEMPOTENCY_CONCURRENT_REQUEST", Uncertain),
        ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", Uncertain),
        ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", Rejected),
        ("INTERNAL_SERVER_ERROR", Uncertain),
        ("TIMEOUT", Uncertain),
        ("SOMETHING_NEW", Uncertain),
        (None, Uncertain),
    ],
)
def test_top_level_errors_of_a_write(code: str | None, expected: type[Outcome]) -> None:
    outcome = on_write(shop.top_error(code, data={"refundCreate": None}))
    assert isinstance(outcome, expected)
    assert isinstance(on_write(shop.top_error(code)), expected)
    if code == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED":
        assert outcome == Uncertain(reason="previous_attempt_failed", new_key=True)


def test_a_missing_key_is_a_fault_of_the_document() -> None:
    message = "The @idempotent directive is required for this mutation but was not provided."
    outcome = on_write(shop.top_error("BAD_REQUEST", message))
    assert isinstance(outcome, Misconfigured)
    assert outcome.code == "document_refused"


@pytest.mark.parametrize(
    ("code", "expected"), [("INTERNAL_SERVER_ERROR", Deferred), ("SOMETHING_NEW", Deferred), (None, Deferred)]
)
def test_top_level_errors_of_a_look(code: str | None, expected: type[Outcome]) -> None:
    assert isinstance(on_look(shop.top_error(code, data={"order": None})), expected)


def test_an_object_that_is_not_there_is_absent_not_wrong() -> None:
    outcome = on_look(shop.top_error("RESOURCE_NOT_FOUND", data={"order": None}))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "orphan_return"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 5}', b'{"data": null}', b'{"data": {"order": 5}}'])
def test_a_body_that_is_no_answer(body: bytes) -> None:
    assert isinstance(on_look(httpx.Response(200, content=body)), Deferred)
    assert isinstance(on_write(httpx.Response(200, content=body)), Uncertain)


@pytest.mark.parametrize(
    ("message", "expected", "code"),
    [
        ("Refund amount $25.00 is greater than net payment received $15.00", Rejected, "amount_mismatch"),
        ("Quantity cannot refund more items than were purchased", Rejected, "refund_outside_workflow"),
        ("Order does not exist", Rejected, "orphan_return"),
        ("Transactions require a parent_id associated with the order", Rejected, "rejected_by_system"),
        ("Kind authorization is not a valid transaction", Rejected, "rejected_by_system"),
        ("Store credit is not enabled", Rejected, "credit_not_issued"),
        ("words nobody has seen before", Rejected, "rejected_by_system"),
        ("This request is currently in progress, please try again.", Uncertain, None),
        ("Another concurrent idempotent request: concurrent", Uncertain, None),
        (
            "The same idempotency key cannot be used with different operation parameters.",
            Rejected,
            "rejected_by_system",
        ),
        ("A previous request with this idempotency key failed. Retry with a new idempotency key.", Uncertain, None),
    ],
)
def test_refusals_without_a_code_are_told_by_their_words(
    message: str, expected: type[Outcome], code: str | None
) -> None:
    outcome = on_write(shop.refused("refundCreate", message, refund=None, order=None))
    assert isinstance(outcome, expected)
    assert getattr(outcome, "code", None) == code
    assert getattr(outcome, "new_key", False) is ("previous" in message)


@pytest.mark.parametrize(
    ("operation", "code", "expected"),
    [
        ("Adjust", "INVALID_INVENTORY_ITEM", "deleted_item"),
        ("Adjust", "INVALID_LOCATION", "inactive_location"),
        ("Adjust", "NON_MUTABLE_INVENTORY_ITEM", "parent_item_targeted"),
        ("Adjust", "INVALID_REASON", "rejected_by_system"),
        ("Adjust", "INVALID_QUANTITY_TOO_HIGH", "rejected_by_system"),
        ("Dispose", "INVALID_STATE", "status_conflict"),
        ("Dispose", "NOT_FOUND", "rejected_by_system"),
        ("GiftCardCreate", "GREATER_THAN", "credit_not_issued"),
        ("GiftCardCreate", "CUSTOMER_NOT_FOUND", "credit_not_issued"),
        ("GiftCardCreate", "RECIPIENT_NOT_FOUND", "credit_not_issued"),
        ("Adjust", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "rejected_by_system"),
    ],
)
def test_refusals_with_a_code(operation: str, code: str, expected: str) -> None:
    outcome = refusals.outcome(operation, [UserError("no", code)])
    assert isinstance(outcome, Rejected)
    assert outcome.code == expected


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("Adjust", "SERVICE_UNAVAILABLE"),
        ("Adjust", "ADJUST_QUANTITIES_FAILED"),
        ("Adjust", "IDEMPOTENCY_CONCURRENT_REQUEST"),
        ("Dispose", "INTERNAL_ERROR"),
        ("Claim", "STALE_OBJECT"),
        ("Claim", "INVALID_COMPARE_DIGEST"),
        ("GiftCardCreate", "TAKEN"),
    ],
)
def test_refusals_that_leave_it_open(operation: str, code: str) -> None:
    outcome = refusals.outcome(operation, [UserError("no", code)])
    assert isinstance(outcome, Uncertain)
    assert not outcome.new_key


def test_a_failed_first_attempt_asks_for_a_new_key() -> None:
    outcome = refusals.outcome("Adjust", [UserError("no", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")])
    assert outcome == Uncertain(reason="previous_attempt_failed", new_key=True)


@pytest.mark.parametrize(("operation", "code"), [("Dispose", "MISSING_PERMISSION"), ("Claim", "APP_NOT_AUTHORIZED")])
def test_refusals_about_what_we_may_do_pause_the_shop(operation: str, code: str) -> None:
    assert isinstance(refusals.outcome(operation, [UserError("no", code)]), Misconfigured)


def test_every_row_of_the_table_names_known_operations_and_can_be_met() -> None:
    known = set(documents.costs())
    for operation in refusals.BY_CODE:
        assert operation == "" or operation in known
    for operations, text, meaning in refusals.BY_TEXT:
        assert operations <= known
        assert isinstance(text, re.Pattern)
        assert not isinstance(meaning("x"), type)


# what may have been done, what stops all commands, what is known, what is not
LISTED = (
    ("Adjust", ("INVALID_LOCATION", "SERVICE_UNAVAILABLE"), Uncertain(reason="service_unavailable")),
    ("Adjust", ("INVALID_REASON", "INVALID_INVENTORY_ITEM"), "deleted_item"),
    ("Adjust", ("INVALID_LOCATION", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"), Uncertain(reason="previous_attempt_failed",
                                                                                     new_key=True)),
    ("Dispose", ("INVALID_STATE", "MISSING_PERMISSION"), Misconfigured),
    ("GiftCardCreate", ("GIFT_CARD_LIMIT_EXCEEDED", "TAKEN"), Uncertain(reason="code_taken")),
)  # fmt: skip


@pytest.mark.parametrize(("operation", "codes", "expected"), LISTED)
def test_of_several_refusals_the_gravest_decides_wherever_it_stands(
    operation: str, codes: tuple[str, str], expected: object
) -> None:
    for order in (codes, codes[::-1]):
        outcome = refusals.outcome(operation, [UserError(f"says {code}", code) for code in order])
        if isinstance(expected, str):
            assert isinstance(outcome, Rejected)
            assert outcome.code == expected
            assert all(f"says {code} ({code})" in outcome.detail for code in codes)
        elif isinstance(expected, type):
            assert isinstance(outcome, expected)
        else:
            assert outcome == expected


def test_a_key_that_is_taken_by_another_input_decides_beside_plain_refusals() -> None:
    plain = UserError("no", "INVALID_LOCATION")
    taken = UserError("no", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
    assert isinstance(refusals.outcome("AdjustMany", [plain, taken]), refusals.OtherInput)


def test_of_many_refusals_the_first_are_told_and_the_rest_counted() -> None:
    outcome = refusals.outcome("Adjust", [UserError(f"change {n}", "INVALID_LOCATION") for n in range(250)])
    assert isinstance(outcome, Rejected)
    assert "change 4 " in outcome.detail
    assert outcome.detail.endswith("; and 245 more")


def test_long_messages_are_cut() -> None:
    outcome = refusals.outcome("RefundCreate", [UserError("x" * 5000)])
    assert isinstance(outcome, Rejected)
    assert len(outcome.detail) < 400
