"""Credit on Shopify: store credit through the order's refund, gift cards with a code that can be issued once only."""

import json

import msgspec
import pytest

from schemas.commands import StoreCredit
from schemas.facts import SOMEBODY
from schemas.money import Money
from sinks.contract import EFFECT, Attempt, Unanswered
from sinks.outcomes import AlreadyApplied, Applied, Outcome, Rejected, Uncertain
from sinks.systems import shopify
from sinks.systems.shopify.credit import gift_card_code
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import (
    CARD_SECRET,
    COMMAND_ID,
    FIRST,
    GIFT_CARD,
    MERCHANT,
    SECRETS,
    SHOP,
    STORE_CREDIT,
    again,
    merchant,
)
from tests.unit.systems.peer import Answer, Talk, drive

EUR_25 = Money(minor=2500, currency="EUR")
OURS = f"RMA 20000017 cmd {COMMAND_ID}"


def talk(answers: list[Answer], command: StoreCredit, attempt: Attempt = FIRST) -> tuple[Outcome, Talk]:
    return drive(shopify.SYSTEM.flow(command, SHOP, MERCHANT, attempt), answers)


@pytest.mark.req("MON-8", "MON-11")
def test_store_credit_goes_through_the_orders_refund_with_key_and_mark() -> None:
    command = msgspec.structs.replace(STORE_CREDIT, expires_at_ms=1_800_000_000_000)
    outcome, said = talk([shop.refund_look(), shop.refunded()], command)
    assert isinstance(outcome, Applied)
    assert outcome.amount == EUR_25
    sent = said.variables("RefundCreate")["input"]
    assert sent["refundMethods"] == [
        {
            "storeCreditRefund": {
                "amount": {"amount": "25.00", "currencyCode": "EUR"},
                "expiresAt": "2027-01-15T08:00:00Z",
            }
        }
    ]
    assert sent["transactions"] == []
    assert sent["note"] == OURS
    assert sent["refundLineItems"][0]["restockType"] == "NO_RESTOCK"


@pytest.mark.req("MON-11")
def test_store_credit_that_carries_our_mark_is_not_given_again() -> None:
    refunds = [{"id": "gid://shopify/Refund/401", "note": OURS}]
    outcome, said = talk([shop.refund_look(refunds=refunds), shop.refund_status()], STORE_CREDIT, again())
    assert isinstance(outcome, AlreadyApplied)
    assert "RefundCreate" not in said.names()


@pytest.mark.req("MON-8", "OPS-10")
def test_whose_the_order_is_only_the_shop_says() -> None:
    """A command names nobody: the order's customer is asked for, and gets it."""
    card, credit = (msgspec.structs.replace(each, customer_id=SOMEBODY) for each in (GIFT_CARD, STORE_CREDIT))
    outcome, said = talk([shop.card_look(), shop.card_look(), shop.card_created()], card)
    assert isinstance(outcome, Applied)
    assert said.variables("GiftCardCreate")["input"]["customerId"] == "gid://shopify/Customer/601"
    assert isinstance(talk([shop.refund_look(customer="699"), shop.refunded()], credit)[0], Applied)
    unasked = [shop.card_look(customer=None), shop.card_look(customer=None)]
    for outcome, _ in (talk([*unasked], card), talk([shop.refund_look(customer=None)], credit)):
        assert isinstance(outcome, Rejected)
        assert outcome.code == "credit_not_issued"


@pytest.mark.req("MON-8")
@pytest.mark.parametrize("command", [STORE_CREDIT, GIFT_CARD])
@pytest.mark.parametrize("customer", [None, "699"])
def test_credit_goes_to_the_original_customer_only(command: StoreCredit, customer: str | None) -> None:
    look = shop.refund_look(customer=customer) if command is STORE_CREDIT else shop.card_look(customer=customer)
    outcome, _ = talk([look], command)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "credit_not_issued"


@pytest.mark.req("MON-11")
def test_store_credit_is_never_more_than_the_order_can_still_give() -> None:
    outcome, _ = talk([shop.refund_look(most="24.99")], STORE_CREDIT)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "amount_mismatch"
    assert "24.99 EUR" in outcome.detail


@pytest.mark.parametrize("command", [STORE_CREDIT, GIFT_CARD])
def test_credit_in_another_currency_is_refused(command: StoreCredit) -> None:
    look = shop.refund_look(currency="USD") if command is STORE_CREDIT else shop.card_look(currency="USD")
    outcome, _ = talk([look], command)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "currency_mismatch"


@pytest.mark.req("MON-8", "STA-3")
def test_a_gift_card_is_issued_for_the_exact_value_with_the_commands_own_code() -> None:
    outcome, said = talk([shop.card_look(), shop.card_created()], GIFT_CARD)
    detail = "gift card 501 ending in x7k2"
    assert outcome == Applied(external_ids={"gift_card_id": "501"}, amount=EUR_25, detail=detail)
    assert said.variables("GiftCardCreate")["input"] == {
        "code": gift_card_code(CARD_SECRET, COMMAND_ID),
        "customerId": "gid://shopify/Customer/601",
        "initialValue": "25.00",
        "note": OURS,
    }
    assert EFFECT in said.requests[-1].extensions


def test_later_versions_take_the_amount_with_its_currency() -> None:
    later = shopify.SYSTEM.connect(merchant("2026-07"), SECRETS.__getitem__)
    command = msgspec.structs.replace(GIFT_CARD, expires_at_ms=1_800_000_000_000)
    look = shop.card_look(currency="EUR")
    look.headers["X-Shopify-API-Version"] = "2026-07"
    _, said = drive(shopify.SYSTEM.flow(command, later, MERCHANT, FIRST), [look, shop.card_created()])
    sent = said.variables("GiftCardCreate")["input"]
    assert sent["initialAmount"] == {"amount": "25.00", "currencyCode": "EUR"}
    assert "initialValue" not in sent
    assert sent["expiresOn"] == "2027-01-15"


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("attempt", [FIRST, again()])
def test_a_gift_card_that_carries_our_mark_is_not_issued_again(attempt: Attempt) -> None:
    outcome, said = talk([shop.card_look(shop.card(None), shop.card(OURS))], GIFT_CARD, attempt)
    assert isinstance(outcome, AlreadyApplied)
    assert outcome.amount == EUR_25
    assert said.names() == ["GiftCardLook"]


TAKEN = [
    shop.refused("giftCardCreate", "Code has already been taken", None, giftCard=None),
    shop.refused("giftCardCreate", "Code has already been taken", "TAKEN", giftCard=None),
]


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("taken", TAKEN)
def test_a_code_that_is_taken_was_issued_by_this_command(taken: Answer) -> None:
    answers = [shop.card_look(), taken, shop.card_look(shop.card(OURS))]
    outcome, _ = talk(answers, GIFT_CARD)
    assert isinstance(outcome, AlreadyApplied)


@pytest.mark.req("MON-11")
def test_a_taken_code_that_the_search_does_not_show_yet_is_uncertain() -> None:
    outcome, _ = talk([shop.card_look(), TAKEN[0], shop.card_look()], GIFT_CARD)
    assert outcome == Uncertain(reason="code_taken")


@pytest.mark.req("MON-8")
def test_a_card_beyond_the_shops_limit_is_raised() -> None:
    outcome, _ = talk([shop.card_look(limit="20.0")], GIFT_CARD)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "credit_not_issued"
    refused = shop.refused("giftCardCreate", "can't exceed 20.00 EUR", "GIFT_CARD_LIMIT_EXCEEDED", giftCard=None)
    outcome, _ = talk([shop.card_look(), refused], GIFT_CARD)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "credit_not_issued"


def test_a_card_without_an_order_or_without_an_answer_is_not_taken_for_issued() -> None:
    gone = shop.answer({"order": None, "giftCardConfiguration": None, "giftCards": {"nodes": []}})
    outcome, _ = talk([gone], GIFT_CARD)
    assert isinstance(outcome, Rejected)
    empty = shop.answer({"giftCardCreate": {"giftCard": None, "userErrors": []}})
    assert isinstance(talk([shop.card_look(), empty], GIFT_CARD)[0], Uncertain)
    with pytest.raises(Unanswered):
        talk([shop.card_look(), Unanswered()], GIFT_CARD)


def test_codes_follow_from_secret_and_command_alone() -> None:
    code = gift_card_code(CARD_SECRET, COMMAND_ID)
    assert code == gift_card_code(CARD_SECRET, COMMAND_ID)
    assert len(code) == 16
    assert code.isascii()
    assert code.isalnum()
    assert code == code.lower()
    assert code != gift_card_code("another-secret", COMMAND_ID)
    assert code != gift_card_code(CARD_SECRET, COMMAND_ID[:-1] + "1")


@pytest.mark.req("OPS-10")
def test_a_code_leaves_in_the_one_request_only() -> None:
    code = gift_card_code(CARD_SECRET, COMMAND_ID)
    outcome, said = talk([shop.card_look(), shop.card_created()], GIFT_CARD)
    assert code not in repr(outcome)
    assert code not in said.requests[0].content.decode()
    assert "giftCardCode" not in json.loads(said.requests[1].content)["query"]
