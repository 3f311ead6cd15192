"""The sources on a real Kafka, against the sandbox: whatever happens to webhooks, each fact is there, and once."""

import time
from collections import Counter

import httpx
import pytest
from confluent_kafka import Producer

from schemas import ids
from schemas.exceptions import ExceptionRaised
from streams.sources.publishing import exception_id
from tests.integration.sources.pipeline import DOMAIN, POOR_DOMAIN, SHOP, WITHIN_SECONDS, Pipeline
from tests.integration.sources.processes import SECRETS, TOKEN, Gateway, json, raw_records, until


def through_its_life(pipeline: Pipeline, order: str) -> str:
    """An RMA from request to its end, without waiting for anybody; its id."""
    sandbox = pipeline.sandbox
    made = sandbox.rma(DOMAIN, order)
    rma_id: str = made["rma_id"]
    sandbox.step(DOMAIN, rma_id, "approve")
    sandbox.step(DOMAIN, rma_id, "receive")
    unit = {"unit": made["units"][0], "returned": True, "restockable": True, "location_id": 11}
    sandbox.step(DOMAIN, rma_id, "validate", units=[unit])
    sandbox.step(DOMAIN, rma_id, "transaction", amount="199.00")
    return rma_id


@pytest.mark.req("OPS-1", "ELG-2")
def test_a_return_and_all_it_names_become_facts(pipeline: Pipeline) -> None:
    order_id = pipeline.sandbox.order(DOMAIN, "#E1", "MUG", "PLATE")
    rma_id = through_its_life(pipeline, "#E1")
    pipeline.reaches(rma_id, "requested", "approved", "received", "inspected", "transaction")
    (inspected,) = [each for each in pipeline.events(rma_id) if each.kind == "inspected"]
    assert (inspected.order_id, inspected.merchant, inspected.units[0].disposition) == (order_id, SHOP, "sellable")
    snapshot = pipeline.snapshot(order_id)
    assert [line.sku for line in snapshot.lines] == ["MUG", "PLATE"]
    assert inspected.units[0].line_id == snapshot.lines[0].line_id
    item = pipeline.item("MUG")
    assert (item.exists, item.tracked, item.item_id == snapshot.lines[0].item_id) == (True, True, True)


@pytest.mark.req("STA-1")
def test_the_first_scan_of_the_parcel_is_a_fact(pipeline: Pipeline) -> None:
    pipeline.sandbox.order(DOMAIN, "#E2", "MUG")
    rma_id = pipeline.sandbox.rma(DOMAIN, "#E2")["rma_id"]
    pipeline.sandbox.step(DOMAIN, rma_id, "approve")
    pipeline.sandbox.step(DOMAIN, rma_id, "ship", tracking_number="TRACK-E2")
    pipeline.reaches(rma_id, "in_transit")
    assert {each.tracking_number for each in pipeline.events(rma_id) if each.kind == "in_transit"} == {"TRACK-E2"}


def test_what_webhooks_lose_the_polls_find(pipeline: Pipeline) -> None:
    fault = pipeline.sandbox.post("/faults", {"match": {"system": "webhook"}, "fault": "drop_webhook", "times": None})
    try:
        order_id = pipeline.sandbox.order(DOMAIN, "#E3", "MUG")
        rma_id = through_its_life(pipeline, "#E3")
        pipeline.reaches(rma_id, "requested", "approved", "received", "inspected", "transaction")
        assert pipeline.snapshot(order_id).name == "#E3"
    finally:
        httpx.delete(f"{pipeline.sandbox.url}/_sandbox/faults/{fault['id']}")


@pytest.mark.req("ELG-2", "INV-13")
def test_webhooks_that_come_twice_and_out_of_order_give_each_fact_once(pipeline: Pipeline) -> None:
    for fault in ("duplicate_webhook", "reorder_webhook"):
        match = {"system": "webhook", "shop": DOMAIN}
        pipeline.sandbox.post("/faults", {"match": match, "fault": fault, "times": None, "probability": 0.5})
    try:
        order_id = pipeline.sandbox.order(DOMAIN, "#E4", "MUG")
        rma_id = through_its_life(pipeline, "#E4")
        pipeline.reaches(rma_id, "requested", "approved", "received", "inspected", "transaction")
    finally:
        httpx.delete(f"{pipeline.sandbox.url}/_sandbox/faults")
    pipeline.sandbox.post("/webhooks/settle", {"seconds": 5})
    pipeline.snapshot(order_id)
    counted = Counter(each.fact_id for each in pipeline.events(rma_id))
    assert set(counted.values()) == {1}


def test_a_refund_by_staff_is_seen(pipeline: Pipeline) -> None:
    order_id = pipeline.sandbox.order(DOMAIN, "#E5", "MUG")
    pipeline.snapshot(order_id)
    line = {"sku": "MUG", "quantity": 1, "restock_type": "RETURN", "location_id": 11}
    pipeline.sandbox.post(f"/shopify/{DOMAIN}/staff/refund", {"order": "#E5", "lines": [line], "amount": "199.00"})
    until(lambda: pipeline.effects(order_id), WITHIN_SECONDS)
    seen = pipeline.effects(order_id)[-1]
    assert (seen.kind, seen.actor, seen.lines[0].restocked, seen.command_id) == ("refund", "other", True, None)
    assert (seen.tax_minor, [each.shop_amount_minor for each in seen.tenders]) == (0, [19900])


@pytest.mark.req("EXC-6")
def test_a_record_that_is_no_delivery_is_dead_lettered_and_the_source_goes_on(pipeline: Pipeline, marker: str) -> None:
    producer = Producer({"bootstrap.servers": pipeline.bootstrap})
    producer.produce("returngo-deliveries", key=b"x", value=marker.encode(), headers=[("kept", b"yes")])
    producer.flush(20)

    def found() -> list[tuple[bytes | None, dict[str, bytes]]]:
        listed = raw_records(pipeline.bootstrap, "returngo-dead-letters")
        return [(each.key, dict(each.headers)) for each in listed if each.value == marker.encode()]

    ((key, headers),) = until(found, WITHIN_SECONDS)
    assert (key, headers["kept"], headers["reason"], headers["source-topic"]) == (
        b"x", b"yes", b"undecodable", b"returngo-deliveries",
    )  # fmt: skip
    pipeline.sandbox.order(DOMAIN, "#E6", "MUG")
    rma_id = pipeline.sandbox.rma(DOMAIN, "#E6")["rma_id"]
    pipeline.sandbox.step(DOMAIN, rma_id, "approve")  # before that, nothing can follow and nothing is read
    pipeline.reaches(rma_id, "requested", "approved")


@pytest.mark.req("EXC-1")
@pytest.mark.parametrize("body", [b"{}", b"no json", b'{"eventName": "SURPRISE", "note": "Jane"}', b'{"eventName": 7}'])
def test_a_webhook_without_content_is_raised_to_people(pipeline: Pipeline, body: bytes) -> None:
    answer = httpx.post(f"{pipeline.gateway_url}/returngo/{SHOP}/{TOKEN}", content=body)
    assert answer.status_code == 202

    named = exception_id("returngo", "malformed_delivery", SHOP, ids.digest(body))

    def found() -> list[ExceptionRaised]:
        listed = pipeline.all_of("exceptions")
        return [each for each in listed if isinstance(each, ExceptionRaised) and each.exception_id == named]

    (raised,) = until(found, WITHIN_SECONDS)
    assert (raised.type, raised.merchant, "Jane" in raised.detail) == ("malformed_delivery", SHOP, False)


def test_an_order_the_shop_does_not_know_yet_is_found_when_it_comes(pipeline: Pipeline, marker: str) -> None:
    order_id = "7" + marker[-9:]  # no number begins with 0
    _inspect(pipeline, {"order": order_id, "lines": [{"sku": "MUG", "quantity": 1, "grade": "sellable"}]}, marker)
    until(
        lambda: [e for e in pipeline.all_of("return-events") if getattr(e, "order_id", "") == order_id], WITHIN_SECONDS
    )
    lines = [{"sku": "MUG", "quantity": 1}]
    made = {"name": "#E7", "id": int(order_id), "customer_id": 1001, "lines": lines}
    pipeline.sandbox.post(f"/shops/{DOMAIN}/orders", {"orders": [made]})
    assert pipeline.snapshot(order_id).name == "#E7"


@pytest.mark.req("INV-18", "ELG-2")
def test_an_inspection_by_the_warehouse_waits_until_its_return_is_known(pipeline: Pipeline, marker: str) -> None:
    fault = {"match": {"system": "returngo", "operation": "GET /rma", "shop": DOMAIN}, "fault": "503", "times": None}
    broken = pipeline.sandbox.post("/faults", fault)
    try:
        order_id = pipeline.sandbox.order(DOMAIN, "#E8", "MUG")
        rma_id = pipeline.sandbox.rma(DOMAIN, "#E8")["rma_id"]
        line = {"sku": "MUG", "quantity": 1, "grade": "damaged", "location": "GRADING"}
        _inspect(pipeline, {"rma": f"RMA{rma_id}", "lines": [line]}, marker)
        pipeline.snapshot(order_id)
        assert pipeline.events(rma_id) == []
    finally:
        httpx.delete(f"{pipeline.sandbox.url}/_sandbox/faults/{broken['id']}")
    pipeline.reaches(rma_id, "requested", "inspected")
    (seen,) = [each for each in pipeline.events(rma_id) if each.kind == "inspected"]
    assert (seen.system, seen.order_id, seen.units[0].disposition, seen.units[0].location) == (
        "warehouse", order_id, "damaged", "GRADING",
    )  # fmt: skip


def _inspect(pipeline: Pipeline, body: dict[str, object], name: str) -> None:
    sender = Gateway(pipeline.bootstrap, pipeline.gateway_url, "")
    signed = sender.signed(f"/warehouse/{SHOP}", json({"type": "inspection", **body}), SECRETS["G_WAREHOUSE"], name)
    sender.http.close()
    assert signed.status_code == 202


@pytest.mark.parametrize("killed", ["returngo", "shopify"])
def test_a_killed_source_loses_nothing(pipeline: Pipeline, killed: str) -> None:
    name = f"#K-{killed}"
    order_id = pipeline.sandbox.order(DOMAIN, name, "MUG")
    pipeline.kill(killed)
    rma_id = through_its_life(pipeline, name)
    pipeline.restart(killed)
    pipeline.reaches(rma_id, "requested", "approved", "received", "inspected", "transaction")
    assert pipeline.snapshot(order_id).order_id == order_id


def test_without_calls_to_spare_only_what_may_lead_to_a_command_is_read(pipeline: Pipeline) -> None:
    """Twenty calls are not reserved; subscribing and polls every second use them up."""
    sandbox = pipeline.sandbox
    deadline = time.monotonic() + WITHIN_SECONDS
    while (polls := _calls(pipeline, "GET /rmas")) == 0 or polls != _after_more_polls(pipeline):
        assert time.monotonic() < deadline
    sandbox.order(POOR_DOMAIN, "#P1", "MUG")
    made = sandbox.rma(POOR_DOMAIN, "#P1")
    sandbox.step(POOR_DOMAIN, made["rma_id"], "approve")
    pipeline.reaches(made["rma_id"], "approved")
    assert (_calls(pipeline, "GET /rmas"), _calls(pipeline, "GET /rma")) == (polls, 1)


def _calls(pipeline: Pipeline, operation: str) -> int:
    listed = pipeline.sandbox.get("/calls?system=returngo&limit=5000")["calls"]
    return sum(each["shop"] == POOR_DOMAIN and each["operation"] == operation for each in listed)


def _after_more_polls(pipeline: Pipeline) -> int:
    """The number of polls when there was time for two more."""
    time.sleep(2.5)
    return _calls(pipeline, "GET /rmas")
