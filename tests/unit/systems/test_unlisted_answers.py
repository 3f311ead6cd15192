"""What no list of ours knows: every flow meets every status and every shape of error, and nothing is refused by it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sinks.contract import EFFECT, NotSent, ReadFlow, Refused, Unanswered
from sinks.outcomes import Applied, Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.systems import SYSTEMS
from sinks.systems.ended import Ended
from sinks.systems.returngo import read as store_reads
from sinks.systems.shopify import connection, documents, refusals, replies
from sinks.systems.shopify import read as shop_reads
from sinks.systems.shopify.adjust_many import BATCHING
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.conversations import CONVERSATIONS, Conversation
from tests.unit.systems.givens import MERCHANT, SECRETS, SHOP, STORE
from tests.unit.systems.peer import drive_through

KNOWN = {
    "shopify": {200, 301, 302, 307, 308, 401, 402, 403, 404, 423, 429, 430},
    "returngo": {*range(200, 300), 301, 302, 307, 308, 400, 401, 403, 404, 429},
}
REPORTED = (402, 404, 406, 408, 409, 410, 418, 421, 422, 423, 425, 428, 431, 451, 499, *range(500, 531), 598, 999)
statuses = st.sampled_from(REPORTED) | st.integers(200, 999)
some = settings(max_examples=15, deadline=None)  # of each conversation, at each of its steps
every_conversation = pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda c: f"{c.system}-{c.name}")
of_the_shop = pytest.mark.parametrize(
    "conversation", [c for c in CONVERSATIONS if c.system == "shopify"], ids=lambda c: c.name
)


def ends(
    conversation: Conversation, answer: Callable[[httpx.Request], httpx.Response]
) -> Iterator[tuple[httpx.Request, object]]:
    """Each request in turn that got this answer instead of its own, and how the flow then ended (None: it went on)."""
    system = SYSTEMS[conversation.system]
    for position in range(len(conversation.answers)):
        asked: list[httpx.Request] = []

        def instead(request: httpx.Request, asked: list[httpx.Request] = asked) -> httpx.Response:
            asked.append(request)
            return answer(request)

        flow = system.flow(
            conversation.command, system.connect(MERCHANT, SECRETS.__getitem__), MERCHANT, conversation.attempt
        )
        end: object = None
        # An assertion: the step only tidied up, and the flow asked for more.
        with suppress(AssertionError, NotSent, Unanswered):
            end, _ = drive_through(flow, [*conversation.answers[:position], instead])
        yield asked[0], end


def left_open(request: httpx.Request, end: object) -> bool:
    """Nothing is refused, and what may have made the effect is looked at before it is sent again."""
    if end is None:
        return True
    if EFFECT in request.extensions:
        return isinstance(end, Uncertain)
    return not isinstance(end, Rejected | Misconfigured)


@pytest.mark.req("OPS-3")
@every_conversation
@some
@given(status=statuses)
def test_a_status_in_no_list_waits_after_a_read_and_is_looked_at_after_a_write(
    conversation: Conversation, status: int
) -> None:
    assume(status not in KNOWN[conversation.system])
    for request, end in ends(conversation, lambda _: httpx.Response(status, json={"errors": "x", "message": "x"})):
        assert left_open(request, end), end


@every_conversation
def test_a_throttle_of_any_kind_did_nothing_and_waits(conversation: Conversation) -> None:
    for status in (429, 430) if conversation.system == "shopify" else (429,):
        throttled = httpx.Response(status)
        for request, end in ends(conversation, partial(_same, throttled)):
            assert not isinstance(end, Rejected | Misconfigured), end
            assert EFFECT not in request.extensions or isinstance(end, Deferred), end
            seen = SYSTEMS[conversation.system].seen(request, throttled)
            assert [each.available for each in seen.values()] == [0.0]


def _same(response: httpx.Response, _request: httpx.Request) -> httpx.Response:
    return response


codes = st.none() | st.sampled_from(["SOMETHING_NEW", "BAD_REQUEST", "LIMIT", ""]) | st.from_regex(r"\A[A-Z_]{3,20}\Z")
messages = st.sampled_from(["", "Draft order cannot be completed", "Something", "Oops, order 5001"]) | st.text()


@st.composite
def unknown_errors(draw: st.DrawFn) -> list[shop.Json]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        code, message = draw(codes), draw(messages)
        assume(code not in replies.TRANSIENT | {"THROTTLED"})
        assume(all(refusals.top_level(name, code, message) is None for name in documents.costs()))
        extensions: shop.Json = {"extensions": {} if code is None else {"code": code}}
        where: shop.Json = draw(
            st.sampled_from([{}, {"path": ["root"]}, {"path": ["root", "node", 0]}, {"locations": []}])
        )
        found.append({"message": message, **extensions, **where})
    return found


@of_the_shop
@some
@given(errors=unknown_errors(), data=st.sampled_from(["absent", "null", "null root"]))
def test_a_top_level_error_in_no_row_refuses_nothing(
    conversation: Conversation, errors: list[shop.Json], data: str
) -> None:
    kinds: dict[str, shop.Json] = {"absent": {}, "null": {"data": None}, "null root": {"data": {"root": None}}}
    roots = kinds[data]
    for request, end in ends(conversation, lambda _: httpx.Response(200, json={**roots, "errors": errors})):
        assert left_open(request, end), end


bodies = st.sampled_from(
    [b"", b"<html>", b"null", b"[]", b"{}", b'{"errors": "Not Found"}', b'{"errors": {"query": "missing"}}',
     b'{"errors": []}', b'{"data": []}', b'{"data": {}}', b'{"data": {"x": {}}}', b'{"errors": [null]}',
     b'{"errors": [{"message": null}]}', b'{"errors": [{"message": "x", "extensions": null}]}',
     b'{"errors": [{"message": "x", "extensions": {"code": 7}}]}', b'{"transactions": 5}', b'{"comments": [1]}',
     b'{"rmaSummary": 5}', b'{"transactions": [5]}']
)  # fmt: skip


@every_conversation
@some
@given(body=bodies)
def test_a_body_that_is_no_answer_refuses_nothing(conversation: Conversation, body: bytes) -> None:
    for request, end in ends(conversation, lambda _: httpx.Response(200, content=body)):
        if conversation.system == "returngo" and EFFECT in request.extensions:
            continue  # ReturnGO's 200 says that it was done; what it writes beside that is not published
        assert left_open(request, end), end


@of_the_shop
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("INVALID_FIELD_ARGUMENTS", "InventoryChangeInput must include the following argument: changeFromQuantity."),
        (None, "InventoryChangeInput must include the following argument: changeFromQuantity."),
        ("BAD_REQUEST", "The @idempotent directive is required for this mutation but was not provided."),
        (None, "The @idempotent directive is required for this mutation but was not provided."),
        ("undefinedField", "Field 'x' doesn't exist on type 'Order'"),
        (None, "Field 'x' doesn't exist on type 'Order'"),
        ("argumentNotAccepted", "Field 'order' doesn't accept argument 'x'"),
        ("undefinedDirective", "Directive @idempotent is not defined"),
        ("missingRequiredArguments", "Field is missing required arguments: key"),
        ("INVALID_VARIABLE", "Variable $input of type GiftCardCreateInput! was provided invalid value for initialValue "
                             "(Field is not defined on GiftCardCreateInput)"),
        ("INVALID_VARIABLE", "Variable $input was provided invalid value for currency (Expected value to not be null)"),
        ("INVALID_VARIABLE", 'Variable $input was provided invalid value (Expected "X" to be one of: A, B)'),
    ],
)  # fmt: skip
def test_what_the_schema_does_not_take_is_our_fault_and_pauses(
    conversation: Conversation, code: str | None, message: str
) -> None:
    for request, end in ends(conversation, lambda _: shop.top_error(code, message)):
        if EFFECT in request.extensions:
            assert isinstance(end, Misconfigured), end
            assert end.code == "document_refused"
        assert not isinstance(end, Rejected), end


def test_an_error_inside_of_a_payload_took_the_answer_and_not_what_was_done() -> None:
    error = {"message": "Access denied for email", "extensions": {"code": "ACCESS_DENIED"}}
    below = {**error, "path": ["refundCreate", "refund", "transactions", "nodes", 0]}
    answer = {"data": {"refundCreate": None}, "errors": [below]}
    refund = next(c for c in CONVERSATIONS if c.name == "refund")
    (*_, (_, end)) = ends(refund, lambda _: httpx.Response(200, json=answer))
    assert isinstance(end, Uncertain)
    at_the_root = {**answer, "errors": [{**error, "path": ["refundCreate"]}]}
    (*_, (_, end)) = ends(refund, lambda _: httpx.Response(200, json=at_the_root))
    assert isinstance(end, Misconfigured)


def test_of_several_errors_the_one_that_leaves_it_open_counts() -> None:
    errors = [
        {"message": "Invalid id: 7", "extensions": {"code": "RESOURCE_NOT_FOUND"}},
        {"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}},
    ]
    refund = next(c for c in CONVERSATIONS if c.name == "refund")
    (*_, (_, end)) = ends(refund, lambda _: httpx.Response(200, json={"data": None, "errors": errors}))
    assert isinstance(end, Uncertain)


@pytest.mark.parametrize(
    ("texts", "expected", "code"),
    [
        (("words of tomorrow",), Rejected, "rejected_by_system"),
        (
            ("words of tomorrow", "Refund amount $2 is greater than net payment received $1"),
            Rejected,
            "amount_mismatch",
        ),
        (("Something went wrong, please try again",), Uncertain, None),
        (("Refund amount $2 is greater than net payment received $1", "Please try again later"), Uncertain, None),
        (("The order is being edited",), Uncertain, None),
    ],
)
def test_all_user_errors_are_read_and_unknown_ones_go_to_a_person(
    texts: tuple[str, ...], expected: type[Outcome], code: str | None
) -> None:
    payload = {"refund": None, "order": None, "userErrors": [{"field": None, "message": text} for text in texts]}
    refund = next(c for c in CONVERSATIONS if c.name == "refund")
    (*_, (_, end)) = ends(refund, lambda _: shop.answer({"refundCreate": payload}))
    assert isinstance(end, expected)
    assert getattr(end, "code", None) == code


@given(status=statuses)
def test_a_batch_is_not_let_go_by_a_status_in_no_list(status: int) -> None:
    assume(status not in KNOWN["shopify"])
    end, _ = drive_through(BATCHING.flow(SHOP, b"{}"), [httpx.Response(status)])
    assert isinstance(end, Uncertain)
    error = {"message": "new", "extensions": {"code": "SOMETHING_NEW"}}
    end, _ = drive_through(BATCHING.flow(SHOP, b"{}"), [httpx.Response(200, json={"errors": [error]})])
    assert not isinstance(end, Refused | Rejected)


READS: dict[str, Callable[[], ReadFlow[object]]] = {
    "order": lambda: shop_reads.order(SHOP, "5001"),
    "orders_since": lambda: shop_reads.orders_since(SHOP, 0, None),
    "variants_by_sku": lambda: shop_reads.variants_by_sku(SHOP, "TEE-M"),
    "variant": lambda: shop_reads.variant(SHOP, "401"),
    "item": lambda: shop_reads.item(SHOP, "301"),
    "locations": lambda: shop_reads.locations(SHOP),
    "subscriptions": lambda: shop_reads.subscriptions(SHOP),
    "scopes": lambda: shop_reads.scopes(SHOP),
    "rma": lambda: store_reads.rma(STORE, "1"),
    "rmas_since": lambda: store_reads.rmas_since(STORE, 0, None),
    "transactions_since": lambda: store_reads.transactions_since(STORE, 0, None),
    "transactions_of": lambda: store_reads.transactions_of(STORE, "1"),
    "webhooks": lambda: store_reads.webhooks(STORE),
}


@pytest.mark.parametrize("name", READS)
@some
@given(status=statuses)
def test_a_read_waits_at_a_status_in_no_list(name: str, status: int) -> None:
    assume(status not in KNOWN["shopify"] | KNOWN["returngo"])
    with pytest.raises(Ended) as ended:
        drive_through(READS[name](), [httpx.Response(status)])
    assert isinstance(ended.value.outcome, Deferred)


def test_every_status_that_pauses_or_throttles_is_listed_here() -> None:
    assert set(replies.LISTED.systemic) | connection.THROTTLES | {200, 301, 302, 307, 308} == KNOWN["shopify"]


@pytest.mark.req("OPS-3")
@every_conversation
@pytest.mark.parametrize("status", [200, 203])
def test_a_page_for_people_is_no_answer_whatever_its_status(conversation: Conversation, status: int) -> None:
    for request, end in ends(conversation, lambda _: httpx.Response(status, html="\n<html>Back soon</html>")):
        assert left_open(request, end) or (isinstance(end, Applied) and EFFECT not in request.extensions), end
