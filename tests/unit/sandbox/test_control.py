"""The control door: faults, latency, time, reset, and plain words for what is wrong with a request."""

import asyncio
import time
from typing import Any

import pytest

from tests.unit.sandbox.box import SHOP, Box
from tests.unit.sandbox.test_gateway import NAME


async def refused(box: Box, path: str, body: dict[str, Any]) -> tuple[int, str]:
    """Status and text of a refusal."""
    answer = await box.client.post(f"/_sandbox{path}", json=body)
    return answer.status_code, str(answer.json()["error"])


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/shops", {}, 400, "domain"),
        ("/shops", {"domain": "x", "colour": "red"}, 400, "colour"),
        ("/shops", {"domain": SHOP}, 400, "exists already"),
        (f"/shops/{SHOP}/orders", {"orders": [{"name": "#5", "lines": [{"sku": "NOPE"}]}]}, 400, "NOPE"),
        (f"/shops/{SHOP}/orders", {"orders": [{"name": "#1001", "lines": []}]}, 400, "#1001"),
        (f"/shops/{SHOP}/orders", {"orders": [{"name": "#5", "customer_id": 1, "lines": []}]}, 400, "customer 1"),
        ("/shops/other/orders", {"orders": []}, 404, "other"),
        (f"/shops/{SHOP}/state", {"state": "sad"}, 404, "sad"),
        (f"/returngo/{SHOP}/rmas", {"order": "#9", "units": []}, 400, "#9"),
        (f"/returngo/{SHOP}/rmas", {"order": "#1001", "units": [{"sku": "MUG"}]}, 400, "TEE-M"),
        (f"/returngo/{SHOP}/rmas/1/approve", {}, 404, "RMA 1"),
        (f"/shopify/{SHOP}/staff/dance", {}, 404, "refund"),
        (f"/shopify/{SHOP}/staff/refund", {"order": "#1001", "amount": "9999.00"}, 400, "647.00"),
        (f"/shopify/{SHOP}/staff/refund", {"order": "#1001", "lines": [{"sku": "TEE-M", "quantity": 9}]}, 400, "TEE-M"),
        (f"/shopify/{SHOP}/staff/restock", {"sku": "NOPE", "location_id": 11, "delta": 1}, 400, "NOPE"),
        (f"/shopify/{SHOP}/staff/restock", {"sku": "MUG", "location_id": 99, "delta": 1}, 400, "99"),
        ("/faults", {"fault": "flood"}, 400, "timeout_after_apply"),
    ],
)
async def test_wrong_requests_are_told_what_is_wrong(
    box: Box, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    seen = await refused(box, path, body)
    assert seen[0] == status
    assert words in seen[1]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("401", 401),
        ("expired_token", 401),
        ("403", 403),
        ("429", 429),
        ("500", 500),
        ("502", 502),
        ("503", 503),
        ("504", 504),
    ],
)
async def test_a_fault_hits_as_often_as_planned_and_is_then_over(box: Box, fault: str, status: int) -> None:
    await box.control("/faults", match={"system": "shopify"}, fault=fault, times=2, skip=1)
    assert [(await box.post(NAME)).status_code for _ in range(4)] == [200, status, status, 200]


async def test_a_fault_may_hit_by_chance_repeatably(box: Box) -> None:
    async def hits() -> list[int]:
        await box.control("/reset")
        await box.open()
        await box.control("/faults", match={"operation": "shop"}, fault="500", times=None, probability=0.5)
        return [(await box.post(NAME)).status_code for _ in range(20)]

    first = await hits()
    assert set(first) == {200, 500}
    assert await hits() == first


async def test_a_fault_for_another_call_shop_or_system_does_not_hit(box: Box) -> None:
    for match in ({"operation": "refundCreate"}, {"shop": "other"}, {"system": "returngo"}, {"operation": "GET /rmas"}):
        await box.control("/faults", match=match, fault="500")
    assert (await box.post(NAME)).status_code == 200
    assert (await box.returngo("GET", "/webhooks")).status_code == 500
    assert len((await box.look("/faults"))["faults"]) == 3
    first = (await box.look("/faults"))["faults"][0]
    assert (await box.client.delete(f"/_sandbox/faults/{first['id']}")).json() == {"removed": 1}
    assert (await box.client.delete("/_sandbox/faults")).json() == {"removed": 2}


async def test_a_limited_answer_can_say_when_to_come_back(box: Box) -> None:
    await box.control("/faults", match={"system": "returngo"}, fault="429", seconds=7)
    answer = await box.returngo("GET", "/webhooks")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    await box.control("/faults", match={"system": "returngo"}, fault="quota_exhausted")
    assert (await box.returngo("GET", "/webhooks")).json() == {"message": "Limit Exceeded"}


async def test_an_answer_can_be_broken_json_and_a_field_denied(box: Box) -> None:
    await box.control("/faults", match={"system": "shopify"}, fault="malformed")
    answer = await box.post(NAME)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()
    await box.control("/faults", match={"system": "shopify"}, fault="access_denied")
    seen = await box.graphql('mutation { returnClose(id: "gid://shopify/Return/1") { return { id } } }')
    assert seen["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


async def test_latency_is_waited_side_by_side(box: Box) -> None:
    await box.control("/latency", seconds=0.2)
    started = time.monotonic()
    answers = await asyncio.gather(*(box.post(NAME) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert 0.2 <= time.monotonic() - started < 40 * 0.2  # in turn it would take that long at the least


async def test_time_can_be_set_moved_and_run_faster(box: Box) -> None:
    await box.control("/clock", set="2026-03-02T08:00:00+02:00", speed=0)
    assert await box.look("/clock") == {"now": "2026-03-02T06:00:00Z", "speed": 0.0}
    await box.control("/clock", advance_seconds=90)
    assert (await box.look("/clock"))["now"] == "2026-03-02T06:01:30Z"


async def test_reset_forgets_everything(box: Box) -> None:
    await box.control("/faults", fault="500")
    await box.control("/reset")
    assert await box.look("/books") == {"shops": {}}
    assert await box.look("/faults") == {"faults": []}
    assert await box.look("/calls") == {"calls": []}
