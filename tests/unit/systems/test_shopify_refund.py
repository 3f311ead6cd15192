"""Refunds on Shopify: our mark is looked for first, the amount is Shopify's too, nothing leads to a second refund."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from schemas.commands import Leeway, LineShare, Refund, Suggestion, TenderShare
from schemas.money import Money, parse
from sinks.contract import Attempt, NotSent, Unanswered
from sinks.outcomes import AlreadyApplied, Applied, Deferred, Misconfigured, Outcome, Rejected, Uncertain
from sinks.systems import shopify
from sinks.systems.shopify import following
from tests.unit.systems import shop_answers as shop
from tests.unit.systems.givens import COMMAND_ID, FIRST, KEY, MERCHANT, REFUND, SHOP, again
from tests.unit.systems.peer import Answer, Talk, drive

OURS = {"id": "gid://shopify/Refund/401", "note": f"RMA 20000017 cmd {COMMAND_ID}"}


def talk(answers: Sequence[Answer], command: Refund = REFUND, attempt: Attempt = FIRST) -> tuple[Outcome, Talk]:
    return drive(shopify.SYSTEM.flow(command, SHOP, MERCHANT, attempt), answers)


@pytest.mark.req("MON-4", "STA-3")
def test_a_refund_goes_to_the_original_order_and_payment_with_key_and_mark() -> None:
    outcome, said = talk([shop.refund_look(), shop.refunded()])
    assert outcome == Applied(
        external_ids={"refund_id": "401", "transaction_ids": "802"},
        amount=Money(minor=2500, currency="EUR"),
        lines=(LineShare(line_id="9001", quantity=1, amount_minor=2500),),
    )
    assert said.variables("RefundCreate") == {
        "key": KEY,
        "input": {
            "orderId": "gid://shopify/Order/5001",
            "currency": "EUR",
            "note": f"RMA 20000017 cmd {COMMAND_ID}",
            "notify": False,
            "refundLineItems": [
                {"lineItemId": "gid://shopify/LineItem/9001", "quantity": 1, "restockType": "NO_RESTOCK"}
            ],
            "transactions": [
                {
                    "orderId": "gid://shopify/Order/5001",
                    "parentId": "gid://shopify/OrderTransaction/801",
                    "gateway": "card-gateway",
                    "kind": "REFUND",
                    "amount": "25.00",
                }
            ],
        },
    }


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("attempt", [FIRST, again(60), again(3 * 86_400)])
def test_a_refund_that_carries_our_mark_is_never_made_again(attempt: Attempt) -> None:
    outcome, said = talk([shop.refund_look(refunds=[OURS]), shop.refund_status()], attempt=attempt)
    assert isinstance(outcome, AlreadyApplied)
    assert outcome.external_ids["refund_id"] == "401"
    assert outcome.amount == Money(minor=2500, currency="EUR")
    assert "RefundCreate" not in said.names()


def test_another_commands_mark_is_not_ours() -> None:
    other = {"id": "gid://shopify/Refund/400", "note": "RMA 20000017 cmd 11111111-7a52-5b0e-8c11-4f2a9d3b7e60"}
    outcome, said = talk(
        [shop.refund_look(refunds=[other, {"id": "gid://shopify/Refund/399", "note": None}]), shop.refunded()]
    )
    assert isinstance(outcome, Applied)
    assert said.names() == ["RefundLook", "RefundCreate"]


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("status", ["PENDING", "AWAITING_RESPONSE", "UNKNOWN"])
def test_money_on_its_way_is_watched_not_sent_again(status: str) -> None:
    assert talk([shop.refund_look(), shop.refunded(status=status)])[0] == Uncertain(reason="refund_pending")
    looked = [shop.refund_look(refunds=[OURS]), shop.refund_status(status=status)]
    assert talk(looked, attempt=again())[0] == Uncertain(reason="refund_pending")


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("status", ["FAILURE", "ERROR"])
def test_failed_money_is_for_a_person(status: str) -> None:
    for answers in (
        [shop.refund_look(), shop.refunded(status=status, error="PAYMENT_PROVIDER_ERROR")],
        [shop.refund_look(refunds=[OURS]), shop.refund_status(status=status, error="PAYMENT_PROVIDER_ERROR")],
    ):
        outcome = talk(answers)[0]
        assert isinstance(outcome, Rejected)
        assert "PAYMENT_PROVIDER_ERROR" in outcome.detail
        assert "401" in outcome.detail


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(
    ("suggested", "tolerance", "fees", "fits"),
    [
        ("25.0", 0, 0, True),
        ("25.01", 0, 0, False),
        ("25.01", 1, 0, True),
        ("24.99", 1, 0, True),
        ("24.98", 1, 0, False),
        ("30.0", 0, 500, True),
        ("25.0", 0, 500, False),
    ],
)
def test_a_difference_beyond_the_tolerance_stops_the_refund(
    suggested: str, tolerance: int, fees: int, fits: bool
) -> None:
    even = Leeway(line_id="9001", minor=0)
    command = msgspec.structs.replace(REFUND, tolerance_minor=tolerance, fees_minor=fees, leeways=(even,))
    look = shop.refund_look(suggested=suggested, most="100.0")
    if fits:
        assert isinstance(talk([look, shop.refunded()], command)[0], Applied)
        return
    outcome = talk([look], command)[0]
    assert isinstance(outcome, Rejected)
    assert outcome.code == "amount_mismatch"
    assert "25.00 EUR" in outcome.detail
    assert f"suggests {Money(minor=round(float(suggested) * 100), currency='EUR')}" in outcome.detail


@pytest.mark.req("MON-2", "MON-3", "MON-6")
@pytest.mark.parametrize(
    ("suggested", "leeway", "last", "paid"),
    [
        ("24.99", 1, False, "24.99"),
        ("25.01", 1, False, "25.01"),
        ("24.97", 3, False, "24.97"),
        ("24.99", 1, True, "25.00"),  # the last units of a line take what is left of it
        ("25.02", 1, False, None),
        ("24.98", 1, True, None),
        ("25.01", 0, False, None),
        ("24.99", None, False, "24.99"),  # not told: one for the unit
        ("24.98", None, False, None),
    ],
)
def test_a_difference_that_rounding_explains_is_paid_as_the_shop_suggests(
    suggested: str, leeway: int | None, last: bool, paid: str | None
) -> None:
    leeways = () if leeway is None else (Leeway(line_id="9001", minor=leeway, last=last),)
    look = shop.refund_look(suggested=suggested, most="100.0", suggested_parents=[parent("801", "60.0")])
    command = msgspec.structs.replace(REFUND, leeways=leeways)
    if paid is None:
        outcome = talk([look], command)[0]
        assert isinstance(outcome, Rejected)
        assert outcome.code == "amount_mismatch"
        return
    outcome, said = talk([look, shop.refunded(amount=paid)], command)
    assert isinstance(outcome, Applied)
    assert outcome.amount == parse(paid, "EUR")
    assert [t["amount"] for t in said.variables("RefundCreate")["input"]["transactions"]] == [paid]


@pytest.mark.req("MON-2", "MON-11")
@pytest.mark.parametrize(
    ("tenders", "parents", "paid"),
    [
        ({"801": 1500, "802": 1000}, {"801": 15, "802": 60}, {"801": "15.00", "802": "10.01"}),
        ({"801": 1500, "802": 1000}, {"801": 15, "802": 10, "803": 9}, {"801": "15.00", "802": "10.00", "803": "0.01"}),
        ({"801": 2500}, {"801": 25}, {"801": "25.00"}),  # nobody can give the cent
    ],
)
def test_a_cent_more_comes_from_a_payment_that_can_give_it(
    tenders: dict[str, int], parents: dict[str, int], paid: dict[str, str]
) -> None:
    shares = tuple(TenderShare(payment_id=i, tender="card", amount_minor=minor) for i, minor in tenders.items())
    command = msgspec.structs.replace(REFUND, tenders=shares)
    listed = [parent(number, f"{most}.0") for number, most in parents.items()]
    look = shop.refund_look(suggested="25.01", most="60.0", suggested_parents=listed)
    said = talk([look, shop.refunded()], command)[1]
    given = said.variables("RefundCreate")["input"]["transactions"]
    assert {t["parentId"].rpartition("/")[2]: t["amount"] for t in given} == paid


@pytest.mark.req("MON-2", "MON-11")
@pytest.mark.parametrize(
    ("given", "before", "sent"),
    [
        ({"801": "14.99", "802": "60.0"}, 1, {"801": "14.99", "802": "10.01"}),
        ({"801": "14.99", "802": "10.0", "803": "9.0"}, 1, {"801": "14.99", "802": "10.00", "803": "0.01"}),
        ({"801": "14.99", "802": "9.99", "803": "9.0"}, 2, {"801": "14.99", "802": "9.99", "803": "0.02"}),
        ({"801": "14.99", "802": "60.0"}, 0, None),  # no refund before that could have moved a cent
        ({"801": "14.98", "802": "60.0"}, 1, None),
        ({"801": "14.99", "802": "10.0"}, 1, None),  # nobody can give it
    ],
)
def test_a_cent_that_an_earlier_refund_took_from_this_payment_comes_from_another(
    given: dict[str, str], before: int, sent: dict[str, str] | None
) -> None:
    shares = tuple(
        TenderShare(payment_id=i, tender="card", amount_minor=minor) for i, minor in (("801", 1500), ("802", 1000))
    )
    command = msgspec.structs.replace(REFUND, tenders=shares, leeways=(Leeway(line_id="9001", minor=0),))
    refunds = [{"id": f"gid://shopify/Refund/{n}", "note": None} for n in range(before)]
    listed = [parent(number, most) for number, most in given.items()]
    look = shop.refund_look(most="60.0", refunds=refunds, suggested_parents=listed)
    outcome, said = talk([look, *([shop.refunded()] if sent else ())], command)
    if sent is None:
        assert isinstance(outcome, Rejected)
        assert (outcome.code, "can give back at most" in outcome.detail) == ("amount_mismatch", True)
        return
    transactions = said.variables("RefundCreate")["input"]["transactions"]
    assert {t["parentId"].rpartition("/")[2]: t["amount"] for t in transactions} == sent


@pytest.mark.req("MON-13")
def test_cash_is_paid_in_coins_whatever_the_shop_rounds() -> None:
    coins = msgspec.structs.replace(REFUND.tenders[0], coin_minor=5)
    look = shop.refund_look(suggested="24.99", most="60.0", suggested_parents=[parent("801", "60.0")])
    said = talk([look, shop.refunded()], msgspec.structs.replace(REFUND, tenders=(coins,)))[1]
    assert [t["amount"] for t in said.variables("RefundCreate")["input"]["transactions"]] == ["25.00"]


def parent(number: str, most: str) -> dict[str, Any]:
    """A payment that Shopify would pay back to."""
    return {
        "gateway": "card-gateway",
        "parentTransaction": {"id": f"gid://shopify/OrderTransaction/{number}"},
        "maximumRefundableSet": shop.bag(most, "EUR"),
    }


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(("taxes_included", "line"), [(True, 2400), (False, 2856)])
def test_a_refusal_carries_the_shops_own_figure_line_by_line_with_taxes(taxes_included: bool, line: int) -> None:
    look = shop.refund_look(suggested="24.0", most="30.0", tax="4.56", taxes_included=taxes_included)
    outcome = talk([look])[0]
    assert isinstance(outcome, Rejected)
    assert outcome.suggested == Suggestion(
        currency="EUR", amount_minor=2400, most_minor=3000,
        lines=(LineShare(line_id="9001", quantity=1, amount_minor=line),),
    )  # fmt: skip


@pytest.mark.req("MON-11")
def test_never_more_than_the_order_can_still_give() -> None:
    outcome = talk([shop.refund_look(suggested="25.0", most="24.0")])[0]
    assert isinstance(outcome, Rejected)
    assert outcome.code == "amount_mismatch"
    assert "at most 24.00 EUR" in outcome.detail


@pytest.mark.req("MON-11")
def test_never_more_than_a_payment_can_still_give() -> None:
    parent = {"gateway": "card-gateway", "parentTransaction": {"id": "gid://shopify/OrderTransaction/801"}}
    look = shop.refund_look(suggested_parents=[{**parent, "maximumRefundableSet": shop.bag("10.0")}])
    outcome = talk([look])[0]
    assert isinstance(outcome, Rejected)
    assert outcome.code == "amount_mismatch"
    assert "at most 10.00 EUR" in outcome.detail


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [{"id": "gid://shopify/OrderTransaction/801", "kind": "AUTHORIZATION", "status": "SUCCESS", "gateway": "g"}],
        [{"id": "gid://shopify/OrderTransaction/801", "kind": "SALE", "status": "PENDING", "gateway": "g"}],
    ],
)
def test_only_a_successful_payment_can_be_refunded(parents: list[dict[str, Any]]) -> None:
    outcome = talk([shop.refund_look(parents=parents)])[0]
    assert isinstance(outcome, Rejected)
    assert "801" in outcome.detail


def test_a_split_tender_goes_back_to_each_payment() -> None:
    parents = [
        {"id": "gid://shopify/OrderTransaction/801", "kind": "SALE", "status": "SUCCESS", "gateway": "gift_card"},
        {"id": "gid://shopify/OrderTransaction/803", "kind": "CAPTURE", "status": "SUCCESS", "gateway": "card"},
    ]
    shares = (
        TenderShare(payment_id="801", tender="gift_card", amount_minor=1000),
        TenderShare(payment_id="803", tender="card", amount_minor=1500),
    )
    command = msgspec.structs.replace(REFUND, tenders=shares)
    _, said = talk([shop.refund_look(parents=parents), shop.refunded()], command)
    sent = said.variables("RefundCreate")["input"]["transactions"]
    assert [(t["parentId"][-3:], t["gateway"], t["amount"]) for t in sent] == [
        ("801", "gift_card", "10.00"),
        ("803", "card", "15.00"),
    ]


def test_shares_that_do_not_add_up_are_not_sent() -> None:
    shares = (TenderShare(payment_id="801", tender="card", amount_minor=2400),)
    outcome = talk([shop.refund_look()], msgspec.structs.replace(REFUND, tenders=shares))[0]
    assert isinstance(outcome, Rejected)
    assert outcome.code == "amount_mismatch"


def test_shipping_is_asked_for_and_sent() -> None:
    command = msgspec.structs.replace(
        REFUND,
        amount_minor=3000,
        shipping_minor=500,
        tenders=(TenderShare(payment_id="801", tender="card", amount_minor=3000),),
    )
    _, said = talk([shop.refund_look(suggested="30.0", most="30.0"), shop.refunded(amount="30.0")], command)
    assert said.variables("RefundLook")["shipping"] == "5.00"
    assert said.variables("RefundCreate")["input"]["shipping"] == {"amount": "5.00"}


@pytest.mark.parametrize(("currency", "minor", "wire"), [("JPY", 2500, "2500"), ("KWD", 2500, "2.500")])
def test_amounts_have_the_decimals_of_their_currency(currency: str, minor: int, wire: str) -> None:
    command = msgspec.structs.replace(REFUND, currency=currency)
    look = shop.refund_look(suggested=wire, most=wire, currency=currency)
    outcome, said = talk([look, shop.refunded(amount=wire, currency=currency)], command)
    assert said.variables("RefundCreate")["input"]["transactions"][0]["amount"] == wire
    assert isinstance(outcome, Applied)
    assert outcome.amount == Money(minor=minor, currency=currency)


def test_another_currency_is_not_sent() -> None:
    outcome = talk([shop.refund_look(currency="USD")])[0]
    assert isinstance(outcome, Rejected)
    assert outcome.code == "currency_mismatch"


def test_an_order_that_cannot_be_seen_is_an_orphan() -> None:
    outcome = talk([shop.answer({"order": None})])[0]
    assert isinstance(outcome, Rejected)
    assert outcome.code == "orphan_return"
    assert "read_all_orders" in outcome.detail


def test_too_many_refunds_to_look_through_are_for_a_person() -> None:
    refunds = [{"id": f"gid://shopify/Refund/{n}", "note": None} for n in range(250)]
    listed = shop.answer({"order": {"refunds": refunds}})
    outcome = talk([shop.refund_look(refunds=refunds[:51]), listed])[0]
    assert isinstance(outcome, Rejected)
    assert outcome.code == "rejected_by_system"


def test_no_suggestion_no_refund() -> None:
    outcome = talk([shop.refund_look(suggested=None)])[0]
    assert isinstance(outcome, Rejected)
    assert outcome.code == "amount_mismatch"


@pytest.mark.req("MON-11")
def test_a_lost_answer_leaves_the_driver_to_look() -> None:
    with pytest.raises(Unanswered):
        talk([shop.refund_look(), Unanswered()])
    with pytest.raises(NotSent):
        talk([shop.refund_look(), NotSent("refused")])


def test_a_lost_look_did_nothing() -> None:
    assert talk([Unanswered()])[0] == Deferred(reason="no_answer")
    assert talk([NotSent("no quota", 3.0)])[0] == Deferred(reason="not_sent", after_seconds=3.0)


def test_another_api_version_stops_the_money() -> None:
    outcome = talk([shop.refund_look(version="2026-07")])[0]
    assert isinstance(outcome, Misconfigured)
    assert outcome.code == "api_version_changed"


@pytest.mark.req("MON-11")
def test_errors_beside_a_refund_do_not_hide_that_it_exists() -> None:
    refund = shop.refund()
    both = shop.refused("refundCreate", "something else went wrong", refund=refund)
    assert isinstance(talk([shop.refund_look(), both])[0], Applied)
    field = {"message": "no", "path": ["refundCreate", "order"], "extensions": {"code": "ACCESS_DENIED"}}
    beside = shop.answer({"refundCreate": {"refund": refund, "userErrors": []}}, errors=[field])
    assert isinstance(talk([shop.refund_look(), beside])[0], Applied)


def test_an_empty_answer_is_uncertain() -> None:
    empty = shop.answer({"refundCreate": {"refund": None, "userErrors": []}})
    assert isinstance(talk([shop.refund_look(), empty])[0], Uncertain)
    null = shop.answer({"refundCreate": None})
    assert isinstance(talk([shop.refund_look(), null])[0], Uncertain)


def test_several_lines_are_refunded_in_one() -> None:
    lines = (
        LineShare(line_id="9001", quantity=1, amount_minor=1000),
        LineShare(line_id="9002", quantity=2, amount_minor=1500),
    )
    _, said = talk([shop.refund_look(), shop.refunded()], msgspec.structs.replace(REFUND, lines=lines))
    sent = said.variables("RefundCreate")["input"]["refundLineItems"]
    assert [(line["lineItemId"][-4:], line["quantity"]) for line in sent] == [("9001", 1), ("9002", 2)]
    assert said.variables("RefundLook")["lines"] == sent


@pytest.mark.req("MON-2", "MON-6")
@pytest.mark.parametrize(
    ("theirs", "last", "paid", "told"),
    [
        ({"A": 334, "B": 333}, (), 667, {"A": 334, "B": 333}),
        ({"A": 333, "B": 334}, (), 667, {"A": 333, "B": 334}),
        ({"A": 332, "B": 334}, ("A",), 668, {"A": 334, "B": 334}),  # the last units of a line are paid as we say
        ({"A": 334, "B": 333}, (), 668, {}),  # not what was paid
        ({"A": 667}, (), 667, {}),
    ],
)
def test_what_each_line_got_is_told_where_it_is_known(
    theirs: dict[str, int], last: tuple[str, ...], paid: int, told: dict[str, int]
) -> None:
    ours = tuple(LineShare(line_id=name, quantity=1, amount_minor=334) for name in "AB")
    leeways = tuple(Leeway(line_id=name, minor=1, last=name in last) for name in "AB")
    command = msgspec.structs.replace(REFUND, lines=ours, amount_minor=668, leeways=leeways)
    lines = tuple(LineShare(line_id=name, quantity=1, amount_minor=minor) for name, minor in theirs.items())
    suggested = Suggestion(currency="EUR", amount_minor=sum(theirs.values()), lines=lines)
    assert {each.line_id: each.amount_minor for each in following.lines(command, suggested, paid)} == told
