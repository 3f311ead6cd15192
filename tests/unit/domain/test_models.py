"""Which operating model governs a line, and what each lets happen when."""

import pytest
from msgspec.structs import replace

from schemas.commands import Exchange, Refund, Restock
from schemas.facts import OrderSnapshot
from schemas.stock import RestockVerdict
from streams.domain.learn import Fact
from streams.domain.stock import decide_stock
from tests.unit.domain.factories import (
    Run,
    asked,
    at,
    covers,
    deadline,
    event,
    inspected,
    item,
    of,
    order,
    refunded,
    result,
    transaction,
    unit,
    verdict,
)
from tests.unit.domain.merchants import DOCK, PEN, merchant


def sale(system: str, **more: object) -> OrderSnapshot:
    return replace(order(), system=system, **more)


@pytest.mark.req("MON-1", "INV-1")
@pytest.mark.parametrize("system", ["lightspeed-x", "lightspeed-r"])
def test_lightspeed_pays_only_after_receipt_quality_check_and_the_applied_restock(system: str) -> None:
    run = Run(merchant(system))
    run.feed(sale(system), *asked(unit()), inspected(unit(), hours=5))
    assert (run.intents, run.waits()) == ([], {"u1": "received"})
    run.feed(event("received", unit(), hours=6))
    (intent,) = run.intents
    assert (intent.system, intent.location_id, run.records(Refund)) == (system, "11", [])
    assert run.waits() == {"u1": "restocked"}
    run.feed(verdict(intent), result(intent.intent_id, "restock"))
    (refund,) = run.commands(Refund)
    assert refund.system == system


@pytest.mark.req("OPS-7", "INV-1")
@pytest.mark.parametrize("needs_receipt", [True, False])
def test_a_place_may_ask_for_a_receipt_of_what_is_inspected_there(needs_receipt: bool) -> None:
    counter = {"name": "counter", "location": "dock", "inspecting": {"needs_receipt": needs_receipt}}
    run = Run(merchant(models=[counter]))
    run.feed(order(), *asked(unit()), inspected(unit()))
    assert len(run.intents) == (0 if needs_receipt else 1)
    run.feed(event("received", unit(), hours=6))
    assert len(run.intents) == 1


def test_a_receipt_that_nobody_reports_is_raised() -> None:
    run = Run(merchant("lightspeed-x"))
    run.feed(sale("lightspeed-x"), *asked(unit()), inspected(unit(), hours=5), deadline(5 + 48))
    assert run.open == ["status_conflict"]
    run.feed(event("received", unit(), hours=60))
    assert run.open == []


@pytest.mark.req("MON-6")
def test_sitoo_leaves_the_payment_to_the_payment_system() -> None:
    run = Run(merchant("sitoo"))
    run.feed(sale("sitoo"), *asked(unit()), inspected(unit()))
    assert [i.system for i in run.intents] == ["sitoo"]
    run.restock()
    assert (run.records(Refund), run.waits()) == ([], {"u1": "ours_to_pay"})
    run.feed(replace(refunded("R1", 1000, covers(), hours=9), actor="other", system="sitoo"))
    assert run.stages()["u1"] in ("refunded", "closed")
    assert run.open == []


@pytest.mark.req("INV-1", "MON-7")
@pytest.mark.parametrize("kind", ["received", "in_transit", "resolved"])
def test_linnworks_moves_on_nothing_but_an_inspected_item(kind: str) -> None:
    run = Run(merchant("linnworks"))
    run.feed(sale("linnworks"), *asked(unit()), event(kind, unit(), hours=3))
    assert run.intents == []
    run.feed(inspected(unit()))
    assert [i.system for i in run.intents] == ["linnworks"]
    assert run.records(Refund) == []


@pytest.mark.req("INV-5")
def test_patchworks_waits_for_returngos_request_and_stops_before_an_inactive_location() -> None:
    run = Run(merchant("patchworks", locations=(DOCK | {"active": False},)))
    run.feed(sale("patchworks"), *asked(unit()), inspected(unit()))
    assert (run.intents, run.open) == ([], ["inactive_location"])
    assert run.records(Refund) == []
    run.feed(transaction(1000))
    assert [r.system for r in run.commands(Refund)] == ["patchworks"]


@pytest.mark.req("INV-6")
def test_behind_patchworks_nothing_is_put_back_on_an_archived_order() -> None:
    run = Run(merchant("patchworks"))
    run.feed(sale("patchworks", archived=True), *asked(unit()), inspected(unit()))
    assert (run.intents, run.open, run.waits()) == ([], ["archived_order"], {"u1": "order_open"})
    run.feed(sale("patchworks", version_ms=at(9), fact_id="again"))
    assert (len(run.intents), run.open) == (1, [])


@pytest.mark.req("EXG-1", "EXG-2", "EXG-3")
@pytest.mark.parametrize("system", ["linnworks", "patchworks"])
def test_an_exchange_order_that_returngo_made_is_released_at_once_whoever_pays_refunds(system: str) -> None:
    run = Run(merchant(system, model={"restocking": {"late_changes": "raise"}}))
    one = unit(resolution="exchange")
    run.feed(sale(system), *asked(one), inspected(one))
    assert run.records(Exchange) == []
    run.feed(event("exchange", one, hours=6, exchange_order_id="X1"))
    (exchange,) = run.commands(Exchange)
    assert (exchange.system, exchange.exchange_order_id, exchange.draft_order_id) == (system, "X1", None)


@pytest.mark.req("MON-1")
def test_where_the_till_restocks_money_after_the_restock_waits_until_it_was_seen() -> None:
    run = Run(merchant(model={"restocking": {"actor": "pos"}, "refunding": {"after": "restocked"}}))
    run.feed(order(), *asked(unit()), inspected(unit(), hours=5))
    assert (run.records(Refund), run.waits()) == ([], {"u1": "restocked"})
    run.feed(deadline(9))
    assert run.open == ["stuck_restock"]
    from_till = replace(refunded("S1", 0, covers(restocked=True), hours=8), kind="restock", tenders=())
    run.feed(from_till)
    assert len(run.commands(Refund)) == 1
    assert run.open == []


# How a line finds its model.


STORES = {"name": "stores", "system": "lightspeed-x", "channel": "lightspeed-x"}
KIOSK = {"name": "kiosk", "system": "sitoo", "channel": "shopify/pos", "store": "S9"}
COUNTER = {"name": "counter", "system": "lightspeed-x", "money": "shopify", "location": "counter"}


@pytest.mark.req("OPS-7")
@pytest.mark.parametrize(
    ("sold", "back_at", "governs"),
    [
        (("shopify", "web", ""), "", "default"),
        (("shopify", "pos", ""), "", "pos"),
        (("shopify", "pos", "S1"), "", "pos"),
        (("shopify", "pos", "S9"), "", "kiosk"),
        (("shopify", "web", "S9"), "", "default"),
        (("lightspeed-x", "", "S9"), "", "stores"),
        (("shopify", "pos", "S9"), "counter", "counter"),
        (("sitoo", "", ""), "", "default"),
    ],
)
def test_the_most_specific_model_governs(sold: tuple[str, str, str], back_at: str, governs: str) -> None:
    pos = {"name": "pos", "system": "sitoo", "channel": "shopify/pos"}
    for models in ([STORES, KIOSK, COUNTER, pos], [pos, COUNTER, KIOSK, STORES]):
        assert merchant(models=models).governing(*sold, back_at).name == governs


@pytest.mark.req("INV-11", "INV-12")
def test_a_web_order_back_over_the_counter_is_stock_of_the_store_and_money_of_the_shop() -> None:
    counter = {"source": "returngo", "code": "counter", "location_id": "outlet-3", "system": "lightspeed-x"}
    run = Run(merchant(models=[COUNTER | {"refunding": {"after": "inspected"}}], locations=(DOCK, counter)))
    run.feed(order(), *asked(unit()), event("received", unit(), hours=4), inspected(unit(), location="counter"))
    (intent,) = run.intents
    assert (intent.system, intent.location_id) == ("lightspeed-x", "outlet-3")
    assert [r.system for r in run.commands(Refund)] == ["shopify"]


@pytest.mark.req("INV-8", "INV-12")
def test_variants_of_the_shop_that_sold_say_nothing_of_the_variants_of_the_system_that_takes_back() -> None:
    """Each system numbers its variants itself: only the SKU is the same in both."""
    counter = {"source": "returngo", "code": "counter", "location_id": "outlet-3", "system": "lightspeed-x"}
    run = Run(merchant(models=[COUNTER], locations=(DOCK, counter)))
    back = unit(variant_id="V-TEE")
    run.feed(order(), *asked(back), event("received", back, hours=4), inspected(back, location="counter"))
    (intent,) = run.intents
    assert (intent.system, intent.variant_id, intent.item_id) == ("lightspeed-x", None, None)
    row, _ = decide_stock(None, replace(item(item_id="LX-1", variant_id="LX-V"), system="lightspeed-x"), run.rules)
    _, made = decide_stock(row, intent, run.rules)
    assert [(c.item_id, c.location_id) for c in of(Restock, made)] == [("LX-1", "outlet-3")]


@pytest.mark.req("INV-4")
def test_a_place_of_another_system_than_the_governing_one_is_no_place() -> None:
    run = Run(merchant("lightspeed-x", locations=(DOCK | {"system": "shopify"},)))
    run.feed(sale("lightspeed-x"), *asked(unit()), event("received", unit(), hours=4), inspected(unit()))
    assert (run.intents, run.open) == ([], ["unmapped_location"])


@pytest.mark.req("OPS-2")
def test_the_same_facts_in_any_order_find_the_same_model() -> None:
    rules = merchant(models=[STORES])
    facts: list[Fact] = [sale("lightspeed-x"), *asked(unit()), event("received", unit(), hours=4), inspected(unit())]
    ids = set()
    for turn in range(len(facts)):
        run = Run(rules)
        run.feed(*facts[turn:], *facts[:turn])
        ids.add(tuple((i.intent_id, i.system) for i in run.intents))
    assert len(ids) == 1
    assert next(iter(ids))[0][1] == "lightspeed-x"


@pytest.mark.req("INV-7", "INV-8")
def test_an_item_master_of_another_system_answers_for_nothing() -> None:
    run = Run(merchant("lightspeed-x"))
    run.feed(sale("lightspeed-x"), *asked(unit()), event("received", unit(), hours=4), inspected(unit()))
    row, made = decide_stock(None, item(), run.rules)
    row, made = decide_stock(row, run.intents[0], run.rules)
    assert of(Restock, made) == []
    row, made = decide_stock(row, replace(item(item_id="LX-1"), system="lightspeed-x"), run.rules)
    assert [(c.item_id, c.system) for c in of(Restock, made)] == [("LX-1", "lightspeed-x")]


@pytest.mark.req("INV-8")
def test_a_matrix_without_the_variant_is_raised_as_such() -> None:
    run = Run(merchant("lightspeed-x", locations=(DOCK, PEN)))
    run.feed(sale("lightspeed-x"), *asked(unit()), event("received", unit(), hours=4), inspected(unit()))
    row, _ = decide_stock(None, run.intents[0], run.rules)
    missing = replace(item(exists=False, parent_id="MATRIX"), system="lightspeed-x")
    _, made = decide_stock(row, missing, run.rules)
    (verdict_of,) = of(RestockVerdict, made)
    assert verdict_of.reason == "variant_missing_in_matrix"
    assert verdict_of.detail == "lightspeed-x has the matrix MATRIX but no variant TEE in it"
    run.feed(verdict_of)
    assert "variant_missing_in_matrix" in run.open
