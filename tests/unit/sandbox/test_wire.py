"""Faults on the wire, on a real port: answers that do not come and connections that are cut, before or after the
effect."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from ops.sandbox.app import build
from ops.sandbox.settings import Settings
from tests.unit.sandbox.box import ADJUST, AGENT, Box, adjustment, change
from tests.unit.sandbox.test_returngo_api import rma


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """An app behind a free port; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listener.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Box]:
    """The seeded sandbox behind a free port."""
    made = Box(Settings())
    await made.client.aclose()
    async with served(build(Settings(hang_seconds=20))) as address:
        made.client = httpx.AsyncClient(base_url=address, timeout=0.3, headers=AGENT)
        await made.open()
        try:
            yield made
        finally:
            await made.close()


@pytest.mark.parametrize(
    ("fault", "error", "moved"),
    [
        ("timeout_before_apply", httpx.ReadTimeout, {}),
        ("timeout_after_apply", httpx.ReadTimeout, {"MUG@11.available": 1}),
        ("lost_before_apply", httpx.RemoteProtocolError, {}),
        ("lost_after_apply", httpx.RemoteProtocolError, {"MUG@11.available": 1}),
    ],
)
async def test_an_answer_that_is_lost_says_nothing_of_the_effect_and_the_same_key_finds_out(
    fault: str, error: type[Exception], moved: dict[str, int]
) -> None:
    async with listening() as box:
        await box.control("/faults", match={"system": "shopify", "operation": "inventoryAdjustQuantities"}, fault=fault)
        given = adjustment(change(box, "MUG"))
        with pytest.raises(error):
            await box.post(ADJUST, {"input": given, "key": "k"})
        assert (await box.books())["totals"]["moved"] == moved
        assert (await box.look("/calls", operation="inventoryAdjustQuantities"))["calls"][0]["status"] == 0
        assert (await box.data(ADJUST, input=given, key="k"))["inventoryAdjustQuantities"]["userErrors"] == []
        assert (await box.books())["totals"]["moved"] == {"MUG@11.available": 1}


async def test_returngo_loses_answers_too() -> None:
    async with listening() as box:
        rma_id = await rma(box)
        for fault, error in (
            ("lost_after_apply", httpx.RemoteProtocolError),
            ("timeout_after_apply", httpx.ReadTimeout),
        ):
            await box.control("/faults", match={"system": "returngo", "operation": "POST /rma/comment"}, fault=fault)
            with pytest.raises(error):
                await box.returngo("POST", f"/rma/{rma_id}/comment", json={"htmlText": fault})
        assert (await box.books())["returngo"]["rmas"][rma_id]["comments"] == [
            "lost_after_apply",
            "timeout_after_apply",
        ]


async def test_webhooks_go_out_over_the_network() -> None:
    async with listening() as box, served(box.listener.app()) as address:
        hook = {"url": f"{address}/r", "eventName": "RMA_CREATED"}
        await box.returngo("POST", "/webhook", json=hook)
        await rma(box)
        await box.settle()
        assert len(box.listener.received) == 1


@pytest.mark.parametrize(
    ("fault", "status", "moved"),
    [("430", 430, {}), ("499", 499, {}), ("520_after_apply", 520, {"MUG@11.available": 1})],
)
async def test_a_status_that_no_manual_lists_says_nothing_of_the_effect(
    fault: str, status: int, moved: dict[str, int]
) -> None:
    async with listening() as box:
        await box.control("/faults", match={"operation": "inventoryAdjustQuantities"}, fault=fault)
        answer = await box.post(ADJUST, {"input": adjustment(change(box, "MUG")), "key": "k"})
        assert answer.status_code == status
        assert (await box.books())["totals"]["moved"] == moved


async def test_what_was_not_answered_can_still_come_later() -> None:
    async with listening() as box:
        plan = {"match": {"operation": "inventoryAdjustQuantities"}, "fault": "timeout_late_apply", "seconds": 600}
        await box.control("/faults", **plan)
        with pytest.raises(httpx.ReadTimeout):
            await box.post(ADJUST, {"input": adjustment(change(box, "MUG")), "key": "k"})
        assert (await box.books())["totals"]["moved"] == {}
        await box.control("/clock", advance_seconds=601)
        assert (await box.books())["totals"]["moved"] == {"MUG@11.available": 1}
