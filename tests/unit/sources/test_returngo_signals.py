"""Which ReturnGO webhooks are read, how soon, and how much that matters when a day's calls grow short."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.facts import Delivery
from schemas.merchant import Merchant
from schemas.merchant_model import Inspecting, Model
from streams.sources.returngo_signals import hint
from streams.sources.work import Resource, Urgency
from tests.unit.sources.doubles import Source, returngo_source
from tests.unit.sources.merchants import shop
from tests.unit.sources.payloads import RMA_ID, rma, rma_item, transaction, validated, with_status

RMA = Resource(merchant="shop-a", kind="rma", name=RMA_ID)


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    async with returngo_source(tmp_path, shop()) as made:
        made.store.rmas[RMA_ID] = rma()
        yield made


def delivery(event: str, **said: Any) -> Delivery:
    body = msgspec.json.encode({"eventName": event, "rmaId": RMA_ID, **said})
    return Delivery(
        delivery_id="d", merchant="shop-a", system="returngo", event=event, resource_id=RMA_ID, headers={}, body=body,
        received_at_ms=1,
    )  # fmt: skip


async def urgency(source: Source, event: str, **said: Any) -> Urgency | None:
    """What it asks for; what it leaves behind is remembered."""
    routed = await source.reader.route(delivery(event, **said))
    await source.memory.keep("shop-a", routed.notes)
    return routed.wanted[0].urgency if routed.wanted else None


@pytest.mark.parametrize(
    ("event", "body", "urgency"),
    [
        ("RMA_STATUS_UPDATED", b"{}", "effect"), ("RMA_STATUS_UPDATED", b'{"status": "Validated"}', "effect"),
        ("RMA_STATUS_UPDATED", b'{"status": "Approved"}', "request"),
        ("RMA_STATUS_UPDATED", b'{"status": "Received"}', None), ("RMA_STATUS_UPDATED", b'{"status": 5}', "effect"),
        ("TRANSACTION_CREATED", b"{}", "effect"), ("REFUND_CREATED", b"{}", None), ("RMA_CREATED", b"{}", "news"),
        ("RMA_CREATED", b'{"status": "Pending"}', None), ("RMA_CREATED", b'{"status": "Approved"}', "request"),
        ("SHIPMENT_STATUS_UPDATED", b'{"status": "Received"}', None), ("SHIPMENT_STATUS_UPDATED", b"{}", "effect"),
        ("SHIPMENT_STATUS_UPDATED", b'{"status": "Validated"}', "effect"),
        ("SHIPMENT_STATUS_UPDATED", b'{"status": "Shipped"}', "news"), ("SHIPMENT_TRACKER_STATUS_UPDATED", b"{}", None),
        ("SHIPMENT_CREATED", b"{}", None), ("SOMETHING_NEW", b"{}", "news"), ("RMA_STATUS_UPDATED", b"[", "effect"),
        ("RMA_STATUS_UPDATED", b"[1]", "effect"),
    ],
)  # fmt: skip
def test_only_what_may_lead_to_a_command_is_urgent(event: str, body: bytes, urgency: str | None) -> None:
    assert hint(event, body).urgency == urgency


async def test_an_approval_of_goods_that_come_back_is_no_stage_that_leads_to_a_command(tmp_path: Path) -> None:
    """With a door that may speak of the parcel first it is news; without one it is not read at all."""
    systems = shop().systems.model_copy(update={"carrier": None, "warehouse": None})
    alone = shop().model_copy(update={"systems": systems})
    for merchant, calls in ((shop(), 1), (alone, 0)):
        (tmp_path / str(calls)).mkdir()
        async with returngo_source(tmp_path / str(calls), merchant) as source:
            source.store.rmas[RMA_ID] = rma()
            assert await urgency(source, "RMA_STATUS_UPDATED", status="Approved") == "request"
            assert await urgency(source, "SHIPMENT_CREATED", status="LabelCreated") is None
            await source.desk.read(RMA, "request", "signal")
            assert source.store.read(RMA_ID) == calls


async def test_an_approval_without_a_parcel_is_read_for_it_may_be_money(source: Source) -> None:
    await source.desk.read(RMA, "request", "signal")
    assert source.store.read(RMA_ID) == 1


async def test_what_nobody_knows_is_not_called_off_and_what_is_known_is(source: Source) -> None:
    assert await urgency(source, "RMA_STATUS_UPDATED", status="Canceled") is None
    await source.desk.read(RMA, "effect", "signal")
    assert await urgency(source, "RMA_STATUS_UPDATED", status="Canceled") == "effect"


async def test_the_end_of_a_return_is_read_unless_all_of_it_was_inspected_when_it_was_read(source: Source) -> None:
    await source.desk.read(RMA, "effect", "signal")
    assert await urgency(source, "RMA_STATUS_UPDATED", status="Done") == "effect"
    source.store.rmas[RMA_ID] = with_status(
        rma(items=[rma_item("31", itemValidationStatusResponse=validated("31"))]), "Validated"
    )
    await source.desk.read(RMA, "effect", "signal")
    assert await urgency(source, "RMA_STATUS_UPDATED", status="Done") is None


async def test_a_transaction_that_came_with_its_rma_is_not_read_again(source: Source) -> None:
    source.store.rmas[RMA_ID] = rma(transactions=[transaction()])
    assert await urgency(source, "TRANSACTION_CREATED", transaction={"id": 4001}) == "effect"
    await source.desk.read(RMA, "effect", "signal")
    assert await urgency(source, "TRANSACTION_CREATED", transaction={"id": "4001"}) is None
    assert await urgency(source, "TRANSACTION_CREATED", transaction={"id": "4002"}) == "effect"


async def test_an_arrival_is_read_where_it_may_lead_to_a_command(tmp_path: Path) -> None:
    waits: Merchant = shop().model_copy(update={"model": Model(inspecting=Inspecting(needs_receipt=True))})
    async with returngo_source(tmp_path, waits) as source:
        assert await urgency(source, "SHIPMENT_STATUS_UPDATED", status="Received") == "effect"
        assert await urgency(source, "RMA_STATUS_UPDATED", status="Received") == "effect"
