"""What Shopify's refusals mean: by code where it gives one, by message where it does not. The only table of its texts.

A user error in no row is Rejected as its mutation's default says, for a person who reads the message: Shopify ran
nothing and said so. A top-level error in no row says nothing of that kind. Texts come from recorded answers.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from sinks.outcomes import Deferred, Misconfigured, Outcome, Rejected, Uncertain

Meaning = Callable[[str], Outcome]  # of the message


class Refusal(Protocol):
    """A user error as `replies` reads it."""

    @property
    def message(self) -> str: ...
    @property
    def code(self) -> str | None: ...


def _rejected(code: str, hint: str = "") -> Meaning:
    return lambda message: Rejected(code=code, detail=f"{message}; {hint}" if hint else message)


def _uncertain(reason: str) -> Meaning:
    return lambda message: Uncertain(reason=reason)  # noqa: ARG005  every meaning takes the message


def _misconfigured(code: str) -> Meaning:
    return lambda message: Misconfigured(code=code, detail=message)


def _variable(message: str) -> Outcome:
    """Whether the schema takes no such input, or this input holds a value that it does not take."""
    if re.search(r"field is not defined on|to not be null|to be one of|isn.t a defined input", message, re.IGNORECASE):
        return Misconfigured(code="document_refused", detail=message)
    return Rejected(code="rejected_by_system", detail=message)


def _new_key(message: str) -> Outcome:  # noqa: ARG001  every meaning takes the message
    return Uncertain(reason="previous_attempt_failed", new_key=True)


class OtherInput(Rejected, frozen=True, kw_only=True):
    """The key is taken by another input, which may have been applied."""


def _other_input(message: str) -> Outcome:
    hint = "the same key went out with other content: see what the first one did"
    return OtherInput(code="rejected_by_system", detail=f"{message}; {hint}")


_BY_HAND = "credit_not_issued"

BY_CODE: dict[str, dict[str, Meaning]] = {
    "": {
        "IDEMPOTENCY_CONCURRENT_REQUEST": _uncertain("concurrent_request"),
        "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": _other_input,
        "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": _new_key,
        "ACCESS_DENIED": _misconfigured("access_denied"),
        "APP_NOT_AUTHORIZED": _misconfigured("access_denied"),
        "MISSING_PERMISSION": _misconfigured("access_denied"),
        "FEATURE_NOT_ENABLED": _misconfigured("feature_not_enabled"),
        "SHOP_INACTIVE": _misconfigured("shop_inactive"),
        "MAX_COST_EXCEEDED": _misconfigured("document_refused"),
        "CURRENCY_CODE_INVALID": _rejected("currency_mismatch"),
        "INTERNAL_ERROR": _uncertain("internal_error"),
        "SERVICE_UNAVAILABLE": _uncertain("service_unavailable"),
        "INVALID_VARIABLE": _variable,
        "INVALID_FIELD_ARGUMENTS": _misconfigured("document_refused"),
        "MAX_INPUT_SIZE_EXCEEDED": _rejected("rejected_by_system"),
        "RESOURCE_NOT_FOUND": _rejected("rejected_by_system"),
    },
    "Adjust": {
        "INVALID_INVENTORY_ITEM": _rejected("deleted_item"),
        "INVALID_LOCATION": _rejected("inactive_location"),
        "ITEM_NOT_STOCKED_AT_LOCATION": _rejected("inactive_location"),
        "NON_MUTABLE_INVENTORY_ITEM": _rejected("parent_item_targeted"),
        "ADJUST_QUANTITIES_FAILED": _uncertain("adjust_failed"),
    },
    "Dispose": {"INVALID_STATE": _rejected("status_conflict"), "NOT_EDITABLE": _rejected("status_conflict")},
    "Claim": {
        "STALE_OBJECT": _uncertain("claimed_elsewhere"),
        "INVALID_COMPARE_DIGEST": _uncertain("claimed_elsewhere"),
    },
    "GiftCardCreate": {
        "TAKEN": _uncertain("code_taken"),
        **dict.fromkeys(
            ("GIFT_CARD_LIMIT_EXCEEDED", "GREATER_THAN", "CUSTOMER_NOT_FOUND", "TOO_LONG", "TOO_SHORT", "INVALID"),
            _rejected(_BY_HAND),
        ),
    },
}
BY_CODE["AdjustMany"] = BY_CODE["Adjust"]

# (operations, text, meaning); the first row that fits counts. No operation named: any.
BY_TEXT: tuple[tuple[frozenset[str], re.Pattern[str], Meaning], ...] = tuple(
    (frozenset(operations.split()), re.compile(text, re.IGNORECASE), meaning)
    for operations, text, meaning in (
        ("", r"@idempotent directive is required|changeFromQuantity", _misconfigured("document_refused")),
        (
            "",
            r"request is currently in ?progress|idempot.*(concurrent|being processed)",
            _uncertain("concurrent_request"),
        ),
        ("", r"idempot.*(parameter|mismatch|different|other input)", _other_input),
        ("", r"idempot.*(previous|failed)|previous attempt.*failed", _new_key),
        ("RefundCreate", r"greater than net payment received", _rejected("amount_mismatch")),
        ("RefundCreate", r"more items than were purchased", _rejected("refund_outside_workflow")),
        (
            "RefundCreate TagsAdd TagsRemove NoteWrite",
            r"^order does not exist|^the order does not exist|order .*(not found|does not exist)",
            _rejected("orphan_return", "orders older than 60 days need the scope read_all_orders"),
        ),
        ("RefundCreate", r"store credit", _rejected(_BY_HAND)),
        ("Activate", r"location (wasn.t|was not|could not be) found", _rejected("inactive_location")),
        ("Activate", r"inventory item .*(not|wasn.t).*(found|exist)", _rejected("unknown_sku")),
        ("GiftCardCreate", r"has already been taken", _uncertain("code_taken")),
        ("GiftCardCreate", r"can.t exceed", _rejected(_BY_HAND)),
        (
            "",
            r"please try again|try again (later|soon|in )|temporarily|timed? ?out|internal (server )?error"
            r"|something went wrong|too many requests|throttled|being (processed|edited|calculated|updated)",
            _uncertain("refused_for_now"),
        ),
    )
)
# User errors in no row.
DEFAULT_BY_OPERATION = {
    "GiftCardCreate": _rejected(_BY_HAND),
    "DraftOrderComplete": _rejected("exchange_not_released"),
}
# GraphQL's own words for a document that the schema does not take, where they come without a code.
_DOCUMENT = re.compile(
    r"doesn.t exist on type|doesn.t accept argument|must include the following|isn.t a defined input|parse error on"
    r"|directive is required|is not defined on",
    re.IGNORECASE,
)
_LONGEST = 300  # characters of a message that go into a result
_MOST = 5  # messages that do


def outcome(operation: str, errors: Iterable[Refusal]) -> Outcome:
    """What the user errors of a payload come to: all are told, the gravest decides. `operation`: the document."""
    listed = list(errors)
    told = _told(operation, [(each.message, each.code) for each in listed])
    default = DEFAULT_BY_OPERATION.get(operation, _rejected("rejected_by_system"))
    return weightiest([(_known(operation, each.code, each.message) or default)(told) for each in listed])


def weightiest(outcomes: Sequence[Outcome]) -> Outcome:
    """The one of several that counts: what may have been done, then what stops everybody, then what says most."""
    return min(outcomes, key=_weight)


def _weight(outcome: Outcome) -> int:
    match outcome:
        case Uncertain():
            return 0
        case Misconfigured():
            return 1
        case Deferred():
            return 2
        case OtherInput():
            return 3
        case Rejected(code="rejected_by_system"):
            return 5
        case _:
            return 4


def top_level(operation: str, code: str | None, message: str) -> Outcome | None:
    """What a top-level error comes to; None when no row knows it."""
    meaning = _known(operation, code, message)
    # Codes of GraphQL's own validation begin with a small letter: the document itself is not accepted.
    if meaning is None and ((code and code[0].islower()) or _DOCUMENT.search(message)):
        meaning = _misconfigured("document_refused")
    return meaning(_told(operation, [(message, code)])) if meaning else None


def _known(operation: str, code: str | None, message: str) -> Meaning | None:
    if code:
        by_code = BY_CODE.get(operation, {}).get(code) or BY_CODE[""].get(code)
        if by_code:
            return by_code
    fits = (
        meaning
        for operations, text, meaning in BY_TEXT
        if (not operations or operation in operations) and text.search(message)
    )
    return next(fits, None)


def _told(operation: str, said: list[tuple[str, str | None]]) -> str:
    parts = [message[:_LONGEST] + (f" ({code})" if code else "") for message, code in said[:_MOST]]
    more = f"; and {len(said) - _MOST} more" if len(said) > _MOST else ""
    return f"{operation}: {'; '.join(dict.fromkeys(parts))}{more}"
