"""Gift cards and store credit, neither of which Shopify protects from being given twice."""

from typing import Any

import pytest

from tests.unit.sandbox.box import SHOP, Box, gid

CARD = """
mutation Card($input: GiftCardCreateInput!) {
  giftCardCreate(input: $input) {
    giftCard { id lastCharacters initialValue { amount currencyCode } note }
    giftCardCode
    userErrors { field message code }
  }
}
"""
CREDIT = """
mutation Credit($id: ID!, $in: StoreCreditAccountCreditInput!) {
  storeCreditAccountCredit(id: $id, creditInput: $in) {
    storeCreditAccountTransaction {
      id amount { amount currencyCode } balanceAfterTransaction { amount } account { id }
    }
    userErrors { field message code }
  }
}
"""
CUSTOMER = gid("Customer", 1001)


async def card(box: Box, **given: object) -> dict[str, Any]:
    """giftCardCreate's payload."""
    return dict((await box.data(CARD, input={"initialValue": "169.00", **given}))["giftCardCreate"])


async def credit(box: Box, owner: str, amount: str = "169.00", currency: str = "ZAR", **more: object) -> dict[str, Any]:
    """storeCreditAccountCredit's payload."""
    given = {"creditAmount": {"amount": amount, "currencyCode": currency}, **more}
    return dict((await box.data(CREDIT, id=owner, **{"in": given}))["storeCreditAccountCredit"])


async def test_a_card_tells_its_code_once_and_the_books_never_do(box: Box) -> None:
    made = await card(box, code="RX7K-2M9Q4TZ8", customerId=CUSTOMER, note="RMA 1")
    assert (made["giftCardCode"], made["giftCard"]["lastCharacters"]) == ("rx7k2m9q4tz8", "4tz8")
    answer = await box.client.get("/_sandbox/books", params={"shop": SHOP})
    assert "rx7k2m9q4tz8" not in answer.text
    money = answer.json()["money"][0]
    assert (money["kind"], money["amount"], money["note"], money["customer_id"]) == (
        "gift_card",
        "169.00",
        "RMA 1",
        1001,
    )


async def test_a_code_can_be_used_once_in_any_case(box: Box) -> None:
    await card(box, code="abcd1234")
    again = await card(box, code="ABCD1234")
    assert again["userErrors"] == [{"field": ["input", "code"], "message": "Code has already been taken", "code": None}]
    assert len((await box.books())["money"]) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"initialValue": "0.00"}, "GREATER_THAN"),
        ({"initialValue": "50000.01"}, "GIFT_CARD_LIMIT_EXCEEDED"),
        ({"code": "short"}, "TOO_SHORT"),
        ({"code": "a" * 21}, "TOO_LONG"),
        ({"code": "abcdefg!"}, "INVALID"),
        ({"customerId": gid("Customer", 1)}, "CUSTOMER_NOT_FOUND"),
    ],
)
async def test_cards_that_are_refused(box: Box, given: dict[str, str], expected: str) -> None:
    made = await card(box, **given)
    assert made["giftCard"] is None
    assert [error["code"] for error in made["userErrors"]] == [expected]


async def test_the_newer_input_is_refused_before_it_runs(box: Box) -> None:
    answer = await box.graphql(CARD, input={"initialAmount": {"amount": "1.00", "currencyCode": "ZAR"}})
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
    assert "data" not in answer


async def test_cards_can_be_found_by_their_last_characters(box: Box) -> None:
    await card(box, code="abcd1234")
    await card(box, code="efgh5678", note="RMA 2")
    await box.control("/clock", advance_seconds=60)
    seen = await box.data('{ giftCards(first: 5, query: "last_characters:5678") { nodes { note maskedCode } }'
                          " giftCardConfiguration { issueLimit { amount } } }")  # fmt: skip
    assert seen["giftCards"]["nodes"] == [{"note": "RMA 2", "maskedCode": "•••• •••• •••• 5678"}]
    assert seen["giftCardConfiguration"]["issueLimit"]["amount"] == "50000.0"


async def test_credit_makes_an_account_per_currency_and_can_be_read_back(box: Box) -> None:
    first = await credit(box, CUSTOMER)
    await credit(box, CUSTOMER, "10.00", "USD")
    again = await credit(box, first["storeCreditAccountTransaction"]["account"]["id"], "1.00")
    assert again["storeCreditAccountTransaction"]["balanceAfterTransaction"]["amount"] == "170.0"
    document = """query($id: ID!) { customer(id: $id) { storeCreditAccounts(first: 5) { nodes {
        balance { amount currencyCode }
        transactions(first: 5, reverse: true) { nodes { __typename amount { amount } createdAt
          ... on StoreCreditAccountCreditTransaction { id } } } } } } }"""
    accounts = (await box.data(document, id=CUSTOMER))["customer"]["storeCreditAccounts"]["nodes"]
    assert [account["balance"] for account in accounts] == [
        {"amount": "170.0", "currencyCode": "ZAR"},
        {"amount": "10.0", "currencyCode": "USD"},
    ]
    assert [row["amount"]["amount"] for row in accounts[0]["transactions"]["nodes"]] == ["1.0", "169.0"]


async def test_credits_that_are_refused(box: Box) -> None:
    account = (await credit(box, CUSTOMER))["storeCreditAccountTransaction"]["account"]["id"]
    refused = [
        (await credit(box, gid("Customer", 1)), "OWNER_NOT_FOUND"),
        (await credit(box, gid("StoreCreditAccount", 1)), "ACCOUNT_NOT_FOUND"),
        (await credit(box, account, currency="USD"), "MISMATCHING_CURRENCY"),
        (await credit(box, CUSTOMER, "0.00"), "NEGATIVE_OR_ZERO_AMOUNT"),
        (await credit(box, CUSTOMER, expiresAt="2020-01-01T00:00:00Z"), "EXPIRES_AT_IN_PAST"),
        (await credit(box, CUSTOMER, "100000.00"), "CREDIT_LIMIT_EXCEEDED"),
    ]
    assert [answer["userErrors"][0]["code"] for answer, _ in refused] == [code for _, code in refused]
    assert len((await box.books())["money"]) == 1
