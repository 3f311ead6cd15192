"""Every rule by which an RMA becomes facts."""

from decimal import Decimal
from typing import Any

import pytest

from schemas.facts import ReturnEvent
from schemas.money import Money
from streams.sources.fields import Malformed
from streams.sources.returngo import Before, events, now
from tests.unit.sources.payloads import (
    money,
    native_return,
    not_validated,
    rma,
    rma_item,
    shipment,
    transaction,
    validated,
    with_status,
)

READ_AT = 1_777_900_000_000  # 2026-05-04T13:06:40Z


def read(body: dict[str, Any], before: Before | None = None) -> list[ReturnEvent]:
    return events(body, merchant="shop-a", read_at_ms=READ_AT, before=before, known={"too small"})


def of_kind(found: list[ReturnEvent], kind: str) -> list[ReturnEvent]:
    return [each for each in found if each.kind == kind]


def inspected(**validation: Any) -> dict[str, Any]:
    return rma(items=[rma_item("31", itemValidationStatusResponse=validated("31", **validation)), rma_item("32")])


def test_a_new_rma_gives_its_request_and_its_approval() -> None:
    requested, approved = read(rma())
    assert (requested.kind, approved.kind) == ("requested", "approved")
    assert (requested.order_id, requested.rma_id, requested.order_name) == ("5001", "20000017", "1001")
    assert approved.occurred_at_ms - requested.occurred_at_ms == 3_600_000
    assert [unit.unit_id for unit in requested.units] == ["31", "32"]


@pytest.mark.req("ELG-2", "MON-1")
@pytest.mark.parametrize("status", ["Pending", "Approved", "Received", "Validated", "Done", "Rejected", "Canceled"])
@pytest.mark.parametrize("before", [None, Before(status="Done", units="other")])
def test_every_read_begins_with_the_request_and_all_of_its_units(status: str, before: Before | None) -> None:
    """Money waits for that list, so no RMA may be told without it."""
    body = with_status(inspected(), status)
    found = read(body, before)
    assert found[0].kind == "requested"
    for each in of_kind(found, "requested") + of_kind(found, "approved"):
        assert [unit.unit_id for unit in each.units] == ["31", "32"]


@pytest.mark.req("STA-5")
def test_the_approval_names_the_parcel_to_expect_once_it_has_a_label() -> None:
    bare = of_kind(read(rma(shipments=[])), "approved")[0]
    labelled = of_kind(read(rma()), "approved")[0]
    assert (bare.tracking_number, labelled.tracking_number, labelled.carrier) == (None, "TRACK-901", "Post")
    assert bare.fact_id != labelled.fact_id


def test_one_item_is_one_unit_with_what_is_known_of_it() -> None:
    item = rma_item("31", restockingFee=Decimal("1.50"), returnFee=1, exchangeItems=[{"variantId": 702, "sku": "CUP"}])
    unit = read(rma(items=[item]))[0].units[0]
    assert (unit.line_id, unit.sku, unit.variant_id, unit.quantity) == ("801", "MUG", "701", 1)
    assert (unit.resolution, unit.reason, unit.ships) == ("refund", "Too small", True)
    assert (unit.paid, unit.paid_tax, unit.tax_included) == (
        Money(minor=1000, currency="EUR"),
        Money(minor=200, currency="EUR"),
        True,
    )
    assert unit.fees == Money(minor=250, currency="EUR")
    assert (unit.exchange_variant_id, unit.exchange_sku) == ("702", "CUP")


@pytest.mark.parametrize("spelling", ["20000017", 20000017, "RMA20000017"])
def test_ids_come_as_numbers_and_as_text(spelling: object) -> None:
    body = rma()
    body["rmaSummary"]["rmaId"] = spelling
    assert {event.rma_id for event in read(body)} == {"20000017"}


@pytest.mark.parametrize(("wire", "meant"), [(0, False), (1, True), (True, True), ("0", False), (None, None)])
def test_booleans_come_as_numbers_too(wire: object, meant: bool | None) -> None:
    assert read(rma(isOutOfPolicy=wire))[0].out_of_policy is meant


@pytest.mark.parametrize(
    ("spelling", "meant"),
    [("RefundToPaymentMethod", "refund"), ("VariantExchange", "exchange"), ("Gift Card", "gift_card"),
     ("Voodoo", "unknown"), (None, "unknown")],
)  # fmt: skip
def test_an_unknown_resolution_is_kept_as_unknown(spelling: str | None, meant: str) -> None:
    assert read(rma(items=[rma_item("31", resolutionType=spelling)]))[0].units[0].resolution == meant


def test_a_kept_item_does_not_ship() -> None:
    kept = rma_item("31", returnMethod={"type": "No shipment required", "name": "Keep it"}, shipmentId=None)
    assert read(rma(items=[kept]))[0].units[0].ships is False


@pytest.mark.req("INV-1")
def test_not_yet_inspected_is_not_not_returned() -> None:
    body = rma(
        items=[rma_item("31", itemValidationStatusResponse=not_validated("31"))], shipments=[shipment("Validated")]
    )
    assert of_kind(read(with_status(body, "Validated")), "inspected") == []


@pytest.mark.req("INV-1")
@pytest.mark.parametrize(
    ("returned", "restockable", "meant"),
    [(True, True, "sellable"), (1, 0, "damaged"), (False, False, "not_returned"), (False, True, "not_returned")],
)
def test_an_inspection_is_one_event_per_unit(returned: bool, restockable: bool, meant: str) -> None:
    (event,) = of_kind(read(inspected(returned=returned, restockable=restockable)), "inspected")
    (unit,) = event.units
    assert (unit.unit_id, unit.disposition, unit.location) == ("31", meant, "71")
    assert event.occurred_at_ms == unit.inspected_at_ms == 1_777_888_800_000


def test_half_an_inspection_says_nothing() -> None:
    half = {**validated("31"), "isRestockable": None}
    assert of_kind(read(rma(items=[rma_item("31", itemValidationStatusResponse=half)])), "inspected") == []


def test_an_edited_inspection_is_another_fact() -> None:
    first = of_kind(read(inspected()), "inspected")[0]
    again = of_kind(read(inspected(restockable=False, at="2026-05-04T12:00:00+00:00")), "inspected")[0]
    assert first.fact_id != again.fact_id


def test_each_parcel_carries_its_own_units() -> None:
    items = [rma_item("31", shipmentId="901"), rma_item("32", shipmentId="902")]
    found = read(rma(items=items, shipments=[shipment("Shipped", "901"), shipment("Received", "902")]))
    (transit,), (received,) = of_kind(found, "in_transit"), of_kind(found, "received")
    assert ([u.unit_id for u in transit.units], [u.unit_id for u in received.units]) == (["31"], ["32"])
    assert (transit.tracking_number, transit.carrier) == ("TRACK-901", "Post")


def test_parcels_to_the_customer_are_not_returns() -> None:
    assert [e.kind for e in read(rma(shipments=[shipment("Received", isOutbound=True)]))] == ["requested", "approved"]


def test_an_arrival_is_before_the_inspection_even_if_read_later() -> None:
    item = rma_item("31", itemValidationStatusResponse=validated("31"))
    found = read(rma(items=[item], shipments=[shipment("Validated")]))
    assert of_kind(found, "received")[0].occurred_at_ms == of_kind(found, "inspected")[0].occurred_at_ms


def test_received_by_hand_without_any_parcel() -> None:
    found = read(with_status(rma(shipments=[], items=[rma_item("31", shipmentId=None)]), "Received"))
    assert [u.unit_id for u in of_kind(found, "received")[0].units] == ["31"]


def test_a_transaction_stands_with_its_units_and_exact_amounts() -> None:
    step = transaction(
        amount={"amount": Decimal("10.05"), "currency": "EUR", "shopAmount": Decimal("11.00"), "shopCurrency": "USD"}
    )
    (event,) = of_kind(read(rma(transactions=[step])), "transaction")
    assert event.transaction is not None
    assert (event.transaction.transaction_id, event.transaction.kind, event.transaction.status) == (
        "4001",
        "refund",
        "requested",
    )
    assert event.transaction.amount == Money(minor=1005, currency="EUR")
    assert event.transaction.shop_amount == Money(minor=1100, currency="USD")
    assert [u.unit_id for u in event.units] == ["31"]


def test_a_transaction_that_changed_state_is_news() -> None:
    done = transaction(status="Success", externalReferenceId=301, externalReferenceType="PlatformRefundId")
    before, after = (of_kind(read(rma(transactions=[t])), "transaction")[0] for t in (transaction(), done))
    assert before.fact_id != after.fact_id
    assert after.transaction is not None
    assert (after.transaction.external_id, after.transaction.status) == ("301", "success")


def test_exchange_orders_come_as_draft_then_as_order_and_fees_are_none() -> None:
    item = rma_item("31", resolutionType="VariantExchange")
    orders: list[dict[str, Any]] = [
        {"draftOrderId": 71, "orderId": None, "type": "Exchange"},
        {"draftOrderId": 72, "type": "Fee"},
    ]
    (draft,) = of_kind(read(rma(items=[item], exchangeOrders=orders)), "exchange")
    assert (draft.exchange_draft_order_id, draft.exchange_order_id) == ("71", None)
    (released,) = of_kind(read(rma(items=[item], exchangeOrders=[{**orders[0], "orderId": "5002"}])), "exchange")
    assert (released.exchange_order_id, released.fact_id != draft.fact_id) == ("5002", True)


@pytest.mark.parametrize(
    ("status", "kind"), [("Done", "resolved"), ("Canceled", "cancelled"), ("Rejected", "rejected")]
)
def test_an_ended_rma_says_so(status: str, kind: str) -> None:
    assert len(of_kind(read(with_status(rma(), status)), kind)) == 1


def test_a_status_that_left_its_end_is_a_reopening() -> None:
    body = with_status(rma(), "Approved")
    assert of_kind(read(body, now(rma(), {"too small"})), "reopened") == []
    assert len(of_kind(read(body, now(with_status(rma(), "Canceled"))), "reopened")) == 1


def test_a_reopening_in_the_history_counts_without_memory() -> None:
    body = rma()
    body["rmaSummary"]["events"].append({"eventName": "RMA_REOPENED", "eventDate": "2026-05-06T08:00:00+00:00"})
    assert len(of_kind(read(body), "reopened")) == 1


def test_the_native_return_is_named_by_the_system_only() -> None:
    name = native_return()["name"]
    text = f"Created & approved Shopify return {name} for order #1001"
    assert read(rma(comments=[{"commentType": "system", "htmlText": text}]))[0].shop_return_name == name
    assert read(rma(comments=[{"commentType": "merchant", "htmlText": text}]))[0].shop_return_name is None


def test_an_edit_is_a_fact_of_its_own_time() -> None:
    edited = rma(items=[rma_item("31", resolutionType="GiftCard")], lastUpdated="2026-05-02T08:00:00+00:00")
    first, edit = of_kind(read(edited, now(rma(), {"too small"})), "requested")
    assert edit.occurred_at_ms > first.occurred_at_ms
    assert edit.units[0].resolution == "gift_card"


def test_an_edit_is_newer_than_all_that_was_read_before_even_within_one_second() -> None:
    """ReturnGO's times have no milliseconds, ours have."""
    second = max(each.occurred_at_ms for each in read(rma()))
    parcel = rma(shipments=[shipment("Shipped")])
    first = events(parcel, merchant="shop-a", read_at_ms=second + 900)
    edited = rma(shipments=[shipment("Shipped")], items=[rma_item("31", resolutionType="GiftCard")])
    later = events(edited, merchant="shop-a", read_at_ms=second + 950, before=now(parcel))
    sent = {each.fact_id: each for each in [*later, *first]}  # a fact is sent once, as it was read first
    newest = max(sent.values(), key=lambda each: each.occurred_at_ms)
    assert [each.resolution for each in newest.units] == ["gift_card"]


def test_a_change_that_is_no_edit_is_no_request() -> None:
    touched = rma(lastUpdated="2026-05-02T08:00:00+00:00")
    assert len(of_kind(read(touched, now(rma(), {"too small"})), "requested")) == 1
    assert len(of_kind(read(touched), "requested")) == 2  # nothing is known of the last read: it may have been edited


def test_a_parcel_that_moved_while_nothing_else_changed_adds_one_fact() -> None:
    before = {each.fact_id for each in read(rma())}
    after = {each.fact_id for each in read(rma(shipments=[shipment("Shipped")]))}
    assert (before <= after, len(after - before)) == (True, 1)


@pytest.mark.req("MON-3", "MON-12")
@pytest.mark.parametrize(
    ("amount", "minor", "rest"), [("6.666666666666667", 667, -333_333), ("3.33", 333, 0), ("33.335", 3334, -500_000)]
)
def test_what_rounding_takes_off_a_price_that_was_divided_is_kept(amount: str, minor: int, rest: int) -> None:
    unit = read(rma(items=[rma_item("31", paidPrice=money(Decimal(amount)))]))[0].units[0]
    assert unit.paid is not None
    assert (unit.paid.minor, unit.paid_rest, unit.paid_tax_rest) == (minor, rest, 0)


def test_amounts_with_more_decimals_than_the_currency_are_rounded_where_they_are_derived() -> None:
    assert read(rma(items=[rma_item("31", paidPrice=money("33.335"))]))[0].units[0].paid == Money(
        minor=3334, currency="EUR"
    )
    assert read(rma(items=[rma_item("31", paidPrice=money("1500", "JPY"))]))[0].units[0].paid == Money(
        minor=1500, currency="JPY"
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"items": [rma_item("31", paidPrice=money(Decimal("1e30")))]},
        {"items": [rma_item("31", paidPrice=money(-1))]},
        {"items": [rma_item("31", paidPrice=money(Decimal("1e999999")))]},
        {"items": [rma_item("31", paidPrice=money(Decimal("NaN")))]},
        {"items": [rma_item("31", paidPrice=money(1.5))]},
        {"items": [rma_item("31", paidPrice=money(1, "euro"))]},
        {"items": [rma_item("31", restockingFee=-5)]},
        {"items": [{**rma_item("31"), "returnedItemId": None}]},
        {"items": [rma_item("31", itemValidationStatusResponse={**validated("31"), "isReturned": "perhaps"})]},
        {"items": "none"},
        {"items": [7]},
        {"transactions": [transaction(amount=money(Decimal("10.005")))]},
        {"orderDetails": {}},
        {"createdAt": "yesterday"},
        {"rmaSummary": {"rmaId": "20000017", "events": []}},
        {"rmaSummary": None},
    ],
)  # fmt: skip
def test_an_absurd_value_refuses_the_whole_rma(broken: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="expected"):
        read(rma(**broken))


@pytest.mark.parametrize(("status", "order"), [("Validated", ["transaction", "inspected"]),
                                               ("Canceled", ["transaction", "cancelled", "inspected"]),
                                               ("Done", ["transaction", "inspected", "resolved"])])  # fmt: skip
def test_what_speaks_against_a_payment_is_told_before_the_inspection_that_may_order_it(
    status: str, order: list[str]
) -> None:
    """One read brings them together: an inspection alone moved money that ReturnGO had paid already."""
    paid = transaction(status="Success", externalReferenceId="R1")
    body = rma(items=[rma_item("31", itemValidationStatusResponse=validated("31"))], transactions=[paid])
    told = events(with_status(body, status), merchant="shop-a", read_at_ms=1_778_000_000_000)
    assert [each.kind for each in told if each.kind in order] == order
