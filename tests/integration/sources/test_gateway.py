"""The gateway through real HTTP and a real Kafka."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ops.local.kafka import LocalKafka
from ops.local.ports import free_port
from schemas import ids
from schemas.startup import CannotStart
from streams.sources.broker import require_topics
from tests.integration.sources.processes import (
    MERCHANT,
    SECRETS,
    TOKEN,
    Gateway,
    environment,
    json,
    until,
    write_merchant,
)
from tests.processes import Done, done


@pytest.mark.req("OPS-10")
def test_both_secrets_count_while_they_rotate_and_no_other(gateway: Gateway, marker: str) -> None:
    body = json({"id": 5001, "transactionId": marker})
    statuses = [
        gateway.shopify(body, secret=each).status_code for each in (SECRETS["G_NEW"], SECRETS["G_OLD"], "guess")
    ]
    assert statuses == [202, 202, 401]
    assert len(gateway.kept("shopify", marker)) == 2


@pytest.mark.req("OPS-10")
def test_every_refusal_is_the_same_and_stores_nothing(gateway: Gateway, marker: str) -> None:
    body = json({"rmaId": "1", "eventName": "RMA_CREATED", "transactionId": marker})
    refused = [
        gateway.http.post(f"/returngo/{MERCHANT}/wrong", content=body),
        gateway.http.post(f"/returngo/nobody/{TOKEN}", content=body),
        gateway.shopify(body, merchant="nobody"),
        gateway.http.post(f"/shopify/{MERCHANT}", content=body),
        gateway.http.post(f"/shopify/{MERCHANT}", content=body, headers={b"X-Shopify-Hmac-Sha256": "ä".encode()}),
        gateway.http.post(f"/warehouse/{MERCHANT}", content=body),
        gateway.signed("/warehouse/nobody", body, SECRETS["G_WAREHOUSE"], marker),
        gateway.signed(f"/warehouse/{MERCHANT}", body, SECRETS["G_CARRIER"], marker),
    ]
    assert {(each.status_code, each.content, each.headers.get("content-type")) for each in refused} == {
        (401, b"", None)
    }
    assert [kept for system in ("returngo", "shopify", "warehouse") for kept in gateway.kept(system, marker)] == []


@pytest.mark.req("OPS-10")
def test_a_signature_over_other_bytes_is_refused(gateway: Gateway, marker: str) -> None:
    signed = gateway.shopify(json({"id": 1, "transactionId": marker}))
    good = signed.request.headers["X-Shopify-Hmac-Sha256"]
    changed = gateway.http.post(
        f"/shopify/{MERCHANT}",
        content=json({"id": 2, "transactionId": marker}),
        headers={"X-Shopify-Hmac-Sha256": good},
    )
    assert (signed.status_code, changed.status_code, len(gateway.kept("shopify", marker))) == (202, 401, 1)


@pytest.mark.req("OPS-10", "OPS-1")
def test_a_delivery_is_kept_without_secrets_and_without_what_nobody_reads(gateway: Gateway, marker: str) -> None:
    body = json({"id": 5001, "transactionId": marker})
    extra = {"X-Shopify-Webhook-Id": f"w-{marker}", "X-Shopify-Shop-Domain": "demo.myshopify.com"}
    extra |= {"Authorization": "Bearer secret", "Cookie": "secret"}
    whole = json({"id": 5001, "transactionId": marker, "email": "ann@example.com", "note": "for Ann"})
    assert gateway.shopify(whole, **extra).status_code == 202
    (kept,) = gateway.kept("shopify", marker)
    assert (kept.body, kept.merchant, kept.event, kept.resource_id) == (body, MERCHANT, "orders/updated", "5001")
    assert kept.delivery_id == f"w-{marker}"
    assert set(kept.headers) == {"x-shopify-topic", "x-shopify-webhook-id", "x-shopify-shop-domain", "user-agent"}
    assert abs(kept.received_at_ms - time.time() * 1000) < 60_000


@pytest.mark.req("OPS-10")
def test_returngo_comes_through_its_unguessable_address(gateway: Gateway, marker: str) -> None:
    body = json({"eventName": "RMA_STATUS_UPDATED", "rma": {"rmaId": 20000017}, "transactionId": marker})
    assert gateway.http.post(f"/returngo/{MERCHANT}/{TOKEN}", content=body).status_code == 202
    (kept,) = gateway.kept("returngo", marker)
    assert (kept.event, kept.resource_id) == ("RMA_STATUS_UPDATED", "20000017")


@pytest.mark.req("INV-18", "OPS-10")
def test_the_neutral_doors_take_signed_webhooks_that_are_not_old(gateway: Gateway, marker: str) -> None:
    body = json({"type": "inspection", "rma": "20000017", "order": marker, "lines": []})
    path, old = f"/warehouse/{MERCHANT}", datetime.now(UTC) - timedelta(minutes=6)
    answers = [
        gateway.signed(path, body, SECRETS["G_WAREHOUSE"], f"a-{marker}"),
        gateway.signed(path, body, SECRETS["G_WAREHOUSE_OLD"], f"b-{marker}"),
        gateway.signed(path, body, SECRETS["G_WAREHOUSE"], f"c-{marker}", at=old),
        gateway.signed(f"/carrier/{MERCHANT}", body, SECRETS["G_CARRIER"], f"d-{marker}"),
    ]
    assert [each.status_code for each in answers] == [202, 202, 401, 202]
    assert {each.delivery_id for each in gateway.kept("warehouse", marker)} == {f"a-{marker}", f"b-{marker}"}


@pytest.mark.parametrize(
    "broken", [b"not json %s", b'["%s"]', b'{"id": {"a": "%s"}}', b'{"note": "%s"}', b'"%s"', b"%s" + b"[" * 5000]
)
def test_a_body_nobody_can_use_is_taken_and_what_it_says_is_not_kept(
    gateway: Gateway, marker: str, broken: bytes
) -> None:  # fmt: skip
    body = broken.replace(b"%s", marker.encode())
    assert gateway.shopify(body).status_code == 202
    assert gateway.http.post(f"/returngo/{MERCHANT}/{TOKEN}", content=body).status_code == 202
    for system in ("shopify", "returngo"):
        (taken,) = [each for each in gateway.kept(system, "") if each.delivery_id == ids.digest(body)]
        assert marker.encode() not in taken.body


def test_bytes_that_are_no_text_are_no_standard_webhook(gateway: Gateway) -> None:
    headers = {"webhook-id": "x", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
    assert gateway.http.post(f"/warehouse/{MERCHANT}", content=b"\xff\xfe", headers=headers).status_code == 401


def test_what_is_too_large_is_refused_before_it_is_read(gateway: Gateway, marker: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(50):
            yield marker.encode() * 5000

    stated = gateway.shopify(marker.encode() * 150_000)
    streamed = gateway.http.post(f"/shopify/{MERCHANT}", content=endless())
    assert (stated.status_code, streamed.status_code) == (413, 413)
    assert gateway.kept("shopify", marker) == []


def test_almost_too_large_is_kept(gateway: Gateway, marker: str) -> None:
    body = json({"id": 7, "transactionId": marker, "rest": "x" * 1_990_000})
    assert gateway.shopify(body).status_code == 202
    (kept,) = gateway.kept("shopify", marker)
    assert kept.body == json({"id": 7, "transactionId": marker})


def test_without_kafka_the_sender_is_asked_to_come_back_and_nothing_is_lost(
    gateway: Gateway, broker: LocalKafka, marker: str
) -> None:
    bodies = [json({"id": i + 1, "transactionId": f"{marker}-{i:03}"}) for i in range(20)]
    broker.pause()
    try:
        with ThreadPoolExecutor(20) as senders:
            answers = list(senders.map(gateway.shopify, bodies))
    finally:
        broker.resume()
    assert {(each.status_code, each.headers.get("Retry-After")) for each in answers} == {(503, "5")}
    until(lambda: gateway.shopify(bodies[0]).status_code == 202)
    assert {gateway.shopify(body).status_code for body in bodies} == {202}
    assert {each.body for each in gateway.kept("shopify", marker)} == set(bodies)


def test_metrics_count_what_came_of_each(gateway: Gateway, marker: str) -> None:
    body = json({"id": 1, "transactionId": marker})
    before = _counted(gateway)
    gateway.shopify(body, secret="guess")
    gateway.shopify(body)
    gateway.shopify(json({"transactionId": marker}))
    gateway.shopify(b"x" * 2_000_001)
    after = _counted(gateway)
    counted = {name: after[name] - before.get(name, 0.0) for name in after}
    assert {name: more for name, more in counted.items() if more} == {
        "refused": 1.0, "kept": 1.0, "malformed": 1.0, "too_large": 1.0,
    }  # fmt: skip
    assert TOKEN not in gateway.http.get(f"{gateway.endpoints}/metrics").text


def _counted(gateway: Gateway) -> dict[str, float]:
    """Shopify's deliveries by what became of them."""
    families = text_string_to_metric_families(gateway.http.get(f"{gateway.endpoints}/metrics").text)
    samples = [each for family in families for each in family.samples]
    return {
        each.labels["result"]: each.value
        for each in samples
        if each.name == "returnflow_gateway_deliveries_total" and each.labels["system"] == "shopify"
    }


@pytest.mark.parametrize("fault", ["broker", "merchants", "port"])
def test_it_says_plainly_why_it_cannot_start(fault: str, broker: LocalKafka, gateway: Gateway, tmp_path: Path) -> None:
    write_merchant(tmp_path, "shop-x", base_url="http://127.0.0.1:9")
    port, bootstrap = free_port(), broker.bootstrap
    if fault == "broker":
        bootstrap = f"127.0.0.1:{free_port()}"
    elif fault == "merchants":
        (tmp_path / "shop-x.toml").write_text('merchant = "shop-x"')
    elif fault == "port":
        port = int(gateway.url.rsplit(":", 1)[-1])
    ended = _run(port, environment(bootstrap, tmp_path))
    assert ended.returncode == 2
    assert ("must be given" if fault == "merchants" else "expected") in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_names_topics_that_are_missing(broker: LocalKafka) -> None:
    with pytest.raises(CannotStart, match=r"no-such-topic.*topics apply"):
        require_topics(broker.bootstrap, ["shopify-deliveries", "no-such-topic"])


def _run(port: int, env: dict[str, str]) -> Done:
    return done("ops.cli", ["gateway", "--port", str(port)], env)
