"""A worker that forgets what is old, by a clock that may be wrong."""

from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from schemas.topics import CATALOGUE, COMMAND_SYSTEMS, DAY_MS, commands_of
from sinks.ledger import effects, parking
from sinks.ledger.claims import Claim, Settle
from sinks.ledger.parking import Park
from sinks.retention import CALM_MS, EVERY_MS, Retention
from sinks.settings import LEAST_RETENTION_DAYS, SinkSettings
from sinks.work import Received, Work, read
from tests.unit.sinks.conftest import MakeRig
from tests.unit.sinks.rig import CODEC, Rig
from tests.unit.sinks.toy import key_of, restock

DAYS = 430
THEN = 1_778_000_000_000
NOW = THEN + (DAYS + 1) * DAY_MS


class Forgetting:
    """The retention of a rig, with clocks that a test moves."""

    def __init__(self, rig: Rig) -> None:
        self.now, self.calm = NOW, CALM_MS
        self.rig = rig
        self.made = Retention(
            system="toy", days=DAYS, ledger=rig.ledger, codec=CODEC, settlement=rig.settlement,
            telemetry=rig.telemetry, now_ms=lambda: self.now, calm_ms=lambda: self.calm,
        )  # fmt: skip

    def pruned(self, what: str) -> float | None:
        return self.rig.registry.get_sample_value("returnflow_sink_pruned_total", {"system": "toy", "what": what})


async def settled(rig: Rig, name: str, at_ms: int) -> None:
    claim = Claim(
        command_id=name, merchant="shop", system="toy", kind="restock", key=name, fingerprint="f",
        idempotency_key="k", worker="one", now_ms=at_ms, until_ms=at_ms, arrival=None,
    )  # fmt: skip
    await rig.ledger.do(effects.claim, claim)
    end = Settle(command_id=name, outcome="applied", external_ids={}, result=b"r", attempts=1, now_ms=at_ms)
    await rig.ledger.do(effects.settle, end)


async def test_effects_are_forgotten_once_a_minute_when_the_clock_has_been_calm(make_rig: MakeRig) -> None:
    rig = await make_rig()
    forgetting = Forgetting(rig)
    await settled(rig, "old", THEN)
    await settled(rig, "new", NOW)
    assert forgetting.pruned("effects") == 0.0  # there before anything was pruned
    forgetting.calm = CALM_MS - 1
    await forgetting.made.tick()
    assert forgetting.pruned("effects") == 0.0
    forgetting.calm = CALM_MS
    await forgetting.made.tick()
    assert forgetting.pruned("effects") == 1.0
    await settled(rig, "older", THEN)
    await forgetting.made.tick()
    assert forgetting.pruned("effects") == 1.0
    forgetting.calm += EVERY_MS
    await forgetting.made.tick()
    assert forgetting.pruned("effects") == 2.0


@pytest.mark.req("INV-13")
async def test_a_clock_that_is_years_ahead_makes_nothing_forgotten(make_rig: MakeRig) -> None:
    rig = await make_rig()
    forgetting = Forgetting(rig)
    await settled(rig, "yesterday", THEN)
    forgetting.now = THEN + 5 * 365 * DAY_MS
    await forgetting.made.tick()
    assert forgetting.pruned("effects") == 0.0


@pytest.mark.req("EXC-6")
async def test_a_command_that_nobody_could_carry_out_for_so_long_is_told_and_then_forgotten(make_rig: MakeRig) -> None:
    rig = await make_rig()
    forgetting, command = Forgetting(rig), restock(1)
    received = Received(
        topic="toy-commands", partition=0, offset=0, timestamp_ms=THEN, key=key_of(command),
        value=CODEC.encode(command),
    )  # fmt: skip
    work = read(received, CODEC, "toy")
    assert isinstance(work, Work)
    arrival = msgspec.structs.replace(work.arrival, merchant="gone")  # whose file was taken away
    await rig.ledger.do(parking.park, Park(arrival=arrival, reason="paused", now_ms=THEN, due_ms=THEN))
    await forgetting.made.tick()
    assert forgetting.pruned("parked") == 1.0
    assert rig.outcomes() == {command.command_id: "rejected"}
    assert await rig.ledger.run(lambda c: parking.standing(c, "toy")) == []


@pytest.mark.req("INV-13")
def test_effects_are_kept_for_longer_than_kafka_keeps_commands() -> None:
    longest = max(CATALOGUE[commands_of(each)].retention_ms for each in COMMAND_SYSTEMS)
    assert longest + 7 * DAY_MS < LEAST_RETENTION_DAYS * DAY_MS
    assert SinkSettings().retention_days > LEAST_RETENTION_DAYS
    short: Any = LEAST_RETENTION_DAYS - 1
    with pytest.raises(ValidationError):
        SinkSettings(retention_days=short)
