"""When a refund goes out, for which units together, and how much it is."""

import pytest

from schemas.commands import Exchange, Refund, StoreCredit
from schemas.money import Money
from streams.domain.learn import Fact
from tests.unit.domain.factories import (
    Run,
    asked,
    at,
    deadline,
    event,
    inspected,
    line,
    order,
    payment,
    result,
    rules,
    transaction,
    unit,
    verdict,
)


def paid(run: Run) -> list[int]:
    return [refund.amount_minor for refund in run.commands(Refund)]


@pytest.mark.req("MON-1")
def test_the_refund_waits_for_the_restock_where_the_model_says_so() -> None:
    run = Run(rules(refunding={"after": "restocked"}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    assert (paid(run), run.waits()) == ([], {"u1": "restocked"})
    run.feed(verdict(run.intents[0]))
    assert paid(run) == []
    run.feed(result(run.intents[0].intent_id, "restock"))
    assert paid(run) == [1000]


@pytest.mark.req("MON-1")
@pytest.mark.parametrize("missing", ["order", "requested", "approved", "inspected"])
def test_no_refund_before_its_guards(missing: str) -> None:
    run = Run()
    facts: dict[str, Fact] = {
        "order": order(),
        "requested": asked(unit())[0],
        "approved": asked(unit())[1],
        "inspected": inspected(unit()),
    }
    run.feed(*(fact for name, fact in facts.items() if name != missing))
    assert paid(run) == []
    run.feed(facts[missing])
    assert paid(run) == [1000]


@pytest.mark.req("ELG-1", "MON-1")
def test_an_approval_that_comes_before_the_request_opens_no_policy_window() -> None:
    run = Run(rules(inspecting={"policy_days": 3}))
    requested, approved = asked(unit())
    run.feed(order(), approved, inspected(unit()))
    assert (paid(run), run.waits()["u1"]) == ([], "units_known")
    run.feed(requested)
    assert (paid(run), run.open) == ([], ["outside_policy_window"])


def test_units_of_a_return_are_paid_together_once_all_were_inspected() -> None:
    run = Run()
    run.feed(order(line("L1", "TEE"), line("L2", "CAP")), *asked(unit("u1", "L1"), unit("u2", "L2", "CAP")))
    run.feed(inspected(unit("u1", "L1")))
    assert (paid(run), run.waits()["u1"]) == ([], "whole_return")
    run.feed(inspected(unit("u2", "L2", "CAP"), hours=8))
    assert paid(run) == [2000]


def test_a_unit_that_never_comes_does_not_hold_the_others_for_ever() -> None:
    run = Run()
    units = unit("u1", "L1"), unit("u2", "L2", "CAP")
    run.feed(order(line("L1", "TEE"), line("L2", "CAP", price=700)), *asked(*units), inspected(units[0], hours=5))
    assert run.case is not None
    run.restock()
    run.feed(deadline(5 + 47.9))
    assert paid(run) == []
    run.feed(deadline(5 + 48))
    assert paid(run) == [1000]
    run.feed(inspected(units[1], hours=90))
    assert paid(run) == [1000, 700]
    first, second = run.commands(Refund)
    assert first.command_id != second.command_id
    assert (first.unit_ids, second.unit_ids) == (("u1",), ("u2",))


def test_a_line_that_a_person_must_look_at_does_not_hold_the_others() -> None:
    run = Run()
    units = unit("u1", "L1"), unit("u2", "no-such-line", "CAP")
    run.feed(order(), *asked(*units), inspected(units[0]))
    assert paid(run) == [1000]
    assert run.open == ["unknown_line"]


def test_units_to_keep_are_paid_on_approval_without_goods() -> None:
    run = Run()
    kept = unit(resolution="keep", ships=False)
    run.feed(order(), event("requested", kept, hours=1))
    assert paid(run) == []
    run.feed(event("approved", kept, hours=2))
    assert (paid(run), run.intents) == ([1000], [])
    run.feed(result(run.commands(Refund)[0].command_id, "refund"))
    assert run.stages() == {"u1": "closed"}


def test_damaged_units_are_paid_only_where_the_merchant_pays_them() -> None:
    run = Run(rules(refunding={"damaged_is_refunded": False}))
    run.feed(order(), *asked(unit()), inspected(unit(), "damaged"))
    run.restock()
    assert (paid(run), run.stages()) == ([], {"u1": "closed"})


def test_the_refund_waits_for_returngos_request_where_the_merchant_wants_that() -> None:
    run = Run(rules(refunding={"needs_transaction": True}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    assert (paid(run), run.waits()) == ([], {"u1": "asked_for"})
    run.feed(transaction(1000))
    assert paid(run) == [1000]


@pytest.mark.parametrize("by", ["returngo", "pos"])
def test_we_only_watch_where_someone_else_pays(by: str) -> None:
    run = Run(rules(refunding={"actor": by}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    run.restock()
    assert (paid(run), run.waits()) == ([], {"u1": "ours_to_pay"})
    run.feed(transaction(1000, "success", external_id="R9"))
    assert run.stages() == {"u1": "closed"}


@pytest.mark.req("MON-2")
def test_discounts_of_line_and_order_are_shared_to_the_last_cent() -> None:
    run = Run()
    sold = line(quantity=3, price=1000, discount_minor=100, order_discount_minor=200)  # 2700 - … = 2700 / 3
    odd = line("L2", "CAP", 3, price=334, order_discount_minor=1)  # 1001 / 3 = 334 + 334 + 333
    run.feed(order(sold, odd))
    for i, (rma, one) in enumerate([("101", "L1"), ("102", "L2"), ("103", "L2"), ("104", "L2")]):
        each = unit(f"u{i}", one, "TEE" if one == "L1" else "CAP")
        run.feed(*asked(each, rma=rma), inspected(each, rma=rma))
    assert paid(run) == [900, 334, 334, 333]


@pytest.mark.req("MON-2")
@pytest.mark.parametrize(("included", "amount"), [(True, 1000), (False, 1190)])
def test_tax_on_top_is_paid_back_tax_inside_is_in_the_price(included: bool, amount: int) -> None:
    run = Run()
    run.feed(order(line(tax_minor=190), taxes_included=included), *asked(unit()), inspected(unit()))
    assert paid(run) == [amount]


@pytest.mark.req("MON-2")
def test_fees_are_kept_back_and_named() -> None:
    run = Run()
    one = unit(fees=Money(minor=250, currency="EUR"))
    run.feed(order(), *asked(one), inspected(one))
    (refund,) = run.commands(Refund)
    assert (refund.amount_minor, refund.fees_minor, refund.lines[0].amount_minor) == (750, 250, 1000)


@pytest.mark.req("MON-2")
def test_nothing_is_due_when_fees_eat_the_price_and_the_unit_closes() -> None:
    run = Run()
    one = unit(fees=Money(minor=5000, currency="EUR"))
    run.feed(order(), *asked(one), inspected(one))
    run.restock()
    assert (paid(run), run.stages(), run.open) == ([], {"u1": "closed"}, [])


@pytest.mark.req("MON-2")
def test_shipping_is_paid_back_once_with_the_last_unit_of_the_order() -> None:
    run = Run(rules(refunding={"shipping": "full_return"}))
    run.feed(order(line(quantity=2), shipping_minor=490))
    run.feed(*asked(unit("u1"), rma="101"), inspected(unit("u1"), rma="101"))
    run.feed(*asked(unit("u2"), rma="102"), inspected(unit("u2"), rma="102"))
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1000, 0), (1490, 490)]


@pytest.mark.req("MON-13")
@pytest.mark.parametrize(
    ("currency", "price", "units", "amounts"), [("JPY", 1001, 2, [501, 500]), ("KWD", 1000, 3, [334, 333, 333])]
)
def test_currencies_without_and_with_three_decimals_are_whole_minor_units(
    currency: str, price: int, units: int, amounts: list[int]
) -> None:
    run = Run()
    sold = line(quantity=units, price=price, order_discount_minor=price * units - price)
    run.feed(order(sold, currency=currency, shop_currency="EUR"))
    for i in range(units):
        one = unit(f"u{i}", paid=None)
        run.feed(*asked(one, rma=f"10{i}"), inspected(one, rma=f"10{i}"))
    assert [(r.amount_minor, r.currency) for r in run.commands(Refund)] == [(a, currency) for a in amounts]


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(
    ("paid_price", "tolerance", "sent"), [(1000, 0, True), (999, 0, False), (999, 1, True), (998, 1, False)]
)
def test_returngos_price_and_ours_must_agree_within_tolerance(paid_price: int, tolerance: int, sent: bool) -> None:
    run = Run(rules(refunding={"tolerance_minor": tolerance}))
    one = unit(paid=paid_price)
    run.feed(order(), *asked(one), inspected(one))
    assert paid(run) == ([1000] if sent else [])
    assert run.open == ([] if sent else ["amount_mismatch"])


@pytest.mark.req("MON-3", "EXC-1")
def test_a_mismatch_shows_both_figures_and_clears_when_they_agree() -> None:
    run = Run()
    run.feed(order(), *asked(unit(paid=1000)), inspected(unit(paid=1000)), transaction(1200))
    assert paid(run) == [1000]
    late = Run()
    late.feed(transaction(1200), order(), *asked(unit()), inspected(unit()))
    assert paid(late) == []
    raised = late.raised("amount_mismatch")
    assert (raised.expected, raised.actual, raised.owner) == ("10.00 EUR", "12.00 EUR", "finance")
    assert "1 of 1 × TEE 10.00 EUR (price 10.00 EUR)" in raised.detail
    late.feed(transaction(1000, hours=9))
    assert (paid(late), late.open) == ([1000], [])


@pytest.mark.req("MON-13")
def test_figures_in_another_currency_hold_the_refund() -> None:
    run = Run()
    one = unit(paid=1000, currency="USD")
    run.feed(order(), *asked(one), inspected(one))
    assert (paid(run), run.open) == ([], ["currency_mismatch"])
    assert (run.raised("currency_mismatch").expected, run.raised("currency_mismatch").actual) == ("EUR", "USD")


SPLIT = (payment("P1", "card", 600), payment("P2", "gift_card", 300), payment("P3", "voucher", 100))


@pytest.mark.req("MON-11")
@pytest.mark.parametrize(
    ("tenders", "shares"),
    [
        (("gift_card", "*"), [("P2", 300), ("P1", 600), ("P3", 100)]),
        (("*",), [("P1", 600), ("P2", 300), ("P3", 100)]),
        (("voucher", "card", "gift_card"), [("P3", 100), ("P1", 600), ("P2", 300)]),
    ],
)
def test_split_tenders_are_repaid_in_the_merchants_order(
    tenders: tuple[str, ...], shares: list[tuple[str, int]]
) -> None:
    run = Run(rules(refunding={"tenders": tenders}))
    run.feed(order(payments=SPLIT), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    assert [(t.payment_id, t.amount_minor) for t in refund.tenders] == shares


@pytest.mark.req("MON-11")
def test_a_tender_gives_back_no_more_than_it_took() -> None:
    run = Run()
    run.feed(order(line(quantity=2, price=500), payments=SPLIT))
    for i in (1, 2):
        run.feed(*asked(unit(f"u{i}"), rma=f"10{i}"), inspected(unit(f"u{i}"), rma=f"10{i}"))
    first, second = run.commands(Refund)
    assert [(t.payment_id, t.amount_minor) for t in first.tenders] == [("P2", 300), ("P1", 200)]
    assert [(t.payment_id, t.amount_minor) for t in second.tenders] == [("P1", 400), ("P3", 100)]


@pytest.mark.req("MON-11")
@pytest.mark.parametrize("status", ["pending", "failed"])
def test_money_that_was_not_captured_is_not_paid_back(status: str) -> None:
    run = Run()
    run.feed(order(payments=(payment("P1", "card", 400), payment("P2", "card", 600, status))))
    run.feed(*asked(unit()), inspected(unit()))
    assert (paid(run), run.open) == ([], ["amount_mismatch"])
    assert run.raised("amount_mismatch").actual == "4.00 EUR"


def test_a_tender_without_a_rule_is_raised() -> None:
    run = Run(rules(refunding={"tenders": ["gift_card"]}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    assert (paid(run), run.open) == ([], ["unmapped_tender"])
    run.feed(order(hours=6, payments=(payment("P1", "card", 500), payment("P2", "voucher", 500))))
    assert run.raised("unmapped_tender").detail == "no rule says when to repay card, voucher"


@pytest.mark.req("MON-8")
@pytest.mark.parametrize(
    ("resolution", "config", "form"),
    [
        ("store_credit", "store_credit", "store_credit"),
        ("store_credit", "gift_card", "gift_card"),
        ("gift_card", "store_credit", "gift_card"),
    ],
)
def test_store_credit_goes_to_the_customer_of_the_order_for_the_exact_value(
    resolution: str, config: str, form: str
) -> None:
    run = Run(rules(refunding={"store_credit": config}))
    one = unit(resolution=resolution)
    run.feed(order(), *asked(one), inspected(one))
    (credit,) = run.commands(StoreCredit)
    assert (credit.form, credit.customer_id, credit.amount_minor) == (form, "C1", 1000)
    assert paid(run) == []
    run.restock()
    run.feed(result(credit.command_id, "store_credit"))
    assert run.stages() == {"u1": "closed"}


@pytest.mark.req("MON-8")
def test_credit_without_a_customer_and_refused_credit_are_raised() -> None:
    one = unit(resolution="store_credit")
    for unknown in (None, ""):
        nobody = Run()
        nobody.feed(order(customer_id=unknown), *asked(one), inspected(one))
        assert (nobody.records(StoreCredit), nobody.open) == ([], ["credit_not_issued"])
    refused = Run()
    refused.feed(order(), *asked(one), inspected(one))
    refused.feed(
        result(refused.commands(StoreCredit)[0].command_id, "store_credit", "rejected", code="rejected_by_system")
    )
    assert refused.open == ["credit_not_issued"]
    assert len(refused.commands(StoreCredit)) == 1


@pytest.mark.req("MON-11")
def test_refund_and_credit_of_one_return_together_stay_within_what_was_captured() -> None:
    run = Run()
    units = unit("u1", "L1"), unit("u2", "L2", "CAP", resolution="store_credit")
    run.feed(order(line("L1"), line("L2", "CAP"), paid=1500), *asked(*units), *(inspected(u) for u in units))
    sums = [c.amount_minor for c in run.commands(StoreCredit)] + paid(run)
    assert sums == [1000]
    assert run.open == ["amount_mismatch"]


def test_an_exchange_is_released_when_its_units_were_inspected_and_its_draft_is_known() -> None:
    run = Run()
    one = unit(resolution="exchange")
    run.feed(order(), *asked(one), inspected(one))
    assert (run.records(Exchange), run.waits()) == ([], {"u1": "exchange_made"})
    run.feed(event("exchange", one, hours=6, exchange_draft_order_id="D1"))
    (release,) = run.commands(Exchange)
    assert (release.draft_order_id, release.difference_minor) == ("D1", 0)
    assert paid(run) == []


def test_an_exchange_that_returngo_released_itself_is_not_released_again() -> None:
    run = Run()
    one = unit(resolution="exchange")
    run.feed(
        order(), *asked(one), event("exchange", one, hours=3, exchange_draft_order_id="D1", exchange_order_id="O9")
    )
    run.feed(inspected(one))
    run.restock()
    assert (run.records(Exchange), run.stages()) == ([], {"u1": "closed"})


@pytest.mark.parametrize(("resolution", "raised"), [("unknown", ["unknown_resolution"]), ("none", [])])
def test_resolutions_without_money(resolution: str, raised: list[str]) -> None:
    run = Run()
    one = unit(resolution=resolution)
    run.feed(order(), *asked(one), inspected(one))
    run.restock()
    assert (paid(run), run.open, len(run.intents)) == ([], raised, 1)


@pytest.mark.req("ELG-1")
def test_more_units_than_were_bought_hold_the_line() -> None:
    run = Run()
    units = [unit("u1"), unit("u2")]
    run.feed(order(line(quantity=1)), *asked(*units), *(inspected(u) for u in units))
    assert (paid(run), run.intents, run.open) == ([], [], ["over_quantity"])
    assert run.raised("over_quantity").unit_ids == ("u1", "u2")
    run.feed(order(line(quantity=2), hours=7))
    assert (paid(run), run.open) == ([2000], [])


@pytest.mark.req("ELG-1")
def test_units_of_a_cancelled_return_do_not_count_as_returned() -> None:
    run = Run()
    run.feed(order(), *asked(unit("u1"), rma="101"), event("cancelled", unit("u1"), rma="101", hours=2))
    run.feed(*asked(unit("u2"), rma="102"), inspected(unit("u2"), rma="102"))
    assert (paid(run), run.open) == ([1000], [])


@pytest.mark.req("ELG-1")
@pytest.mark.parametrize(("days", "sent"), [(4, False), (5, True), (None, True)])
def test_a_return_after_the_policy_window_is_for_a_person(days: int | None, sent: bool) -> None:
    run = Run(rules(inspecting={"policy_days": days}))
    run.feed(order(created_at_ms=at(1) - 5 * 86_400_000), *asked(unit()), inspected(unit()))
    assert (paid(run) == [1000], run.open == []) == (sent, sent)
    assert sent or run.open == ["outside_policy_window"]


@pytest.mark.req("MON-11", "EXC-1")
def test_a_rejected_refund_is_raised_by_its_code_and_never_sent_again_by_itself() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()))
    (refund,) = run.commands(Refund)
    rejected = result(refund.command_id, "refund", "rejected", code="amount_mismatch", detail="ours 10.00, shop 9.00")
    made = run.feed(rejected, inspected(unit()), order(), deadline(1000))
    assert [o for o in made if isinstance(o.record, Refund)] == []
    assert run.raised("amount_mismatch").detail == (
        "ours 10.00, shop 9.00 | ours is 10.00 EUR: 1 of 1 × TEE 10.00 EUR (price 10.00 EUR)"
    )
    assert run.waits()["u1"] in ("restock_applied", "money_accepted")


def test_the_refund_says_which_tolerance_it_was_decided_with() -> None:
    run = Run(rules(refunding={"tolerance_minor": 3}))
    run.feed(order(), *asked(unit()), inspected(unit()))
    assert run.commands(Refund)[0].tolerance_minor == 3


def test_an_unknown_line_of_an_order_that_was_cut_off_is_waited_for() -> None:
    run = Run()
    one = unit("u1", "L9", "CAP")
    run.feed(order(complete=False), *asked(one), inspected(one))
    assert (paid(run), run.open, run.waits()) == ([], [], {"u1": "line_read"})
    run.feed(order(line(), line("L9", "CAP"), hours=6))
    assert paid(run) == [1000]


@pytest.mark.req("MON-3")
def test_a_request_that_comes_after_the_payment_with_another_figure_is_raised() -> None:
    run = Run()
    run.feed(order(), *asked(unit()), inspected(unit()), transaction(1200))
    raised = run.raised("amount_mismatch")
    assert (raised.expected, raised.actual) == ("10.00 EUR", "12.00 EUR")
    run.feed(transaction(1000, hours=7))
    assert run.open == []


def test_fees_below_nothing_pay_nobody_more() -> None:
    run = Run()
    one = unit(fees=Money(minor=-500, currency="EUR"))
    run.feed(order(line(price=1000), line("L2", "CAP")), *asked(one), inspected(one))
    assert (paid(run), run.open) == ([], ["amount_mismatch"])


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_return_of_less_than_one_unit_moves_nothing(quantity: int) -> None:
    run = Run()
    one = unit(quantity=quantity)
    run.feed(order(), *asked(one), inspected(one))
    assert (paid(run), run.intents, run.open) == ([], [], ["over_quantity"])
    assert (run.raised("over_quantity").expected, run.raised("over_quantity").actual) == ("at least 1", str(quantity))


def test_a_credit_of_nothing_is_not_issued() -> None:
    run = Run()
    one = unit(resolution="gift_card", fees=Money(minor=1000, currency="EUR"))
    run.feed(order(), *asked(one), inspected(one))
    run.restock()
    assert (run.records(StoreCredit), run.stages()) == ([], {"u1": "closed"})


def test_a_unit_taken_out_of_the_return_holds_nobody_up() -> None:
    run = Run()
    units = unit("u1", "L1"), unit("u2", "L2", "CAP")
    run.feed(order(line(), line("L2", "CAP")), *asked(*units), inspected(units[0], hours=5))
    assert paid(run) == []
    run.feed(event("requested", units[0], hours=6))
    assert (paid(run), run.stages()["u2"]) == ([1000], "cancelled")


@pytest.mark.req("MON-2", "MON-11")
def test_shipping_is_not_paid_back_while_the_refund_of_another_unit_was_refused() -> None:
    run = Run(rules(refunding={"shipping": "full_return"}))
    run.feed(order(line(quantity=2), shipping_minor=490))
    run.feed(*asked(unit("u1"), rma="101"), inspected(unit("u1"), rma="101"))
    (first,) = run.commands(Refund)
    run.feed(result(first.command_id, "refund", "rejected", code="rejected_by_system"))
    run.feed(*asked(unit("u2"), rma="102"), inspected(unit("u2"), rma="102"))
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1000, 0), (1000, 0)]


@pytest.mark.req("MON-2")
@pytest.mark.req("MON-2", "MON-11")
def test_shipping_is_paid_back_once_however_often_an_order_grows_and_comes_back_whole() -> None:
    run = Run(rules(refunding={"shipping": "full_return"}))
    for number in (1, 2, 3):
        lines = [line(f"L{n}", f"S{n}") for n in range(1, number + 1)]
        one = unit(f"u{number}", f"L{number}", f"S{number}")
        run.feed(order(*lines, hours=number * 10, shipping_minor=490))
        run.feed(
            *asked(one, rma=f"10{number}", hours=number * 10), inspected(one, rma=f"10{number}", hours=number * 10 + 1)
        )
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1490, 490), (1000, 0), (1000, 0)]


def test_where_no_shipping_was_paid_none_is_paid_back() -> None:
    run = Run(rules(refunding={"shipping": "full_return"}))
    run.feed(order(paid=5000), *asked(unit()), inspected(unit()))
    assert [(r.amount_minor, r.shipping_minor) for r in run.commands(Refund)] == [(1000, 0)]
