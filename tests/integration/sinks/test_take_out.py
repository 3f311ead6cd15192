"""Shopify's sink as a process, a real Kafka, the sandbox's shop: graded anew, a unit changes its place once."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.commands import Command
from tests.integration.sinks.test_worker_faults import Field, open_field, wait_for
from tests.integration.sources.sandbox import Sandbox, sandbox_process
from tests.unit.systems import givens
from tests.unit.systems.sandbox_shop import DOMAIN, SHOP, command_id

ADJUST = "inventoryAdjustQuantities"
LONG_SECONDS = 60  # longer than the worker waits for an answer, and than this test lets it


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_process() as running:
        yield running


@pytest.fixture
def field(kafka: str, sandbox: Sandbox, tmp_path: Path) -> Iterator[Field]:
    with open_field(kafka, f"sqlite:///{tmp_path}/ledger.db", "shop") as opened:
        yield msgspec.structs.replace(opened, url=sandbox.url)


@pytest.fixture
def graded_anew(field: Field, sandbox: Sandbox) -> list[Command]:
    """A new shop, and what the stock agent commands for a unit: into stock, out of it, in as damaged."""
    sandbox.post("/reset")
    seeded = sandbox.post("/shops", SHOP)
    put = msgspec.structs.replace(
        givens.RESTOCK, command_id=command_id(1), system=field.system,
        item_id=str(seeded["variants"]["TEE-M"]["inventory_item_id"]),
        line_id=str(seeded["orders"]["#1001"]["lines"][0]["id"]),
    )  # fmt: skip
    out = msgspec.structs.replace(put, command_id=command_id(2), quantity=-1, generation=2, stocked_before=True)
    put_right = msgspec.structs.replace(
        put, command_id=command_id(3), stock_status="damaged", generation=3, stocked_before=True
    )
    return [put, out, put_right]


def movements(sandbox: Sandbox) -> list[tuple[str, int]]:
    found: dict[str, Any] = sandbox.get(f"/books?shop={DOMAIN}")
    assert found["findings"] == []
    return [(each["name"], each["delta"]) for each in found["movements"]]


def replays(sandbox: Sandbox) -> int:
    """How often the shop met a key that it knew and answered as it had the first time."""
    return int(sandbox.get(f"/books?shop={DOMAIN}")["calls"].get("key_replayed", 0))


@pytest.mark.req("INV-2", "INV-13", "INV-14", "INV-15")
@pytest.mark.parametrize("native", [False, True], ids=["adjusted", "disposed of"])
def test_a_sink_killed_in_the_middle_of_a_take_out_takes_out_once(
    field: Field, sandbox: Sandbox, graded_anew: list[Command], native: bool
) -> None:
    """kill -9 between the shop's adjustment and its answer; the command is delivered again to the next worker."""
    put, out, put_right = graded_anew
    if native:
        sandbox.post(f"/shopify/{DOMAIN}/staff/return", {"order": "#1001", "lines": [{"sku": "TEE-M", "quantity": 1}]})
    with field.worker() as process:
        field.send([put])
        wait_for("it is in stock", lambda: field.results().keys() == {put.command_id})
        sandbox.post("/faults", {
            "match": {"operation": ADJUST}, "fault": "timeout_after_apply", "seconds": LONG_SECONDS,
        })  # fmt: skip
        field.send([out])
        wait_for("it has left", lambda: movements(sandbox)[1:] == [("available", -1)])
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert out.command_id not in field.results()
    with field.worker() as process:
        wait_for("it is known to have left", lambda: out.command_id in field.results())
        field.send([put_right])
        field.wait(each.command_id for each in graded_anew)
        process.terminate()
        assert process.wait(60) == 0
    assert movements(sandbox) == [("available", 1), ("available", -1), ("damaged", 1)]
    assert replays(sandbox) == 1
    assert field.results() == {each.command_id: ["applied"] for each in graded_anew}


@pytest.mark.req("INV-13", "INV-14", "INV-15")
def test_a_take_out_whose_answer_does_not_come_is_repeated_and_counts_once(
    field: Field, sandbox: Sandbox, graded_anew: list[Command]
) -> None:
    """The return was cancelled and nobody was paid: what was put in goes out, and nothing else comes in."""
    put, out, _ = graded_anew
    sandbox.post("/faults", {
        "match": {"operation": ADJUST}, "fault": "timeout_after_apply", "seconds": LONG_SECONDS, "skip": 1,
    })  # fmt: skip
    with field.worker() as process:
        field.send([put, out, out])  # agents repeat what has no result
        field.wait((put.command_id, out.command_id))
        process.terminate()
        assert process.wait(60) == 0
    assert movements(sandbox) == [("available", 1), ("available", -1)]
    assert replays(sandbox) == 1
    found = field.results()
    assert found.keys() == {put.command_id, out.command_id}
    assert {each for outcomes in found.values() for each in outcomes} == {"applied"}
