"""Any text at the doors, on the ledgers that there are: kept as it is, or refused with a reason. Nothing ends."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.facts import Delivery
from sinks.ledger.ledger import Ledger
from streams.sources import envelope
from streams.sources.memory import Memory
from streams.sources.publishing import Outbox
from streams.sources.source_doors import DoorSource
from streams.sources.troubles import Troubles
from tests.unit.sources.doubles import Log
from tests.unit.sources.merchants import shop

NOW = 1_777_900_000_000
ANY = st.text(st.characters(codec=None) | st.sampled_from("\x00\ud800|: "), max_size=12)  # surrogates, too
INSPECTION: dict[str, Any] = {"type": "inspection", "rma": "7"}
PARCEL: dict[str, Any] = {"type": "tracking", "tracking_number": "OPT-1\x00", "status": "in_transit"}


class Door:
    """One door with its memory and its way out, on one ledger."""

    def __init__(self, system: str, ledger: Ledger) -> None:
        self.system, self.log = system, Log()
        self.memory = Memory(ledger, system, lambda: NOW)
        self.outbox = Outbox(kafka=self.log, codec=Codec(), memory=self.memory, system=system, now_ms=lambda: NOW)
        self.source = DoorSource(system, {"shop-a": shop()}, self.memory, Codec(), lambda: NOW)
        self.troubles = Troubles(self.outbox, self.memory, lambda: NOW)

    async def takes(self, body: object, headers: dict[str, str]) -> str:
        """From the webhook to what is kept of it; the word for its result."""
        taken, _ = envelope.delivery(self.system, "shop-a", headers, json.dumps(body).encode(), NOW)
        delivery = Codec().decode_as(Delivery, Codec().encode(taken))
        routed = await self.source.route(delivery)
        if routed.complaint is not None:
            told = routed.complaint
            await self.troubles.raised("malformed_delivery", told.merchant, told.subject, told.detail)
        await self.outbox.facts("shop-a", routed.facts, routed.notes)
        return routed.result


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    url = f"sqlite:///{tmp_path}/l.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Ledger(url)
    yield opened
    opened.close()


@pytest.mark.req("EXC-4")
@pytest.mark.parametrize("named", [{"order": "5001"}, {}])
async def test_a_tracking_number_that_no_database_holds_is_told_to_people(
    ledger: Ledger, named: dict[str, str]
) -> None:
    door = Door("carrier", ledger)
    assert await door.takes(PARCEL | named, {}) == "malformed"
    assert [type(each).__name__ for each in door.log.records("exceptions")] == ["ExceptionRaised"]
    assert await door.takes(PARCEL | {"tracking_number": "OPT-1", "order": "5001"}, {}) == "direct"


@given(st.lists(ANY, min_size=8, max_size=8))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_text_anywhere_in_a_body_is_kept_or_told(ledger: Ledger, texts: list[str]) -> None:
    sku, reason, place, rma, order, number, carrier, name = texts
    headers = {"webhook-id": name.encode(errors="replace").decode("latin-1")}  # as HTTP hands it over
    line = {"sku": sku, "quantity": 1, "grade": "damaged", "reason": reason, "location": place}
    for body in ({"lines": [line]}, {"rma": rma, "order": order, "lines": [line]}, {"rma": rma, "lines": [line]}):
        assert await Door("warehouse", ledger).takes(INSPECTION | body, headers) in ("waits", "direct", "malformed")
    parcel = {"tracking_number": number, "carrier": carrier}
    for named in ({}, {"order": "5001"}, {"rma": rma}):
        assert await Door("carrier", ledger).takes(PARCEL | parcel | named, headers) in ("waits", "direct", "malformed")


@given(st.dictionaries(ANY, ANY, max_size=4))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_name_of_a_note_is_remembered(ledger: Ledger, notes: dict[str, str]) -> None:
    memory = Memory(ledger, "shopify", lambda: NOW)
    await memory.keep("shop-a", dict.fromkeys(notes, "known"))
    assert await memory.notes("shop-a", list(notes)) == dict.fromkeys(notes, "known")
    await memory.sent("shop-a", dict.fromkeys(notes, "digest"), {})
    assert await memory.unsent("shop-a", dict.fromkeys(notes, "digest")) == set()
