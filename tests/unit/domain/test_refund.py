"""When a refund goes out, and for which units together; test_refund_amounts.py says how much it is."""

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
    paid,
    result,
    rules,
    transaction,
    unit,
    verdict,
)


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
